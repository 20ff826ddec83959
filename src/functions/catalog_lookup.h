// catalog_lookup.h: what functions may ask of the catalog: names of objects, definitions, rights.
//
// Place: implemented beside the catalog, handed to running functions through SessionFacts. Serves
// pg_* functions and the casts of regclass and regtype.
// Threads: read from many workers at once; answers come from one immutable snapshot.
// Why so: functions/ stands below catalog/ and must not include it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace blueshift::functions {

enum class PrivilegeTarget : u8 { kDatabase, kSchema, kTable, kFunction, kLanguage };

class CatalogLookup {
public:
    struct Relation {
        u32 oid = 0;
        std::string schema;
        std::string name;
        bool visible = true; // found by its bare name in the search path
    };
    virtual ~CatalogLookup() = default;

    virtual std::optional<Relation> relation(u32 oid) const = 0;
    /// An empty schema means: along the session's search path.
    virtual std::optional<Relation> relation(std::string_view schema,
                                             std::string_view name) const = 0;
    virtual std::optional<std::string> schemaName(u32 oid) const = 0;
    virtual std::optional<std::string> userName(u32 oid) const = 0;
    virtual std::optional<std::string> functionName(u32 oid) const = 0;
    /// The SELECT of a view; nothing for other relations.
    virtual std::optional<std::string> viewDefinition(u32 relation_oid) const = 0;
    /// `PRIMARY KEY (a, b)`; nothing for unknown constraints.
    virtual std::optional<std::string> constraintDefinition(u32 constraint_oid) const = 0;
    /// `CREATE UNIQUE INDEX .. USING btree (a, b)`, or the name of its column `column`, from 1;
    /// nothing for unknown indexes and columns.
    virtual std::optional<std::string> indexDefinition(u32 index_oid, i32 column) const = 0;
    /// Comment on an object; `column` 0 for the object itself, else the attribute number.
    virtual std::optional<std::string> comment(u32 object_oid, i32 column) const = 0;
    /// Schemas of the search path, in order; with the implicit pg_catalog first when asked.
    virtual std::vector<std::string> searchPath(bool with_implicit) const = 0;
    /// Whether `user` (empty: the session's) holds a privilege such as SELECT or USAGE; nothing
    /// when the user or the object does not exist. Tables may be named `schema.name`.
    virtual std::optional<bool> hasPrivilege(std::string_view user, PrivilegeTarget target,
                                             std::string_view object,
                                             std::string_view privilege) const = 0;
    virtual bool isMember(std::string_view user, std::string_view role_or_group) const = 0;
    /// Value of a session parameter; nothing for unknown names.
    virtual std::optional<std::string> setting(std::string_view name) const = 0;
    /// Bytes of a relation; of the database when `relation_oid` is 0.
    virtual i64 storedBytes(u32 relation_oid) const = 0;
};

} // namespace blueshift::functions
