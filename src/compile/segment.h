// segment.h: a run of a pipeline's steps as one generated function, and what the function needs.
//
// Place: product of compile/codegen (see generate.h); execute/generated runs it.
// Owns / borrows: the text is owned; expressions, slots and constants are those of the Program,
// which must outlive the segment. See docs/design/codegen.md.
#pragma once

#include <string>
#include <vector>

#include "compile/program.h"

namespace blueshift::compile {

/// Where a column lies in a row in memory.
struct RowField {
    u32 offset = 0;
    bool nullable = false;
    u32 null_byte = 0;
    u8 null_mask = 0;
};
/// How a build side's rows lie in memory: columns numbered as in BuildSink.
struct BuildRowShape {
    std::vector<RowField> fields;
    u32 match_offset = 0; // of the match flag, when the sink keeps matches
};
/// How a group's row lies in memory.
struct GroupRowShape {
    std::vector<RowField> keys;
    std::vector<u32> states; // byte offset of each call's state
};

/// By sink of the program; empty for sinks of other kinds.
struct RowShapes {
    std::vector<BuildRowShape> builds;
    std::vector<GroupRowShape> groups;
};

struct Segment {
    u32 pipeline = 0;
    /// Steps [first_step, first_step + step_count) of the pipeline, counted from 0.
    u32 first_step = 0;
    u32 step_count = 0;
    /// The segment ends in the pipeline's GroupSink and updates its groups itself.
    bool fuses_group = false;

    std::string name; // of the function, as debuggers and profilers show it
    std::string text; // C++ with comments
    std::string key;  // the same without comments and name: equal keys, equal machine code

    struct Parameter {
        Value value; // integer kinds and floats only
        PhysicalKind kind = PhysicalKind::kI64;
    };
    std::vector<Parameter> parameters;

    /// Evaluated by the interpreter over the batch of the current space: bs_evaluate(index). The
    /// result is also the column `target` of that space, if one is named.
    struct External {
        Expression expression;
        Slot target = kNoSlot;
    };
    std::vector<External> externals;
    /// Operations that may raise: bs_raise(index).
    std::vector<const EvalNode*> operations;
    /// Build sinks of the lookups, in the order of Frame::tables.
    std::vector<u32> tables;
    /// Operator ids of Frame::step_rows.
    std::vector<u32> counted_ops;

    std::vector<SlotInfo> input;  // slots before the first step
    std::vector<SlotInfo> output; // slots after the last step
    /// Slots after the last step that somebody reads: those that an output batch holds.
    std::vector<Slot> delivered;
    /// Space of the output: false, rows of the source batch; true, tuples.
    bool gives_tuples = false;
    /// Group sinks: input slot i of the sink is this slot of the output.
    std::vector<Slot> sink_slots;
    /// Calls of the sink whose states the text updates; the others are left to bs_update_groups.
    std::vector<bool> fused_calls;
};

} // namespace blueshift::compile
