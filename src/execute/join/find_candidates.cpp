// The stages of a lookup that do not depend on the query: the interpreter and generated code call
// them alike.
#include "execute/join/join_build.h"

namespace blueshift::kernels {

extern "C" u32 bs_find_candidates(const JoinTable* table, const u64* hashes, u32 count, u16* hits,
                                  u64* next, u64* end) {
    const auto entryOf = [directory = table->directory, skip = table->skip, shift = table->shift](
                             u64 hash) { return directory + (hash << skip >> shift); };
    for (u32 i = 0; i < count; ++i) __builtin_prefetch(entryOf(hashes[i]));
    u32 found = 0;
    for (u32 i = 0; i < count; ++i) {
        const u64* entry = entryOf(hashes[i]);
        const u64 tag = execute::JoinBuild::tagOf(hashes[i]);
        hits[found] = u16(i);
        next[found] = entry[-1] >> 16;
        end[found] = entry[0] >> 16;
        found += (entry[0] & tag) == tag;
    }
    u8* const* rows = table->rows;
    for (u32 h = 0; h < found; ++h) __builtin_prefetch(rows + next[h]);
    for (u32 h = 0; h < found; ++h) __builtin_prefetch(rows[next[h]]);
    return found;
}

extern "C" void bs_add_candidates(const JoinTable* table, const u64* hashes, const u16* members,
                                  u32 count, Candidates* candidates) {
    Candidates& c = *candidates;
    u16 hits[kStageRows];
    const u32 found =
        bs_find_candidates(table, hashes, count, hits, c.next + c.count, c.end + c.count);
    for (u32 h = 0; h < found; ++h) {
        c.row[c.count + h] = members[hits[h]];
        c.hash[c.count + h] = hashes[hits[h]];
    }
    c.count += found;
}

extern "C" u32 bs_next_candidates(const JoinTable* table, Candidates* candidates, u16* members,
                                  const u8** rows) {
    Candidates& c = *candidates;
    u8* const* const all = table->rows;
    u32 n = 0;
    u32 at = c.at;
    for (; at < c.count && n < kBatchRows; ++at) {
        const u16 member = c.row[at];
        const u64 hash = c.hash[at];
        const u64 end = c.end[at];
        u64 r = c.next[at];
        for (; r < end && n < kBatchRows; ++r) {
            members[n] = member;
            rows[n] = all[r];
            n += execute::RowLayout::hashOf(all[r]) == hash;
        }
        if (r < end) {
            c.next[at] = r;
            break;
        }
    }
    c.at = at;
    return n;
}

} // namespace blueshift::kernels
