// group_spill.h: what a GROUP BY has written to disk: groups and deferred input in 64 parts.
//
// Life: workers write whole local tables (absorb); afterwards parts are merged one at a time, by
// the source's morsels, and divided further where they find no room.
// Threads: absorb under its own lock; part() after the last absorb.
#pragma once

#include <atomic>
#include <mutex>

#include "execute/group/group_shape.h"
#include "execute/spill/spilled_rows.h"

namespace blueshift::execute {

/// Rows whose group hashes agree in the first 6 * (level + 1) bits.
struct GroupPart {
    u32 level = 0;
    SpilledRows groups;
    std::vector<SpilledRows> deferred; // by GroupShape::deferred
};

class GroupSpill {
public:
    struct Written {
        explicit Written(const GroupShape& shape) : deferred(shape.deferred.size()) {}
        SpilledParts groups;
        std::vector<SpilledParts> deferred;
    };

    explicit GroupSpill(const GroupShape& shape);

    void absorb(Written&& written);
    bool any() const { return any_.load(); }
    const GroupPart& part(u32 index) const { return parts_[index]; }

    SpillFile file;
    const RowCodec group_codec;
    std::vector<RowCodec> deferred_codecs;

private:
    std::mutex mutex_;
    std::array<GroupPart, kPartitions> parts_;
    std::atomic<bool> any_{false};
};

} // namespace blueshift::execute
