// code_service.h: decides which pipelines are compiled, compiles them aside, keeps their code.
//
// Place: one an engine; connections give it to execute/ as a CodeSource. Text comes from
// compile/generate.h, machine code from compile/jit. Owns: the compiler thread (low priority), the
// code cache in memory, the log behind svl_compile. Threads: codeFor and the PipelineCodes from
// any; the compiler only from its own thread. Policy and its numbers: docs/design/codegen.md.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/hash.h"
#include "catalog/server_facts.h"
#include "compile/generate.h"
#include "engine/perf_map.h"
#include "execute/generated/code_source.h"

namespace blueshift::compile {
class Jit;
class MachineCode;
} // namespace blueshift::compile

namespace blueshift::engine {

struct CodeCounts {
    u64 compiled = 0; // texts
    u64 failed = 0;
    u64 found = 0; // segments whose code was in the cache
    u64 asked = 0; // segments that a query looked up
    // Of pipelines that have segments:
    u64 pipelines = 0; // that ran generated code
    u64 generated_rows = 0;
    u64 interpreted_rows = 0;
    u64 switches = 0;
};

class CodeService {
public:
    /// `crash`: tests: the compiler crashes on the first text. `perf_map` may be absent.
    CodeService(Clock& clock, bool crash, std::unique_ptr<PerfMap> perf_map);
    ~CodeService();

    /// See execute::CodeSource.
    std::shared_ptr<execute::PipelineCode> codeFor(const compile::Program& program,
                                                   const compile::Pipeline& pipeline,
                                                   const compile::RowShapes& shapes,
                                                   execute::Codegen mode, u32 morsels,
                                                   const execute::StopToken& stop, i64 query_id);
    std::vector<catalog::CompilationFacts> log() const;
    CodeCounts counts() const;

private:
    class RunCode;
    /// Code of one key; shared by all runs of the shape.
    struct Entry {
        enum class State : u8 { kIdle, kWaiting, kReady, kFailed };
        std::atomic<State> state{State::kIdle};
        u32 pipeline = 0; // and function: of the first query of the shape
        std::string function;
        std::string text;
        std::shared_ptr<const compile::MachineCode> code;
        u32 level = 0; // of `code`: 0 none
        u32 uses = 0;
        u64 compile_nanos = 0;
        u64 last_used = 0;
    };

    std::shared_ptr<Entry> entryFor(const compile::Segment& segment, i64 query_id);
    void request(const std::shared_ptr<Entry>& entry, i64 query_id);
    void addRecord(catalog::CompilationFacts record);
    void wait(const std::vector<std::shared_ptr<Entry>>& entries, const execute::StopToken& stop);
    execute::SegmentCode codeOf(Entry& entry);
    /// Nanoseconds that compiling a text is expected to take.
    u64 expectedNanos(size_t text_bytes) const;
    void work();
    struct Job {
        std::shared_ptr<Entry> entry;
        u32 level;
        i64 query_id; // that asked for it
    };
    void compile(const Job& job);
    void dropUnused();

    Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::pair<u64, u64>, std::shared_ptr<Entry>> cache_;
    std::deque<Job> jobs_;
    std::deque<catalog::CompilationFacts> log_;
    CodeCounts counts_;
    u64 ticks_ = 0;
    std::atomic<u64> nanos_per_byte_{4000};
    std::atomic<bool> crash_next_;
    std::unique_ptr<PerfMap> perf_map_;
    bool stop_ = false;
    std::unique_ptr<compile::Jit> jit_; // the compiler thread's
    std::thread thread_;                // started by the first request
};

/// The service as one connection's statements see it.
class ConnectionCode final : public execute::CodeSource {
public:
    explicit ConnectionCode(CodeService& service) : service_(service) {}
    void setQuery(i64 query_id) { query_id_ = query_id; }
    std::shared_ptr<execute::PipelineCode> codeFor(const compile::Program& program,
                                                   const compile::Pipeline& pipeline,
                                                   const compile::RowShapes& shapes,
                                                   execute::Codegen mode, u32 morsels,
                                                   const execute::StopToken& stop) override {
        return service_.codeFor(program, pipeline, shapes, mode, morsels, stop, query_id_);
    }

private:
    CodeService& service_;
    i64 query_id_ = 0;
};

} // namespace blueshift::engine
