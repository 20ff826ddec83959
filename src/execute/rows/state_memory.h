// state_memory.h: the memory of aggregate states that do not fit their row (text, lists, sketches).
//
// Owns: chunks of 4 KiB growing to 256 KiB, freed together. Accounted to the worker that allocates;
// when the grant refuses, 53200 is recorded and the bytes are still given, so that the loop that
// asked can go on to its next look at failed().
// Threads: one at a time; bind() names the worker whose grant pays.
#pragma once

#include <memory>
#include <vector>

#include "execute/operator.h"
#include "functions/aggregate.h"

namespace blueshift::execute {

class StateMemory final : public functions::StateStore {
public:
    /// `what`: named by 53200; must live as long as this.
    void bind(WorkerContext& context, std::string_view what = "aggregate states") {
        context_ = &context;
        what_ = what;
    }
    void* allocate(size_t bytes) override;
    /// Frees everything; states that point here are void.
    void release();
    u64 memoryBytes() const { return memory_bytes_; }

private:
    std::vector<std::unique_ptr<u64[]>> chunks_;
    u8* at_ = nullptr;
    size_t left_ = 0;
    u64 memory_bytes_ = 0;
    WorkerContext* context_ = nullptr;
    std::string_view what_;
};

} // namespace blueshift::execute
