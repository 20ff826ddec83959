// value.h: one SQL value with its type: constants of plans, parameters, statistics, rows of system
// views.
//
// Trivially destructible: text is borrowed (arena, literal or the owner that the context names).
#pragma once

#include <string_view>

#include "base/ints.h"
#include "types/sql_type.h"

namespace blueshift {

struct Value {
    SqlType type;
    bool is_null = true;
    /// Booleans, integers, decimals (scaled), dates, times, intervals, OIDs.
    i128 integer = 0;
    f64 floating = 0; // kReal, kDouble
    std::string_view text;

    static Value null(SqlType type) { return {.type = type}; }
    static Value ofBool(bool value) {
        return {.type = SqlType::boolean(), .is_null = false, .integer = value};
    }
    static Value ofInteger(i128 value, SqlType type) {
        return {.type = type, .is_null = false, .integer = value};
    }
    static Value ofBigInt(i64 value) { return ofInteger(value, SqlType::bigInt()); }
    static Value ofFloat(f64 value, SqlType type = SqlType::doublePrecision()) {
        return {.type = type, .is_null = false, .floating = value};
    }
    static Value ofText(std::string_view value, SqlType type = SqlType::text()) {
        return {.type = type, .is_null = false, .text = value};
    }

    PhysicalKind kind() const { return naturalKind(type); }
};

/// Total order of two values of the same physical family, neither NULL: -1, 0, 1.
int compareValues(const Value& a, const Value& b);
/// Equal types' kinds, null states and contents.
bool sameValue(const Value& a, const Value& b);

} // namespace blueshift
