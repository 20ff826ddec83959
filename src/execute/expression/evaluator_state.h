// evaluator_state.h: what an evaluator's node keeps between batches; private to expression/.
//
// Buffers only grow. `dictionary_id` names the dictionary for which `entries` (IN lists:
// `result`) holds a value per entry, 0 when it does not.
#pragma once

#include "execute/expression/evaluator.h"
#include "execute/expression/in_list.h"

namespace blueshift::execute {

/// What a node keeps between batches.
struct Evaluator::NodeState {
    VectorBuffer result;
    VectorBuffer entries; // a value per dictionary entry
    VectorBuffer flat[2];
    std::vector<VectorBuffer> more_flat;
    alignas(16) char constant_bytes[16] = {};
    std::unique_ptr<InListSet> in_list;
    u64 dictionary_id = 0;
    functions::TextHeap entry_heap;

    VectorBuffer& flatBuffer(u32 index) {
        if (index < 2) return flat[index];
        if (more_flat.size() < index - 1) more_flat.resize(index - 1);
        return more_flat[index - 2];
    }
};

} // namespace blueshift::execute
