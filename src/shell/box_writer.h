// box_writer.h: a table with borders that fits the terminal.
//
// Widths come from the first kSampleRows rows; later ones are cut to them. When the table is wider
// than the terminal, the widest columns give way first, down to kNarrowest, with an ellipsis.
#pragma once

#include <string>
#include <vector>

#include "shell/result_writer.h"

namespace blueshift::shell {

class BoxWriter final : public ResultWriter {
public:
    static constexpr size_t kSampleRows = 1000;
    static constexpr u32 kNarrowest = 6;

    BoxWriter(u32 width, std::string& out) : width_(width), out_(&out) {}
    void begin(std::span<const ResultColumn> columns) override;
    void row(std::span<const Cell> cells) override;
    void end() override;

private:
    void layOut();
    void printRule(const char* left, const char* middle, const char* right);
    void printCell(std::string_view text, u32 width, bool right);
    void printRow(std::span<const Cell> cells);

    u32 width_;
    std::string* out_;
    std::vector<ResultColumn> columns_;
    std::vector<u32> widths_;
    std::vector<std::vector<std::optional<std::string>>> sample_;
    bool laid_out_ = false;
};

} // namespace blueshift::shell
