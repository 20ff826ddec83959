// code_source.h: where machine code comes from: the interface through which the engine hands it in.
//
// Place: QueryRun asks for each pipeline once; lanes look at ready() when they take a morsel and
// report what morsels cost, from which the engine decides whether to compile.
// Threads: all calls from any worker.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "compile/segment.h"
#include "execute/operator.h"
#include "kernels/pipeline.h"

namespace blueshift::execute {

/// The machine code of one segment, kept alive by `owner`.
struct SegmentCode {
    bool (*function)(kernels::Frame*) = nullptr;
    u32 local_bytes = 0;
    std::shared_ptr<const void> owner;
};

/// What EXPLAIN ANALYZE tells of one pipeline.
struct TierReport {
    u64 interpreted_rows = 0; // that its source gave to either tier
    u64 generated_rows = 0;
    u64 switches = 0;
    u64 compile_nanos = 0; // 0: found in the cache, or not compiled
};

/// The code of one pipeline in one run.
class PipelineCode {
public:
    virtual ~PipelineCode() = default;

    /// Code of every segment, or nullptr as long as there is none.
    const std::vector<SegmentCode>* ready() const { return ready_.load(std::memory_order_acquire); }
    /// In the order of their steps; once ready() gives their code.
    const std::vector<compile::Segment>& segments() const { return segments_; }
    /// A lane ended a morsel in the interpreter; `left` morsels are not yet taken.
    virtual void morselEnded(u64 nanos, u32 left, u32 lanes) = 0;
    virtual u64 compileNanos() const = 0;

    std::atomic<u64> interpreted_rows{0};
    std::atomic<u64> generated_rows{0};
    std::atomic<u64> switches{0};

protected:
    std::vector<compile::Segment> segments_;
    std::atomic<const std::vector<SegmentCode>*> ready_{nullptr};
};

enum class Codegen : u8 { kOff, kAuto, kForce };

class CodeSource {
public:
    virtual ~CodeSource() = default;
    /// Code for a pipeline with `morsels` morsels; nullptr when there is nothing to generate or it
    /// cannot pay. With kForce it returns when the code is there, cannot be made, or `stop` is
    /// requested. The arguments but `stop` outlive the result.
    virtual std::shared_ptr<PipelineCode> codeFor(const compile::Program& program,
                                                  const compile::Pipeline& pipeline,
                                                  const compile::RowShapes& shapes, Codegen mode,
                                                  u32 morsels, const StopToken& stop) = 0;
};

} // namespace blueshift::execute
