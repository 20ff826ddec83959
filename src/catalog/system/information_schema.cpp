// information_schema: schemata, tables, columns, views, routines. Shows what the user may access.
#include "catalog/system/catalog_reader.h"
#include "catalog/system/type_facts.h"
#include "catalog/system/view.h"
#include "functions/function.h"

namespace blueshift::catalog {
namespace {

std::string_view tableType(const RelationRow& relation) {
    if (relation.kind == 'v') return "VIEW";
    return relation.table->temporary ? "LOCAL TEMPORARY" : "BASE TABLE";
}

void schemata(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, schema] : reader.snapshot().schemas)
        if (reader.rights().mayUse(*schema))
            out.row(reader.database(), schema->name, schema->owner, std::nullopt, std::nullopt,
                    std::nullopt, std::nullopt);
}

void tables(const CatalogReader& reader, RowWriter& out) {
    reader.accessible([&](const RelationRow& relation) {
        out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                tableType(relation), std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                std::nullopt);
    });
}

void columns(const CatalogReader& reader, RowWriter& out) {
    reader.accessible([&](const RelationRow& relation) {
        if (out.done()) return;
        for (const AttributeRow& attribute : reader.attributes(relation)) {
            const Column* column = attribute.column;
            if (column != nullptr && column->dropped) continue;
            const TypeColumns type = describeType(attribute.type);
            const bool not_null = column != nullptr && (column->not_null || column->is_identity);
            std::optional<std::string> default_text;
            if (column != nullptr && column->is_identity)
                default_text = "\"identity\"(" + std::to_string(relation.oid) + ", " +
                               std::to_string(attribute.number - 1) + ", '" +
                               std::to_string(column->identity_seed) + "," +
                               std::to_string(column->identity_step) + "'::text)";
            else if (column != nullptr) default_text = column->default_sql;
            out.row(reader.database(), reader.schemaName(relation.schema), relation.name,
                    attribute.name, attribute.number, default_text, not_null ? "NO" : "YES",
                    type.data_type, type.character_length,
                    type.character_length ? type.character_length : std::nullopt,
                    type.numeric_precision, type.numeric_radix, type.numeric_scale,
                    type.datetime_precision, type.interval_type, std::nullopt, std::nullopt,
                    std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                    std::nullopt, std::nullopt, std::nullopt, reader.database(), "pg_catalog",
                    typeName(attribute.type.kind), std::nullopt, std::nullopt, std::nullopt,
                    std::nullopt, std::to_string(attribute.number), "NO");
        }
    });
}

void views(const CatalogReader& reader, RowWriter& out) {
    reader.accessible([&](const RelationRow& relation) {
        if (relation.kind != 'v') return;
        std::optional<std::string> text;
        if (relation.view != nullptr && (reader.superuser() || relation.owner == reader.user()))
            text = relation.view->late_binding ? relation.view->definition : relation.view->query;
        out.row(reader.database(), reader.schemaName(relation.schema), relation.name, text, "NONE",
                "NO", "NO");
    });
}

void routines(const CatalogReader& reader, RowWriter& out) {
    i32 number = 0;
    for (const functions::FunctionRow& row : functions::listFunctions()) {
        ++number;
        const char c = row.name[0];
        if (!((c >= 'a' && c <= 'z') || c == '_') || row.name == "cast") continue;
        const std::string specific = std::string(row.name) + "_" + std::to_string(number);
        out.row(reader.database(), "pg_catalog", specific, reader.database(), "pg_catalog",
                row.name, "FUNCTION", describeType(row.result).data_type, reader.database(),
                "pg_catalog", typeName(row.result.kind), "EXTERNAL", std::nullopt, "INTERNAL",
                row.volatility == functions::Volatility::kImmutable ? "YES" : "NO");
    }
}

void parameters(const CatalogReader& reader, RowWriter& out) {
    i32 number = 0;
    for (const functions::FunctionRow& row : functions::listFunctions()) {
        ++number;
        const char c = row.name[0];
        if (!((c >= 'a' && c <= 'z') || c == '_') || row.name == "cast") continue;
        const std::string specific = std::string(row.name) + "_" + std::to_string(number);
        i32 position = 0;
        for (const SqlType& type : row.arguments)
            out.row(reader.database(), "pg_catalog", specific, ++position, "IN", "NO", "NO",
                    std::nullopt, describeType(type).data_type, reader.database(), "pg_catalog",
                    typeName(type.kind));
    }
}

void catalogName(const CatalogReader& reader, RowWriter& out) {
    out.row(reader.database());
}

void enabledRoles(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        if (user->is_role && (reader.superuser() || reader.rights().isMember(name))) out.row(name);
}

void applicableRoles(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        if (user->is_role && reader.rights().isMember(name)) out.row(reader.user(), name, "NO");
}

constexpr ViewSpec kViews[] = {
    {"information_schema", "schemata",
     "catalog_name name, schema_name name, schema_owner name, "
     "default_character_set_catalog name, default_character_set_schema name, "
     "default_character_set_name name, sql_path t",
     schemata},
    {"information_schema", "tables",
     "table_catalog name, table_schema name, table_name name, table_type t, "
     "self_referencing_column_name name, reference_generation t, user_defined_type_catalog name, "
     "user_defined_type_schema name, user_defined_type_name name",
     tables},
    {"information_schema", "columns",
     "table_catalog name, table_schema name, table_name name, column_name name, "
     "ordinal_position i4, column_default t, is_nullable t, data_type t, "
     "character_maximum_length i4, character_octet_length i4, numeric_precision i4, "
     "numeric_precision_radix i4, numeric_scale i4, datetime_precision i4, interval_type t, "
     "interval_precision t, character_set_catalog name, character_set_schema name, "
     "character_set_name name, collation_catalog name, collation_schema name, "
     "collation_name name, domain_catalog name, domain_schema name, domain_name name, "
     "udt_catalog name, udt_schema name, udt_name name, scope_catalog name, scope_schema name, "
     "scope_name name, maximum_cardinality i4, dtd_identifier name, is_self_referencing t",
     columns},
    {"information_schema", "views",
     "table_catalog name, table_schema name, table_name name, view_definition t, check_option t, "
     "is_updatable t, is_insertable_into t",
     views},
    {"information_schema", "routines",
     "specific_catalog name, specific_schema name, specific_name name, routine_catalog name, "
     "routine_schema name, routine_name name, routine_type t, data_type t, type_udt_catalog name, "
     "type_udt_schema name, type_udt_name name, routine_body t, routine_definition t, "
     "external_language t, is_deterministic t",
     routines},
    {"information_schema", "parameters",
     "specific_catalog name, specific_schema name, specific_name name, ordinal_position i4, "
     "parameter_mode t, is_result t, as_locator t, parameter_name name, data_type t, "
     "udt_catalog name, udt_schema name, udt_name name",
     parameters},
    {"information_schema", "information_schema_catalog_name", "catalog_name name", catalogName},
    {"information_schema", "enabled_roles", "role_name name", enabledRoles},
    {"information_schema", "applicable_roles", "grantee name, role_name name, is_grantable t",
     applicableRoles},
    {"information_schema", "sequences",
     "sequence_catalog name, sequence_schema name, sequence_name name, data_type t"},
    {"information_schema", "triggers",
     "trigger_catalog name, trigger_schema name, trigger_name name, event_manipulation t, "
     "event_object_catalog name, event_object_schema name, event_object_table name"},
    {"information_schema", "check_constraints",
     "constraint_catalog name, constraint_schema name, constraint_name name, check_clause t"},
};

} // namespace

void addInformationSchema(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
