// explain_code.h: what EXPLAIN says of generated code: its text, and which tier ran; and what
// became of exchanges that were left open.
//
// Place: used by statement.cpp. Threads: no state.
#pragma once

#include <string>
#include <vector>

#include "compile/program.h"
#include "execute/execute.h"

namespace blueshift::engine {

/// The text of every segment, a line a row, under a heading per pipeline.
std::vector<std::string> generatedText(const compile::Program& program);

/// "settled: broadcast, 1,234 rows, 56 kB".
std::string describeSettled(const execute::SettledReport& settled);

/// A line per pipeline: rows under each tier and what compiling took.
std::vector<std::string> describeTiers(const compile::Program& program,
                                       const std::vector<execute::TierReport>& tiers);

} // namespace blueshift::engine
