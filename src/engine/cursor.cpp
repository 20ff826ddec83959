#include "engine/cursor.h"

#include <fmt/format.h>

namespace blueshift::engine {
namespace {

class FetchExecution final : public StatementExecution {
public:
    FetchExecution(EngineConnection& connection, Cursor& cursor, i64 count, bool move,
                   bool implicit_block)
        : StatementExecution(connection, implicit_block),
          cursor_(cursor),
          left_(count),
          move_(move) {}

    ResultKind kind() const override { return move_ ? ResultKind::kNone : ResultKind::kRows; }
    std::span<const ResultField> fields() const override { return cursor_.fields; }

    bool next(Batch& batch) override {
        if (left_ == 0) return false;
        while (!cursor_.ended && cursor_.next_row == cursor_.batch.selected) {
            cursor_.next_row = 0;
            cursor_.batch = {};
            cursor_.ended = !cursor_.execution->next(cursor_.batch);
        }
        if (cursor_.ended) return false;
        u32 count = cursor_.batch.selected - cursor_.next_row;
        if (left_ > 0) count = u32(std::min<i64>(count, left_));
        for (u32 i = 0; i < count; ++i)
            selection_[i] = u16(cursor_.batch.rowAt(cursor_.next_row + i));
        batch = {.rows = cursor_.batch.rows,
                 .selected = count,
                 .selection = selection_,
                 .columns = cursor_.batch.columns};
        cursor_.next_row += count;
        fetched_ += count;
        if (left_ > 0) left_ -= count;
        return true;
    }

protected:
    std::string run() override {
        for (Batch batch; next(batch);) {}
        return fmt::format("{} {}", move_ ? "MOVE" : "FETCH", fetched_);
    }

private:
    Cursor& cursor_;
    i64 left_;
    bool move_;
    u64 fetched_ = 0;
    u16 selection_[kVectorRows];
};

} // namespace

std::unique_ptr<StatementExecution> makeFetchExecution(EngineConnection& connection, Cursor& cursor,
                                                       i64 count, bool move, bool implicit_block) {
    return std::make_unique<FetchExecution>(connection, cursor, count, move, implicit_block);
}

parse::CreateTable* intoAsCreate(const parse::SelectQuery& query, Arena& arena) {
    auto* plain = arena.make<parse::SelectQuery>(query);
    plain->into = nullptr;
    auto* create = arena.make<parse::CreateTable>(query.position);
    create->name = query.into->name;
    create->temporary = query.into->temporary;
    create->query = plain;
    return create;
}

} // namespace blueshift::engine
