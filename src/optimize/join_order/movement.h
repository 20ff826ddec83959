// movement.h: what a join of two sets would move between nodes, and where its rows lie then.
//
// Place: JoinCluster enumerates these ways together with join order; placeExchanges later takes the
// cheapest way at each join of the tree that won. On one node nothing moves.
// Threads: no state.
#pragma once

#include "optimize/logical_shape.h"

namespace blueshift::optimize {

/// Where the rows of a planned set lie.
struct RowPlace {
    bool whole = false;        // all of them on every node
    std::vector<ColumnId> key; // by the bucket of any of these, which are equal; empty: somewhere

    bool operator==(const RowPlace&) const = default;
};

struct Movement {
    f64 bytes = 0;
    RowPlace place;
};

struct MovedJoin {
    const RowPlace& left;
    const RowPlace& right;
    f64 left_bytes = 0;
    f64 right_bytes = 0;
    std::span<const Equality> keys; // left column = right column
    bool inner = true;              // else the left side is preserved or tested
    bool keeps_right = false;       // full join
};

/// At least one; several where a dearer one leaves the rows where a later join may want them.
std::vector<Movement> movementsOf(const MovedJoin& join, u32 nodes);

/// Of a relation of the join cluster: a scan, perhaps filtered; anything else lies somewhere.
RowPlace placeOf(const bind::LogicalOp* op, u64 whole_table_rows);

} // namespace blueshift::optimize
