#include "session/login_throttle.h"

#include <algorithm>

namespace blueshift::session {

namespace {

constexpr i64 kForgetMicros = 300 * 1'000'000;
constexpr size_t kMaxEntries = 10'000;
constexpr u32 kFreeAttempts = 3;
constexpr u32 kFirstDelayMs = 125;
constexpr u32 kMaxDelayMs = 4'000;

std::string keyOf(std::string_view user, std::string_view address) {
    // The network part: three of four numbers, or four of eight groups.
    const bool v4 = address.find(':') == address.npos;
    size_t end = 0;
    for (int part = 0; part < (v4 ? 3 : 4) && end != address.npos; ++part)
        end = address.find(v4 ? '.' : ':', end == 0 ? 0 : end + 1);
    return std::string(user) + '\0' + std::string(address.substr(0, end));
}

} // namespace

u32 LoginThrottle::delayMs(std::string_view user, std::string_view address, i64 now_micros) {
    const std::lock_guard lock(mutex_);
    const auto found = failures_.find(keyOf(user, address));
    if (found == failures_.end()) return 0;
    if (now_micros - found->second.last_micros > kForgetMicros) {
        failures_.erase(found);
        return 0;
    }
    if (found->second.count < kFreeAttempts) return 0;
    const u32 doublings = std::min(found->second.count - kFreeAttempts, 5u);
    return std::min(kFirstDelayMs << doublings, kMaxDelayMs);
}

void LoginThrottle::failed(std::string_view user, std::string_view address, i64 now_micros) {
    const std::lock_guard lock(mutex_);
    // Names are the attacker's choice: the table is emptied of old entries before it grows too far.
    if (failures_.size() >= kMaxEntries)
        std::erase_if(failures_, [&](const auto& entry) {
            return now_micros - entry.second.last_micros > kForgetMicros;
        });
    if (failures_.size() >= kMaxEntries) failures_.clear();
    Failures& entry = failures_[keyOf(user, address)];
    ++entry.count;
    entry.last_micros = now_micros;
}

void LoginThrottle::succeeded(std::string_view user, std::string_view address) {
    const std::lock_guard lock(mutex_);
    failures_.erase(keyOf(user, address));
}

} // namespace blueshift::session
