// show.h: SHOW: one parameter, all of them, or objects of the catalog.
#pragma once

#include "engine/executions.h"

namespace blueshift::engine {

TextRows showRows(EngineConnection& connection, const parse::Show& show);
std::vector<ResultField> showFields(EngineConnection& connection, const parse::Show& show);

} // namespace blueshift::engine
