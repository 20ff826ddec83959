#include "storage/statistics.h"

#include <algorithm>
#include <cmath>

#include "storage/absent_column.h"
#include "storage/encoding/block_encoding.h"
#include "types/text_view.h"

namespace blueshift::storage {

namespace {

int compareBounds(const std::string& a, const std::string& b) {
    return kernels::compareText(makeTextView(a), makeTextView(b));
}

void addSampleRow(std::vector<ColumnBuffer>& to, const std::vector<ColumnBuffer>& from, u32 row) {
    for (size_t c = 0; c < to.size(); ++c) to[c].appendRow(from[c], row);
}

std::shared_ptr<const MemorySegment> toSegment(const std::vector<ColumnBuffer>& buffers) {
    std::vector<MemorySegment::Column> columns;
    for (const ColumnBuffer& buffer : buffers) columns.push_back(buffer.toColumn({}));
    return std::make_shared<const MemorySegment>(buffers.empty() ? 0 : buffers[0].rows(),
                                                 std::move(columns));
}

} // namespace

void mergeRange(catalog::ColumnRange& into, const catalog::ColumnRange& other, PhysicalKind kind,
                bool first) {
    const u64 nulls = into.null_count + other.null_count;
    if (first) {
        into = other;
    } else if (!into.has_range || !other.has_range) {
        // A part of NULLs only has no range and does not spoil the other's; NaN does.
    } else if (kind == PhysicalKind::kText) {
        if (compareBounds(other.min_text, into.min_text) < 0) into.min_text = other.min_text;
        into.max_text_unbounded |= other.max_text_unbounded;
        if (compareBounds(other.max_text, into.max_text) > 0) into.max_text = other.max_text;
    } else {
        into.min = std::min(into.min, other.min);
        into.max = std::max(into.max, other.max);
        into.min_float = std::min(into.min_float, other.min_float);
        into.max_float = std::max(into.max_float, other.max_float);
    }
    into.null_count = nulls;
}

void Reservoir::advance() {
    weight_ *= std::exp(std::log(draw()) / kSampleRows);
    const f64 skip = std::floor(std::log(draw()) / std::log1p(-weight_));
    next_ = skip > 1e18 ? ~u64{0} : next_ + u64(skip) + 1;
}

StatisticsBuilder::StatisticsBuilder(const catalog::Table& table, u64 seed) : reservoir_(seed) {
    for (const catalog::Column* column : table.liveColumns()) {
        columns_.push_back({.column_id = column->id, .kind = naturalKind(column->type)});
        sample_.emplace_back(column->id, column->type);
    }
}

void StatisticsBuilder::addRange(u32 column, const catalog::ColumnRange& range, u64 rows,
                                 u64 text_bytes) {
    ColumnState& state = columns_[column];
    state.rows += rows;
    state.text_bytes += text_bytes;
    if (!range.has_range) {
        state.range.null_count += range.null_count;
        state.has_nan |= range.null_count < rows;
        return;
    }
    const bool first = !state.range.has_range;
    mergeRange(state.range, range, state.kind, first);
}

void StatisticsBuilder::sampleRows(std::span<const ColumnBuffer> buffers) {
    if (buffers.empty() || buffers[0].rows() == 0) return;
    constexpr u32 kFromOld = ~u32{0};
    const u32 old_rows = sample_[0].rows();
    std::vector<u32> source(kSampleRows, kFromOld); // slot -> row of the buffers
    u32 slots = old_rows;
    u32 taken = 0;
    reservoir_.pass(buffers[0].rows(), [&](u32 slot, u64 row) {
        source[slot] = u32(row);
        slots = std::max(slots, slot + 1);
        ++taken;
    });
    if (taken == 0) return;
    std::vector<ColumnBuffer> merged;
    for (size_t c = 0; c < sample_.size(); ++c) {
        ColumnBuffer column(sample_[c].columnId(), sample_[c].type());
        for (u32 slot = 0; slot < slots; ++slot) {
            if (source[slot] != kFromOld) column.appendRow(buffers[c], source[slot]);
            else column.appendRow(sample_[c], slot);
        }
        merged.push_back(std::move(column));
    }
    sample_ = std::move(merged);
}

catalog::ColumnRange summarize(const ColumnBuffer& buffer, HyperLogLog& sketch) {
    catalog::ColumnRange range;
    range.null_count = buffer.nullCount();
    if (buffer.nullCount() == buffer.rows()) return range;
    range.has_range = true;
    dispatchKind(buffer.kind(), [&]<class T>(T*) {
        const T* values = buffer.values<T>();
        const T* min = nullptr;
        const T* max = nullptr;
        for (u32 row = 0; row < buffer.rows(); ++row) {
            if (buffer.isNull(row)) continue;
            const T& value = values[row];
            if (min == nullptr || kernels::less(value, *min)) min = &value;
            if (max == nullptr || kernels::less(*max, value)) max = &value;
            if constexpr (std::is_same_v<T, TextView>) sketch.add(kernels::hashText(value));
            else if constexpr (std::is_floating_point_v<T>) sketch.add(kernels::hashFloat(value));
            else sketch.add(kernels::hashInteger(value));
        }
        if constexpr (std::is_same_v<T, TextView>) {
            range.min_text = lowerTextBound(asStringView(*min));
            range.max_text_unbounded = !upperTextBound(asStringView(*max), range.max_text);
        } else if constexpr (std::is_floating_point_v<T>) {
            range.has_range = *max == *max; // NaN is the greatest
            range.min_float = range.has_range ? *min : 0;
            range.max_float = range.has_range ? *max : 0;
        } else {
            range.min = *min;
            range.max = *max;
        }
    });
    return range;
}

void StatisticsBuilder::addBuffer(u32 column, const ColumnBuffer& buffer) {
    const catalog::ColumnRange range = summarize(buffer, columns_[column].sketch);
    addRange(column, range, buffer.rows(), buffer.textBytes());
}

std::shared_ptr<catalog::TableStatistics> StatisticsBuilder::finish() {
    auto statistics = std::make_shared<catalog::TableStatistics>();
    statistics->rows = f64(rows());
    for (ColumnState& state : columns_) {
        catalog::ColumnStatistics column;
        const u64 values = state.rows - state.range.null_count;
        column.distinct = std::min(state.sketch.estimate(), f64(values));
        column.null_fraction = state.rows == 0 ? 0 : f64(state.range.null_count) / f64(state.rows);
        column.average_bytes = values == 0 ? 0 : f64(state.text_bytes) / f64(values);
        column.hll = state.sketch.registers();
        column.has_range =
            state.range.has_range && !state.has_nan && state.kind != PhysicalKind::kText;
        column.min = state.range.min;
        column.max = state.range.max;
        column.min_float = state.range.min_float;
        column.max_float = state.range.max_float;
        statistics->columns.emplace_back(state.column_id, std::move(column));
    }
    if (rows() > 0) statistics->sample = toSegment(sample_);
    return statistics;
}

namespace {

/// Buffers of a sample's columns, in the order of `columns`; an absent column is NULL.
std::vector<ColumnBuffer> fromSample(const MemorySegment& sample,
                                     const std::vector<std::pair<u32, SqlType>>& columns) {
    std::vector<ColumnBuffer> buffers;
    const u64 null_word = 0;
    for (const auto& [id, type] : columns) {
        ColumnBuffer buffer(id, type);
        const MemorySegment::Column* column = sample.find(id);
        const bool usable = column != nullptr && naturalKind(column->type) == naturalKind(type);
        const Vector vector = usable ? sample.slice(*column, 0)
                                     : Vector{.kind = naturalKind(type),
                                              .form = VectorForm::kConstant,
                                              .data = nullptr,
                                              .validity = &null_word};
        const Batch batch{.rows = sample.rows(), .selected = sample.rows()};
        // Both are of one kind: the values fit.
        (void)buffer.append(vector, batch);
        buffers.push_back(std::move(buffer));
    }
    return buffers;
}

/// A sample of the union: each slot is drawn from a side in proportion to the side's rows left.
std::shared_ptr<const MemorySegment> mergeSamples(const catalog::TableStatistics& a,
                                                  const catalog::TableStatistics& b, u64 seed) {
    std::vector<std::pair<u32, SqlType>> columns;
    for (const MemorySegment::Column& column : b.sample->columns())
        columns.emplace_back(column.column_id, column.type);
    const std::vector<ColumnBuffer> left = fromSample(*a.sample, columns);
    const std::vector<ColumnBuffer> right = fromSample(*b.sample, columns);
    std::vector<ColumnBuffer> merged;
    for (const auto& [id, type] : columns) merged.emplace_back(id, type);

    std::mt19937_64 random(seed);
    const auto shuffled = [&](u32 rows) {
        std::vector<u32> order(rows);
        for (u32 i = 0; i < rows; ++i) order[i] = i;
        std::ranges::shuffle(order, random);
        return order;
    };
    std::vector<u32> left_order = shuffled(a.sample->rows());
    std::vector<u32> right_order = shuffled(b.sample->rows());
    f64 left_rows = std::max(a.rows, f64(left_order.size()));
    f64 right_rows = std::max(b.rows, f64(right_order.size()));
    for (u32 slot = 0; slot < kSampleRows && !(left_order.empty() && right_order.empty()); ++slot) {
        const f64 draw = f64(random() >> 11) * 0x1p-53 * (left_rows + right_rows);
        const bool from_left = right_order.empty() || (!left_order.empty() && draw < left_rows);
        std::vector<u32>& order = from_left ? left_order : right_order;
        addSampleRow(merged, from_left ? left : right, order.back());
        order.pop_back();
        (from_left ? left_rows : right_rows) -= 1;
    }
    return toSegment(merged);
}

} // namespace

std::shared_ptr<const catalog::TableStatistics> withAddedColumns(
    std::shared_ptr<const catalog::TableStatistics> statistics, const catalog::Table& table) {
    if (statistics == nullptr) return nullptr;
    std::vector<const catalog::Column*> added;
    for (const catalog::Column* column : table.liveColumns())
        if (statistics->find(column->id) == nullptr) added.push_back(column);
    if (added.empty()) return statistics;
    auto made = std::make_shared<catalog::TableStatistics>(*statistics);
    const u32 rows = made->sample == nullptr ? 0 : made->sample->rows();
    std::vector<MemorySegment::Column> sample;
    if (rows > 0) sample = made->sample->columns();
    for (const catalog::Column* column : added) {
        const PhysicalKind kind = naturalKind(column->type);
        const AbsentColumn value(*column, kind);
        ColumnBuffer buffer(column->id, column->type);
        const u32 buffered = std::max(rows, 1u);
        // A value of the column's own kind fits.
        (void)buffer.append(value.vector(), {.rows = buffered, .selected = buffered});
        HyperLogLog sketch;
        const catalog::ColumnRange range = summarize(buffer, sketch);
        const bool is_null = column->backfill == nullptr;
        made->columns.emplace_back(
            column->id, catalog::ColumnStatistics{
                            .distinct = is_null ? 0.0 : 1.0,
                            .null_fraction = is_null ? 1.0 : 0.0,
                            .average_bytes = is_null ? 0 : f64(column->backfill->text.size()),
                            .hll = sketch.registers(),
                            .has_range = range.has_range && kind != PhysicalKind::kText,
                            .min = range.min,
                            .max = range.max,
                            .min_float = range.min_float,
                            .max_float = range.max_float});
        if (rows > 0) sample.push_back(buffer.toColumn({}));
    }
    if (rows > 0) made->sample = std::make_shared<const MemorySegment>(rows, std::move(sample));
    return made;
}

std::shared_ptr<catalog::TableStatistics> mergeStatistics(const catalog::TableStatistics* a,
                                                          const catalog::TableStatistics& b,
                                                          u64 seed) {
    auto merged = std::make_shared<catalog::TableStatistics>(b);
    if (a == nullptr || a->rows <= 0) return merged;
    merged->rows = a->rows + b.rows;
    for (auto& [id, column] : merged->columns) {
        const catalog::ColumnStatistics* old = a->find(id);
        if (old == nullptr) continue;
        const f64 values_a = a->rows * (1 - old->null_fraction);
        const f64 values_b = b.rows * (1 - column.null_fraction);
        if (values_a + values_b > 0)
            column.average_bytes =
                (old->average_bytes * values_a + column.average_bytes * values_b) /
                (values_a + values_b);
        column.null_fraction = 1 - (values_a + values_b) / merged->rows;
        if (old->hll.size() == column.hll.size() && !column.hll.empty()) {
            HyperLogLog sketch(column.hll);
            sketch.merge(old->hll);
            column.hll = sketch.registers();
            column.distinct = std::min(sketch.estimate(), values_a + values_b);
        } else {
            column.distinct = std::max(column.distinct, old->distinct);
        }
        // A side without values has no range and takes nothing from the other's.
        if (values_b <= 0) {
            column.has_range = old->has_range;
            column.min = old->min;
            column.max = old->max;
            column.min_float = old->min_float;
            column.max_float = old->max_float;
        } else if (values_a > 0) {
            column.has_range &= old->has_range;
            column.min = std::min(column.min, old->min);
            column.max = std::max(column.max, old->max);
            column.min_float = std::min(column.min_float, old->min_float);
            column.max_float = std::max(column.max_float, old->max_float);
        }
    }
    if (a->sample != nullptr && b.sample != nullptr) merged->sample = mergeSamples(*a, b, seed);
    else if (b.sample == nullptr) merged->sample = a->sample;
    return merged;
}

MetadataAnswer metadataAnswer(const catalog::Table& table, u32 column_id) {
    MetadataAnswer answer{.exact = true};
    const catalog::Column* column = table.findColumn(column_id);
    if (table.segments == nullptr) return answer;
    for (const catalog::SegmentEntry& entry : *table.segments) {
        const catalog::Segment& segment = *entry.segment;
        answer.rows += segment.rows;
        if (entry.deletes != nullptr && entry.deletes->deleted_rows > 0) {
            answer.rows -= entry.deletes->deleted_rows;
            answer.exact = false;
        }
        const size_t index =
            size_t(std::ranges::find(segment.column_ids, column_id) - segment.column_ids.begin());
        catalog::ColumnRange range;
        if (index < segment.column_ids.size()) {
            if (index >= segment.ranges.size()) {
                answer.exact = false;
                continue;
            }
            range = segment.ranges[index];
        } else if (column == nullptr) {
            answer.nulls += segment.rows;
            continue;
        } else {
            range = absentRange(*column, segment.rows);
        }
        answer.nulls += range.null_count;
        if (!range.has_range || column == nullptr || !isIntegerKind(naturalKind(column->type)))
            continue;
        answer.min = answer.has_range ? std::min(answer.min, range.min) : range.min;
        answer.max = answer.has_range ? std::max(answer.max, range.max) : range.max;
        answer.has_range = true;
    }
    return answer;
}

} // namespace blueshift::storage
