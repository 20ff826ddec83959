// datetime_format.h: TO_CHAR and TO_DATE patterns of dates and times (YYYY, Mon, HH24, FM ...).
//
// Place: TO_CHAR, TO_DATE, TO_TIMESTAMP, and COPY with DATEFORMAT or TIMEFORMAT. A pattern is split
// once and used for many values. Text in double quotes stands for itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace blueshift::functions {

enum class FormatField : u8 {
    kText,
    kYear4,
    kYear3,
    kYear2,
    kYear1,
    kYearComma,
    kIsoYear4,
    kIsoYear3,
    kIsoYear2,
    kIsoYear1,
    kCentury,
    kQuarter,
    kMonthName,
    kMonthShort,
    kMonth,
    kMonthRoman,
    kWeekOfMonth,
    kWeekOfYear,
    kIsoWeek,
    kDayName,
    kDayShort,
    kDayOfYear,
    kIsoDayOfYear,
    kDay,
    kDayOfWeek,
    kIsoDayOfWeek,
    kJulian,
    kHour24,
    kHour12,
    kMinute,
    kSecond,
    kMillisecond,
    kMicrosecond,
    kSecondsOfDay,
    kMeridian,
    kMeridianDots,
    kEra,
    kEraDots,
    kZone,
    kOffset,
};

class DateTimeFormat {
public:
    explicit DateTimeFormat(std::string_view pattern);

    struct Instant {
        i32 days = 0;
        i64 time = 0;
        i64 offset_seconds = 0;
        std::string_view zone; // empty for types without one
    };
    void append(std::string& out, const Instant& instant) const;

    /// What a text says under the pattern; the message says what does not fit.
    struct Parsed {
        i64 local_micros = 0;
        std::optional<i64> offset_seconds;
    };
    /// `strict`: fields out of range are errors; otherwise they carry over (day 31 of June).
    bool parse(std::string_view text, bool strict, Parsed& parsed, std::string& message) const;

private:
    enum class Case : u8 { kUpper, kLower, kTitle };
    struct Item {
        FormatField field = FormatField::kText;
        Case letters = Case::kUpper;
        bool fill = true; // no FM
        char ordinal = 0; // 't' for th, 'T' for TH
        std::string text;
    };
    friend class DateTimeParser;
    void appendItem(std::string& out, const Item& item, const Instant& instant) const;
    std::vector<Item> items_;
};

} // namespace blueshift::functions
