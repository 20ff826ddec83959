// segment_plan.h: which steps of a pipeline become generated functions.
//
// Place: first half of codegen: it looks at steps, never at text. The rules are those of
// docs/design/codegen.md: what is native, where a segment must end.
// Threads: no state.
#pragma once

#include "compile/program.h"

namespace blueshift::compile {

/// The node is a C++ expression over the values of its arguments in one row: numbers, comparisons,
/// and logic whose parts cannot fail.
bool isWritable(const EvalNode& node);
/// The same for its arguments and theirs: nothing is left to the interpreter.
bool isNative(const EvalNode& node);

/// At most one match of a probe row counts, so that a lookup narrows its space and opens no other.
bool matchesOnce(const ProbeStep& probe, const BuildSink& build);
/// The probe passes matches on (and reads build columns).
bool passesMatches(const ProbeStep& probe);

struct SegmentRange {
    u32 first_step = 0;
    u32 step_count = 0;
    bool fuses_group = false;
};
std::vector<SegmentRange> findSegments(const Program& program, const Pipeline& pipeline);

/// Adds the slots that an expression or a step reads.
void collectSlots(const EvalNode* node, std::vector<bool>& slots);
void collectSlots(const Step& step, std::vector<bool>& slots);

/// The calls of a group sink that generated code updates; none when it must be left alone.
std::vector<bool> fusedCalls(const Program& program, const Pipeline& pipeline);

} // namespace blueshift::compile
