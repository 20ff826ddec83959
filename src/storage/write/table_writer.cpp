#include <algorithm>
#include <bit>
#include <map>

#include "objects/object_store.h"
#include "storage/encoding/block_encoding.h"
#include "storage/statistics.h"
#include "storage/storage.h"
#include "storage/write/segment_encoder.h"
#include "storage/write/sort_order.h"
#include "types/bucket_hash.h"

namespace blueshift::storage {

namespace {
/// A segment ends early at this many buffered bytes, so that wide texts bound memory and blocks.
constexpr u64 kSegmentBytes = u64{512} << 20;
} // namespace

struct TableWriter::State {
    State(objects::ObjectStore& object_store, std::shared_ptr<const catalog::Table> target,
          std::function<std::string()> make_key, CancelCheck is_cancelled)
        : store(object_store),
          table(std::move(target)),
          new_key(std::move(make_key)),
          cancelled(std::move(is_cancelled)),
          columns(table->liveColumns()),
          statistics(*table, mixHash(table->oid ^ table->next_segment_id << 32)) {
        for (const catalog::Column* column : columns)
            buffers.emplace_back(column->id, column->type);
    }

    u32 rows() const { return buffers.empty() ? 0 : buffers[0].rows(); }
    u64 bytes() const {
        u64 total = 0;
        for (const ColumnBuffer& buffer : buffers) total += buffer.byteSize();
        return total;
    }
    std::vector<u32> order() const {
        std::vector<const ColumnBuffer*> keys;
        for (const u32 id : table->sort_key)
            for (const ColumnBuffer& buffer : buffers)
                if (buffer.columnId() == id) keys.push_back(&buffer);
        return sortOrder(keys);
    }
    Status flushObject();
    Status flushPart(std::span<const u32> sorted, u32 bits, u32 prefix);
    Status flushByBucket(std::vector<u32> sorted, u32 bits);
    void flushInline();
    void addSegment(std::shared_ptr<catalog::Segment> segment);

    objects::ObjectStore& store;
    std::shared_ptr<const catalog::Table> table;
    std::function<std::string()> new_key;
    CancelCheck cancelled;
    std::vector<const catalog::Column*> columns;
    std::vector<ColumnBuffer> buffers;
    StatisticsBuilder statistics;
    bool split = false;
    std::map<u32, u8> widths; // column id -> bytes that its integers need
    Output output;
};

void TableWriter::State::addSegment(std::shared_ptr<catalog::Segment> segment) {
    for (size_t c = 0; c < columns.size(); ++c) {
        const catalog::ColumnRange& range = segment->ranges[c];
        if (!isIntegerKind(buffers[c].kind())) continue;
        const u32 width = range.has_range ? widthOf(narrowestKind(range.min, range.max)) : 1;
        u8& needed = widths[columns[c]->id];
        needed = std::max(needed, u8(width));
    }
    output.rows += segment->rows;
    output.segments.push_back(std::move(segment));
}

Status TableWriter::State::flushPart(std::span<const u32> sorted, u32 bits, u32 prefix) {
    BS_ASSIGN(EncodedSegment encoded,
              encodeSegment(buffers, columns, sorted, statistics, cancelled));
    encoded.segment->object_key = new_key();
    if (bits > 0) {
        encoded.segment->bucket_bits = u8(bits);
        encoded.segment->bucket_prefix = u16(prefix);
        encoded.segment->bucket_column = table->dist_key;
    }
    BS_TRY(store.put(encoded.segment->object_key, encoded.object));
    addSegment(std::move(encoded.segment));
    return {};
}

/// A segment per hash prefix; each keeps the order of its rows.
Status TableWriter::State::flushByBucket(std::vector<u32> sorted, u32 bits) {
    const auto key = std::ranges::find(buffers, table->dist_key, &ColumnBuffer::columnId);
    if (key == buffers.end()) return flushPart(sorted, 0, 0);
    if (sorted.empty())
        for (u32 row = 0; row < rows(); ++row) sorted.push_back(row);
    std::vector<std::vector<u32>> parts(size_t{1} << bits);
    Vector column = key->view();
    const auto* values = static_cast<const u8*>(column.data);
    const u32 width = widthOf(column.kind);
    for (const u32 row : sorted) {
        u64 hash = kernels::kBucketNullHash;
        if (!key->isNull(row)) {
            column.data = values + size_t(row) * width;
            column.validity = nullptr;
            hash = bucketHash(column, 0);
        }
        parts[hash >> (64 - bits)].push_back(row);
    }
    for (u32 prefix = 0; prefix < parts.size(); ++prefix)
        if (!parts[prefix].empty()) BS_TRY(flushPart(parts[prefix], bits, prefix));
    return {};
}

Status TableWriter::State::flushObject() {
    std::vector<u32> sorted = order();
    statistics.sampleRows(buffers);
    u32 bits = 0;
    if (split && table->dist_style == catalog::DistStyle::kKey)
        bits = u32(std::bit_width(rows() / kSplitRows | 1u)) - 1;
    if (bits == 0) BS_TRY(flushPart(sorted, 0, 0));
    else BS_TRY(flushByBucket(std::move(sorted), std::min(bits, kernels::kBucketBits)));
    for (ColumnBuffer& buffer : buffers) buffer.clear();
    return {};
}

void TableWriter::State::flushInline() {
    const std::vector<u32> sorted = order();
    statistics.sampleRows(buffers);
    auto segment = std::make_shared<catalog::Segment>();
    segment->rows = rows();
    std::vector<MemorySegment::Column> memory;
    for (u32 c = 0; c < buffers.size(); ++c) {
        const catalog::ColumnRange range = summarize(buffers[c], statistics.sketch(c));
        statistics.addRange(c, range, buffers[c].rows(), buffers[c].textBytes());
        segment->column_ids.push_back(buffers[c].columnId());
        segment->ranges.push_back(range);
        memory.push_back(buffers[c].toColumn(sorted));
    }
    segment->memory = std::make_shared<const MemorySegment>(segment->rows, std::move(memory));
    addSegment(std::move(segment));
    for (ColumnBuffer& buffer : buffers) buffer.clear();
}

TableWriter::TableWriter(objects::ObjectStore& store, std::shared_ptr<const catalog::Table> table,
                         std::function<std::string()> new_key, CancelCheck cancelled)
    : state_(std::make_unique<State>(store, std::move(table), std::move(new_key),
                                     std::move(cancelled))) {}
TableWriter::~TableWriter() = default;

void TableWriter::splitByBucket() {
    state_->split = true;
}

Status TableWriter::append(const Batch& batch) {
    State& state = *state_;
    if (batch.selected == 0) return {};
    if (batch.columns.size() != state.columns.size())
        return failure(sqlstate::kInternalError,
                       "rows to store have " + std::to_string(batch.columns.size()) +
                           " columns, table \"" + state.table->name + "\" has " +
                           std::to_string(state.columns.size()));
    for (size_t c = 0; c < state.columns.size(); ++c) {
        const Vector& vector = batch.columns[c];
        if (!state.columns[c]->not_null || vector.validity == nullptr) continue;
        for (u32 i = 0; i < batch.selected; ++i)
            if (vector.isNull(batch.rowAt(i)))
                return failure(
                    Error(sqlstate::kNotNullViolation,
                          "null value in column \"" + state.columns[c]->name + "\" of relation \"" +
                              state.table->name + "\" violates not-null constraint")
                        .withHint("Give a value, or drop the constraint of the column."));
    }
    if (state.rows() + batch.selected > kSegmentRows) BS_TRY(state.flushObject());
    for (size_t c = 0; c < state.columns.size(); ++c) {
        if (Status status = state.buffers[c].append(batch.columns[c], batch); !status) {
            status.error().detail =
                "Column \"" + state.columns[c]->name + "\" of table \"" + state.table->name + "\".";
            return status;
        }
    }
    if (state.rows() >= kSegmentRows || state.bytes() > kSegmentBytes) BS_TRY(state.flushObject());
    return {};
}

Status TableWriter::flush() {
    if (state_->rows() > 0) BS_TRY(state_->flushObject());
    for (ColumnBuffer& buffer : state_->buffers) buffer.release();
    return {};
}

u64 TableWriter::bufferedBytes() const {
    u64 total = 0;
    for (const ColumnBuffer& buffer : state_->buffers) total += buffer.heldBytes();
    return total;
}

Result<TableWriter::Output> TableWriter::finish() {
    State& state = *state_;
    if (state.rows() > 0) {
        if (state.output.segments.empty() && state.bytes() < kInlineBytes) state.flushInline();
        else BS_TRY(state.flushObject());
    }
    state.output.statistics = state.statistics.finish();
    state.output.width_classes.assign(state.widths.begin(), state.widths.end());
    return std::move(state.output);
}

} // namespace blueshift::storage
