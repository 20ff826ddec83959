#include "storage/encoding/integer_encoding.h"

#include <algorithm>
#include <bit>

#include "kernels/text.h"
#include "storage/encoding/bit_packing.h"

namespace blueshift::storage {

namespace {

using catalog::ColumnEncoding;

constexpr u32 kMaxIntegerEntries = 4096;
constexpr u32 kSampleRows = 1024;

/// What one pass over the values tells about the cost of each encoding.
struct Shape {
    bool has_deltas = false;
    i64 min_delta = 0;
    i64 max_delta = 0;
    u32 runs = 1;
    u32 longest_run = 1;
};

Shape measure(std::span<const i64> values, i64 min, i64 max) {
    Shape shape;
    const size_t rows = values.size();
    u32 run_length = 1;
    u32 longest = 1;
    u32 runs = 1;
    for (size_t i = 1; i < rows; ++i) {
        const bool same = values[i] == values[i - 1];
        runs += !same;
        run_length = same ? run_length + 1 : 1;
        longest = std::max(longest, run_length);
    }
    shape.runs = runs;
    shape.longest_run = longest;
    // Differences cannot overflow when the range is below 2^62.
    if (u64(max) - u64(min) < u64{1} << 62 && rows > 1) {
        shape.has_deltas = true;
        i64 low = values[1] - values[0], high = low;
        for (size_t i = 1; i < rows; ++i) {
            const i64 delta = values[i] - values[i - 1];
            low = std::min(low, delta);
            high = std::max(high, delta);
        }
        shape.min_delta = low;
        shape.max_delta = high;
    }
    return shape;
}

/// Sorted distinct values, or nothing when there are more than `limit`.
std::optional<std::vector<i64>> distinctValues(std::span<const i64> values, u32 limit) {
    std::vector<i64> slots(size_t{limit} * 4);
    std::vector<u8> used(slots.size());
    const u64 mask = slots.size() - 1;
    std::vector<i64> distinct;
    i64 previous = values[0];
    bool first = true;
    for (const i64 value : values) {
        if (!first && value == previous) continue;
        first = false;
        previous = value;
        u64 slot = mixHash(u64(value)) & mask;
        while (used[slot] != 0 && slots[slot] != value) slot = (slot + 1) & mask;
        if (used[slot] != 0) continue;
        if (distinct.size() == limit) return std::nullopt;
        used[slot] = 1;
        slots[slot] = value;
        distinct.push_back(value);
    }
    std::ranges::sort(distinct);
    return distinct;
}

bool sampleLooksRepetitive(std::span<const i64> values) {
    std::vector<i64> sample;
    const size_t step = std::max<size_t>(1, values.size() / kSampleRows);
    for (size_t i = 0; i < values.size(); i += step) sample.push_back(values[i]);
    std::ranges::sort(sample);
    const size_t rows = sample.size();
    sample.erase(std::ranges::unique(sample).begin(), sample.end());
    return sample.size() <= rows / 2;
}

void putFrame(std::span<const i64> values, i64 min, i64 max, std::vector<u8>& out) {
    ByteWriter(out).put<i64>(min);
    std::vector<u64> offsets(values.size());
    for (size_t i = 0; i < values.size(); ++i) offsets[i] = u64(values[i]) - u64(min);
    putPacked(offsets, u64(max) - u64(min), out);
}

void putDeltas(std::span<const i64> values, const Shape& shape, std::vector<u8>& out) {
    ByteWriter writer(out);
    writer.put<i64>(values[0]);
    writer.put<i64>(shape.min_delta);
    std::vector<u64> deltas(values.size() - 1);
    for (size_t i = 1; i < values.size(); ++i)
        deltas[i - 1] = u64(values[i]) - u64(values[i - 1]) - u64(shape.min_delta);
    putPacked(deltas, u64(shape.max_delta) - u64(shape.min_delta), out);
}

void putRuns(std::span<const i64> values, i64 min, i64 max, const Shape& shape,
             const SketchSink& sink, std::vector<u8>& out) {
    std::vector<i64> run_values;
    std::vector<u64> lengths;
    for (size_t i = 0; i < values.size();) {
        size_t end = i + 1;
        while (end < values.size() && values[end] == values[i]) ++end;
        run_values.push_back(values[i]);
        lengths.push_back(end - i);
        sink.add(values[i]);
        i = end;
    }
    ByteWriter(out).put<u32>(u32(run_values.size()));
    putFrame(run_values, min, max, out);
    putPacked(lengths, shape.longest_run, out);
}

void putDictionary(std::span<const i64> values, const std::vector<i64>& entries, i64 min, i64 max,
                   const SketchSink& sink, std::vector<u8>& out) {
    for (const i64 entry : entries) sink.add(entry);
    ByteWriter(out).put<u32>(u32(entries.size()));
    putFrame(entries, min, max, out);
    std::vector<u64> codes(values.size());
    for (size_t i = 0; i < values.size(); ++i)
        codes[i] = i > 0 && values[i] == values[i - 1]
                       ? codes[i - 1]
                       : u64(std::ranges::lower_bound(entries, values[i]) - entries.begin());
    putPacked(codes, entries.size() - 1, out);
}

void putRaw(std::span<const i64> values, u32 width, std::vector<u8>& out) {
    // Little-endian: the low bytes of a 64-bit value are the narrow value.
    const size_t start = out.size();
    out.resize(start + values.size() * width);
    u8* at = out.data() + start;
    for (const i64 value : values) {
        std::memcpy(at, &value, width);
        at += width;
    }
}

struct Choice {
    BlockEncoding encoding = BlockEncoding::kRaw;
    std::optional<std::vector<i64>> entries;
};

bool allows(ColumnEncoding hint, BlockEncoding encoding) {
    switch (hint) {
    case ColumnEncoding::kRaw: return encoding == BlockEncoding::kRaw;
    case ColumnEncoding::kAz64: return encoding != BlockEncoding::kDictionary;
    case ColumnEncoding::kByteDict:
        return encoding == BlockEncoding::kDictionary ||
               encoding == BlockEncoding::kFrameOfReference;
    case ColumnEncoding::kDelta:
    case ColumnEncoding::kDelta32k:
        return encoding == BlockEncoding::kDelta || encoding == BlockEncoding::kFrameOfReference;
    case ColumnEncoding::kMostly8:
    case ColumnEncoding::kMostly16:
    case ColumnEncoding::kMostly32: return encoding == BlockEncoding::kFrameOfReference;
    case ColumnEncoding::kRunLength:
        return encoding == BlockEncoding::kRunLength ||
               encoding == BlockEncoding::kFrameOfReference;
    case ColumnEncoding::kLzo:
    case ColumnEncoding::kZstd: return encoding == BlockEncoding::kRaw;
    default: return true;
    }
}

Choice choose(std::span<const i64> values, i64 min, i64 max, u32 raw_width, ColumnEncoding hint,
              const Shape& shape) {
    const u64 rows = values.size();
    const u32 frame_width = packedWidth(u64(max) - u64(min));
    Choice choice;
    f64 best = f64(rows * raw_width);
    if (!allows(hint, BlockEncoding::kRaw)) best = 1e18;
    // The factors are what an encoding must save to be worth decoding more slowly.
    const auto offer = [&](BlockEncoding encoding, u64 bytes, f64 factor) {
        if (!allows(hint, encoding)) return;
        if (hint != ColumnEncoding::kAuto && hint != ColumnEncoding::kAz64 &&
            encoding != BlockEncoding::kFrameOfReference)
            factor = 0.01; // the user asked for this one
        if (f64(bytes) * factor < best) {
            best = f64(bytes) * factor;
            choice.encoding = encoding;
        }
    };
    offer(BlockEncoding::kFrameOfReference, 9 + packedBytes(rows, frame_width), 1.0);
    if (shape.has_deltas)
        offer(BlockEncoding::kDelta,
              17 + packedBytes(rows, packedWidth(u64(shape.max_delta) - u64(shape.min_delta))),
              1.4);
    offer(BlockEncoding::kRunLength,
          14 + packedBytes(shape.runs, frame_width + packedWidth(shape.longest_run)), 1.2);
    const bool asked = hint == ColumnEncoding::kByteDict;
    if (allows(hint, BlockEncoding::kDictionary) && (asked || frame_width > 10) &&
        (asked || (shape.runs > rows / 16 && sampleLooksRepetitive(values)))) {
        choice.entries = distinctValues(values, kMaxIntegerEntries);
        if (choice.entries)
            offer(BlockEncoding::kDictionary,
                  16 + packedBytes(choice.entries->size(), frame_width) +
                      packedBytes(rows, packedWidth(choice.entries->size() - 1)),
                  1.2);
    }
    return choice;
}

} // namespace

void SketchSink::add(i64 bits) const {
    if (sketch == nullptr) return;
    if (kind == PhysicalKind::kF64) sketch->add(kernels::hashFloat(std::bit_cast<f64>(bits)));
    else if (kind == PhysicalKind::kF32)
        sketch->add(kernels::hashFloat(f64(std::bit_cast<f32>(u32(u64(bits))))));
    else sketch->add(kernels::hashInteger(kernels::i64(bits)));
}

void putPacked(std::span<const u64> values, u64 max, std::vector<u8>& out) {
    const u32 width = packedWidth(max);
    out.push_back(u8(width));
    packBits(values, width, out);
}

std::optional<PackedArray> getPacked(ByteReader& reader, u32 count) {
    PackedArray packed;
    packed.width = reader.get<u8>();
    if (!isPackedWidth(packed.width)) return std::nullopt;
    packed.bytes = reader.bytes(packedBytes(count, packed.width));
    if (!reader.ok()) return std::nullopt;
    return packed;
}

BlockEncoding encodeIntegerPayload(std::span<const i64> values, i64 min, i64 max, u32 raw_width,
                                   ColumnEncoding hint, const SketchSink& sink,
                                   std::vector<u8>& out) {
    if (min == max && hint != ColumnEncoding::kRaw) {
        sink.add(min);
        ByteWriter(out).put<i64>(min);
        return BlockEncoding::kConstant;
    }
    const Shape shape = measure(values, min, max);
    const Choice choice = choose(values, min, max, raw_width, hint, shape);
    if (choice.encoding != BlockEncoding::kRunLength &&
        choice.encoding != BlockEncoding::kDictionary)
        for (size_t i = 0; i < values.size(); ++i)
            if (i == 0 || values[i] != values[i - 1]) sink.add(values[i]);
    switch (choice.encoding) {
    case BlockEncoding::kFrameOfReference: putFrame(values, min, max, out); break;
    case BlockEncoding::kDelta: putDeltas(values, shape, out); break;
    case BlockEncoding::kRunLength: putRuns(values, min, max, shape, sink, out); break;
    case BlockEncoding::kDictionary:
        putDictionary(values, *choice.entries, min, max, sink, out);
        break;
    default: putRaw(values, raw_width, out); break;
    }
    return choice.encoding;
}

namespace {

template <class T> bool readFrame(ByteReader& reader, u32 rows, T* out) {
    const u64 base = reader.get<u64>();
    const auto packed = getPacked(reader, rows);
    if (!packed) return false;
    unpackBits(packed->bytes, rows, packed->width, [&](u32 i, u64 v) { out[i] = T(base + v); });
    return true;
}

template <class T> bool readDeltas(ByteReader& reader, u32 rows, T* out) {
    u64 current = reader.get<u64>();
    const u64 base = reader.get<u64>();
    if (rows == 0) return false;
    const auto packed = getPacked(reader, rows - 1);
    if (!packed) return false;
    out[0] = T(current);
    unpackBits(packed->bytes, rows - 1, packed->width, [&](u32 i, u64 v) {
        current += base + v;
        out[i + 1] = T(current);
    });
    return true;
}

template <class T> bool readRuns(ByteReader& reader, u32 rows, T* out) {
    const u32 runs = reader.get<u32>();
    if (runs > rows) return false;
    std::vector<T> values(runs);
    if (!readFrame(reader, runs, values.data())) return false;
    const auto lengths = getPacked(reader, runs);
    if (!lengths) return false;
    u64 row = 0;
    bool fits = true;
    unpackBits(lengths->bytes, runs, lengths->width, [&](u32 i, u64 length) {
        if (!fits || length > rows - row) {
            fits = false;
            return;
        }
        std::fill_n(out + row, length, values[i]);
        row += length;
    });
    return fits && row == rows;
}

template <class T> bool readDictionary(ByteReader& reader, u32 rows, T* out) {
    const u32 count = reader.get<u32>();
    if (count == 0 || count > kBlockRows) return false;
    std::vector<T> entries(count);
    if (!readFrame(reader, count, entries.data())) return false;
    const auto codes = getPacked(reader, rows);
    if (!codes) return false;
    u64 highest = 0;
    unpackBits(codes->bytes, rows, codes->width, [&](u32 i, u64 code) {
        highest = std::max(highest, code);
        out[i] = entries[std::min<u64>(code, count - 1)];
    });
    return highest < count;
}

} // namespace

template <class T>
bool decodeIntegerPayload(BlockEncoding encoding, ByteReader& reader, u32 rows, T* out) {
    switch (encoding) {
    case BlockEncoding::kConstant: {
        const T value = T(reader.get<i64>());
        if (reader.ok()) std::fill_n(out, rows, value);
        return reader.ok();
    }
    case BlockEncoding::kRaw: {
        const std::span<const u8> raw = reader.bytes(u64(rows) * sizeof(T));
        if (reader.ok() && rows > 0) std::memcpy(out, raw.data(), raw.size());
        return reader.ok();
    }
    case BlockEncoding::kFrameOfReference: return readFrame(reader, rows, out);
    case BlockEncoding::kDelta: return readDeltas(reader, rows, out);
    case BlockEncoding::kRunLength: return readRuns(reader, rows, out);
    case BlockEncoding::kDictionary: return readDictionary(reader, rows, out);
    }
    return false;
}

template bool decodeIntegerPayload<i8>(BlockEncoding, ByteReader&, u32, i8*);
template bool decodeIntegerPayload<i16>(BlockEncoding, ByteReader&, u32, i16*);
template bool decodeIntegerPayload<i32>(BlockEncoding, ByteReader&, u32, i32*);
template bool decodeIntegerPayload<i64>(BlockEncoding, ByteReader&, u32, i64*);

BlockEncoding encodeWidePayload(std::span<const i128> values, i128 min, i128 max,
                                std::vector<u8>& out) {
    ByteWriter writer(out);
    if (min == max) {
        writer.put<i128>(min);
        return BlockEncoding::kConstant;
    }
    const u128 range = u128(max) - u128(min);
    if (range > ~u64{0}) {
        writer.bytes(values.data(), values.size_bytes());
        return BlockEncoding::kRaw;
    }
    writer.put<i128>(min);
    std::vector<u64> offsets(values.size());
    for (size_t i = 0; i < values.size(); ++i) offsets[i] = u64(u128(values[i]) - u128(min));
    putPacked(offsets, u64(range), out);
    return BlockEncoding::kFrameOfReference;
}

bool decodeWidePayload(BlockEncoding encoding, ByteReader& reader, u32 rows, i128* out) {
    if (encoding == BlockEncoding::kRaw) {
        const std::span<const u8> raw = reader.bytes(u64(rows) * 16);
        if (reader.ok() && rows > 0) std::memcpy(out, raw.data(), raw.size());
        return reader.ok();
    }
    const u128 base = reader.get<u128>();
    if (encoding == BlockEncoding::kConstant) {
        if (reader.ok()) std::fill_n(out, rows, i128(base));
        return reader.ok();
    }
    if (encoding != BlockEncoding::kFrameOfReference) return false;
    const auto packed = getPacked(reader, rows);
    if (!packed) return false;
    unpackBits(packed->bytes, rows, packed->width, [&](u32 i, u64 v) { out[i] = i128(base + v); });
    return true;
}

} // namespace blueshift::storage
