#include "execute/group/merge_groups.h"

#include <algorithm>
#include <numeric>

#include "execute/sort/row_order.h"

namespace blueshift::execute {

MergedGroups::MergedGroups(const GroupShape& shape,
                           std::span<const std::unique_ptr<LocalGroups>> workers, u32 part,
                           GroupSpill* spill)
    : shape_(shape),
      workers_(workers),
      part_(part),
      spill_(spill),
      table_(shape.layout, shape.compared) {}

void MergedGroups::merge(WorkerContext& context) {
    memory_.bind(context);
    std::vector<u8*> rows;
    u32 sources = 0;
    bool may_repeat = false;
    for (const auto& worker : workers_) {
        RowPages& pages = worker->groups().rows.part(part_);
        sources += pages.rowCount() > 0;
        may_repeat |= worker->groups().mayRepeat();
        pages.collectRows(rows);
    }
    const bool looked_up = shape_.hasKeys() && !shape_.deferred.empty();
    if (sources > 1 || may_repeat || looked_up) {
        if (table_.reserve(rows.size(), context)) mergeRows(rows, context);
    } else {
        groups_ = std::move(rows);
    }
    for (u32 d = 0; d < shape_.deferred.size() && !context.failed(); ++d) {
        applyDeferred(shape_.deferred[d], d, context);
        if (spill_ != nullptr && !context.failed())
            applySpilled(d, spill_->part(part_).deferred[d], 0, *spill_, context);
    }
    table_.release(context);
}

void MergedGroups::combineRow(u8* into, const u8* from, std::span<const u32> calls,
                              WorkerContext& context) {
    for (const u32 c : calls) {
        const auto& spec = shape_.sink.calls[c];
        const functions::AggregateCall call{{}, spec.arg_types, spec.result, memory_, context.eval};
        spec.aggregate->combine(call, into + shape_.state_offsets[c],
                                from + shape_.state_offsets[c]);
    }
}

void MergedGroups::mergeRows(std::span<u8* const> rows, WorkerContext& context) {
    u8* found[kVectorRows];
    for (size_t base = 0; base < rows.size() && !context.failed(); base += kVectorRows) {
        const u32 count = u32(std::min<size_t>(kVectorRows, rows.size() - base));
        u8* const* at = rows.data() + base;
        table_.mergeRows(at, count, found);
        for (u32 i = 0; i < count; ++i) {
            if (found[i] == at[i]) groups_.push_back(at[i]);
            else combineRow(found[i], at[i], shape_.immediate, context);
        }
    }
}

void MergedGroups::addEmptyGroup(u32 set, WorkerContext& context) {
    memory_.bind(context);
    const u64 none_valid = 0;
    const i32 number = i32(set);
    alignas(16) const u8 zero[16] = {};
    std::vector<Vector> columns;
    for (u32 k = 0; k < shape_.key_count; ++k)
        columns.push_back({.kind = shape_.layout.kindOf(k),
                           .form = VectorForm::kConstant,
                           .data = zero,
                           .validity = &none_valid});
    if (shape_.has_sets)
        columns.push_back(
            {.kind = PhysicalKind::kI32, .form = VectorForm::kConstant, .data = &number});
    const u64 hash = 0;
    u8* row = nullptr;
    if (!own_rows_.append(shape_.layout, columns, nullptr, 1, &hash, &row, context, "groups"))
        return;
    if (!shape_.initial_states.empty())
        std::memcpy(row + shape_.layout.extraOffset(), shape_.initial_states.data(),
                    shape_.initial_states.size());
    groups_.push_back(row);
}

void MergedGroups::combineOnly(const MergedGroups& other, WorkerContext& context) {
    if (other.groups_.empty()) return;
    memory_.bind(context);
    std::vector<u32> calls(shape_.sink.calls.size());
    std::iota(calls.begin(), calls.end(), 0);
    combineRow(groups_[0], other.groups_[0], calls, context);
}

// ---- Deferred calls.

void MergedGroups::applyDeferred(const DeferredShape& input, u32 index, WorkerContext& context) {
    std::vector<u8*> rows;
    u32 sources = 0;
    bool may_repeat = false;
    for (const auto& worker : workers_) {
        KeyedRows& collected = worker->deferred(index);
        sources += collected.rows.part(part_).rowCount() > 0;
        may_repeat |= collected.mayRepeat();
        collected.rows.part(part_).collectRows(rows);
    }
    applyRows(input, rows, sources > 1 || may_repeat, context);
}

void MergedGroups::applyRows(const DeferredShape& input, std::vector<u8*>& rows, bool may_repeat,
                             WorkerContext& context) {
    if (rows.empty()) return;
    if (input.distinct && may_repeat) deduplicate(input, rows, context);
    if (context.failed()) return;
    std::vector<u8*> groups(rows.size());
    if (shape_.hasKeys()) {
        findGroups(input, rows, groups);
    } else {
        if (groups_.empty()) addEmptyGroup(0, context);
        if (groups_.empty()) return;
        std::fill(groups.begin(), groups.end(), groups_[0]);
    }
    if (!shape_.sink.calls[input.calls[0]].order_by.empty())
        sortByGroup(input, rows, groups, *context.stop);
    for (size_t base = 0; base < rows.size() && !context.failed(); base += kVectorRows) {
        const u32 count = u32(std::min<size_t>(kVectorRows, rows.size() - base));
        updateFrom(input, rows.data() + base, groups.data() + base, count, context);
    }
}

void MergedGroups::deduplicate(const DeferredShape& input, std::vector<u8*>& rows,
                               WorkerContext& context) {
    KeyTable seen(input.layout, input.compared);
    if (!seen.reserve(rows.size(), context)) return;
    u8* found[kVectorRows];
    size_t kept = 0;
    for (size_t base = 0; base < rows.size(); base += kVectorRows) {
        const u32 count = u32(std::min<size_t>(kVectorRows, rows.size() - base));
        seen.mergeRows(rows.data() + base, count, found);
        for (u32 i = 0; i < count; ++i) {
            if (found[i] == rows[base + i]) rows[kept++] = found[i];
        }
    }
    rows.resize(kept);
    seen.release(context);
}

void MergedGroups::findGroups(const DeferredShape& input, std::span<u8* const> rows,
                              std::vector<u8*>& groups) {
    u64 hashes[kVectorRows];
    const u32 offset = input.layout.offsetOf(DeferredShape::kGroupHash);
    for (size_t base = 0; base < rows.size(); base += kVectorRows) {
        const u32 count = u32(std::min<size_t>(kVectorRows, rows.size() - base));
        for (u32 i = 0; i < count; ++i) hashes[i] = loadField<u64>(rows[base + i], offset);
        table_.find(input.layout, input.group_keys, rows.data() + base, count, hashes,
                    groups.data() + base);
    }
}

void MergedGroups::sortByGroup(const DeferredShape& input, std::vector<u8*>& rows,
                               std::vector<u8*>& groups, const StopToken& stop) {
    const auto& order_by = shape_.sink.calls[input.calls[0]].order_by;
    std::vector<RowSortKey> keys;
    for (size_t k = 0; k < order_by.size(); ++k)
        keys.push_back(
            {input.first_order + u32(k), order_by[k].descending, order_by[k].nulls_first});
    const RowOrder order(input.layout, keys);
    if (!shape_.hasKeys()) return order.sortRows(rows, stop); // one group: it may be large
    struct Member {
        u8* group;
        SortEntry entry;
    };
    std::vector<SortEntry> entries(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) entries[i].row = rows[i];
    order.makePrefixes(entries.data(), u32(entries.size()));
    std::vector<Member> members(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) members[i] = {groups[i], entries[i]};
    std::sort(members.begin(), members.end(), [&](const Member& a, const Member& b) {
        return a.group != b.group ? a.group < b.group : order.less(a.entry, b.entry);
    });
    for (size_t i = 0; i < rows.size(); ++i) {
        rows[i] = members[i].entry.row;
        groups[i] = members[i].group;
    }
}

void MergedGroups::updateFrom(const DeferredShape& input, u8* const* rows, u8* const* groups,
                              u32 count, WorkerContext& context) {
    std::vector<Vector> args;
    buffers_.resize(std::max(buffers_.size(), input.args.size()));
    for (u32 a = 0; a < input.args.size(); ++a)
        args.push_back(gatherColumn(input.layout, input.first_arg + a, rows, count, buffers_[a]));
    u8* states[kVectorRows];
    for (const u32 c : input.calls) {
        const auto& spec = shape_.sink.calls[c];
        for (u32 i = 0; i < count; ++i) states[i] = groups[i] + shape_.state_offsets[c];
        const functions::AggregateCall call{args, spec.arg_types, spec.result, memory_,
                                            context.eval};
        spec.aggregate->update(call, nullptr, states, count);
    }
}

} // namespace blueshift::execute
