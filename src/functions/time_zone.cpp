#include "functions/time_zone.h"

#include <cctz/time_zone.h>

#include <bit>
#include <chrono>
#include <string>
#include <vector>

#include "functions/ascii.h"
#include "kernels/datetime.h"

namespace blueshift::functions {

namespace {

using Seconds = std::chrono::duration<i64>;
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Seconds>;

constexpr i64 kUnixShift = i64(kernels::kUnixToEpochDays) * 86400;

struct Abbreviation {
    std::string_view name;
    i32 minutes_east;
};
constexpr Abbreviation kAbbreviations[] = {
    {"acdt", 630},  {"acst", 570}, {"adt", -180}, {"aedt", 660}, {"aest", 600}, {"akdt", -480},
    {"akst", -540}, {"art", -180}, {"ast", -240}, {"awst", 480}, {"brt", -180}, {"bst", 60},
    {"cdt", -300},  {"cest", 120}, {"cet", 60},   {"clt", -240}, {"cst", -360}, {"edt", -240},
    {"eest", 180},  {"eet", 120},  {"est", -300}, {"hkt", 480},  {"hst", -600}, {"ist", 330},
    {"jst", 540},   {"kst", 540},  {"mdt", -360}, {"msk", 180},  {"mst", -420}, {"ndt", -150},
    {"nst", -210},  {"nzdt", 780}, {"nzst", 720}, {"pdt", -420}, {"pht", 480},  {"pkt", 300},
    {"pst", -480},  {"sgt", 480},  {"west", 60},  {"wet", 0},    {"wib", 420},  {"zulu", 0},
    {"z", 0},       {"utc", 0},    {"gmt", 0},    {"uct", 0},    {"ut", 0},
};

/// `America/New_York` from any spelling of its case.
std::string canonicalName(std::string_view name) {
    std::string text = asciiLower(name);
    bool start = true;
    for (size_t i = 0; i < text.size(); ++i) {
        if (start) text[i] = asciiUpper(text[i]);
        start = text[i] == '/' || text[i] == '_' || text[i] == '-';
        // Port_of_Spain, Dar_es_Salaam
        if (text[i] == '_' && (text.compare(i, 4, "_of_") == 0 || text.compare(i, 4, "_es_") == 0))
            start = false;
    }
    for (std::string_view upper :
         {"Us/", "Etc/Gmt", "Etc/Utc", "Gmt", "Utc", "Nz", "Prc", "Roc", "Rok", "Gb"})
        if (text.starts_with(upper))
            for (size_t i = 0; i < upper.size(); ++i) text[i] = asciiUpper(text[i]);
    if (text.starts_with("ETC/")) text.replace(0, 4, "Etc/");
    return text;
}

/// `[name][ ][+|-]hh[:mm[:ss]]`; positive is west.
std::optional<i64> posixOffset(std::string_view name) {
    size_t at = 0;
    while (at < name.size() && isAsciiLetter(name[at])) ++at;
    while (at < name.size() && name[at] == ' ') ++at;
    if (at >= name.size()) return {};
    const bool has_sign = name[at] == '+' || name[at] == '-';
    const bool negative = name[at] == '-';
    if (has_sign) ++at;
    i64 fields[3] = {0, 0, 0};
    int field = 0;
    int digits = 0;
    for (; at < name.size(); ++at) {
        if (name[at] == ':' && digits > 0 && field < 2) {
            ++field;
            digits = 0;
        } else if (isAsciiDigit(name[at]) && digits < 2) {
            fields[field] = fields[field] * 10 + (name[at] - '0');
            ++digits;
        } else {
            return {};
        }
    }
    if (digits == 0 || fields[0] > 15 || fields[1] > 59 || fields[2] > 59) return {};
    const i64 seconds = fields[0] * 3600 + fields[1] * 60 + fields[2];
    return negative ? seconds : -seconds;
}

cctz::time_zone zoneOf(const void* bits) {
    return std::bit_cast<cctz::time_zone>(bits);
}

} // namespace

TimeZone TimeZone::fixed(i64 seconds_east) {
    TimeZone zone;
    zone.offset_ = seconds_east;
    return zone;
}

std::optional<TimeZone> TimeZone::find(std::string_view name) {
    name = trimBlanks(name);
    if (name.empty() || name.size() > 64) return {};
    const std::string lower = asciiLower(name);
    for (const Abbreviation& entry : kAbbreviations)
        if (entry.name == lower) return fixed(i64(entry.minutes_east) * 60);
    if (const auto offset = posixOffset(name)) return fixed(*offset);
    // A path into the file system is not a zone.
    if (name.front() == '/' || name.find("..") != std::string_view::npos) return {};
    if (lower.starts_with("fixed/") || lower.starts_with("file:") || lower == "localtime")
        return {};
    cctz::time_zone zone;
    if (!cctz::load_time_zone(std::string(name), &zone) &&
        !cctz::load_time_zone(canonicalName(name), &zone))
        return {};
    TimeZone result;
    result.named_ = true;
    result.zone_ = std::bit_cast<const void*>(zone);
    return result;
}

i64 TimeZone::offsetAt(i64 utc_micros) const {
    if (!named_) return offset_;
    const i64 seconds = kernels::floorDivide(utc_micros, kernels::kMicrosPerSecond) + kUnixShift;
    return zoneOf(zone_).lookup(TimePoint(Seconds(seconds))).offset;
}

i64 TimeZone::toLocal(i64 utc_micros) const {
    if (!kernels::isFiniteTimestamp(utc_micros)) return utc_micros;
    return kernels::add(utc_micros, offsetAt(utc_micros) * kernels::kMicrosPerSecond);
}

i64 TimeZone::toUtc(i64 local_micros) const {
    if (!kernels::isFiniteTimestamp(local_micros)) return local_micros;
    if (!named_) return kernels::subtract(local_micros, offset_ * kernels::kMicrosPerSecond);
    const i64 seconds = kernels::floorDivide(local_micros, kernels::kMicrosPerSecond);
    const i64 fraction = kernels::floorModulo(local_micros, kernels::kMicrosPerSecond);
    const cctz::civil_second civil = cctz::civil_second(2000, 1, 1, 0, 0, 0) + seconds;
    const auto found = zoneOf(zone_).lookup(civil);
    const i64 unix_seconds =
        std::chrono::time_point_cast<Seconds>(
            found.kind == cctz::time_zone::civil_lookup::REPEATED ? found.post : found.pre)
            .time_since_epoch()
            .count();
    return (unix_seconds - kUnixShift) * kernels::kMicrosPerSecond + fraction;
}

} // namespace blueshift::functions
