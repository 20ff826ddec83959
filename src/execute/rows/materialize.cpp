#include "execute/rows/materialize.h"

namespace blueshift::execute {

namespace {

std::vector<RowColumn> columnsOf(const compile::SinkInfo& info) {
    std::vector<RowColumn> columns;
    for (const auto& slot : info.input) columns.push_back({slot.kind, slot.nullable});
    return columns;
}

struct PagesState : State {
    RowPages pages;
};

} // namespace

Materialized::Materialized(const compile::SinkInfo& info)
    // The match flag, or, for rows without columns, something to count them by.
    : layout_(columnsOf(info), false, 8),
      keeps_matches_(std::get<compile::MaterializeSink>(info.sink).keeps_matches) {}

std::unique_ptr<State> Materialized::makeState(WorkerContext&) {
    return std::make_unique<PagesState>();
}

void Materialized::consume(State& base, const Batch& batch, WorkerContext& context) {
    static_cast<PagesState&>(base).pages.append(layout_, batch.columns, batch.selection,
                                                batch.selected, nullptr, nullptr, context,
                                                "a materialised result");
}

void Materialized::flush(State& base, WorkerContext&) {
    std::lock_guard lock(mutex_);
    pages_.absorb(std::move(static_cast<PagesState&>(base).pages));
}

std::unique_ptr<SourceOperator> Materialized::makeSource(const std::vector<u32>& columns) {
    return std::make_unique<PageSource>(layout_, pages_, columns);
}

std::unique_ptr<SourceOperator> Materialized::makeMatchSource(const std::vector<u32>& columns,
                                                              bool matched) {
    return std::make_unique<PageSource>(layout_, pages_, columns, matched);
}

std::unique_ptr<SinkOperator> makeMaterializeSink(const compile::SinkInfo& info) {
    return std::make_unique<Materialized>(info);
}

} // namespace blueshift::execute
