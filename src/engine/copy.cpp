#include "engine/copy.h"

#include <fmt/format.h>

#include "engine/copy_from.h"
#include "engine/copy_to.h"

namespace blueshift::engine {
namespace {

/// Loads in next() when a client sends the data, else in finish().
class CopyFromExecution final : public StatementExecution {
public:
    CopyFromExecution(EngineConnection& connection, const PreparedStatement& prepared,
                      const Connection::ExecuteOptions& options)
        : StatementExecution(connection, options.implicit_block),
          copy_(*prepared.statement->as<parse::Copy>()),
          load_(connection, copy_, prepared.source, options.source) {}

    ResultKind kind() const override {
        return copy_.place == parse::CopyPlace::kStdin ? ResultKind::kCopyIn : ResultKind::kNone;
    }
    std::span<const ResultField> fields() const override { return load_.fields(); }
    bool next(Batch&) override {
        if (!rows_) rows_ = load_.run();
        return false;
    }

protected:
    std::string run() override {
        if (!rows_) rows_ = load_.run();
        return fmt::format("COPY {}", *rows_);
    }

private:
    const parse::Copy& copy_;
    CopyFrom load_;
    std::optional<u64> rows_;
};

class CopyToExecution final : public StatementExecution {
public:
    CopyToExecution(EngineConnection& connection, const PreparedStatement& prepared,
                    const Connection::ExecuteOptions& options)
        : StatementExecution(connection, options.implicit_block),
          copy_(connection, *prepared.statement->as<parse::Copy>(), prepared.source) {}

    ResultKind kind() const override { return ResultKind::kCopyOut; }
    std::span<const ResultField> fields() const override { return copy_.fields(); }
    std::string_view nextBytes() override { return copy_.nextBytes(); }
    std::span<const size_t> rowEnds() const override { return copy_.rowEnds(); }
    int copyFormat() const override { return copy_.binary() ? 1 : 0; }

protected:
    std::string run() override {
        while (!copy_.nextBytes().empty()) {}
        return fmt::format("COPY {}", copy_.rows());
    }

private:
    CopyTo copy_;
};

} // namespace

std::unique_ptr<Execution> makeCopyExecution(EngineConnection& connection,
                                             PreparedStatement& prepared,
                                             const Connection::ExecuteOptions& options) {
    const auto& copy = *prepared.statement->as<parse::Copy>();
    if (copy.direction == parse::CopyDirection::kFrom)
        return std::make_unique<CopyFromExecution>(connection, prepared, options);
    if (copy.place != parse::CopyPlace::kStdout)
        throw SqlError(
            Error(sqlstate::kFeatureNotSupported, "COPY TO a file is not supported")
                .withHint("Use COPY TO STDOUT, or \\copy of psql, which writes on the client."));
    return std::make_unique<CopyToExecution>(connection, prepared, options);
}

} // namespace blueshift::engine
