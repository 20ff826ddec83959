#include <algorithm>
#include <bit>
#include <cstring>

#include "storage/scan/morsel_cursor.h"
#include "storage/scan/zone_pruning.h"

namespace blueshift::storage {

PhysicalKind scanKind(const catalog::Column& column) {
    const PhysicalKind natural = naturalKind(column.type);
    if (!isIntegerKind(natural)) return natural;
    return integerKindOfWidth(std::min<u32>(column.width_class, widthOf(natural)));
}

u32 TableScan::Shared::indexOf(u32 column_id) {
    for (u32 i = 0; i < columns.size(); ++i)
        if (columns[i].column_id == column_id) return i;
    ScanColumn column{.column_id = column_id};
    if (const catalog::Column* found = table->findColumn(column_id)) {
        column.column = found;
        column.natural = naturalKind(found->type);
        column.delivered = scanKind(*found);
        column.absent = std::make_unique<const AbsentColumn>(*found, column.delivered);
    }
    columns.push_back(std::move(column));
    return u32(columns.size() - 1);
}

void TableScan::Shared::planMorsels() {
    if (table->segments == nullptr) return;
    for (u32 s = 0; s < table->segments->size(); ++s) {
        const catalog::SegmentEntry& entry = (*table->segments)[s];
        const catalog::Segment& segment = *entry.segment;
        row_count += segment.rows;
        const u32 blocks = (segment.rows + kBlockRows - 1) / kBlockRows;
        if (options.share.nodes > 1) {
            shares.emplace_back(options.share, segment);
            if (shares.back().none()) continue;
        }
        bool skip = entry.deletes != nullptr && entry.deletes->deleted_rows >= segment.rows;
        for (u32 p = 0; p < options.predicates.size() && !skip; ++p) {
            const ScanPredicate& predicate = options.predicates[p];
            const auto at = std::ranges::find(segment.column_ids, predicate.column_id);
            const size_t index = size_t(at - segment.column_ids.begin());
            const ScanColumn& column = columns[predicate_columns[p]];
            const bool is_absent = at == segment.column_ids.end();
            if (is_absent ? column.column == nullptr : index >= segment.ranges.size()) continue;
            const catalog::ColumnRange range =
                is_absent ? absentRange(*column.column, segment.rows) : segment.ranges[index];
            skip = judge(predicate, range, segment.rows, column.natural) == Verdict::kNone;
        }
        if (skip) {
            counters.blocks_skipped += u64(blocks) * std::max<size_t>(1, columns.size());
            continue;
        }
        for (u32 block = 0; block < blocks; ++block) {
            const u32 begin = block * kBlockRows;
            const u32 rows = std::min(kBlockRows, segment.rows - begin);
            if (!shares.empty()) {
                u32 first = begin;
                u32 count = rows;
                shares.back().nextRange(first, begin + rows, count);
                if (count == 0) continue;
            }
            morsels.push_back({s, block, rows});
        }
    }
}

TableScan::TableScan(objects::ObjectStore& store, BlockCache& cache,
                     std::shared_ptr<const catalog::Table> table, ScanOptions options)
    : shared_(new Shared{.store = store,
                         .cache = cache,
                         .table = std::move(table),
                         .options = std::move(options),
                         .steps = *kernels::bs_choose_block_steps(nullptr)}) {
    Shared& shared = *shared_;
    shared.options.vector_rows = std::clamp<u32>(shared.options.vector_rows, 1, kVectorRows);
    for (const u32 id : shared.options.columns)
        shared.delivered.push_back(id == kRowIdColumn ? kRowIdColumn : shared.indexOf(id));
    for (const ScanPredicate& predicate : shared.options.predicates)
        shared.predicate_columns.push_back(shared.indexOf(predicate.column_id));
    for (const ScanJoinFilter& filter : shared.options.join_filters)
        shared.join_filter_columns.push_back(shared.indexOf(filter.column_id));
    if (shared.options.share.nodes > 1 && shared.options.share.key_column != ScanShare::kRanges)
        shared.share_column = shared.indexOf(shared.options.share.key_column);
    shared.planMorsels();
}

TableScan::~TableScan() = default;
u32 TableScan::morselCount() const {
    return u32(shared_->morsels.size());
}
u64 TableScan::rowCount() const {
    return shared_->row_count;
}
const ScanCounters& TableScan::counters() const {
    return shared_->counters;
}
std::unique_ptr<ScanState> TableScan::makeState() const {
    return std::make_unique<MorselCursor>(*shared_);
}
void TableScan::start(ScanState& state, u32 morsel) const {
    static_cast<MorselCursor&>(state).start(morsel);
}
Result<bool> TableScan::next(ScanState& state, Batch& batch) const {
    return static_cast<MorselCursor&>(state).next(batch);
}

MorselCursor::MorselCursor(const TableScan::Shared& shared)
    : shared_(shared),
      columns_(shared.columns.size()),
      predicates_(shared.options.predicates.size()),
      vectors_(shared.delivered.size()) {
    for (u32 p = 0; p < predicates_.size(); ++p) order_.push_back(p);
    for (const ScanJoinFilter& filter : shared.options.join_filters)
        join_filters_.emplace_back(filter.filter);
}

MorselCursor::~MorselCursor() {
    publishCounts();
}

void MorselCursor::publishCounts() {
    shared_.counters.rows_read += rows_read_;
    shared_.counters.rows_delivered += rows_delivered_;
    rows_read_ = rows_delivered_ = 0;
    for (JoinFilterProbe& probe : join_filters_) probe.publishCounts();
}

void MorselCursor::start(u32 morsel) {
    publishCounts();
    error_.reset();
    for (ColumnState& column : columns_) {
        column.loaded = column.constant_ready = false;
        column.pin.reset();
        column.entry = nullptr;
        column.memory = nullptr;
    }
    file_.reset();
    morsel_ = shared_.morsels[morsel];
    position_ = 0;
    const catalog::SegmentEntry* segment = &(*shared_.table->segments)[morsel_.segment];
    if (segment != segment_)
        for (ColumnState& column : columns_) column.zones.reset();
    segment_ = segment;
    share_ = shared_.shares.empty() ? nullptr : &shared_.shares[morsel_.segment];
    if (Status status = enter(morsel_); !status) {
        error_ = std::move(status.error());
        return;
    }
    if (prune()) {
        shared_.counters.blocks_skipped += std::max<size_t>(1, columns_.size());
        position_ = morsel_.rows;
        return;
    }
    if (Status status = markLiveVectors(); !status) {
        error_ = std::move(status.error());
        return;
    }
    rankPredicates();
}

/// Finds the columns in the segment's footer or in its memory rows.
Status MorselCursor::enter(const Morsel& morsel) {
    const catalog::Segment& segment = *segment_->segment;
    // A column that the catalog names must be there: otherwise its rows would read as added later.
    const auto isLost = [&](u32 column, bool found) {
        return !found && std::ranges::find(segment.column_ids, shared_.columns[column].column_id) !=
                             segment.column_ids.end();
    };
    if (segment.memory != nullptr) {
        for (u32 c = 0; c < columns_.size(); ++c) {
            columns_[c].memory = segment.memory->find(shared_.columns[c].column_id);
            if (isLost(c, columns_[c].memory != nullptr))
                return failure(sqlstate::kDataCorrupted,
                               "inline rows of table \"" + shared_.table->name + "\" lack column " +
                                   std::to_string(shared_.columns[c].column_id));
        }
        if (segment.memory->rows() != segment.rows)
            return failure(sqlstate::kDataCorrupted,
                           "inline rows of table \"" + shared_.table->name +
                               "\" are fewer or more than the catalog says");
        return {};
    }
    BS_ASSIGN(file_, shared_.cache.state().segment(shared_.store, segment.object_key,
                                                   shared_.counters.bytes_read));
    if (file_->footer.rows != segment.rows)
        return failure(Error(sqlstate::kDataCorrupted,
                             "segment object has another number of rows than the catalog says")
                           .withDetail("Object \"" + segment.object_key + "\" of table \"" +
                                       shared_.table->name + "\".")
                           .withHint("Restore the object from a backup."));
    for (u32 c = 0; c < columns_.size(); ++c) {
        const ScanColumn& wanted = shared_.columns[c];
        columns_[c].entry = file_->footer.find(wanted.column_id);
        const ColumnEntry* entry = columns_[c].entry;
        if (isLost(c, entry != nullptr) || (wanted.column != nullptr && entry != nullptr &&
                                            naturalKind(entry->type) != wanted.natural))
            return failure(Error(sqlstate::kDataCorrupted,
                                 "segment object lacks a column, or has it with another type")
                               .withDetail("Object \"" + segment.object_key + "\" of table \"" +
                                           shared_.table->name + "\", column " +
                                           std::to_string(wanted.column_id) + ".")
                               .withHint("Restore the object from a backup."));
    }
    return {};
}

catalog::ColumnRange MorselCursor::blockRange(u32 column) const {
    const ColumnState& state = columns_[column];
    if (state.entry != nullptr) return state.entry->blocks[morsel_.block].range;
    const catalog::Column* absent = shared_.columns[column].column;
    return absent == nullptr ? catalog::ColumnRange{} : absentRange(*absent, morsel_.rows);
}

/// True when no row of the morsel can pass. Decides which predicates are still to be tested.
bool MorselCursor::prune() {
    for (u32 p = 0; p < predicates_.size(); ++p) {
        PredicateState& state = predicates_[p];
        const u32 column = shared_.predicate_columns[p];
        state.prepared = false;
        state.active = true;
        if (columns_[column].memory != nullptr) continue;
        const Verdict verdict = judge(shared_.options.predicates[p], blockRange(column),
                                      morsel_.rows, shared_.columns[column].natural);
        if (verdict == Verdict::kNone) return true;
        state.active = verdict == Verdict::kSome;
    }
    for (u32 f = 0; f < join_filters_.size(); ++f) {
        const u32 column = shared_.join_filter_columns[f];
        const JoinFilter& filter = join_filters_[f].filter();
        join_filters_[f].enterBlock();
        if (!filter.ready.load(std::memory_order_acquire)) continue;
        if (filter.build_empty) return true;
        if (columns_[column].memory == nullptr &&
            !mayMatch(filter, blockRange(column), morsel_.rows, shared_.columns[column].natural))
            return true;
    }
    return false;
}

/// The zones of the morsel's vectors; nullptr where there are none, or where one says no more than
/// the block's range.
Result<const VectorZone*> MorselCursor::zonesOf(u32 column) {
    ColumnState& state = columns_[column];
    if (state.entry == nullptr || state.entry->zones.width == 0 || morsel_.rows <= kVectorRows)
        return nullptr;
    if (state.zones == nullptr) {
        BS_ASSIGN(state.zones,
                  shared_.cache.state().zones(*file_, *state.entry, shared_.counters.bytes_read));
    }
    return state.zones->data() + morsel_.block * (kBlockRows / kVectorRows);
}

Status MorselCursor::markLiveVectors() {
    live_vectors_ = ~u64{0};
    const u32 count = (morsel_.rows + kVectorRows - 1) / kVectorRows;
    for (u32 p = 0; p < predicates_.size(); ++p) {
        if (!predicates_[p].active) continue;
        BS_ASSIGN(const VectorZone* const zones, zonesOf(shared_.predicate_columns[p]));
        if (zones == nullptr) continue;
        for (u32 v = 0; v < count; ++v)
            if (judgeZone(shared_.options.predicates[p], zones[v]) == Verdict::kNone)
                live_vectors_ &= ~(u64{1} << v);
    }
    for (u32 f = 0; f < join_filters_.size(); ++f) {
        const JoinFilter& filter = join_filters_[f].filter();
        if (!join_filters_[f].active() || !filter.has_range) continue;
        BS_ASSIGN(const VectorZone* const zones, zonesOf(shared_.join_filter_columns[f]));
        if (zones == nullptr) continue;
        for (u32 v = 0; v < count; ++v)
            if (zones[v].min > zones[v].max || filter.max < zones[v].min ||
                filter.min > zones[v].max)
                live_vectors_ &= ~(u64{1} << v);
    }
    return {};
}

void MorselCursor::rankPredicates() {
    std::ranges::sort(order_, {}, [&](u32 p) { return std::pair(predicates_[p].passRate(), p); });
    for (PredicateState& state : predicates_) { // older blocks count half
        state.rows_in /= 2;
        state.rows_out /= 2;
    }
}

namespace {
u32 countBits(const u64* mask, u32 rows) {
    u32 count = 0;
    for (u32 w = 0; w < (rows + 63) / 64; ++w) count += u32(std::popcount(mask[w]));
    return count;
}
} // namespace

/// Leaves the bits of the rows that pass everything; false when none does.
Result<bool> MorselCursor::filterVector(u32 rows, u64* mask) {
    u32 live = rows;
    for (const u32 p : order_) {
        PredicateState& state = predicates_[p];
        if (!state.active) continue;
        const u32 column = shared_.predicate_columns[p];
        BS_TRY(load(column));
        const Vector& block = columns_[column].block;
        if (!state.prepared) {
            state.filter.prepare(shared_.options.predicates[p], block);
            state.prepared = true;
        }
        if (state.filter.step() == BlockFilter::Step::kPassAll) continue;
        state.filter.apply(shared_.steps, block, position_, rows, mask);
        state.rows_in += live;
        live = countBits(mask, rows);
        state.rows_out += live;
        if (live == 0) return false;
    }
    if (segment_->deletes != nullptr)
        andNotBits(mask, segment_->deletes->bits, u64(morsel_.block) * kBlockRows + position_,
                   rows);
    for (u32 f = 0; f < join_filters_.size(); ++f) {
        JoinFilterProbe& probe = join_filters_[f];
        if (!probe.active()) continue;
        const u32 column = shared_.join_filter_columns[f];
        BS_TRY(load(column));
        if (!probe.prepared()) probe.prepare(columns_[column].block, morsel_.rows);
        probe.apply(shared_.steps, columns_[column].block, position_, rows, mask);
    }
    if (share_ != nullptr && share_->byBucket() && countBits(mask, rows) > 0) {
        BS_TRY(load(shared_.share_column));
        share_->keepBuckets(columns_[shared_.share_column].block, position_, rows, mask);
    }
    return countBits(mask, rows) > 0;
}

/// Asks for the next vector's values while this one is worked on. A vector of a column is a page of
/// memory or less, so that the processor's own prefetching begins anew at each.
void MorselCursor::prefetch(u32 begin) const {
    constexpr u32 kLineBytes = 64;
    if (begin >= morsel_.rows || (live_vectors_ >> (begin / kVectorRows) & 1) == 0) return;
    const u32 rows = std::min(kVectorRows, morsel_.rows - begin);
    for (const ColumnState& state : columns_) {
        if (!state.loaded || state.block.form == VectorForm::kConstant) continue;
        const bool codes = state.block.form == VectorForm::kDictionary;
        const u32 width = codes ? state.block.code_width : widthOf(state.block.kind);
        if (width > 8) continue; // text: too many lines for what may be read of it
        const auto* values = static_cast<const u8*>(codes ? state.block.codes : state.block.data);
        const u8* const end = values + size_t(begin + rows) * width;
        for (const u8* line = values + size_t(begin) * width; line < end; line += kLineBytes)
            __builtin_prefetch(line);
    }
}

Result<bool> MorselCursor::next(Batch& batch) {
    if (error_) return failure(*error_);
    while (position_ < morsel_.rows) {
        const u32 vector = position_ / kVectorRows;
        if ((live_vectors_ >> vector & 1) == 0) {
            position_ = (vector + 1) * kVectorRows;
            continue;
        }
        u32 rows = std::min(shared_.options.vector_rows, morsel_.rows - position_);
        if (share_ != nullptr) {
            const u32 begin = morsel_.block * kBlockRows;
            u32 first = begin + position_;
            share_->nextRange(first, begin + morsel_.rows, rows);
            if (first != begin + position_) {
                position_ = first - begin;
                continue;
            }
        }
        rows_read_ += rows;
        alignas(64) u64 mask[kValidityWords];
        const u32 words = (rows + 63) / 64;
        std::memset(mask, 0xFF, words * 8);
        if (rows % 64 != 0) mask[words - 1] = (u64{1} << rows % 64) - 1;
        BS_ASSIGN(const bool any, filterVector(rows, mask));
        if (!any) {
            position_ += rows;
            continue;
        }
        batch.rows = rows;
        batch.selected = countBits(mask, rows);
        batch.selection = nullptr;
        if (batch.selected < rows) {
            shared_.steps.selection_from_mask(mask, rows, selection_);
            batch.selection = selection_;
        }
        for (u32 i = 0; i < vectors_.size(); ++i) {
            if (shared_.delivered[i] == kRowIdColumn) {
                fillRowIds(rows);
                vectors_[i] = row_ids_.view(false);
            } else {
                BS_ASSIGN(vectors_[i], deliver(shared_.delivered[i], rows));
            }
        }
        batch.columns = vectors_;
        rows_delivered_ += batch.selected;
        position_ += rows;
        constexpr u32 kFewSurvivors = 64; // of so many rows one: most lines would not be read
        if (batch.selected * kFewSurvivors >= rows) prefetch(position_);
        return true;
    }
    publishCounts();
    return false;
}

} // namespace blueshift::storage
