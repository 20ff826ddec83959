#include "catalog/delete_bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace blueshift::catalog {
namespace {

enum class Form : u8 { kWords = 0, kRows = 1, kRuns = 2 };

void putVarint(std::vector<u8>& out, u64 value) {
    while (value >= 0x80) {
        out.push_back(u8(value) | 0x80);
        value >>= 7;
    }
    out.push_back(u8(value));
}

bool getVarint(const u8*& at, const u8* end, u64& value) {
    value = 0;
    for (u32 shift = 0; shift < 35; shift += 7) {
        if (at == end) return false;
        const u8 byte = *at++;
        value |= u64(byte & 0x7F) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

bool testBit(std::span<const u64> bits, u64 row) {
    return bits[row >> 6] >> (row & 63) & 1;
}

/// The first row at or after `row` whose bit is `wanted`, or the number of rows.
u64 findBit(std::span<const u64> bits, u64 row, bool wanted) {
    const u64 rows = bits.size() * 64;
    while (row < rows) {
        u64 word = bits[row >> 6];
        if (!wanted) word = ~word;
        word >>= row & 63;
        if (word != 0) return row + u64(std::countr_zero(word));
        row = (row | 63) + 1;
    }
    return rows;
}

void encodeRows(std::span<const u64> bits, std::vector<u8>& out) {
    u64 previous = 0;
    for (u64 row = findBit(bits, 0, true); row < bits.size() * 64;
         row = findBit(bits, row + 1, true)) {
        putVarint(out, row - previous);
        previous = row;
    }
}

void encodeRuns(std::span<const u64> bits, std::vector<u8>& out) {
    u64 at = 0;
    while (true) {
        const u64 first = findBit(bits, at, true);
        if (first >= bits.size() * 64) return;
        const u64 last = findBit(bits, first, false);
        putVarint(out, first - at);
        putVarint(out, last - first);
        at = last;
    }
}

} // namespace

std::vector<u8> encodeBits(std::span<const u64> bits) {
    std::vector<u8> head;
    putVarint(head, bits.size());
    std::vector<u8> best;
    best.resize(bits.size_bytes());
    if (!bits.empty()) std::memcpy(best.data(), bits.data(), bits.size_bytes());
    Form form = Form::kWords;
    std::vector<u8> other;
    // Each row or run takes at least a byte, so a crowded vector need not be tried.
    if (countBits(bits) < best.size()) {
        encodeRows(bits, other);
        if (other.size() < best.size()) {
            best.swap(other);
            form = Form::kRows;
        }
    }
    other.clear();
    encodeRuns(bits, other);
    if (other.size() < best.size()) {
        best.swap(other);
        form = Form::kRuns;
    }
    head.push_back(u8(form));
    head.insert(head.end(), best.begin(), best.end());
    return head;
}

std::optional<std::vector<u64>> decodeBits(std::span<const u8> bytes) {
    const u8* at = bytes.data();
    const u8* const end = at + bytes.size();
    u64 words;
    if (!getVarint(at, end, words) || words > kMaxSegmentRows / 64 || at == end)
        return std::nullopt;
    const auto form = Form(*at++);
    std::vector<u64> bits(words);
    const u64 rows = words * 64;
    u64 row = 0;
    switch (form) {
    case Form::kWords:
        if (u64(end - at) != words * 8) return std::nullopt;
        if (words != 0) std::memcpy(bits.data(), at, words * 8);
        return bits;
    case Form::kRows:
        while (at < end) {
            u64 gap;
            if (!getVarint(at, end, gap)) return std::nullopt;
            row += gap;
            if (row >= rows || testBit(bits, row)) return std::nullopt;
            bits[row >> 6] |= u64{1} << (row & 63);
        }
        return bits;
    case Form::kRuns:
        while (at < end) {
            u64 gap;
            u64 length;
            if (!getVarint(at, end, gap) || !getVarint(at, end, length)) return std::nullopt;
            if (gap > rows - row || length > rows - row - gap) return std::nullopt;
            row += gap;
            for (const u64 last = row + length; row < last; ++row)
                bits[row >> 6] |= u64{1} << (row & 63);
        }
        return bits;
    }
    return std::nullopt;
}

u64 countBits(std::span<const u64> bits) {
    u64 count = 0;
    for (const u64 word : bits) count += u64(std::popcount(word));
    return count;
}

bool bitsIntersect(std::span<const u64> a, std::span<const u64> b) {
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        if ((a[i] & b[i]) != 0) return true;
    return false;
}

void mergeBits(std::vector<u64>& into, std::span<const u64> bits) {
    if (into.size() < bits.size()) into.resize(bits.size());
    for (size_t i = 0; i < bits.size(); ++i) into[i] |= bits[i];
}

} // namespace blueshift::catalog
