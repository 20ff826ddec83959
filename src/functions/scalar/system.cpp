// Facts of the session and the catalog: version(), current_schema(), pg_get_viewdef() and their
// kin.
#include "functions/ascii.h"
#include "functions/catalog_lookup.h"
#include "functions/overload.h"
#include "functions/scalar/arrays.h"
#include "functions/scalar/rows.h"
#include "functions/text_input.h"
#include "functions/text_output.h"
#include "types/named_types.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;
using Text = std::string_view;
using MayText = std::optional<Stored>;

constexpr i32 kUtf8 = 6; // PostgreSQL's number of the encoding
constexpr i32 kDefaultTablespace = 1663;
constexpr Text kVersion =
    "PostgreSQL 8.0.2 on x86_64-pc-linux-gnu, compiled by clang 19, Redshift 1.0.100000 (blueshift "
    "0.1.0)";

template <auto f> void factLoop(const LoopCall& call) {
    Scope scope{call, {}};
    for (u32 i = 0; i < call.count; ++i) row_loop::write(call, call.rowAt(i), f(scope));
}

MayText stored(Scope& scope, std::optional<std::string> text) {
    if (!text) return {};
    scope.scratch = std::move(*text);
    return Stored{scope.scratch};
}
const CatalogLookup* catalogOf(Scope& scope) {
    return scope.session().catalog;
}

Stored version(Scope&) {
    return {kVersion};
}
Stored currentDatabase(Scope& scope) {
    return {scope.session().database};
}
Stored currentUser(Scope& scope) {
    return {scope.session().user};
}
i32 currentUserId(Scope& scope) {
    return scope.session().user_id;
}
i32 backendPid(Scope& scope) {
    return scope.session().process_id;
}
MayText currentSchema(Scope& scope) {
    if (scope.session().current_schema.empty()) return {};
    return Stored{scope.session().current_schema};
}
Stored clientEncoding(Scope&) {
    return {"UTF8"};
}
Stored databaseCollation(Scope&) {
    return {"case_sensitive"};
}
Stored currentNamespace(Scope& scope) {
    return {scope.session().database};
}
i64 noQuery(Scope&) {
    return -1;
}
i32 slice(Scope&) {
    return 0;
}

Stored currentSchemas(Scope& scope, bool implicit) {
    std::vector<std::string> names;
    if (catalogOf(scope) != nullptr) names = catalogOf(scope)->searchPath(implicit);
    else {
        if (implicit) names.push_back("pg_catalog");
        if (!scope.session().current_schema.empty())
            names.emplace_back(scope.session().current_schema);
    }
    scope.scratch = arrayText(names);
    return {scope.scratch};
}

// ---- Types and encodings.

std::string formatOid(i32 oid, i32 modifier) {
    if (oid == 0) return "-";
    auto type = typeFromOid(oid, modifier);
    if (!type) {
        const Text named = namedTypeText(oid);
        return std::string(named.empty() ? "???" : named);
    }
    if (modifier < 0) {
        type->length = 0;
        if (type->kind == K::kDecimal) return "numeric";
    }
    return formatType(*type);
}
/// format_type(oid, typmod): the one function here that sees a NULL, as its second argument.
void formatTypeLoop(const LoopCall& call) {
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        if (call.args[0].isNull(row)) {
            clearBit(call.out.validity(), row);
            continue;
        }
        const i32 modifier = call.args[1].isNull(row) ? -1 : i32(call.args[1].integerAt(row));
        call.out.values<TextView>()[row] =
            call.heap.store(formatOid(i32(call.args[0].integerAt(row)), modifier));
        setBit(call.out.validity(), row);
    }
}
Stored formatEncoding(Scope&, i32 encoding) {
    constexpr Text kNames[] = {"none",     "bytedict", "delta",    "lzo",     "runlength",
                               "mostly8",  "mostly16", "mostly32", "text255", "text32k",
                               "delta32k", "az64",     "zstd"};
    if (encoding == 128) return {"none"};
    if (encoding < 0 || encoding >= i32(std::size(kNames))) return {"unknown"};
    return {kNames[encoding]};
}
Stored encodingName(Scope&, i32 encoding) {
    return {encoding == 0 ? "SQL_ASCII" : "UTF8"};
}
i32 encodingNumber(Scope&, Text name) {
    std::string letters;
    for (char c : name)
        if (c != '-' && c != '_') letters += asciiLower(c);
    return letters == "utf8" || letters == "unicode" ? kUtf8 : letters == "sqlascii" ? 0 : -1;
}
Stored noLocation(Scope&, i32) {
    return {""};
}
Stored vectorTypes(Scope& scope, Text vector) {
    std::string names;
    for (const auto& element : arrayElements(vector, K::kOidVector)) {
        i64 oid = 0;
        if (parseInteger(element.value_or("0"), 0, 4294967295, oid) != InputError::kNone) oid = 0;
        if (!names.empty()) names += ", ";
        names += formatOid(i32(u32(oid)), -1);
    }
    scope.scratch = names;
    return {scope.scratch};
}

// ---- Names and definitions.

Stored userById(Scope& scope, i32 oid) {
    std::optional<std::string> name;
    if (catalogOf(scope) != nullptr) name = catalogOf(scope)->userName(u32(oid));
    if (!name && oid == scope.session().user_id) name = std::string(scope.session().user);
    scope.scratch = name.value_or("unknown (OID=" + std::to_string(u32(oid)) + ")");
    return {scope.scratch};
}
std::optional<bool> tableVisible(Scope& scope, i32 oid) {
    if (catalogOf(scope) == nullptr) return {};
    const auto relation = catalogOf(scope)->relation(u32(oid));
    if (!relation) return {};
    return relation->visible;
}
bool alwaysTrue(Scope&, i32) {
    return true;
}
MayText viewDefinition(Scope& scope, i32 oid) {
    return catalogOf(scope) == nullptr ? MayText()
                                       : stored(scope, catalogOf(scope)->viewDefinition(u32(oid)));
}
MayText viewDefinitionPretty(Scope& scope, i32 oid, bool) {
    return viewDefinition(scope, oid);
}
MayText viewDefinitionByName(Scope& scope, Text name) {
    i32 oid = 0;
    const InputError error = parseInto(name, SqlType::of(K::kRegclass), PhysicalKind::kI32, &oid,
                                       InputOptions::of(scope.session()));
    if (error != InputError::kNone) {
        scope.fail(describeInputError(error, name, SqlType::of(K::kRegclass)));
        return {};
    }
    return viewDefinition(scope, oid);
}
MayText viewDefinitionByNamePretty(Scope& scope, Text name, bool) {
    return viewDefinitionByName(scope, name);
}
MayText constraintDefinition(Scope& scope, i32 oid) {
    return catalogOf(scope) == nullptr
               ? MayText()
               : stored(scope, catalogOf(scope)->constraintDefinition(u32(oid)));
}
MayText constraintDefinitionPretty(Scope& scope, i32 oid, bool) {
    return constraintDefinition(scope, oid);
}
Text expressionText(Scope&, Text text, i32) {
    return text;
}
Text expressionTextPretty(Scope&, Text text, i32, bool) {
    return text;
}
MayText noText(Scope&, i32) {
    return {};
}
MayText noTextPretty(Scope&, i32, bool) {
    return {};
}
MayText indexColumn(Scope& scope, i32 oid, i32 column, bool) {
    return catalogOf(scope) == nullptr
               ? MayText()
               : stored(scope, catalogOf(scope)->indexDefinition(u32(oid), column));
}
MayText indexDefinition(Scope& scope, i32 oid) {
    return indexColumn(scope, oid, 0, false);
}
MayText columnComment(Scope& scope, i32 oid, i32 column) {
    return catalogOf(scope) == nullptr ? MayText()
                                       : stored(scope, catalogOf(scope)->comment(u32(oid), column));
}
MayText objectComment(Scope& scope, i32 oid) {
    return columnComment(scope, oid, 0);
}
MayText objectCommentIn(Scope& scope, i32 oid, Text) {
    return columnComment(scope, oid, 0);
}

// ---- Rights.

void failNoObject(Scope& scope, PrivilegeTarget target, Text object) {
    const char* kind = target == PrivilegeTarget::kTable    ? "relation"
                       : target == PrivilegeTarget::kSchema ? "schema"
                                                            : "object";
    const auto state = target == PrivilegeTarget::kSchema ? sqlstate::kInvalidSchemaName
                                                          : sqlstate::kUndefinedTable;
    scope.fail(state,
               std::string(kind) + " \"" + std::string(object) + "\" or the user does not exist");
}
bool privilege(Scope& scope, Text user, PrivilegeTarget target, Text object, Text right) {
    if (catalogOf(scope) == nullptr) return true;
    const auto granted = catalogOf(scope)->hasPrivilege(user, target, object, right);
    if (!granted) failNoObject(scope, target, object);
    return granted.value_or(false);
}
template <PrivilegeTarget target> bool hasPrivilege(Scope& scope, Text object, Text right) {
    return privilege(scope, "", target, object, right);
}
template <PrivilegeTarget target>
bool userHasPrivilege(Scope& scope, Text user, Text object, Text right) {
    return privilege(scope, user, target, object, right);
}
/// An object named by its OID; nothing for unknown ones.
template <PrivilegeTarget target>
std::optional<bool> hasPrivilegeOn(Scope& scope, i32 oid, Text right) {
    const CatalogLookup* catalog = catalogOf(scope);
    if (catalog == nullptr) return true;
    if (target == PrivilegeTarget::kSchema) {
        const auto name = catalog->schemaName(u32(oid));
        if (!name) return {};
        return catalog->hasPrivilege("", target, *name, right);
    }
    if (target == PrivilegeTarget::kFunction || target == PrivilegeTarget::kDatabase) return true;
    const auto relation = catalog->relation(u32(oid));
    if (!relation) return {};
    return catalog->hasPrivilege("", target, relation->schema + "." + relation->name, right);
}
bool isMemberOf(Scope& scope, Text user, Text role) {
    return catalogOf(scope) != nullptr && catalogOf(scope)->isMember(user, role);
}

MayText currentSetting(Scope& scope, Text name) {
    if (catalogOf(scope) != nullptr)
        if (auto value = catalogOf(scope)->setting(name)) return stored(scope, std::move(value));
    scope.fail(Error(sqlstate::kUndefinedObject,
                     "unrecognized configuration parameter \"" + std::string(name) + "\""));
    return {};
}
MayText currentSettingQuiet(Scope& scope, Text name, bool) {
    return catalogOf(scope) == nullptr ? MayText() : stored(scope, catalogOf(scope)->setting(name));
}

// ---- Sizes.

Stored prettySize(Scope& scope, i64 bytes) {
    constexpr Text kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
    const i64 sign = bytes < 0 ? -1 : 1;
    i64 size = bytes * sign;
    size_t unit = 0;
    while (size >= 10 * 1024 && unit + 1 < std::size(kUnits)) {
        size = (size + 512) / 1024;
        ++unit;
    }
    scope.scratch = std::to_string(sign * size) + " " + std::string(kUnits[unit]);
    return {scope.scratch};
}
i64 relationSize(Scope& scope, i32 oid) {
    return catalogOf(scope) == nullptr ? 0 : catalogOf(scope)->storedBytes(u32(oid));
}
i64 databaseSize(Scope& scope, Text) {
    return relationSize(scope, 0);
}
/// All tables lie in the default one.
i64 tablespaceSize(Scope& scope, i32 oid) {
    return oid == kDefaultTablespace ? relationSize(scope, 0) : 0;
}
i64 databaseSizeByOid(Scope& scope, i32) {
    return relationSize(scope, 0);
}

class Table {
public:
    std::vector<Overload> rows;

    void add(Text name, VectorLoop loop, std::vector<K> parameters, K result,
             bool may_null = true) {
        rows.push_back({{.name = name,
                         .null_policy = may_null ? NullPolicy::kStrictMayNull : NullPolicy::kStrict,
                         .volatility = Volatility::kStable,
                         .can_fail = true,
                         .loop = loop},
                        std::move(parameters),
                        result});
    }
    void facts() {
        add("version", factLoop<version>, {}, K::kText, false);
        for (Text name : {"current_database", "current_catalog"})
            add(name, factLoop<currentDatabase>, {}, K::kName, false);
        for (Text name : {"current_user", "session_user", "user", "getusername"})
            add(name, factLoop<currentUser>, {}, K::kName, false);
        add("current_user_id", factLoop<currentUserId>, {}, K::kInteger, false);
        add("pg_backend_pid", factLoop<backendPid>, {}, K::kInteger, false);
        add("current_schema", factLoop<currentSchema>, {}, K::kName);
        add("current_schemas", rowLoop<currentSchemas>, {K::kBoolean}, K::kTextArray, false);
        for (Text name : {"pg_client_encoding", "getdatabaseencoding"})
            add(name, factLoop<clientEncoding>, {}, K::kName, false);
        add("db_collation", factLoop<databaseCollation>, {}, K::kText, false);
        add("current_namespace", factLoop<currentNamespace>, {}, K::kText, false);
        for (Text name : {"pg_last_query_id", "last_user_query_id", "pg_last_copy_id",
                          "pg_last_copy_count", "pg_last_unload_id", "pg_last_unload_count"})
            add(name, factLoop<noQuery>, {}, K::kBigInt, false);
        add("slice_num", factLoop<slice>, {}, K::kInteger, false);
        add("current_setting", rowLoop<currentSetting>, {K::kText}, K::kText);
        add("current_setting", rowLoop<currentSettingQuiet>, {K::kText, K::kBoolean}, K::kText);
    }
    void names() {
        rows.push_back({{.name = "format_type",
                         .null_policy = NullPolicy::kCalled,
                         .volatility = Volatility::kStable,
                         .loop = formatTypeLoop},
                        {K::kOid, K::kInteger},
                        K::kText});
        add("format_encoding", rowLoop<formatEncoding>, {K::kInteger}, K::kText, false);
        add("pg_encoding_to_char", rowLoop<encodingName>, {K::kInteger}, K::kName, false);
        add("pg_char_to_encoding", rowLoop<encodingNumber>, {K::kName}, K::kInteger, false);
        add("pg_tablespace_location", rowLoop<noLocation>, {K::kOid}, K::kText, false);
        add("oidvectortypes", rowLoop<vectorTypes>, {K::kOidVector}, K::kText, false);
        add("pg_get_userbyid", rowLoop<userById>, {K::kOid}, K::kName, false);
        add("pg_table_is_visible", rowLoop<tableVisible>, {K::kOid}, K::kBoolean);
        for (Text name :
             {"pg_collation_is_visible", "pg_conversion_is_visible", "pg_function_is_visible",
              "pg_opclass_is_visible", "pg_operator_is_visible", "pg_opfamily_is_visible",
              "pg_statistics_obj_is_visible", "pg_ts_config_is_visible", "pg_ts_dict_is_visible",
              "pg_ts_parser_is_visible", "pg_ts_template_is_visible", "pg_type_is_visible"})
            add(name, rowLoop<alwaysTrue>, {K::kOid}, K::kBoolean, false);
        add("pg_get_viewdef", rowLoop<viewDefinition>, {K::kOid}, K::kText);
        add("pg_get_viewdef", rowLoop<viewDefinitionPretty>, {K::kOid, K::kBoolean}, K::kText);
        add("pg_get_viewdef", rowLoop<viewDefinitionByName>, {K::kText}, K::kText);
        add("pg_get_viewdef", rowLoop<viewDefinitionByNamePretty>, {K::kText, K::kBoolean},
            K::kText);
        add("pg_get_constraintdef", rowLoop<constraintDefinition>, {K::kOid}, K::kText);
        add("pg_get_constraintdef", rowLoop<constraintDefinitionPretty>, {K::kOid, K::kBoolean},
            K::kText);
        add("pg_get_expr", rowLoop<expressionText>, {K::kText, K::kOid}, K::kText, false);
        add("pg_get_expr", rowLoop<expressionTextPretty>, {K::kText, K::kOid, K::kBoolean},
            K::kText, false);
        add("pg_get_indexdef", rowLoop<indexDefinition>, {K::kOid}, K::kText);
        add("pg_get_indexdef", rowLoop<indexColumn>, {K::kOid, K::kInteger, K::kBoolean}, K::kText);
        for (Text name : {"pg_get_ruledef", "pg_get_triggerdef"}) {
            add(name, rowLoop<noText>, {K::kOid}, K::kText);
            add(name, rowLoop<noTextPretty>, {K::kOid, K::kBoolean}, K::kText);
        }
        add("col_description", rowLoop<columnComment>, {K::kOid, K::kInteger}, K::kText);
        add("obj_description", rowLoop<objectComment>, {K::kOid}, K::kText);
        add("obj_description", rowLoop<objectCommentIn>, {K::kOid, K::kText}, K::kText);
        add("shobj_description", rowLoop<objectCommentIn>, {K::kOid, K::kText}, K::kText);
        add("pg_size_pretty", rowLoop<prettySize>, {K::kBigInt}, K::kText, false);
        for (Text name :
             {"pg_relation_size", "pg_table_size", "pg_total_relation_size", "pg_indexes_size"})
            add(name, rowLoop<relationSize>, {K::kRegclass}, K::kBigInt, false);
        add("pg_tablespace_size", rowLoop<tablespaceSize>, {K::kOid}, K::kBigInt, false);
        add("pg_database_size", rowLoop<databaseSize>, {K::kText}, K::kBigInt, false);
        add("pg_database_size", rowLoop<databaseSizeByOid>, {K::kOid}, K::kBigInt, false);
    }
    template <PrivilegeTarget target> void rights(Text name) {
        add(name, rowLoop<hasPrivilege<target>>, {K::kText, K::kText}, K::kBoolean, false);
        add(name, rowLoop<hasPrivilegeOn<target>>, {K::kOid, K::kText}, K::kBoolean);
        add(name, rowLoop<userHasPrivilege<target>>, {K::kText, K::kText, K::kText}, K::kBoolean,
            false);
    }
};

} // namespace

OverloadTable systemFunctions() {
    static const std::vector<Overload> kTable = [] {
        Table table;
        table.facts();
        table.names();
        table.rights<PrivilegeTarget::kDatabase>("has_database_privilege");
        table.rights<PrivilegeTarget::kSchema>("has_schema_privilege");
        table.rights<PrivilegeTarget::kTable>("has_table_privilege");
        table.rights<PrivilegeTarget::kFunction>("has_function_privilege");
        table.rights<PrivilegeTarget::kLanguage>("has_language_privilege");
        table.add("user_is_member_of", rowLoop<isMemberOf>, {K::kText, K::kText}, K::kBoolean,
                  false);
        table.add("role_is_member_of", rowLoop<isMemberOf>, {K::kText, K::kText}, K::kBoolean,
                  false);
        return std::move(table.rows);
    }();
    return kTable;
}

} // namespace blueshift::functions
