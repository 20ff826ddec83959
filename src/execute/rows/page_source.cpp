#include "execute/rows/page_source.h"

namespace blueshift::execute {

struct PageSource::PageState : State {
    const RowPage* page = nullptr;
    u32 next_row = 0;
    RowPages read;              // the block at hand
    std::optional<u64> flagged; // number of its first row when flags lie apart
    std::vector<VectorBuffer> buffers;
    std::vector<Vector> vectors;
    std::array<const u8*, kVectorRows> rows;
};

std::unique_ptr<State> PageSource::makeState(WorkerContext&) {
    auto state = std::make_unique<PageState>();
    state->buffers.resize(columns_.size());
    state->vectors.resize(columns_.size());
    return state;
}

void PageSource::open() {
    u64 first = 0;
    for (const SpilledRows* rows : spilled_.rows)
        for (size_t b = 0; b < rows->blockCount(); ++b) {
            blocks_.push_back({rows, b, first});
            first += rows->blockRows(b);
        }
}

void PageSource::start(State& base, u32 morsel, WorkerContext& context) {
    auto& state = static_cast<PageState&>(base);
    state.next_row = 0;
    state.flagged.reset();
    const auto pages = pages_.pages();
    if (morsel < pages.size()) {
        state.page = &pages[morsel];
        return;
    }
    const Block& block = blocks_[morsel - pages.size()];
    state.page = nullptr;
    if (!spilled_.matched.empty()) state.flagged = block.first;
    if (block.rows->read(block.index, *spilled_.file, *spilled_.codec, state.read, context))
        state.page = &state.read.pages()[0];
}

bool PageSource::next(State& base, Batch& batch, WorkerContext& context) {
    auto& state = static_cast<PageState&>(base);
    if (state.page == nullptr || context.failed()) return false;
    const RowPage& page = *state.page;
    u32 count = 0;
    while (count < context.vector_rows && state.next_row < page.rows) {
        const u32 number = state.next_row++;
        const u8* row = page.row(number);
        const auto flag = [&] {
            if (!state.flagged) return row[layout_.extraOffset()] != 0;
            const u64 bit = *state.flagged + number;
            return (spilled_.matched[bit / 64] >> (bit % 64) & 1) != 0;
        };
        state.rows[count] = row;
        count += !matched_ || flag() == *matched_;
    }
    if (count == 0) {
        state.page = nullptr;
        state.read.clear(context);
        return false;
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
        state.buffers[i].reset(layout_.kindOf(columns_[i]));
        state.vectors[i] =
            gatherColumn(layout_, columns_[i], state.rows.data(), count, state.buffers[i]);
    }
    batch = {.rows = count, .selected = count, .columns = state.vectors};
    return true;
}

} // namespace blueshift::execute
