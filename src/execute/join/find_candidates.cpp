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

} // namespace blueshift::kernels
