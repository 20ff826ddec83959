// session_catalog.h: the temporary tables and views of one session.
//
// Place: one a session, handed to Database::begin. Its objects lie over the committed snapshot in
// every view of the session's transactions and never reach the log. They change when a transaction
// commits; a rollback leaves them as they were. All sessions use the same schema id, since none
// sees another's.
// Threads: one session, one thread.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

#include "catalog/catalog.h"

namespace blueshift::transaction {

/// The schema of temporary objects in every session.
inline constexpr catalog::Oid kTemporarySchema = 16384;

class SessionCatalog {
public:
    /// `number` makes the schema's name: pg_temp_<number>.
    explicit SessionCatalog(u32 number) {
        auto schema = std::make_shared<catalog::Schema>();
        schema->oid = kTemporarySchema;
        schema->name = fmt::format("pg_temp_{}", number);
        schema->temporary = true;
        schema_ = std::move(schema);
    }

    const std::shared_ptr<const catalog::Schema>& schema() const { return schema_; }
    bool empty() const { return tables_.empty() && views_.empty(); }
    const auto& tables() const { return tables_; }
    const auto& views() const { return views_; }

    /// Takes the temporary objects of a transaction's view.
    void takeFrom(const catalog::CatalogSnapshot& view) {
        tables_.clear();
        views_.clear();
        for (const auto& [oid, table] : view.tables)
            if (table->temporary) tables_.emplace(oid, table);
        for (const auto& [oid, entry] : view.views)
            if (entry->schema == kTemporarySchema) views_.emplace(oid, entry);
    }

private:
    std::shared_ptr<const catalog::Schema> schema_;
    std::map<catalog::Oid, std::shared_ptr<const catalog::Table>> tables_;
    std::map<catalog::Oid, std::shared_ptr<const catalog::View>> views_;
};

} // namespace blueshift::transaction
