#include "catalog/system/system_sources.h"

#include "catalog/system/view.h"

namespace blueshift::catalog {

void addSystemSources(SourceRegistry& registry) {
}

}  // namespace blueshift::catalog
