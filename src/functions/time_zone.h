// time_zone.h: offsets of time zones, by name, abbreviation or POSIX offset.
//
// Place: casts of TIMESTAMPTZ, AT TIME ZONE, CONVERT_TIMEZONE, text input and output. The zone
// database is that of the system, read by cctz, which stays behind this header.
// Threads: values are immutable and cheap to copy.
// Names: IANA names without regard to case (US/Pacific), common abbreviations (PST, CEST), and
// POSIX forms such as `UTC+3` or `-02:15`, whose positive offsets lie west of Greenwich.
#pragma once

#include <optional>
#include <string_view>

#include "base/ints.h"

namespace blueshift::functions {

class TimeZone {
public:
    static TimeZone utc() { return TimeZone(); }
    static TimeZone fixed(i64 seconds_east);
    static std::optional<TimeZone> find(std::string_view name);

    /// Both take and give microseconds since 2000-01-01; infinities stay. A local time that a
    /// change of clocks skips is read with the offset before the change, one that it repeats with
    /// the offset after it.
    i64 toLocal(i64 utc_micros) const;
    i64 toUtc(i64 local_micros) const;
    /// Seconds east of Greenwich.
    i64 offsetAt(i64 utc_micros) const;

private:
    TimeZone() = default;
    bool named_ = false;
    i64 offset_ = 0;
    const void* zone_ = nullptr; // the bits of a cctz::time_zone
};

} // namespace blueshift::functions
