// build_state.h: what one worker collects for a join build: rows, and their hashes by partition.
//
// Place: private to join/; flush() or spill() takes it over. Threads: one worker's.
#pragma once

#include "execute/join/join_build.h"

namespace blueshift::execute {

struct JoinBuild::BuildState : State {
    explicit BuildState(u32 keys) : hasher(keys) {}
    RowPages pages;
    ColumnHasher hasher;
    std::array<std::vector<Entry>, kPartitions> entries;
    bool saw_null_key = false;
    u64 entry_count = 0;
    std::vector<u8*> unkeyed; // rows with a NULL key that are kept
    struct KeyRange {
        bool any = false;
        i128 min = 0;
        i128 max = 0;
    };
    std::vector<KeyRange> ranges;
    std::array<u64, kVectorRows> hashes;
    std::array<u8*, kVectorRows> rows;
    std::array<u16, kVectorRows + 64> keyed;
};

} // namespace blueshift::execute
