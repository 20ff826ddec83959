// information_schema: constraints and privileges.
#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

/// Tables whose constraints the user may see: those it holds any right on.
void forEachTable(const CatalogReader& reader,
                  const std::function<void(std::string_view schema, const Table&)>& use) {
    for (const auto& [oid, table] : reader.snapshot().tables)
        if (reader.rights().holdsAny(table->privileges, table->owner))
            use(reader.schemaName(table->schema), *table);
}

void tableConstraints(const CatalogReader& reader, RowWriter& out) {
    forEachTable(reader, [&](std::string_view schema, const Table& table) {
        const auto write = [&](const std::string& name, std::string_view type) {
            out.row(reader.database(), schema, name, reader.database(), schema, table.name, type,
                    "NO", "NO");
        };
        for (const KeyConstraint& key : table.keys)
            write(key.name, key.primary ? "PRIMARY KEY" : "UNIQUE");
        for (const ForeignKey& key : table.foreign_keys) write(key.name, "FOREIGN KEY");
    });
}

void keyColumnUsage(const CatalogReader& reader, RowWriter& out) {
    forEachTable(reader, [&](std::string_view schema, const Table& table) {
        const auto write = [&](const std::string& name, const std::vector<u32>& columns,
                               bool foreign) {
            i32 position = 0;
            for (u32 id : columns) {
                ++position;
                const Column* column = table.findColumn(id);
                if (column == nullptr) continue;
                out.row(reader.database(), schema, name, reader.database(), schema, table.name,
                        column->name, position, foreign ? std::optional(position) : std::nullopt);
            }
        };
        for (const KeyConstraint& key : table.keys) write(key.name, key.columns, false);
        for (const ForeignKey& key : table.foreign_keys) write(key.name, key.columns, true);
    });
}

/// The target's constraint that a foreign key relies on.
const KeyConstraint* reliedOn(const Table& target, const ForeignKey& key) {
    const KeyConstraint* primary = nullptr;
    for (const KeyConstraint& candidate : target.keys) {
        if (candidate.columns == key.target_columns) return &candidate;
        if (candidate.primary) primary = &candidate;
    }
    return primary;
}

void referentialConstraints(const CatalogReader& reader, RowWriter& out) {
    forEachTable(reader, [&](std::string_view schema, const Table& table) {
        for (const ForeignKey& key : table.foreign_keys) {
            const auto target = reader.snapshot().tables.find(key.target);
            if (target == reader.snapshot().tables.end()) continue;
            const KeyConstraint* unique = reliedOn(*target->second, key);
            out.row(reader.database(), schema, key.name, reader.database(),
                    reader.schemaName(target->second->schema),
                    unique == nullptr ? std::nullopt : std::optional(unique->name), "NONE",
                    "NO ACTION", "NO ACTION");
        }
    });
}

void constraintColumnUsage(const CatalogReader& reader, RowWriter& out) {
    forEachTable(reader, [&](std::string_view schema, const Table& table) {
        const auto write = [&](const Table& of, const std::vector<u32>& columns,
                               const std::string& name) {
            for (u32 id : columns)
                if (const Column* column = of.findColumn(id))
                    out.row(reader.database(), reader.schemaName(of.schema), of.name, column->name,
                            reader.database(), schema, name);
        };
        for (const KeyConstraint& key : table.keys) write(table, key.columns, key.name);
        for (const ForeignKey& key : table.foreign_keys)
            if (const auto target = reader.snapshot().tables.find(key.target);
                target != reader.snapshot().tables.end())
                write(*target->second, key.target_columns, key.name);
    });
}

constexpr std::string_view kAllRights[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES"};

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'a' && c <= 'z') c = char(c - 'a' + 'A');
    return result;
}

using WriteRight =
    std::function<void(std::string_view grantee, std::string_view right, bool with_grant)>;

/// Rights of a relation: the owner's, which are implied, and what was granted.
void forEachRight(const CatalogReader& reader, const RelationRow& relation, const WriteRight& use) {
    for (std::string_view right : kAllRights) use(relation.owner, right, true);
    const auto& granted =
        relation.table != nullptr ? relation.table->privileges : relation.view->privileges;
    for (const Privilege& privilege : granted) {
        const bool mine = reader.superuser() || relation.owner == reader.user() ||
                          privilege.grantee == reader.user() || privilege.grantee == "public";
        if (!mine) continue;
        const std::string grantee =
            privilege.grantee == "public" ? std::string("PUBLIC") : privilege.grantee;
        if (privilege.name != "all") {
            use(grantee, upper(privilege.name), privilege.with_grant);
            continue;
        }
        for (std::string_view right : kAllRights) use(grantee, right, privilege.with_grant);
    }
}

void tablePrivileges(const CatalogReader& reader, RowWriter& out) {
    reader.accessible(
        [&](const RelationRow& relation) {
            forEachRight(reader, relation,
                         [&](std::string_view grantee, std::string_view right, bool with_grant) {
                             out.row(relation.owner, grantee, reader.database(),
                                     reader.schemaName(relation.schema), relation.name, right,
                                     with_grant ? "YES" : "NO", "NO");
                         });
        },
        false);
}

void columnPrivileges(const CatalogReader& reader, RowWriter& out) {
    reader.accessible(
        [&](const RelationRow& relation) {
            forEachRight(reader, relation,
                         [&](std::string_view grantee, std::string_view right, bool with_grant) {
                             if (right == "DELETE") return;
                             for (const AttributeRow& attribute : reader.attributes(relation))
                                 if (attribute.column == nullptr || !attribute.column->dropped)
                                     out.row(relation.owner, grantee, reader.database(),
                                             reader.schemaName(relation.schema), relation.name,
                                             attribute.name, right, with_grant ? "YES" : "NO");
                         });
        },
        false);
}

constexpr ViewSpec kViews[] = {
    {"information_schema", "table_constraints",
     "constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, "
     "table_schema name, table_name name, constraint_type t, is_deferrable t, initially_deferred t",
     tableConstraints},
    {"information_schema", "key_column_usage",
     "constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, "
     "table_schema name, table_name name, column_name name, ordinal_position i4, "
     "position_in_unique_constraint i4",
     keyColumnUsage},
    {"information_schema", "referential_constraints",
     "constraint_catalog name, constraint_schema name, constraint_name name, "
     "unique_constraint_catalog name, unique_constraint_schema name, unique_constraint_name name, "
     "match_option t, update_rule t, delete_rule t",
     referentialConstraints},
    {"information_schema", "constraint_column_usage",
     "table_catalog name, table_schema name, table_name name, column_name name, "
     "constraint_catalog name, constraint_schema name, constraint_name name",
     constraintColumnUsage},
    {"information_schema", "table_privileges",
     "grantor name, grantee name, table_catalog name, table_schema name, table_name name, "
     "privilege_type t, is_grantable t, with_hierarchy t",
     tablePrivileges},
    {"information_schema", "role_table_grants",
     "grantor name, grantee name, table_catalog name, table_schema name, table_name name, "
     "privilege_type t, is_grantable t, with_hierarchy t",
     tablePrivileges},
    {"information_schema", "column_privileges",
     "grantor name, grantee name, table_catalog name, table_schema name, table_name name, "
     "column_name name, privilege_type t, is_grantable t",
     columnPrivileges},
    {"information_schema", "usage_privileges",
     "grantor name, grantee name, object_catalog name, object_schema name, object_name name, "
     "object_type t, privilege_type t, is_grantable t"},
};

} // namespace

void addInformationKeys(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
