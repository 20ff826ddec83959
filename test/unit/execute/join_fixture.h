// join_fixture.h: random tables to join, the naive nested loop, and rows as sorted text.
//
// Place: tests of hash joins and nested loops. A joined row is the probe's cells and then the
// build's (NULLs where a side is missing), shown as text; results are compared as multisets.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "optimize/physical_plan.h"
#include "unit/execute/rows_fixture.h"

namespace blueshift::execute::test {

using optimize::JoinOutput;
using Rows = std::vector<std::string>;

inline constexpr JoinOutput kAllOutputs[] = {JoinOutput::kInner,      JoinOutput::kProbeOuter,
                                             JoinOutput::kBuildOuter, JoinOutput::kFullOuter,
                                             JoinOutput::kProbeSemi,  JoinOutput::kProbeAnti,
                                             JoinOutput::kBuildSemi,  JoinOutput::kBuildAnti,
                                             JoinOutput::kProbeMark,  JoinOutput::kProbeSingle};

inline bool keepsBuildRows(JoinOutput output) {
    return output == JoinOutput::kBuildOuter || output == JoinOutput::kFullOuter ||
           output == JoinOutput::kBuildSemi || output == JoinOutput::kBuildAnti;
}
inline bool hasBuildColumns(JoinOutput output) {
    return output == JoinOutput::kInner || output == JoinOutput::kProbeOuter ||
           output == JoinOutput::kBuildOuter || output == JoinOutput::kFullOuter ||
           output == JoinOutput::kProbeSingle;
}

inline std::string showRow(const Table& table, size_t row) {
    std::string text;
    for (const Column& column : table) text += show(column.cells[row], column.kind) + ", ";
    return text;
}
inline std::string showNulls(const Table& table) {
    std::string text;
    for (size_t i = 0; i < table.size(); ++i) text += "NULL, ";
    return text;
}

/// SQL's three values.
enum class Truth { kFalse, kTrue, kNull };

struct Expected {
    Rows rows;
    bool fails = false; // 21000
};

/// What the join yields when `match` decides about a pair.
inline Expected joinNaively(const Table& probe, const Table& build, JoinOutput output,
                            bool null_aware,
                            const std::function<Truth(size_t probe, size_t build)>& match) {
    Expected expected;
    const size_t probe_rows = probe[0].cells.size();
    const size_t build_rows = build[0].cells.size();
    std::vector<bool> build_matched(build_rows);
    for (size_t p = 0; p < probe_rows; ++p) {
        u32 matches = 0;
        bool unknown = false;
        for (size_t b = 0; b < build_rows; ++b) {
            const Truth truth = match(p, b);
            unknown |= truth == Truth::kNull;
            if (truth != Truth::kTrue) continue;
            ++matches;
            build_matched[b] = true;
            if (hasBuildColumns(output))
                expected.rows.push_back(showRow(probe, p) + showRow(build, b));
        }
        expected.fails |= output == JoinOutput::kProbeSingle && matches > 1;
        const bool keeps_probe = output == JoinOutput::kProbeOuter ||
                                 output == JoinOutput::kFullOuter ||
                                 output == JoinOutput::kProbeSingle;
        if (keeps_probe && matches == 0)
            expected.rows.push_back(showRow(probe, p) + showNulls(build));
        if (output == JoinOutput::kProbeSemi && matches > 0)
            expected.rows.push_back(showRow(probe, p));
        if (output == JoinOutput::kProbeAnti && matches == 0 && !(null_aware && unknown))
            expected.rows.push_back(showRow(probe, p));
        if (output == JoinOutput::kProbeMark) {
            const char* mark = matches > 0 ? "1, " : null_aware && unknown ? "NULL, " : "0, ";
            expected.rows.push_back(showRow(probe, p) + mark);
        }
    }
    for (size_t b = 0; b < build_rows; ++b) {
        if (output == JoinOutput::kBuildSemi && build_matched[b])
            expected.rows.push_back(showRow(build, b));
        if (output == JoinOutput::kBuildAnti && !build_matched[b])
            expected.rows.push_back(showRow(build, b));
        if ((output == JoinOutput::kBuildOuter || output == JoinOutput::kFullOuter) &&
            !build_matched[b])
            expected.rows.push_back(showNulls(probe) + showRow(build, b));
    }
    std::sort(expected.rows.begin(), expected.rows.end());
    return expected;
}

inline void appendRows(const Batch& batch, size_t columns, const std::string& before, Rows& rows) {
    for (u32 i = 0; i < batch.selected; ++i) {
        std::string& text = rows.emplace_back(before);
        for (size_t c = 0; c < columns; ++c) {
            const Vector& vector = batch.columns[c];
            text += show(readCell(vector, batch.rowAt(i)), vector.kind) + ", ";
        }
    }
}

/// Everything a source delivers, each row after `before`.
inline void drain(SourceOperator& source, size_t columns, const std::string& before,
                  WorkerContext& context, Rows& rows) {
    source.open();
    const auto state = source.makeState(context);
    Batch batch;
    for (u32 morsel = 0; morsel < source.morselCount(); ++morsel) {
        source.start(*state, morsel, context);
        while (source.next(*state, batch, context)) appendRows(batch, columns, before, rows);
    }
}

/// Sends the table through a step; `workers` states take the batches in turn.
inline void runStep(StepOperator& step, const Table& table, size_t output_columns, u32 workers,
                    u32 batch_rows, u64 seed, WorkerContext& context, Rows& rows) {
    BatchMaker maker(seed);
    std::vector<std::unique_ptr<State>> states;
    for (u32 w = 0; w < workers; ++w) states.push_back(step.makeState(context));
    u32 turn = 0;
    for (size_t at = 0; at < table[0].cells.size(); at += batch_rows, ++turn) {
        const u32 count = u32(std::min<size_t>(batch_rows, table[0].cells.size() - at));
        State& state = *states[turn % workers];
        const Batch input = maker.make(table, at, count);
        step.start(state, input, context);
        Batch output;
        while (step.more(state, output, context)) {
            appendRows(output, output_columns, "", rows);
            if (output.selected == 0) rows.push_back("an empty batch");
        }
        if (context.failed()) return;
    }
    for (auto& state : states) step.flush(*state, context);
    states.clear();
    if (const auto rest = step.takeRest()) drain(*rest, output_columns, "", context, rows);
}

} // namespace blueshift::execute::test
