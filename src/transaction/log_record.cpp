#include "transaction/log_record.h"

#include <fmt/format.h>

#include <cstring>

#include "storage/memory_segment.h"
#include "transaction/operation_codec.h"

namespace blueshift::transaction {

template <class A> void describe(A& a, Ref<A, LogEntry> entry) {
    a.enumeration(1, entry.kind, EntryKind::kCollectGarbage);
    a(2, entry.transaction);
    a.sparse(3, entry.database);
    a(4, entry.writer);
}

template <class A> void describe(A& a, Ref<A, std::vector<LogEntry>> entries) {
    a(1, entries);
}

namespace {

constexpr u64 kRecordMagic = 0x3144524F43455242; // "BRECORD1"
constexpr u64 kFormatMagic = 0x31544D524F464253; // "SBFORMT1"
constexpr u64 kDeleteMagic = 0x3154454C45444253; // "SBDELET1"
constexpr u16 kRecordVersion = 1;

/// Bytes 0..127 of a record, little endian as all that blueshift stores.
struct StoredHeader {
    u64 magic;
    u16 version;
    u16 header_bytes;
    u32 header_crc; // CRC32C of the header with this field zero
    u64 lsn;
    Hash128 previous;
    Uuid database;
    Uuid writer;
    Uuid attempt;
    i64 timestamp;
    u64 reader_features;
    u64 writer_features;
    u64 body_bytes;
    u64 reserved;
};
static_assert(sizeof(StoredHeader) == 128);

struct StoredFormat {
    u64 magic;
    u16 major;
    u16 minor;
    u32 checksum_algorithm; // 1: CRC32C for records and blocks, XXH3-128 for objects and the chain
    Uuid database;
    u64 reader_features;
    u64 writer_features;
    u32 reserved;
    u32 crc; // of the bytes before
};
static_assert(sizeof(StoredFormat) == 56);

constexpr size_t kFooterBytes = 4;

void appendCrc(std::vector<u8>& bytes) {
    const u32 crc = crc32c(bytes.data(), bytes.size());
    const size_t at = bytes.size();
    bytes.resize(at + kFooterBytes);
    std::memcpy(bytes.data() + at, &crc, kFooterBytes);
}

bool hasValidCrc(std::span<const u8> bytes) {
    if (bytes.size() < kFooterBytes) return false;
    u32 crc;
    std::memcpy(&crc, bytes.data() + bytes.size() - kFooterBytes, kFooterBytes);
    return crc == crc32c(bytes.data(), bytes.size() - kFooterBytes);
}

Error tooNew(std::string_view name) {
    return Error(sqlstate::kFeatureNotSupported,
                 fmt::format("\"{}\" was written by a newer release of blueshift", name))
        .withHint("Open this database with the release that wrote it, or a later one.");
}

class StorageRowsCodec final : public catalog::RowsCodec {
public:
    std::vector<u8> encode(const storage::MemorySegment& rows) const override {
        return rows.encode();
    }
    std::shared_ptr<const storage::MemorySegment> decode(std::span<const u8> bytes) const override {
        auto decoded = storage::MemorySegment::decode(bytes);
        return decoded ? std::move(*decoded) : nullptr;
    }
};

} // namespace

const catalog::RowsCodec& storedRowsCodec() {
    static const StorageRowsCodec codec;
    return codec;
}

Error damaged(std::string_view name, std::string_view what) {
    return Error(sqlstate::kDataCorrupted, fmt::format("\"{}\" is damaged: {}", name, what))
        .withHint("Restore the object from a backup or another copy of the data.");
}

std::string logKey(u64 lsn) {
    return fmt::format("log/{:020}", lsn);
}

std::vector<u8> encodeRecord(const LogRecord& record, const catalog::RowsCodec& rows) {
    catalog::FieldWriter writer(rows);
    describe(writer, record.entries);
    const std::vector<u8> body = writer.take();
    StoredHeader header{};
    header.magic = kRecordMagic;
    header.version = kRecordVersion;
    header.header_bytes = sizeof header;
    header.lsn = record.header.lsn;
    header.previous = record.header.previous;
    header.database = record.header.database;
    header.writer = record.header.writer;
    header.attempt = record.header.attempt;
    header.timestamp = record.header.timestamp;
    header.reader_features = record.header.reader_features;
    header.writer_features = record.header.writer_features;
    header.body_bytes = body.size();
    header.header_crc = crc32c(&header, sizeof header);
    std::vector<u8> bytes;
    bytes.reserve(sizeof header + body.size() + kFooterBytes);
    bytes.resize(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    bytes.insert(bytes.end(), body.begin(), body.end());
    appendCrc(bytes);
    return bytes;
}

Result<LogRecord> decodeRecord(std::span<const u8> bytes, std::string_view name,
                               const catalog::RowsCodec& rows) {
    StoredHeader header;
    if (bytes.size() < sizeof header + kFooterBytes)
        return failure(damaged(name, "it is too short"));
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != kRecordMagic) return failure(damaged(name, "it is not a log record"));
    const u32 stored_crc = header.header_crc;
    header.header_crc = 0;
    if (stored_crc != crc32c(&header, sizeof header))
        return failure(damaged(name, "the checksum of its header is wrong"));
    if (header.version != kRecordVersion || (header.reader_features & ~kKnownReaderFeatures) != 0)
        return failure(tooNew(name));
    if (header.header_bytes != sizeof header ||
        header.body_bytes != bytes.size() - sizeof header - kFooterBytes)
        return failure(damaged(name, "its length is wrong"));
    if (!hasValidCrc(bytes)) return failure(damaged(name, "its checksum is wrong"));
    LogRecord record;
    record.header = {.lsn = header.lsn,
                     .previous = header.previous,
                     .database = header.database,
                     .writer = header.writer,
                     .attempt = header.attempt,
                     .timestamp = header.timestamp,
                     .reader_features = header.reader_features,
                     .writer_features = header.writer_features};
    catalog::FieldReader reader(bytes.subspan(sizeof header, header.body_bytes), rows);
    describe(reader, record.entries);
    if (!reader.finish()) return failure(damaged(name, "its body cannot be read"));
    return record;
}

std::vector<u8> encodeFormat(const FormatRecord& format) {
    StoredFormat stored{};
    stored.magic = kFormatMagic;
    stored.major = format.major;
    stored.minor = format.minor;
    stored.checksum_algorithm = 1;
    stored.database = format.database;
    stored.reader_features = format.reader_features;
    stored.writer_features = format.writer_features;
    stored.crc = crc32c(&stored, sizeof stored - sizeof stored.crc);
    std::vector<u8> bytes(sizeof stored);
    std::memcpy(bytes.data(), &stored, sizeof stored);
    return bytes;
}

Result<FormatRecord> decodeFormat(std::span<const u8> bytes) {
    StoredFormat stored;
    if (bytes.size() != sizeof stored) return failure(damaged("FORMAT", "its length is wrong"));
    std::memcpy(&stored, bytes.data(), sizeof stored);
    if (stored.magic != kFormatMagic)
        return failure(damaged("FORMAT", "it is not the format record of a database"));
    if (!hasValidCrc(bytes)) return failure(damaged("FORMAT", "its checksum is wrong"));
    if (stored.major != 1 || stored.checksum_algorithm != 1 ||
        (stored.reader_features & ~kKnownReaderFeatures) != 0 ||
        (stored.writer_features & ~kKnownWriterFeatures) != 0)
        return failure(tooNew("FORMAT"));
    return FormatRecord{stored.database, stored.major, stored.minor, stored.reader_features,
                        stored.writer_features};
}

std::vector<u8> encodeDeleteObject(std::span<const u64> bits) {
    const std::vector<u8> body = catalog::encodeBits(bits);
    std::vector<u8> bytes(sizeof kDeleteMagic);
    std::memcpy(bytes.data(), &kDeleteMagic, sizeof kDeleteMagic);
    bytes.insert(bytes.end(), body.begin(), body.end());
    appendCrc(bytes);
    return bytes;
}

Result<std::vector<u64>> decodeDeleteObject(std::span<const u8> bytes, std::string_view name) {
    u64 magic = 0;
    if (bytes.size() >= sizeof magic) std::memcpy(&magic, bytes.data(), sizeof magic);
    if (magic != kDeleteMagic || !hasValidCrc(bytes))
        return failure(damaged(name, "it is not a delete vector, or its checksum is wrong"));
    auto bits = catalog::decodeBits(
        bytes.subspan(sizeof magic, bytes.size() - sizeof magic - kFooterBytes));
    if (!bits) return failure(damaged(name, "its bits cannot be read"));
    return std::move(*bits);
}

} // namespace blueshift::transaction
