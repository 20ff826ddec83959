// binary_format.h: PostgreSQL's binary forms of values, both ways.
//
// Big-endian numbers; dates in days and times in microseconds since 2000-01-01, which is how
// blueshift keeps them; NUMERIC in groups of four decimal digits.
// Errors: 22P03 for bytes that are no value of the type, 22003 for numbers that do not fit it,
// 0A000 for parameters without a binary form here.
#pragma once

#include <string>
#include <string_view>

#include "base/ints.h"
#include "types/sql_type.h"
#include "types/value.h"

namespace blueshift::session {

/// Appends digits and weight of `unscaled` / 10^scale, without the field's length.
void appendNumeric(std::string& out, i128 unscaled, u32 scale);
/// A NUMERIC rescaled to `type`, rounded half away from zero.
i128 readNumeric(std::string_view bytes, const SqlType& type);

/// A parameter; text is borrowed from `bytes`. Arrays and regproc are read as text only (0A000).
Value readBinaryValue(std::string_view bytes, const SqlType& type);

} // namespace blueshift::session
