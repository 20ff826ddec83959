#include <algorithm>
#include <cstring>

#include "storage/scan/morsel_cursor.h"

namespace blueshift::storage {

namespace {

template <class To, class From> void widenRun(const void* from, void* to, u32 rows) {
    const From* in = static_cast<const From*>(from);
    To* out = static_cast<To*>(to);
    for (u32 i = 0; i < rows; ++i) out[i] = To(in[i]);
}

template <class To> void widenTo(PhysicalKind from_kind, const void* from, void* to, u32 rows) {
    switch (from_kind) {
    case PhysicalKind::kI8: widenRun<To, i8>(from, to, rows); break;
    case PhysicalKind::kI16: widenRun<To, i16>(from, to, rows); break;
    case PhysicalKind::kI32: widenRun<To, i32>(from, to, rows); break;
    case PhysicalKind::kI64: widenRun<To, i64>(from, to, rows); break;
    default: widenRun<To, i128>(from, to, rows); break;
    }
}

void widen(PhysicalKind from_kind, const void* from, PhysicalKind to_kind, void* to, u32 rows) {
    switch (to_kind) {
    case PhysicalKind::kI8: widenTo<i8>(from_kind, from, to, rows); break;
    case PhysicalKind::kI16: widenTo<i16>(from_kind, from, to, rows); break;
    case PhysicalKind::kI32: widenTo<i32>(from_kind, from, to, rows); break;
    case PhysicalKind::kI64: widenTo<i64>(from_kind, from, to, rows); break;
    default: widenTo<i128>(from_kind, from, to, rows); break;
    }
}

} // namespace

Status MorselCursor::loadMemory(u32 column) {
    ColumnState& state = columns_[column];
    state.block = segment_->segment->memory->slice(*state.memory, morsel_.block * kBlockRows);
    return {};
}

/// Makes the block of a column of the morsel available, once.
Status MorselCursor::load(u32 column) {
    ColumnState& state = columns_[column];
    if (state.loaded) return {};
    const ScanColumn& wanted = shared_.columns[column];
    if (wanted.column == nullptr)
        return failure(sqlstate::kUndefinedColumn, "table \"" + shared_.table->name +
                                                       "\" has no column with id " +
                                                       std::to_string(wanted.column_id));
    if (state.memory != nullptr) {
        BS_TRY(loadMemory(column));
    } else if (state.entry != nullptr) {
        BS_ASSIGN(state.pin, shared_.cache.state().block(*file_, *state.entry, morsel_.block,
                                                         shared_.counters.bytes_read));
        ++shared_.counters.blocks_read;
        state.block = state.pin->view();
    } else {
        state.block = wanted.absent->vector();
    }
    const PhysicalKind kind = state.block.kind;
    const bool fits = isIntegerKind(wanted.delivered)
                          ? isIntegerKind(kind) && kind <= wanted.delivered
                          : kind == wanted.delivered;
    if (!fits)
        return failure(
            Error(sqlstate::kDataCorrupted, "stored block does not fit its column's width class")
                .withDetail("Table \"" + shared_.table->name + "\", column " +
                            std::to_string(wanted.column_id) + ", object \"" +
                            segment_->segment->object_key + "\", block " +
                            std::to_string(morsel_.block) + ": " +
                            std::string(physicalKindName(kind)) + " for " +
                            std::string(physicalKindName(wanted.delivered)) + ".")
                .withHint("The catalog and the object disagree; restore from a backup."));
    state.loaded = true;
    return {};
}

/// The validity of the rows from position_, nullptr when none of them is NULL.
const u64* MorselCursor::sliceValidity(ColumnState& state, u32 rows) {
    const u64* bits = state.block.validity;
    if (bits == nullptr) return nullptr;
    const u32 words = (rows + 63) / 64;
    std::memset(state.validity, 0xFF, words * 8);
    andBits(state.validity, bits, position_, rows);
    const u64 tail = rows % 64 == 0 ? 0 : ~u64{0} << rows % 64;
    bool all_valid = (state.validity[words - 1] | tail) == ~u64{0};
    for (u32 w = 0; w + 1 < words && all_valid; ++w) all_valid = state.validity[w] == ~u64{0};
    return all_valid ? nullptr : state.validity;
}

/// A block of one value: constant where the rows are all valid or all NULL, flat where mixed.
Vector MorselCursor::deliverConstant(u32 column, u32 rows) {
    ColumnState& state = columns_[column];
    const PhysicalKind kind = shared_.columns[column].delivered;
    if (!state.constant_ready) {
        state.scratch.reset(kind);
        if (isIntegerKind(kind))
            widen(state.block.kind, state.block.data, kind, state.scratch.data(), 1);
        else std::memcpy(state.scratch.data(), state.block.data, widthOf(kind));
        // Filled for every row, so that a vector with some NULLs can be flat over it.
        const u32 width = widthOf(kind);
        u8* values = static_cast<u8*>(state.scratch.data());
        for (u32 i = 1; i < kVectorRows; ++i)
            std::memcpy(values + size_t(i) * width, values, width);
        state.constant_ready = true;
    }
    Vector vector{.kind = kind, .form = VectorForm::kConstant, .data = state.scratch.data()};
    vector.validity = sliceValidity(state, rows);
    if (vector.validity == nullptr) return vector;
    u64 any_valid = 0;
    for (u32 row = 0; row < rows; ++row) any_valid |= u64(bitAt(vector.validity, row));
    if (any_valid != 0) vector.form = VectorForm::kFlat;
    return vector;
}

Result<Vector> MorselCursor::deliver(u32 column, u32 rows) {
    BS_TRY(load(column));
    ColumnState& state = columns_[column];
    const Vector& block = state.block;
    if (block.form == VectorForm::kConstant) return deliverConstant(column, rows);
    Vector vector = block;
    vector.validity = sliceValidity(state, rows);
    if (block.form == VectorForm::kDictionary) {
        vector.codes = static_cast<const u8*>(block.codes) + size_t(position_) * block.code_width;
        return vector;
    }
    const void* from = static_cast<const u8*>(block.data) + size_t(position_) * widthOf(block.kind);
    const PhysicalKind kind = shared_.columns[column].delivered;
    if (kind == block.kind) {
        vector.data = from;
        return vector;
    }
    state.scratch.reset(kind);
    widen(block.kind, from, kind, state.scratch.data(), rows);
    vector.kind = kind;
    vector.data = state.scratch.data();
    return vector;
}

void MorselCursor::fillRowIds(u32 rows) {
    row_ids_.reset(PhysicalKind::kI64);
    const u64 base =
        segment_->segment->id << kRowIdShift | (u64(morsel_.block) * kBlockRows + position_);
    i64* ids = row_ids_.values<i64>();
    for (u32 i = 0; i < rows; ++i) ids[i] = i64(base + i);
}

} // namespace blueshift::storage
