// keywords.h: the reserved words of Redshift, which identifiers need quotes for.
//
// Place: QUOTE_IDENT and everything that prints names.
#pragma once

#include <string_view>

namespace blueshift::functions {

bool isReservedWord(std::string_view lower_case_word);

}  // namespace blueshift::functions
