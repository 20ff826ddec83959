#include "types/sql_type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/error.h"
#include "base/nearest_name.h"

namespace blueshift {

namespace {

struct TypeRow {
    TypeKind kind;
    i32 oid;
    i32 wire_length;
    std::string_view name;      // pg_type.typname
    std::string_view formatted; // format_type's spelling, without modifiers
};

constexpr TypeRow kTypes[] = {
    {TypeKind::kUnknown, 705, -2, "unknown", "unknown"},
    {TypeKind::kBoolean, 16, 1, "bool", "boolean"},
    {TypeKind::kSmallInt, 21, 2, "int2", "smallint"},
    {TypeKind::kInteger, 23, 4, "int4", "integer"},
    {TypeKind::kBigInt, 20, 8, "int8", "bigint"},
    {TypeKind::kDecimal, 1700, -1, "numeric", "numeric"},
    {TypeKind::kReal, 700, 4, "float4", "real"},
    {TypeKind::kDouble, 701, 8, "float8", "double precision"},
    {TypeKind::kChar, 1042, -1, "bpchar", "character"},
    {TypeKind::kVarchar, 1043, -1, "varchar", "character varying"},
    {TypeKind::kText, 25, -1, "text", "text"},
    {TypeKind::kDate, 1082, 4, "date", "date"},
    {TypeKind::kTime, 1083, 8, "time", "time without time zone"},
    {TypeKind::kTimeTz, 1266, 12, "timetz", "time with time zone"},
    {TypeKind::kTimestamp, 1114, 8, "timestamp", "timestamp without time zone"},
    {TypeKind::kTimestampTz, 1184, 8, "timestamptz", "timestamp with time zone"},
    {TypeKind::kIntervalMonths, 1188, 4, "intervaly2m", "interval year to month"},
    {TypeKind::kIntervalMicros, 1190, 8, "intervald2s", "interval day to second"},
    {TypeKind::kOid, 26, 4, "oid", "oid"},
    {TypeKind::kName, 19, 128, "name", "name"},
    {TypeKind::kSystemChar, 18, 1, "char", "\"char\""},
    {TypeKind::kRegclass, 2205, 4, "regclass", "regclass"},
    {TypeKind::kRegproc, 24, 4, "regproc", "regproc"},
    {TypeKind::kRegtype, 2206, 4, "regtype", "regtype"},
    {TypeKind::kInt2Array, 1005, -1, "_int2", "smallint[]"},
    {TypeKind::kInt2Vector, 22, -1, "int2vector", "int2vector"},
    {TypeKind::kOidVector, 30, -1, "oidvector", "oidvector"},
    {TypeKind::kOidArray, 1028, -1, "_oid", "oid[]"},
    {TypeKind::kTextArray, 1009, -1, "_text", "text[]"},
    {TypeKind::kVoid, 2278, 4, "void", "void"},
};

constexpr const TypeRow& rowOf(TypeKind kind) {
    return kTypes[u8(kind)];
}
static_assert([] {
    for (u8 i = 0; i < std::size(kTypes); ++i)
        if (u8(kTypes[i].kind) != i) return false;
    return u8(TypeKind::kVoid) + 1 == std::size(kTypes);
}());

struct Alias {
    std::string_view name;
    TypeKind kind;
};
constexpr Alias kAliases[] = {
    {"bool", TypeKind::kBoolean},
    {"boolean", TypeKind::kBoolean},
    {"smallint", TypeKind::kSmallInt},
    {"int2", TypeKind::kSmallInt},
    {"integer", TypeKind::kInteger},
    {"int", TypeKind::kInteger},
    {"int4", TypeKind::kInteger},
    {"bigint", TypeKind::kBigInt},
    {"int8", TypeKind::kBigInt},
    {"decimal", TypeKind::kDecimal},
    {"numeric", TypeKind::kDecimal},
    {"dec", TypeKind::kDecimal},
    {"real", TypeKind::kReal},
    {"float4", TypeKind::kReal},
    {"double precision", TypeKind::kDouble},
    {"double", TypeKind::kDouble},
    {"float8", TypeKind::kDouble},
    {"float", TypeKind::kDouble},
    {"char", TypeKind::kChar},
    {"character", TypeKind::kChar},
    {"nchar", TypeKind::kChar},
    {"national char", TypeKind::kChar},
    {"national character", TypeKind::kChar},
    {"bpchar", TypeKind::kChar},
    {"varchar", TypeKind::kVarchar},
    {"character varying", TypeKind::kVarchar},
    {"char varying", TypeKind::kVarchar},
    {"nvarchar", TypeKind::kVarchar},
    {"national character varying", TypeKind::kVarchar},
    {"national char varying", TypeKind::kVarchar},
    {"nchar varying", TypeKind::kVarchar},
    {"text", TypeKind::kText},
    {"date", TypeKind::kDate},
    {"time", TypeKind::kTime},
    {"time without time zone", TypeKind::kTime},
    {"timetz", TypeKind::kTimeTz},
    {"time with time zone", TypeKind::kTimeTz},
    {"timestamp", TypeKind::kTimestamp},
    {"timestamp without time zone", TypeKind::kTimestamp},
    {"datetime", TypeKind::kTimestamp},
    {"timestamptz", TypeKind::kTimestampTz},
    {"timestamp with time zone", TypeKind::kTimestampTz},
    {"interval year to month", TypeKind::kIntervalMonths},
    {"interval year", TypeKind::kIntervalMonths},
    {"interval month", TypeKind::kIntervalMonths},
    {"intervaly2m", TypeKind::kIntervalMonths},
    {"interval", TypeKind::kIntervalMicros},
    {"interval day to second", TypeKind::kIntervalMicros},
    {"interval day", TypeKind::kIntervalMicros},
    {"interval hour", TypeKind::kIntervalMicros},
    {"interval minute", TypeKind::kIntervalMicros},
    {"interval second", TypeKind::kIntervalMicros},
    {"interval day to hour", TypeKind::kIntervalMicros},
    {"interval day to minute", TypeKind::kIntervalMicros},
    {"interval hour to minute", TypeKind::kIntervalMicros},
    {"interval hour to second", TypeKind::kIntervalMicros},
    {"interval minute to second", TypeKind::kIntervalMicros},
    {"intervald2s", TypeKind::kIntervalMicros},
    {"oid", TypeKind::kOid},
    {"name", TypeKind::kName},
    {"\"char\"", TypeKind::kSystemChar},
    {"regclass", TypeKind::kRegclass},
    {"regproc", TypeKind::kRegproc},
    {"regprocedure", TypeKind::kRegproc},
    {"regoperator", TypeKind::kRegproc},
    {"regtype", TypeKind::kRegtype},
    {"int2vector", TypeKind::kInt2Vector},
    {"oidvector", TypeKind::kOidVector},
    {"_int2", TypeKind::kInt2Array},
    {"smallint[]", TypeKind::kInt2Array},
    {"int2[]", TypeKind::kInt2Array},
    {"_oid", TypeKind::kOidArray},
    {"oid[]", TypeKind::kOidArray},
    {"_text", TypeKind::kTextArray},
    {"text[]", TypeKind::kTextArray},
    {"varchar[]", TypeKind::kTextArray},
    {"name[]", TypeKind::kTextArray},
    {"unknown", TypeKind::kUnknown},
    {"void", TypeKind::kVoid},
    {"cstring", TypeKind::kText},
    {"xid", TypeKind::kOid},
    {"refcursor", TypeKind::kText},
    {"sql_identifier", TypeKind::kName},
    {"character_data", TypeKind::kText},
    {"cardinal_number", TypeKind::kInteger},
    {"aclitem", TypeKind::kText},
};

[[noreturn]] void failModifier(std::string message, std::string hint) {
    throw SqlError(
        Error(sqlstate::kInvalidParameterValue, std::move(message)).withHint(std::move(hint)));
}

SqlType decimalFromModifiers(const i64* modifiers, u32 count) {
    if (count > 2)
        failModifier("invalid NUMERIC type modifier", "Write NUMERIC(precision, scale).");
    const i64 precision = count > 0 ? modifiers[0] : 18;
    const i64 scale = count > 1 ? modifiers[1] : 0;
    if (precision < 1 || precision > kMaxDecimalPrecision)
        failModifier("NUMERIC precision " + std::to_string(precision) + " must be between 1 and 38",
                     "Use a precision of at most 38 digits.");
    if (scale < 0 || scale > precision)
        failModifier("NUMERIC scale " + std::to_string(scale) +
                         " must be between 0 and precision " + std::to_string(precision),
                     "Use a scale that is not greater than the precision.");
    return SqlType::decimal(int(precision), int(scale));
}

SqlType stringFromModifiers(TypeKind kind, std::string_view name, const i64* modifiers, u32 count) {
    const bool is_char = kind == TypeKind::kChar;
    const i64 limit = is_char ? 4096 : kMaxVarcharBytes;
    if (count == 0) return {kind, 0, 0, is_char && name != "bpchar" ? 1 : 256};
    // -1 stands for MAX.
    const i64 length = modifiers[0] == -1 ? limit : modifiers[0];
    if (count > 1 || length < 1)
        failModifier("length for type " + std::string(name) + " must be at least 1",
                     "Give a length in bytes.");
    if (length > limit)
        failModifier(
            "length for type " + std::string(name) + " cannot exceed " + std::to_string(limit),
            is_char ? "Use VARCHAR for longer text." : "Use VARCHAR(MAX) for 65535 bytes.");
    return {kind, 0, 0, i32(length)};
}

std::string normalizedName(std::string_view name) {
    std::string result;
    for (char c : name) {
        if (std::isspace(u8(c))) {
            if (!result.empty() && result.back() != ' ') result += ' ';
        } else {
            result += char(std::tolower(u8(c)));
        }
    }
    while (!result.empty() && result.back() == ' ') result.pop_back();
    if (result.starts_with("pg_catalog.")) result.erase(0, 11);
    return result;
}

} // namespace

std::string_view physicalKindName(PhysicalKind kind) {
    constexpr std::string_view kNames[] = {"i8", "i16", "i32", "i64", "i128", "f32", "f64", "text"};
    return kNames[u8(kind)];
}

std::string formatType(const SqlType& type) {
    std::string text(rowOf(type.kind).formatted);
    switch (type.kind) {
    case TypeKind::kDecimal:
        return text + "(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case TypeKind::kChar:
    case TypeKind::kVarchar:
        return type.length > 0 ? text + "(" + std::to_string(type.length) + ")" : text;
    default: return text;
    }
}

std::string_view typeName(TypeKind kind) {
    return rowOf(kind).name;
}
i32 typeOid(TypeKind kind) {
    return rowOf(kind).oid;
}
i32 typeWireLength(TypeKind kind) {
    return rowOf(kind).wire_length;
}

i32 typeModifier(const SqlType& type) {
    switch (type.kind) {
    case TypeKind::kDecimal:
        return type.precision == 0 ? -1 : ((i32(type.precision) << 16) | type.scale) + 4;
    case TypeKind::kChar:
    case TypeKind::kVarchar: return type.length > 0 ? type.length + 4 : -1;
    default: return -1;
    }
}

std::optional<SqlType> typeFromOid(i32 oid, i32 modifier) {
    for (const TypeRow& row : kTypes) {
        if (row.oid != oid) continue;
        SqlType type = SqlType::of(row.kind);
        if (row.kind == TypeKind::kDecimal) {
            if (modifier < 4) return SqlType::decimal(38, 10);
            const i32 precision = (modifier - 4) >> 16;
            const i32 scale = (modifier - 4) & 0xFFFF;
            if (precision < 1 || precision > kMaxDecimalPrecision || scale > precision) return {};
            return SqlType::decimal(precision, scale);
        }
        if (row.kind == TypeKind::kChar || row.kind == TypeKind::kVarchar) {
            if (modifier < 5) type.length = row.kind == TypeKind::kChar ? 4096 : kMaxVarcharBytes;
            else type.length = modifier - 4;
        }
        return type;
    }
    return {};
}

SqlType typeFromName(std::string_view name, const i64* modifiers, u32 modifier_count) {
    const std::string key = normalizedName(name);
    const auto* found = std::find_if(std::begin(kAliases), std::end(kAliases),
                                     [&](const Alias& alias) { return alias.name == key; });
    if (found == std::end(kAliases)) {
        std::vector<std::string_view> names;
        for (const Alias& alias : kAliases) names.push_back(alias.name);
        const std::string nearest = nearestName(key, names);
        throw SqlError(
            Error(sqlstate::kUndefinedObject, "type \"" + std::string(name) + "\" does not exist")
                .withHint(nearest.empty()
                              ? "Use a Redshift type such as INTEGER, VARCHAR(n) or TIMESTAMP."
                              : "Perhaps you meant \"" + nearest + "\"."));
    }
    switch (found->kind) {
    case TypeKind::kDecimal: return decimalFromModifiers(modifiers, modifier_count);
    case TypeKind::kChar:
    case TypeKind::kVarchar:
        return stringFromModifiers(found->kind, key, modifiers, modifier_count);
    case TypeKind::kDouble:
        if (key == "float" && modifier_count == 1) {
            if (modifiers[0] < 1 || modifiers[0] > 53)
                failModifier("precision for type float must be between 1 and 53 bits",
                             "Use FLOAT8.");
            return modifiers[0] <= 24 ? SqlType::real() : SqlType::doublePrecision();
        }
        break;
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kIntervalMonths:
    case TypeKind::kIntervalMicros:
        // A precision of fractional seconds is read; values always keep microseconds.
        if (modifier_count <= 1) return SqlType::of(found->kind);
        break;
    default: break;
    }
    if (modifier_count > 0)
        failModifier("type modifier is not allowed for type \"" + std::string(name) + "\"",
                     "Leave the parentheses out.");
    return SqlType::of(found->kind);
}

} // namespace blueshift
