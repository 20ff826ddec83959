// datetime.h: the calendar: dates as days and timestamps as microseconds since 2000-01-01.
//
// Place: extract, truncate and add of dates, in loops and in generated code. Freestanding, see
// scalar.h. Zones are not here; they need a library (functions/time_zone.h).
// Calendar: proleptic Gregorian, exact for 4713 BC to 294276 AD; year 0 is 1 BC. Day counts use
// Hinnant's era arithmetic, which has no loops and no tables.
#pragma once

#include "kernels/scalar.h"

namespace blueshift::kernels {

inline constexpr i64 kMicrosPerSecond = 1'000'000;
inline constexpr i64 kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr i64 kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr i64 kMicrosPerDay = 24 * kMicrosPerHour;
/// Days from 1970-01-01 to 2000-01-01, and from Julian day 0 to 2000-01-01.
inline constexpr i32 kUnixToEpochDays = 10957;
inline constexpr i32 kJulianEpochDays = 2451545;
/// 4713-01-01 BC and 294276-12-31; timestamps of that span fit 64 bits.
inline constexpr i32 kMinDate = -2451507;
inline constexpr i32 kMaxDate = 106751982;
inline constexpr i64 kMinTimestamp = i64(kMinDate) * kMicrosPerDay;
inline constexpr i64 kMaxTimestamp = i64(kMaxDate + 1) * kMicrosPerDay - 1;
/// 'infinity' and '-infinity'.
inline constexpr i32 kDateInfinity = 0x7FFFFFFF;
inline constexpr i32 kDateMinusInfinity = -0x7FFFFFFF - 1;
inline constexpr i64 kTimestampInfinity = 0x7FFFFFFFFFFFFFFFl;
inline constexpr i64 kTimestampMinusInfinity = -0x7FFFFFFFFFFFFFFFl - 1;

struct Civil {
    i32 year; // 0 is 1 BC
    i32 month;
    i32 day;
};

template <class T> inline constexpr T floorDivide(T a, T b) {
    const T quotient = a / b;
    return quotient * b > a ? quotient - 1 : quotient;
}
template <class T> inline constexpr T floorModulo(T a, T b) {
    const T rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? T(rest + b) : rest;
}

// These wrap where the day is none: they also run over dead lanes (scalar.h).
/// Days from 0000-03-01 to 2000-01-01.
inline constexpr u32 kCivilShift = 719468 + kUnixToEpochDays;
inline constexpr i32 daysFromCivil(i32 year, i32 month, i32 day) {
    const i32 y = month <= 2 ? year - 1 : year;
    const i32 era = (y >= 0 ? y : y - 399) / 400;
    const i32 year_of_era = y - era * 400;
    const i32 day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const i32 day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return i32(u32(era * 146097 + day_of_era) - kCivilShift);
}
inline constexpr Civil civilFromDays(i32 days) {
    const i32 z = i32(u32(days) + kCivilShift);
    const i32 era = (z >= 0 ? z : i32(u32(z) - 146096)) / 146097;
    const i32 day_of_era = z - era * 146097;
    const i32 year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const i32 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const i32 shifted = (5 * day_of_year + 2) / 153;
    const i32 month = shifted < 10 ? shifted + 3 : shifted - 9;
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
            day_of_year - (153 * shifted + 2) / 5 + 1};
}
static_assert(daysFromCivil(-4712, 1, 1) == kMinDate && daysFromCivil(294276, 12, 31) == kMaxDate);
inline constexpr bool isLeapYear(i32 year) {
    return floorModulo(year, 4) == 0 &&
           (floorModulo(year, 100) != 0 || floorModulo(year, 400) == 0);
}
inline constexpr i32 daysInMonth(i32 year, i32 month) {
    return month == 2 ? 28 + (isLeapYear(year) ? 1 : 0) : 30 + ((month + (month >> 3)) & 1);
}

inline i32 dateOfTimestamp(i64 micros) {
    return i32(floorDivide(micros, kMicrosPerDay));
}
inline i64 timeOfTimestamp(i64 micros) {
    return floorModulo(micros, kMicrosPerDay);
}
inline bool isFiniteDate(i32 days) {
    return days != kDateInfinity && days != kDateMinusInfinity;
}
inline bool isFiniteTimestamp(i64 micros) {
    return micros != kTimestampInfinity && micros != kTimestampMinusInfinity;
}
inline i64 timestampOfDate(i32 days) {
    if (days == kDateInfinity) return kTimestampInfinity;
    if (days == kDateMinusInfinity) return kTimestampMinusInfinity;
    return multiply(i64(days), kMicrosPerDay);
}
inline i32 dateFromTimestamp(i64 micros) {
    if (micros == kTimestampInfinity) return kDateInfinity;
    if (micros == kTimestampMinusInfinity) return kDateMinusInfinity;
    return dateOfTimestamp(micros);
}

/// 0 is Sunday.
inline i32 dayOfWeek(i32 days) {
    return i32(floorModulo(i64(days) + 6, i64(7)));
}
/// 1 is Monday, 7 is Sunday.
inline i32 isoDayOfWeek(i32 days) {
    return i32(floorModulo(i64(days) + 5, i64(7))) + 1;
}
inline i32 dayOfYear(i32 days) {
    return add(subtract(days, daysFromCivil(civilFromDays(days).year, 1, 1)), 1);
}
/// The Monday of the week that a day lies in.
inline i32 startOfWeek(i32 days) {
    return subtract(days, isoDayOfWeek(days) - 1);
}
/// ISO 8601: a week belongs to the year its Thursday lies in.
inline i32 isoYear(i32 days) {
    return civilFromDays(add(startOfWeek(days), 3)).year;
}
inline i32 isoWeek(i32 days) {
    const i32 thursday = add(startOfWeek(days), 3);
    return subtract(thursday, daysFromCivil(civilFromDays(thursday).year, 1, 1)) / 7 + 1;
}

/// Adds months; a day past the end of the month becomes its last. `sticky`: the last day of a month
/// stays the last day (ADD_MONTHS).
inline i32 addMonths(i32 days, i64 months, bool sticky, u32& flags) {
    const Civil civil = civilFromDays(days);
    const i64 total = i64(civil.year) * 12 + (civil.month - 1) + months;
    const i64 year = floorDivide(total, i64(12));
    if (year < -4712 || year > 294276) {
        flags |= kOverflow;
        return 0;
    }
    const i32 month = i32(floorModulo(total, i64(12))) + 1;
    const i32 last = daysInMonth(i32(year), month);
    const bool was_last = sticky && civil.day == daysInMonth(civil.year, civil.month);
    const i32 day = was_last || civil.day > last ? last : civil.day;
    return daysFromCivil(i32(year), month, day);
}
inline i64 addMonthsTimestamp(i64 micros, i64 months, bool sticky, u32& flags) {
    if (!isFiniteTimestamp(micros)) return micros;
    const i32 days = addMonths(dateOfTimestamp(micros), months, sticky, flags);
    return i64(days) * kMicrosPerDay + timeOfTimestamp(micros);
}
inline i64 addMicros(i64 timestamp, i64 micros, u32& flags) {
    if (!isFiniteTimestamp(timestamp)) return timestamp;
    i64 result;
    const bool overflow = __builtin_add_overflow(timestamp, micros, &result);
    flags |= (overflow || result < kMinTimestamp || result > kMaxTimestamp) ? kOverflow : kNoFlag;
    return result;
}
inline i32 addDays(i32 date, i64 days, u32& flags) {
    if (!isFiniteDate(date)) return date;
    const i64 result = i64(date) + days;
    flags |=
        (days > kMaxDate * 2l || days < kMinDate * 100l || result < kMinDate || result > kMaxDate)
            ? kOverflow
            : kNoFlag;
    return i32(result);
}

enum class DatePart : u8 {
    kMillennium,
    kCentury,
    kDecade,
    kYear,
    kQuarter,
    kMonth,
    kWeek,
    kDay,
    kDayOfWeek,
    kIsoDayOfWeek,
    kDayOfYear,
    kHour,
    kMinute,
    kSecond,
    kMillisecond,
    kMicrosecond,
    kEpoch,
    kIsoYear,
    kJulian,
    kTimezone,
    kTimezoneHour,
    kTimezoneMinute,
};

/// 1 to 1000 are the first; year 0 is 1 BC, which belongs to -1.
inline i32 spanOfYear(i32 year, i32 span) {
    return year > 0 ? (year + span - 1) / span : -((span - 1 - (year - 1)) / span);
}

/// The parts that a day has; 0 for others.
inline i32 extractFromDate(DatePart part, i32 days) {
    switch (part) {
    case DatePart::kDayOfWeek: return dayOfWeek(days);
    case DatePart::kIsoDayOfWeek: return isoDayOfWeek(days);
    case DatePart::kDayOfYear: return dayOfYear(days);
    case DatePart::kWeek: return isoWeek(days);
    case DatePart::kIsoYear: {
        const i32 year = isoYear(days);
        return year > 0 ? year : year - 1;
    }
    case DatePart::kJulian: return days + kJulianEpochDays;
    default: break;
    }
    const Civil civil = civilFromDays(days);
    switch (part) {
    case DatePart::kMillennium: return spanOfYear(civil.year, 1000);
    case DatePart::kCentury: return spanOfYear(civil.year, 100);
    case DatePart::kDecade: return floorDivide(civil.year, 10);
    case DatePart::kYear: return civil.year > 0 ? civil.year : civil.year - 1;
    case DatePart::kQuarter: return (civil.month - 1) / 3 + 1;
    case DatePart::kMonth: return civil.month;
    case DatePart::kDay: return civil.day;
    default: return 0;
    }
}
/// Whole units: SECOND without its fraction, MILLISECOND and MICROSECOND within the minute.
inline i64 extractFromTime(DatePart part, i64 micros) {
    switch (part) {
    case DatePart::kHour: return micros / kMicrosPerHour;
    case DatePart::kMinute: return micros / kMicrosPerMinute % 60;
    case DatePart::kSecond: return micros / kMicrosPerSecond % 60;
    case DatePart::kMillisecond: return micros / 1000 % 60'000;
    case DatePart::kMicrosecond: return micros % kMicrosPerMinute;
    default: return 0;
    }
}
inline constexpr bool isTimePart(DatePart part) {
    return part >= DatePart::kHour && part <= DatePart::kMicrosecond;
}

/// The first day of the unit that a day lies in (YEAR, QUARTER, MONTH, WEEK and longer).
inline i32 truncateDate(DatePart part, i32 days) {
    if (part == DatePart::kWeek) return startOfWeek(days);
    if (part == DatePart::kIsoYear) {
        const i32 fourth = daysFromCivil(isoYear(days), 1, 4);
        return startOfWeek(fourth);
    }
    const Civil civil = civilFromDays(days);
    switch (part) {
    case DatePart::kMillennium:
        return daysFromCivil(floorDivide(civil.year - 1, 1000) * 1000 + 1, 1, 1);
    case DatePart::kCentury: return daysFromCivil(floorDivide(civil.year - 1, 100) * 100 + 1, 1, 1);
    case DatePart::kDecade: return daysFromCivil(floorDivide(civil.year, 10) * 10, 1, 1);
    case DatePart::kYear: return daysFromCivil(civil.year, 1, 1);
    case DatePart::kQuarter: return daysFromCivil(civil.year, (civil.month - 1) / 3 * 3 + 1, 1);
    case DatePart::kMonth: return daysFromCivil(civil.year, civil.month, 1);
    default: return days;
    }
}
/// Microseconds of a part of fixed length; 0 for the others.
inline constexpr i64 microsOfPart(DatePart part) {
    switch (part) {
    case DatePart::kWeek: return 7 * kMicrosPerDay;
    case DatePart::kDay:
    case DatePart::kDayOfWeek:
    case DatePart::kIsoDayOfWeek:
    case DatePart::kDayOfYear: return kMicrosPerDay;
    case DatePart::kHour: return kMicrosPerHour;
    case DatePart::kMinute: return kMicrosPerMinute;
    case DatePart::kSecond: return kMicrosPerSecond;
    case DatePart::kMillisecond: return 1000;
    case DatePart::kMicrosecond: return 1;
    default: return 0;
    }
}
/// Months of a part of calendar length; 0 for the others.
inline constexpr i64 monthsOfPart(DatePart part) {
    switch (part) {
    case DatePart::kMillennium: return 12000;
    case DatePart::kCentury: return 1200;
    case DatePart::kDecade: return 120;
    case DatePart::kYear:
    case DatePart::kIsoYear: return 12;
    case DatePart::kQuarter: return 3;
    case DatePart::kMonth: return 1;
    default: return 0;
    }
}
inline i64 truncateTimestamp(DatePart part, i64 micros) {
    if (!isFiniteTimestamp(micros)) return micros;
    if (isTimePart(part)) return floorDivide(micros, microsOfPart(part)) * microsOfPart(part);
    return i64(truncateDate(part, dateOfTimestamp(micros))) * kMicrosPerDay;
}

/// How many boundaries of the part lie between: DATEDIFF(part, from, to).
inline i64 differenceOfParts(DatePart part, i64 from, i64 to) {
    const i64 months = monthsOfPart(part);
    if (months > 0) {
        const auto index = [&](i64 micros) {
            const Civil civil = civilFromDays(dateOfTimestamp(micros));
            // Centuries and millennia begin with year 1, decades with year 0.
            const i64 year = months >= 1200 ? civil.year - 1 : civil.year;
            return floorDivide(year * 12 + civil.month - 1, months);
        };
        return index(to) - index(from);
    }
    if (part == DatePart::kWeek) { // weeks of DATEDIFF begin on Sunday
        const auto index = [](i64 micros) {
            return floorDivide(i64(dateOfTimestamp(micros)) + 6, i64(7));
        };
        return index(to) - index(from);
    }
    const i64 unit = microsOfPart(part);
    if (unit == 0) return 0;
    return floorDivide(to, unit) - floorDivide(from, unit);
}

} // namespace blueshift::kernels
