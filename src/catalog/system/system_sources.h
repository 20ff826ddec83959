// system_sources.h: every system view and table function, added to the registry that bind/
// searches.
//
// Place: called once when a place is opened; the views read a CatalogSnapshot and ServerFacts.
// Owns / borrows: the views borrow the registry (pg_class lists them), which must outlive them.
// Threads: the views are immutable; reads may run on any worker.
#pragma once

#include "catalog/table_source.h"

namespace blueshift::catalog {

void addSystemSources(SourceRegistry& registry);

} // namespace blueshift::catalog
