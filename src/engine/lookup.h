// lookup.h: the catalog as functions see it (regclass casts, pg_get_viewdef, has_table_privilege
// ...).
#pragma once

#include <memory>

#include "catalog/catalog.h"
#include "catalog/table_source.h"
#include "functions/catalog_lookup.h"
#include "statement.h"

namespace blueshift::engine {

class EngineConnection;

/// Borrows both for as long as it lives.
std::unique_ptr<functions::CatalogLookup> makeCatalogLookup(
    EngineConnection& connection, const catalog::CatalogSnapshot& snapshot);

/// What RowDescription tells Redshift's drivers of a result column.
ColumnOrigin columnOrigin(const catalog::CatalogSnapshot& snapshot,
                          const catalog::SourceRegistry& sources, const ResultField& field);

} // namespace blueshift::engine
