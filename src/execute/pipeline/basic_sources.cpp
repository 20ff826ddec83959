#include "execute/pipeline/basic_sources.h"

#include <cstring>
#include <deque>

#include "execute/expression/evaluator.h"

namespace blueshift::execute {
namespace {

storage::ScanOptions scanOptions(const compile::ScanSource& spec,
                                 std::span<JoinFilter* const> filters, u32 vector_rows,
                                 const storage::ScanShare& share) {
    storage::ScanOptions options{.columns = spec.column_ids,
                                 .predicates = spec.predicates,
                                 .vector_rows = vector_rows,
                                 .share = share};
    for (const auto& target : spec.join_filters)
        options.join_filters.push_back({target.column_id, filters[target.filter]});
    return options;
}

void storeValue(const Value& value, VectorBuffer& buffer, u32 row, std::deque<std::string>& texts) {
    if (value.is_null) {
        clearBit(buffer.validity(), row);
        std::memset(buffer.values<char>() + size_t(row) * widthOf(buffer.kind()), 0,
                    widthOf(buffer.kind()));
        return;
    }
    setBit(buffer.validity(), row);
    switch (buffer.kind()) {
    case PhysicalKind::kI8: buffer.values<i8>()[row] = i8(value.integer); return;
    case PhysicalKind::kI16: buffer.values<i16>()[row] = i16(value.integer); return;
    case PhysicalKind::kI32: buffer.values<i32>()[row] = i32(value.integer); return;
    case PhysicalKind::kI64: buffer.values<i64>()[row] = i64(value.integer); return;
    case PhysicalKind::kI128: buffer.values<i128>()[row] = value.integer; return;
    case PhysicalKind::kF32: buffer.values<f32>()[row] = f32(value.floating); return;
    case PhysicalKind::kF64: buffer.values<f64>()[row] = value.floating; return;
    case PhysicalKind::kText: break;
    }
    if (value.text.size() > TextView::kInlineBytes) {
        texts.emplace_back(value.text);
        buffer.values<TextView>()[row] = makeTextView(texts.back());
    } else {
        buffer.values<TextView>()[row] = makeTextView(value.text);
    }
}

/// Rows collected once when the pipeline starts; delivered vector by vector.
class SystemRows final : public SourceOperator {
public:
    SystemRows(const compile::SystemSource& spec, std::span<const compile::SlotInfo> slots,
               const catalog::SourceContext& context)
        : spec_(spec), slots_(slots), context_(context) {}

    u32 morselCount() const override { return 1; }
    struct RowsState : State {
        size_t next = 0;
        std::vector<Vector> columns;
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto state = std::make_unique<RowsState>();
        state->columns.resize(slots_.size());
        return state;
    }
    void start(State&, u32, WorkerContext& context) override {
        const u32 most = context.vector_rows;
        auto status =
            spec_.source->read(context_, spec_.arguments, [&](std::span<const Value> row) {
                if (chunks_.empty() || chunks_.back().rows == most) {
                    chunks_.emplace_back();
                    for (const auto& slot : slots_) chunks_.back().columns.emplace_back(slot.kind);
                }
                Chunk& chunk = chunks_.back();
                for (size_t i = 0; i < slots_.size(); ++i)
                    storeValue(row[spec_.columns[i]], chunk.columns[i], chunk.rows, texts_);
                ++chunk.rows;
                return !context.failed();
            });
        if (!status) context.eval.fail(std::move(status.error()));
    }
    bool next(State& base, Batch& batch, WorkerContext&) override {
        auto& state = static_cast<RowsState&>(base);
        if (state.next == chunks_.size()) return false;
        const Chunk& chunk = chunks_[state.next++];
        for (size_t i = 0; i < slots_.size(); ++i) state.columns[i] = chunk.columns[i].view(true);
        batch = {.rows = chunk.rows, .selected = chunk.rows, .columns = state.columns};
        return true;
    }

private:
    struct Chunk {
        u32 rows = 0;
        std::vector<VectorBuffer> columns;
    };
    const compile::SystemSource& spec_;
    std::span<const compile::SlotInfo> slots_;
    catalog::SourceContext context_;
    std::deque<Chunk> chunks_;
    std::deque<std::string> texts_;
};

class ValuesRows final : public SourceOperator {
public:
    ValuesRows(const compile::ValuesSource& spec, std::span<const compile::SlotInfo> slots)
        : spec_(spec), slots_(slots) {}

    u32 morselCount() const override { return 1; }
    struct RowsState : State {
        size_t next = 0;
        std::vector<VectorBuffer> buffers;
        std::vector<Vector> columns;
        functions::TextHeap heap;
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto state = std::make_unique<RowsState>();
        for (const auto& slot : slots_) state->buffers.emplace_back(slot.kind);
        state->columns.resize(slots_.size());
        return state;
    }
    void start(State& base, u32, WorkerContext&) override {
        static_cast<RowsState&>(base).next = 0;
    }
    bool next(State& base, Batch& batch, WorkerContext& context) override {
        auto& state = static_cast<RowsState&>(base);
        state.heap.clear();
        u32 count = 0;
        const Batch one{.rows = 1, .selected = 1};
        const u16 first = 0;
        for (; count < context.vector_rows && state.next < spec_.rows.size();
             ++count, ++state.next) {
            for (size_t c = 0; c < slots_.size(); ++c) {
                Evaluator evaluator(spec_.rows[state.next][c]);
                Vector value = evaluator.evaluate(one, context.eval);
                if (context.failed()) return false;
                VectorBuffer& buffer = state.buffers[c];
                if (value.isNull(0)) {
                    clearBit(buffer.validity(), count);
                    std::memset(buffer.values<char>() + size_t(count) * widthOf(buffer.kind()), 0,
                                widthOf(buffer.kind()));
                    continue;
                }
                VectorBuffer scratch(value.kind, 64);
                const Vector flat = flatten(value, &first, 1, scratch);
                const u32 width = widthOf(buffer.kind());
                std::memcpy(buffer.values<char>() + size_t(count) * width, flat.data, width);
                setBit(buffer.validity(), count);
                if (buffer.kind() == PhysicalKind::kText) {
                    TextView& text = buffer.values<TextView>()[count];
                    text = state.heap.store(asStringView(text));
                }
            }
        }
        for (size_t c = 0; c < slots_.size(); ++c) state.columns[c] = state.buffers[c].view(true);
        batch = {.rows = count, .selected = count, .columns = state.columns};
        return count > 0;
    }

private:
    const compile::ValuesSource& spec_;
    std::span<const compile::SlotInfo> slots_;
};

} // namespace

TableScanSource::TableScanSource(const compile::ScanSource& spec, objects::ObjectStore& store,
                                 storage::BlockCache& cache, std::span<JoinFilter* const> filters,
                                 u32 vector_rows, storage::ScanShare share)
    : scan_(store, cache, spec.table, scanOptions(spec, filters, vector_rows, share)) {}

namespace {
struct ScanHolder : State {
    std::unique_ptr<storage::ScanState> state;
};
} // namespace

std::unique_ptr<State> TableScanSource::makeState(WorkerContext&) {
    auto holder = std::make_unique<ScanHolder>();
    holder->state = scan_.makeState();
    return holder;
}

void TableScanSource::start(State& state, u32 morsel, WorkerContext&) {
    scan_.start(*static_cast<ScanHolder&>(state).state, morsel);
}

bool TableScanSource::next(State& state, Batch& batch, WorkerContext& context) {
    auto more = scan_.next(*static_cast<ScanHolder&>(state).state, batch);
    if (more) return *more;
    context.eval.fail(std::move(more.error()));
    return false;
}

std::unique_ptr<SourceOperator> makeSystemSource(const compile::SystemSource& spec,
                                                 std::span<const compile::SlotInfo> slots,
                                                 const catalog::SourceContext& context) {
    return std::make_unique<SystemRows>(spec, slots, context);
}

std::unique_ptr<SourceOperator> makeValuesSource(const compile::ValuesSource& spec,
                                                 std::span<const compile::SlotInfo> slots) {
    return std::make_unique<ValuesRows>(spec, slots);
}

} // namespace blueshift::execute
