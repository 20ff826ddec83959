// login_throttle.h: slows down guessing of passwords.
//
// Failures are counted by user and network (IPv4 /24, IPv6 /64). From the third on, the next
// attempt waits, twice as long each time, up to four seconds. A success or five quiet minutes
// forget them. Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/ints.h"

namespace blueshift::session {

class LoginThrottle {
public:
    /// Milliseconds that an attempt must wait.
    u32 delayMs(std::string_view user, std::string_view address, i64 now_micros);
    void failed(std::string_view user, std::string_view address, i64 now_micros);
    void succeeded(std::string_view user, std::string_view address);

private:
    struct Failures {
        u32 count = 0;
        i64 last_micros = 0;
    };
    std::mutex mutex_;
    std::map<std::string, Failures> failures_; // by user and network; bounded
};

} // namespace blueshift::session
