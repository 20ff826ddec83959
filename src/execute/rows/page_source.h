// page_source.h: reads rows of pages back as batches, all of them or those with a match flag.
//
// Place: materialised results, and build sides of joins that deliver (un)matched rows. The match
// flag is the first extra byte of a row.
// Threads: a morsel is a page; pages do not change while they are read, match flags excepted.
#pragma once

#include <array>
#include <optional>

#include "execute/spill/spilled_rows.h"

namespace blueshift::execute {

/// Rows on disk that follow the rows in memory.
struct SpilledPages {
    const SpillFile* file = nullptr;
    const RowCodec* codec = nullptr;
    std::vector<const SpilledRows*> rows;
    std::span<const u64> matched = {}; // match flags by number of the row; empty: in the rows
};

class PageSource final : public SourceOperator {
public:
    /// Delivers `columns` of the layout; with `matched` only rows whose flag is that.
    PageSource(const RowLayout& layout, const RowPages& pages, std::vector<u32> columns,
               std::optional<bool> matched = std::nullopt, SpilledPages spilled = {})
        : layout_(layout),
          pages_(pages),
          columns_(std::move(columns)),
          matched_(matched),
          spilled_(std::move(spilled)) {}

    void open() override;
    u32 morselCount() const override { return u32(pages_.pages().size() + blocks_.size()); }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct PageState;
    const RowLayout& layout_;
    const RowPages& pages_;
    std::vector<u32> columns_;
    std::optional<bool> matched_;
    SpilledPages spilled_;
    struct Block {
        const SpilledRows* rows;
        size_t index;
        u64 first; // number of its first row among those on disk
    };
    std::vector<Block> blocks_;
};

} // namespace blueshift::execute
