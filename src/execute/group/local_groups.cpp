#include "execute/group/local_groups.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/block_steps.h"

namespace blueshift::execute {
namespace {

constexpr u32 kMostArguments = 8;
constexpr auto kEveryRow = [] {
    std::array<u16, kVectorRows> rows{};
    for (u32 i = 0; i < kVectorRows; ++i) rows[i] = u16(i);
    return rows;
}();

constexpr u64 kNoneValid = 0;

} // namespace

LocalGroups::LocalGroups(const GroupShape& shape, GroupSpill& spill)
    : shape_(shape),
      spill_(spill),
      groups_(shape.layout, shape.compared, shape.initial_states, shape.sink.estimated_groups),
      hasher_(u32(shape.compared.size())),
      direct_(shape.sets.size()),
      keys_(shape.layout.columnCount()),
      compared_(shape.compared.size()) {
    for (const DeferredShape& input : shape.deferred) {
        deferred_.push_back(std::make_unique<KeyedRows>(input.layout, input.compared, no_extra_));
        argument_hashers_.emplace_back(u32(input.args.size()));
    }
    for (u32 set = 0; set < shape.sets.size(); ++set) set_numbers_.push_back(i32(set));
}

u64 LocalGroups::memoryBytes() const {
    u64 bytes = groups_.memoryBytes() + memory_.memoryBytes() + indexed_.size() * sizeof(u8*);
    for (const auto& input : deferred_) bytes += input->memoryBytes();
    return bytes;
}

void LocalGroups::release(WorkerContext& context) {
    dropTables(context);
    groups_.rows.clear(context);
    for (auto& input : deferred_) input->rows.clear(context);
    memory_.bind(context);
    memory_.release();
}

void LocalGroups::spill(WorkerContext& context) {
    memory_.bind(context);
    releaseIndex(context);
    GroupSpill::Written written(shape_);
    if (shape_.hasKeys()) {
        if (!groups_.spill(spill_.file, spill_.group_codec, written.groups, context)) return;
        memory_.release();
    }
    for (u32 d = 0; d < deferred_.size(); ++d)
        if (!deferred_[d]->spill(spill_.file, spill_.deferred_codecs[d], written.deferred[d],
                                 context))
            return;
    spill_.absorb(std::move(written));
}

bool LocalGroups::isSplit() const {
    return groups_.rows.isSplit() ||
           std::any_of(deferred_.begin(), deferred_.end(),
                       [](const auto& input) { return input->rows.isSplit(); });
}

bool LocalGroups::split(WorkerContext& context) {
    bool done = groups_.split(context);
    for (auto& input : deferred_) done = done && input->split(context);
    only_group_ = nullptr;
    return done;
}

void LocalGroups::dropTables(WorkerContext& context) {
    groups_.dropTable(context);
    releaseIndex(context);
    for (auto& input : deferred_) input->dropTable(context);
    direct_.clear();
}

void LocalGroups::consume(const Batch& batch, WorkerContext& context) {
    memory_.bind(context);
    for (u32 set = 0; set < shape_.sets.size() && !context.failed(); ++set)
        if (makeRoom(set, batch, context)) consumeSet(set, batch, context);
}

u64 LocalGroups::batchBytes(const Batch& batch, bool with_texts) const {
    const u32 count = batch.selected;
    u64 bytes = groups_.growthBytes(count);
    const auto textBytes = [&](const Vector& values) {
        u64 sum = 0;
        if (!with_texts || values.kind != PhysicalKind::kText) return sum;
        for (u32 i = 0; i < count; ++i) {
            const u32 row = batch.rowAt(i);
            if (!values.isNull(row)) sum += values.valueAt<TextView>(row).length;
        }
        return sum;
    };
    u64 key_texts = 0;
    for (const Vector& key : keys_) key_texts += textBytes(key);
    if (shape_.hasKeys()) bytes += u64(count) * shape_.layout.rowBytes() + key_texts;
    for (u32 d = 0; d < deferred_.size(); ++d) {
        const DeferredShape& shape = shape_.deferred[d];
        bytes +=
            u64(count) * shape.layout.rowBytes() + deferred_[d]->growthBytes(count) + key_texts;
        for (const compile::Slot slot : shape.args) bytes += textBytes(batch.columns[slot]);
        for (const auto& key : shape_.sink.calls[shape.calls[0]].order_by)
            bytes += textBytes(batch.columns[key.slot]);
    }
    return bytes;
}

bool LocalGroups::makeRoom(u32 set, const Batch& batch, WorkerContext& context) {
    constexpr u64 kPlenty = 64 << 20; // it would be idle to measure texts
    bindKeys(set, batch);
    const u64 more = batchBytes(batch, context.room() < kPlenty);
    if (!context.hasRoom(memoryBytes(), more)) spill(context);
    return !context.failed();
}

void LocalGroups::settle(WorkerContext& context) {
    dropTables(context);
    if (context.spill == nullptr) return;
    // Tables of some parts at once, and the rows' way to their parts.
    constexpr u64 kTableBytes = 32;
    constexpr u64 kWhole = 32 << 10; // so few rows are merged in one piece
    u64 rows = groups_.rows.rowCount();
    u64 more = groups_.splitBytes();
    for (const auto& input : deferred_) {
        rows += input->rows.rowCount();
        more += input->splitBytes();
    }
    if (!shape_.hasKeys() && rows <= 1) return;
    // Of 64 parts as many as there are workers have a table; twice that for uneven ones.
    const u64 at_once = rows * 2 * context.memory->workers() / kPartitions;
    more += kTableBytes * (rows <= kWhole ? rows : std::clamp(at_once, kWhole, rows));
    // Each worker's least memory is there for it.
    more -= std::min(more, context.memory->workerBytes());
    if (context.mayKeep(memoryBytes()) && context.memory->hold(more)) held_to_merge_ = more;
    else spill(context);
}

bool LocalGroups::locate(u32 set, const Batch& batch, Assignment& to, WorkerContext& context) {
    if (!shape_.hasKeys()) return locateOnly(batch, to, context);
    return locateDirect(set, batch, to, context) ||
           (!context.failed() && locateHashed(batch, to, context));
}

void LocalGroups::applyRest(const Batch& batch, const std::vector<bool>& done,
                            WorkerContext& context) {
    if (!shape_.hasKeys() && !makeRoom(0, batch, context)) return;
    const Assignment rows = assigned(batch);
    for (const u32 call : shape_.immediate)
        if (!done[call]) applyCall(call, batch, rows, context);
    for (u32 d = 0; d < shape_.deferred.size() && !context.failed(); ++d)
        collect(d, batch, rows, context);
}

void LocalGroups::consumeSet(u32 set, const Batch& batch, WorkerContext& context) {
    Assignment rows;
    if (!locate(set, batch, rows, context)) return;
    for (const u32 call : shape_.immediate) applyCall(call, batch, rows, context);
    for (u32 d = 0; d < shape_.deferred.size() && !context.failed(); ++d)
        collect(d, batch, rows, context);
}

void LocalGroups::bindKeys(u32 set, const Batch& batch) {
    for (u32 k = 0; k < shape_.key_count; ++k) {
        const bool grouped = shape_.sets[set] >> k & 1;
        keys_[k] = grouped ? batch.columns[shape_.sink.keys[k].slot]
                           : Vector{.kind = shape_.layout.kindOf(k),
                                    .form = VectorForm::kConstant,
                                    .data = kZeroValue,
                                    .validity = &kNoneValid};
    }
    if (shape_.has_sets)
        keys_[shape_.set_column] = {
            .kind = PhysicalKind::kI32, .form = VectorForm::kConstant, .data = &set_numbers_[set]};
    for (size_t c = 0; c < compared_.size(); ++c) compared_[c] = keys_[shape_.compared[c]];
}

// ---- Finding the group of every row.

bool LocalGroups::findOnly(WorkerContext& context) {
    const u64 hash = 0;
    return only_group_ != nullptr || groups_.locate({}, nullptr, 1, &hash, &only_group_, context);
}

bool LocalGroups::locateOnly(const Batch& batch, Assignment& to, WorkerContext& context) {
    if (!findOnly(context)) return false;
    std::fill(located_, located_ + batch.selected, only_group_);
    to = {batch.selection, batch.selected, located_, true};
    return true;
}

bool LocalGroups::locateHashed(const Batch& batch, Assignment& to, WorkerContext& context) {
    const u32 count = batch.selected;
    hasher_.hash(compared_, batch.selection, count, hashes_);
    if (!groups_.locate(keys_, batch.selection, count, hashes_, located_, context)) return false;
    u32 changes = 0;
    for (u32 i = 1; i < count; ++i) changes += located_[i] != located_[i - 1];
    to = {batch.selection, count, located_, changes * 16 < count};
    return true;
}

// ---- Applying calls.

LocalGroups::Assignment LocalGroups::livingRows(const Batch& batch,
                                                const std::vector<compile::Slot>& args,
                                                compile::Slot filter, const Assignment& from) {
    Assignment result = from;
    const auto keep = [&](auto passes) {
        const u16* rows = result.rows == nullptr ? kEveryRow.data() : result.rows;
        u32 kept = 0;
        for (u32 i = 0; i < result.count; ++i) {
            const u16 row = rows[i];
            u8* group = result.groups[i];
            living_rows_[kept] = row;
            living_groups_[kept] = group;
            kept += passes(row);
        }
        result.rows = living_rows_;
        result.groups = living_groups_;
        result.count = kept;
    };
    if (filter != compile::kNoSlot) {
        const Vector& condition = batch.columns[filter];
        keep([&](u32 row) { return !condition.isNull(row) && condition.valueAt<i8>(row) != 0; });
    }
    for (const compile::Slot slot : args) {
        const Vector& vector = batch.columns[slot];
        if (vector.validity == nullptr) continue;
        if (vector.form == VectorForm::kConstant) {
            if (vector.isNull(0)) result.count = 0;
            continue;
        }
        const u64* validity = vector.validity;
        keep([validity](u32 row) { return bitAt(validity, row); });
    }
    return result;
}

void LocalGroups::applyCall(u32 index, const Batch& batch, const Assignment& all,
                            WorkerContext& context) {
    static const std::vector<compile::Slot> kNoArgs;
    const auto& spec = shape_.sink.calls[index];
    const Assignment rows =
        livingRows(batch, spec.aggregate->sees_nulls ? kNoArgs : spec.args, spec.filter, all);
    if (rows.count == 0) return;
    Vector args[kMostArguments];
    BS_CHECK(spec.args.size() <= kMostArguments, "an aggregate of too many arguments");
    for (size_t a = 0; a < spec.args.size(); ++a) args[a] = batch.columns[spec.args[a]];
    const functions::AggregateCall call{
        {args, spec.args.size()}, spec.arg_types, spec.result, memory_, context.eval};
    const u32 offset = shape_.state_offsets[index];
    if (!rows.in_runs) {
        u8* states[kVectorRows];
        for (u32 i = 0; i < rows.count; ++i) states[i] = rows.groups[i] + offset;
        spec.aggregate->update(call, rows.rows, states, rows.count);
        return;
    }
    if (rows.groups[0] == rows.groups[rows.count - 1] && !shape_.hasKeys()) {
        spec.aggregate->update_one(call, rows.rows, rows.count, rows.groups[0] + offset);
        return;
    }
    const u16* row_numbers = rows.rows == nullptr ? kEveryRow.data() : rows.rows;
    for (u32 begin = 0, end = 0; begin < rows.count; begin = end) {
        while (end < rows.count && rows.groups[end] == rows.groups[begin]) ++end;
        spec.aggregate->update_one(call, row_numbers + begin, end - begin,
                                   rows.groups[begin] + offset);
    }
}

void LocalGroups::collect(u32 index, const Batch& batch, const Assignment& all,
                          WorkerContext& context) {
    const DeferredShape& shape = shape_.deferred[index];
    const auto& spec = shape_.sink.calls[shape.calls[0]];
    const Assignment rows = livingRows(batch, shape.args, shape.filter, all);
    if (rows.count == 0) return;
    const u16* numbers = rows.rows == nullptr ? kEveryRow.data() : rows.rows;

    hasher_.hash(compared_, numbers, rows.count, hashes_);
    for (u32 i = 0; i < rows.count; ++i) group_hash_of_row_[numbers[i]] = hashes_[i];
    wide_.clear();
    wide_.push_back({.kind = PhysicalKind::kI64, .data = group_hash_of_row_});
    wide_.insert(wide_.end(), keys_.begin(), keys_.end());
    for (const compile::Slot slot : shape.args) wide_.push_back(batch.columns[slot]);
    for (const auto& key : spec.order_by) wide_.push_back(batch.columns[key.slot]);

    const bool spreads = shape_.spreadsWithoutKeys(shape);
    if (shape.distinct || spreads) {
        const std::span<const Vector> args(wide_.data() + shape.first_arg, shape.args.size());
        argument_hashers_[index].hash(args, numbers, rows.count, argument_hashes_);
        constexpr u64 kLow = ~u64{0} >> kPartitionBits;
        for (u32 i = 0; i < rows.count; ++i) {
            // The partition stays that of the group.
            hashes_[i] = spreads ? argument_hashes_[i]
                                 : (hashes_[i] & ~kLow) |
                                       (kernels::combine(hashes_[i], argument_hashes_[i]) & kLow);
        }
    }
    KeyedRows& into = *deferred_[index];
    u8* located[kVectorRows];
    if (shape.distinct) {
        into.locate(wide_, numbers, rows.count, hashes_, located, context);
        return;
    }
    constexpr u64 kMostUnsplit = 64 << 10;
    if (into.rows.rowCount() > kMostUnsplit && !into.split(context)) return;
    into.rows.append(wide_, numbers, rows.count, hashes_, nullptr, context, "aggregate input");
}

} // namespace blueshift::execute
