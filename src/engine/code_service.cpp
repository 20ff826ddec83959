#include "engine/code_service.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "compile/jit/jit.h"
#include "execute/generated/generated_segment.h"

namespace blueshift::engine {

namespace {

using std::chrono::steady_clock;

/// Texts beyond this stay interpreted.
constexpr size_t kMostTextBytes = 200u << 10;
/// Entries of the cache; the least recently used go first.
constexpr size_t kMostEntries = 2000;
constexpr size_t kMostRecords = 1000;
/// A shape that comes back this often is compiled again at the second level.
constexpr u32 kUsesForSecondLevel = 3;
/// Pipelines of fewer morsels end before a compiler has started.
constexpr u32 kFewestMorsels = 2;
/// Compiling takes one of the cores that would run the query.
constexpr f64 kCostFactor = 1.5;

/// Groups beyond this are bound by memory in both tiers (TPC-H Q18: 1.0 to 1.06).
constexpr f64 kMostCachedGroups = 1 << 20;

/// Writing the texts of a pipeline and looking for their code.
constexpr f64 kWritingNanos = 150'000;

/// Expected times of generated code, relative to the interpreter (bench/report.md).
constexpr f64 kGroupRatio = 0.45, kProbeRatio = 0.9, kFilterRatio = 0.75;

f64 stepsRatio(const compile::Pipeline& pipeline, u32 first, u32 count) {
    for (u32 i = first; i < first + count; ++i)
        if (std::holds_alternative<compile::ProbeStep>(pipeline.steps[i].step)) return kProbeRatio;
    return kFilterRatio;
}

f64 expectedRatio(const compile::Program& program, const compile::Pipeline& pipeline,
                  const compile::Segment& segment) {
    if (segment.fuses_group) {
        const auto& group = std::get<compile::GroupSink>(program.sinks[pipeline.sink].sink);
        return group.estimated_groups > kMostCachedGroups ? 1 : kGroupRatio;
    }
    return stepsRatio(pipeline, segment.first_step, segment.step_count);
}

/// The least that segments of the pipeline could take, before they are known.
f64 leastRatio(const compile::Program& program, const compile::Pipeline& pipeline) {
    if (std::holds_alternative<compile::GroupSink>(program.sinks[pipeline.sink].sink))
        return kGroupRatio;
    return stepsRatio(pipeline, 0, u32(pipeline.steps.size()));
}

u64 nanosSince(steady_clock::time_point start) {
    return u64(
        std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now() - start).count());
}

} // namespace

/// The code of one pipeline of one run. Texts are written once the first morsels tell that code
/// which is there already would pay; it is asked for when compiling would.
class CodeService::RunCode final : public execute::PipelineCode {
public:
    RunCode(CodeService& service, const compile::Program& program,
            const compile::Pipeline& pipeline, const compile::RowShapes& shapes, i64 query_id)
        : service_(service),
          program_(program),
          pipeline_(pipeline),
          shapes_(shapes),
          least_ratio_(leastRatio(program, pipeline)),
          query_id_(query_id) {}

    ~RunCode() override {
        std::lock_guard lock(service_.mutex_);
        CodeCounts& counts = service_.counts_;
        counts.pipelines += generated_rows > 0;
        counts.generated_rows += generated_rows;
        counts.interpreted_rows += interpreted_rows;
        counts.switches += switches;
    }

    void morselEnded(u64 nanos, u32 left, u32 lanes) override {
        const u64 done = morsels_.fetch_add(1, std::memory_order_relaxed) + 1;
        const u64 spent = nanos_.fetch_add(nanos, std::memory_order_relaxed) + nanos;
        const f64 remaining = f64(spent) / f64(done) * f64(left) / f64(std::max(1u, lanes));
        Stage stage = stage_.load(std::memory_order_acquire);
        if (stage == Stage::kStart && remaining * (1 - least_ratio_) >= kWritingNanos &&
            stage_.compare_exchange_strong(stage, Stage::kWriting)) {
            // Where nothing is to be gained, code that is there already is left alone too.
            stage = write() && ratio_ < 1 ? Stage::kWritten : Stage::kGivenUp;
            stage_.store(stage, std::memory_order_release);
        }
        if ((stage != Stage::kWritten && stage != Stage::kRequested) || take()) return;
        const f64 cost = f64(service_.expectedNanos(text_bytes_)) * kCostFactor;
        if (stage == Stage::kWritten && remaining * (1 - ratio_) >= cost) request();
    }
    u64 compileNanos() const override {
        u64 nanos = 0;
        if (stage_.load(std::memory_order_acquire) == Stage::kRequested)
            for (const auto& entry : entries_) nanos += entry->compile_nanos;
        return nanos;
    }

    /// With kForce, before the run begins: false when there is nothing to generate.
    bool force(const execute::StopToken& stop) {
        if (!write()) return false;
        stage_ = Stage::kWritten;
        if (take()) return true;
        request();
        service_.wait(entries_, stop);
        take();
        return true;
    }

private:
    enum class Stage : u8 { kStart, kWriting, kWritten, kRequested, kGivenUp };

    bool write() {
        segments_ = compile::generateSegments(program_, pipeline_, shapes_);
        if (segments_.empty()) return false;
        for (const auto& segment : segments_) {
            if (segment.text.size() > kMostTextBytes) return false;
            ratio_ = std::min(ratio_, expectedRatio(program_, pipeline_, segment));
            text_bytes_ += segment.key.size();
        }
        for (const auto& segment : segments_)
            entries_.push_back(service_.entryFor(segment, query_id_));
        return true;
    }
    void request() {
        Stage written = Stage::kWritten;
        if (!stage_.compare_exchange_strong(written, Stage::kRequested)) return;
        for (const auto& entry : entries_) service_.request(entry, query_id_);
    }
    /// Takes the code once all of it is there; false before.
    bool take() {
        for (const auto& entry : entries_) {
            const auto state = entry->state.load(std::memory_order_acquire);
            if (state == Entry::State::kFailed) stage_ = Stage::kGivenUp;
            if (state != Entry::State::kReady) return false;
        }
        std::call_once(taken_, [&] {
            for (const auto& entry : entries_) codes_.push_back(service_.codeOf(*entry));
            ready_.store(&codes_, std::memory_order_release);
        });
        return true;
    }

    CodeService& service_;
    const compile::Program& program_;
    const compile::Pipeline& pipeline_;
    const compile::RowShapes& shapes_;
    const f64 least_ratio_;
    // Until the texts are written only for the one who writes them:
    std::vector<std::shared_ptr<Entry>> entries_;
    f64 ratio_ = 1;
    size_t text_bytes_ = 0;

    std::vector<execute::SegmentCode> codes_;
    std::once_flag taken_;
    i64 query_id_;
    std::atomic<u64> morsels_{0};
    std::atomic<u64> nanos_{0};
    std::atomic<Stage> stage_{Stage::kStart};
};

CodeService::CodeService(Clock& clock, bool crash, std::unique_ptr<PerfMap> perf_map)
    : clock_(clock), crash_next_(crash), perf_map_(std::move(perf_map)) {}

CodeService::~CodeService() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    cache_.clear();
}

std::shared_ptr<execute::PipelineCode> CodeService::codeFor(const compile::Program& program,
                                                            const compile::Pipeline& pipeline,
                                                            const compile::RowShapes& shapes,
                                                            execute::Codegen mode, u32 morsels,
                                                            const execute::StopToken& stop,
                                                            i64 query_id) {
    const bool force = mode == execute::Codegen::kForce;
    if (!force && morsels < kFewestMorsels) return nullptr;
    auto code = std::make_shared<RunCode>(*this, program, pipeline, shapes, query_id);
    if (force && !code->force(stop)) return nullptr;
    return code;
}

std::shared_ptr<CodeService::Entry> CodeService::entryFor(const compile::Segment& segment,
                                                          i64 query_id) {
    const Hash128 hash = hashBytes128(segment.key.data(), segment.key.size());
    std::lock_guard lock(mutex_);
    auto& entry = cache_[{hash.low, hash.high}];
    ++counts_.asked;
    if (entry == nullptr) {
        entry = std::make_shared<Entry>();
        entry->pipeline = segment.pipeline;
        entry->function = segment.name;
        entry->text = segment.text;
        entry->last_used = ++ticks_;
        auto kept = entry;
        dropUnused();
        return kept;
    }
    entry->last_used = ++ticks_;
    if (entry->state == Entry::State::kReady) {
        ++counts_.found;
        const i64 now = clock_.nowMicros();
        addRecord({.query_id = query_id,
                   .pipeline = segment.pipeline,
                   .start_time = now,
                   .end_time = now,
                   .function = entry->function,
                   .level = entry->level,
                   .text_bytes = u32(entry->text.size())});
        if (++entry->uses == kUsesForSecondLevel && entry->level == 1) {
            jobs_.push_back({entry, 2, query_id});
            changed_.notify_all();
        }
    }
    return entry;
}

void CodeService::dropUnused() {
    if (cache_.size() <= kMostEntries) return;
    auto oldest = cache_.end();
    for (auto it = cache_.begin(); it != cache_.end(); ++it) {
        const bool busy = it->second->state == Entry::State::kWaiting;
        if (!busy && (oldest == cache_.end() || it->second->last_used < oldest->second->last_used))
            oldest = it;
    }
    if (oldest != cache_.end()) cache_.erase(oldest);
}

void CodeService::request(const std::shared_ptr<Entry>& entry, i64 query_id) {
    std::lock_guard lock(mutex_);
    if (entry->state != Entry::State::kIdle) return;
    entry->state = Entry::State::kWaiting;
    jobs_.push_front({entry, 1, query_id});
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    changed_.notify_all();
}

void CodeService::wait(const std::vector<std::shared_ptr<Entry>>& entries,
                       const execute::StopToken& stop) {
    constexpr std::chrono::milliseconds kPoll{5};
    std::unique_lock lock(mutex_);
    const auto settled = [&] {
        return stop_ || stop.requested() ||
               std::all_of(entries.begin(), entries.end(), [](const auto& entry) {
                   return entry->state == Entry::State::kReady ||
                          entry->state == Entry::State::kFailed;
               });
    };
    while (!settled()) changed_.wait_for(lock, kPoll);
}

execute::SegmentCode CodeService::codeOf(Entry& entry) {
    std::lock_guard lock(mutex_);
    return {entry.code->function, entry.code->local_bytes, entry.code};
}

u64 CodeService::expectedNanos(size_t text_bytes) const {
    constexpr u64 kFixed = 3'000'000;
    return kFixed + nanos_per_byte_.load(std::memory_order_relaxed) * text_bytes;
}

void CodeService::work() {
    // Queries come first: the compiler yields to workers.
    setpriority(PRIO_PROCESS, id_t(syscall(SYS_gettid)), 10);
    std::vector<compile::JitSymbol> symbols;
    for (const auto& symbol : execute::runtimeSymbols())
        symbols.push_back({symbol.name, symbol.address});
    jit_ = std::make_unique<compile::Jit>(symbols);
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
        if (stop_) break;
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        compile(job);
        lock.lock();
        changed_.notify_all();
    }
}

void CodeService::compile(const Job& job) {
    Entry& entry = *job.entry;
    const u32 level = job.level;
    catalog::CompilationFacts record{.query_id = job.query_id,
                                     .pipeline = entry.pipeline,
                                     .start_time = clock_.nowMicros(),
                                     .compiled = true,
                                     .function = entry.function,
                                     .level = level,
                                     .text_bytes = u32(entry.text.size())};
    const auto start = steady_clock::now();
    std::string text = entry.text;
    if (crash_next_.exchange(false)) text += "\n#pragma clang __debug crash\n";
    const auto optimization =
        level == 1 ? compile::OptimizationLevel::kO1 : compile::OptimizationLevel::kO2;
    Result<std::shared_ptr<const compile::MachineCode>> code =
        failure(sqlstate::kInternalError, "");
    auto object = jit_->compileObject(text, optimization);
    if (object) code = jit_->load(*object, entry.function);
    else code = std::unexpected(object.error());
    if (code && perf_map_) perf_map_->add(entry.function, **code);
    const u64 nanos = nanosSince(start);
    record.end_time = clock_.nowMicros();
    if (!code) record.error = code.error().message + ": " + code.error().detail;
    std::lock_guard lock(mutex_);
    if (code) {
        ++counts_.compiled;
        entry.code = std::move(*code);
        entry.level = level;
        entry.compile_nanos = nanos;
        entry.state.store(Entry::State::kReady, std::memory_order_release);
        // Learned, slowly: the first compilation also parses the headers.
        if (level == 1 && counts_.compiled > 1 && !entry.text.empty()) {
            const u64 seen = nanos / entry.text.size();
            nanos_per_byte_ = (nanos_per_byte_.load() * 7 + std::min<u64>(seen, 20'000)) / 8;
        }
    } else {
        ++counts_.failed;
        if (level == 1) entry.state.store(Entry::State::kFailed, std::memory_order_release);
    }
    addRecord(std::move(record));
}

void CodeService::addRecord(catalog::CompilationFacts record) {
    log_.push_back(std::move(record));
    if (log_.size() > kMostRecords) log_.pop_front();
}

std::vector<catalog::CompilationFacts> CodeService::log() const {
    std::lock_guard lock(mutex_);
    return {log_.begin(), log_.end()};
}

CodeCounts CodeService::counts() const {
    std::lock_guard lock(mutex_);
    return counts_;
}

} // namespace blueshift::engine
