#include "base/clock.h"

#include <sys/random.h>

#include <chrono>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "base/hash.h"

namespace blueshift {
namespace {

/// Seconds from 1970-01-01 to 2000-01-01.
constexpr i64 kEpochSeconds = 946684800;

class SystemClock final : public Clock {
public:
    i64 nowMicros() override {
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::microseconds>(since).count() -
               kEpochSeconds * 1'000'000;
    }
    i64 monotonicNanos() override {
        const auto since = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
    }
};

class SystemRandom final : public Random {
public:
    u64 next() override {
        u64 value;
        fill(&value, sizeof value);
        return value;
    }
    void fill(void* data, size_t bytes) override {
        auto* at = static_cast<char*>(data);
        while (bytes > 0) {
            const ssize_t got = getrandom(at, bytes, 0);
            BS_CHECK(got > 0, "getrandom failed");
            at += got;
            bytes -= size_t(got);
        }
    }
};

class SeededRandom final : public Random {
public:
    explicit SeededRandom(u64 seed) : state_(seed) {}
    u64 next() override {
        std::lock_guard lock(mutex_);
        state_ += 0x9E3779B97F4A7C15ull;
        return mixHash(state_);
    }
    void fill(void* data, size_t bytes) override {
        auto* at = static_cast<char*>(data);
        while (bytes > 0) {
            const u64 value = next();
            const size_t part = bytes < 8 ? bytes : 8;
            std::memcpy(at, &value, part);
            at += part;
            bytes -= part;
        }
    }

private:
    std::mutex mutex_;
    u64 state_;
};

} // namespace

std::unique_ptr<Clock> makeSystemClock() {
    return std::make_unique<SystemClock>();
}
std::unique_ptr<Random> makeSystemRandom() {
    return std::make_unique<SystemRandom>();
}
std::unique_ptr<Random> makeSeededRandom(u64 seed) {
    return std::make_unique<SeededRandom>(seed);
}

} // namespace blueshift
