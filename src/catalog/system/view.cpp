#include "catalog/system/view.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "catalog/system/catalog_reader.h"

namespace blueshift::catalog {
namespace {

constexpr Oid kFirstViewOid = 12000;

struct ShortType {
    std::string_view name;
    SqlType type;
};
constexpr ShortType kShortTypes[] = {
    {"i2", SqlType::smallInt()},
    {"i4", SqlType::integer()},
    {"i8", SqlType::bigInt()},
    {"f4", SqlType::real()},
    {"f8", SqlType::doublePrecision()},
    {"b", SqlType::boolean()},
    {"t", SqlType::text()},
    {"ts", SqlType::timestamp()},
    {"tstz", SqlType::timestampTz()},
    {"name", SqlType::of(TypeKind::kName)},
    {"oid", SqlType::of(TypeKind::kOid)},
    {"xid", SqlType::of(TypeKind::kOid)},
    {"char", SqlType::of(TypeKind::kSystemChar)},
    {"regproc", SqlType::of(TypeKind::kRegproc)},
    {"regtype", SqlType::of(TypeKind::kRegtype)},
    {"i2[]", SqlType::of(TypeKind::kInt2Array)},
    {"oid[]", SqlType::of(TypeKind::kOidArray)},
    {"t[]", SqlType::of(TypeKind::kTextArray)},
    {"i2v", SqlType::of(TypeKind::kInt2Vector)},
    {"oidv", SqlType::of(TypeKind::kOidVector)},
};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
    return text;
}

int numberOf(std::string_view text) {
    int number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    BS_CHECK(result.ec == std::errc() && result.ptr == text.data() + text.size(),
             "length in a column type");
    return number;
}

SqlType shortType(std::string_view name) {
    for (const ShortType& entry : kShortTypes)
        if (entry.name == name) return entry.type;
    const std::string_view rest = name.substr(1);
    if (name[0] == 'c') return SqlType::character(numberOf(rest));
    if (name[0] == 'v') return SqlType::varchar(numberOf(rest));
    BS_CHECK(name[0] == 'n', "column type of a system view");
    const size_t dot = rest.find('.');
    return SqlType::decimal(numberOf(rest.substr(0, dot)), numberOf(rest.substr(dot + 1)));
}

i128 powerOfTen(int exponent) {
    i128 power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
}

/// A number that its column is too narrow for shows as the nearest that fits, such as a duration in
/// microseconds that a view gives 32 bits.
i128 fitted(i128 value, const SqlType& type) {
    const auto between = [&](i128 least, i128 most) { return std::clamp(value, least, most); };
    switch (type.kind) {
    case TypeKind::kSmallInt: return between(-32768, 32767);
    case TypeKind::kInteger: return between(-2147483648ll, 2147483647ll);
    default: return value;
    }
}

class SystemView final : public TableSource {
public:
    SystemView(const SourceRegistry& registry, const ViewSpec& spec, Oid oid)
        : registry_(registry), spec_(spec), oid_(oid), columns_(parseColumns(spec.columns)) {
        for (SourceColumn& column : parseColumns(spec.more_columns))
            columns_.push_back(std::move(column));
        columns_.push_back({"tableoid", SqlType::of(TypeKind::kOid), true});
    }

    std::string_view schema() const override { return spec_.schema; }
    std::string_view name() const override { return spec_.name; }
    std::span<const SourceColumn> columns() const override { return columns_; }
    Oid oid() const override { return oid_; }
    f64 estimatedRows() const override { return spec_.produce == noRows ? 1 : 1000; }

    Status read(const SourceContext& context, std::span<const Value>,
                const RowSink& sink) const override {
        if (context.snapshot == nullptr || spec_.produce == noRows) return {};
        const CatalogReader reader(context, registry_);
        if (spec_.audience == Audience::kSuperusers && !reader.superuser()) return {};
        const Value table_oid = Value::ofInteger(i128(oid_), SqlType::of(TypeKind::kOid));
        RowWriter writer(std::span(columns_).first(columns_.size() - 1), sink, {&table_oid, 1});
        spec_.produce(reader, writer);
        return {};
    }

private:
    const SourceRegistry& registry_;
    ViewSpec spec_;
    Oid oid_;
    std::vector<SourceColumn> columns_;
};

} // namespace

std::vector<SourceColumn> parseColumns(std::string_view specification) {
    std::vector<SourceColumn> columns;
    while (!specification.empty()) {
        const size_t comma = std::min(specification.find(','), specification.size());
        const std::string_view entry = trimmed(specification.substr(0, comma));
        specification.remove_prefix(std::min(comma + 1, specification.size()));
        const size_t blank = entry.find(' ');
        BS_CHECK(blank != std::string_view::npos, "column without a type");
        columns.push_back(
            {std::string(entry.substr(0, blank)), shortType(trimmed(entry.substr(blank + 1)))});
    }
    return columns;
}

void addViews(SourceRegistry& registry, std::span<const ViewSpec> family) {
    Oid next = kFirstViewOid;
    for (const TableSource* source : registry.all()) next = std::max(next, source->oid() + 1);
    for (const ViewSpec& spec : family) {
        const Oid oid = spec.oid != 0 ? spec.oid : next++;
        registry.add(std::make_unique<SystemView>(registry, spec, oid));
    }
}

RowWriter::RowWriter(std::span<const SourceColumn> columns, const RowSink& sink,
                     std::span<const Value> constants)
    : columns_(columns), sink_(sink), values_(columns.size()) {
    values_.insert(values_.end(), constants.begin(), constants.end());
}

void RowWriter::write(std::span<const Cell> cells) {
    if (done_) return;
    BS_CHECK(cells.size() == columns_.size(), "cells and columns of a system view");
    for (size_t i = 0; i < cells.size(); ++i) {
        const Cell& cell = cells[i];
        const SqlType& type = columns_[i].type;
        Value& value = values_[i];
        if (cell.kind == Cell::Kind::kNull) {
            value = Value::null(type);
            continue;
        }
        const PhysicalKind physical = naturalKind(type);
        if (physical == PhysicalKind::kText) {
            BS_CHECK(cell.kind == Cell::Kind::kText || cell.kind == Cell::Kind::kSymbol,
                     columns_[i].name);
            const bool symbol = cell.kind == Cell::Kind::kSymbol;
            std::string_view text = symbol ? std::string_view(&cell.symbol, 1) : cell.text;
            // No column shows more bytes than its type has.
            if (type.length > 0) text = text.substr(0, size_t(type.length));
            value = Value::ofText(text, type);
            continue;
        }
        BS_CHECK(cell.kind == Cell::Kind::kInteger || cell.kind == Cell::Kind::kFloat,
                 columns_[i].name);
        const bool is_float = cell.kind == Cell::Kind::kFloat;
        if (physical == PhysicalKind::kF32 || physical == PhysicalKind::kF64)
            value = Value::ofFloat(is_float ? cell.floating : f64(cell.integer), type);
        else if (is_float)
            value = Value::ofInteger(
                i128(std::llround(cell.floating * f64(powerOfTen(type.scale)))), type);
        else value = Value::ofInteger(fitted(cell.integer * powerOfTen(type.scale), type), type);
    }
    done_ = !sink_(values_);
}

} // namespace blueshift::catalog
