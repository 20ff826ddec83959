// code_service.h: decides which pipelines are compiled, compiles them aside, keeps their code.
//
// Place: one an engine; gives execute/ its CodeSource. Text comes from compile/generate.h, machine
// code from compile/jit.
// Owns: the compiler thread (low priority), the code cache in memory, the log behind svl_compile.
// Threads: codeFor and the PipelineCodes from any; the compiler only from its own thread.
// Policy and its numbers: docs/design/codegen.md.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/hash.h"
#include "compile/generate.h"
#include "execute/generated/code_source.h"

namespace blueshift::compile {
class Jit;
class MachineCode;
} // namespace blueshift::compile

namespace blueshift::engine {

/// One compilation, for svl_compile.
struct CompileRecord {
    i64 started = 0; // microseconds since 2000-01-01 UTC
    i64 ended = 0;
    std::string function;
    u32 text_bytes = 0;
    u32 level = 1;
    std::string error; // empty: it worked
};

struct CodeCounts {
    u64 compiled = 0; // texts
    u64 failed = 0;
    u64 found = 0;    // segments whose code was in the cache
    u64 asked = 0;    // segments that a query looked up
    // Of pipelines that have segments:
    u64 pipelines = 0; // that ran generated code
    u64 generated_rows = 0;
    u64 interpreted_rows = 0;
    u64 switches = 0;
};

class CodeService final : public execute::CodeSource {
public:
    explicit CodeService(Clock& clock);
    ~CodeService() override;

    std::shared_ptr<execute::PipelineCode> codeFor(const compile::Program& program,
                                                   const compile::Pipeline& pipeline,
                                                   const compile::RowShapes& shapes,
                                                   execute::Codegen mode, u32 morsels) override;
    std::vector<CompileRecord> log() const;
    CodeCounts counts() const;
    /// Tests: the next text makes the compiler crash.
    void injectCrash() { crash_next_ = true; }

private:
    class RunCode;
    /// Code of one key; shared by all runs of the shape.
    struct Entry {
        enum class State : u8 { kIdle, kWaiting, kReady, kFailed };
        std::atomic<State> state{State::kIdle};
        std::string function;
        std::string text;
        std::shared_ptr<const compile::MachineCode> code;
        u32 level = 0; // of `code`: 0 none
        u32 uses = 0;
        u64 compile_nanos = 0;
        u64 last_used = 0;
    };

    std::shared_ptr<Entry> entryFor(const compile::Segment& segment);
    void request(const std::shared_ptr<Entry>& entry);
    void wait(const std::vector<std::shared_ptr<Entry>>& entries);
    execute::SegmentCode codeOf(Entry& entry);
    /// Nanoseconds that compiling a text is expected to take.
    u64 expectedNanos(size_t text_bytes) const;
    void work();
    void compile(Entry& entry, u32 level);
    void dropUnused();

    Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::pair<u64, u64>, std::shared_ptr<Entry>> cache_;
    struct Job {
        std::shared_ptr<Entry> entry;
        u32 level;
    };
    std::deque<Job> jobs_;
    std::deque<CompileRecord> log_;
    CodeCounts counts_;
    u64 ticks_ = 0;
    std::atomic<u64> nanos_per_byte_;
    std::atomic<bool> crash_next_{false};
    bool stop_ = false;
    std::unique_ptr<compile::Jit> jit_; // the compiler thread's
    std::thread thread_;                // started by the first request
};

} // namespace blueshift::engine
