#include "engine/copy_to.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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
    connection_.transaction();
    bind::BindContext context = connection_.bindContext(planned_->arena, text);
    planned_->snapshot = context.catalog;
    if (copy.query != nullptr) bindQuery(*copy.query, text, context);
    else bindTable(copy, text, context);
    planQuery(connection_, *planned_);
    findQuoted();
    const i16 format = 1;
    if (binary())
        encoder_ = std::make_unique<session::RowEncoder>(
            connection_, planned_->fields, std::span(&format, 1), session::DecimalForm::kPostgres);
    run_ = std::make_unique<execute::QueryRun>(planned_->program, connection_.environment());
    connection_.setRun(run_.get());
}

void CopyTo::bindQuery(const parse::Query& query, std::string_view text,
                       bind::BindContext& context) {
    planned_->text = text;
    context.text = planned_->text;
    planned_->bound = bind::bindQuery(query, context);
}

/// A table is copied by a query over its columns.
void CopyTo::bindTable(const parse::Copy& copy, std::string_view text, bind::BindContext& context) {
    if (bind::namesView(copy.table, context))
        throw SqlError(Error(sqlstate::kWrongObjectType,
                             fmt::format("cannot copy from view \"{}\"", copy.table.name))
                           .withHint("Write COPY (SELECT * FROM the view) TO STDOUT.")
                           .at(parse::characterPosition(text, copy.table.position)));
    std::string columns;
    std::set<std::string_view> names;
    for (const parse::ColumnName& column : copy.columns) {
        if (!names.insert(column.name).second)
            throw SqlError(Error(sqlstate::kDuplicateColumn,
                                 fmt::format("column \"{}\" specified more than once", column.name))
                               .withHint("Name each column once.")
                               .at(parse::characterPosition(text, column.position)));
        columns += (columns.empty() ? "" : ", ") + parse::quoteName(column.name);
    }
    planned_->text =
        fmt::format("SELECT {} FROM {}", columns.empty() ? "*" : columns, parse::print(copy.table));
    context.text = planned_->text;
    const parse::Query* query =
        parse::parseQuery(planned_->text, planned_->arena, {.fold_quoted = false});
    try {
        planned_->bound = bind::bindQuery(*query, context);
    } catch (SqlError& error) {
        // Positions in the query made here mean nothing to the user.
        error.error().position = 0;
        throw;
    }
}

void CopyTo::findQuoted() {
    quoted_.resize(planned_->fields.size(), options_.force_quote_all);
    for (const std::string& name : options_.force_quote) {
        const auto found = std::ranges::find(planned_->fields, name, &ResultField::name);
        if (found == planned_->fields.end())
            throw SqlError(Error(sqlstate::kUndefinedColumn,
                                 fmt::format("FORCE QUOTE column \"{}\" is not copied", name))
                               .withHint("Name a column of the list."));
        quoted_[size_t(found - planned_->fields.begin())] = true;
    }
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
    endRow("\n");
}

std::string_view CopyTo::nextBytes() {
    if (ended_) return {};
    out_.clear();
    row_ends_.clear();
    if (!begun_) appendHeader();
    begun_ = true;
    Batch batch;
    while (out_.size() < kPieceBytes) {
        if (!run_->next(batch)) {
            ended_ = true;
            if (binary()) endRow(kBinaryTrailer);
            break;
        }
        rows_ += batch.selected;
        for (u32 i = 0; i < batch.selected; ++i) {
            if (binary()) encoder_->appendTuple(out_, batch, batch.rowAt(i));
            else appendRow(batch, batch.rowAt(i));
            row_ends_.push_back(out_.size());
        }
    }
    return out_;
}

void CopyTo::endRow(std::string_view last) {
    out_ += last;
    row_ends_.push_back(out_.size());
}

void CopyTo::appendRow(const Batch& batch, u32 row) {
    const bool csv = options_.text.layout == storage::TextLayout::kCsv;
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
    quote = quote || value == text.null_text || (quoted_.size() == 1 && value == "\\.") ||
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
