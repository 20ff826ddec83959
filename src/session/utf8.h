// utf8.h: is a client's text well-formed UTF-8?
//
// Statements and text parameters are checked once at the door, so that no stage behind it meets a
// torn character.
#pragma once

#include <string_view>

#include "base/ints.h"

namespace blueshift::session {

/// The offset of the first byte that does not belong, or npos.
size_t findInvalidUtf8(std::string_view text);
/// Throws 22021 naming the byte.
void requireUtf8(std::string_view text);

} // namespace blueshift::session
