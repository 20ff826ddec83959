// run_task.h: a lane of a stage as a task of the worker pool.
//
// Life: made by startStage() or, for what joins still owe, by the last lane of a pipeline; run in
// slices; parks where a channel or the result's queue is full or empty; end() flushes its sink.
// Threads: one worker at a time; once parked it may run elsewhere before run() has returned.
#pragma once

#include "execute/pipeline/query_run_state.h"

namespace blueshift::execute {

/// A lane of a stage, run in slices on the pool.
class QueryRun::Impl::RunTask final : public Task, public exchange::Waiter {
public:
    RunTask(Impl& run, Made& made, SinkOperator* sink, Target target, u32 number)
        : run_(run),
          made_(&made),
          begun_(made),
          sink_(sink),
          send_(dynamic_cast<SendOperator*>(sink)),
          target_(target),
          number_(number) {}

    /// Its number among the senders of its channel.
    void sendAs(u32 sender) { sender_ = sender; }

    TaskResult run(u32 worker) override {
        if (!context_) {
            context_ = std::make_unique<WorkerContext>(
                run_.makeContext(target_.queue != nullptr ? worker : number_, made_->node));
            guarded(*context_, [&] {
                if (send_ != nullptr) sink_state_ = send_->makeSender(sender_, *context_);
                else if (sink_ != nullptr) sink_state_ = sink_->makeState(*context_);
                lane_ = std::make_unique<Lane>(made_->operators, *context_, sink_state_.get());
            });
        }
        TaskResult result = TaskResult::kDone;
        if (!context_->failed()) {
            WorkerContext& context = *context_;
            guarded(context, [&] { result = slice(); });
            // A parked task may run elsewhere already: nothing of it may be touched.
            if (result == TaskResult::kParked) return result;
            if (result == TaskResult::kAgain && !context.failed()) return result;
        }
        end();
        return TaskResult::kDone;
    }
    void wake() override { run_.environment.pool->submit(*this); }

private:
    /// Lanes take turns, but not so often that their data leaves the cache.
    static constexpr u32 kBatchesPerSlice = 16;

    TaskResult slice() {
        Batch batch;
        u32 batches = 0;
        for (;;) {
            if (!run_.nodeStands(made_->node, *context_)) return TaskResult::kDone;
            if (target_.queue != nullptr && !target_.queue->roomOrPark(*this))
                return TaskResult::kParked;
            if (send_ != nullptr) {
                if (send_->channel().closed()) return TaskResult::kDone;
                if (!send_->channel().roomOrPark(sender_, *this)) return TaskResult::kParked;
            }
            if (!lane_->pull(batch)) {
                if (!lane_->waiting()) {
                    if (!startRest()) return TaskResult::kDone;
                    continue;
                }
                if (made_->receive->readyOrPark(lane_->sourceState(), *this)) continue;
                return TaskResult::kParked;
            }
            deliver(batch);
            if (context_->failed()) return TaskResult::kDone;
            if (++batches % kBatchesPerSlice == 0 && run_.environment.pool->crowded())
                return TaskResult::kAgain;
        }
    }
    /// The last lane of a pipeline goes on with what its steps still owe, beside further lanes. (Of
    /// a queue's, the next pipeline is made from that.)
    bool startRest() {
        if (target_.queue != nullptr || context_->failed()) return false;
        if (made_->lanes_left.fetch_sub(1) != 1) return false;
        Made* rest = run_.makeRest(*made_);
        if (rest == nullptr) return false;
        run_.addRestTasks(*rest, sink_, target_, number_);
        made_ = rest;
        lane_ = std::make_unique<Lane>(made_->operators, *context_, sink_state_.get());
        return true;
    }
    void deliver(const Batch& batch) {
        if (target_.queue != nullptr) return target_.queue->push(batch, *context_);
        if (target_.consumer != nullptr) {
            if (auto status = target_.consumer->consume(number_, batch); !status)
                context_->eval.fail(std::move(status.error()));
            return;
        }
        sink_->consume(*sink_state_, batch, *context_);
    }
    void end() {
        guarded(*context_, [&] {
            if (sink_state_ && !context_->failed()) sink_->flush(*sink_state_, *context_);
        });
        const bool failed = context_->failed();
        run_.takeError(*context_);
        lane_.reset();
        sink_state_.reset();
        if (failed) run_.abandonChannels();
        if (begun_.receive != nullptr) begun_.receive->close();
        if (send_ != nullptr) send_->channel().senderEnded(sender_);
        if (target_.queue != nullptr) {
            run_.laneEnded();
            target_.queue->writerEnded();
        }
        run_.taskDone();
    }

    Impl& run_;
    Made* made_;
    Made& begun_; // with which it began
    SinkOperator* sink_;
    SendOperator* send_;
    Target target_;
    u32 number_;
    u32 sender_ = 0;
    std::unique_ptr<WorkerContext> context_;
    std::unique_ptr<Lane> lane_;
    std::unique_ptr<State> sink_state_;
};

} // namespace blueshift::execute
