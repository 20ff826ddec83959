// view.h: a system view as a declaration: schema, name, columns and a function that produces rows.
//
// Place: the families of views (pg_class.cpp, svv_tables.cpp ...) are tables of ViewSpec.
// Every view has the hidden column tableoid as well: its own id.
// Columns are written "name type, name type"; short types:
//   i2 i4 i8 f4 f8 b(oolean) t(ext) c128 = char(128), v32 = varchar(32), n10.4 = numeric(10,4), ts,
//   tstz, name, oid, char = "char", xid, regproc, regtype, i2[], oid[], t[], i2v, oidv.
// Owns / borrows: a view borrows the registry it stands in.
// Threads: immutable; a RowWriter belongs to one read.
#pragma once

#include <optional>

#include "catalog/table_source.h"

namespace blueshift::catalog {

class CatalogReader;

/// One value of a row: the column's type decides how it is stored.
class Cell {
public:
    enum class Kind : u8 { kNull, kInteger, kFloat, kText, kSymbol };

    Cell(std::nullopt_t) {}
    Cell(bool value) : kind(Kind::kInteger), integer(value) {}
    Cell(char value) : kind(Kind::kSymbol), symbol(value) {}
    template <std::integral T> Cell(T value) : kind(Kind::kInteger), integer(value) {}
    Cell(i128 value) : kind(Kind::kInteger), integer(value) {}
    Cell(f64 value) : kind(Kind::kFloat), floating(value) {}
    Cell(const char* value) : kind(Kind::kText), text(value) {}
    Cell(std::string_view value) : kind(Kind::kText), text(value) {}
    Cell(const std::string& value) : kind(Kind::kText), text(value) {}
    template <class T> Cell(const std::optional<T>& value) {
        if (value) *this = Cell(*value);
    }

    Kind kind = Kind::kNull;
    char symbol = 0;
    i128 integer = 0;
    f64 floating = 0;
    std::string_view text;
};

class RowWriter {
public:
    /// `constants` stand behind the cells of every row.
    RowWriter(std::span<const SourceColumn> columns, const RowSink& sink,
              std::span<const Value> constants = {});

    /// One cell a column, in order.
    template <class... Cells> void row(const Cells&... cells) {
        const Cell list[] = {Cell(cells)...};
        write(list);
    }
    void write(std::span<const Cell> cells);
    /// True when the reader wants no more rows; further rows are dropped.
    bool done() const { return done_; }

private:
    std::span<const SourceColumn> columns_;
    const RowSink& sink_;
    std::vector<Value> values_;
    bool done_ = false;
};

using Produce = void (*)(const CatalogReader& reader, RowWriter& out);

/// A view that has no rows here.
inline void noRows(const CatalogReader&, RowWriter&) {}

enum class Audience : u8 { kEveryone, kSuperusers };

struct ViewSpec {
    std::string_view schema;
    std::string_view name;
    std::string_view columns;
    Produce produce = noRows;
    Audience audience = Audience::kEveryone; // others see no rows
    Oid oid = 0;                             // 0: the next free one
    std::string_view more_columns = {};      // behind `columns`, for views that widen another
};

std::vector<SourceColumn> parseColumns(std::string_view specification);

/// Adds the views of a family.
void addViews(SourceRegistry& registry, std::span<const ViewSpec> family);

// ---- The families.
void addRelationViews(SourceRegistry& registry);   // pg_class, pg_attribute ...
void addConstraintViews(SourceRegistry& registry); // pg_index, pg_constraint, pg_depend ...
void addTypeViews(SourceRegistry& registry);       // pg_type, pg_proc, pg_operator ...
void addClusterViews(SourceRegistry& registry);    // pg_database, pg_user, pg_settings ...
void addReadableViews(SourceRegistry& registry);   // pg_tables, pg_views, pg_table_def ...
void addEmptyViews(SourceRegistry& registry);      // catalogs of what does not exist here
void addInformationSchema(SourceRegistry& registry);
void addInformationKeys(SourceRegistry& registry);
void addSvvRelations(SourceRegistry& registry);
void addSvvRights(SourceRegistry& registry);
void addStvViews(SourceRegistry& registry);
void addStvStorage(SourceRegistry& registry);
void addStlViews(SourceRegistry& registry);
void addSysViews(SourceRegistry& registry);
void addTableFunctions(SourceRegistry& registry);

} // namespace blueshift::catalog
