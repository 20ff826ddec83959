// pg_type, pg_proc and the catalogs of operators and casts, made from what types/ and functions/
// know.
#include <map>

#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"
#include "functions/casts.h"
#include "functions/function.h"

namespace blueshift::catalog {
namespace {

constexpr Oid kInternalLanguage = 12;

struct TypeFacts {
    Oid oid;
    std::string_view name;
    i32 length;
    char kind; // b base, p pseudo
    char category;
    Oid element; // of arrays
    Oid array;
    std::string_view input;
};

/// Every type a client may meet, those without values here included, so that drivers know them.
constexpr TypeFacts kTypes[] = {
    {16, "bool", 1, 'b', 'B', 0, 1000, "boolin"},
    {18, "char", 1, 'b', 'S', 0, 1002, "charin"},
    {19, "name", 128, 'b', 'S', 18, 1003, "namein"},
    {20, "int8", 8, 'b', 'N', 0, 1016, "int8in"},
    {21, "int2", 2, 'b', 'N', 0, 1005, "int2in"},
    {22, "int2vector", -1, 'b', 'A', 21, 1006, "int2vectorin"},
    {23, "int4", 4, 'b', 'N', 0, 1007, "int4in"},
    {24, "regproc", 4, 'b', 'N', 0, 1008, "regprocin"},
    {25, "text", -1, 'b', 'S', 0, 1009, "textin"},
    {26, "oid", 4, 'b', 'N', 0, 1028, "oidin"},
    {27, "tid", 6, 'b', 'U', 0, 1010, "tidin"},
    {28, "xid", 4, 'b', 'U', 0, 1011, "xidin"},
    {30, "oidvector", -1, 'b', 'A', 26, 1013, "oidvectorin"},
    {700, "float4", 4, 'b', 'N', 0, 1021, "float4in"},
    {701, "float8", 8, 'b', 'N', 0, 1022, "float8in"},
    {702, "abstime", 4, 'b', 'D', 0, 1023, "abstimein"},
    {705, "unknown", -2, 'p', 'X', 0, 0, "unknownin"},
    {1033, "aclitem", 12, 'b', 'U', 0, 1034, "aclitemin"},
    {1042, "bpchar", -1, 'b', 'S', 0, 1014, "bpcharin"},
    {1043, "varchar", -1, 'b', 'S', 0, 1015, "varcharin"},
    {1082, "date", 4, 'b', 'D', 0, 1182, "date_in"},
    {1083, "time", 8, 'b', 'D', 0, 1183, "time_in"},
    {1114, "timestamp", 8, 'b', 'D', 0, 1115, "timestamp_in"},
    {1184, "timestamptz", 8, 'b', 'D', 0, 1185, "timestamptz_in"},
    {1186, "interval", 16, 'b', 'T', 0, 1187, "interval_in"},
    {1188, "intervaly2m", 4, 'b', 'T', 0, 1189, "intervaly2m_in"},
    {1190, "intervald2s", 8, 'b', 'T', 0, 1191, "intervald2s_in"},
    {1266, "timetz", 12, 'b', 'D', 0, 1270, "timetz_in"},
    {1700, "numeric", -1, 'b', 'N', 0, 1231, "numeric_in"},
    {1790, "refcursor", -1, 'b', 'U', 0, 0, "textin"},
    {2205, "regclass", 4, 'b', 'N', 0, 2210, "regclassin"},
    {2206, "regtype", 4, 'b', 'N', 0, 2211, "regtypein"},
    {2249, "record", 4, 'p', 'P', 0, 0, "record_in"},
    {2275, "cstring", -2, 'p', 'P', 0, 0, "cstring_in"},
    {2276, "any", 4, 'p', 'P', 0, 0, "any_in"},
    {2277, "anyarray", -1, 'p', 'P', 0, 0, "anyarray_in"},
    {2278, "void", 4, 'p', 'P', 0, 0, "void_in"},
    {2279, "trigger", 4, 'p', 'P', 0, 0, "trigger_in"},
    {2280, "language_handler", 4, 'p', 'P', 0, 0, "language_handler_in"},
    {2281, "internal", 8, 'p', 'P', 0, 0, "internal_in"},
    {2283, "anyelement", 4, 'p', 'P', 0, 0, "anyelement_in"},
    {2935, "hllsketch", -1, 'b', 'U', 0, 0, "hllsketch_in"},
    {3000, "geometry", -1, 'b', 'U', 0, 0, "geometry_in"},
    {3001, "geography", -1, 'b', 'U', 0, 0, "geography_in"},
    {3838, "event_trigger", 4, 'p', 'P', 0, 0, "event_trigger_in"},
    {3999, "geometryhex", -1, 'b', 'U', 0, 0, "geometryhex_in"},
    {4000, "super", -1, 'b', 'U', 0, 0, "super_in"},
    {6551, "varbyte", -1, 'b', 'U', 0, 0, "varbyte_in"},
};

void writeType(RowWriter& out, Oid oid, std::string_view name, i32 length, char kind, char category,
               Oid element, Oid array, std::string_view input, Oid schema) {
    const bool by_value = length > 0 && length <= 8;
    const std::string stem(input.substr(0, input.rfind("in")));
    const char align = length == 1 ? 'c' : length == 2 ? 's' : length >= 8 ? 'd' : 'i';
    const bool text = category == 'S' && name != "char" && name != "name";
    out.row(oid, name, schema, kAdminUser, length, by_value, kind, true, ',', 0, element, array,
            input, stem + "out", stem + "recv", stem + "send", "-", align, length < 0 ? 'x' : 'p',
            false, 0, -1, 0, std::nullopt, std::nullopt, category, false, text ? 100 : 0,
            std::nullopt);
}

void pgType(const CatalogReader&, RowWriter& out) {
    for (const TypeFacts& type : kTypes) {
        writeType(out, type.oid, type.name, type.length, type.kind, type.category, type.element,
                  type.array, type.input, kPgCatalogSchema);
        if (type.array != 0)
            writeType(out, type.array, "_" + std::string(type.name), -1, 'b', 'A', type.oid, 0,
                      "array_in", kPgCatalogSchema);
    }
    // The domains of information_schema, by their OIDs in Redshift.
    writeType(out, 17329, "cardinal_number", 4, 'b', 'N', 0, 0, "int4in", kInformationSchema);
    writeType(out, 17331, "character_data", -1, 'b', 'S', 0, 0, "varcharin", kInformationSchema);
    writeType(out, 17332, "sql_identifier", -1, 'b', 'S', 0, 0, "varcharin", kInformationSchema);
    writeType(out, 17336, "time_stamp", 8, 'b', 'D', 0, 0, "timestamp_in", kInformationSchema);
}

char volatilityLetter(functions::Volatility volatility) {
    switch (volatility) {
    case functions::Volatility::kImmutable: return 'i';
    case functions::Volatility::kStable: return 's';
    case functions::Volatility::kVolatile: break;
    }
    return 'v';
}

bool isOperatorName(std::string_view name) {
    const char c = name.empty() ? ' ' : name[0];
    return !((c >= 'a' && c <= 'z') || c == '_');
}

/// Functions by name: operators and casts stand in their own catalogs.
void forEachFunction(const std::function<void(Oid, const functions::FunctionRow&)>& use) {
    for (const functions::FunctionRow& row : functions::listFunctions())
        if (!isOperatorName(row.name)) use(row.oid, row);
}

std::string argumentOids(const functions::FunctionRow& row) {
    std::vector<i64> oids;
    for (const SqlType& type : row.arguments) oids.push_back(typeOid(type.kind));
    return vectorOf(oids);
}

template <class... More>
void writeFunction(RowWriter& out, Oid oid, const functions::FunctionRow& row,
                   const More&... more) {
    out.row(oid, row.name, kPgCatalogSchema, kAdminUser, kInternalLanguage, row.aggregate, false,
            !row.aggregate, false, volatilityLetter(row.volatility), row.arguments.size(),
            typeOid(row.result.kind), argumentOids(row), row.name, "-", std::nullopt, more...);
}

void pgProc(const CatalogReader&, RowWriter& out) {
    forEachFunction([&](Oid oid, const functions::FunctionRow& row) {
        const char kind = row.aggregate ? 'a' : row.window ? 'w' : 'f';
        writeFunction(out, oid, row, row.window, kind, std::nullopt, std::nullopt, std::nullopt, 0,
                      1.0, 0.0, false, 's');
    });
}

void pgProcInfo(const CatalogReader&, RowWriter& out) {
    forEachFunction([&](Oid oid, const functions::FunctionRow& row) {
        const char kind = row.aggregate ? 'a' : 'f';
        writeFunction(out, oid, row, oid, std::nullopt, std::nullopt, std::nullopt, kind);
    });
}

void pgAggregate(const CatalogReader&, RowWriter& out) {
    forEachFunction([&](Oid oid, const functions::FunctionRow& row) {
        if (row.aggregate) out.row(oid, "-", "-", typeOid(row.result.kind), std::nullopt);
    });
}

void pgOperator(const CatalogReader&, RowWriter& out) {
    for (const functions::FunctionRow& row : functions::listFunctions()) {
        if (!isOperatorName(row.name) || row.arguments.empty()) continue;
        const bool binary = row.arguments.size() > 1;
        out.row(row.oid, row.name, kPgCatalogSchema, kAdminUser, binary ? 'b' : 'l', false,
                binary ? typeOid(row.arguments[0].kind) : 0, typeOid(row.arguments.back().kind),
                typeOid(row.result.kind), 0, 0, "-");
    }
}

void pgCast(const CatalogReader&, RowWriter& out) {
    Oid oid = 10000;
    for (const TypeFacts& from : kTypes)
        for (const TypeFacts& to : kTypes) {
            const auto source = typeFromOid(i32(from.oid), -1);
            const auto target = typeFromOid(i32(to.oid), -1);
            if (!source || !target || from.oid == to.oid || from.kind == 'p' || to.kind == 'p')
                continue;
            ++oid;
            using functions::CastContext;
            if (!functions::canCast(*source, *target, CastContext::kExplicit)) continue;
            const bool implicit = functions::canCast(*source, *target, CastContext::kImplicit);
            const bool assigned = functions::canCast(*source, *target, CastContext::kAssignment);
            const bool same = functions::isSameRepresentation(*source, *target);
            const bool through_text = isTextual(source->kind) || isTextual(target->kind);
            out.row(oid, from.oid, to.oid, 0,
                    implicit   ? 'i'
                    : assigned ? 'a'
                               : 'e',
                    same           ? 'b'
                    : through_text ? 'i'
                                   : 'f');
        }
}

void pgLanguage(const CatalogReader&, RowWriter& out) {
    out.row(kInternalLanguage, "internal", false, false, 0, 0, std::nullopt, kAdminUser, 0);
    out.row(13, "c", false, false, 0, 0, std::nullopt, kAdminUser, 0);
    out.row(14, "sql", false, true, 0, 0, std::nullopt, kAdminUser, 0);
}

void pgCollation(const CatalogReader&, RowWriter& out) {
    out.row(100, "default", kPgCatalogSchema, kAdminUser, 'd', true, -1, std::nullopt, std::nullopt,
            std::nullopt, std::nullopt);
    out.row(950, "C", kPgCatalogSchema, kAdminUser, 'c', true, -1, "C", "C", std::nullopt,
            std::nullopt);
}

constexpr std::string_view kProcColumns =
    "oid oid, proname name, pronamespace oid, proowner i4, prolang oid, proisagg b, prosecdef b, "
    "proisstrict b, proretset b, provolatile char, pronargs i2, prorettype oid, proargtypes oidv, "
    "prosrc t, probin t, proacl t[]";

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "pg_type",
     "oid oid, typname name, typnamespace oid, typowner i4, typlen i2, typbyval b, typtype char, "
     "typisdefined b, typdelim char, typrelid oid, typelem oid, typarray oid, typinput regproc, "
     "typoutput regproc, typreceive regproc, typsend regproc, typanalyze regproc, typalign char, "
     "typstorage char, typnotnull b, typbasetype oid, typtypmod i4, typndims i4, typdefaultbin t, "
     "typdefault t, typcategory char, typispreferred b, typcollation oid, typacl t[]",
     pgType, Audience::kEveryone, 1247},
    {"pg_catalog", "pg_proc", kProcColumns, pgProc, Audience::kEveryone, 1255,
     "proiswindow b, prokind char, proallargtypes oid[], proargmodes t[], proargnames t[], "
     "provariadic oid, procost f4, prorows f4, proleakproof b, proparallel char"},
    {"pg_catalog", "pg_proc_info", kProcColumns, pgProcInfo, Audience::kEveryone, 0,
     "prooid oid, proargmodes t[], proallargtypes oid[], proargnames t[], prokind char"},
    {"pg_catalog", "pg_aggregate",
     "aggfnoid oid, aggtransfn regproc, aggfinalfn regproc, aggtranstype oid, agginitval t",
     pgAggregate, Audience::kEveryone, 2600},
    {"pg_catalog", "pg_operator",
     "oid oid, oprname name, oprnamespace oid, oprowner i4, oprkind char, oprcanhash b, "
     "oprleft oid, oprright oid, oprresult oid, oprcom oid, oprnegate oid, oprcode regproc",
     pgOperator, Audience::kEveryone, 2617},
    {"pg_catalog", "pg_cast",
     "oid oid, castsource oid, casttarget oid, castfunc oid, castcontext char, "
     "castmethod char",
     pgCast, Audience::kEveryone, 2605},
    {"pg_catalog", "pg_language",
     "oid oid, lanname name, lanispl b, lanpltrusted b, lanplcallfoid oid, lanvalidator oid, "
     "lanacl t[], lanowner i4, laninline oid",
     pgLanguage, Audience::kEveryone, 2612},
    {"pg_catalog", "pg_collation",
     "oid oid, collname name, collnamespace oid, collowner i4, collprovider char, "
     "collisdeterministic b, collencoding i4, collcollate t, collctype t, colliculocale t, "
     "collversion t",
     pgCollation, Audience::kEveryone, 3456},
};

} // namespace

void addTypeViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
