// spilled_window.h: window parts on disk, computed one at a time by the morsels that read them.
//
// A part that finds no room is divided by the next bits of its rows' hashes, that is, of their
// partition keys. One partition must fit memory.
// Threads: absorb() locks; a morsel is one worker's.
#pragma once

#include <atomic>
#include <mutex>

#include "execute/spill/spilled_rows.h"
#include "execute/window/window_part.h"

namespace blueshift::execute {

class WindowSpill {
public:
    explicit WindowSpill(const WindowShape& shape) : codec(shape.layout) {}

    /// Writes the rows to parts.
    void write(std::span<u8* const> rows, WorkerContext& context);
    bool any() const { return any_.load(); }
    const SpilledRows& part(u32 index) const { return parts_[index]; }

    SpillFile file;
    const RowCodec codec;

private:
    std::mutex mutex_;
    SpilledParts parts_;
    std::atomic<bool> any_{false};
};

class SpilledWindowSource final : public SourceOperator {
public:
    SpilledWindowSource(const WindowShape& shape, WindowSpill& spill, std::vector<u32> columns)
        : shape_(shape), spill_(spill), columns_(std::move(columns)) {}

    void open() override;
    u32 morselCount() const override { return u32(parts_.size()); }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct Waiting {
        u32 level = 0;
        SpilledRows rows;
    };
    struct Computing;

    /// False: it was divided, or an error was recorded.
    bool compute(Computing& state, const Waiting& part, WorkerContext& context);

    const WindowShape& shape_;
    WindowSpill& spill_;
    std::vector<u32> columns_;
    std::vector<u32> parts_; // that have rows
};

} // namespace blueshift::execute
