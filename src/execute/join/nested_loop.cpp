#include "execute/join/nested_loop.h"

#include <cstring>

#include "execute/expression/evaluator.h"
#include "execute/join/scatter.h"

namespace blueshift::execute {
namespace {

using optimize::JoinOutput;

class NestedLoop final : public StepOperator {
public:
    NestedLoop(const compile::StepInfo& info, Materialized& inner)
        : spec_(std::get<compile::NestedLoopStep>(info.step)), slots_(info.output), inner_(inner) {}

    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, const Batch& input, WorkerContext& context) override;
    bool more(State& state, Batch& output, WorkerContext& context) override;

private:
    struct Constant {
        alignas(16) char bytes[16];
    };
    struct LoopState : State {
        std::unique_ptr<Evaluator> condition;
        std::vector<Vector> columns;
        std::vector<Constant> constants;
        VectorBuffer mark;
        Batch input;
        size_t page = 0; // of those in memory, then of the blocks on disk
        u32 row = 0;
        RowPages block;      // the one at hand
        u64 block_first = 0; // number of its first row among those on disk
        bool done = true;
        u32 active = 0;
        u16 open[kVectorRows + 64]; // probe rows still to be tested
        u16 selection[kVectorRows + 64];
        u64 matched[kValidityWords];
        u64 unknown[kValidityWords];
    };

    bool emitsMatches() const {
        return spec_.output != JoinOutput::kProbeSemi && spec_.output != JoinOutput::kProbeAnti &&
               spec_.output != JoinOutput::kProbeMark && spec_.output != JoinOutput::kBuildSemi &&
               spec_.output != JoinOutput::kBuildAnti;
    }
    void bindRow(LoopState& state, const u8* row) const;
    u32 test(LoopState& state, WorkerContext& context) const;
    const RowPage* pageAt(LoopState& state, WorkerContext& context) const;
    void nextPage(LoopState& state, WorkerContext& context) const;
    void keepMatch(const LoopState& state, u8* row) const;
    bool last(LoopState& state, Batch& output) const;

    const compile::NestedLoopStep& spec_;
    const std::vector<compile::SlotInfo>& slots_;
    Materialized& inner_;
};

std::unique_ptr<State> NestedLoop::makeState(WorkerContext&) {
    auto state = std::make_unique<LoopState>();
    if (spec_.condition.root != nullptr)
        state->condition = std::make_unique<Evaluator>(spec_.condition);
    state->columns.resize(slots_.size());
    state->constants.resize(slots_.size());
    return state;
}

void NestedLoop::start(State& base, const Batch& input, WorkerContext& context) {
    auto& state = static_cast<LoopState&>(base);
    state.input = input;
    state.page = state.row = 0;
    state.block.clear(context);
    state.block_first = 0;
    state.done = false;
    for (size_t i = 0; i < slots_.size(); ++i)
        state.columns[i] = i < input.columns.size() ? input.columns[i] : nullVector(slots_[i].kind);
    state.active = input.selected;
    for (u32 i = 0; i < input.selected; ++i) state.open[i] = u16(input.rowAt(i));
    std::memset(state.matched, 0, sizeof state.matched);
    std::memset(state.unknown, 0, sizeof state.unknown);
}

/// The inner row's columns become constants of the batch.
void NestedLoop::bindRow(LoopState& state, const u8* row) const {
    const RowLayout& layout = inner_.layout();
    for (const auto& [column, slot] : spec_.build_columns) {
        if (layout.isNull(row, column)) {
            state.columns[slot] = nullVector(layout.kindOf(column));
            continue;
        }
        char* bytes = state.constants[slot].bytes;
        std::memcpy(bytes, row + layout.offsetOf(column), widthOf(layout.kindOf(column)));
        state.columns[slot] = {
            .kind = layout.kindOf(column), .form = VectorForm::kConstant, .data = bytes};
    }
}

/// Rows of `open` that match the bound inner row, into `selection`.
u32 NestedLoop::test(LoopState& state, WorkerContext& context) const {
    const Batch batch{.rows = state.input.rows,
                      .selected = state.active,
                      .selection = state.open,
                      .columns = state.columns};
    if (!state.condition) {
        std::memcpy(state.selection, state.open, state.active * sizeof(u16));
        return state.active;
    }
    if (!spec_.null_aware) return state.condition->filter(batch, state.selection, context.eval);
    const Vector value = state.condition->evaluate(batch, context.eval);
    if (context.failed()) return 0;
    u32 count = 0;
    for (u32 i = 0; i < state.active; ++i) {
        const u16 row = state.open[i];
        if (value.isNull(row)) setBit(state.unknown, row);
        else if (value.values<i8>()[value.indexOf(row)] != 0) state.selection[count++] = row;
    }
    return count;
}

/// The page at hand, nullptr behind the last one or after an error.
const RowPage* NestedLoop::pageAt(LoopState& state, WorkerContext& context) const {
    const auto pages = inner_.pages().pages();
    if (state.page < pages.size()) return &pages[state.page];
    const size_t block = state.page - pages.size();
    if (block == inner_.blockCount() || context.failed()) return nullptr;
    if (state.block.rowCount() == 0 && !inner_.readBlock(block, state.block, context))
        return nullptr;
    return &state.block.pages()[0];
}

void NestedLoop::nextPage(LoopState& state, WorkerContext& context) const {
    state.block_first += state.block.rowCount();
    state.block.clear(context);
    ++state.page;
    state.row = 0;
}

void NestedLoop::keepMatch(const LoopState& state, u8* row) const {
    if (state.block.rowCount() == 0) inner_.setMatched(row);
    else inner_.setSpilledMatched(state.block_first + state.row - 1);
}

bool NestedLoop::more(State& base, Batch& output, WorkerContext& context) {
    auto& state = static_cast<LoopState&>(base);
    if (state.done) return false;
    while (state.active > 0) {
        const RowPage* page = pageAt(state, context);
        if (page == nullptr) break;
        while (state.row < page->rows && state.active > 0) {
            if (context.failed()) return false;
            u8* row = page->row(state.row++);
            bindRow(state, row);
            const u32 count = test(state, context);
            if (context.failed()) return false;
            if (count == 0) continue;
            if (inner_.keepsMatches()) keepMatch(state, row);
            for (u32 i = 0; i < count; ++i) {
                const u16 at = state.selection[i];
                if (spec_.output == JoinOutput::kProbeSingle && bitAt(state.matched, at)) {
                    context.eval.fail(
                        sqlstate::kCardinalityViolation,
                        "more than one row returned by a subquery used as an expression");
                    return false;
                }
                setBit(state.matched, at);
            }
            if (emitsMatches()) {
                output = {.rows = state.input.rows,
                          .selected = count,
                          .selection = state.selection,
                          .columns = state.columns};
                return true;
            }
            if (spec_.output == JoinOutput::kBuildSemi || spec_.output == JoinOutput::kBuildAnti)
                continue;
            u32 kept = 0;
            for (u32 i = 0; i < state.active; ++i) {
                const u16 at = state.open[i];
                state.open[kept] = at;
                kept += !bitAt(state.matched, at);
            }
            state.active = kept;
        }
        nextPage(state, context);
    }
    state.block.clear(context);
    return !context.failed() && last(state, output);
}

bool NestedLoop::last(LoopState& state, Batch& output) const {
    state.done = true;
    u32 count = 0;
    const auto select = [&](auto&& wanted) {
        for (u32 i = 0; i < state.input.selected; ++i) {
            const u32 row = state.input.rowAt(i);
            state.selection[count] = u16(row);
            count += wanted(row);
        }
    };
    switch (spec_.output) {
    case JoinOutput::kProbeOuter:
    case JoinOutput::kFullOuter:
    case JoinOutput::kProbeSingle:
        for (const auto& [column, slot] : spec_.build_columns)
            state.columns[slot] = nullVector(slots_[slot].kind);
        select([&](u32 row) { return !bitAt(state.matched, row); });
        break;
    case JoinOutput::kProbeSemi: select([&](u32 row) { return bitAt(state.matched, row); }); break;
    case JoinOutput::kProbeAnti: select([&](u32 row) { return !bitAt(state.matched, row); }); break;
    case JoinOutput::kProbeMark: {
        state.mark.reset(PhysicalKind::kI8);
        state.mark.setAllValid();
        for (u32 i = 0; i < state.input.selected; ++i) {
            const u32 row = state.input.rowAt(i);
            const bool hit = bitAt(state.matched, row);
            state.mark.values<i8>()[row] = hit;
            if (!hit && bitAt(state.unknown, row)) clearBit(state.mark.validity(), row);
        }
        state.columns[spec_.mark] = state.mark.view(spec_.null_aware);
        select([](u32) { return true; });
        break;
    }
    default: return false;
    }
    output = {.rows = state.input.rows,
              .selected = count,
              .selection = state.selection,
              .columns = state.columns};
    return count > 0;
}

} // namespace

std::unique_ptr<StepOperator> makeNestedLoop(const compile::StepInfo& info, Materialized& inner) {
    return std::make_unique<NestedLoop>(info, inner);
}

} // namespace blueshift::execute
