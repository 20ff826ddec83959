#include <cstring>

#include "exchange/message.h"
#include "exchange/message_format.h"

namespace blueshift::exchange {

Status ReceivedBatch::damaged(const char* what) const {
    return failure(Error(sqlstate::kDataCorrupted,
                         std::string("a batch from another node is damaged: ") + what)
                       .withHint("Run the statement again."));
}

Result<std::shared_ptr<const Dictionary>> ReceivedBatch::readDictionary(size_t offsets, size_t text,
                                                                        u32 entries, u32 text_bytes,
                                                                        u64 id) const {
    auto made = std::make_shared<Dictionary>();
    made->message = message_;
    made->id = id;
    made->entries.reserve(entries);
    const u8* bytes = message_->data();
    u32 begin = 0;
    std::memcpy(&begin, bytes + offsets, 4);
    for (u32 i = 0; i < entries; ++i) {
        u32 end = 0;
        std::memcpy(&end, bytes + offsets + (size_t(i) + 1) * 4, 4);
        if (end < begin || end > text_bytes)
            return std::unexpected(damaged("a dictionary entry ends too late").error());
        made->entries.push_back(
            kernels::makeText(reinterpret_cast<const char*>(bytes) + text + begin, end - begin));
        begin = end;
    }
    return made;
}

Status ReceivedBatch::open(Message message, std::span<const PhysicalKind> kinds,
                           Dictionaries& dictionaries) {
    message_ = std::make_shared<const Message>(std::move(message));
    const u8* bytes = message_->data();
    const size_t size = message_->size();
    MessageHeader header;
    if (size < sizeof header) return damaged("it is too short");
    std::memcpy(&header, bytes, sizeof header);
    if (header.magic != MessageHeader::kMagic || header.version != 1)
        return damaged("its header is not known");
    if (header.bytes != size || header.columns != kinds.size() || header.rows > kVectorRows)
        return damaged("its header does not fit");
    if (hashBytes(bytes + sizeof header, size - sizeof header, header.seed()) != header.checksum)
        return damaged("its checksum is wrong");
    rows_ = header.rows;
    columns_.resize(kinds.size());
    size_t at = sectionEnd(sizeof header + kinds.size() * sizeof(ColumnHeader), 0);
    bool inside = at <= size;
    const auto section = [&](size_t length) {
        const size_t begin = at;
        at = sectionEnd(at, length);
        inside = inside && at <= size;
        return begin;
    };
    for (size_t c = 0; c < kinds.size() && inside; ++c) {
        ColumnHeader column;
        std::memcpy(&column, bytes + sizeof header + c * sizeof column, sizeof column);
        if (column.kind != u8(kinds[c])) return damaged("a column is of another kind");
        Column& into = columns_[c];
        into.kind = kinds[c];
        into.has_validity = (column.flags & ColumnHeader::kValidity) != 0;
        into.coded = (column.flags & ColumnHeader::kCoded) != 0;
        if (into.has_validity) into.validity = section(size_t((rows_ + 63) / 64) * 8);
        if (into.kind != PhysicalKind::kText) {
            if (into.coded) return damaged("numbers have codes");
            into.values = section(size_t(rows_) * widthOf(into.kind));
        } else if (into.coded) {
            const u64 name = u64{header.sender} << 16 | c;
            if ((column.flags & ColumnHeader::kDictionary) != 0) {
                const size_t offsets = section((size_t(column.entries) + 1) * 4);
                const size_t text = section(column.entry_bytes);
                if (!inside || column.entries > 65536) return damaged("a dictionary is cut off");
                BS_ASSIGN(auto made, readDictionary(offsets, text, column.entries,
                                                    column.entry_bytes, dictionaries.next_id_++));
                dictionaries.known_[name] = std::move(made);
            }
            const auto known = dictionaries.known_.find(name);
            if (known == dictionaries.known_.end()) return damaged("its dictionary never came");
            into.dictionary = known->second;
            into.values = section(size_t(rows_) * 2);
        } else {
            into.values = section((size_t(rows_) + 1) * 4);
            into.text = section(column.text_bytes);
            into.text_bytes = column.text_bytes;
        }
    }
    if (!inside || at != size) return damaged("its columns do not fill it");
    return {};
}

Status ReceivedBatch::decode() {
    const u8* bytes = message_->data();
    vectors_.resize(columns_.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
        Column& column = columns_[c];
        Vector& vector = vectors_[c];
        vector = {.kind = column.kind};
        if (column.has_validity)
            vector.validity = reinterpret_cast<const u64*>(bytes + column.validity);
        if (column.kind != PhysicalKind::kText) {
            vector.data = bytes + column.values;
        } else if (column.coded) {
            const auto& entries = column.dictionary->entries;
            vector.form = VectorForm::kDictionary;
            vector.code_width = 2;
            vector.dictionary_size = u32(entries.size());
            vector.dictionary_id = column.dictionary->id;
            vector.data = entries.data();
            vector.codes = bytes + column.values;
            const auto* codes = static_cast<const u16*>(vector.codes);
            for (u32 i = 0; i < rows_; ++i)
                if (codes[i] >= entries.size() && !(entries.empty() && vector.isNull(i)))
                    return damaged("a code is beyond its dictionary");
        } else {
            const auto* offsets = reinterpret_cast<const u32*>(bytes + column.values);
            const char* text = reinterpret_cast<const char*>(bytes) + column.text;
            column.views.resize(rows_ + 4);
            for (u32 i = 0; i < rows_; ++i) {
                if (offsets[i + 1] < offsets[i] || offsets[i + 1] > column.text_bytes)
                    return damaged("a text ends too late");
                column.views[i] = kernels::makeText(text + offsets[i], offsets[i + 1] - offsets[i]);
            }
            vector.data = column.views.data();
        }
    }
    batch_ = {.rows = rows_, .selected = rows_, .columns = vectors_};
    return {};
}

} // namespace blueshift::exchange
