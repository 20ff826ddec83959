#include "functions/datetime_words.h"

#include <iterator>

#include "functions/ascii.h"

namespace blueshift::functions {

namespace {

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kWeekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};

using Part = kernels::DatePart;
struct PartName {
    std::string_view name;
    Part part;
};
constexpr PartName kParts[] = {
    {"millennium", Part::kMillennium},
    {"millennia", Part::kMillennium},
    {"mil", Part::kMillennium},
    {"mils", Part::kMillennium},
    {"millenniums", Part::kMillennium},
    {"century", Part::kCentury},
    {"centuries", Part::kCentury},
    {"c", Part::kCentury},
    {"cent", Part::kCentury},
    {"cents", Part::kCentury},
    {"decade", Part::kDecade},
    {"decades", Part::kDecade},
    {"dec", Part::kDecade},
    {"decs", Part::kDecade},
    {"epoch", Part::kEpoch},
    {"year", Part::kYear},
    {"years", Part::kYear},
    {"y", Part::kYear},
    {"yr", Part::kYear},
    {"yrs", Part::kYear},
    {"yyyy", Part::kYear},
    {"yy", Part::kYear},
    {"quarter", Part::kQuarter},
    {"quarters", Part::kQuarter},
    {"qtr", Part::kQuarter},
    {"qtrs", Part::kQuarter},
    {"month", Part::kMonth},
    {"months", Part::kMonth},
    {"mon", Part::kMonth},
    {"mons", Part::kMonth},
    {"week", Part::kWeek},
    {"weeks", Part::kWeek},
    {"w", Part::kWeek},
    {"isoweek", Part::kWeek},
    {"day", Part::kDay},
    {"days", Part::kDay},
    {"d", Part::kDay},
    {"dayofweek", Part::kDayOfWeek},
    {"dow", Part::kDayOfWeek},
    {"dw", Part::kDayOfWeek},
    {"weekday", Part::kDayOfWeek},
    {"isodow", Part::kIsoDayOfWeek},
    {"dayofyear", Part::kDayOfYear},
    {"doy", Part::kDayOfYear},
    {"dy", Part::kDayOfYear},
    {"yearday", Part::kDayOfYear},
    {"hour", Part::kHour},
    {"hours", Part::kHour},
    {"h", Part::kHour},
    {"hr", Part::kHour},
    {"hrs", Part::kHour},
    {"minute", Part::kMinute},
    {"minutes", Part::kMinute},
    {"m", Part::kMinute},
    {"min", Part::kMinute},
    {"mins", Part::kMinute},
    {"second", Part::kSecond},
    {"seconds", Part::kSecond},
    {"s", Part::kSecond},
    {"sec", Part::kSecond},
    {"secs", Part::kSecond},
    {"millisecond", Part::kMillisecond},
    {"milliseconds", Part::kMillisecond},
    {"ms", Part::kMillisecond},
    {"msec", Part::kMillisecond},
    {"msecs", Part::kMillisecond},
    {"msecond", Part::kMillisecond},
    {"mseconds", Part::kMillisecond},
    {"millisec", Part::kMillisecond},
    {"millisecs", Part::kMillisecond},
    {"millisecon", Part::kMillisecond},
    {"microsecond", Part::kMicrosecond},
    {"microseconds", Part::kMicrosecond},
    {"us", Part::kMicrosecond},
    {"usec", Part::kMicrosecond},
    {"usecs", Part::kMicrosecond},
    {"usecond", Part::kMicrosecond},
    {"useconds", Part::kMicrosecond},
    {"microsec", Part::kMicrosecond},
    {"microsecs", Part::kMicrosecond},
    {"microsecond", Part::kMicrosecond},
    {"isoyear", Part::kIsoYear},
    {"julian", Part::kJulian},
    {"j", Part::kJulian},
    {"timezone", Part::kTimezone},
    {"timezone_hour", Part::kTimezoneHour},
    {"timezone_minute", Part::kTimezoneMinute},
};

} // namespace

int monthFromName(std::string_view word) {
    if (word == "sept") return 9;
    for (int i = 0; i < 12; ++i)
        if (equalNoCase(word, kMonths[i]) || equalNoCase(word, kMonths[i].substr(0, 3)))
            return i + 1;
    return 0;
}

int weekdayFromName(std::string_view word) {
    if (word == "tues") return 2;
    if (word == "wednes" || word == "weds") return 3;
    if (word == "thur" || word == "thurs") return 4;
    for (int i = 0; i < 7; ++i)
        if (equalNoCase(word, kWeekdays[i]) || equalNoCase(word, kWeekdays[i].substr(0, 3)))
            return i;
    return -1;
}

std::string_view monthName(int month) {
    return kMonths[month - 1];
}
std::string_view weekdayName(int day) {
    return kWeekdays[day];
}

std::optional<kernels::DatePart> datePartFromName(std::string_view word) {
    for (const PartName& entry : kParts)
        if (equalNoCase(entry.name, word)) return entry.part;
    return {};
}

} // namespace blueshift::functions
