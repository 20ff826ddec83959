// case_fold.h: lower case for comparisons without regard to case.
//
// Place: ILIKE and regular expressions. ASCII is mapped directly, other text by ICU's root locale.
#pragma once

#include <string>
#include <string_view>

namespace blueshift::functions {

std::string foldCase(std::string_view text);

} // namespace blueshift::functions
