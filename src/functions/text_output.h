// text_output.h: the text forms of values, piece by piece.
//
// Place: behind appendText and valueText (function.h), casts to text and TO_CHAR.
#pragma once

#include <string>

#include "functions/function.h"
#include "functions/time_zone.h"

namespace blueshift::functions {

void appendInteger(std::string& out, i64 value);
/// A scaled integer with exactly `scale` digits behind the point.
void appendDecimal(std::string& out, i128 value, int scale);
/// Shortest digits that read back the same; exponents as PostgreSQL prints them.
void appendDouble(std::string& out, f64 value);
void appendReal(std::string& out, f32 value);
void appendDate(std::string& out, i32 days);
void appendTime(std::string& out, i64 micros);
void appendTimestamp(std::string& out, i64 micros);
/// Local time of the zone and its offset, such as +00 or +05:30.
void appendTimestampTz(std::string& out, i64 micros, const TimeZone& zone);
void appendIntervalMonths(std::string& out, i64 months);
void appendIntervalMicros(std::string& out, i64 micros);
TimeZone sessionTimeZone(const SessionFacts& session);
/// `name`, or `schema.name` for a relation outside the search path; quoted where needed.
std::string quoteIdentifier(std::string_view name);

} // namespace blueshift::functions
