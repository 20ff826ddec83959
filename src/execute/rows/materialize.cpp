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
      keeps_matches_(std::get<compile::MaterializeSink>(info.sink).keeps_matches),
      codec_(layout_) {}

std::unique_ptr<State> Materialized::makeState(WorkerContext&) {
    return std::make_unique<PagesState>();
}

void Materialized::consume(State& base, const Batch& batch, WorkerContext& context) {
    RowPages& pages = static_cast<PagesState&>(base).pages;
    if (!context.hasRoom(pages.memoryBytes(), RowPages::bytesOf(layout_, batch.columns,
                                                                batch.selection, batch.selected)))
        spill(pages, context);
    if (context.failed()) return;
    pages.append(layout_, batch.columns, batch.selection, batch.selected, nullptr, nullptr, context,
                 "a materialised result");
}

void Materialized::spill(RowPages& pages, WorkerContext& context) {
    std::vector<u8*> rows;
    pages.collectRows(rows);
    SpilledRows written;
    if (!written.append(file_, codec_, rows.data(), rows.size(), context)) return;
    pages.clear(context);
    std::lock_guard lock(mutex_);
    spilled_.absorb(std::move(written));
}

void Materialized::flush(State& base, WorkerContext& context) {
    RowPages& pages = static_cast<PagesState&>(base).pages;
    if (!context.mayKeep(pages.memoryBytes())) spill(pages, context);
    std::lock_guard lock(mutex_);
    pages_.absorb(std::move(pages));
}

void Materialized::finishTask(u32, WorkerContext& context) {
    const u64 words = spilled_.rowCount() / 64 + 1;
    if (context.take(words * sizeof(u64), "the match flags of a nested loop"))
        flags_.assign(words, 0);
}

void Materialized::release(WorkerContext& context) {
    pages_.clear(context);
    context.give(flags_.size() * sizeof(u64));
    flags_ = {};
}

std::unique_ptr<SourceOperator> Materialized::makeSource(const std::vector<u32>& columns) {
    return std::make_unique<PageSource>(
        layout_, pages_, columns, std::nullopt,
        SpilledPages{.file = &file_, .codec = &codec_, .rows = {&spilled_}});
}

std::unique_ptr<SourceOperator> Materialized::makeMatchSource(const std::vector<u32>& columns,
                                                              bool matched) {
    return std::make_unique<PageSource>(
        layout_, pages_, columns, matched,
        SpilledPages{.file = &file_, .codec = &codec_, .rows = {&spilled_}, .matched = flags_});
}

std::unique_ptr<SinkOperator> makeMaterializeSink(const compile::SinkInfo& info) {
    return std::make_unique<Materialized>(info);
}

} // namespace blueshift::execute
