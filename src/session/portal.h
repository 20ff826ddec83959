// portal.h: a prepared statement, and a portal: the statement with parameters, under way.
//
// A portal owns the bytes of its text parameters and keeps its statement alive after Close; the
// execution borrows both and therefore is declared last.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "session/row_encoder.h"
#include "statement.h"

namespace blueshift::session {

struct Statement {
    std::unique_ptr<Prepared> prepared;
    std::vector<i32> declared_oids; // as the client sent them; 0 or missing: inferred
};

struct Portal {
    std::shared_ptr<Statement> statement;
    std::vector<Value> parameters;
    std::deque<std::string> texts;
    std::vector<i16> result_formats;
    std::optional<RowEncoder> encoder;
    /// Rows of the last batch that the client has not taken yet.
    Batch batch;
    u32 batch_position = 0;
    std::string completed_tag; // once finished
    std::unique_ptr<Execution> execution;
};

} // namespace blueshift::session
