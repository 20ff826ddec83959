// spilled_window.h: window parts on disk, computed one at a time by the morsels that read them.
//
// A part that finds no room is divided by the next bits of its rows' hashes, that is, of their
// partition keys. One that holds most of the rows there were gains nothing from that: it is sorted
// on disk (SortedPart). Without partition keys, rows are written as sorted runs at once.
// Threads: write() locks; a morsel is one worker's.
#pragma once

#include <atomic>
#include <mutex>

#include "execute/window/sorted_part.h"
#include "execute/window/window_part.h"

namespace blueshift::execute {

class WindowSpill {
public:
    explicit WindowSpill(const WindowShape& shape) : codec(shape.layout), shape_(shape) {}

    /// Writes the rows to parts; a row's WindowPart::rowBytes() are taken.
    void write(std::vector<u8*> rows, WorkerContext& context);
    bool any() const { return any_.load(); }
    const SpilledRows& part(u32 index) const { return parts_[index]; }
    const std::vector<SpilledRows>& runs() const { return runs_; }
    u64 bytesSpilled() const { return file.bytesSpilled() + further_bytes.load(); }

    SpillFile file;
    const RowCodec codec;
    std::atomic<u64> further_bytes{0}; // in files of parts

private:
    const WindowShape& shape_;
    std::mutex mutex_;
    SpilledParts parts_;
    std::vector<SpilledRows> runs_; // without partition keys
    std::atomic<bool> any_{false};
};

class SpilledWindowSource final : public SourceOperator {
public:
    SpilledWindowSource(const WindowShape& shape, WindowSpill& spill, std::vector<u32> columns)
        : shape_(shape), spill_(spill), columns_(std::move(columns)) {}

    void open() override;
    u32 morselCount() const override { return spill_.runs().empty() ? u32(parts_.size()) : 1; }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct Waiting {
        u32 level = 0;
        bool divisible = false;
        SpilledRows rows;
    };
    struct Computing;

    bool divisible(u32 level, u64 rows, u64 of, const WorkerContext& context) const {
        return level < context.memory->mostLevels() && rows <= of / 2;
    }
    /// Makes a part ready to be read, or divides it; false after recording an error.
    bool compute(Computing& state, const Waiting& part, WorkerContext& context);
    void divide(Computing& state, const Waiting& part, size_t next_block, WorkerContext& context);
    void sort(Computing& state, const Waiting& part, size_t next_block, WorkerContext& context);
    void endPart(Computing& state, WorkerContext& context);

    const WindowShape& shape_;
    WindowSpill& spill_;
    std::vector<u32> columns_;
    std::vector<u32> parts_; // that have rows
    u64 rows_ = 0;           // in all parts
};

} // namespace blueshift::execute
