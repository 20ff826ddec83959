#include "shell/box_writer.h"

#include <algorithm>
#include <cwchar>

namespace blueshift::shell {

namespace {

constexpr const char* kHorizontal = "\xE2\x94\x80";
constexpr const char* kVertical = "\xE2\x94\x82";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

/// One character: how many bytes it takes, and how it is shown.
struct Glyph {
    size_t bytes = 1;
    u32 width = 1;
    std::string_view shown; // empty: the bytes themselves
};

Glyph glyphAt(std::string_view text, size_t at) {
    const u8 lead = u8(text[at]);
    if (lead == '\n') return {1, 2, "\\n"};
    if (lead == '\r') return {1, 2, "\\r"};
    if (lead == '\t') return {1, 2, "\\t"};
    // Control characters could move the cursor or worse.
    if (lead < 0x20 || lead == 0x7F) return {1, 1, "?"};
    if (lead < 0x80) return {};
    const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (bytes == 1 || at + bytes > text.size()) return {1, 1, "?"};
    u32 code = lead & (0xFFu >> (bytes + 1));
    for (size_t i = 1; i < bytes; ++i) code = code << 6 | (u8(text[at + i]) & 0x3F);
    const int width = ::wcwidth(wchar_t(code));
    if (code >= 0x80 && code < 0xA0) return {bytes, 1, "?"};
    return {bytes, width < 0 ? 1u : u32(width), {}};
}

} // namespace

u32 displayWidth(std::string_view text) {
    u32 width = 0;
    for (size_t at = 0; at < text.size();) {
        const Glyph glyph = glyphAt(text, at);
        width += glyph.width;
        at += glyph.bytes;
    }
    return width;
}

void BoxWriter::begin(std::span<const ResultColumn> columns) {
    columns_.assign(columns.begin(), columns.end());
    widths_.clear();
    sample_.clear();
    laid_out_ = false;
    for (const ResultColumn& column : columns_)
        widths_.push_back(std::max(1u, displayWidth(column.name)));
}

void BoxWriter::row(std::span<const Cell> cells) {
    if (laid_out_) return printRow(cells);
    auto& kept = sample_.emplace_back();
    for (size_t i = 0; i < cells.size(); ++i) {
        widths_[i] = std::max(widths_[i], cells[i] ? displayWidth(*cells[i]) : 4u);
        if (cells[i]) kept.emplace_back(*cells[i]);
        else kept.emplace_back();
    }
    if (sample_.size() >= kSampleRows) layOut();
}

void BoxWriter::end() {
    if (!laid_out_) layOut();
    printRule("\xE2\x94\x94", "\xE2\x94\xB4", "\xE2\x94\x98");
}

void BoxWriter::layOut() {
    laid_out_ = true;
    const u32 borders = u32(columns_.size()) * 3 + 1;
    u32 total = borders;
    for (const u32 width : widths_) total += width;
    while (width_ > 0 && total > width_) {
        const auto widest = std::ranges::max_element(widths_);
        if (widest == widths_.end() || *widest <= kNarrowest) break;
        --*widest;
        --total;
    }
    printRule("\xE2\x94\x8C", "\xE2\x94\xAC", "\xE2\x94\x90");
    *out_ += kVertical;
    for (size_t i = 0; i < columns_.size(); ++i)
        printCell(columns_[i].name, widths_[i], columns_[i].numeric);
    *out_ += '\n';
    printRule("\xE2\x94\x9C", "\xE2\x94\xBC", "\xE2\x94\xA4");
    std::vector<Cell> cells;
    for (const auto& kept : sample_) {
        cells.assign(kept.begin(), kept.end());
        printRow(cells);
    }
    sample_.clear();
}

void BoxWriter::printRule(const char* left, const char* middle, const char* right) {
    *out_ += left;
    for (size_t i = 0; i < widths_.size(); ++i) {
        if (i > 0) *out_ += middle;
        for (u32 k = 0; k < widths_[i] + 2; ++k) *out_ += kHorizontal;
    }
    *out_ += right;
    *out_ += '\n';
}

void BoxWriter::printCell(std::string_view text, u32 width, bool right) {
    const u32 needed = displayWidth(text);
    *out_ += ' ';
    if (right && needed < width) out_->append(width - needed, ' ');
    const u32 room = needed <= width ? width : width - 1;
    u32 used = 0;
    for (size_t at = 0; at < text.size();) {
        const Glyph glyph = glyphAt(text, at);
        if (used + glyph.width > room) break;
        *out_ += glyph.shown.empty() ? text.substr(at, glyph.bytes) : glyph.shown;
        used += glyph.width;
        at += glyph.bytes;
    }
    if (needed > width) {
        *out_ += kEllipsis;
        ++used;
    }
    if ((!right || needed > width) && used < width) out_->append(width - used, ' ');
    *out_ += ' ';
    *out_ += kVertical;
}

void BoxWriter::printRow(std::span<const Cell> cells) {
    *out_ += kVertical;
    for (size_t i = 0; i < cells.size(); ++i)
        printCell(cells[i] ? *cells[i] : "NULL", widths_[i], columns_[i].numeric);
    *out_ += '\n';
}

} // namespace blueshift::shell
