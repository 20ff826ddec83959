// Keys, the indexes that stand for them, and what depends on what.
#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

constexpr Oid kBtree = 403;

std::vector<i64> numbersOf(const Table& table, const std::vector<u32>& columns) {
    std::vector<i64> numbers;
    for (u32 id : columns) numbers.push_back(CatalogReader::attributeNumber(table, id));
    return numbers;
}

const KeyConstraint* primaryKey(const Table& table) {
    for (const KeyConstraint& key : table.keys)
        if (key.primary) return &key;
    return nullptr;
}

/// The key of the target that a foreign key points to; 0 when it names no declared one.
Oid targetIndex(const CatalogSnapshot& snapshot, const ForeignKey& key) {
    const auto target = snapshot.tables.find(key.target);
    if (target == snapshot.tables.end()) return 0;
    for (const KeyConstraint& candidate : target->second->keys)
        if (candidate.columns == key.target_columns) return candidate.oid;
    const KeyConstraint* primary = primaryKey(*target->second);
    return primary == nullptr ? 0 : primary->oid;
}

void pgIndex(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables)
        for (const KeyConstraint& key : table->keys) {
            const std::vector<i64> none(key.columns.size(), 0);
            out.row(key.oid, oid, vectorOf(numbersOf(*table, key.columns)), vectorOf(none),
                    key.columns.size(), true, key.primary, false, std::nullopt, std::nullopt, true,
                    true, true, false, false, key.columns.size(), vectorOf(none), vectorOf(none),
                    true, false);
        }
}

void pgConstraint(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables) {
        for (const KeyConstraint& key : table->keys)
            out.row(key.oid, key.name, table->schema, key.primary ? 'p' : 'u', false, false, oid, 0,
                    0, ' ', ' ', ' ', arrayOf(numbersOf(*table, key.columns)), std::nullopt,
                    std::nullopt, std::nullopt, key.oid, true, true, 0, 0, false,
                    describeKey(*table, key));
        for (const ForeignKey& key : table->foreign_keys) {
            const auto target = reader.snapshot().tables.find(key.target);
            if (target == reader.snapshot().tables.end()) continue;
            out.row(key.oid, key.name, table->schema, 'f', false, false, oid, 0, key.target, 'a',
                    'a', 'u', arrayOf(numbersOf(*table, key.columns)),
                    arrayOf(numbersOf(*target->second, key.target_columns)), std::nullopt,
                    std::nullopt, targetIndex(reader.snapshot(), key), true, true, 0, 0, false,
                    describeForeignKey(reader.snapshot(), *table, key));
        }
    }
}

/// Rules make views: each view has one, whose id is the view's with the top bit set.
constexpr Oid ruleOf(Oid view) {
    return view | 0x80000000u;
}

void pgRewrite(const CatalogReader& reader, RowWriter& out) {
    reader.relations([&](const RelationRow& relation) {
        if (relation.kind == 'v')
            out.row(ruleOf(relation.oid), "_RETURN", relation.oid, -1, '1', true, "<>", "<>", 'O');
    });
}

void pgDepend(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables) {
        out.row(kPgClassOid, oid, 0, kPgNamespaceOid, table->schema, 0, 'n');
        for (const KeyConstraint& key : table->keys) {
            out.row(kPgConstraintOid, key.oid, 0, kPgClassOid, oid, 0, 'a');
            out.row(kPgClassOid, key.oid, 0, kPgConstraintOid, key.oid, 0, 'i');
        }
        for (const ForeignKey& key : table->foreign_keys) {
            out.row(kPgConstraintOid, key.oid, 0, kPgClassOid, oid, 0, 'a');
            if (const Oid index = targetIndex(reader.snapshot(), key))
                out.row(kPgConstraintOid, key.oid, 0, kPgClassOid, index, 0, 'n');
        }
    }
    for (const auto& [oid, view] : reader.snapshot().views) {
        out.row(kPgRewriteOid, ruleOf(oid), 0, kPgClassOid, oid, 0, 'i');
        for (Oid source : view->depends_on)
            out.row(kPgRewriteOid, ruleOf(oid), 0, kPgClassOid, source, 0, 'n');
    }
}

void pgIndexes(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables)
        for (const KeyConstraint& key : table->keys) {
            const std::string_view schema = reader.schemaName(table->schema);
            out.row(schema, table->name, key.name, std::nullopt,
                    describeIndex(schema, *table, key));
        }
}

void pgAm(const CatalogReader&, RowWriter& out) {
    out.row(kBtree, "btree", 0, 5, 1, 'i');
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "pg_index",
     "indexrelid oid, indrelid oid, indkey i2v, indclass oidv, indnatts i2, indisunique b, "
     "indisprimary b, indisclustered b, indexprs t, indpred t, indisvalid b, indisready b, "
     "indislive b, indisreplident b, indisexclusion b, indnkeyatts i2, indcollation oidv, "
     "indoption i2v, indimmediate b, indcheckxmin b",
     pgIndex, Audience::kEveryone, 2610},
    {"pg_catalog", "pg_constraint",
     "oid oid, conname name, connamespace oid, contype char, condeferrable b, condeferred b, "
     "conrelid oid, contypid oid, confrelid oid, confupdtype char, confdeltype char, "
     "confmatchtype char, conkey i2[], confkey i2[], conbin t, conexclop oid[], conindid oid, "
     "convalidated b, conislocal b, coninhcount i4, conparentid oid, connoinherit b, consrc t",
     pgConstraint, Audience::kEveryone, kPgConstraintOid},
    {"pg_catalog", "pg_rewrite",
     "oid oid, rulename name, ev_class oid, ev_attr i2, ev_type char, is_instead b, ev_qual t, "
     "ev_action t, ev_enabled char",
     pgRewrite, Audience::kEveryone, kPgRewriteOid},
    {"pg_catalog", "pg_depend",
     "classid oid, objid oid, objsubid i4, refclassid oid, refobjid oid, refobjsubid i4, "
     "deptype char",
     pgDepend, Audience::kEveryone, 2608},
    {"pg_catalog", "pg_indexes",
     "schemaname name, tablename name, indexname name, tablespace name, indexdef t", pgIndexes},
    {"pg_catalog", "pg_am",
     "oid oid, amname name, amowner i4, amstrategies i2, amsupport i2, amtype char", pgAm,
     Audience::kEveryone, 2601},
};

} // namespace

void addConstraintViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
