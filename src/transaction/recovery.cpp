#include "transaction/recovery.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace blueshift::transaction {
namespace {

constexpr std::string_view kFormatKey = "FORMAT";
constexpr std::string_view kBoundaryKey = "gc/boundary";

Status fetchDeletes(objects::ObjectStore& store, LogRecord& record) {
    for (LogEntry& entry : record.entries)
        for (Operation& operation : entry.transaction.operations) {
            if (!operation.deletes || operation.deletes->object_key.empty()) continue;
            const std::string& key = operation.deletes->object_key;
            auto bytes = store.get(key);
            if (!bytes && objects::isMissing(bytes.error()))
                return failure(Error(sqlstate::kObjectMissing,
                                     fmt::format("delete vector \"{}\" is missing", key))
                                   .withHint("Restore the object from a backup."));
            if (!bytes) return failure(std::move(bytes.error()));
            auto deletes = std::make_shared<catalog::DeleteVector>();
            BS_ASSIGN(deletes->bits, decodeDeleteObject(*bytes, key));
            deletes->deleted_rows = catalog::countBits(deletes->bits);
            deletes->object_key = key;
            operation.deletes = std::move(deletes);
        }
    return {};
}

/// The position in the name of a log record, 0 when it is something else.
u64 lsnOfKey(std::string_view key) {
    constexpr std::string_view kFolder = "log/";
    u64 lsn = 0;
    if (!key.starts_with(kFolder)) return 0;
    key.remove_prefix(kFolder.size());
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), lsn);
    return parsed.ec == std::errc() && parsed.ptr == key.data() + key.size() ? lsn : 0;
}

Error missingRecord(u64 lsn, u64 newest) {
    return Error(sqlstate::kDataCorrupted,
                 fmt::format("log record \"{}\" is missing, but \"{}\" exists", logKey(lsn),
                             logKey(newest)))
        .withHint("Restore the missing record from a backup or another copy of the data.");
}

} // namespace

Result<NextRecord> readNextRecord(objects::ObjectStore& store, Uuid database, u64 lsn,
                                  const Hash128& previous) {
    NextRecord next;
    const std::string key = logKey(lsn);
    auto bytes = store.get(key);
    if (!bytes) {
        if (objects::isMissing(bytes.error())) return next;
        return failure(std::move(bytes.error()));
    }
    BS_ASSIGN(next.record, decodeRecord(*bytes, key, storedRowsCodec()));
    const RecordHeader& header = next.record.header;
    if (header.lsn != lsn) return failure(damaged(key, "it is of another position"));
    if (header.database != database) return failure(damaged(key, "it is of another database"));
    if (header.previous != previous)
        return failure(damaged(key, "it does not follow the record before it"));
    BS_TRY(fetchDeletes(store, next.record));
    next.present = true;
    next.hash = hashBytes128(bytes->data(), bytes->size());
    next.bytes = bytes->size();
    return next;
}

void remember(LogState& state, const Uuid& uuid, u64 lsn) {
    state.recent.push_back({uuid, lsn});
    if (state.recent.size() > kRecentTransactions) state.recent.pop_front();
}

Status Replay::apply(const NextRecord& next, CommitHistory* history) {
    const u64 lsn = next.record.header.lsn;
    for (const LogEntry& entry : next.record.entries) {
        switch (entry.kind) {
        case EntryKind::kInitialize: editor_.setDatabase(entry.database); [[fallthrough]];
        case EntryKind::kTransaction:
            if (Status applied = editor_.apply(entry.transaction); !applied)
                return failure(damaged(logKey(lsn), applied.error().message));
            remember(state_, entry.transaction.uuid, lsn);
            state_.last_transaction_id = std::max(state_.last_transaction_id, entry.transaction.id);
            if (history != nullptr) history->add(entry.transaction);
            break;
        case EntryKind::kNoOperation:
        case EntryKind::kWriterOpen:
        case EntryKind::kWriterClose:
        case EntryKind::kWriterFence:
        case EntryKind::kCollectGarbage: break;
        case EntryKind::kNone: return failure(damaged(logKey(lsn), "an entry has no kind"));
        }
    }
    editor_.setLsn(lsn);
    state_.lsn = lsn;
    state_.tail = next.hash;
    return {};
}

LogState Replay::finish() {
    state_.snapshot = editor_.publish();
    return std::move(state_);
}

Result<Recovered> recover(objects::ObjectStore& store, Uuid database, CommitHistory* history) {
    Recovered recovered;
    BS_ASSIGN(FoundCheckpoint found, loadNewestCheckpoint(store, database));
    BS_ASSIGN(const u64 boundary, readBoundary(store));
    if (found.state.lsn < boundary)
        return failure(Error(sqlstate::kDataCorrupted,
                             fmt::format("no checkpoint of position {} or later can be read, and "
                                         "older log records were removed",
                                         boundary))
                           .withHint("Restore the checkpoint from a backup."));
    // Reading stops at the first missing record; the list tells whether that is the end.
    BS_ASSIGN(const std::vector<objects::ObjectInfo> listed, store.list("log/"));
    u64 newest = 0;
    for (const objects::ObjectInfo& info : listed) newest = std::max(newest, lsnOfKey(info.key));
    Replay replay(std::move(found.state));
    while (true) {
        BS_ASSIGN(const NextRecord next,
                  readNextRecord(store, database, replay.lsn() + 1, replay.tail()));
        if (!next.present) break;
        BS_TRY(replay.apply(next, history));
        ++recovered.records_replayed;
        recovered.bytes_replayed += next.bytes;
    }
    if (replay.lsn() < newest) return failure(missingRecord(replay.lsn() + 1, newest));
    recovered.state = replay.finish();
    return recovered;
}

Result<FormatRecord> openFormat(objects::ObjectStore& store, Random& random) {
    auto stored = store.get(kFormatKey);
    if (stored) return decodeFormat(*stored);
    if (!objects::isMissing(stored.error())) return failure(std::move(stored.error()));
    for (const std::string_view folder : {"log/", "ckpt/"}) {
        BS_ASSIGN(const std::vector<objects::ObjectInfo> objects, store.list(folder));
        if (!objects.empty())
            return failure(
                Error(sqlstate::kDataCorrupted,
                      fmt::format("\"FORMAT\" is missing, but \"{}\" exists", objects.front().key))
                    .withHint("Restore FORMAT from a backup."));
    }
    FormatRecord format;
    format.database = Uuid::make(random);
    const std::vector<u8> bytes = encodeFormat(format);
    const objects::WriteResult created = store.create(kFormatKey, bytes);
    if (created.outcome == objects::WriteOutcome::kDone) return format;
    if (created.outcome == objects::WriteOutcome::kRefused) return failure(created.error);
    // Another opener was first, or the answer was lost: what is stored counts.
    BS_ASSIGN(stored, store.get(kFormatKey));
    return decodeFormat(*stored);
}

Result<u64> readBoundary(objects::ObjectStore& store) {
    BS_ASSIGN(const objects::VersionedObject object, store.getVersioned(kBoundaryKey));
    if (object.version.empty()) return 0;
    u64 boundary = 0;
    if (object.bytes.size() < sizeof boundary)
        return failure(damaged(kBoundaryKey, "it is too short"));
    std::memcpy(&boundary, object.bytes.data(), sizeof boundary);
    return boundary;
}

} // namespace blueshift::transaction
