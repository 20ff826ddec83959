// explain_code.h: what EXPLAIN says of generated code: its text, and which tier ran.
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

/// A line per pipeline: rows under each tier and what compiling took.
std::vector<std::string> describeTiers(const compile::Program& program,
                                       const std::vector<execute::TierReport>& tiers);

} // namespace blueshift::engine
