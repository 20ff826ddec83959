#include "storage/encoding/text_encoding.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "storage/encoding/bit_packing.h"
#include "storage/encoding/integer_encoding.h"
#include "types/text_view.h"

namespace blueshift::storage {

namespace {

using catalog::ColumnEncoding;

constexpr u32 kMaxEntries = 65536;
constexpr u32 kSampleRows = 1024;

bool sameBytes(const TextView& a, const TextView& b) {
    u64 x, y;
    std::memcpy(&x, &a, 8);
    std::memcpy(&y, &b, 8);
    if (x != y) return false;
    return a.isInline() ? std::memcmp(a.rest, b.rest, 8) == 0
                        : std::memcmp(a.pointer, b.pointer, a.length) == 0;
}

u64 hashExact(const TextView& text) {
    if (!text.isInline()) return hashBytes(text.pointer, text.length);
    u64 words[2];
    std::memcpy(words, &text, 16);
    return mixHash(words[0] ^ mixHash(words[1]));
}

bool orderedBefore(const TextView& a, const TextView& b) {
    const int order = kernels::compareText(a, b);
    return order != 0 ? order < 0 : a.length < b.length;
}

/// Distinct texts in order of first appearance, and a code per row.
class TextDictionary {
public:
    explicit TextDictionary(u32 rows) {
        u32 slots = 256;
        while (slots < rows * 2) slots *= 2;
        slots_.assign(slots, 0);
    }
    u32 codeOf(const TextView& text) {
        const u64 mask = slots_.size() - 1;
        u64 slot = hashExact(text) & mask;
        while (slots_[slot] != 0) {
            if (sameBytes(entries_[slots_[slot] - 1], text)) return slots_[slot] - 1;
            slot = (slot + 1) & mask;
        }
        entries_.push_back(text);
        slots_[slot] = u32(entries_.size());
        return u32(entries_.size() - 1);
    }
    std::vector<TextView>& entries() { return entries_; }

private:
    std::vector<u32> slots_; // entry + 1
    std::vector<TextView> entries_;
};

bool isNull(const BlockValues& block, u32 row) {
    return block.null_count > 0 && !bitAt(block.validity, row);
}

/// Half of a sample repeats: worth building the dictionary of the whole block.
bool sampleLooksRepetitive(std::span<const TextView> values, const BlockValues& block) {
    TextDictionary seen(kSampleRows * 2);
    const size_t step = std::max<size_t>(1, values.size() / kSampleRows);
    u32 rows = 0;
    for (size_t i = 0; i < values.size(); i += step) {
        if (isNull(block, u32(i))) continue;
        seen.codeOf(values[i]);
        ++rows;
    }
    return seen.entries().size() * 2 <= rows + 1;
}

struct Coded {
    std::vector<TextView> entries; // ordered
    std::vector<u64> codes;
};

std::optional<Coded> code(std::span<const TextView> values, const BlockValues& block, bool asked) {
    if (!asked && !sampleLooksRepetitive(values, block)) return std::nullopt;
    const u32 rows = u32(values.size());
    const size_t limit = asked ? kMaxEntries : std::max<u32>(1, rows / 2);
    TextDictionary dictionary(rows);
    Coded coded;
    coded.codes.resize(rows);
    u32 last = 0;
    for (u32 row = 0; row < rows; ++row) {
        if (!isNull(block, row)) last = dictionary.codeOf(values[row]);
        coded.codes[row] = last;
        if (dictionary.entries().size() > limit) return std::nullopt;
    }
    std::vector<u32> order(dictionary.entries().size());
    for (u32 i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, [&](u32 a, u32 b) {
        return orderedBefore(dictionary.entries()[a], dictionary.entries()[b]);
    });
    std::vector<u64> rank(order.size());
    for (u32 i = 0; i < order.size(); ++i) {
        rank[order[i]] = i;
        coded.entries.push_back(dictionary.entries()[order[i]]);
    }
    for (u64& code : coded.codes) code = rank[code];
    return coded;
}

/// Lengths, then bytes. NULL rows count as empty.
void putTexts(std::span<const TextView> texts, std::vector<u8>& out) {
    std::vector<u64> lengths(texts.size());
    u64 longest = 0, total = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
        lengths[i] = texts[i].length;
        longest = std::max(longest, lengths[i]);
        total += lengths[i];
    }
    putPacked(lengths, longest, out);
    ByteWriter(out).put<u64>(total);
    const size_t start = out.size();
    out.resize(start + total);
    u8* at = out.data() + start;
    for (const TextView& text : texts) {
        if (text.length > 0) std::memcpy(at, text.data(), text.length);
        at += text.length;
    }
}

void setRange(const TextView& min, const TextView& max, catalog::ColumnRange& range) {
    range.has_range = true;
    range.min_text = lowerTextBound(asStringView(min));
    range.max_text_unbounded = !upperTextBound(asStringView(max), range.max_text);
}

bool getTexts(ByteReader& reader, u32 count, AlignedBytes& views, AlignedBytes& heap) {
    const auto lengths = getPacked(reader, count);
    if (!lengths) return false;
    const std::span<const u8> bytes = reader.bytes(reader.get<u64>());
    if (!reader.ok()) return false;
    heap = AlignedBytes(bytes.size());
    if (!bytes.empty()) std::memcpy(heap.as<u8>(), bytes.data(), bytes.size());
    views = AlignedBytes(size_t(count) * sizeof(TextView));
    auto* out = views.as<TextView>();
    const char* text = heap.as<char>();
    u64 at = 0;
    bool fits = true;
    unpackBits(lengths->bytes, count, lengths->width, [&](u32 i, u64 length) {
        if (!fits || length > bytes.size() - at) {
            fits = false;
            return;
        }
        out[i] = kernels::makeText(text + at, u32(length));
        at += length;
    });
    return fits;
}

template <class Code> bool getCodes(ByteReader& reader, HotBlock& block) {
    const auto packed = getPacked(reader, block.rows);
    if (!packed) return false;
    block.codes = AlignedBytes(size_t(block.rows) * sizeof(Code));
    block.code_width = sizeof(Code);
    auto* out = block.codes.as<Code>();
    u64 highest = 0;
    unpackBits(packed->bytes, block.rows, packed->width, [&](u32 i, u64 code) {
        highest = std::max(highest, code);
        out[i] = Code(code);
    });
    return highest < block.dictionary_size;
}

} // namespace

std::string lowerTextBound(std::string_view text) {
    const u32 length = kernels::trimmedLength(text.data(), u32(text.size()));
    return std::string(text.substr(0, std::min(length, kTextBoundBytes)));
}

bool upperTextBound(std::string_view text, std::string& bound) {
    const u32 length = kernels::trimmedLength(text.data(), u32(text.size()));
    bound.assign(text.substr(0, std::min(length, kTextBoundBytes)));
    if (length <= kTextBoundBytes) return true;
    while (!bound.empty() && u8(bound.back()) == 0xFF) bound.pop_back();
    if (bound.empty()) return false;
    bound.back() = char(u8(bound.back()) + 1);
    // A blank at the end would not count in comparisons and make the bound smaller.
    if (bound.back() == ' ') bound.back() = '!';
    return true;
}

BlockEncoding encodeTextPayload(std::span<TextView> values, const BlockValues& block,
                                catalog::ColumnRange& range, std::vector<u8>& out) {
    const bool asked = block.hint == ColumnEncoding::kByteDict ||
                       block.hint == ColumnEncoding::kText255 ||
                       block.hint == ColumnEncoding::kText32k;
    const bool raw = block.hint == ColumnEncoding::kRaw || block.hint == ColumnEncoding::kLzo ||
                     block.hint == ColumnEncoding::kZstd;
    if (!raw) {
        if (auto coded = code(values, block, asked)) {
            if (block.sketch != nullptr)
                for (const TextView& entry : coded->entries)
                    block.sketch->add(kernels::hashText(entry));
            setRange(coded->entries.front(), coded->entries.back(), range);
            if (coded->entries.size() == 1) {
                ByteWriter(out).text(asStringView(coded->entries[0]));
                return BlockEncoding::kConstant;
            }
            ByteWriter(out).put<u32>(u32(coded->entries.size()));
            putTexts(coded->entries, out);
            putPacked(coded->codes, coded->entries.size() - 1, out);
            return BlockEncoding::kDictionary;
        }
    }
    const TextView* min = nullptr;
    const TextView* max = nullptr;
    for (u32 row = 0; row < values.size(); ++row) {
        if (isNull(block, row)) {
            values[row] = TextView{};
            continue;
        }
        const TextView& text = values[row];
        if (min == nullptr || kernels::less(text, *min)) min = &text;
        if (max == nullptr || kernels::less(*max, text)) max = &text;
        if (block.sketch != nullptr) block.sketch->add(kernels::hashText(text));
    }
    setRange(*min, *max, range);
    putTexts(values, out);
    return BlockEncoding::kRaw;
}

bool decodeTextPayload(BlockEncoding encoding, ByteReader& reader, HotBlock& block) {
    switch (encoding) {
    case BlockEncoding::kConstant: {
        const std::string_view text = reader.text();
        if (!reader.ok()) return false;
        block.form = VectorForm::kConstant;
        block.heap = AlignedBytes(text.size());
        if (!text.empty()) std::memcpy(block.heap.as<char>(), text.data(), text.size());
        block.values = AlignedBytes(sizeof(TextView));
        *block.values.as<TextView>() = kernels::makeText(block.heap.as<char>(), u32(text.size()));
        return true;
    }
    case BlockEncoding::kRaw: return getTexts(reader, block.rows, block.values, block.heap);
    case BlockEncoding::kDictionary: {
        block.form = VectorForm::kDictionary;
        block.dictionary_size = reader.get<u32>();
        if (block.dictionary_size == 0 || block.dictionary_size > kMaxEntries) return false;
        if (!getTexts(reader, block.dictionary_size, block.values, block.heap)) return false;
        return block.dictionary_size <= 256 ? getCodes<u8>(reader, block)
                                            : getCodes<u16>(reader, block);
    }
    default: return false;
    }
}

} // namespace blueshift::storage
