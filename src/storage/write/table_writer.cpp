#include <algorithm>
#include <map>

#include "objects/object_store.h"
#include "storage/encoding/block_encoding.h"
#include "storage/statistics.h"
#include "storage/storage.h"
#include "storage/write/segment_encoder.h"
#include "storage/write/sort_order.h"

namespace blueshift::storage {

namespace {
/// A segment ends early at this many buffered bytes, so that wide texts bound memory and blocks.
constexpr u64 kSegmentBytes = u64{512} << 20;
} // namespace

struct TableWriter::State {
    State(objects::ObjectStore& object_store, std::shared_ptr<const catalog::Table> target,
          std::function<std::string()> make_key)
        : store(object_store),
          table(std::move(target)),
          new_key(std::move(make_key)),
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
    void flushInline();
    void addSegment(std::shared_ptr<catalog::Segment> segment);

    objects::ObjectStore& store;
    std::shared_ptr<const catalog::Table> table;
    std::function<std::string()> new_key;
    std::vector<const catalog::Column*> columns;
    std::vector<ColumnBuffer> buffers;
    StatisticsBuilder statistics;
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
    for (ColumnBuffer& buffer : buffers) buffer.clear();
}

Status TableWriter::State::flushObject() {
    const std::vector<u32> sorted = order();
    statistics.sampleRows(buffers);
    EncodedSegment encoded = encodeSegment(buffers, columns, sorted, statistics);
    encoded.segment->object_key = new_key();
    BS_TRY(store.put(encoded.segment->object_key, encoded.object));
    addSegment(std::move(encoded.segment));
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
}

TableWriter::TableWriter(objects::ObjectStore& store, std::shared_ptr<const catalog::Table> table,
                         std::function<std::string()> new_key)
    : state_(std::make_unique<State>(store, std::move(table), std::move(new_key))) {}
TableWriter::~TableWriter() = default;

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

u64 TableWriter::bufferedBytes() const {
    return state_->bytes();
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
