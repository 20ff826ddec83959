#include "storage/write/segment_encoder.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "storage/segment_format.h"

namespace blueshift::storage {

namespace {

/// The rows of one block in storage order: values and validity gathered through the order.
template <class T> struct Gathered {
    std::vector<T> values;
    std::vector<u64> validity;
    u32 null_count = 0;
};

template <class T, class Source>
void gather(const ColumnBuffer& buffer, std::span<const u32> order, u32 first, u32 rows,
            Gathered<T>& out) {
    out.values.resize(rows);
    const Source* values = buffer.values<Source>();
    if (order.empty())
        for (u32 i = 0; i < rows; ++i) out.values[i] = T(values[first + i]);
    else
        for (u32 i = 0; i < rows; ++i) out.values[i] = T(values[order[first + i]]);
    out.null_count = 0;
    if (buffer.nullCount() == 0) return;
    out.validity.assign((rows + 63) / 64, 0);
    for (u32 i = 0; i < rows; ++i) {
        if (buffer.isNull(order.empty() ? first + i : order[first + i])) ++out.null_count;
        else setBit(out.validity.data(), i);
    }
}

/// Zones of the block's vectors; the encoder has overwritten values of NULL rows.
void addZones(const Gathered<i64>& block, std::vector<VectorZone>& zones) {
    for (u32 first = 0; first < block.values.size(); first += kVectorRows) {
        const u32 end = std::min<u32>(first + kVectorRows, u32(block.values.size()));
        VectorZone zone{.min = std::numeric_limits<i64>::max(),
                        .max = std::numeric_limits<i64>::min()};
        if (block.null_count == 0) {
            for (u32 i = first; i < end; ++i) {
                zone.min = std::min(zone.min, block.values[i]);
                zone.max = std::max(zone.max, block.values[i]);
            }
        } else {
            for (u32 i = first; i < end; ++i) {
                if (!bitAt(block.validity.data(), i)) continue;
                zone.min = std::min(zone.min, block.values[i]);
                zone.max = std::max(zone.max, block.values[i]);
            }
        }
        zones.push_back(zone);
    }
}

/// The sum of the values that are not NULL; empty when it does not fit 16 bytes.
template <class T> std::optional<i128> sumOf(const Gathered<T>& block) {
    i128 sum = 0;
    for (u32 i = 0; i < block.values.size(); ++i) {
        if (block.null_count > 0 && !bitAt(block.validity.data(), i)) continue;
        if (__builtin_add_overflow(sum, i128(block.values[i]), &sum)) return std::nullopt;
    }
    return sum;
}

class ColumnEncoder {
public:
    ColumnEncoder(const ColumnBuffer& buffer, const catalog::Column& column,
                  std::span<const u32> order, HyperLogLog& sketch, std::vector<u8>& object)
        : buffer_(buffer), column_(column), order_(order), sketch_(sketch), object_(object) {}

    Result<ColumnEntry> encode(const CancelCheck& cancelled) {
        ColumnEntry entry{.column_id = buffer_.columnId(), .type = buffer_.type()};
        const u32 total = order_.empty() ? buffer_.rows() : u32(order_.size());
        for (u32 first = 0; first < total; first += kBlockRows) {
            if (auto error = cancelled ? cancelled() : std::nullopt)
                return failure(std::move(*error));
            const u32 rows = std::min(kBlockRows, total - first);
            const u64 offset = object_.size();
            block_sketch_ = HyperLogLog();
            sum_.reset();
            const BlockSummary summary = encodeBlock(first, rows);
            sketch_.merge(block_sketch_.registers());
            const u64 values = rows - summary.range.null_count;
            entry.blocks.push_back(
                {.offset = offset,
                 .bytes = u32(summary.bytes),
                 .rows = rows,
                 .kind = summary.kind,
                 .encoding = summary.encoding,
                 .distinct = u32(std::min(block_sketch_.estimate() + 0.5, f64(values))),
                 .sum = sum_,
                 .range = summary.range});
        }
        return entry;
    }
    /// Of the blocks encoded; empty for floats, texts and 16-byte integers.
    const std::vector<VectorZone>& zones() const { return zones_; }

private:
    template <class T> BlockValues describe(const Gathered<T>& block) {
        return {.validity = block.null_count > 0 ? block.validity.data() : nullptr,
                .null_count = block.null_count,
                .hint = column_.encoding,
                .sketch = &block_sketch_};
    }
    bool isSummed() const {
        return isNumeric(buffer_.type().kind) && !isFloat(buffer_.type().kind);
    }
    template <class Source> BlockSummary encodeNarrow(u32 first, u32 rows) {
        gather<i64, Source>(buffer_, order_, first, rows, integers_);
        if (isSummed()) sum_ = sumOf(integers_);
        const BlockSummary summary = encodeIntegers(integers_.values, describe(integers_), object_);
        addZones(integers_, zones_);
        return summary;
    }
    BlockSummary encodeBlock(u32 first, u32 rows) {
        switch (buffer_.kind()) {
        case PhysicalKind::kI8: return encodeNarrow<i8>(first, rows);
        case PhysicalKind::kI16: return encodeNarrow<i16>(first, rows);
        case PhysicalKind::kI32: return encodeNarrow<i32>(first, rows);
        case PhysicalKind::kI64: return encodeNarrow<i64>(first, rows);
        case PhysicalKind::kI128:
            gather<i128, i128>(buffer_, order_, first, rows, wide_);
            if (isSummed()) sum_ = sumOf(wide_);
            return encodeWideIntegers(wide_.values, describe(wide_), object_);
        case PhysicalKind::kF32:
            gather<f32, f32>(buffer_, order_, first, rows, singles_);
            return encodeFloats(singles_.values, describe(singles_), object_);
        case PhysicalKind::kF64:
            gather<f64, f64>(buffer_, order_, first, rows, doubles_);
            return encodeFloats(doubles_.values, describe(doubles_), object_);
        default:
            gather<TextView, TextView>(buffer_, order_, first, rows, texts_);
            return encodeTexts(texts_.values, describe(texts_), object_);
        }
    }

    const ColumnBuffer& buffer_;
    const catalog::Column& column_;
    std::span<const u32> order_;
    HyperLogLog& sketch_;
    std::vector<u8>& object_;
    HyperLogLog block_sketch_;
    std::optional<i128> sum_;
    std::vector<VectorZone> zones_;
    Gathered<i64> integers_;
    Gathered<i128> wide_;
    Gathered<f32> singles_;
    Gathered<f64> doubles_;
    Gathered<TextView> texts_;
};

/// The range over all blocks. NaN in a block leaves the segment without a range.
catalog::ColumnRange rangeOf(const ColumnEntry& entry, PhysicalKind kind) {
    catalog::ColumnRange range;
    bool first = true;
    bool unknown = false;
    for (const BlockEntry& block : entry.blocks) {
        if (!block.range.has_range) {
            range.null_count += block.range.null_count;
            unknown |= block.range.null_count < block.rows;
            continue;
        }
        mergeRange(range, block.range, kind, first);
        first = false;
    }
    if (unknown) range.has_range = false;
    return range;
}

} // namespace

Result<EncodedSegment> encodeSegment(std::span<const ColumnBuffer> buffers,
                                     std::span<const catalog::Column* const> columns,
                                     std::span<const u32> order, StatisticsBuilder& statistics,
                                     const CancelCheck& cancelled) {
    EncodedSegment result;
    const u32 rows = order.empty() ? buffers[0].rows() : u32(order.size());
    result.segment = std::make_shared<catalog::Segment>();
    result.segment->rows = rows;
    result.object.insert(result.object.end(), kSegmentMagic, kSegmentMagic + 8);
    SegmentFooter footer{.rows = rows};
    std::vector<std::vector<VectorZone>> zones;
    for (u32 c = 0; c < buffers.size(); ++c) {
        ColumnEncoder encoder(buffers[c], *columns[c], order, statistics.sketch(c), result.object);
        BS_ASSIGN(ColumnEntry entry, encoder.encode(cancelled));
        footer.columns.push_back(std::move(entry));
        zones.push_back(encoder.zones());
        const catalog::ColumnRange range = rangeOf(footer.columns.back(), buffers[c].kind());
        statistics.addRange(c, range, rows,
                            buffers[c].textBytes() * rows / std::max(1u, buffers[c].rows()));
        result.segment->column_ids.push_back(buffers[c].columnId());
        result.segment->ranges.push_back(range);
    }
    for (u32 c = 0; c < zones.size(); ++c)
        footer.columns[c].zones = appendZones(zones[c], result.object);
    appendFooter(footer, result.object);
    result.segment->object_bytes = result.object.size();
    result.segment->object_hash = hashBytes128(result.object.data(), result.object.size());
    return result;
}

} // namespace blueshift::storage
