// Dates, times, timestamps and intervals from text; see text_input.h.
//
// The usual ISO forms are read directly; everything else is split into words, numbers and marks and
// read by the rules of PostgreSQL's date input.
#include <algorithm>
#include <array>
#include <optional>

#include "functions/ascii.h"
#include "functions/datetime_words.h"
#include "functions/text_input.h"
#include "functions/time_zone.h"
#include "kernels/datetime.h"

namespace blueshift::functions {

namespace {

using namespace kernels;

/// What the text of a date or time said.
struct DateTimeFields {
    bool has_date = false;
    bool has_time = false;
    i64 year = 0;
    i64 month = 0;
    i64 day = 0;
    bool before_christ = false;
    i64 time = 0; // microseconds since midnight; 24:00:00 is allowed
    std::optional<TimeZone> zone;
    enum class Special : u8 {
        kNone,
        kInfinity,
        kMinusInfinity,
        kEpoch,
        kNow
    } special = Special::kNone;
    i64 day_shift = 0; // today, tomorrow, yesterday: relative to the local date of now
    bool relative = false;
};

bool twoDigits(const char* at, i64& value) {
    const u32 high = u32(u8(at[0])) - '0';
    const u32 low = u32(u8(at[1])) - '0';
    if (high > 9 || low > 9) return false;
    value = high * 10 + low;
    return true;
}

/// `YYYY-MM-DD` at the start of `text`.
bool readIsoDate(std::string_view text, DateTimeFields& fields) {
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
    i64 century, year;
    if (!twoDigits(text.data(), century) || !twoDigits(text.data() + 2, year) ||
        !twoDigits(text.data() + 5, fields.month) || !twoDigits(text.data() + 8, fields.day))
        return false;
    fields.year = century * 100 + year;
    fields.has_date = true;
    return true;
}

/// Up to six digits of a fraction, rounded; moves `at` past it. `at` stands behind the point.
i64 readFraction(std::string_view text, size_t& at) {
    i64 micros = 0;
    int digits = 0;
    bool round_up = false;
    for (; at < text.size() && isAsciiDigit(text[at]); ++at, ++digits) {
        if (digits < 6) micros = micros * 10 + (text[at] - '0');
        else if (digits == 6) round_up = text[at] >= '5';
    }
    for (; digits < 6; ++digits) micros *= 10;
    return micros + round_up;
}

bool readNumber(std::string_view text, size_t& at, i64& value, size_t& digits) {
    const size_t start = at;
    value = 0;
    while (at < text.size() && isAsciiDigit(text[at])) {
        if (at - start >= 18) return false;
        value = value * 10 + (text[at++] - '0');
    }
    digits = at - start;
    return digits > 0;
}

/// Reads dates and times word by word. Each step consumes one field or fails.
class DateTimeReader {
public:
    DateTimeReader(std::string_view text, const InputOptions& options)
        : text_(text), options_(options) {}

    InputError read(DateTimeFields& fields) {
        while (true) {
            while (at_ < text_.size() && (isBlank(text_[at_]) || text_[at_] == ',')) ++at_;
            if (at_ == text_.size()) break;
            const InputError error = readField(fields);
            if (error != InputError::kNone) return error;
        }
        return finish(fields);
    }

private:
    InputError readField(DateTimeFields& fields) {
        const char c = text_[at_];
        if (isAsciiDigit(c)) return readDigits(fields);
        if (isAsciiLetter(c)) return readWord(fields);
        if ((c == '+' || c == '-') && text_.substr(at_ + 1).starts_with("infinity")) {
            fields.special = c == '-' ? DateTimeFields::Special::kMinusInfinity
                                      : DateTimeFields::Special::kInfinity;
            at_ += 9;
            return InputError::kNone;
        }
        if ((c == '+' || c == '-') && (fields.has_time || fields.has_date))
            return readOffset(fields);
        return InputError::kSyntax;
    }

    InputError readDigits(DateTimeFields& fields) {
        const size_t start = at_;
        i64 value;
        size_t digits;
        if (!readNumber(text_, at_, value, digits)) return InputError::kSyntax;
        const char next = at_ < text_.size() ? text_[at_] : 0;
        if (next == ':') {
            at_ = start;
            return readTime(fields);
        }
        if (next == '-' || next == '/' || (next == '.' && digits <= 4 && !time_follows_)) {
            at_ = start;
            return readDate(fields);
        }
        if (time_follows_ ||
            (fields.has_date && !fields.has_time && (digits == 4 || digits == 6))) {
            time_follows_ = false;
            return readPackedTime(fields, value, digits);
        }
        if (!fields.has_date && number_count_ == 0 && month_ == 0 && (digits == 8 || digits == 6)) {
            if (digits == 8) setDate(fields, value / 10000, value / 100 % 100, value % 100);
            else setDate(fields, fullYear(value / 10000, 2), value / 100 % 100, value % 100);
            return InputError::kNone;
        }
        if (number_count_ == 2) return InputError::kSyntax;
        numbers_[number_count_] = value;
        number_digits_[number_count_++] = digits;
        return InputError::kNone;
    }

    InputError readWord(DateTimeFields& fields) {
        const size_t start = at_;
        while (at_ < text_.size() && isAsciiLetter(text_[at_])) ++at_;
        const std::string word = asciiLower(text_.substr(start, at_ - start));
        if (word == "t" && at_ < text_.size() && isAsciiDigit(text_[at_])) {
            time_follows_ = true;
            return InputError::kNone;
        }
        if (const int month = monthFromName(word)) {
            if (month_ != 0) return InputError::kSyntax;
            month_ = month;
            if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == '-')) ++at_;
            return InputError::kNone;
        }
        if (weekdayFromName(word) >= 0) return InputError::kNone;
        if (word == "am" || word == "pm") return applyMeridian(fields, word == "pm");
        if (word == "bc" || word == "ad") {
            fields.before_christ = word == "bc";
            return InputError::kNone;
        }
        if (word == "at" || word == "on") return InputError::kNone;
        if (word == "j" && at_ < text_.size() && isAsciiDigit(text_[at_]))
            return readJulian(fields);
        if (readSpecial(fields, word)) return InputError::kNone;
        at_ = start;
        return readZoneName(fields);
    }

    static bool readSpecial(DateTimeFields& fields, std::string_view word) {
        using Special = DateTimeFields::Special;
        if (word == "infinity" || word == "inf") fields.special = Special::kInfinity;
        else if (word == "epoch") fields.special = Special::kEpoch;
        else if (word == "now") fields.special = Special::kNow;
        else if (word == "allballs") fields.has_time = true;
        else if (word == "today" || word == "tomorrow" || word == "yesterday") {
            fields.relative = true;
            fields.day_shift = word == "tomorrow" ? 1 : word == "yesterday" ? -1 : 0;
        } else {
            return false;
        }
        return true;
    }

    InputError readJulian(DateTimeFields& fields) {
        i64 value;
        size_t digits;
        if (!readNumber(text_, at_, value, digits) || value > kJulianEpochDays + i64(kMaxDate))
            return InputError::kSyntax;
        const Civil civil = civilFromDays(i32(value - kJulianEpochDays));
        setDate(fields, civil.year, civil.month, civil.day);
        julian_ = true;
        return InputError::kNone;
    }

    /// `2020-01-02`, `1/2/2020`, `02-Jan-2020`, `2020-Jan-02`, `2020.01.02`.
    InputError readDate(DateTimeFields& fields) {
        i64 parts[3] = {0, 0, 0};
        size_t digits[3] = {0, 0, 0};
        int month_at = -1;
        char mark = 0;
        for (int i = 0; i < 3; ++i) {
            if (i > 0) {
                if (at_ >= text_.size() || (mark != 0 && text_[at_] != mark)) {
                    if (i == 2 && month_at < 0 && digits[0] == 4) return readOrdinal(fields, parts);
                    return InputError::kSyntax;
                }
                mark = text_[at_++];
            }
            if (at_ < text_.size() && isAsciiLetter(text_[at_])) {
                const size_t start = at_;
                while (at_ < text_.size() && isAsciiLetter(text_[at_])) ++at_;
                parts[i] = monthFromName(asciiLower(text_.substr(start, at_ - start)));
                if (parts[i] == 0 || month_at >= 0) return InputError::kSyntax;
                month_at = i;
            } else if (!readNumber(text_, at_, parts[i], digits[i])) {
                return InputError::kSyntax;
            }
        }
        if (month_at >= 0) {
            const int first = month_at == 0 ? 1 : 0;
            const int second = month_at == 2 ? 1 : 2;
            if (digits[first] > 2) setDate(fields, parts[first], parts[month_at], parts[second]);
            else
                setDate(fields, fullYear(parts[second], digits[second]), parts[month_at],
                        parts[first]);
        } else if (digits[0] > 2) {
            setDate(fields, parts[0], parts[1], parts[2]);
        } else if (options_.date_order_mdy) {
            setDate(fields, fullYear(parts[2], digits[2]), parts[0], parts[1]);
        } else {
            setDate(fields, fullYear(parts[2], digits[2]), parts[1], parts[0]);
        }
        return InputError::kNone;
    }

    /// `2020-123`: the day of the year.
    InputError readOrdinal(DateTimeFields& fields, const i64* parts) {
        if (parts[1] < 1 || parts[1] > 366) return InputError::kFieldRange;
        const Civil civil = civilFromDays(daysFromCivil(i32(parts[0]), 1, 1) + i32(parts[1]) - 1);
        setDate(fields, civil.year, civil.month, civil.day);
        return InputError::kNone;
    }

    InputError readTime(DateTimeFields& fields) {
        if (fields.has_time) return InputError::kSyntax;
        i64 hour, minute = 0, second = 0, fraction = 0;
        size_t digits;
        if (!readNumber(text_, at_, hour, digits)) return InputError::kSyntax;
        ++at_;
        if (!readNumber(text_, at_, minute, digits)) return InputError::kSyntax;
        if (at_ < text_.size() && text_[at_] == ':') {
            ++at_;
            if (!readNumber(text_, at_, second, digits)) return InputError::kSyntax;
            if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == ',')) {
                ++at_;
                fraction = readFraction(text_, at_);
            }
        }
        return setTime(fields, hour, minute, second, fraction);
    }

    /// `hhmm`, `hhmmss[.fff]`, or `hh` behind a T.
    InputError readPackedTime(DateTimeFields& fields, i64 value, size_t digits) {
        i64 fraction = 0;
        if (digits == 6 && at_ < text_.size() && text_[at_] == '.') {
            ++at_;
            fraction = readFraction(text_, at_);
        }
        if (digits == 6)
            return setTime(fields, value / 10000, value / 100 % 100, value % 100, fraction);
        if (digits == 4) return setTime(fields, value / 100, value % 100, 0, 0);
        if (digits <= 2) return setTime(fields, value, 0, 0, 0);
        return InputError::kSyntax;
    }

    static InputError setTime(DateTimeFields& fields, i64 hour, i64 minute, i64 second,
                              i64 fraction) {
        const bool midnight = hour == 24 && minute == 0 && second == 0 && fraction == 0;
        if ((hour > 23 && !midnight) || minute > 59 || second > 60) return InputError::kFieldRange;
        fields.has_time = true;
        fields.time = hour * kMicrosPerHour + minute * kMicrosPerMinute +
                      second * kMicrosPerSecond + fraction;
        return InputError::kNone;
    }

    static InputError applyMeridian(DateTimeFields& fields, bool afternoon) {
        if (!fields.has_time || fields.time >= 13 * kMicrosPerHour) return InputError::kFieldRange;
        const bool noon = fields.time >= 12 * kMicrosPerHour;
        if (afternoon && !noon) fields.time += 12 * kMicrosPerHour;
        if (!afternoon && noon) fields.time -= 12 * kMicrosPerHour;
        return InputError::kNone;
    }

    /// `+05`, `-08:00`, `+0530`: positive is east, unlike in POSIX names.
    InputError readOffset(DateTimeFields& fields) {
        const bool negative = text_[at_++] == '-';
        i64 hour, minute = 0, second = 0;
        size_t digits;
        if (!readNumber(text_, at_, hour, digits)) return InputError::kSyntax;
        if (digits == 4) {
            minute = hour % 100;
            hour /= 100;
        } else if (digits > 2) {
            return InputError::kSyntax;
        }
        if (at_ < text_.size() && text_[at_] == ':') {
            ++at_;
            if (!readNumber(text_, at_, minute, digits)) return InputError::kSyntax;
            if (at_ < text_.size() && text_[at_] == ':') {
                ++at_;
                if (!readNumber(text_, at_, second, digits)) return InputError::kSyntax;
            }
        }
        if (hour > 15 || minute > 59 || second > 59) return InputError::kFieldRange;
        const i64 seconds = hour * 3600 + minute * 60 + second;
        fields.zone = TimeZone::fixed(negative ? -seconds : seconds);
        return InputError::kNone;
    }

    InputError readZoneName(DateTimeFields& fields) {
        const size_t start = at_;
        while (at_ < text_.size() && !isBlank(text_[at_]) && text_[at_] != ',') ++at_;
        const auto zone = TimeZone::find(text_.substr(start, at_ - start));
        if (!zone || fields.zone) return InputError::kSyntax;
        fields.zone = zone;
        return InputError::kNone;
    }

    InputError finish(DateTimeFields& fields) {
        if (month_ != 0) {
            if (fields.has_date || number_count_ != 2) return InputError::kSyntax;
            const bool year_first = number_digits_[0] > 2;
            const i64 year = year_first ? numbers_[0] : fullYear(numbers_[1], number_digits_[1]);
            setDate(fields, year, month_, year_first ? numbers_[1] : numbers_[0]);
        } else if (number_count_ > 0) {
            return InputError::kSyntax;
        }
        if (fields.before_christ && !julian_) fields.year = 1 - fields.year;
        return InputError::kNone;
    }

    static i64 fullYear(i64 year, size_t digits) {
        if (digits > 2) return year;
        return year < 70 ? year + 2000 : year + 1900;
    }
    void setDate(DateTimeFields& fields, i64 year, i64 month, i64 day) {
        fields.has_date = true;
        fields.year = year;
        fields.month = month;
        fields.day = day;
    }

    std::string_view text_;
    const InputOptions& options_;
    size_t at_ = 0;
    bool time_follows_ = false;
    bool julian_ = false;
    int month_ = 0;
    int number_count_ = 0;
    std::array<i64, 2> numbers_{};
    std::array<size_t, 2> number_digits_{};
};

InputError readDateTime(std::string_view text, const InputOptions& options,
                        DateTimeFields& fields) {
    text = trimBlanks(text);
    if (text.size() == 10 && readIsoDate(text, fields)) return InputError::kNone;
    if (text.size() >= 19 && (text[10] == ' ' || text[10] == 'T') && text[13] == ':' &&
        text[16] == ':' && readIsoDate(text, fields)) {
        i64 hour, minute, second;
        size_t at = 19;
        if (twoDigits(text.data() + 11, hour) && twoDigits(text.data() + 14, minute) &&
            twoDigits(text.data() + 17, second) && hour < 24 && minute < 60 && second < 60) {
            i64 fraction = 0;
            if (at < text.size() && text[at] == '.') fraction = readFraction(text, ++at);
            if (at == text.size()) {
                fields.has_time = true;
                fields.time = hour * kMicrosPerHour + minute * kMicrosPerMinute +
                              second * kMicrosPerSecond + fraction;
                return InputError::kNone;
            }
        }
    }
    if (text.empty()) return InputError::kSyntax;
    fields = {};
    const std::string lower = text.front() == '-' || text.front() == '+' ? asciiLower(text) : "";
    return DateTimeReader(lower.empty() ? text : std::string_view(lower), options).read(fields);
}

TimeZone sessionZone(const InputOptions& options) {
    if (options.timezone == "UTC") return TimeZone::utc();
    return TimeZone::find(options.timezone).value_or(TimeZone::utc());
}

InputError dateFromFields(const DateTimeFields& fields, const InputOptions& options, i32& days) {
    if (fields.relative) {
        days = dateOfTimestamp(sessionZone(options).toLocal(options.now)) + i32(fields.day_shift);
        return InputError::kNone;
    }
    if (!fields.has_date) return InputError::kSyntax;
    if (fields.month < 1 || fields.month > 12 || fields.day < 1 || fields.day > 31)
        return InputError::kFieldRange;
    if (fields.year < -4712 || fields.year > 294276) return InputError::kFieldRange;
    if (fields.day > daysInMonth(i32(fields.year), i32(fields.month)))
        return InputError::kFieldRange;
    days = daysFromCivil(i32(fields.year), i32(fields.month), i32(fields.day));
    return InputError::kNone;
}

/// The unit word of an interval: months and microseconds of one, or false.
bool intervalUnit(std::string_view word, i64& months, i64& micros) {
    const auto part = datePartFromName(word);
    if (!part) return false;
    months = monthsOfPart(*part);
    micros = months > 0 ? 0 : microsOfPart(*part);
    return months > 0 || micros > 0;
}

bool addScaled(i64& sum, f64 value, i64 unit) {
    const f64 amount = __builtin_rint(value * f64(unit));
    if (!(amount > -9.2e18 && amount < 9.2e18)) return false;
    return !__builtin_add_overflow(sum, i64(amount), &sum);
}

} // namespace

InputError parseDate(std::string_view text, const InputOptions& options, i32& days) {
    DateTimeFields fields;
    const InputError error = readDateTime(text, options, fields);
    if (error != InputError::kNone) return error;
    switch (fields.special) {
    case DateTimeFields::Special::kInfinity: days = kDateInfinity; return InputError::kNone;
    case DateTimeFields::Special::kMinusInfinity:
        days = kDateMinusInfinity;
        return InputError::kNone;
    case DateTimeFields::Special::kEpoch: days = -kUnixToEpochDays; return InputError::kNone;
    case DateTimeFields::Special::kNow:
        days = dateOfTimestamp(sessionZone(options).toLocal(options.now));
        return InputError::kNone;
    default: return dateFromFields(fields, options, days);
    }
}

InputError parseTime(std::string_view text, const InputOptions& options, bool with_zone,
                     i64& micros) {
    DateTimeFields fields;
    // Digits alone are a time here, where a timestamp would read a date.
    text = trimBlanks(text);
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const bool packed =
        (digits == 4 || digits == 6) && (digits == text.size() || text[digits] == '.');
    const std::string marked = packed ? "T" + std::string(text) : std::string();
    const InputError error = readDateTime(packed ? marked : text, options, fields);
    if (error != InputError::kNone) return error;
    if (fields.special == DateTimeFields::Special::kNow) {
        micros =
            timeOfTimestamp(with_zone ? options.now : sessionZone(options).toLocal(options.now));
        return InputError::kNone;
    }
    if (!fields.has_time) return InputError::kSyntax;
    micros = fields.time;
    if (with_zone) {
        const TimeZone zone = fields.zone.value_or(sessionZone(options));
        micros = floorModulo(micros - zone.offsetAt(options.now) * kMicrosPerSecond, kMicrosPerDay);
    }
    return InputError::kNone;
}

InputError parseTimestamp(std::string_view text, const InputOptions& options, bool with_zone,
                          i64& micros) {
    DateTimeFields fields;
    const InputError error = readDateTime(text, options, fields);
    if (error != InputError::kNone) return error;
    using Special = DateTimeFields::Special;
    if (fields.special == Special::kInfinity || fields.special == Special::kMinusInfinity) {
        micros =
            fields.special == Special::kInfinity ? kTimestampInfinity : kTimestampMinusInfinity;
        return InputError::kNone;
    }
    if (fields.special == Special::kNow) {
        micros = with_zone ? options.now : sessionZone(options).toLocal(options.now);
        return InputError::kNone;
    }
    if (fields.special == Special::kEpoch) {
        micros = -i64(kUnixToEpochDays) * kMicrosPerDay;
        return InputError::kNone;
    }
    i32 days = 0;
    const InputError date_error = dateFromFields(fields, options, days);
    if (date_error != InputError::kNone) return date_error;
    micros = i64(days) * kMicrosPerDay + fields.time;
    // Without a zone in its type, a timestamp ignores the zone of its text.
    if (with_zone) micros = fields.zone.value_or(sessionZone(options)).toUtc(micros);
    return micros < kMinTimestamp || micros > kMaxTimestamp ? InputError::kFieldRange
                                                            : InputError::kNone;
}

namespace {

/// `hh:mm[:ss[.f]]`, or `mm:ss.f`; `at` stands on the first digit.
bool readClock(std::string_view text, size_t& at, i64& micros) {
    i64 parts[3] = {0, 0, 0};
    int count = 0;
    size_t digits;
    i64 fraction = 0;
    bool has_fraction = false;
    while (count < 3 && readNumber(text, at, parts[count], digits)) {
        ++count;
        if (at < text.size() && text[at] == '.') {
            fraction = readFraction(text, ++at);
            has_fraction = true;
            break;
        }
        if (at >= text.size() || text[at] != ':') break;
        ++at;
    }
    if (count < 2 || parts[0] > 2'000'000'000) return false;
    if (count == 2 && has_fraction) {
        micros = parts[0] * kMicrosPerMinute + parts[1] * kMicrosPerSecond + fraction;
        return true;
    }
    if (parts[1] > 59 || parts[2] > 60) return false;
    micros = parts[0] * kMicrosPerHour + parts[1] * kMicrosPerMinute + parts[2] * kMicrosPerSecond +
             fraction;
    return true;
}

/// `P1Y2M3DT4H5M6.5S`.
InputError readIsoInterval(std::string_view text, i64& months, i64& micros) {
    bool in_time = false;
    size_t at = 1;
    while (at < text.size()) {
        if (text[at] == 'T') {
            in_time = true;
            ++at;
            continue;
        }
        const size_t start = at;
        while (at < text.size() && (isAsciiDigit(text[at]) || text[at] == '.' || text[at] == '-'))
            ++at;
        f64 value;
        if (at == text.size() ||
            parseDouble(text.substr(start, at - start), value) != InputError::kNone)
            return InputError::kSyntax;
        bool added = false;
        switch (text[at++]) {
        case 'Y': added = addScaled(months, value, 12); break;
        case 'M':
            added =
                in_time ? addScaled(micros, value, kMicrosPerMinute) : addScaled(months, value, 1);
            break;
        case 'W': added = addScaled(micros, value, 7 * kMicrosPerDay); break;
        case 'D': added = addScaled(micros, value, kMicrosPerDay); break;
        case 'H': added = addScaled(micros, value, kMicrosPerHour); break;
        case 'S': added = addScaled(micros, value, kMicrosPerSecond); break;
        default: return InputError::kSyntax;
        }
        if (!added) return InputError::kFieldRange;
    }
    return at > 1 ? InputError::kNone : InputError::kSyntax;
}

/// Adds `value` units; a fraction of a month counts 30 days.
bool addInterval(i64& months, i64& micros, f64 value, i64 unit_months, i64 unit_micros) {
    if (unit_months == 0) return addScaled(micros, value, unit_micros);
    const f64 exact = value * f64(unit_months);
    const f64 whole = __builtin_trunc(exact);
    const f64 rest = exact - whole;
    return addScaled(months, whole, 1) &&
           (unit_months >= 12 ? addScaled(months, rest, 1)
                              : addScaled(micros, rest, 30 * kMicrosPerDay));
}

} // namespace

InputError parseInterval(std::string_view text, i64& months, i64& micros) {
    months = micros = 0;
    text = trimBlanks(text);
    if (!text.empty() && text.front() == '@') text = trimBlanks(text.substr(1));
    if (text.empty()) return InputError::kSyntax;
    if (text.front() == 'P') return readIsoInterval(text, months, micros);
    size_t at = 0;
    bool any = false;
    while (true) {
        while (at < text.size() && (isBlank(text[at]) || text[at] == ',')) ++at;
        if (at == text.size()) break;
        if (isAsciiLetter(text[at])) {
            const size_t start = at;
            while (at < text.size() && isAsciiLetter(text[at])) ++at;
            const std::string word = asciiLower(text.substr(start, at - start));
            if (word == "ago") {
                months = -months;
                micros = -micros;
                continue;
            }
            if (word == "and" && any) continue;
            return InputError::kSyntax;
        }
        bool negative = false;
        if (text[at] == '+' || text[at] == '-') negative = text[at++] == '-';
        const size_t start = at;
        while (at < text.size() && (isAsciiDigit(text[at]) || text[at] == '.')) ++at;
        if (at == start) return InputError::kSyntax;
        any = true;
        if (at < text.size() && text[at] == ':') {
            at = start;
            i64 clock;
            if (!readClock(text, at, clock)) return InputError::kFieldRange;
            micros += negative ? -clock : clock;
            continue;
        }
        f64 value;
        if (parseDouble(text.substr(start, at - start), value) != InputError::kNone)
            return InputError::kSyntax;
        if (negative) value = -value;
        if (at < text.size() && text[at] == '-') { // years-months
            i64 rest;
            size_t digits;
            if (!readNumber(text, ++at, rest, digits) || rest > 11) return InputError::kFieldRange;
            if (!addScaled(months, value, 12)) return InputError::kFieldRange;
            months += negative ? -rest : rest;
            continue;
        }
        while (at < text.size() && isBlank(text[at])) ++at;
        const size_t unit = at;
        while (at < text.size() && isAsciiLetter(text[at])) ++at;
        const std::string word = asciiLower(text.substr(unit, at - unit));
        i64 unit_months = 0;
        i64 unit_micros = kMicrosPerSecond;
        if (word.empty()) {
            // `3 04:05:06` counts days; a bare number counts seconds.
            if (at < text.size() && text.find(':', at) != std::string_view::npos)
                unit_micros = kMicrosPerDay;
        } else if (!intervalUnit(word, unit_months, unit_micros)) {
            return InputError::kSyntax;
        }
        if (!addInterval(months, micros, value, unit_months, unit_micros))
            return InputError::kFieldRange;
    }
    return any ? InputError::kNone : InputError::kSyntax;
}

} // namespace blueshift::functions
