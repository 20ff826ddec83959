#include "execute/rows/page_source.h"

namespace blueshift::execute {

struct PageSource::PageState : State {
    u32 page = 0;
    u32 next_row = 0;
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

void PageSource::start(State& base, u32 morsel, WorkerContext&) {
    auto& state = static_cast<PageState&>(base);
    state.page = morsel;
    state.next_row = 0;
}

bool PageSource::next(State& base, Batch& batch, WorkerContext& context) {
    auto& state = static_cast<PageState&>(base);
    const RowPage& page = pages_.pages()[state.page];
    u32 count = 0;
    while (count < context.vector_rows && state.next_row < page.rows) {
        const u8* row = page.row(state.next_row++);
        const bool wanted = !matched_ || (row[layout_.extraOffset()] != 0) == *matched_;
        state.rows[count] = row;
        count += wanted;
    }
    if (count == 0) return false;
    for (size_t i = 0; i < columns_.size(); ++i) {
        state.buffers[i].reset(layout_.kindOf(columns_[i]));
        state.vectors[i] =
            gatherColumn(layout_, columns_[i], state.rows.data(), count, state.buffers[i]);
    }
    batch = {.rows = count, .selected = count, .columns = state.vectors};
    return true;
}

} // namespace blueshift::execute
