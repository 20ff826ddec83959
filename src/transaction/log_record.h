// log_record.h: the bytes of one record of the log, of FORMAT, and of a dv/ object.
//
// Place: the committer writes records, recovery reads them.
// A record is a header of 128 bytes, a body of tagged fields, and a CRC32C. Each record holds the
// hash of the one before, so a lost, forked or foreign record cannot go unseen.
// Format: docs/formats/log.md. Errors: XX001 damage, 0A000 written by a newer release.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "catalog/field_codec.h"
#include "transaction/operation.h"

namespace blueshift::transaction {

/// Feature bits that this release understands.
inline constexpr u64 kKnownReaderFeatures = 0;
inline constexpr u64 kKnownWriterFeatures = 0;

struct FormatRecord {
    Uuid database;
    u16 major = 1;
    u16 minor = 0;
    u64 reader_features = 0;
    u64 writer_features = 0;
};

struct RecordHeader {
    u64 lsn = 0;
    Hash128 previous; // XXH3-128 of the whole record lsn - 1; zero for the first
    Uuid database;
    Uuid writer;
    Uuid attempt;      // new for every slot, the same for every re-send to it
    i64 timestamp = 0; // for people; never used for safety
    u64 reader_features = 0;
    u64 writer_features = 0;
};

/// Stored numbers: never reuse one.
enum class EntryKind : u8 {
    kNone = 0,
    kTransaction = 1,
    kInitialize = 2,  // first record of a database: its name
    kNoOperation = 3, // takes a slot so that nothing else can
    kWriterOpen = 4,
    kWriterClose = 5,
    kWriterFence = 6,
    kCollectGarbage = 7,
};

struct LogEntry {
    EntryKind kind = EntryKind::kNone;
    LoggedTransaction transaction; // kTransaction, kInitialize
    std::string database;          // kInitialize
    Uuid writer;                   // kWriterOpen, kWriterClose, kWriterFence
};

struct LogRecord {
    RecordHeader header;
    std::vector<LogEntry> entries;
};

std::string logKey(u64 lsn);

std::vector<u8> encodeRecord(const LogRecord& record, const catalog::RowsCodec& rows);
/// `name` is what errors call it.
Result<LogRecord> decodeRecord(std::span<const u8> bytes, std::string_view name,
                               const catalog::RowsCodec& rows);

std::vector<u8> encodeFormat(const FormatRecord& format);
Result<FormatRecord> decodeFormat(std::span<const u8> bytes);

/// Row bits too large for a record, as an object below dv/.
std::vector<u8> encodeDeleteObject(std::span<const u64> bits);
Result<std::vector<u64>> decodeDeleteObject(std::span<const u8> bytes, std::string_view name);

/// The codec for inline rows that storage/ provides.
const catalog::RowsCodec& storedRowsCodec();

/// An XX001 that names the object and what to do.
Error damaged(std::string_view name, std::string_view what);

} // namespace blueshift::transaction
