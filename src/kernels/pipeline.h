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
    const u64*
        directory; // the entry of a hash is directory[hash >> shift]; the one before is valid
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
    u32 group_count;
    const u16* group_rows; // the rows in the order of their groups
    u8* const* groups;     // group_rows[i] belongs to groups[i]
    const i128* parameters;
    const f64* float_parameters;
    const JoinTable* const* tables;
    u64* step_rows; // rows that each operator gave, for EXPLAIN ANALYZE
    void* local;    // `local_bytes` of the generated text
    void* runtime;
};

struct RowNumbers {
    u16 rows[kBatchRows];
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
/// Finds the groups of the live rows (tuples) and orders them.
void bs_assign_groups(Frame* frame);
/// Updates the aggregates that are not generated.
void bs_update_groups(Frame* frame);
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
inline u64 hashKey(const TextView& key) {
    return hashText(key);
}
inline u64 tagOf(u64 hash) {
    return u64(1) << (hash & 15) | u64(1) << (hash >> 4 & 15);
}
inline void prefetchEntry(const JoinTable& table, u64 hash) {
    __builtin_prefetch(table.directory + (hash >> table.shift));
}
inline bool tagMatches(const JoinTable& table, u64 hash) {
    const u64 tag = tagOf(hash);
    return (table.directory[hash >> table.shift] & tag) == tag;
}
inline u64 firstRow(const JoinTable& table, u64 hash) {
    return (table.directory + (hash >> table.shift))[-1] >> 16;
}
inline u64 endRow(const JoinTable& table, u64 hash) {
    return table.directory[hash >> table.shift] >> 16;
}
inline void markMatched(const u8* row, u32 offset) {
    __atomic_store_n(const_cast<u8*>(row) + offset, u8(1), __ATOMIC_RELAXED);
}

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
inline void setMatched(Candidates& candidates, u32 row) {
    candidates.matched[row >> 6] |= u64(1) << (row & 63);
}

} // namespace blueshift::kernels
