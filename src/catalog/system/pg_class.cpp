// pg_class, pg_attribute and what hangs on them, in the shape of 8.0 with Redshift's additions and
// the columns that newer clients read.
#include <set>

#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

constexpr i64 kPageBytes = 1 << 20;

i32 distStyleNumber(const Table& table) {
    switch (table.dist_style) {
    case DistStyle::kEven: return 0;
    case DistStyle::kKey: return 1;
    case DistStyle::kAll: return 8;
    case DistStyle::kAuto: break;
    }
    return 9;
}

i32 effectiveDistStyle(const Table& table) {
    return table.dist_style == DistStyle::kAuto ? 11 : distStyleNumber(table);
}

const std::vector<Privilege>* privilegesOf(const RelationRow& relation) {
    if (relation.kind == 'i') return nullptr;
    if (relation.table != nullptr) return &relation.table->privileges;
    if (relation.view != nullptr) return &relation.view->privileges;
    return nullptr;
}

std::optional<std::string> aclOf(const RelationRow& relation) {
    if (relation.source != nullptr) return "{admin=arwdRxtDAP/admin,=r/admin}";
    const auto* privileges = privilegesOf(relation);
    return privileges == nullptr ? std::nullopt : accessList(*privileges, relation.owner, 'r');
}

/// The columns that pg_class and pg_class_info share.
constexpr std::string_view kClassColumns =
    "oid oid, relname name, relnamespace oid, reltype oid, relowner i4, relam oid, "
    "relfilenode oid, reltablespace oid, relpages i4, reltuples f4, reltoastrelid oid, "
    "reltoastidxid oid, relhasindex b, relisshared b, relkind char, relnatts i2, "
    "relexternid oid, relisreplicated b, relispinned b, reldiststyle i2, relprojbaseid oid, "
    "relchecks i2, reltriggers i2, relukeys i2, relfkeys i2, relrefs i2, relhasoids b, "
    "relhaspkey b, relhasrules b, relhassubclass b, relacl t[], relpersistence char, "
    "relhastriggers b, reloftype oid, reloptions t[], relrowsecurity b, "
    "relforcerowsecurity b, relispartition b, relreplident char, relallvisible i4";

/// Tables with a foreign key, on either side: clients look for keys where relhastriggers is set.
std::set<Oid> tablesWithForeignKeys(const CatalogSnapshot& snapshot) {
    std::set<Oid> tables;
    for (const auto& [oid, table] : snapshot.tables)
        for (const ForeignKey& key : table->foreign_keys) tables.insert({oid, key.target});
    return tables;
}

template <class... More>
void writeClass(const CatalogReader& reader, RowWriter& out, const RelationRow& relation,
                const std::set<Oid>& with_foreign_keys, const More&... more) {
    const bool is_table = relation.kind == 'r';
    const Table* table = relation.table;
    bool has_primary = false;
    if (is_table)
        for (const KeyConstraint& key : table->keys) has_primary |= key.primary;
    const i64 pages = is_table ? (i64(storedBytes(*table)) + kPageBytes - 1) / kPageBytes : 0;
    const size_t keys = is_table ? table->keys.size() - has_primary : 0;
    const bool temporary = table != nullptr && table->temporary;
    out.row(relation.oid, relation.name, relation.schema, 0, reader.userId(relation.owner),
            relation.kind == 'i' ? 403 : 0, relation.oid, 0, pages,
            is_table ? f64(table->rowCount()) : 0.0, 0, 0, is_table && !table->keys.empty(), false,
            relation.kind, reader.attributes(relation).size(), 0, false, false,
            is_table ? distStyleNumber(*table) : 0, 0, 0, 0, keys,
            is_table ? table->foreign_keys.size() : 0, 0, false, has_primary, relation.kind == 'v',
            false, aclOf(relation), temporary ? 't' : 'p',
            is_table && with_foreign_keys.contains(relation.oid), 0, std::nullopt, false, false,
            false, 'n', 0, more...);
}

void pgClass(const CatalogReader& reader, RowWriter& out) {
    const std::set<Oid> keyed = tablesWithForeignKeys(reader.snapshot());
    reader.relations(
        [&](const RelationRow& relation) { writeClass(reader, out, relation, keyed); });
}

void pgClassInfo(const CatalogReader& reader, RowWriter& out) {
    const std::set<Oid> keyed = tablesWithForeignKeys(reader.snapshot());
    reader.relations([&](const RelationRow& relation) {
        const bool is_table = relation.kind == 'r';
        writeClass(reader, out, relation, keyed,
                   is_table ? std::optional(relation.table->created_at) : std::nullopt,
                   is_table ? effectiveDistStyle(*relation.table) : 0);
    });
}

i32 alignedBytes(const SqlType& type) {
    const i32 length = typeWireLength(type.kind);
    return length > 0 ? length : 4;
}

void writeAttribute(RowWriter& out, const RelationRow& relation, const AttributeRow& attribute) {
    const Column* column = attribute.column;
    const bool in_table = column != nullptr && relation.kind == 'r';
    const bool dropped = in_table && column->dropped;
    const std::string name =
        dropped ? "........pg.dropped." + std::to_string(attribute.number) + "........"
                : std::string(attribute.name);
    const i32 length = typeWireLength(attribute.type.kind);
    const bool by_value = length > 0 && length <= 8;
    const i32 alignment = alignedBytes(attribute.type);
    const char align = alignment == 1 ? 'c' : alignment == 2 ? 's' : alignment >= 8 ? 'd' : 'i';
    const bool has_default = in_table && (column->default_sql || column->is_identity);
    const bool text = isString(attribute.type.kind) && attribute.type.kind != TypeKind::kName;
    const Table* table = relation.table;
    out.row(relation.oid, name, dropped ? 0 : typeOid(attribute.type.kind), -1, length,
            attribute.number, 0, -1, typeModifier(attribute.type), by_value, length < 0 ? 'x' : 'p',
            align, column != nullptr && (column->not_null || column->is_identity), has_default,
            dropped, true, 0, 0, in_table ? encodingNumber(*table, *column) : 0,
            in_table && isDistKey(*table, column->id),
            in_table ? sortKeyOrdinal(*table, column->id) : 0, false, std::nullopt, text ? 100 : 0,
            "", "", std::nullopt, std::nullopt, in_table && column->is_identity);
}

constexpr std::string_view kAttributeColumns =
    "attrelid oid, attname name, atttypid oid, attstattarget i4, attlen i2, attnum i2, "
    "attndims i4, attcacheoff i4, atttypmod i4, attbyval b, attstorage char, attalign char, "
    "attnotnull b, atthasdef b, attisdropped b, attislocal b, attinhcount i4, attspare i4, "
    "attencodingtype i2, attisdistkey b, attsortkeyord i4, attispreloaded b, attacl t[], "
    "attcollation oid, attidentity char, attgenerated char, attoptions t[], attfdwoptions t[], "
    "attisidentity b";

void pgAttribute(const CatalogReader& reader, RowWriter& out) {
    reader.relations([&](const RelationRow& relation) {
        if (out.done()) return;
        for (const AttributeRow& attribute : reader.attributes(relation))
            writeAttribute(out, relation, attribute);
    });
}

/// The default as 8.0's pg_attrdef shows it; identity columns have one of their own.
std::string defaultText(const CatalogReader& reader, const Table& table, const Column& column,
                        i32 number) {
    if (!column.is_identity) return column.default_sql.value_or("");
    return "\"identity\"(" + std::to_string(table.oid) + ", " + std::to_string(number - 1) + ", '" +
           std::to_string(column.identity_seed) + "," + std::to_string(column.identity_step) +
           "'::text)";
}

void pgAttrdef(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables) {
        i32 number = 0;
        for (const Column& column : table->columns) {
            ++number;
            if (column.dropped || (!column.default_sql && !column.is_identity)) continue;
            const std::string text = defaultText(reader, *table, column, number);
            out.row(oid * 2048 + u32(number), oid, number, text, text);
        }
    }
}

void pgDescription(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables) {
        if (!table->comment.empty()) out.row(oid, kPgClassOid, 0, table->comment);
        i32 number = 0;
        for (const Column& column : table->columns) {
            ++number;
            if (!column.dropped && !column.comment.empty())
                out.row(oid, kPgClassOid, number, column.comment);
        }
    }
    for (const auto& [oid, view] : reader.snapshot().views)
        if (!view->comment.empty()) out.row(oid, kPgClassOid, 0, view->comment);
    for (const auto& [oid, schema] : reader.snapshot().schemas)
        if (!schema->comment.empty()) out.row(oid, kPgNamespaceOid, 0, schema->comment);
}

void pgNamespace(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, schema] : reader.snapshot().schemas) {
        const bool system = schema->name == "pg_catalog" || schema->name == "information_schema";
        out.row(oid, schema->name, reader.userId(schema->owner),
                system ? std::optional<std::string>("{admin=UC/admin,=U/admin}")
                       : accessList(schema->privileges, schema->owner, 'n'));
    }
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "pg_class", kClassColumns, pgClass, Audience::kEveryone, kPgClassOid},
    {"pg_catalog", "pg_class_info", kClassColumns, pgClassInfo, Audience::kEveryone, 0,
     "relcreationtime ts, releffectivediststyle i4"},
    {"pg_catalog", "pg_attribute", kAttributeColumns, pgAttribute, Audience::kEveryone, 1249},
    {"pg_catalog", "pg_attribute_info", kAttributeColumns, pgAttribute},
    {"pg_catalog", "pg_attrdef", "oid oid, adrelid oid, adnum i2, adbin t, adsrc t", pgAttrdef,
     Audience::kEveryone, 2604},
    {"pg_catalog", "pg_description", "objoid oid, classoid oid, objsubid i4, description t",
     pgDescription, Audience::kEveryone, 2609},
    {"pg_catalog", "pg_namespace", "oid oid, nspname name, nspowner i4, nspacl t[]", pgNamespace,
     Audience::kEveryone, kPgNamespaceOid},
};

} // namespace

void addRelationViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
