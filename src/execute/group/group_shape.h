// group_shape.h: what a GROUP BY keeps for each group, worked out once from its description.
//
// A group row is [hash][keys, then the grouping set's index][null bits][states, one after another].
// Calls that must see their input de-duplicated (DISTINCT) or in order are *deferred*: their
// arguments are collected as rows of their own, with the keys, and applied after the groups are
// merged. Calls with the same arguments, filter and order share one collection.
// Threads: immutable after construction.
#pragma once

#include "execute/operator.h"
#include "execute/rows/row_layout.h"
#include "kernels/pipeline.h"

namespace blueshift::execute {

/// Input collected for deferred calls. Columns: hash of the group, the group's key columns as in
/// its own layout, arguments, order.
struct DeferredShape {
    static constexpr u32 kGroupHash = 0;
    static constexpr u32 kFirstKey = 1;

    std::vector<u32> calls; // GroupSink::calls
    std::vector<compile::Slot> args;
    compile::Slot filter = compile::kNoSlot;
    bool distinct = false;
    bool ordered = false;
    u32 first_arg = 0;
    u32 first_order = 0;
    RowLayout layout;
    std::vector<u32> compared;   // distinct: columns that make a row unique
    std::vector<u32> group_keys; // columns to compare with GroupShape::compared, in its order
};

class GroupShape {
public:
    explicit GroupShape(const compile::SinkInfo& info);
    GroupShape(const GroupShape&) = delete;

    const compile::SinkInfo& info;
    const compile::GroupSink& sink;
    RowLayout layout;
    u32 key_count = 0;
    bool has_sets = false;
    u32 set_column = 0;             // with sets: the column after the keys
    std::vector<u64> sets;          // masks; one of all keys when the sink names none
    std::vector<u32> compared;      // columns that make a group
    std::vector<u32> state_offsets; // in a row, by call
    std::vector<u8> initial_states; // the extra bytes of a new group
    kernels::GroupIndex index{};    // by value: what compile::groupRanges() says
    std::vector<u32> immediate;     // calls that are updated as rows come
    std::vector<DeferredShape> deferred;

    bool hasKeys() const { return key_count > 0 || has_sets; }
    /// Without keys deferred input is spread over partitions by its own hash, if order is no
    /// matter.
    bool spreadsWithoutKeys(const DeferredShape& input) const {
        return !hasKeys() && !input.ordered;
    }

private:
    void indexRanges();
    void deferCalls();
    DeferredShape& inputOf(u32 call);
};

} // namespace blueshift::execute
