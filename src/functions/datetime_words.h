// datetime_words.h: the words of dates: months, days of the week, dateparts and their synonyms.
//
// Place: input, TO_CHAR, DATEADD and its kin. Words are given in lower case.
#pragma once

#include <optional>
#include <string_view>

#include "base/ints.h"
#include "kernels/datetime.h"

namespace blueshift::functions {

/// 1 to 12 for `jan`, `january`; 0 for other words.
int monthFromName(std::string_view word);
/// 0 (Sunday) to 6 for `tue`, `tues`, `tuesday`; -1 for other words.
int weekdayFromName(std::string_view word);
std::string_view monthName(int month); // January
std::string_view weekdayName(int day); // Sunday is 0
std::optional<kernels::DatePart> datePartFromName(std::string_view word);

} // namespace blueshift::functions
