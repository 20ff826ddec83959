#include "transaction/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "transaction/operation_codec.h"

namespace blueshift::transaction {

template <class A> void describe(A& a, Ref<A, CommittedTransaction> transaction) {
    a(1, transaction.uuid);
    a(2, transaction.lsn);
}

namespace {

constexpr u64 kCheckpointMagic = 0x3154504B43534242; // "BBSCKPT1"
constexpr u16 kCheckpointVersion = 1;
constexpr std::string_view kHint = "ckpt/HINT";
constexpr size_t kKeptCheckpoints = 3;

struct StoredHeader {
    u64 magic;
    u16 version;
    u16 header_bytes;
    u32 header_crc; // with this field zero
    u64 lsn;
    Hash128 tail;
    Uuid database;
    u64 reader_features;
    u64 body_bytes;
    Hash128 body_hash;
};
static_assert(sizeof(StoredHeader) == 88);

/// The stored form of a snapshot.
struct Body {
    std::string database;
    Oid next_oid = 0;
    u64 last_transaction_id = 0;
    std::vector<catalog::Schema> schemas;
    std::vector<catalog::StoredTable> tables;
    std::vector<catalog::View> views;
    std::vector<catalog::User> users;
    std::vector<CommittedTransaction> recent;
};
template <class A> void describe(A& a, Ref<A, Body> body) {
    a(1, body.database);
    a(2, body.next_oid);
    a(3, body.last_transaction_id);
    a(4, body.schemas);
    a(5, body.tables);
    a(6, body.views);
    a(7, body.users);
    a(8, body.recent);
}

Body bodyOf(const LogState& state) {
    const catalog::CatalogSnapshot& snapshot = *state.snapshot;
    Body body;
    body.database = snapshot.database;
    body.next_oid = snapshot.next_oid;
    body.last_transaction_id = state.last_transaction_id;
    for (const auto& [oid, schema] : snapshot.schemas) body.schemas.push_back(*schema);
    for (const auto& [oid, table] : snapshot.tables)
        body.tables.push_back(
            {table, table->segments ? *table->segments : std::vector<catalog::SegmentEntry>(),
             table->statistics});
    for (const auto& [oid, view] : snapshot.views) body.views.push_back(*view);
    for (const auto& [name, user] : snapshot.users) body.users.push_back(*user);
    body.recent.assign(state.recent.begin(), state.recent.end());
    return body;
}

LogState stateOf(Body body, const StoredHeader& header) {
    LogState state;
    state.lsn = header.lsn;
    state.tail = header.tail;
    state.last_transaction_id = body.last_transaction_id;
    state.recent.assign(body.recent.begin(), body.recent.end());
    auto snapshot = std::make_shared<catalog::CatalogSnapshot>();
    snapshot->lsn = header.lsn;
    snapshot->database = std::move(body.database);
    snapshot->next_oid = body.next_oid;
    for (catalog::Schema& schema : body.schemas)
        snapshot->schemas[schema.oid] = std::make_shared<catalog::Schema>(std::move(schema));
    for (catalog::StoredTable& stored : body.tables) {
        auto table = std::make_shared<catalog::Table>(*stored.definition);
        table->segments =
            std::make_shared<std::vector<catalog::SegmentEntry>>(std::move(stored.segments));
        table->statistics = std::move(stored.statistics);
        snapshot->tables[table->oid] = std::move(table);
    }
    for (catalog::View& view : body.views)
        snapshot->views[view.oid] = std::make_shared<catalog::View>(std::move(view));
    for (catalog::User& user : body.users) {
        std::string name = user.name;
        snapshot->users[std::move(name)] = std::make_shared<catalog::User>(std::move(user));
    }
    snapshot->indexNames();
    state.snapshot = std::move(snapshot);
    return state;
}

std::string hintText(const std::string& key) {
    return key + "\n";
}

void removeOldCheckpoints(objects::ObjectStore& store) {
    auto found = store.list("ckpt/");
    if (!found) return; // the next checkpoint tries again
    std::erase_if(*found, [](const objects::ObjectInfo& info) { return info.key == kHint; });
    if (found->size() <= kKeptCheckpoints) return;
    for (size_t i = 0; i + kKeptCheckpoints < found->size(); ++i)
        if (!store.remove((*found)[i].key)) return;
}

Result<LogState> loadCheckpoint(objects::ObjectStore& store, const std::string& key,
                                Uuid database) {
    BS_ASSIGN(const std::vector<u8> bytes, store.get(key));
    return decodeCheckpoint(bytes, key, database);
}

} // namespace

std::vector<u8> encodeCheckpoint(const LogState& state, Uuid database) {
    catalog::FieldWriter writer(storedRowsCodec());
    describe(writer, bodyOf(state));
    const std::vector<u8> body = writer.take();
    StoredHeader header{};
    header.magic = kCheckpointMagic;
    header.version = kCheckpointVersion;
    header.header_bytes = sizeof header;
    header.lsn = state.lsn;
    header.tail = state.tail;
    header.database = database;
    header.body_bytes = body.size();
    header.body_hash = hashBytes128(body.data(), body.size());
    header.header_crc = crc32c(&header, sizeof header);
    std::vector<u8> bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

Result<LogState> decodeCheckpoint(std::span<const u8> bytes, std::string_view name, Uuid database) {
    StoredHeader header;
    if (bytes.size() < sizeof header) return failure(damaged(name, "it is too short"));
    std::memcpy(&header, bytes.data(), sizeof header);
    const u32 stored_crc = header.header_crc;
    header.header_crc = 0;
    if (header.magic != kCheckpointMagic || stored_crc != crc32c(&header, sizeof header))
        return failure(damaged(name, "it is not a checkpoint, or its header's checksum is wrong"));
    if (header.version != kCheckpointVersion ||
        (header.reader_features & ~kKnownReaderFeatures) != 0)
        return failure(
            Error(sqlstate::kFeatureNotSupported,
                  fmt::format("\"{}\" was written by a newer release of blueshift", name))
                .withHint("Open this database with the release that wrote it."));
    const auto body_bytes = bytes.subspan(sizeof header);
    if (header.header_bytes != sizeof header || header.body_bytes != body_bytes.size() ||
        header.body_hash != hashBytes128(body_bytes.data(), body_bytes.size()))
        return failure(damaged(name, "its checksum is wrong"));
    if (header.database != database) return failure(damaged(name, "it is of another database"));
    Body body;
    catalog::FieldReader reader(body_bytes, storedRowsCodec());
    describe(reader, body);
    if (!reader.finish()) return failure(damaged(name, "its body cannot be read"));
    return stateOf(std::move(body), header);
}

Status writeCheckpoint(objects::ObjectStore& store, const LogState& state, Uuid database,
                       Uuid name) {
    const std::vector<u8> bytes = encodeCheckpoint(state, database);
    const std::string key = fmt::format("ckpt/{:020}-{}", state.lsn, name.toText());
    BS_TRY(store.put(key, bytes));
    BS_ASSIGN(const LogState stored, loadCheckpoint(store, key, database));
    if (stored.lsn != state.lsn || stored.tail != state.tail)
        return failure(damaged(key, "it reads back differently"));
    const std::string hint = hintText(key);
    BS_TRY(store.put(kHint, {reinterpret_cast<const u8*>(hint.data()), hint.size()}));
    removeOldCheckpoints(store);
    return {};
}

Result<FoundCheckpoint> loadNewestCheckpoint(objects::ObjectStore& store, Uuid database) {
    FoundCheckpoint found;
    found.state.snapshot = catalog::makeEmptyCatalog();
    std::string hinted;
    if (const auto hint = store.get(kHint)) {
        hinted.assign(hint->begin(), hint->end());
        while (!hinted.empty() && hinted.back() == '\n') hinted.pop_back();
        if (hinted.starts_with("ckpt/"))
            if (auto state = loadCheckpoint(store, hinted, database)) {
                found.state = std::move(*state);
                return found;
            }
        found.damaged_seen = true;
    } else if (!objects::isMissing(hint.error())) {
        return failure(hint.error());
    }
    BS_ASSIGN(const std::vector<objects::ObjectInfo> objects, store.list("ckpt/"));
    for (size_t i = objects.size(); i-- > 0;) {
        if (objects[i].key == kHint) continue;
        auto state = loadCheckpoint(store, objects[i].key, database);
        if (state) {
            found.state = std::move(*state);
            return found;
        }
        const auto& code = state.error().sqlstate;
        if (code != sqlstate::kDataCorrupted && code != sqlstate::kUndefinedFile)
            return failure(std::move(state.error()));
        found.damaged_seen = true;
    }
    return found;
}

} // namespace blueshift::transaction
