#include "engine/copy.h"

#include "base/check.h"

namespace blueshift::engine {

std::unique_ptr<Execution> makeCopyExecution(EngineConnection& connection, PreparedStatement& prepared,
                                             const Connection::ExecuteOptions& options) {
    BS_NOT_YET("COPY");
}

}  // namespace blueshift::engine
