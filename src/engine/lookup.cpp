#include "engine/lookup.h"

#include <algorithm>

#include "catalog/system/catalog_reader.h"
#include "catalog/system/rights.h"
#include "engine/connection.h"

namespace blueshift::engine {
namespace {

using functions::CatalogLookup;
using functions::PrivilegeTarget;

std::string lowered(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return result;
}

/// `schema.name` or `name`, either part in double quotes.
std::pair<std::string, std::string> splitName(std::string_view text) {
    std::string parts[2];
    int part = 0;
    bool in_quotes = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') {
            if (in_quotes && i + 1 < text.size() && text[i + 1] == '"') parts[part] += text[++i];
            else in_quotes = !in_quotes;
        } else if (c == '.' && !in_quotes && part == 0) {
            part = 1;
        } else {
            parts[part] += in_quotes ? c : lowered({&c, 1})[0];
        }
    }
    if (part == 0) return {"", parts[0]};
    return {parts[0], parts[1]};
}

class ConnectionLookup final : public CatalogLookup {
public:
    ConnectionLookup(EngineConnection& connection,
                     std::shared_ptr<const catalog::CatalogSnapshot> snapshot)
        : connection_(connection), snapshot_(std::move(snapshot)) {}

    std::optional<Relation> relation(u32 oid) const override {
        if (const auto table = snapshot_->tables.find(oid); table != snapshot_->tables.end())
            return found(oid, table->second->schema, table->second->name);
        if (const auto view = snapshot_->views.find(oid); view != snapshot_->views.end())
            return found(oid, view->second->schema, view->second->name);
        for (const catalog::TableSource* source : connection_.engine().sources().all())
            if (source->oid() == oid) {
                Relation row{oid, std::string(source->schema()), std::string(source->name())};
                row.visible = row.schema == "pg_catalog" || onPath(row.schema);
                return row;
            }
        for (const auto& [id, table] : snapshot_->tables)
            for (const catalog::KeyConstraint& key : table->keys)
                if (key.oid == oid) {
                    Relation row{oid, nameOfSchema(table->schema), key.name};
                    row.visible = onPath(row.schema);
                    return row;
                }
        return {};
    }

    std::optional<Relation> relation(std::string_view schema,
                                     std::string_view name) const override {
        if (!schema.empty()) return relationIn(schema, name);
        for (const std::string& candidate : searchPath(true))
            if (auto row = relationIn(candidate, name)) return row;
        return {};
    }

    std::optional<std::string> schemaName(u32 oid) const override {
        const catalog::Schema* schema = snapshot_->findSchema(oid);
        if (schema == nullptr) return {};
        return schema->name;
    }

    std::optional<std::string> userName(u32 oid) const override {
        for (const auto& [name, user] : snapshot_->users)
            if (user->oid == oid && !user->is_group && !user->is_role) return name;
        return {};
    }

    std::optional<std::string> functionName(u32) const override { return {}; }

    std::optional<std::string> viewDefinition(u32 relation_oid) const override {
        const auto view = snapshot_->views.find(relation_oid);
        if (view == snapshot_->views.end()) return {};
        std::string text = view->second->query;
        if (!text.ends_with(';')) text += ';';
        return text;
    }

    std::optional<std::string> constraintDefinition(u32 constraint_oid) const override {
        for (const auto& [oid, table] : snapshot_->tables) {
            for (const catalog::KeyConstraint& key : table->keys)
                if (key.oid == constraint_oid) return catalog::describeKey(*table, key);
            for (const catalog::ForeignKey& key : table->foreign_keys)
                if (key.oid == constraint_oid)
                    return catalog::describeForeignKey(*snapshot_, *table, key);
        }
        return {};
    }

    std::optional<std::string> indexDefinition(u32 index_oid, i32 column) const override {
        for (const auto& [oid, table] : snapshot_->tables)
            for (const catalog::KeyConstraint& key : table->keys) {
                if (key.oid != index_oid) continue;
                if (column == 0)
                    return catalog::describeIndex(nameOfSchema(table->schema), *table, key);
                if (column < 0 || size_t(column) > key.columns.size()) return {};
                const catalog::Column* entry = table->findColumn(key.columns[size_t(column) - 1]);
                if (entry == nullptr) return {};
                return catalog::quoted(entry->name);
            }
        return {};
    }

    std::optional<std::string> comment(u32 object_oid, i32 column) const override {
        const auto filled = [](const std::string& text) {
            return text.empty() ? std::nullopt : std::optional(text);
        };
        if (const auto table = snapshot_->tables.find(object_oid);
            table != snapshot_->tables.end()) {
            if (column == 0) return filled(table->second->comment);
            const auto& columns = table->second->columns;
            if (column < 0 || size_t(column) > columns.size()) return {};
            return filled(columns[size_t(column) - 1].comment);
        }
        if (column != 0) return {};
        if (const auto view = snapshot_->views.find(object_oid); view != snapshot_->views.end())
            return filled(view->second->comment);
        if (const catalog::Schema* schema = snapshot_->findSchema(object_oid))
            return filled(schema->comment);
        return {};
    }

    std::vector<std::string> searchPath(bool with_implicit) const override {
        std::vector<std::string> path;
        const auto add = [&](std::string name) {
            if (std::ranges::find(path, name) == path.end()) path.push_back(std::move(name));
        };
        if (with_implicit) {
            const std::string temporary = connection_.temporarySchema();
            if (snapshot_->findSchema(temporary) != nullptr) add(temporary);
            add("pg_catalog");
        }
        for (const std::string& name : connection_.settings().searchPath(connection_.user()))
            if (snapshot_->findSchema(name) != nullptr) add(name);
        return path;
    }

    std::optional<bool> hasPrivilege(std::string_view user, PrivilegeTarget target,
                                     std::string_view object,
                                     std::string_view privilege) const override {
        const std::string name(user.empty() ? std::string_view(connection_.user()) : user);
        if (snapshot_->findUser(name) == nullptr) return {};
        const catalog::Rights rights(*snapshot_, name);
        // "SELECT, UPDATE" asks for either; WITH GRANT OPTION is an owner's right.
        std::optional<bool> any;
        for (size_t at = 0; at <= privilege.size();) {
            const size_t comma = std::min(privilege.find(',', at), privilege.size());
            std::string word = lowered(privilege.substr(at, comma - at));
            at = comma + 1;
            while (!word.empty() && word.front() == ' ') word.erase(0, 1);
            while (!word.empty() && word.back() == ' ') word.pop_back();
            if (word.ends_with(" with grant option")) word.resize(word.size() - 18);
            const auto one = holds(rights, target, object, word);
            if (!one) return {};
            any = any.value_or(false) || *one;
        }
        return any;
    }

    bool isMember(std::string_view user, std::string_view role_or_group) const override {
        return catalog::Rights(*snapshot_, user).isMember(role_or_group);
    }

    std::optional<std::string> setting(std::string_view name) const override {
        return connection_.settings().find(name);
    }

    i64 storedBytes(u32 relation_oid) const override {
        u64 bytes = 0;
        for (const auto& [oid, table] : snapshot_->tables)
            if (relation_oid == 0 || relation_oid == oid) bytes += catalog::storedBytes(*table);
        return i64(bytes);
    }

private:
    std::string nameOfSchema(u32 oid) const {
        const catalog::Schema* schema = snapshot_->findSchema(oid);
        return schema == nullptr ? std::string() : schema->name;
    }
    bool onPath(std::string_view schema) const {
        const auto path = searchPath(true);
        return std::ranges::find(path, schema) != path.end();
    }
    Relation found(u32 oid, u32 schema, const std::string& name) const {
        Relation row{oid, nameOfSchema(schema), name};
        const auto first = relation("", name);
        row.visible = first && first->oid == oid;
        return row;
    }
    std::optional<Relation> relationIn(std::string_view schema, std::string_view name) const {
        if (const catalog::Schema* entry = snapshot_->findSchema(schema)) {
            if (const auto table = snapshot_->findTable(entry->oid, name))
                return Relation{table->oid, entry->name, table->name};
            if (const auto view = snapshot_->findView(entry->oid, name))
                return Relation{view->oid, entry->name, view->name};
        }
        if (const catalog::TableSource* source = connection_.engine().sources().find(schema, name))
            return Relation{source->oid(), std::string(schema), std::string(name)};
        return {};
    }
    std::optional<bool> holds(const catalog::Rights& rights, PrivilegeTarget target,
                              std::string_view object, std::string_view privilege) const {
        switch (target) {
        case PrivilegeTarget::kDatabase:
            if (object != snapshot_->database) return {};
            // Everyone may connect and make temporary tables.
            return rights.superuser() || privilege != "create";
        case PrivilegeTarget::kSchema: {
            const catalog::Schema* schema = snapshot_->findSchema(splitName(object).second);
            if (schema == nullptr) return {};
            if (privilege == "usage") return rights.mayUse(*schema);
            return rights.holds(schema->privileges, schema->owner, privilege);
        }
        case PrivilegeTarget::kTable: return holdsOnTable(rights, object, privilege);
        case PrivilegeTarget::kFunction:
        case PrivilegeTarget::kLanguage: return true;
        }
        return {};
    }
    std::optional<bool> holdsOnTable(const catalog::Rights& rights, std::string_view object,
                                     std::string_view privilege) const {
        const auto [schema, name] = splitName(object);
        const auto row = relation(schema, name);
        if (!row) return {};
        if (const auto table = snapshot_->tables.find(row->oid); table != snapshot_->tables.end())
            return rights.holds(table->second->privileges, table->second->owner, privilege);
        if (const auto view = snapshot_->views.find(row->oid); view != snapshot_->views.end())
            return rights.holds(view->second->privileges, view->second->owner, privilege);
        return rights.superuser() || privilege == "select";
    }

    EngineConnection& connection_;
    std::shared_ptr<const catalog::CatalogSnapshot> snapshot_;
};

} // namespace

std::unique_ptr<functions::CatalogLookup> makeCatalogLookup(EngineConnection& connection,
                                                            const catalog::CatalogSnapshot&) {
    // The same snapshot as the caller's, held for as long as functions may ask: a commit of another
    // session replaces the committed one while a statement runs.
    auto snapshot = connection.hasTransaction() ? connection.transaction().view()
                                                : connection.engine().database().committed();
    return std::make_unique<ConnectionLookup>(connection, std::move(snapshot));
}

ColumnOrigin columnOrigin(const catalog::CatalogSnapshot& snapshot,
                          const catalog::SourceRegistry& sources, const ResultField& field) {
    const auto nameIn = [&](const auto& columns) {
        const size_t index = size_t(field.attribute) - 1;
        return index < columns.size() ? columns[index].name : std::string();
    };
    const auto schemaName = [&](catalog::Oid oid) {
        const catalog::Schema* schema = snapshot.findSchema(oid);
        return schema == nullptr ? std::string() : schema->name;
    };
    if (const auto table = snapshot.tables.find(field.table_oid); table != snapshot.tables.end())
        return {schemaName(table->second->schema), table->second->name,
                nameIn(table->second->columns)};
    if (const auto view = snapshot.views.find(field.table_oid); view != snapshot.views.end())
        return {schemaName(view->second->schema), view->second->name,
                nameIn(view->second->columns)};
    for (const catalog::TableSource* source : sources.all())
        if (source->oid() == field.table_oid)
            return {std::string(source->schema()), std::string(source->name()),
                    nameIn(source->columns())};
    return {};
}

} // namespace blueshift::engine
