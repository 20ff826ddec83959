// uuid.h: 128 random bits that name databases, writers, attempts and transactions.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <string>

#include "base/clock.h"
#include "base/hash.h"
#include "base/ints.h"

namespace blueshift::transaction {

struct Uuid {
    u64 high = 0;
    u64 low = 0;
    auto operator<=>(const Uuid&) const = default;

    static Uuid make(Random& random) {
        Uuid uuid;
        uuid.high = random.next();
        uuid.low = random.next();
        return uuid;
    }
    std::string toText() const { return fmt::format("{:016x}{:016x}", high, low); }
};

struct UuidHash {
    size_t operator()(const Uuid& uuid) const { return combineHash(uuid.high, uuid.low); }
};

} // namespace blueshift::transaction
