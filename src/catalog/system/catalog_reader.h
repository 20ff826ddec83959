// catalog_reader.h: what the system views ask of a snapshot: relations in one list, names of owners
// and schemas, rights of the session's user, texts of types, constraints and access lists.
//
// Place: made for one read of one view.
// Owns / borrows: borrows the context and the registry for the read.
// Threads: one worker.
#pragma once

#include <functional>

#include "catalog/server_facts.h"
#include "catalog/system/rights.h"
#include "catalog/table_source.h"

namespace blueshift::catalog {

inline constexpr Oid kPgClassOid = 1259;
inline constexpr Oid kPgConstraintOid = 2606;
inline constexpr Oid kPgRewriteOid = 2618;
inline constexpr Oid kPgNamespaceOid = 2615;
inline constexpr Oid kDatabaseOid = 16385;

/// A relation of any kind. Exactly one of the pointers is set, but an index has its table, too.
struct RelationRow {
    Oid oid = 0;
    Oid schema = 0;
    std::string_view name;
    std::string_view owner;
    char kind = 'r'; // r table, v view, i index
    const Table* table = nullptr;
    const View* view = nullptr;
    const TableSource* source = nullptr;
    const KeyConstraint* key = nullptr;
};

/// A column as pg_attribute shows it.
struct AttributeRow {
    i32 number = 0;
    std::string_view name;
    SqlType type;
    const Column* column = nullptr; // of tables
};

class CatalogReader {
public:
    CatalogReader(const SourceContext& context, const SourceRegistry& registry);

    const CatalogSnapshot& snapshot() const { return *context_.snapshot; }
    const functions::SessionFacts* session() const { return context_.session; }
    const ServerFacts* server() const { return context_.server; }
    const std::string& user() const { return user_; }
    bool superuser() const { return rights_.superuser(); }
    const Rights& rights() const { return rights_; }
    std::string_view database() const { return snapshot().database; }
    i64 now() const;

    /// Tables, their indexes, views and system views; `with_system`: the last.
    void relations(const std::function<void(const RelationRow&)>& use,
                   bool with_system = true) const;
    /// Relations but indexes that the user may read or change; the system's included.
    void accessible(const std::function<void(const RelationRow&)>& use,
                    bool with_system = true) const;
    std::vector<AttributeRow> attributes(const RelationRow& relation) const;
    /// Attribute number of a column of a table.
    static i32 attributeNumber(const Table& table, u32 column_id);

    bool maySee(const RelationRow& relation) const;
    const Schema* schema(Oid oid) const { return snapshot().findSchema(oid); }
    std::string_view schemaName(Oid oid) const;
    /// User id of an owner; that of the first administrator for unknown names.
    Oid userId(std::string_view name) const;
    /// Schemas of the session's search path that exist, pg_catalog first.
    std::vector<std::string> searchPath() const;

private:
    const SourceContext& context_;
    const SourceRegistry& registry_;
    std::string user_;
    Rights rights_;
};

/// `{admin=arwdRxt/admin,"group g=r/admin"}`; nothing without grants.
std::optional<std::string> accessList(const std::vector<Privilege>& privileges,
                                      std::string_view owner, char object_kind);
/// `{1,3}` and `1 3`.
std::string arrayOf(const std::vector<i64>& numbers);
std::string vectorOf(const std::vector<i64>& numbers);
/// `PRIMARY KEY (a, b)`, `FOREIGN KEY (a) REFERENCES s.t(b)`.
std::string describeKey(const Table& table, const KeyConstraint& key);
/// The index that stands for a key: `CREATE UNIQUE INDEX k ON s.t USING btree (a, b)`.
std::string describeIndex(std::string_view schema, const Table& table, const KeyConstraint& key);
std::string describeForeignKey(const CatalogSnapshot& snapshot, const Table& table,
                               const ForeignKey& key);
/// Redshift's name for an encoding; kAuto is what the column's type gets by default.
std::string_view encodingName(const Table& table, const Column& column);
i32 encodingNumber(const Table& table, const Column& column);
/// The column's place in the sort key, 0 for none; alternating signs when interleaved.
i32 sortKeyOrdinal(const Table& table, u32 column_id);
bool isDistKey(const Table& table, u32 column_id);
/// `EVEN`, `KEY(a)`, `ALL`, `AUTO(EVEN)`.
std::string distStyleText(const Table& table);
u64 storedBytes(const Table& table);
/// Quoted where SQL needs it.
std::string quoted(std::string_view name);

} // namespace blueshift::catalog
