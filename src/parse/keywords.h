// keywords.h: words of the grammar as small numbers, and how to find them.
//
// Place: used by the lexer for each unquoted word and by the printer to decide about quotes.
// Threads: constant tables only.
// Why so: one hash probe a word lets the parser compare numbers and switch on them.
#pragma once

#include <string_view>

#include "base/ints.h"

namespace blueshift::parse {

enum class Keyword : u16 {
    kNoKeyword,
#define BS_KEYWORD(word, name, reserved) k##name,
#include "parse/keyword_list.h"
#undef BS_KEYWORD
};

/// The keyword of a lower-case word, or kNoKeyword.
Keyword findKeyword(std::string_view lower_case_word);

/// The spelling in lower case; lives for ever.
std::string_view keywordText(Keyword keyword);

/// True if the word cannot be a name without quotes.
bool isReserved(Keyword keyword);

} // namespace blueshift::parse
