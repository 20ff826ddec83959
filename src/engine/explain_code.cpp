#include "engine/explain_code.h"

#include <fmt/format.h>

#include <sstream>

#include "compile/generate.h"
#include "execute/generated/generated_segment.h"

namespace blueshift::engine {

std::vector<std::string> generatedText(const compile::Program& program) {
    std::vector<std::string> lines;
    const compile::RowShapes shapes = execute::rowShapes(program);
    for (const auto& pipeline : program.pipelines) {
        const auto segments = compile::generateSegments(program, pipeline, shapes);
        if (segments.empty()) {
            lines.push_back(
                fmt::format("// pipeline {}: nothing to generate, interpreted", pipeline.id));
            continue;
        }
        for (const auto& segment : segments) {
            lines.push_back(fmt::format("// pipeline {}: steps {} to {} of {}{}", pipeline.id,
                                        segment.first_step, segment.first_step + segment.step_count,
                                        pipeline.steps.size(),
                                        segment.fuses_group ? " and its groups" : ""));
            std::istringstream text(segment.text);
            for (std::string line; std::getline(text, line);) lines.push_back(line);
        }
    }
    return lines;
}

namespace {

/// 1234567 -> 1,234,567
std::string grouped(u64 number) {
    std::string digits = std::to_string(number);
    for (i64 at = i64(digits.size()) - 3; at > 0; at -= 3) digits.insert(size_t(at), 1, ',');
    return digits;
}

} // namespace

std::string describeSettled(const execute::SettledReport& settled) {
    if (!settled.of_build) return settled.broadcast ? "settled: kept" : "settled: redistributed";
    const u64 bytes = u64(settled.bytes);
    return fmt::format("settled: {}, {} {}, {}", settled.broadcast ? "broadcast" : "redistributed",
                       grouped(settled.rows), settled.rows == 1 ? "row" : "rows",
                       bytes < 10'000 ? grouped(bytes) + " B" : grouped(bytes / 1000) + " kB");
}

std::vector<std::string> describeTiers(const compile::Program& program,
                                       const std::vector<execute::TierReport>& tiers) {
    std::vector<std::string> lines;
    for (size_t i = 0; i < tiers.size(); ++i) {
        const auto& tier = tiers[i];
        if (tier.interpreted_rows + tier.generated_rows == 0) continue;
        std::string line =
            fmt::format("Pipeline {}: {} rows interpreted, {} rows by generated code",
                        program.pipelines[i].id, tier.interpreted_rows, tier.generated_rows);
        if (tier.compile_nanos > 0)
            line += fmt::format(", compiled in {:.1f} ms", f64(tier.compile_nanos) / 1e6);
        else if (tier.generated_rows > 0) line += ", code from the cache";
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace blueshift::engine
