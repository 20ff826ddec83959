// pipeline.h: what generated C++ sees of the engine: columns, hash tables, groups, and the calls
// back into the runtime.
//
// Place: the only header of a generated text; execute/generated fills the Frame and defines the
// extern "C" functions. Freestanding, see scalar.h.
// Contract: pointers of a Frame live while the function runs on one batch. A call that fails sets
// Frame::failed; generated code then returns at once. Row numbers and tuples are below kBatchRows.
#pragma once

#include "kernels/aggregate.h"
#include "kernels/convert.h"
#include "kernels/datetime.h"
#include "kernels/decimal.h"
#include "kernels/scalar.h"
#include "kernels/text.h"

namespace blueshift::kernels {

inline constexpr u32 kBatchRows = 1024;
/// Rows between two passes over a hash table: their cache lines arrive while the stage runs.
inline constexpr u32 kStageRows = 256;

/// A finished build side: execute/join/join_build.h describes the directory.
struct JoinTable {
    const u64* directory; // of a hash: directory[hash << skip >> shift]; the one before is valid
    u32 skip;
    u32 shift;
    bool empty;
    bool saw_null_key;
    bool saw_rows;
    u8* const* rows;
    const u8* null_row; // stands for "no partner": its nullable columns are NULL
};

struct Frame {
    // ---- The batch at hand, and the rows of it that live.
    u32 rows;
    u32 selected;
    const u16* selection;
    // ---- The tuples at hand, once a lookup has opened a space, and those of them that live.
    u32 in_tuples;
    u32 tuples;
    u32 tuple_selected;
    const u16* tuple_selection;
    u32 depth; // how far the function has come with this batch; 0 is a new one
    u32 failed;
    // ---- After bs_number_groups: live row (tuple) i belongs to groups[numbers[i]].
    u32 group_count;
    const u16* numbers;
    u8* const* groups;
    const i128* parameters;
    const f64* float_parameters;
    const JoinTable* const* tables;
    u64* step_rows; // rows that each operator gave, for EXPLAIN ANALYZE
    void* local;    // `local_bytes` of the generated text
    void* runtime;
};

/// Probe rows that may have partners, and how far each has come.
struct Candidates {
    u32 count;
    u32 at;          // the next one
    const u16* live; // the members that were looked up
    u32 live_count;
    u32 rest_at; // rows without a partner: the next one to look at
    u16 row[kBatchRows];
    u64 next[kBatchRows];
    u64 end[kBatchRows];
    u64 hash[kBatchRows];
    u64 matched[kBatchRows / 64];
};

struct RowNumbers {
    u16 rows[kBatchRows];
};

/// The groups of a batch, by runs of live rows (tuples) with equal keys: run r is those at
/// [begin[r], begin[r + 1]) of the selection.
struct GroupRuns {
    u32 count;
    u32 missing_count;
    u16 missing[kBatchRows]; // runs whose group was not found
    u16 begin[kBatchRows + 1];
    u64 hash[kBatchRows];
    u8* group[kBatchRows];
};

inline constexpr u32 kMostIndexKeys = 4;
/// Groups by the numbers of their keys' values: groups[sum of (key - least) * stride], nullptr
/// where there is none yet. A value that is `extent` or more beyond `least` has none in the table;
/// the entry at `size` stands for it, and stays empty.
struct GroupIndex {
    u8** groups;
    u64 size;
    u64 least[kMostIndexKeys];
    u64 extent[kMostIndexKeys];
    u64 stride[kMostIndexKeys];
};

/// Where looking up a hash in the table of groups begins: first[hash & mask].
struct GroupSlots {
    const u64* first;
    u64 mask;
};

/// Values of a column and, where it may hold NULLs, a validity bit per row.
struct Column {
    const void* values;
    const u64* validity;
};

extern "C" {
/// Row i is i: the selection of a batch without one.
extern const RowNumbers bs_every_row;
/// An input slot as plain values for the live rows of the source batch.
Column bs_column(Frame* frame, u32 slot);
/// A stored slot as plain values for the tuples at hand.
Column bs_tuple_column(Frame* frame, u32 slot);
/// The interpreter's value of an expression for the live rows of the current space.
Column bs_evaluate(Frame* frame, u32 expression);
/// Room for the values of a slot, one a row (tuple) of the current space, all valid.
Column bs_room(Frame* frame, u32 slot);
/// An input slot for tuples: tuple i takes row rows[i] of the source batch.
void bs_take(Frame* frame, u32 slot, const u16* rows, u32 tuples);
/// Which of `count` hashes may have rows in a build side: hit h is hash hits[h], its candidates are
/// table.rows[next[h]] up to [end[h]]. Directory entries, then rows, are prefetched. Returns the
/// number of hits.
u32 bs_find_candidates(const JoinTable* table, const u64* hashes, u32 count, u16* hits, u64* next,
                       u64* end);
/// Adds those of `count` members that have hits, each with its hash.
void bs_add_candidates(const JoinTable* table, const u64* hashes, const u16* members, u32 count,
                       Candidates* candidates);
/// The next pairs of a member and a row of the build side with its hash: a batch at most.
u32 bs_next_candidates(const JoinTable* table, Candidates* candidates, u16* members,
                       const u8** rows);
/// The group of a GROUP BY without keys.
u8* bs_only_group(Frame* frame);
/// Numbers the groups of the live rows (tuples), from 0 in each batch.
void bs_number_groups(Frame* frame);
/// Before a batch's groups are looked up: there is room for as many new ones.
GroupSlots bs_open_groups(Frame* frame);
/// A row that may be the group of each hash, or nullptr. The rows are prefetched.
void bs_find_groups(Frame* frame, const u64* hashes, u32 count, u8** rows);
/// After the runs of a stage, which begin at `first`: finds or makes the groups of the missing.
void bs_add_groups(Frame* frame, GroupRuns* runs, u32 first);
/// Before a batch's groups are looked up by value: there is room for as many new ones.
const GroupIndex* bs_open_index(Frame* frame);
/// Like bs_add_groups; run r was looked for at places[r - first].
void bs_add_indexed(Frame* frame, GroupRuns* runs, u32 first, u8** const* places);
/// Updates the aggregates that are not generated.
void bs_update_groups(Frame* frame);
/// hashText() and equal(): inlined they would be most of a text, and of the time it takes to
/// compile.
u64 bs_hash_text(const TextView* text);
bool bs_equal_texts(const TextView* a, const TextView* b);
/// Raises what `flags` says of an operation.
void bs_raise(Frame* frame, u32 operation, u32 flags);
/// Raises 21000: a scalar subquery gave two rows.
void bs_raise_second_row(Frame* frame);
}

template <class T> inline const T* valuesOf(const Column& column) {
    return static_cast<const T*>(column.values);
}
inline bool isValid(const u64* validity, u32 row) {
    return validity[row >> 6] >> (row & 63) & 1;
}
inline void setValid(const u64* validity, u32 row, bool valid) {
    u64& word = const_cast<u64*>(validity)[row >> 6];
    const u64 bit = u64(1) << (row & 63);
    word = valid ? word | bit : word & ~bit;
}
template <class T> inline T load(const u8* row, u32 offset) {
    T value;
    __builtin_memcpy(&value, row + offset, sizeof(T));
    return value;
}
inline u32 smaller(u32 a, u32 b) {
    return a < b ? a : b;
}

// ---- Steps of a lookup.

template <class T> inline u64 hashKey(T key) {
    if constexpr (T(0.5) != T(0)) return hashFloat(key);
    else return hashInteger(key);
}
inline constexpr TextView kNoText{};
inline const TextView* textAt(const u8* row, u32 offset) {
    return reinterpret_cast<const TextView*>(row + offset);
}
inline void markMatched(const u8* row, u32 offset) {
    __atomic_store_n(const_cast<u8*>(row) + offset, u8(1), __ATOMIC_RELAXED);
}

inline void setMatched(Candidates& candidates, u32 row) {
    candidates.matched[row >> 6] |= u64(1) << (row & 63);
}

} // namespace blueshift::kernels
