// copy.h: COPY in both directions.
//
// Place: statement.cpp hands the statement here; storage/ingest reads the bytes of files and of the
// client, TableAppend writes the rows; COPY TO formats a query's rows.
#pragma once

#include "engine/executions.h"

namespace blueshift::engine {

std::unique_ptr<Execution> makeCopyExecution(EngineConnection& connection,
                                             PreparedStatement& prepared,
                                             const Connection::ExecuteOptions& options);

} // namespace blueshift::engine
