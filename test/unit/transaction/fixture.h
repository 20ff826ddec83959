// fixture.h: a database in a simulated directory, and short names for the changes tests make.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "objects/directory_store.h"
#include "objects/simulated_file_system.h"
#include "transaction/session_catalog.h"
#include "transaction/transaction.h"

namespace blueshift::transaction::test {

using catalog::Oid;

/// A place that survives close() and crash().
struct Place {
    objects::SimulatedFileSystem files;
    std::unique_ptr<Clock> clock = makeSystemClock();
    std::unique_ptr<Random> random = makeSeededRandom(7);
    std::unique_ptr<objects::DirectoryStore> store;
    std::unique_ptr<Database> database;
    DatabaseOptions options{.checkpoint_commits = 1'000'000, .unknown_after_ms = 2000};

    Status open() {
        close();
        auto opened = objects::DirectoryStore::open(files, "/place", *random);
        if (!opened) return failure(opened.error());
        store = std::move(*opened);
        auto started = Database::open(*store, *clock, *random, options);
        if (!started) return failure(started.error());
        database = std::move(*started);
        return {};
    }
    void close() {
        database.reset();
        store.reset();
    }
};

inline std::shared_ptr<catalog::Table> makeTable(Oid oid, const std::string& name) {
    auto table = std::make_shared<catalog::Table>();
    table->oid = oid;
    table->name = name;
    catalog::Column column;
    column.id = 1;
    column.name = "a";
    column.type = SqlType::bigInt();
    table->columns.push_back(column);
    table->next_column_id = 2;
    return table;
}

/// A segment of `rows` rows whose object is named `key` (nothing reads it).
inline std::shared_ptr<catalog::Segment> makeSegment(const std::string& key, u32 rows = 100) {
    auto segment = std::make_shared<catalog::Segment>();
    segment->object_key = key;
    segment->object_bytes = 1;
    segment->rows = rows;
    segment->column_ids = {1};
    segment->ranges.resize(1);
    segment->ranges[0].has_range = true;
    segment->ranges[0].min = -5;
    segment->ranges[0].max = i128(1) << 100;
    return segment;
}

inline std::vector<u64> rowBits(std::initializer_list<u32> rows) {
    std::vector<u64> bits;
    for (const u32 row : rows) {
        if (bits.size() <= row / 64) bits.resize(row / 64 + 1);
        bits[row / 64] |= u64{1} << (row % 64);
    }
    return bits;
}

inline Oid createTable(Database& database, const std::string& name) {
    auto transaction = database.begin();
    const Oid oid = transaction->newOid();
    transaction->putTable(makeTable(oid, name));
    const Status committed = transaction->commit();
    REQUIRE_MESSAGE(committed.has_value(), committed.error().message);
    return oid;
}

inline Status append(Database& database, Oid table, const std::string& key, u32 rows = 100) {
    auto transaction = database.begin();
    transaction->addSegments(table, {makeSegment(key, rows)}, {{1, 4}});
    return transaction->commit();
}

/// The object keys of a table's segments with their deleted rows: "a b-3".
inline std::string contents(const catalog::CatalogSnapshot& snapshot, Oid table) {
    const auto found = snapshot.tables.find(table);
    if (found == snapshot.tables.end()) return "(none)";
    std::string text;
    for (const auto& entry : *found->second->segments) {
        if (!text.empty()) text += ' ';
        text += entry.segment->object_key;
        if (entry.deletes) text += fmt::format("-{}", entry.deletes->deleted_rows);
    }
    return text;
}

/// Everything a user can see: tables with their contents, views and users.
inline std::string everything(const catalog::CatalogSnapshot& snapshot) {
    std::string text = snapshot.database + ":";
    for (const auto& [oid, table] : snapshot.tables)
        text += fmt::format(" {}.{}v{}w{}[{}]", oid, table->name, table->schema_version,
                            table->columns.at(0).width_class, contents(snapshot, oid));
    for (const auto& [oid, view] : snapshot.views) text += " view " + view->name;
    for (const auto& [name, user] : snapshot.users) text += " user " + name;
    return text;
}

inline std::string stateOf(const Status& status) {
    return status ? "00000" : status.error().sqlstate;
}

} // namespace blueshift::transaction::test
