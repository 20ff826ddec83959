// cursor.h: an open SQL cursor: a query under way, read in pieces by FETCH.
#pragma once

#include "engine/executions.h"

namespace blueshift::engine {

struct Cursor {
    std::unique_ptr<Execution> execution;
    std::vector<ResultField> fields;
    Batch batch;      // the last one read
    u32 next_row = 0; // in it
    bool ended = false;
};

/// Delivers up to `count` rows of the cursor (-1: all); `move`: skips them instead.
std::unique_ptr<StatementExecution> makeFetchExecution(EngineConnection& connection, Cursor& cursor,
                                                       i64 count, bool move, bool implicit_block);

/// SELECT ... INTO t as the CREATE TABLE AS that it means; the tree without its INTO.
parse::CreateTable* intoAsCreate(const parse::SelectQuery& query, Arena& arena);

} // namespace blueshift::engine
