#include "catalog/catalog.h"

namespace blueshift::catalog {
namespace {

/// Looks names up by view, without making a string.
struct ByName {
    using is_transparent = void;
    template <class A, class B> bool operator()(const A& a, const B& b) const {
        if (a.first != b.first) return a.first < b.first;
        return std::string_view(a.second) < std::string_view(b.second);
    }
};
using NameMap = std::map<std::pair<Oid, std::string>, Oid, ByName>;

Oid lookUp(const NameMap& names, Oid schema, std::string_view name) {
    const auto found = names.find(std::pair<Oid, std::string_view>(schema, name));
    return found == names.end() ? 0 : found->second;
}

template <class Map> auto entryOf(const Map& entries, Oid oid) -> typename Map::mapped_type {
    const auto found = entries.find(oid);
    return found == entries.end() ? nullptr : found->second;
}

} // namespace

struct CatalogSnapshot::Names {
    NameMap tables;
    NameMap views;
    std::map<std::string, Oid, std::less<>> schemas;
};

const ColumnStatistics* TableStatistics::find(u32 column_id) const {
    for (const auto& [id, statistics] : columns)
        if (id == column_id) return &statistics;
    return nullptr;
}

const Column* Table::findColumn(std::string_view column_name) const {
    for (const Column& column : columns)
        if (!column.dropped && column.name == column_name) return &column;
    return nullptr;
}

const Column* Table::findColumn(u32 column_id) const {
    for (const Column& column : columns)
        if (!column.dropped && column.id == column_id) return &column;
    return nullptr;
}

std::vector<const Column*> Table::liveColumns() const {
    std::vector<const Column*> live;
    live.reserve(columns.size());
    for (const Column& column : columns)
        if (!column.dropped) live.push_back(&column);
    return live;
}

u64 Table::rowCount() const {
    u64 rows = 0;
    if (!segments) return 0;
    for (const SegmentEntry& entry : *segments)
        rows += entry.segment->rows - (entry.deletes ? entry.deletes->deleted_rows : 0);
    return rows;
}

const Schema* CatalogSnapshot::findSchema(std::string_view name) const {
    if (!names_) return nullptr;
    const auto found = names_->schemas.find(name);
    return found == names_->schemas.end() ? nullptr : findSchema(found->second);
}

const Schema* CatalogSnapshot::findSchema(Oid oid) const {
    const auto found = schemas.find(oid);
    return found == schemas.end() ? nullptr : found->second.get();
}

std::shared_ptr<const Table> CatalogSnapshot::findTable(Oid schema, std::string_view name) const {
    return names_ ? entryOf(tables, lookUp(names_->tables, schema, name)) : nullptr;
}

std::shared_ptr<const View> CatalogSnapshot::findView(Oid schema, std::string_view name) const {
    return names_ ? entryOf(views, lookUp(names_->views, schema, name)) : nullptr;
}

const User* CatalogSnapshot::findUser(std::string_view name) const {
    const auto found = users.find(name);
    return found == users.end() ? nullptr : found->second.get();
}

void CatalogSnapshot::indexNames() {
    auto names = std::make_shared<Names>();
    for (const auto& [oid, table] : tables)
        names->tables.emplace(std::pair(table->schema, table->name), oid);
    for (const auto& [oid, view] : views)
        names->views.emplace(std::pair(view->schema, view->name), oid);
    for (const auto& [oid, schema] : schemas) names->schemas.emplace(schema->name, oid);
    names_ = std::move(names);
}

std::shared_ptr<const CatalogSnapshot> makeEmptyCatalog() {
    auto snapshot = std::make_shared<CatalogSnapshot>();
    const auto add = [&](Oid oid, std::string name, std::string comment,
                         std::vector<Privilege> privileges) {
        auto schema = std::make_shared<Schema>();
        schema->oid = oid;
        schema->name = std::move(name);
        schema->comment = std::move(comment);
        schema->privileges = std::move(privileges);
        snapshot->schemas.emplace(oid, std::move(schema));
    };
    add(kPgCatalogSchema, "pg_catalog", "system catalog schema", {{"public", "usage", false}});
    add(kPublicSchema, "public", "standard public schema",
        {{"public", "usage", false}, {"public", "create", false}});
    add(kInformationSchema, "information_schema", "", {{"public", "usage", false}});
    snapshot->indexNames();
    return snapshot;
}

} // namespace blueshift::catalog
