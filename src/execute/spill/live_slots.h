// live_slots.h: which slots of a step's input batches anybody still reads.
//
// Place: a probe whose build does not fit writes probe rows out and takes them up later; slots that
// nobody reads may hold anything and are left behind.
// Threads: pure functions.
#pragma once

#include <vector>

#include "compile/program.h"

namespace blueshift::execute {

/// The batches that reach a step.
struct StepInput {
    std::vector<compile::SlotInfo> slots;
    std::vector<compile::Slot> live; // ascending; read by the step or behind it
};

StepInput inputOf(const compile::Pipeline& pipeline, size_t step);

} // namespace blueshift::execute
