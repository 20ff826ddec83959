#include "functions/datetime_format.h"

#include <algorithm>

#include "functions/ascii.h"
#include "functions/datetime_words.h"
#include "kernels/datetime.h"

namespace blueshift::functions {

namespace {

using namespace kernels;
using F = FormatField;

struct Keyword {
    std::string_view name; // upper case
    F field;
};
/// Longer words before their prefixes.
constexpr Keyword kKeywords[] = {
    {"Y,YYY", F::kYearComma},
    {"YYYY", F::kYear4},
    {"YYY", F::kYear3},
    {"YY", F::kYear2},
    {"Y", F::kYear1},
    {"IYYY", F::kIsoYear4},
    {"IYY", F::kIsoYear3},
    {"IY", F::kIsoYear2},
    {"IDDD", F::kIsoDayOfYear},
    {"ID", F::kIsoDayOfWeek},
    {"IW", F::kIsoWeek},
    {"I", F::kIsoYear1},
    {"CC", F::kCentury},
    {"Q", F::kQuarter},
    {"MONTH", F::kMonthName},
    {"MON", F::kMonthShort},
    {"MM", F::kMonth},
    {"MI", F::kMinute},
    {"MS", F::kMillisecond},
    {"RM", F::kMonthRoman},
    {"WW", F::kWeekOfYear},
    {"W", F::kWeekOfMonth},
    {"DAY", F::kDayName},
    {"DY", F::kDayShort},
    {"DDD", F::kDayOfYear},
    {"DD", F::kDay},
    {"D", F::kDayOfWeek},
    {"J", F::kJulian},
    {"HH24", F::kHour24},
    {"HH12", F::kHour12},
    {"HH", F::kHour12},
    {"SSSSS", F::kSecondsOfDay},
    {"SSSS", F::kSecondsOfDay},
    {"SS", F::kSecond},
    {"US", F::kMicrosecond},
    {"A.M.", F::kMeridianDots},
    {"P.M.", F::kMeridianDots},
    {"AM", F::kMeridian},
    {"PM", F::kMeridian},
    {"B.C.", F::kEraDots},
    {"A.D.", F::kEraDots},
    {"BC", F::kEra},
    {"AD", F::kEra},
    {"TZ", F::kZone},
    {"OF", F::kOffset},
};
constexpr std::string_view kRoman[] = {"I",   "II",   "III", "IV", "V",  "VI",
                                       "VII", "VIII", "IX",  "X",  "XI", "XII"};

std::string_view ordinalOf(i64 value) {
    const i64 two = value % 100;
    if (two >= 11 && two <= 13) return "TH";
    switch (value % 10) {
    case 1: return "ST";
    case 2: return "ND";
    case 3: return "RD";
    default: return "TH";
    }
}

i32 isoDayOfYear(i32 days) {
    return days - truncateDate(DatePart::kIsoYear, days) + 1;
}

} // namespace

DateTimeFormat::DateTimeFormat(std::string_view pattern) {
    const auto addText = [&](char c) {
        if (items_.empty() || items_.back().field != F::kText) items_.push_back({});
        items_.back().text += c;
    };
    bool fill = true;
    for (size_t at = 0; at < pattern.size();) {
        if (pattern[at] == '"') {
            for (++at; at < pattern.size() && pattern[at] != '"'; ++at) addText(pattern[at]);
            ++at;
            continue;
        }
        const std::string_view rest = pattern.substr(at);
        if (rest.size() >= 2 && equalNoCase(rest.substr(0, 2), "FM")) {
            fill = false;
            at += 2;
            continue;
        }
        if (rest.size() >= 2 &&
            (equalNoCase(rest.substr(0, 2), "FX") || equalNoCase(rest.substr(0, 2), "TM"))) {
            at += 2;
            continue;
        }
        const auto* found =
            std::find_if(std::begin(kKeywords), std::end(kKeywords), [&](const Keyword& keyword) {
                return rest.size() >= keyword.name.size() &&
                       equalNoCase(rest.substr(0, keyword.name.size()), keyword.name);
            });
        if (found == std::end(kKeywords)) {
            addText(pattern[at++]);
            continue;
        }
        Item item{.field = found->field, .fill = fill};
        const char first = rest[0];
        const char second = rest.size() > 1 ? rest[1] : 0;
        item.letters = isAsciiLower(first)    ? Case::kLower
                       : isAsciiLower(second) ? Case::kTitle
                                              : Case::kUpper;
        at += found->name.size();
        fill = true;
        const std::string_view suffix = pattern.substr(at, 2);
        if (suffix == "TH" || suffix == "th") {
            item.ordinal = suffix[0];
            at += 2;
        }
        items_.push_back(std::move(item));
    }
}

void DateTimeFormat::appendItem(std::string& out, const Item& item, const Instant& instant) const {
    const Civil civil = civilFromDays(instant.days);
    const i32 year = civil.year > 0 ? civil.year : 1 - civil.year;
    const i32 iso = isoYear(instant.days);
    const i32 iso_year = iso > 0 ? iso : 1 - iso;
    const auto number = [&](i64 value, int width) {
        const std::string digits = std::to_string(value < 0 ? -value : value);
        if (value < 0) out += '-';
        if (item.fill && int(digits.size()) < width) out.append(size_t(width) - digits.size(), '0');
        out += digits;
        if (item.ordinal != 0)
            out +=
                item.ordinal == 't' ? asciiLower(ordinalOf(value)) : std::string(ordinalOf(value));
    };
    const auto word = [&](std::string_view text, int width) {
        std::string shown(text);
        if (item.letters == Case::kLower) shown = asciiLower(text);
        else if (item.letters == Case::kUpper)
            for (char& c : shown) c = asciiUpper(c);
        if (item.fill && int(shown.size()) < width) shown.append(size_t(width) - shown.size(), ' ');
        out += shown;
    };
    const i64 hour = instant.time / kMicrosPerHour;
    switch (item.field) {
    case F::kText: out += item.text; break;
    case F::kYear4: number(year, 4); break;
    case F::kYear3: number(year % 1000, 3); break;
    case F::kYear2: number(year % 100, 2); break;
    case F::kYear1: number(year % 10, 1); break;
    case F::kYearComma:
        out += std::to_string(year / 1000) + ",";
        out += std::to_string(1000 + year % 1000).substr(1);
        break;
    case F::kIsoYear4: number(iso_year, 4); break;
    case F::kIsoYear3: number(iso_year % 1000, 3); break;
    case F::kIsoYear2: number(iso_year % 100, 2); break;
    case F::kIsoYear1: number(iso_year % 10, 1); break;
    case F::kCentury: number(spanOfYear(civil.year, 100), 2); break;
    case F::kQuarter: number((civil.month - 1) / 3 + 1, 1); break;
    case F::kMonthName: word(monthName(civil.month), 9); break;
    case F::kMonthShort: word(monthName(civil.month).substr(0, 3), 3); break;
    case F::kMonth: number(civil.month, 2); break;
    case F::kMonthRoman: word(kRoman[civil.month - 1], 4); break;
    case F::kWeekOfMonth: number((civil.day - 1) / 7 + 1, 1); break;
    case F::kWeekOfYear: number((dayOfYear(instant.days) - 1) / 7 + 1, 2); break;
    case F::kIsoWeek: number(isoWeek(instant.days), 2); break;
    case F::kDayName: word(weekdayName(dayOfWeek(instant.days)), 9); break;
    case F::kDayShort: word(weekdayName(dayOfWeek(instant.days)).substr(0, 3), 3); break;
    case F::kDayOfYear: number(dayOfYear(instant.days), 3); break;
    case F::kIsoDayOfYear: number(isoDayOfYear(instant.days), 3); break;
    case F::kDay: number(civil.day, 2); break;
    case F::kDayOfWeek: number(dayOfWeek(instant.days) + 1, 1); break;
    case F::kIsoDayOfWeek: number(isoDayOfWeek(instant.days), 1); break;
    case F::kJulian: number(i64(instant.days) + kJulianEpochDays, 1); break;
    case F::kHour24: number(hour, 2); break;
    case F::kHour12: number(hour % 12 == 0 ? 12 : hour % 12, 2); break;
    case F::kMinute: number(instant.time / kMicrosPerMinute % 60, 2); break;
    case F::kSecond: number(instant.time / kMicrosPerSecond % 60, 2); break;
    case F::kMillisecond: number(instant.time / 1000 % 1000, 3); break;
    case F::kMicrosecond: number(instant.time % kMicrosPerSecond, 6); break;
    case F::kSecondsOfDay: number(instant.time / kMicrosPerSecond, 1); break;
    case F::kMeridian: word(hour >= 12 ? "PM" : "AM", 2); break;
    case F::kMeridianDots: word(hour >= 12 ? "P.M." : "A.M.", 4); break;
    case F::kEra: word(civil.year > 0 ? "AD" : "BC", 2); break;
    case F::kEraDots: word(civil.year > 0 ? "A.D." : "B.C.", 4); break;
    case F::kZone: word(instant.zone, 0); break;
    case F::kOffset: {
        const i64 size =
            instant.offset_seconds < 0 ? -instant.offset_seconds : instant.offset_seconds;
        out += instant.offset_seconds < 0 ? '-' : '+';
        out += std::to_string(100 + size / 3600).substr(1);
        if (size % 3600 != 0) out += ":" + std::to_string(100 + size / 60 % 60).substr(1);
        break;
    }
    }
}

void DateTimeFormat::append(std::string& out, const Instant& instant) const {
    for (const Item& item : items_) appendItem(out, item, instant);
}

/// Reads one text along the items of a pattern.
class DateTimeParser {
public:
    DateTimeParser(std::string_view text, bool strict) : text_(text), strict_(strict) {}

    bool read(const std::vector<DateTimeFormat::Item>& items, DateTimeFormat::Parsed& parsed) {
        for (size_t i = 0; i < items.size(); ++i)
            if (!readItem(items[i], i + 1 < items.size() ? &items[i + 1] : nullptr)) return false;
        return finish(parsed);
    }
    std::string message;

private:
    using Item = DateTimeFormat::Item;

    bool fail(std::string text) {
        message = std::move(text);
        return false;
    }

    bool readItem(const Item& item, const Item* next) {
        if (item.field == F::kText) {
            skipText(item.text);
            return true;
        }
        skipBlanks();
        // A number may run as long as it likes unless another number follows at once.
        const bool packed = next != nullptr && next->field != F::kText &&
                            next->field != F::kMonthName && next->field != F::kMonthShort &&
                            next->field != F::kMeridian;
        switch (item.field) {
        case F::kMonthName:
        case F::kMonthShort: return readMonth(item.field == F::kMonthShort);
        case F::kDayName:
        case F::kDayShort: return readLetters("a day of the week");
        case F::kMonthRoman: return readRoman();
        case F::kMeridian:
        case F::kMeridianDots: return readMeridian();
        case F::kEra:
        case F::kEraDots: return readEra();
        case F::kZone:
            while (at_ < text_.size() && !isBlank(text_[at_])) ++at_;
            return true;
        case F::kOffset: return readOffset();
        case F::kMillisecond:
        case F::kMicrosecond: return readFraction(item.field == F::kMillisecond ? 3 : 6);
        default: return readNumberField(item, packed);
        }
    }

    void skipBlanks() {
        while (at_ < text_.size() && isBlank(text_[at_])) ++at_;
    }
    /// Literal text of the pattern stands for as many characters that are neither letter nor digit.
    void skipText(std::string_view pattern) {
        for (char expected : pattern) {
            if (at_ >= text_.size()) return;
            const char c = text_[at_];
            if (isBlank(expected)) {
                skipBlanks();
                continue;
            }
            const bool counts = isAsciiLetter(c) || isAsciiDigit(c);
            if (c == expected || !counts) {
                if (c == '-' && expected != '-' && at_ + 1 < text_.size() && expected == ' ')
                    continue;
                ++at_;
            }
        }
    }

    static int widthOf(F field) {
        switch (field) {
        case F::kYear4:
        case F::kIsoYear4: return 4;
        case F::kYear3:
        case F::kIsoYear3:
        case F::kDayOfYear:
        case F::kIsoDayOfYear: return 3;
        case F::kYear1:
        case F::kIsoYear1:
        case F::kQuarter:
        case F::kDayOfWeek:
        case F::kIsoDayOfWeek:
        case F::kWeekOfMonth: return 1;
        case F::kJulian: return 7;
        case F::kSecondsOfDay: return 5;
        default: return 2;
        }
    }

    bool readNumberField(const Item& item, bool packed) {
        const int width = widthOf(item.field);
        // A year alone may have more than four digits.
        const int most = item.field == F::kYear4 && !packed ? 6 : width;
        i64 value = 0;
        int digits = 0;
        if (item.field == F::kYearComma) return readYearComma();
        while (at_ < text_.size() && isAsciiDigit(text_[at_]) && digits < most) {
            value = value * 10 + (text_[at_++] - '0');
            ++digits;
        }
        if (digits == 0) {
            if (at_ >= text_.size() && !strict_) return true;
            return fail("a number is missing at character " + std::to_string(at_ + 1));
        }
        if (item.ordinal != 0 && at_ + 2 <= text_.size() && isAsciiLetter(text_[at_])) at_ += 2;
        return setField(item.field, value, digits);
    }

    bool readYearComma() {
        i64 value = 0;
        while (at_ < text_.size() && (isAsciiDigit(text_[at_]) || text_[at_] == ',')) {
            if (text_[at_] != ',') value = value * 10 + (text_[at_] - '0');
            if (++at_ > 64 || value > 999999) return fail("the year is out of range");
        }
        return setField(F::kYear4, value, 4);
    }

    bool setField(F field, i64 value, int digits) {
        const auto range = [&](i64& slot, i64 low, i64 high, const char* what) {
            slot = value;
            if (value < low || value > high)
                return fail(std::string(what) + " " + std::to_string(value) + " is out of range");
            return true;
        };
        switch (field) {
        case F::kYear4:
        case F::kYear3:
        case F::kYear2:
        case F::kYear1:
            has_date_ = true;
            year_ = digits <= 2 && field != F::kYear4   ? (value < 70 ? value + 2000 : value + 1900)
                    : digits == 3 && field == F::kYear3 ? value + (value < 520 ? 2000 : 1000)
                                                        : value;
            return true;
        case F::kIsoYear4:
        case F::kIsoYear3:
        case F::kIsoYear2:
        case F::kIsoYear1:
            iso_year_ = digits <= 2 && field != F::kYear4
                            ? (value < 70 ? value + 2000 : value + 1900)
                            : value;
            return true;
        case F::kMonth: return range(month_, 1, 12, "month");
        case F::kDay: return range(day_, 1, 31, "day");
        case F::kDayOfYear: return range(day_of_year_, 1, 366, "day of year");
        case F::kIsoWeek: return range(iso_week_, 1, 53, "week");
        case F::kWeekOfYear: return range(week_, 1, 53, "week");
        case F::kIsoDayOfWeek: return range(iso_day_, 1, 7, "day of week");
        case F::kHour24: return range(hour_, 0, 24, "hour");
        case F::kHour12: half_day_ = true; return range(hour_, 1, 12, "hour");
        case F::kMinute: return range(minute_, 0, 59, "minute");
        case F::kSecond: return range(second_, 0, 59, "second");
        case F::kSecondsOfDay: return range(seconds_of_day_, 0, 86399, "second of the day");
        case F::kJulian: julian_ = value; return true;
        case F::kCentury: century_ = value; return true;
        default: return true; // quarters and days of the week do not fix a date
        }
    }

    bool readMonth(bool is_short) {
        const size_t start = at_;
        while (at_ < text_.size() && isAsciiLetter(text_[at_])) ++at_;
        std::string word = asciiLower(text_.substr(start, at_ - start));
        month_ = monthFromName(word);
        if (month_ == 0 && is_short && word.size() > 3) {
            month_ = monthFromName(word.substr(0, 3));
            at_ = start + 3;
        }
        return month_ != 0 || fail("\"" + word + "\" is not a month");
    }
    bool readLetters(const char* what) {
        const size_t start = at_;
        while (at_ < text_.size() && isAsciiLetter(text_[at_])) ++at_;
        return at_ > start || fail(std::string(what) + " is missing");
    }
    bool readRoman() {
        const size_t start = at_;
        while (at_ < text_.size() && isAsciiLetter(text_[at_])) ++at_;
        for (int i = 0; i < 12; ++i)
            if (equalNoCase(kRoman[i], text_.substr(start, at_ - start))) month_ = i + 1;
        return month_ != 0 || fail("a Roman month is missing");
    }
    bool readMeridian() {
        const size_t start = at_;
        while (at_ < text_.size() && (isAsciiLetter(text_[at_]) || text_[at_] == '.')) ++at_;
        if (at_ == start) return fail("AM or PM is missing");
        const char c = asciiLower(text_[start]);
        if (c != 'a' && c != 'p') return fail("AM or PM is missing");
        afternoon_ = c == 'p';
        has_meridian_ = true;
        return true;
    }
    bool readEra() {
        const size_t start = at_;
        while (at_ < text_.size() && (isAsciiLetter(text_[at_]) || text_[at_] == '.')) ++at_;
        before_christ_ = at_ > start && asciiLower(text_[start]) == 'b';
        return at_ > start || fail("BC or AD is missing");
    }
    bool readOffset() {
        if (at_ >= text_.size() || (text_[at_] != '+' && text_[at_] != '-'))
            return fail("an offset is missing");
        const i64 sign = text_[at_++] == '-' ? -1 : 1;
        i64 parts[2] = {0, 0};
        for (int part = 0; part < 2; ++part) {
            for (int digit = 0; digit < 2 && at_ < text_.size() && isAsciiDigit(text_[at_]);
                 ++digit)
                parts[part] = parts[part] * 10 + (text_[at_++] - '0');
            if (part == 0 && at_ < text_.size() && text_[at_] == ':') ++at_;
        }
        if (parts[0] > 15 || parts[1] > 59) return fail("the offset is out of range");
        offset_ = sign * (parts[0] * 3600 + parts[1] * 60);
        return true;
    }
    bool readFraction(int width) {
        i64 value = 0;
        int digits = 0;
        for (; at_ < text_.size() && isAsciiDigit(text_[at_]) && digits < width; ++digits)
            value = value * 10 + (text_[at_++] - '0');
        if (digits == 0) return fail("a fraction is missing");
        for (; digits < 6; ++digits) value *= 10;
        micros_ = value;
        return true;
    }

    bool finish(DateTimeFormat::Parsed& parsed) {
        if (strict_) {
            skipBlanks();
            if (at_ < text_.size()) return fail("the text goes on behind the pattern");
        }
        i64 days;
        if (!dayOf(days)) return false;
        if (half_day_ || has_meridian_) {
            if (has_meridian_ && hour_ > 12)
                return fail("hour " + std::to_string(hour_) + " is not one of a 12-hour clock");
            if (has_meridian_) hour_ = hour_ % 12 + (afternoon_ ? 12 : 0);
            else if (hour_ == 12) hour_ = 0;
        }
        i64 seconds = hour_ * 3600 + minute_ * 60 + second_;
        if (seconds_of_day_ >= 0) seconds = seconds_of_day_;
        parsed.local_micros = days * kMicrosPerDay + seconds * kMicrosPerSecond + micros_;
        parsed.offset_seconds = offset_;
        return true;
    }

    bool dayOf(i64& days) {
        if (julian_ >= 0) {
            days = julian_ - kJulianEpochDays;
            return days <= kMaxDate || fail("the Julian day is out of range");
        }
        if (iso_year_ >= 0 && iso_week_ > 0) {
            if (iso_year_ > 294276) return fail("the year is out of range");
            days = i64(startOfWeek(daysFromCivil(i32(iso_year_), 1, 4))) + (iso_week_ - 1) * 7 +
                   (iso_day_ > 0 ? iso_day_ - 1 : 0);
            return true;
        }
        i64 year = year_;
        if (!has_date_ && century_ > 0) year = (century_ - 1) * 100 + 1;
        if (before_christ_) year = has_date_ ? 1 - year : 0;
        else if (!has_date_ && century_ <= 0) year = 0;
        if (year < -4712 || year > 294276) return fail("the year is out of range");
        if (day_of_year_ > 0) {
            days = i64(daysFromCivil(i32(year), 1, 1)) + day_of_year_ - 1;
            return true;
        }
        if (week_ > 0 && month_ == 0) {
            days = i64(daysFromCivil(i32(year), 1, 1)) + (week_ - 1) * 7;
            return true;
        }
        const i64 month = month_ > 0 ? month_ : 1;
        const i64 day = day_ > 0 ? day_ : 1;
        if (strict_ && day > daysInMonth(i32(year), i32(month)))
            return fail("day " + std::to_string(day) + " does not exist in that month");
        days = i64(daysFromCivil(i32(year), i32(month), 1)) + day - 1;
        return true;
    }

    std::string_view text_;
    bool strict_;
    size_t at_ = 0;
    bool has_date_ = false, half_day_ = false, has_meridian_ = false, afternoon_ = false,
         before_christ_ = false;
    i64 year_ = 0, month_ = 0, day_ = 0, day_of_year_ = 0, iso_year_ = -1, iso_week_ = 0,
        iso_day_ = 0;
    i64 week_ = 0, century_ = 0, julian_ = -1, hour_ = 0, minute_ = 0, second_ = 0, micros_ = 0;
    i64 seconds_of_day_ = -1;
    std::optional<i64> offset_;
};

bool DateTimeFormat::parse(std::string_view text, bool strict, Parsed& parsed,
                           std::string& message) const {
    DateTimeParser parser(text, strict);
    if (parser.read(items_, parsed)) return true;
    message = std::move(parser.message);
    return false;
}

} // namespace blueshift::functions
