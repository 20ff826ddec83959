// server_facts.h: the engine's memory of its sessions and statements, for the monitoring views.
//
// Place: connections report what they do; catalog/system reads it through catalog::ServerFacts.
// Owns: copies; the newest kKeptStatements statements and kKeptSessions ended sessions. A session's
// settings are borrowed while it lives and read only by its own statements.
// Threads: any.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/clock.h"
#include "catalog/server_facts.h"
#include "engine/code_service.h"
#include "engine/load_errors.h"
#include "engine/settings.h"
#include "statement.h"

namespace blueshift::parse {
struct Statement;
}

namespace blueshift::execute {
class MemoryBroker;
}

namespace blueshift::engine {

/// QUERY_TYPE of SYS_QUERY_HISTORY.
std::string_view statementType(const parse::Statement& statement);

class EngineFacts final : public catalog::ServerFacts {
public:
    static constexpr size_t kKeptStatements = 2000;
    static constexpr size_t kKeptSessions = 1000;
    static constexpr size_t kKeptTextBytes = 16'000;
    static constexpr size_t kKeptExchanges = 5000;

    EngineFacts(Clock& clock, const LoadErrors& errors, const CodeService& code,
                const execute::MemoryBroker& memory, const Engine& engine, std::string place,
                u32 slices)
        : clock_(clock),
          errors_(errors),
          code_(code),
          memory_(memory),
          engine_(engine),
          place_(std::move(place)),
          slices_(slices) {}

    void sessionStarted(catalog::SessionRow session, const Settings& settings);
    void sessionEnded(i32 process_id);
    /// Returns the statement's number. The text is kept without secrets.
    i64 statementStarted(i32 process_id, const parse::Statement& statement, u64 transaction_id);
    /// Of statements that already ended, nothing changes. `open_transaction`: 0 when none stays
    /// open.
    void statementEnded(i64 query_id, catalog::StatementState state, i64 rows, std::string error,
                        u64 open_transaction);

    std::vector<catalog::SessionRow> sessions() const override;
    std::vector<catalog::SessionRow> closedSessions() const override;
    std::vector<catalog::StatementFacts> statements() const override;
    std::vector<catalog::SettingFacts> settings(i32 process_id) const override;
    /// Of a statement that runs; the newest kKeptExchanges are kept.
    void exchanged(i64 query_id, std::vector<catalog::ExchangeFacts> sent);

    std::vector<catalog::LoadError> loadErrors() const override;
    std::vector<catalog::CompilationFacts> compilations() const override { return code_.log(); }
    std::vector<catalog::ExchangeFacts> exchanges() const override;
    std::vector<catalog::MemoryFacts> queryMemory() const override;
    std::map<std::string, u64> counters() const override { return engine_.counters(); }
    u32 slices() const override { return slices_; }
    i64 storageCapacity() const override;

private:
    struct Live {
        catalog::SessionRow row;
        const Settings* settings = nullptr;
    };

    Clock& clock_;
    const LoadErrors& errors_;
    const CodeService& code_;
    const execute::MemoryBroker& memory_;
    const Engine& engine_;
    std::string place_;
    u32 slices_;
    mutable std::mutex mutex_;
    std::map<i32, Live> live_;
    std::deque<catalog::SessionRow> closed_;
    std::map<i64, catalog::StatementFacts> running_;
    std::deque<catalog::StatementFacts> ended_;
    std::deque<catalog::ExchangeFacts> exchanges_;
    i64 next_query_ = 1;
};

} // namespace blueshift::engine
