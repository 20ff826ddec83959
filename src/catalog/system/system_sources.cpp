#include "catalog/system/system_sources.h"

#include "catalog/system/view.h"

namespace blueshift::catalog {

void addSystemSources(SourceRegistry& registry) {
    addRelationViews(registry);
    addConstraintViews(registry);
    addTypeViews(registry);
    addClusterViews(registry);
    addReadableViews(registry);
    addEmptyViews(registry);
    addInformationSchema(registry);
    addInformationKeys(registry);
    addSvvRelations(registry);
    addSvvRights(registry);
    addStvViews(registry);
    addStvStorage(registry);
    addStlViews(registry);
    addSysViews(registry);
    addTableFunctions(registry);
}

} // namespace blueshift::catalog
