#include "engine/copy_to.h"

#include <fmt/format.h>

#include <algorithm>

#include "parse/parse.h"

namespace blueshift::engine {
namespace {

constexpr size_t kPieceBytes = 64 << 10;
constexpr std::string_view kBinarySignature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kBinaryTrailer("\377\377", 2);

} // namespace

CopyTo::~CopyTo() {
    connection_.setRun(nullptr);
}

CopyTo::CopyTo(EngineConnection& connection, const parse::Copy& copy, std::string_view text)
    : connection_(connection),
      options_(readCopyOptions(copy, text)),
      planned_(std::make_shared<PlannedQuery>()) {
    if (options_.layout == CopyLayout::kParquet ||
        options_.compression != storage::Compression::kNone)
        throw SqlError(
            Error(sqlstate::kFeatureNotSupported, "COPY TO STDOUT writes text, CSV or binary")
                .withHint("Leave out PARQUET, GZIP and ZSTD."));
    const parse::Query* query = copy.query;
    if (query == nullptr) {
        std::string columns;
        for (const parse::ColumnName& name : copy.columns)
            columns += (columns.empty() ? "" : ", ") + parse::quoteName(name.name);
        const std::string select = fmt::format("SELECT {} FROM {}", columns.empty() ? "*" : columns,
                                               parse::print(copy.table));
        query = parse::parseQuery(select, planned_->arena, {.fold_quoted = false});
        planned_->text = select;
    } else {
        planned_->text = text;
    }
    connection_.transaction();
    bind::BindContext context = connection_.bindContext(planned_->arena, planned_->text);
    planned_->snapshot = context.catalog;
    try {
        planned_->bound = bind::bindQuery(*query, context);
    } catch (SqlError& error) {
        // Positions in the query made here mean nothing to the user.
        if (copy.query == nullptr) error.error().position = 0;
        throw;
    }
    planQuery(connection_, *planned_);
    quoted_.resize(planned_->fields.size(), options_.force_quote_all);
    for (const std::string& name : options_.force_quote) {
        const auto found = std::ranges::find(planned_->fields, name, &ResultField::name);
        if (found == planned_->fields.end())
            throw SqlError(Error(sqlstate::kUndefinedColumn,
                                 fmt::format("FORCE QUOTE column \"{}\" is not copied", name))
                               .withHint("Name a column of the list."));
        quoted_[size_t(found - planned_->fields.begin())] = true;
    }
    const i16 format = 1;
    if (binary())
        encoder_ = std::make_unique<session::RowEncoder>(connection_, planned_->fields,
                                                         std::span(&format, 1));
    run_ = std::make_unique<execute::QueryRun>(planned_->program, connection_.environment());
    connection_.setRun(run_.get());
    appendHeader();
}

void CopyTo::appendHeader() {
    if (binary()) {
        out_ += kBinarySignature;
        return;
    }
    if (!options_.header) return;
    for (size_t i = 0; i < planned_->fields.size(); ++i) {
        if (i > 0) out_ += options_.text.delimiter;
        if (options_.text.layout == storage::TextLayout::kCsv)
            appendCsv(planned_->fields[i].name, false);
        else appendText(planned_->fields[i].name);
    }
    out_ += '\n';
}

std::string_view CopyTo::nextBytes() {
    if (ended_) return {};
    // The header waits for the first rows.
    if (rows_ > 0) out_.clear();
    Batch batch;
    while (out_.size() < kPieceBytes) {
        if (!run_->next(batch)) {
            ended_ = true;
            if (binary()) out_ += kBinaryTrailer;
            break;
        }
        rows_ += batch.selected;
        if (binary()) appendBinary(batch);
        else appendBatch(batch);
    }
    return out_;
}

/// A tuple of the copy format is the body of a DataRow message.
void CopyTo::appendBinary(const Batch& batch) {
    cell_.clear();
    encoder_->append(cell_, batch, 0, batch.selected);
    constexpr size_t kMessageHead = 5;
    for (size_t at = 0; at < cell_.size();) {
        u32 length = 0;
        for (size_t i = 1; i < kMessageHead; ++i) length = length << 8 | u8(cell_[at + i]);
        out_.append(cell_, at + kMessageHead, length - 4);
        at += 1 + length;
    }
}

void CopyTo::appendBatch(const Batch& batch) {
    const bool csv = options_.text.layout == storage::TextLayout::kCsv;
    for (u32 i = 0; i < batch.selected; ++i) {
        const u32 row = batch.rowAt(i);
        for (size_t c = 0; c < batch.columns.size(); ++c) {
            if (c > 0) out_ += options_.text.delimiter;
            if (batch.columns[c].isNull(row)) {
                out_ += options_.text.null_text;
                continue;
            }
            cell_.clear();
            connection_.appendText(cell_, batch.columns[c], row, planned_->fields[c].type);
            if (csv) appendCsv(cell_, quoted_[c]);
            else appendText(cell_);
        }
        out_ += '\n';
    }
}

void CopyTo::appendText(std::string_view value) {
    for (char c : value) {
        switch (c) {
        case '\b': out_ += "\\b"; break;
        case '\f': out_ += "\\f"; break;
        case '\n': out_ += "\\n"; break;
        case '\r': out_ += "\\r"; break;
        case '\t': out_ += "\\t"; break;
        case '\v': out_ += "\\v"; break;
        case '\\': out_ += "\\\\"; break;
        default:
            if (c == options_.text.delimiter) out_ += '\\';
            out_ += c;
        }
    }
}

void CopyTo::appendCsv(std::string_view value, bool quote) {
    const storage::TextFormat& text = options_.text;
    // A line of `\.` would end the data for old clients.
    quote = quote || value == text.null_text || value == "\\." ||
            value.find_first_of(std::string{text.delimiter, text.quote, '\n', '\r'}) != value.npos;
    if (!quote) {
        out_ += value;
        return;
    }
    out_ += text.quote;
    for (char c : value) {
        if (c == text.quote || c == text.escape) out_ += text.escape;
        out_ += c;
    }
    out_ += text.quote;
}

} // namespace blueshift::engine
