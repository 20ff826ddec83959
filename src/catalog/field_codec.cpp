#include "catalog/field_codec.h"

#include "base/check.h"

namespace blueshift::catalog {

namespace {
constexpr u32 kMaxTag = 1u << 20;
constexpr size_t kLengthBytes = 4;
} // namespace

size_t FieldWriter::begin(u32 tag) {
    key(tag, WireForm::kBytes);
    out_.resize(out_.size() + kLengthBytes);
    return out_.size();
}

void FieldWriter::end(size_t at) {
    const size_t length = out_.size() - at;
    BS_CHECK(length <= ~u32{0}, "a stored message is limited to 4 GiB");
    const u32 stored = u32(length);
    std::memcpy(out_.data() + at - kLengthBytes, &stored, kLengthBytes);
}

void FieldWriter::bytes(u32 tag, const void* data, size_t length) {
    const size_t at = begin(tag);
    append(data, length);
    end(at);
}

bool FieldReader::readVarint(const u8*& at, const u8* end, u64& value) {
    value = 0;
    for (u32 shift = 0; shift < 64; shift += 7) {
        if (at == end) return false;
        const u8 byte = *at++;
        value |= u64(byte & 0x7F) << shift;
        if (byte < 0x80) return shift < 63 || byte <= 1;
    }
    return false;
}

void FieldReader::next() {
    const u32 previous = tag_;
    tag_ = 0;
    if (at_ == end_) return;
    u64 key;
    if (!readVarint(at_, end_, key)) return fail();
    const u64 tag = key >> 2;
    if (tag == 0 || tag > kMaxTag || tag < previous) return fail();
    form_ = WireForm(key & 3);
    switch (form_) {
    case WireForm::kVarint:
        if (!readVarint(at_, end_, number_)) return fail();
        break;
    case WireForm::kFixed8:
        if (end_ - at_ < 8) return fail();
        std::memcpy(&number_, at_, 8);
        at_ += 8;
        break;
    case WireForm::kBytes: {
        u32 length;
        if (size_t(end_ - at_) < kLengthBytes) return fail();
        std::memcpy(&length, at_, kLengthBytes);
        at_ += kLengthBytes;
        if (size_t(end_ - at_) < length) return fail();
        bytes_ = {at_, length};
        at_ += length;
        break;
    }
    default: return fail();
    }
    tag_ = u32(tag);
}

void FieldReader::operator()(u32 tag, std::string& text) {
    if (!seek(tag, WireForm::kBytes)) return;
    text.assign(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    next();
}

void FieldReader::operator()(u32 tag, Hash128& hash) {
    if (!seek(tag, WireForm::kBytes)) return;
    if (bytes_.size() != sizeof hash) return fail();
    std::memcpy(&hash, bytes_.data(), sizeof hash);
    next();
}

void FieldReader::operator()(u32 tag, i128& value) {
    if (!seek(tag, WireForm::kBytes)) return;
    if (bytes_.size() > sizeof(u128)) return fail();
    u128 folded = 0;
    if (!bytes_.empty()) std::memcpy(&folded, bytes_.data(), bytes_.size());
    value = i128(folded >> 1) ^ -i128(folded & 1);
    next();
}

void FieldReader::operator()(u32 tag, std::optional<std::string>& text) {
    if (!seek(tag, WireForm::kBytes)) return;
    text.emplace(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    next();
}

void FieldReader::operator()(u32 tag, std::vector<u8>& value) {
    if (!seek(tag, WireForm::kBytes)) return;
    value.assign(bytes_.begin(), bytes_.end());
    next();
}

void FieldReader::operator()(u32 tag, std::shared_ptr<const storage::MemorySegment>& rows) {
    if (!seek(tag, WireForm::kBytes)) return;
    rows = rows_.decode(bytes_);
    if (!rows) return fail();
    next();
}

} // namespace blueshift::catalog
