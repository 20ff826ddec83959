// segment_state.h: what one worker holds while machine code runs: the Frame and all behind it.
//
// Place: private to execute/generated: the step fills it, the runtime's functions work on it.
// Columns: `source` are the slots over rows of the source batch, `tuples` over the tuples of the
// last lookup. Flattened copies are kept until the batch (the tuples) change.
#pragma once

#include "execute/expression/evaluator.h"
#include "execute/generated/code_source.h"
#include "execute/group/local_groups.h"

namespace blueshift::execute {

struct SegmentState final : State {
    explicit SegmentState(const compile::Segment& segment);

    /// Vectors of all slots over the members of one space.
    struct Space {
        std::vector<Vector> columns;
        std::vector<VectorBuffer> rooms; // for computed slots
        std::vector<VectorBuffer> flats; // flattened copies
        std::vector<kernels::Column> plain;
        std::vector<bool> is_plain;

        void reset(u32 slots);
        void forget();
        void set(u32 slot, const Vector& vector);
        kernels::Column plainColumn(u32 slot, PhysicalKind kind, const u16* rows, u32 count);
    };

    Batch batch();     // over the space at hand
    Batch sinkBatch(); // the same in the sink's slots
    Space& space() { return frame.in_tuples != 0 ? tuples : source; }
    const u16* liveRows() const {
        return frame.in_tuples != 0 ? frame.tuple_selection : frame.selection;
    }
    u32 liveCount() const { return frame.in_tuples != 0 ? frame.tuple_selected : frame.selected; }

    const compile::Segment& segment;
    kernels::Frame frame{};
    std::vector<u64> local; // Frame::local
    std::vector<u64> step_rows;
    Space source;
    Space tuples;
    std::vector<std::unique_ptr<Evaluator>> evaluators;
    std::vector<VectorBuffer> evaluated; // flattened results
    std::vector<Vector> sink_columns;
    LocalGroups* groups = nullptr;
    WorkerContext* context = nullptr;
};

} // namespace blueshift::execute
