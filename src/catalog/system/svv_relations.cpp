// SVV_TABLES, SVV_COLUMNS and the SVV_ALL_ and SVV_REDSHIFT_ families: relations of all databases,
// here of the one there is; external ones have no rows.
#include "catalog/system/catalog_reader.h"
#include "catalog/system/type_facts.h"
#include "catalog/system/view.h"
#include "functions/function.h"

namespace blueshift::catalog {
namespace {

std::string_view tableType(const RelationRow& relation) {
    return relation.kind == 'v' ? "VIEW" : "TABLE";
}

std::optional<std::string> commentOf(const RelationRow& relation) {
    const std::string* text = relation.table != nullptr  ? &relation.table->comment
                              : relation.view != nullptr ? &relation.view->comment
                                                         : nullptr;
    if (text == nullptr || text->empty()) return {};
    return *text;
}

std::optional<std::string> aclOf(const RelationRow& relation) {
    if (relation.table != nullptr)
        return accessList(relation.table->privileges, relation.owner, 'r');
    if (relation.view != nullptr) return accessList(relation.view->privileges, relation.owner, 'r');
    return {};
}

std::optional<std::string> defaultOf(const RelationRow& relation, const AttributeRow& attribute) {
    if (attribute.column == nullptr) return {};
    if (!attribute.column->is_identity) return attribute.column->default_sql;
    return "\"identity\"(" + std::to_string(relation.oid) + ", " +
           std::to_string(attribute.number - 1) + ", '" +
           std::to_string(attribute.column->identity_seed) + "," +
           std::to_string(attribute.column->identity_step) + "'::text)";
}

using UseColumn = std::function<void(const RelationRow&, const AttributeRow&, const TypeColumns&)>;
void forEachColumn(const CatalogReader& reader, RowWriter& out, const UseColumn& use) {
    reader.accessible([&](const RelationRow& relation) {
        if (out.done()) return;
        for (const AttributeRow& attribute : reader.attributes(relation))
            if (attribute.column == nullptr || !attribute.column->dropped)
                use(relation, attribute, describeType(attribute.type));
    });
}

std::string_view nullable(const AttributeRow& attribute) {
    const Column* column = attribute.column;
    return column != nullptr && (column->not_null || column->is_identity) ? "NO" : "YES";
}

std::optional<std::string> commentOf(const AttributeRow& attribute) {
    if (attribute.column == nullptr || attribute.column->comment.empty()) return {};
    return attribute.column->comment;
}

void svvTables(const CatalogReader& reader, RowWriter& out) {
    reader.accessible([&](const RelationRow& relation) {
        out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                relation.kind == 'v' ? "VIEW" : "BASE TABLE", commentOf(relation));
    });
}

void svvColumns(const CatalogReader& reader, RowWriter& out) {
    forEachColumn(
        reader, out,
        [&](const RelationRow& relation, const AttributeRow& attribute, const TypeColumns& type) {
            out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                    attribute.name, attribute.number, defaultOf(relation, attribute),
                    nullable(attribute), type.data_type, type.character_length,
                    type.numeric_precision, type.numeric_radix, type.numeric_scale,
                    type.datetime_precision, type.interval_type, std::nullopt, std::nullopt,
                    std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                    std::nullopt, commentOf(attribute));
        });
}

void allSchemas(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, schema] : reader.snapshot().schemas)
        if (reader.rights().mayUse(*schema))
            out.row(reader.database(), schema->name, reader.userId(schema->owner), "local",
                    accessList(schema->privileges, schema->owner, 'n'), std::nullopt, std::nullopt);
}

void allTables(const CatalogReader& reader, RowWriter& out) {
    reader.accessible([&](const RelationRow& relation) {
        out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                tableType(relation), aclOf(relation), commentOf(relation));
    });
}

void allColumns(const CatalogReader& reader, RowWriter& out) {
    forEachColumn(
        reader, out,
        [&](const RelationRow& relation, const AttributeRow& attribute, const TypeColumns& type) {
            out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                    attribute.name, attribute.number, defaultOf(relation, attribute),
                    nullable(attribute), type.data_type, type.character_length,
                    type.numeric_precision, type.numeric_scale, commentOf(attribute));
        });
}

void redshiftDatabases(const CatalogReader& reader, RowWriter& out) {
    out.row(reader.database(), kAdminUser, "local", std::nullopt, std::nullopt,
            "Snapshot Isolation");
}

void redshiftSchemas(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, schema] : reader.snapshot().schemas)
        if (reader.rights().mayUse(*schema))
            out.row(reader.database(), schema->name, reader.userId(schema->owner), "local",
                    accessList(schema->privileges, schema->owner, 'n'), std::nullopt);
}

void redshiftTables(const CatalogReader& reader, RowWriter& out) {
    reader.accessible([&](const RelationRow& relation) {
        out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                tableType(relation), aclOf(relation), commentOf(relation), relation.owner);
    });
}

void redshiftColumns(const CatalogReader& reader, RowWriter& out) {
    forEachColumn(
        reader, out,
        [&](const RelationRow& relation, const AttributeRow& attribute, const TypeColumns&) {
            const bool stored = relation.table != nullptr;
            const Column* column = attribute.column;
            out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                    attribute.name, attribute.number, formatType(attribute.type),
                    defaultOf(relation, attribute), nullable(attribute),
                    stored ? std::optional(encodingName(*relation.table, *column)) : std::nullopt,
                    stored && isDistKey(*relation.table, column->id),
                    stored ? sortKeyOrdinal(*relation.table, column->id) : 0, std::nullopt,
                    commentOf(attribute));
        });
}

void redshiftFunctions(const CatalogReader& reader, RowWriter& out) {
    for (const functions::FunctionRow& row : functions::listFunctions()) {
        const char c = row.name[0];
        if (!((c >= 'a' && c <= 'z') || c == '_') || row.name == "cast") continue;
        std::string arguments;
        for (const SqlType& type : row.arguments) {
            if (!arguments.empty()) arguments += ", ";
            arguments += describeType(type).data_type;
        }
        out.row(reader.database(), "pg_catalog", row.name,
                row.aggregate ? "AGGREGATE FUNCTION" : "REGULAR FUNCTION", arguments,
                describeType(row.result).data_type);
    }
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "svv_tables",
     "table_catalog t, table_schema t, table_name t, table_type t, remarks t", svvTables},
    {"pg_catalog", "svv_columns",
     "table_catalog t, table_schema t, table_name t, column_name t, ordinal_position i4, "
     "column_default t, is_nullable t, data_type t, character_maximum_length i4, "
     "numeric_precision i4, numeric_precision_radix i4, numeric_scale i4, datetime_precision i4, "
     "interval_type t, interval_precision t, character_set_catalog t, character_set_schema t, "
     "character_set_name t, collation_catalog t, collation_schema t, collation_name t, "
     "domain_name t, remarks t",
     svvColumns},
    {"pg_catalog", "svv_all_schemas",
     "database_name v128, schema_name v128, schema_owner i4, schema_type v128, schema_acl v128, "
     "source_database v128, schema_option v128",
     allSchemas},
    {"pg_catalog", "svv_all_tables",
     "database_name v128, schema_name v128, table_name v128, table_type v128, table_acl v128, "
     "remarks v256",
     allTables},
    {"pg_catalog", "svv_all_columns",
     "database_name v128, schema_name v128, table_name v128, column_name v128, "
     "ordinal_position i4, column_default v4000, is_nullable v3, data_type v128, "
     "character_maximum_length i4, numeric_precision i4, numeric_scale i4, remarks v256",
     allColumns},
    {"pg_catalog", "svv_redshift_databases",
     "database_name v128, database_owner i4, database_type v32, database_acl v128, "
     "database_options v128, database_isolation_level v128",
     redshiftDatabases},
    {"pg_catalog", "svv_redshift_schemas",
     "database_name v128, schema_name v128, schema_owner i4, schema_type v16, schema_acl v128, "
     "schema_option v128",
     redshiftSchemas},
    {"pg_catalog", "svv_redshift_tables",
     "database_name v128, schema_name v128, table_name v128, table_type v16, table_acl v128, "
     "remarks v128, table_owner v128",
     redshiftTables},
    {"pg_catalog", "svv_redshift_columns",
     "database_name v128, schema_name v128, table_name v128, column_name v128, "
     "ordinal_position i4, data_type v32, column_default v4000, is_nullable v3, encoding v128, "
     "distkey b, sortkey i4, column_acl v128, remarks v256",
     redshiftColumns},
    {"pg_catalog", "svv_redshift_functions",
     "database_name v128, schema_name v128, function_name v128, function_type v128, "
     "argument_type v512, result_type v128",
     redshiftFunctions},
    {"pg_catalog", "svv_external_schemas",
     "esoid oid, eskind i2, schemaname name, esowner i4, databasename t, esoptions t"},
    {"pg_catalog", "svv_external_databases",
     "eskind i4, esoptions t, databasename t, location t, parameters t"},
    {"pg_catalog", "svv_external_tables",
     "redshift_database_name t, schemaname t, tablename t, tabletype t, location t, "
     "input_format t, output_format t, serialization_lib t, serde_parameters t, compressed i4, "
     "parameters t"},
    {"pg_catalog", "svv_external_columns",
     "redshift_database_name t, schemaname t, tablename t, columnname t, external_type t, "
     "columnnum i4, part_key i4, is_nullable t"},
    {"pg_catalog", "svv_external_partitions",
     "schemaname t, tablename t, values t, location t, input_format t, output_format t, "
     "serialization_lib t, serde_parameters t, compressed i4, parameters t"},
    {"pg_catalog", "svv_mv_info",
     "database_name c128, schema_name c128, user_name c128, name c128, is_stale c1, state i4, "
     "autorewrite c1, autorefresh c1"},
    {"pg_catalog", "stv_mv_info",
     "db_name c128, schema c128, name c128, updated_upto_xid i8, is_stale c1, "
     "owner_user_name c128, state i4, autorefresh c1, autorewrite c1"},
    {"pg_catalog", "svv_mv_dependency",
     "database_name c128, schema_name c128, name c128, dependent_database_name c128, "
     "dependent_schema_name c128, dependent_name c128"},
    {"pg_catalog", "svv_datashares",
     "share_name v128, share_id i4, share_owner i4, source_database v128, consumer_database v128, "
     "share_type v8, createdate ts, is_publicaccessible b, share_acl v256, producer_account v16, "
     "producer_namespace v64, managed_by v64"},
    {"pg_catalog", "svv_datashare_objects",
     "share_type v8, share_name v128, object_type v64, object_name v512, producer_account v16, "
     "producer_namespace v64, include_new b"},
    {"pg_catalog", "svv_datashare_consumers",
     "share_name v128, consumer_account v16, consumer_namespace v64, share_date ts"},
};

} // namespace

void addSvvRelations(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
