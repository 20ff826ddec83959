// table_source.h: rows that do not come from segments: system views, table functions; later the
// lake and other databases.
//
// Place: bind/ finds sources by name, optimize/ asks their statistics, execute/ reads them.
// Threads: a source is immutable and shared; a reader is one worker's.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "types/value.h"
#include "types/vector.h"

namespace blueshift::functions {
struct SessionFacts;
}

namespace blueshift::catalog {

struct SourceColumn {
    std::string name;
    SqlType type;
    bool hidden = false; // a system column: read by its name, not by *
};

/// What is alive in the server: sessions, running and finished statements, load errors. Implemented
/// by the server; nullptr in tests.
class ServerFacts;

struct SourceContext {
    std::shared_ptr<const CatalogSnapshot> snapshot;
    const functions::SessionFacts* session = nullptr;
    const ServerFacts* server = nullptr;
};

/// Receives rows one by one; text is borrowed for the call. Returns false to stop early.
using RowSink = std::function<bool(std::span<const Value> row)>;

class TableSource {
public:
    virtual ~TableSource() = default;
    virtual std::string_view schema() const = 0;
    virtual std::string_view name() const = 0;
    virtual std::span<const SourceColumn> columns() const = 0;
    /// Object id shown in pg_class for views; 0 for functions.
    virtual Oid oid() const { return 0; }
    virtual f64 estimatedRows() const { return 1000; }
    /// Produces all rows. `arguments`: constant arguments of a table function.
    virtual Status read(const SourceContext& context, std::span<const Value> arguments,
                        const RowSink& sink) const = 0;
};

/// All sources by (schema, name); functions by name and number of arguments.
class SourceRegistry {
public:
    void add(std::unique_ptr<TableSource> source);
    void addFunction(std::unique_ptr<TableSource> source, u32 min_arguments, u32 max_arguments);
    const TableSource* find(std::string_view schema, std::string_view name) const;
    const TableSource* findFunction(std::string_view name, u32 arguments) const;
    std::vector<const TableSource*> all() const;

private:
    struct FunctionEntry {
        std::unique_ptr<TableSource> source;
        u32 min_arguments;
        u32 max_arguments;
    };
    std::map<std::pair<std::string, std::string>, std::unique_ptr<TableSource>, std::less<>>
        sources_;
    std::vector<FunctionEntry> functions_;
};

} // namespace blueshift::catalog
