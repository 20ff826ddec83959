// sql_type.h: the types of SQL, how they are named, and how a value of each lies in memory.
//
// Place: used by every stage. A SqlType is a value of eight bytes; two are equal when kind,
// precision, scale and length are.
// Physical form: the integer families may lie in a *narrower* physical kind than their natural one
// (a BIGINT column whose values fit a byte is stored and scanned as kI8); see docs/design/types.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ints.h"

namespace blueshift {

enum class TypeKind : u8 {
    kUnknown, // untyped NULL, untyped string literal, untyped parameter
    kBoolean,
    kSmallInt,
    kInteger,
    kBigInt,
    kDecimal, // precision 1..38, scale 0..precision
    kReal,
    kDouble,
    kChar,        // length in bytes, blank padded on output
    kVarchar,     // length in bytes
    kText,        // varchar without a declared length (catalog, literals); comparable with kVarchar
    kDate,        // days since 2000-01-01
    kTime,        // microseconds since midnight
    kTimeTz,      // microseconds since midnight, UTC
    kTimestamp,   // microseconds since 2000-01-01 00:00
    kTimestampTz, // the same, UTC
    kIntervalMonths, // INTERVAL YEAR TO MONTH
    kIntervalMicros, // INTERVAL DAY TO SECOND
    kOid,            // object identifiers of the catalog
    kName,           // catalog names, at most 127 bytes
    kSystemChar,     // "char" of the catalog, one byte
    kRegclass,       // kOid that prints as a relation name
    kRegproc,        // text form of a function name
    kRegtype,        // kOid that prints as a type name
    kInt2Array,      // PostgreSQL array text, such as {1,2}; kInt2Vector prints 1 2
    kInt2Vector,
    kOidVector,
    kOidArray,
    kTextArray,
    kVoid,
};

/// How one value lies in memory. Booleans are kI8 with 0 or 1; dates kI32; times and timestamps
/// kI64; DECIMAL(<=18) kI64, wider kI128; everything textual kText.
enum class PhysicalKind : u8 { kI8, kI16, kI32, kI64, kI128, kF32, kF64, kText };

struct SqlType {
    TypeKind kind = TypeKind::kUnknown;
    u8 precision = 0; // kDecimal only
    u8 scale = 0;     // kDecimal only
    i32 length = 0;   // kChar, kVarchar: bytes

    constexpr bool operator==(const SqlType&) const = default;

    static constexpr SqlType unknown() { return {TypeKind::kUnknown}; }
    static constexpr SqlType boolean() { return {TypeKind::kBoolean}; }
    static constexpr SqlType smallInt() { return {TypeKind::kSmallInt}; }
    static constexpr SqlType integer() { return {TypeKind::kInteger}; }
    static constexpr SqlType bigInt() { return {TypeKind::kBigInt}; }
    static constexpr SqlType decimal(int precision, int scale) {
        return {TypeKind::kDecimal, u8(precision), u8(scale)};
    }
    static constexpr SqlType real() { return {TypeKind::kReal}; }
    static constexpr SqlType doublePrecision() { return {TypeKind::kDouble}; }
    static constexpr SqlType character(int length) { return {TypeKind::kChar, 0, 0, length}; }
    static constexpr SqlType varchar(int length) { return {TypeKind::kVarchar, 0, 0, length}; }
    static constexpr SqlType text() { return {TypeKind::kText}; }
    static constexpr SqlType date() { return {TypeKind::kDate}; }
    static constexpr SqlType timestamp() { return {TypeKind::kTimestamp}; }
    static constexpr SqlType timestampTz() { return {TypeKind::kTimestampTz}; }
    static constexpr SqlType of(TypeKind kind) { return {kind}; }
};

inline constexpr int kMaxVarcharBytes = 65535;
inline constexpr int kMaxDecimalPrecision = 38;

constexpr bool isInteger(TypeKind kind) {
    return kind == TypeKind::kSmallInt || kind == TypeKind::kInteger || kind == TypeKind::kBigInt;
}
constexpr bool isFloat(TypeKind kind) {
    return kind == TypeKind::kReal || kind == TypeKind::kDouble;
}
constexpr bool isNumeric(TypeKind kind) {
    return isInteger(kind) || isFloat(kind) || kind == TypeKind::kDecimal;
}
constexpr bool isString(TypeKind kind) {
    return kind == TypeKind::kChar || kind == TypeKind::kVarchar || kind == TypeKind::kText ||
           kind == TypeKind::kName;
}
/// Everything stored as a text value, also the catalog's arrays.
constexpr bool isTextual(TypeKind kind) {
    return isString(kind) || kind == TypeKind::kSystemChar || kind == TypeKind::kRegproc ||
           (kind >= TypeKind::kInt2Array && kind <= TypeKind::kTextArray) ||
           kind == TypeKind::kUnknown || kind == TypeKind::kVoid;
}
constexpr bool isDateTime(TypeKind kind) {
    return kind >= TypeKind::kDate && kind <= TypeKind::kTimestampTz;
}
constexpr bool isInterval(TypeKind kind) {
    return kind == TypeKind::kIntervalMonths || kind == TypeKind::kIntervalMicros;
}

/// The natural (widest) physical kind of a type; a proof may choose a narrower integer.
constexpr PhysicalKind naturalKind(const SqlType& type) {
    switch (type.kind) {
    case TypeKind::kBoolean: return PhysicalKind::kI8;
    case TypeKind::kSmallInt: return PhysicalKind::kI16;
    case TypeKind::kInteger:
    case TypeKind::kDate:
    case TypeKind::kIntervalMonths:
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype: return PhysicalKind::kI32;
    case TypeKind::kBigInt:
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kIntervalMicros: return PhysicalKind::kI64;
    case TypeKind::kDecimal: return type.precision <= 18 ? PhysicalKind::kI64 : PhysicalKind::kI128;
    case TypeKind::kReal: return PhysicalKind::kF32;
    case TypeKind::kDouble: return PhysicalKind::kF64;
    default: return PhysicalKind::kText;
    }
}

constexpr bool isIntegerKind(PhysicalKind kind) {
    return kind <= PhysicalKind::kI128;
}

/// Bytes of one value: 1, 2, 4, 8 or 16.
constexpr u32 widthOf(PhysicalKind kind) {
    constexpr u8 kWidths[] = {1, 2, 4, 8, 16, 4, 8, 16};
    return kWidths[u8(kind)];
}

/// The integer kind of `width` bytes (1, 2, 4, 8, 16).
constexpr PhysicalKind integerKindOfWidth(u32 width) {
    return width == 1   ? PhysicalKind::kI8
           : width == 2 ? PhysicalKind::kI16
           : width == 4 ? PhysicalKind::kI32
           : width == 8 ? PhysicalKind::kI64
                        : PhysicalKind::kI128;
}

std::string_view physicalKindName(PhysicalKind kind);

/// PostgreSQL's spelling: `character varying(25)`, `numeric(15,2)`, `timestamp without time zone`.
std::string formatType(const SqlType& type);
/// The pg_type name: int4, numeric, varchar, bpchar ...
std::string_view typeName(TypeKind kind);

/// Wire identity: pg_type.oid, typlen (-1 variable), and the type modifier (-1 none; VARCHAR n+4,
/// NUMERIC ((p << 16) | s) + 4).
i32 typeOid(TypeKind kind);
i32 typeWireLength(TypeKind kind);
i32 typeModifier(const SqlType& type);
/// The type of an OID and modifier as a client names them; nothing for OIDs we do not know.
std::optional<SqlType> typeFromOid(i32 oid, i32 modifier);

/// The type for a name as written in SQL (`int8`, `character varying`, `double precision`) and its
/// modifiers; Redshift's defaults (VARCHAR 256, CHAR 1, DECIMAL(18,0)). Throws SqlError 42704 for
/// unknown names and 22023 for modifiers out of range.
SqlType typeFromName(std::string_view name, const i64* modifiers, u32 modifier_count);

} // namespace blueshift
