// CREATE TABLE, CREATE TABLE AS, and the columns and keys of tables.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ddl/definitions.h"
#include "parse/parse.h"
#include "transaction/session_catalog.h"

namespace blueshift::ddl {
namespace {

constexpr size_t kMostColumns = 1600;

catalog::ColumnEncoding encodingFromName(std::string_view name) {
    using catalog::ColumnEncoding;
    static constexpr std::pair<std::string_view, ColumnEncoding> kNames[] = {
        {"auto", ColumnEncoding::kAuto},
        {"raw", ColumnEncoding::kRaw},
        {"az64", ColumnEncoding::kAz64},
        {"bytedict", ColumnEncoding::kByteDict},
        {"delta", ColumnEncoding::kDelta},
        {"delta32k", ColumnEncoding::kDelta32k},
        {"lzo", ColumnEncoding::kLzo},
        {"mostly8", ColumnEncoding::kMostly8},
        {"mostly16", ColumnEncoding::kMostly16},
        {"mostly32", ColumnEncoding::kMostly32},
        {"runlength", ColumnEncoding::kRunLength},
        {"text255", ColumnEncoding::kText255},
        {"text32k", ColumnEncoding::kText32k},
        {"zstd", ColumnEncoding::kZstd}};
    for (const auto& [text, encoding] : kNames)
        if (text == name) return encoding;
    throw SqlError(
        Error(sqlstate::kInvalidParameterValue, fmt::format("encoding \"{}\" does not exist", name))
            .withHint("Use AZ64, BYTEDICT, DELTA, LZO, RAW, RUNLENGTH, ZSTD or AUTO."));
}

u32 columnIdOf(const catalog::Table& table, const parse::ColumnName& name, DefineContext& context) {
    if (const auto* column = table.findColumn(name.name)) return column->id;
    throw SqlError(Error(sqlstate::kUndefinedColumn,
                         fmt::format("column \"{}\" named in key does not exist", name.name))
                       .at(parse::characterPosition(context.bind.text, name.position)));
}

std::string columnList(const catalog::Table& table, const std::vector<u32>& ids) {
    std::string text;
    for (u32 id : ids) {
        if (!text.empty()) text += "_";
        text += table.findColumn(id)->name;
    }
    return text;
}

void addKey(catalog::Table& table, std::string_view name, bool primary,
            std::span<const parse::ColumnName> columns, DefineContext& context) {
    catalog::KeyConstraint key{.primary = primary, .oid = context.transaction.newOid()};
    for (const auto& column : columns) key.columns.push_back(columnIdOf(table, column, context));
    if (primary) {
        for (const auto& existing : table.keys)
            if (existing.primary)
                throw SqlError(sqlstate::kInvalidTableDefinition,
                               fmt::format("multiple primary keys for table \"{}\" are not allowed",
                                           table.name));
        for (u32 id : key.columns)
            for (auto& column : table.columns)
                if (column.id == id) column.not_null = true;
    }
    key.name = !name.empty() ? std::string(name)
               : primary     ? table.name + "_pkey"
                             : table.name + "_" + columnList(table, key.columns) + "_key";
    table.keys.push_back(std::move(key));
}

void addForeignKey(catalog::Table& table, std::string_view name,
                   std::span<const parse::ColumnName> columns,
                   const parse::ForeignReference& reference, DefineContext& context) {
    catalog::ForeignKey key{.oid = context.transaction.newOid()};
    for (const auto& column : columns) key.columns.push_back(columnIdOf(table, column, context));
    const auto target = bind::resolveTable(reference.table, context.bind);
    key.target = target->oid;
    for (const auto& column : reference.columns)
        key.target_columns.push_back(columnIdOf(*target, column, context));
    if (key.target_columns.empty())
        for (const auto& other : target->keys)
            if (other.primary) key.target_columns = other.columns;
    if (key.target_columns.size() != key.columns.size())
        throw SqlError(sqlstate::kInvalidTableDefinition,
                       "number of referencing and referenced columns for foreign key disagree");
    key.name = name.empty() ? table.name + "_" + columnList(table, key.columns) + "_fkey"
                            : std::string(name);
    table.foreign_keys.push_back(std::move(key));
}

void copyLike(catalog::Table& table, const parse::LikeClause& like, DefineContext& context) {
    const auto parent = bind::resolveTable(like.parent, context.bind);
    for (const auto* column : parent->liveColumns()) {
        catalog::Column copy = *column;
        copy.id = table.next_column_id++;
        copy.width_class = initialWidth(copy.type);
        copy.backfill = nullptr;
        if (!like.including_defaults) copy.default_sql.reset();
        if (parent->dist_style == catalog::DistStyle::kKey && parent->dist_key == column->id) {
            table.dist_style = catalog::DistStyle::kKey;
            table.dist_key = copy.id;
        }
        for (u32 key : parent->sort_key)
            if (key == column->id) table.sort_key.push_back(copy.id);
        table.columns.push_back(std::move(copy));
    }
    table.sort_style = parent->sort_style;
    table.encode_auto = parent->encode_auto;
    if (parent->dist_style != catalog::DistStyle::kKey) table.dist_style = parent->dist_style;
}

catalog::Oid schemaFor(const parse::ObjectName& name, bool temporary, DefineContext& context) {
    return temporary ? transaction::kTemporarySchema : targetSchema(name, context);
}

/// The name is free, or IF NOT EXISTS makes that a notice: false then.
bool nameIsFree(catalog::Oid schema, std::string_view name, bool if_not_exists,
                DefineContext& context) {
    const auto view = context.transaction.view();
    if (!view->findTable(schema, name) && !view->findView(schema, name)) return true;
    Error error(sqlstate::kDuplicateTable, fmt::format("relation \"{}\" already exists", name));
    if (!if_not_exists)
        throw SqlError(
            std::move(error).withHint("Choose another name, or write IF NOT EXISTS to keep it."));
    error.message += ", skipping";
    context.notice("NOTICE", std::move(error));
    return false;
}

} // namespace

u8 initialWidth(const SqlType& type) {
    return isIntegerKind(naturalKind(type)) ? 1 : 16;
}

catalog::Column columnFromDefinition(const parse::ColumnDefinition& definition,
                                     catalog::Table& table, DefineContext& context) {
    catalog::Column column{.id = table.next_column_id++,
                           .name = std::string(definition.name),
                           .type = bind::resolveType(*definition.type, context.bind.text)};
    for (const auto* other : table.liveColumns())
        if (other->name == column.name)
            throw SqlError(
                Error(sqlstate::kDuplicateColumn,
                      fmt::format("column \"{}\" specified more than once", column.name))
                    .withHint("Give the columns different names.")
                    .at(parse::characterPosition(context.bind.text, definition.position)));
    if (definition.collation == parse::Collation::kCaseInsensitive)
        BS_NOT_YET("COLLATE CASE_INSENSITIVE");
    column.not_null =
        definition.nullability == parse::Nullability::kNotNull || definition.primary_key;
    column.width_class = initialWidth(column.type);
    if (!definition.encoding.empty()) {
        column.encoding = encodingFromName(definition.encoding);
        table.encode_auto = table.encode_auto && column.encoding == catalog::ColumnEncoding::kAuto;
    }
    if (definition.default_value != nullptr) {
        column.default_sql = definition.default_text;
        bind::bindDefault(*column.default_sql, column.type, context.bind);
    }
    if (definition.identity.kind != parse::IdentityKind::kNone) BS_NOT_YET("GENERATED AS IDENTITY");
    return column;
}

void applyAttributes(catalog::Table& table, const parse::TableAttributes& attributes,
                     DefineContext& context) {
    using parse::DistStyle;
    switch (attributes.dist_style) {
    case DistStyle::kAuto: table.dist_style = catalog::DistStyle::kAuto; break;
    case DistStyle::kEven: table.dist_style = catalog::DistStyle::kEven; break;
    case DistStyle::kAll: table.dist_style = catalog::DistStyle::kAll; break;
    case DistStyle::kKey: table.dist_style = catalog::DistStyle::kKey; break;
    case DistStyle::kUnspecified: break;
    }
    if (!attributes.dist_key.name.empty()) {
        if (attributes.dist_style != DistStyle::kUnspecified &&
            attributes.dist_style != DistStyle::kKey)
            throw SqlError(
                Error(sqlstate::kInvalidTableDefinition, "DISTKEY does not go with this DISTSTYLE")
                    .withHint("Leave DISTSTYLE out or use DISTSTYLE KEY."));
        table.dist_style = catalog::DistStyle::kKey;
        table.dist_key = columnIdOf(table, attributes.dist_key, context);
    }
    if (table.dist_style == catalog::DistStyle::kKey && table.dist_key == 0)
        throw SqlError(
            Error(sqlstate::kInvalidTableDefinition, "DISTSTYLE KEY needs a DISTKEY column")
                .withHint("Add DISTKEY (column)."));
    if (attributes.sort_style == parse::SortStyle::kAuto)
        table.sort_style = catalog::SortStyle::kAuto;
    if (attributes.sort_style == parse::SortStyle::kNone)
        table.sort_style = catalog::SortStyle::kNone;
    if (!attributes.sort_key.empty()) {
        table.sort_key.clear();
        for (const auto& column : attributes.sort_key)
            table.sort_key.push_back(columnIdOf(table, column, context));
        table.sort_style = attributes.sort_style == parse::SortStyle::kInterleaved
                               ? catalog::SortStyle::kInterleaved
                               : catalog::SortStyle::kCompound;
    } else if (attributes.sort_style == parse::SortStyle::kAuto ||
               attributes.sort_style == parse::SortStyle::kNone) {
        table.sort_key.clear();
    }
    if (attributes.encode_auto) table.encode_auto = true;
    if (attributes.backup == parse::Tristate::kNo) table.backup = false;
}

void addConstraint(catalog::Table& table, const parse::TableConstraint& constraint,
                   DefineContext& context) {
    if (constraint.kind == parse::ConstraintKind::kForeignKey)
        addForeignKey(table, constraint.name, constraint.columns, *constraint.references, context);
    else
        addKey(table, constraint.name, constraint.kind == parse::ConstraintKind::kPrimaryKey,
               constraint.columns, context);
}

std::string createTable(const parse::CreateTable& create, DefineContext& context) {
    const catalog::Oid schema = schemaFor(create.name, create.temporary, context);
    if (!nameIsFree(schema, create.name.name, create.if_not_exists, context)) return "CREATE TABLE";
    if (create.columns.size() > kMostColumns)
        throw SqlError(sqlstate::kTooManyColumns,
                       fmt::format("tables can have at most {} columns", kMostColumns));
    catalog::Table table{.oid = context.transaction.newOid(),
                         .schema = schema,
                         .name = std::string(create.name.name),
                         .owner = context.user,
                         .created_at = context.now,
                         .temporary = create.temporary};
    table.segments = std::make_shared<std::vector<catalog::SegmentEntry>>();
    for (const auto* like : create.like) copyLike(table, *like, context);
    for (const auto* definition : create.columns) {
        table.columns.push_back(columnFromDefinition(*definition, table, context));
        const catalog::Column& column = table.columns.back();
        if (definition->dist_key) {
            if (table.dist_style == catalog::DistStyle::kKey && create.like.empty())
                throw SqlError(sqlstate::kInvalidTableDefinition,
                               "a table has at most one DISTKEY");
            table.dist_style = catalog::DistStyle::kKey;
            table.dist_key = column.id;
        }
        if (definition->sort_key) {
            table.sort_key.push_back(column.id);
            table.sort_style = catalog::SortStyle::kCompound;
        }
    }
    if (table.columns.empty() && create.columns.empty() && create.like.empty())
        throw SqlError(sqlstate::kInvalidTableDefinition, "a table needs at least one column");
    for (const auto* definition : create.columns) {
        const parse::ColumnName name{definition->name, definition->position};
        if (definition->primary_key || definition->unique)
            addKey(table, {}, definition->primary_key, std::span(&name, 1), context);
        if (definition->references != nullptr)
            addForeignKey(table, {}, std::span(&name, 1), *definition->references, context);
    }
    for (const auto* constraint : create.constraints) addConstraint(table, *constraint, context);
    applyAttributes(table, create.attributes, context);
    context.transaction.putTable(std::make_shared<catalog::Table>(std::move(table)));
    return "CREATE TABLE";
}

std::shared_ptr<const catalog::Table> tableForQuery(const parse::CreateTable& create,
                                                    const bind::QueryPlan& query,
                                                    DefineContext& context) {
    const catalog::Oid schema = schemaFor(create.name, create.temporary, context);
    if (!nameIsFree(schema, create.name.name, create.if_not_exists, context)) return nullptr;
    auto table = std::make_shared<catalog::Table>();
    table->oid = context.transaction.newOid();
    table->schema = schema;
    table->name = create.name.name;
    table->owner = context.user;
    table->created_at = context.now;
    table->temporary = create.temporary;
    table->segments = std::make_shared<std::vector<catalog::SegmentEntry>>();
    if (create.column_names.size() > query.columns.size())
        throw SqlError(sqlstate::kSyntaxError, "CREATE TABLE AS specifies too many column names");
    std::set<std::string> names;
    for (u32 i = 0; i < query.columns.size(); ++i) {
        const auto& from = query.columns[i];
        catalog::Column column{
            .id = table->next_column_id++,
            .name = std::string(i < create.column_names.size() ? create.column_names[i].name
                                                               : from.name),
            .type = from.type};
        if (column.name == "?column?") column.name = fmt::format("column{}", i + 1);
        if (column.type.kind == TypeKind::kUnknown || column.type.kind == TypeKind::kText ||
            column.type.kind == TypeKind::kName)
            column.type =
                SqlType::varchar(column.type.kind == TypeKind::kName ? 128 : kMaxVarcharBytes);
        if (!names.insert(column.name).second)
            throw SqlError(Error(sqlstate::kDuplicateColumn,
                                 fmt::format("column \"{}\" specified more than once", column.name))
                               .withHint("Give the columns of the query different names."));
        column.width_class = initialWidth(column.type);
        table->columns.push_back(std::move(column));
    }
    applyAttributes(*table, create.attributes, context);
    context.transaction.putTable(table);
    return table;
}

std::string describeTable(const catalog::CatalogSnapshot& snapshot, const catalog::Table& table) {
    const auto quote = [](const std::string& name) { return parse::quoteName(name); };
    std::string text = fmt::format(
        "CREATE TABLE {}.{} (", quote(snapshot.findSchema(table.schema)->name), quote(table.name));
    bool first = true;
    for (const auto* column : table.liveColumns()) {
        text += fmt::format("{}\n    {} {}", first ? "" : ",", quote(column->name),
                            formatType(column->type));
        if (column->default_sql) text += " DEFAULT " + *column->default_sql;
        if (column->not_null) text += " NOT NULL";
        first = false;
    }
    const auto names = [&](const std::vector<u32>& ids) {
        std::string list;
        for (u32 id : ids) list += (list.empty() ? "" : ", ") + quote(table.findColumn(id)->name);
        return list;
    };
    for (const auto& key : table.keys)
        text += fmt::format(",\n    {} ({})", key.primary ? "PRIMARY KEY" : "UNIQUE",
                            names(key.columns));
    text += "\n)";
    switch (table.dist_style) {
    case catalog::DistStyle::kAuto: text += "\nDISTSTYLE AUTO"; break;
    case catalog::DistStyle::kEven: text += "\nDISTSTYLE EVEN"; break;
    case catalog::DistStyle::kAll: text += "\nDISTSTYLE ALL"; break;
    case catalog::DistStyle::kKey:
        text += fmt::format("\nDISTKEY ({})", names({table.dist_key}));
        break;
    }
    if (!table.sort_key.empty())
        text +=
            fmt::format("\n{}SORTKEY ({})",
                        table.sort_style == catalog::SortStyle::kInterleaved ? "INTERLEAVED " : "",
                        names(table.sort_key));
    return text + ";";
}

} // namespace blueshift::ddl
