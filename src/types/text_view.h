// text_view.h: a text value of 16 bytes: length, then up to 12 bytes inline, or 4 bytes of prefix
// and a pointer (the form of Umbra and Arrow's string view).
//
// The bytes it points to live as long as its batch. Unused inline bytes are zero, so that two
// inline values are equal exactly when their 16 bytes are.
// Comparison form: Redshift ignores trailing blanks in comparisons of CHAR and VARCHAR; compare,
// equal and hash below all do, and are the only meaning of those words in the tree.
#pragma once

#include <string>
#include <string_view>

#include "base/ints.h"
#include "kernels/text.h"

namespace blueshift {

using kernels::TextView;

inline std::string_view asStringView(const TextView& text) {
    return {text.data(), text.size()};
}
inline TextView makeTextView(std::string_view text) {
    return kernels::makeText(text.data(), u32(text.size()));
}

} // namespace blueshift
