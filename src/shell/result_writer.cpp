#include "shell/result_writer.h"

#include <vector>

#include "shell/box_writer.h"

namespace blueshift::shell {

namespace {

class CsvWriter final : public ResultWriter {
public:
    explicit CsvWriter(std::string& out) : out_(&out) {}
    void begin(std::span<const ResultColumn> columns) override {
        for (size_t i = 0; i < columns.size(); ++i) field(i, columns[i].name);
        *out_ += '\n';
    }
    void row(std::span<const Cell> cells) override {
        for (size_t i = 0; i < cells.size(); ++i) {
            if (cells[i]) field(i, *cells[i]);
            else if (i > 0) *out_ += ',';
        }
        *out_ += '\n';
    }
    void end() override {}

private:
    void field(size_t index, std::string_view text) {
        if (index > 0) *out_ += ',';
        // An empty text is quoted, which tells it from NULL.
        if (!text.empty() && text.find_first_of(",\"\r\n") == text.npos) {
            *out_ += text;
            return;
        }
        *out_ += '"';
        for (const char c : text) {
            if (c == '"') *out_ += '"';
            *out_ += c;
        }
        *out_ += '"';
    }
    std::string* out_;
};

class TsvWriter final : public ResultWriter {
public:
    explicit TsvWriter(std::string& out) : out_(&out) {}
    void begin(std::span<const ResultColumn> columns) override {
        for (size_t i = 0; i < columns.size(); ++i) field(i, columns[i].name);
        *out_ += '\n';
    }
    void row(std::span<const Cell> cells) override {
        for (size_t i = 0; i < cells.size(); ++i) {
            if (cells[i]) {
                field(i, *cells[i]);
            } else {
                if (i > 0) *out_ += '\t';
                *out_ += "\\N";
            }
        }
        *out_ += '\n';
    }
    void end() override {}

private:
    void field(size_t index, std::string_view text) {
        if (index > 0) *out_ += '\t';
        for (const char c : text) {
            switch (c) {
            case '\t': *out_ += "\\t"; break;
            case '\n': *out_ += "\\n"; break;
            case '\r': *out_ += "\\r"; break;
            case '\\': *out_ += "\\\\"; break;
            default: *out_ += c;
            }
        }
    }
    std::string* out_;
};

void appendJsonText(std::string& out, std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (u8(c) < 0x20) {
                out += "\\u00";
                out += kDigits[u8(c) >> 4];
                out += kDigits[u8(c) & 15];
            } else {
                out += c;
            }
        }
    }
    out += '"';
}

class JsonWriter final : public ResultWriter {
public:
    JsonWriter(std::string& out, bool lines) : out_(&out), lines_(lines) {}
    void begin(std::span<const ResultColumn> columns) override {
        columns_.assign(columns.begin(), columns.end());
        first_ = true;
        if (!lines_) *out_ += "[";
    }
    void row(std::span<const Cell> cells) override {
        if (!lines_) *out_ += first_ ? "\n  " : ",\n  ";
        first_ = false;
        *out_ += '{';
        for (size_t i = 0; i < cells.size(); ++i) {
            if (i > 0) *out_ += lines_ ? "," : ", ";
            appendJsonText(*out_, columns_[i].name);
            *out_ += lines_ ? ":" : ": ";
            value(columns_[i], cells[i]);
        }
        *out_ += lines_ ? "}\n" : "}";
    }
    void end() override {
        if (!lines_) *out_ += first_ ? "]\n" : "\n]\n";
    }

private:
    void value(const ResultColumn& column, const Cell& cell) {
        if (!cell) *out_ += "null";
        // JSON has no NaN and no infinity.
        else if (column.numeric && cell->find_first_of("Nn") == cell->npos && !cell->empty())
            *out_ += *cell;
        else if (column.boolean) *out_ += cell->starts_with('t') ? "true" : "false";
        else appendJsonText(*out_, *cell);
    }
    std::string* out_;
    bool lines_;
    bool first_ = true;
    std::vector<ResultColumn> columns_;
};

class MarkdownWriter final : public ResultWriter {
public:
    explicit MarkdownWriter(std::string& out) : out_(&out) {}
    void begin(std::span<const ResultColumn> columns) override {
        *out_ += '|';
        for (const ResultColumn& column : columns) field(column.name);
        *out_ += "\n|";
        for (const ResultColumn& column : columns) *out_ += column.numeric ? " ---: |" : " --- |";
        *out_ += '\n';
    }
    void row(std::span<const Cell> cells) override {
        *out_ += '|';
        for (const Cell& cell : cells) field(cell ? *cell : "NULL");
        *out_ += '\n';
    }
    void end() override {}

private:
    void field(std::string_view text) {
        *out_ += ' ';
        for (const char c : text) {
            if (c == '|') *out_ += "\\|";
            else if (c == '\n') *out_ += "<br>";
            else *out_ += c;
        }
        *out_ += " |";
    }
    std::string* out_;
};

/// One `name = value` a line, a blank line between rows.
class LineWriter final : public ResultWriter {
public:
    explicit LineWriter(std::string& out) : out_(&out) {}
    void begin(std::span<const ResultColumn> columns) override {
        names_.clear();
        width_ = 0;
        rows_ = 0;
        for (const ResultColumn& column : columns) {
            names_.push_back(column.name);
            width_ = std::max(width_, displayWidth(column.name));
        }
    }
    void row(std::span<const Cell> cells) override {
        if (rows_++ > 0) *out_ += '\n';
        for (size_t i = 0; i < cells.size(); ++i) {
            out_->append(width_ - displayWidth(names_[i]), ' ');
            *out_ += names_[i];
            *out_ += " = ";
            *out_ += cells[i] ? *cells[i] : "NULL";
            *out_ += '\n';
        }
    }
    void end() override {}

private:
    std::string* out_;
    std::vector<std::string> names_;
    u32 width_ = 0;
    u64 rows_ = 0;
};

} // namespace

std::optional<Format> formatFromName(std::string_view name) {
    constexpr std::pair<std::string_view, Format> kFormats[] = {
        {"box", Format::kBox},   {"csv", Format::kCsv},         {"tsv", Format::kTsv},
        {"json", Format::kJson}, {"jsonl", Format::kJsonLines}, {"markdown", Format::kMarkdown},
        {"line", Format::kLine}};
    for (const auto& [known, format] : kFormats)
        if (known == name) return format;
    return {};
}

std::unique_ptr<ResultWriter> makeResultWriter(Format format, u32 width, std::string& out) {
    switch (format) {
    case Format::kBox: return std::make_unique<BoxWriter>(width, out);
    case Format::kCsv: return std::make_unique<CsvWriter>(out);
    case Format::kTsv: return std::make_unique<TsvWriter>(out);
    case Format::kJson: return std::make_unique<JsonWriter>(out, false);
    case Format::kJsonLines: return std::make_unique<JsonWriter>(out, true);
    case Format::kMarkdown: return std::make_unique<MarkdownWriter>(out);
    case Format::kLine: return std::make_unique<LineWriter>(out);
    }
    return nullptr;
}

} // namespace blueshift::shell
