// clock.h: time and randomness behind interfaces, so that one seed can replay any failure.
//
// No other code reads a clock or a random device. Safety never depends on time.
// Threads: both interfaces may be used from any thread.
#pragma once

#include <memory>

#include "base/ints.h"

namespace blueshift {

class Clock {
public:
    virtual ~Clock() = default;
    /// Microseconds since 2000-01-01 00:00 UTC.
    virtual i64 nowMicros() = 0;
    /// Monotonic nanoseconds, for durations.
    virtual i64 monotonicNanos() = 0;
};

class Random {
public:
    virtual ~Random() = default;
    virtual u64 next() = 0;
    /// Bytes fit for passwords, salts and cancel keys.
    virtual void fill(void* data, size_t bytes) = 0;
};

std::unique_ptr<Clock> makeSystemClock();
std::unique_ptr<Random> makeSystemRandom();
/// Repeats the same sequence for the same seed; for tests and simulations.
std::unique_ptr<Random> makeSeededRandom(u64 seed);

} // namespace blueshift
