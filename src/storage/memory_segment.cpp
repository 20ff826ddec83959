#include "storage/memory_segment.h"

#include <cstring>

#include "base/hash.h"
#include "storage/byte_stream.h"
#include "types/text_view.h"

namespace blueshift::storage {

namespace {

constexpr u32 kMagic = 0x534D5342; // "BSMS"
constexpr u16 kVersion = 1;
constexpr u32 kHeaderBytes = 20;
constexpr u32 kPadding = 64;

Error corrupt(const char* what) {
    return Error(sqlstate::kDataCorrupted, std::string("inline rows are corrupt: ") + what)
        .withHint("Restore the log record from a backup, or run blueshift verify.");
}

bool kindFits(const SqlType& type, PhysicalKind kind) {
    const PhysicalKind natural = naturalKind(type);
    return isIntegerKind(natural) ? isIntegerKind(kind) && kind <= natural : kind == natural;
}

void encodeColumn(const MemorySegment::Column& column, u32 rows, ByteWriter& writer) {
    writer.put<u32>(column.column_id);
    writer.put<u8>(u8(column.type.kind));
    writer.put<u8>(column.type.precision);
    writer.put<u8>(column.type.scale);
    writer.put<u8>(u8(column.kind));
    writer.put<i32>(column.type.length);
    writer.put<u8>(column.validity.empty() ? 0 : 1);
    if (!column.validity.empty()) writer.bytes(column.validity.data(), (rows + 63) / 64 * 8);
    if (column.kind != PhysicalKind::kText) {
        writer.bytes(column.values.data(), size_t(rows) * widthOf(column.kind));
        return;
    }
    const auto* views = reinterpret_cast<const TextView*>(column.values.data());
    u64 total = 0;
    for (u32 row = 0; row < rows; ++row) {
        writer.put<u32>(views[row].length);
        total += views[row].length;
    }
    writer.put<u64>(total);
    for (u32 row = 0; row < rows; ++row) writer.bytes(views[row].data(), views[row].length);
}

Status decodeText(ByteReader& reader, u32 rows, MemorySegment::Column& column) {
    const std::span<const u8> lengths = reader.bytes(u64(rows) * 4);
    const std::span<const u8> text = reader.bytes(reader.get<u64>());
    if (!reader.ok()) return failure(corrupt("a text column is cut short"));
    column.text.assign(text.begin(), text.end());
    column.values.resize(size_t(rows) * sizeof(TextView) + kPadding);
    u64 at = 0;
    for (u32 row = 0; row < rows; ++row) {
        u32 length;
        std::memcpy(&length, lengths.data() + size_t(row) * 4, 4);
        if (length > text.size() - at) return failure(corrupt("a text is longer than its column"));
        const TextView view = makeTextView({column.text.data() + at, length});
        std::memcpy(column.values.data() + size_t(row) * sizeof(TextView), &view, sizeof(TextView));
        at += length;
    }
    return {};
}

Result<MemorySegment::Column> decodeColumn(ByteReader& reader, u32 rows) {
    MemorySegment::Column column;
    column.column_id = reader.get<u32>();
    const u8 type_kind = reader.get<u8>();
    column.type.precision = reader.get<u8>();
    column.type.scale = reader.get<u8>();
    const u8 kind = reader.get<u8>();
    column.type.length = reader.get<i32>();
    const u8 has_validity = reader.get<u8>();
    if (!reader.ok() || type_kind > u8(TypeKind::kVoid) || kind > u8(PhysicalKind::kText))
        return failure(corrupt("a column header is out of range"));
    column.type.kind = TypeKind(type_kind);
    column.kind = PhysicalKind(kind);
    if (!kindFits(column.type, column.kind))
        return failure(corrupt("a column's physical kind does not fit its type"));
    if (has_validity != 0) {
        const std::span<const u8> bits = reader.bytes((u64(rows) + 63) / 64 * 8);
        if (!reader.ok()) return failure(corrupt("a validity bitmap is cut short"));
        column.validity.resize(bits.size() / 8);
        if (!bits.empty()) std::memcpy(column.validity.data(), bits.data(), bits.size());
    }
    if (column.kind == PhysicalKind::kText) {
        BS_TRY(decodeText(reader, rows, column));
        return column;
    }
    const std::span<const u8> values = reader.bytes(u64(rows) * widthOf(column.kind));
    if (!reader.ok()) return failure(corrupt("a column is cut short"));
    column.values.assign(values.begin(), values.end());
    column.values.resize(values.size() + kPadding);
    return column;
}

} // namespace

MemorySegment::MemorySegment(u32 rows, std::vector<Column> columns)
    : rows_(rows), columns_(std::move(columns)) {}

const MemorySegment::Column* MemorySegment::find(u32 column_id) const {
    for (const Column& column : columns_)
        if (column.column_id == column_id) return &column;
    return nullptr;
}

Vector MemorySegment::slice(const Column& column, u32 first) const {
    return {.kind = column.kind,
            .data = column.values.data() + size_t(first) * widthOf(column.kind),
            .validity = column.validity.empty() ? nullptr : column.validity.data() + first / 64};
}

u64 MemorySegment::byteSize() const {
    u64 bytes = sizeof(*this);
    for (const Column& column : columns_)
        bytes +=
            sizeof(Column) + column.values.size() + column.validity.size() * 8 + column.text.size();
    return bytes;
}

std::vector<u8> MemorySegment::encode() const {
    std::vector<u8> out;
    ByteWriter writer(out);
    writer.put<u32>(kMagic);
    writer.put<u16>(kVersion);
    writer.put<u16>(0);
    writer.put<u32>(rows_);
    writer.put<u32>(u32(columns_.size()));
    writer.put<u32>(0);
    for (const Column& column : columns_) encodeColumn(column, rows_, writer);
    const u32 checksum = crc32c(out.data() + kHeaderBytes, out.size() - kHeaderBytes,
                                crc32c(out.data(), kHeaderBytes - 4));
    writer.patch<u32>(kHeaderBytes - 4, checksum);
    return out;
}

Result<std::shared_ptr<const MemorySegment>> MemorySegment::decode(std::span<const u8> bytes) {
    ByteReader reader(bytes);
    const u32 magic = reader.get<u32>();
    const u16 version = reader.get<u16>();
    reader.get<u16>();
    const u32 rows = reader.get<u32>();
    const u32 column_count = reader.get<u32>();
    const u32 checksum = reader.get<u32>();
    if (!reader.ok() || magic != kMagic) return failure(corrupt("not inline rows"));
    if (version != kVersion)
        return failure(
            Error(sqlstate::kDataCorrupted,
                  "inline rows have an unknown format version " + std::to_string(version))
                .withHint("Upgrade blueshift to the release that wrote this database."));
    if (crc32c(bytes.data() + kHeaderBytes, bytes.size() - kHeaderBytes,
               crc32c(bytes.data(), kHeaderBytes - 4)) != checksum)
        return failure(corrupt("checksum mismatch"));
    std::vector<Column> columns;
    for (u32 i = 0; i < column_count; ++i) {
        BS_ASSIGN(Column column, decodeColumn(reader, rows));
        columns.push_back(std::move(column));
    }
    return std::make_shared<const MemorySegment>(rows, std::move(columns));
}

} // namespace blueshift::storage
