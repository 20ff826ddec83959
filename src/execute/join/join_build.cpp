#include "execute/join/join_build.h"

#include <algorithm>
#include <bit>

#include "execute/join/build_state.h"
#include "execute/rows/row_fields.h"

namespace blueshift::execute {

namespace {

std::vector<RowColumn> columnsOf(const compile::SinkInfo& info) {
    std::vector<RowColumn> columns;
    for (const auto& slot : info.input) columns.push_back({slot.kind, slot.nullable});
    return columns;
}

} // namespace

JoinBuild::JoinBuild(const compile::SinkInfo& info, std::span<JoinFilter* const> filters)
    : spec_(std::get<compile::BuildSink>(info.sink)),
      layout_(columnsOf(info), true, spec_.keeps_matches ? 8 : 0),
      codec_(layout_) {
    for (const auto& publish : spec_.publishes) published_.push_back(filters[publish.filter]);
    null_row_.assign(layout_.rowBytes() / 8 + 1, 0);
    std::memset(reinterpret_cast<u8*>(null_row_.data()) + layout_.nullOffset(), 0xFF,
                layout_.nullBytes());
}

kernels::JoinTable JoinBuild::table() const {
    return {.directory = directory_.data() + 1,
            .skip = skip_,
            .shift = shift_,
            .empty = rows_.empty(),
            .saw_null_key = sawNullKey(),
            .saw_rows = sawRows(),
            .rows = rows_.data(),
            .null_row = reinterpret_cast<const u8*>(null_row_.data())};
}

compile::BuildRowShape JoinBuild::shapeOf(const compile::SinkInfo& info) {
    const RowLayout layout(columnsOf(info), true,
                           std::get<compile::BuildSink>(info.sink).keeps_matches ? 8 : 0);
    compile::BuildRowShape shape;
    shape.fields = rowFields(layout, layout.columnCount());
    shape.match_offset = layout.extraOffset();
    return shape;
}

std::unique_ptr<State> JoinBuild::makeState(WorkerContext&) {
    auto state = std::make_unique<BuildState>(keyCount());
    state->ranges.resize(spec_.publishes.size());
    return state;
}

void JoinBuild::addFilterRange(BuildState& state, const Batch& batch, const u16* rows, u32 count) {
    for (size_t p = 0; p < spec_.publishes.size(); ++p) {
        const Vector& key = batch.columns[spec_.publishes[p].key];
        if (!isIntegerKind(key.kind) || count == 0) continue;
        auto& range = state.ranges[p];
        dispatchKind(key.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            if constexpr (std::is_integral_v<T> || sizeof(T) == 16) {
                if constexpr (!std::is_same_v<T, TextView>) {
                    T low = key.valueAt<T>(rows[0]);
                    T high = low;
                    for (u32 i = 1; i < count; ++i) {
                        const T value = key.valueAt<T>(rows[i]);
                        low = std::min(low, value);
                        high = std::max(high, value);
                    }
                    range.min = range.any ? std::min<i128>(range.min, low) : i128(low);
                    range.max = range.any ? std::max<i128>(range.max, high) : i128(high);
                    range.any = true;
                }
            }
        });
    }
}

void JoinBuild::consume(State& base, const Batch& batch, WorkerContext& context) {
    auto& state = static_cast<BuildState&>(base);
    const u64 more = RowPages::bytesOf(layout_, batch.columns, batch.selection, batch.selected) +
                     batch.selected * kEntryBytes;
    if (!context.hasRoom(state.pages.memoryBytes() + state.entry_count * kEntryBytes, more))
        spill(state, context);
    if (context.failed()) return;
    const u32 keys = keyCount();
    u32 keyed = 0;
    u16* rows = state.keyed.data();
    bool nullable = false;
    for (u32 k = 0; k < keys; ++k) nullable |= batch.columns[k].validity != nullptr;
    for (u32 i = 0; i < batch.selected; ++i) {
        const u32 row = batch.rowAt(i);
        rows[keyed] = u16(row);
        bool valid = true;
        if (nullable)
            for (u32 k = 0; k < keys; ++k) valid &= !batch.columns[k].isNull(row);
        keyed += valid;
    }
    const bool dropped = keyed < batch.selected;
    state.saw_null_key |= dropped;
    const std::span<const Vector> key_columns(batch.columns.data(), keys);
    state.hasher.hash(key_columns, rows, keyed, state.hashes.data());
    if (!context.take(keyed * kEntryBytes, "a hash join")) return;
    state.entry_count += keyed;
    if (!state.pages.append(layout_, batch.columns, rows, keyed, state.hashes.data(),
                            state.rows.data(), context, "a hash join"))
        return;
    for (u32 i = 0; i < keyed; ++i) {
        const u64 hash = state.hashes[i];
        state.entries[hash >> (64 - kPartitionBits)].push_back({hash, state.rows[i]});
    }
    addFilterRange(state, batch, rows, keyed);
    if (!dropped || !spec_.keeps_matches) return;
    // Rows with NULL keys have no partner but may have to be delivered.
    u16 others[kVectorRows + 64];
    u32 other_count = 0;
    u32 next = 0;
    for (u32 i = 0; i < batch.selected; ++i) {
        const u16 row = u16(batch.rowAt(i));
        if (next < keyed && rows[next] == row) ++next;
        else others[other_count++] = row;
    }
    std::fill_n(state.hashes.begin(), other_count, u64{0});
    if (state.pages.append(layout_, batch.columns, others, other_count, state.hashes.data(),
                           state.rows.data(), context, "a hash join"))
        state.unkeyed.insert(state.unkeyed.end(), state.rows.begin(),
                             state.rows.begin() + other_count);
}

void JoinBuild::flush(State& base, WorkerContext& context) {
    auto& state = static_cast<BuildState&>(base);
    if (!context.mayKeep(state.pages.memoryBytes() + state.entry_count * kEntryBytes))
        spill(state, context);
    std::lock_guard lock(mutex_);
    entry_bytes_ += state.entry_count * kEntryBytes;
    unkeyed_rows_.insert(unkeyed_rows_.end(), state.unkeyed.begin(), state.unkeyed.end());
    pages_.absorb(std::move(state.pages));
    saw_null_key_ |= state.saw_null_key;
    for (u32 p = 0; p < kPartitions; ++p)
        if (!state.entries[p].empty()) entries_[p].push_back(std::move(state.entries[p]));
    for (size_t p = 0; p < published_.size(); ++p) {
        const auto& range = state.ranges[p];
        if (!range.any) continue;
        JoinFilter& filter = *published_[p];
        filter.min = filter.has_range ? std::min(filter.min, range.min) : range.min;
        filter.max = filter.has_range ? std::max(filter.max, range.max) : range.max;
        filter.has_range = true;
    }
}

u32 JoinBuild::finishTasks() {
    if (phase_ == Phase::kStart) phase_ = spilled_.load() ? Phase::kWrite : Phase::kIndex;
    if (phase_ == Phase::kIndex) prepareDirectory();
    return kPartitions;
}

void JoinBuild::makeBloom(u64 keys) {
    for (JoinFilter* filter : published_) {
        if (keys == 0 || keys > kMostBloomKeys || !filter->bloom.empty()) continue;
        const u64 words = std::bit_ceil(std::max<u64>(keys / 6, 2));
        filter->bloom.assign(words, 0);
        filter->bloom_shift = u32(64 - std::countr_zero(words));
    }
}

void JoinBuild::prepareDirectory() {
    u64 total = 0;
    u64 lists = 0;
    for (u32 p = 0; p < kPartitions; ++p) {
        partition_begin_[p] = total;
        for (const auto& list : entries_[p]) total += list.size();
        lists += !entries_[p].empty();
    }
    partition_begin_[kPartitions] = total;
    saw_rows_ |= total > 0;
    // Parts on disk leave their share of the directory empty.
    const u64 wanted = spilled_mask_ == 0 || lists == 0 ? total : total * kPartitions / lists;
    const u64 slots = std::bit_ceil(std::max<u64>(wanted, kPartitions));
    shift_ = u32(64 - std::countr_zero(slots));
    directory_.assign(slots + 1, 0);
    rows_.resize(total);
    makeBloom(total);
}

void JoinBuild::finishTask(u32 task, WorkerContext& context) {
    if (phase_ == Phase::kWrite) return writePart(task, context);
    if (phase_ == Phase::kLoad) return loadPart(task, context);
    const u64 slots_per_partition = (directory_.size() - 1) >> kPartitionBits;
    u64* const slots = directory_.data() + 1;
    u64* const first = slots + task * slots_per_partition;
    for (const auto& list : entries_[task])
        for (const Entry& entry : list) {
            u64& slot = slots[slotIndex(entry.hash)];
            slot += u64{1} << 16;
            slot |= tagOf(entry.hash);
        }
    u64 end = partition_begin_[task];
    for (u64 i = 0; i < slots_per_partition; ++i) {
        const u64 count = first[i] >> 16;
        // Holds the beginning for now; scattering moves it to the end.
        first[i] = end << 16 | (first[i] & 0xFFFF);
        end += count;
    }
    for (const auto& list : entries_[task])
        for (const Entry& entry : list) {
            u64& slot = slots[slotIndex(entry.hash)];
            rows_[slot >> 16] = entry.row;
            slot += u64{1} << 16;
        }
    addToFilters(task);
    entries_[task].clear();
}

void JoinBuild::addToFilters(u32 task) {
    if (keyCount() == 1) {
        // The entries' hashes are the key's, so that no row need be looked at.
        for (JoinFilter* filter : published_) {
            if (filter->bloom.empty()) continue;
            for (const auto& list : entries_[task])
                for (const Entry& entry : list) filter->add(entry.hash);
        }
        return;
    }
    for (const auto& list : entries_[task]) {
        addToFilters([&](auto&& add) {
            for (const Entry& entry : list) add(entry.row);
        });
    }
}

bool JoinBuild::finished(WorkerContext& context) {
    if (phase_ == Phase::kIndex) {
        publish();
        return false;
    }
    if (phase_ == Phase::kWrite) {
        choosePartsToLoad(context);
    } else {
        for (RowPages& pages : loaded_) pages_.absorb(std::move(pages));
        if (context.memory != nullptr) context.memory->unhold(std::exchange(held_to_load_, 0));
    }
    phase_ = phase_ == Phase::kWrite ? Phase::kLoad : Phase::kIndex;
    return true;
}

void JoinBuild::publish() {
    for (JoinFilter* filter : published_) {
        filter->build_empty = !saw_rows_;
        filter->ready.store(true, std::memory_order_release);
    }
}

std::unique_ptr<PageSource> JoinBuild::pageSource(const std::vector<u32>& columns,
                                                  std::optional<bool> matched) {
    SpilledPages spilled{.file = &file_, .codec = &codec_};
    for (u32 p = 0; p < kPartitions; ++p)
        if ((spilled_mask_ >> p & 1) != 0) spilled.rows.push_back(&parts_[p]);
    spilled.rows.push_back(&unkeyed_);
    return std::make_unique<PageSource>(layout_, pages_, columns, matched, std::move(spilled));
}

std::unique_ptr<SourceOperator> JoinBuild::makeSource(const std::vector<u32>& columns) {
    return pageSource(columns, std::nullopt);
}

std::unique_ptr<SourceOperator> JoinBuild::makeMatchSource(const std::vector<u32>& columns,
                                                           bool matched) {
    return pageSource(columns, matched);
}

void JoinBuild::release(WorkerContext& context) {
    pages_.clear(context);
    directory_ = {};
    rows_ = {};
    context.give(entry_bytes_);
    entry_bytes_ = 0;
}

} // namespace blueshift::execute
