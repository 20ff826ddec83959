#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"
#include "exchange/message.h"
#include "exchange/message_format.h"

namespace blueshift::exchange {

namespace {

/// A dictionary travels when it has few entries, or not more than the rows at hand.
constexpr u32 kSmallDictionary = 256;

bool wantsCodes(const Vector& vector, u32 count) {
    return vector.form == VectorForm::kDictionary && vector.dictionary_id != 0 &&
           vector.dictionary_size <= std::max(kSmallDictionary, count);
}

} // namespace

Message::Message(size_t size) : size_(size) {
    const size_t room = (size + 64 + 63) & ~size_t{63};
    auto* bytes = static_cast<u8*>(std::aligned_alloc(64, room));
    if (bytes == nullptr) throw std::bad_alloc();
    bytes_.reset(bytes);
}

void Message::Free::operator()(u8* bytes) const {
    std::free(bytes);
}

MessageWriter::MessageWriter(std::span<const PhysicalKind> kinds, u32 sender, u32 capacity)
    : sender_(sender), capacity_(std::clamp<u32>(capacity, 1, kVectorRows)) {
    for (const PhysicalKind kind : kinds) columns_.push_back({.kind = kind});
}

bool MessageWriter::fits(const Column& column, const Vector& vector, u32 count) {
    if (column.kind != PhysicalKind::kText) return true;
    if (column.coded && vector.form == VectorForm::kDictionary &&
        vector.dictionary_id == column.dictionary_id)
        return true;
    return !column.coded && !wantsCodes(vector, count);
}

/// The column's form follows its vectors; only between two messages.
void MessageWriter::adopt(Column& column, const Vector& vector, u32 count) {
    if (fits(column, vector, count)) return;
    column.coded = wantsCodes(vector, count);
    if (!column.coded || column.dictionary_id == vector.dictionary_id) return;
    column.dictionary_id = vector.dictionary_id;
    column.dictionary_sent = false;
    column.entries = vector.dictionary_size;
    column.entry_offsets.assign(1, 0);
    column.entry_bytes.clear();
    for (u32 i = 0; i < column.entries; ++i) {
        const TextView& entry = vector.values<TextView>()[i];
        column.entry_bytes.insert(column.entry_bytes.end(), entry.data(),
                                  entry.data() + entry.size());
        column.entry_offsets.push_back(u32(column.entry_bytes.size()));
    }
}

void MessageWriter::take(Column& column, const Vector& vector, const u16* rows, u32 count) {
    BS_CHECK(vector.kind == column.kind, "a column that travels is of another kind than planned");
    if (rows_ == 0) {
        column.has_nulls = false;
        std::memset(column.validity, 0xFF, sizeof column.validity);
        column.offsets.assign(1, 0);
        column.text.clear();
        if (column.kind == PhysicalKind::kText) column.codes.resize(capacity_);
        else column.values.resize(size_t(capacity_) * widthOf(column.kind));
    }
    const auto row = [rows](u32 i) { return rows == nullptr ? i : u32(rows[i]); };
    if (vector.validity != nullptr) {
        for (u32 i = 0; i < count; ++i) {
            if (!vector.isNull(row(i))) continue;
            column.has_nulls = true;
            clearBit(column.validity, rows_ + i);
        }
    }
    if (column.kind != PhysicalKind::kText) {
        dispatchKind(column.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            T* out = reinterpret_cast<T*>(column.values.data()) + rows_;
            const T* values = vector.values<T>();
            const bool may_be_null = column.has_nulls;
            if (vector.form == VectorForm::kFlat) {
                for (u32 i = 0; i < count; ++i) out[i] = values[row(i)];
                return;
            }
            for (u32 i = 0; i < count; ++i) {
                const bool null = may_be_null && !bitAt(column.validity, rows_ + i);
                out[i] = null ? T{} : values[vector.indexOf(row(i))];
            }
        });
        return;
    }
    if (column.coded) {
        for (u32 i = 0; i < count; ++i) {
            const bool null = column.has_nulls && !bitAt(column.validity, rows_ + i);
            column.codes[rows_ + i] = null ? u16{0} : u16(vector.codeAt(row(i)));
        }
        return;
    }
    const TextView* texts = vector.values<TextView>();
    for (u32 i = 0; i < count; ++i) {
        if (!column.has_nulls || bitAt(column.validity, rows_ + i)) {
            const TextView& text = texts[vector.indexOf(row(i))];
            column.text.insert(column.text.end(), text.data(), text.data() + text.size());
        }
        column.offsets.push_back(u32(column.text.size()));
    }
}

void MessageWriter::append(std::span<const Vector> columns, const u16* rows, u32 count,
                           const Emit& emit) {
    bool same = true;
    for (size_t c = 0; c < columns_.size(); ++c)
        same = same && fits(columns_[c], columns[c], count);
    if (!same) {
        flush(emit);
        for (size_t c = 0; c < columns_.size(); ++c) adopt(columns_[c], columns[c], count);
    }
    std::vector<u16> ascending;
    u32 done = 0;
    while (done < count) {
        const u32 piece = std::min(count - done, capacity_ - rows_);
        const u16* at = rows == nullptr ? nullptr : rows + done;
        if (rows == nullptr && done > 0) { // the rest of a dense batch
            ascending.resize(piece);
            for (u32 i = 0; i < piece; ++i) ascending[i] = u16(done + i);
            at = ascending.data();
        }
        for (size_t c = 0; c < columns_.size(); ++c) take(columns_[c], columns[c], at, piece);
        rows_ += piece;
        done += piece;
        if (rows_ == capacity_) flush(emit);
    }
}

void MessageWriter::flush(const Emit& emit) {
    if (rows_ == 0) return;
    emit(encode());
    rows_ = 0;
}

Message MessageWriter::encode() {
    const size_t validity_bytes = size_t((rows_ + 63) / 64) * 8;
    const size_t headers = sizeof(MessageHeader) + columns_.size() * sizeof(ColumnHeader);
    size_t size = sectionEnd(headers, 0);
    for (const Column& column : columns_) {
        if (column.has_nulls) size = sectionEnd(size, validity_bytes);
        if (column.kind != PhysicalKind::kText) {
            size = sectionEnd(size, size_t(rows_) * widthOf(column.kind));
        } else if (column.coded) {
            if (!column.dictionary_sent) {
                size = sectionEnd(size, (size_t(column.entries) + 1) * 4);
                size = sectionEnd(size, column.entry_bytes.size());
            }
            size = sectionEnd(size, size_t(rows_) * 2);
        } else {
            size = sectionEnd(size, (size_t(rows_) + 1) * 4);
            size = sectionEnd(size, column.text.size());
        }
    }
    Message message(size);
    u8* const bytes = message.data();
    size_t at = headers;
    const auto put = [&](const void* data, size_t length) {
        if (length > 0) std::memcpy(bytes + at, data, length);
        const size_t end = sectionEnd(at, length);
        std::memset(bytes + at + length, 0, end - at - length);
        at = end;
    };
    put(nullptr, 0);
    for (size_t c = 0; c < columns_.size(); ++c) {
        Column& column = columns_[c];
        ColumnHeader header{.kind = u8(column.kind)};
        if (column.has_nulls) {
            header.flags |= ColumnHeader::kValidity;
            put(column.validity, validity_bytes);
        }
        if (column.kind != PhysicalKind::kText) {
            put(column.values.data(), size_t(rows_) * widthOf(column.kind));
        } else if (column.coded) {
            header.flags |= ColumnHeader::kCoded;
            if (!column.dictionary_sent) {
                header.flags |= ColumnHeader::kDictionary;
                header.entries = column.entries;
                header.entry_bytes = u32(column.entry_bytes.size());
                put(column.entry_offsets.data(), column.entry_offsets.size() * 4);
                put(column.entry_bytes.data(), column.entry_bytes.size());
                column.dictionary_sent = true;
            }
            put(column.codes.data(), size_t(rows_) * 2);
        } else {
            header.text_bytes = u32(column.text.size());
            put(column.offsets.data(), (size_t(rows_) + 1) * 4);
            put(column.text.data(), column.text.size());
        }
        std::memcpy(bytes + sizeof(MessageHeader) + c * sizeof header, &header, sizeof header);
    }
    MessageHeader header{.columns = u16(columns_.size()), .rows = rows_, .sender = sender_};
    header.bytes = size;
    header.checksum = hashBytes(bytes + sizeof header, size - sizeof header, header.seed());
    std::memcpy(bytes, &header, sizeof header);
    return message;
}

} // namespace blueshift::exchange
