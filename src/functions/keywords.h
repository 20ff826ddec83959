// keywords.h: the reserved words of Redshift, which identifiers need quotes for.
//
// Place: QUOTE_IDENT and everything that prints names.
#pragma once

#include <span>
#include <string_view>

namespace blueshift::functions {

bool isReservedWord(std::string_view lower_case_word);
/// All of them, sorted.
std::span<const std::string_view> reservedWords();

} // namespace blueshift::functions
