// text_input.h: the one reader of values in text form: COPY, casts from text, typed literals.
//
// Place: parseInto is the bulk form, without allocation on success; parseValue (function.h) and the
// casts are built on it.
// Leading and trailing blanks do not count for numbers, booleans, dates and times.
// Errors: parseInto tells what went wrong by a code; describeInputError words it as PostgreSQL
// does.
#pragma once

#include "functions/function.h"

namespace blueshift::functions {

enum class InputError : u8 {
    kNone,
    kSyntax,         // 22P02, for dates and times 22007
    kOutOfRange,     // 22003
    kFieldRange,     // 22008: month 13, hour 25
    kTooLong,        // 22001
    kNotRepresented, // 42704 and kin: a name that the catalog does not know
};

struct InputOptions {
    bool date_order_mdy = true; // 03/04/2020 is the fourth of March
    std::string_view timezone = "UTC";
    i64 now = 0;                // microseconds since 2000-01-01 UTC, for 'now' and 'today'
    bool truncate_text = false; // explicit casts cut what is too long; assignment refuses
    const CatalogLookup* catalog = nullptr;

    static InputOptions of(const SessionFacts& session) {
        return {.date_order_mdy = session.date_order_mdy,
                .timezone = session.timezone,
                .now = session.statement_time,
                .catalog = session.catalog};
    }
};

/// Reads `text` as `type` and stores it at `slot`, a value of physical kind `kind`: the natural
/// kind of the type, or for the integer family any kind (kOutOfRange when it does not fit). Text
/// values are stored as views of `text` (the caller keeps the bytes alive).
InputError parseInto(std::string_view text, const SqlType& type, PhysicalKind kind, void* slot,
                     const InputOptions& options);

/// The error of a failed parseInto, with SQLSTATE; `text` is quoted, cut after 100 bytes.
/// Bytes that a text value of the type may have; the largest u32 without a limit.
u32 textLimit(const SqlType& type);

Error describeInputError(InputError error, std::string_view text, const SqlType& type);

// ---- The parts, for casts and for COPY with formats of its own.

InputError parseInteger(std::string_view text, i64 min, i64 max, i64& value);
/// Decimal digits with sign, point and exponent, rounded half away from zero to `scale`.
InputError parseDecimal(std::string_view text, int precision, int scale, i128& value);
InputError parseDouble(std::string_view text, f64& value);
InputError parseBoolean(std::string_view text, bool& value);
InputError parseDate(std::string_view text, const InputOptions& options, i32& days);
InputError parseTime(std::string_view text, const InputOptions& options, bool with_zone,
                     i64& micros);
InputError parseTimestamp(std::string_view text, const InputOptions& options, bool with_zone,
                          i64& micros);
/// `1 year 2 mons 3 days 04:05:06.7`, `1-2`, `P1Y2M3DT4H`; days count 24 hours.
InputError parseInterval(std::string_view text, i64& months, i64& micros);

} // namespace blueshift::functions
