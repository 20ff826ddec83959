#include "execute/group/group.h"

#include <algorithm>

#include "execute/group/group_source.h"
#include "execute/rows/row_fields.h"

namespace blueshift::execute {
namespace {

/// One worker's state; flush() takes the groups away from it.
struct GroupState final : State {
    std::unique_ptr<LocalGroups> groups;
};

class GroupOperator final : public SinkOperator {
public:
    explicit GroupOperator(const compile::SinkInfo& info) : shape_(info), spill_(shape_) {}

    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto state = std::make_unique<GroupState>();
        state->groups = std::make_unique<LocalGroups>(shape_, spill_);
        return state;
    }
    void consume(State& state, const Batch& batch, WorkerContext& context) override {
        static_cast<GroupState&>(state).groups->consume(batch, context);
    }
    void flush(State& state, WorkerContext& context) override;
    u32 finishTasks() override;
    void finishTask(u32 task, WorkerContext& context) override;
    bool finished(WorkerContext& context) override;
    std::unique_ptr<SourceOperator> makeSource(const std::vector<u32>& columns) override {
        if (spill_.any() && shape_.hasKeys())
            return std::make_unique<SpilledGroupSource>(shape_, spill_, columns);
        return std::make_unique<GroupSource>(shape_, merged_, columns);
    }
    void release(WorkerContext& context) override;
    u64 memoryBytes() const override;
    u64 spilledBytes() const override { return spill_.file.bytesSpilled(); }

private:
    // kStart -> [kWrite] -> [kSplit] -> kMerge -> kDone
    enum class Phase : u8 { kStart, kWrite, kSplit, kMerge, kDone };

    bool wantsSplit() const;
    void beginMerge(u32 parts);
    void endOfMerge(WorkerContext& context);
    void addMissingGroups(WorkerContext& context);

    GroupShape shape_;
    GroupSpill spill_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<LocalGroups>> workers_;
    std::vector<std::unique_ptr<MergedGroups>> merged_;
    Phase phase_ = Phase::kStart;
};

void GroupOperator::flush(State& state, WorkerContext& context) {
    auto groups = std::move(static_cast<GroupState&>(state).groups);
    if (groups == nullptr) return;
    groups->settle(context);
    const std::lock_guard lock(mutex_);
    workers_.push_back(std::move(groups));
}

/// Parallel merging pays when there is much to merge; what is split stays split.
bool GroupOperator::wantsSplit() const {
    constexpr u64 kMuch = 32 << 10;
    u64 rows = 0;
    for (const auto& worker : workers_) {
        if (worker->isSplit()) return true;
        if (workers_.size() > 1) rows += worker->groups().rows.rowCount();
        for (u32 d = 0; d < shape_.deferred.size(); ++d)
            rows += worker->deferred(d).rows.rowCount();
    }
    return rows > kMuch;
}

void GroupOperator::beginMerge(u32 parts) {
    phase_ = Phase::kMerge;
    for (u32 p = 0; p < parts; ++p)
        merged_.push_back(
            std::make_unique<MergedGroups>(shape_, workers_, p, spill_.any() ? &spill_ : nullptr));
}

u32 GroupOperator::finishTasks() {
    if (phase_ == Phase::kStart) {
        if (spill_.any()) phase_ = Phase::kWrite;
        else if (wantsSplit()) phase_ = Phase::kSplit;
        else beginMerge(1);
    }
    if (phase_ == Phase::kWrite || phase_ == Phase::kSplit) return u32(workers_.size());
    return phase_ == Phase::kMerge ? u32(merged_.size()) : 0;
}

void GroupOperator::finishTask(u32 task, WorkerContext& context) {
    if (context.failed()) return;
    // What was kept follows what was written: then all of a group is in one place.
    if (phase_ == Phase::kWrite) workers_[task]->spill(context);
    else if (phase_ == Phase::kSplit) workers_[task]->split(context);
    else merged_[task]->merge(context);
}

void GroupOperator::endOfMerge(WorkerContext& context) {
    phase_ = Phase::kDone;
    if (context.memory == nullptr) return;
    for (const auto& worker : workers_) context.memory->unhold(worker->heldToMerge());
}

bool GroupOperator::finished(WorkerContext& context) {
    if (phase_ == Phase::kWrite) {
        // With keys the source merges part by part; else the groups are in memory, one a worker.
        if (shape_.hasKeys()) endOfMerge(context);
        else phase_ = Phase::kSplit;
        return phase_ == Phase::kSplit;
    }
    if (phase_ == Phase::kSplit) {
        beginMerge(kPartitions);
        return true;
    }
    endOfMerge(context);
    if (!context.failed()) addMissingGroups(context);
    return false;
}

/// Without keys there is exactly one group; an empty grouping set has one even without input.
void GroupOperator::addMissingGroups(WorkerContext& context) {
    if (!shape_.hasKeys()) {
        if (merged_[0]->groups().empty()) merged_[0]->addEmptyGroup(0, context);
        for (size_t p = 1; p < merged_.size() && !context.failed(); ++p)
            merged_[0]->combineOnly(*merged_[p], context);
        merged_.resize(1);
        return;
    }
    if (!shape_.has_sets) return;
    const bool any = std::any_of(merged_.begin(), merged_.end(),
                                 [](const auto& part) { return !part->groups().empty(); });
    if (any) return;
    const u64 all = shape_.key_count >= 64 ? ~u64{0} : (u64{1} << shape_.key_count) - 1;
    for (u32 set = 0; set < shape_.sets.size(); ++set) {
        if ((shape_.sets[set] & all) == 0) merged_[0]->addEmptyGroup(set, context);
    }
}

void GroupOperator::release(WorkerContext& context) {
    for (const auto& worker : workers_) worker->release(context);
    for (const auto& part : merged_) part->release(context);
    workers_.clear();
    merged_.clear();
}

u64 GroupOperator::memoryBytes() const {
    u64 bytes = 0;
    for (const auto& worker : workers_) bytes += worker->memoryBytes();
    for (const auto& part : merged_) bytes += part->memoryBytes();
    return bytes;
}

} // namespace

LocalGroups& localGroupsOf(State& state) {
    return *static_cast<GroupState&>(state).groups;
}

compile::GroupRowShape groupRowShape(const compile::SinkInfo& info) {
    const GroupShape shape(info);
    compile::GroupRowShape found;
    found.keys = rowFields(shape.layout, shape.key_count);
    found.states = shape.state_offsets;
    return found;
}

std::unique_ptr<SinkOperator> makeGroupSink(const compile::SinkInfo& info) {
    return std::make_unique<GroupOperator>(info);
}

} // namespace blueshift::execute
