// ALTER TABLE in its forms, and TRUNCATE.
#include <fmt/format.h>

#include <algorithm>

#include "base/nearest_name.h"
#include "ddl/definitions.h"
#include "functions/expression.h"
#include "parse/parse.h"

namespace blueshift::ddl {
namespace {

using parse::AlterTableAction;

catalog::Column& liveColumn(catalog::Table& table, std::string_view name) {
    for (auto& column : table.columns)
        if (!column.dropped && column.name == name) return column;
    std::vector<std::string_view> names;
    for (const catalog::Column* column : table.liveColumns()) names.push_back(column->name);
    const std::string nearest = nearestName(name, names);
    throw SqlError(
        Error(sqlstate::kUndefinedColumn,
              fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.name))
            .withHint(nearest.empty() ? fmt::format("Its columns are {}.", fmt::join(names, ", "))
                                      : fmt::format("Perhaps you meant \"{}\".", nearest)));
}

void requireFreeColumn(const catalog::Table& table, std::string_view name) {
    if (table.findColumn(name) != nullptr)
        throw SqlError(
            sqlstate::kDuplicateColumn,
            fmt::format("column \"{}\" of relation \"{}\" already exists", name, table.name));
}

/// Copies all rows into fresh segments of the table's new definition: new sort order, new column.
void rewriteRows(const catalog::Table& before, std::shared_ptr<catalog::Table> after,
                 DefineContext& context) {
    // The rows are read from the table under its old definition, before the new one is put.
    catalog::Table staging = *after;
    staging.oid = context.transaction.newOid();
    staging.name = fmt::format("{}_rewrite_{}", before.name, staging.oid);
    staging.segments = std::make_shared<std::vector<catalog::SegmentEntry>>();
    staging.statistics = nullptr;
    staging.next_segment_id = 1;
    const catalog::Oid oid = staging.oid;
    context.transaction.putTable(std::make_shared<catalog::Table>(std::move(staging)));
    std::string list;
    for (const auto* column : after->liveColumns()) {
        if (!list.empty()) list += ", ";
        const catalog::Column* known = before.findColumn(column->id);
        const std::string value = known != nullptr
                                      ? parse::quoteName(known->name)
                                      : "(" + column->default_sql.value_or("NULL") + ")";
        list += fmt::format("{}::{}", value, formatType(column->type));
    }
    const auto* schema = context.transaction.view()->findSchema(before.schema);
    context.rewrite_rows(oid,
                         fmt::format("SELECT {} FROM {}.{}", list, parse::quoteName(schema->name),
                                     parse::quoteName(before.name)));
    const auto filled = context.transaction.view()->tables.at(oid);
    for (const auto& column : filled->columns)
        for (auto& target : after->columns)
            if (target.id == column.id) target.width_class = column.width_class;
    context.transaction.removeAllRows(before.oid);
    context.transaction.putTable(after);
    std::vector<std::shared_ptr<catalog::Segment>> segments;
    for (const auto& entry : *filled->segments)
        segments.push_back(std::make_shared<catalog::Segment>(*entry.segment));
    std::vector<std::pair<u32, u8>> widths;
    for (const auto& column : filled->columns) widths.emplace_back(column.id, column.width_class);
    context.transaction.dropTable(oid);
    if (!segments.empty()) context.transaction.addSegments(before.oid, std::move(segments), widths);
}

void alterType(catalog::Table& table, const parse::AlterTableStep& step, DefineContext& context) {
    catalog::Column& column = liveColumn(table, step.name);
    const SqlType type = bind::resolveType(*step.type, context.bind.text);
    if (column.type.kind != TypeKind::kVarchar || type.kind != TypeKind::kVarchar)
        throw SqlError(
            Error(sqlstate::kFeatureNotSupported,
                  fmt::format("cannot alter type of column \"{}\"", column.name))
                .withHint("Only the length of VARCHAR columns can be changed; add a column, "
                          "copy the values and drop the old one."));
    if (type.length < column.type.length)
        throw SqlError(Error(sqlstate::kFeatureNotSupported,
                             fmt::format("cannot shorten column \"{}\" from {} to {} bytes",
                                         column.name, column.type.length, type.length)));
    column.type = type;
}

/// Bytes of the narrowest integer that holds the value.
u8 widthFor(i128 value) {
    u8 width = 1;
    while (width < 16 && (value >> (width * 8 - 1)) != (value < 0 ? -1 : 0)) width *= 2;
    return width;
}

/// Records what the rows that are there read as. A default that is not the same for all of them (or
/// that raises) has to be written to each: true then.
bool backfill(catalog::Column& column, DefineContext& context) {
    if (!column.default_sql) return false;
    const Expr* value = foldConstants(
        *context.bind.arena, bind::bindDefault(*column.default_sql, column.type, context.bind),
        *context.bind.session);
    if (value->kind != ExprKind::kConstant) return true;
    const Value& constant = value->as<ConstantExpr>()->value;
    if (constant.is_null) return column.not_null; // raises at the first row
    column.backfill = std::make_shared<const catalog::BackfillValue>(
        catalog::BackfillValue{.integer = constant.integer,
                               .floating = constant.floating,
                               .text = std::string(constant.text)});
    if (isIntegerKind(naturalKind(column.type)))
        column.width_class = std::max(column.width_class, widthFor(constant.integer));
    return false;
}

void addColumn(catalog::Table& table, const parse::AlterTableStep& step, bool& rewrite,
               DefineContext& context) {
    if (step.if_not_exists && table.findColumn(step.column->name) != nullptr) return;
    requireFreeColumn(table, step.column->name);
    catalog::Column column = columnFromDefinition(*step.column, table, context);
    if (column.not_null && !column.default_sql && table.rowCount() > 0)
        throw SqlError(Error(sqlstate::kNotNullViolation,
                             fmt::format("column \"{}\" contains null values", column.name))
                           .withHint("Give the new column a DEFAULT."));
    if (backfill(column, context)) rewrite = rewrite || table.rowCount() > 0;
    table.columns.push_back(std::move(column));
}

void dropColumn(catalog::Table& table, const parse::AlterTableStep& step, DefineContext& context) {
    if (step.if_exists && table.findColumn(step.name) == nullptr) return;
    catalog::Column& column = liveColumn(table, step.name);
    if (table.dist_style == catalog::DistStyle::kKey && table.dist_key == column.id)
        throw SqlError(Error(sqlstate::kDependentObjectsStillExist,
                             fmt::format("cannot drop distribution key column \"{}\"", column.name))
                           .withHint("Change it first with ALTER TABLE ... ALTER DISTSTYLE EVEN."));
    if (std::find(table.sort_key.begin(), table.sort_key.end(), column.id) != table.sort_key.end())
        throw SqlError(Error(sqlstate::kDependentObjectsStillExist,
                             fmt::format("cannot drop sort key column \"{}\"", column.name))
                           .withHint("Change it first with ALTER TABLE ... ALTER SORTKEY NONE."));
    if (table.liveColumns().size() == 1)
        throw SqlError(sqlstate::kInvalidTableDefinition,
                       fmt::format("cannot drop the last column of \"{}\"", table.name));
    for (const auto& [oid, view] : context.transaction.view()->views) {
        if (view->late_binding) continue;
        if (std::find(view->depends_on.begin(), view->depends_on.end(), table.oid) ==
            view->depends_on.end())
            continue;
        if (step.behavior != parse::DropBehavior::kCascade)
            throw SqlError(
                Error(sqlstate::kDependentObjectsStillExist,
                      fmt::format("cannot drop column \"{}\" because view \"{}\" may use it",
                                  column.name, view->name))
                    .withHint("Use DROP ... CASCADE to drop the dependent views too."));
        context.transaction.dropView(oid);
    }
    const u32 id = column.id;
    const auto uses = [id](const auto& key) {
        return std::find(key.columns.begin(), key.columns.end(), id) != key.columns.end();
    };
    std::erase_if(table.keys, uses);
    std::erase_if(table.foreign_keys, uses);
    column.dropped = true;
    column.not_null = false;
}

void renameTo(catalog::Table& table, std::string_view name, DefineContext& context) {
    const auto view = context.transaction.view();
    if (view->findTable(table.schema, name) || view->findView(table.schema, name))
        throw SqlError(sqlstate::kDuplicateTable,
                       fmt::format("relation \"{}\" already exists", name));
    table.name = name;
}

std::string alterView(const parse::AlterTable& alter, DefineContext& context,
                      std::shared_ptr<const catalog::View> found) {
    auto view = std::make_shared<catalog::View>(*found);
    requireOwner("view", view->name, view->owner, context);
    for (const auto& step : alter.steps) {
        if (step.action == AlterTableAction::kRenameTo) {
            const auto snapshot = context.transaction.view();
            if (snapshot->findTable(view->schema, step.new_name) ||
                snapshot->findView(view->schema, step.new_name))
                throw SqlError(sqlstate::kDuplicateTable,
                               fmt::format("relation \"{}\" already exists", step.new_name));
            view->name = step.new_name;
        } else if (step.action == AlterTableAction::kOwnerTo) {
            view->owner = step.name;
        } else {
            throw SqlError(sqlstate::kWrongObjectType, fmt::format("\"{}\" is a view", view->name));
        }
    }
    context.transaction.putView(std::move(view));
    return "ALTER TABLE";
}

std::shared_ptr<const catalog::View> findView(const parse::ObjectName& name,
                                              DefineContext& context) {
    const auto snapshot = context.transaction.view();
    if (!name.schema.empty()) {
        const auto* schema = snapshot->findSchema(name.schema);
        return schema == nullptr ? nullptr : snapshot->findView(schema->oid, name.name);
    }
    for (const std::string& path : context.bind.search_path)
        if (const auto* schema = snapshot->findSchema(path))
            if (auto view = snapshot->findView(schema->oid, name.name)) return view;
    return nullptr;
}

} // namespace

std::string alterTable(const parse::AlterTable& alter, DefineContext& context) {
    if (auto view = findView(alter.name, context))
        return alterView(alter, context, std::move(view));
    std::shared_ptr<const catalog::Table> before;
    try {
        before = bind::resolveTable(alter.name, context.bind);
    } catch (const SqlError& error) {
        if (!alter.if_exists || error.error().sqlstate != sqlstate::kUndefinedTable) throw;
        return "ALTER TABLE";
    }
    context.lock_table(before->oid);
    before = bind::resolveTable(alter.name, context.bind);
    requireOwner("relation", before->name, before->owner, context);
    auto after = std::make_shared<catalog::Table>(*before);
    ++after->schema_version;
    bool rewrite = false;
    for (const auto& step : alter.steps) {
        switch (step.action) {
        case AlterTableAction::kAddConstraint:
            addConstraint(*after, *step.constraint, context);
            break;
        case AlterTableAction::kDropConstraint: {
            const auto named = [&](const auto& key) { return key.name == step.name; };
            if (std::erase_if(after->keys, named) + std::erase_if(after->foreign_keys, named) == 0)
                throw SqlError(sqlstate::kUndefinedObject,
                               fmt::format("constraint \"{}\" of relation \"{}\" does not exist",
                                           step.name, after->name));
            break;
        }
        case AlterTableAction::kOwnerTo:
            after->owner = step.name == "current_user" || step.name == "session_user"
                               ? context.user
                               : std::string(step.name);
            break;
        case AlterTableAction::kRenameTo: renameTo(*after, step.new_name, context); break;
        case AlterTableAction::kRenameColumn:
            requireFreeColumn(*after, step.new_name);
            liveColumn(*after, step.name).name = step.new_name;
            break;
        case AlterTableAction::kAlterColumnType: alterType(*after, step, context); break;
        case AlterTableAction::kAlterColumnEncode: liveColumn(*after, step.name); break;
        case AlterTableAction::kAlterDistKey:
        case AlterTableAction::kAlterDistStyle:
            after->dist_key = 0;
            applyAttributes(*after, step.attributes, context);
            break;
        case AlterTableAction::kAlterSortKey:
            applyAttributes(*after, step.attributes, context);
            rewrite = rewrite || (after->rowCount() > 0 && !after->sort_key.empty());
            break;
        case AlterTableAction::kAlterEncodeAuto: after->encode_auto = true; break;
        case AlterTableAction::kAddColumn: addColumn(*after, step, rewrite, context); break;
        case AlterTableAction::kDropColumn: dropColumn(*after, step, context); break;
        case AlterTableAction::kAppendFrom: BS_NOT_YET("ALTER TABLE APPEND");
        case AlterTableAction::kSetSchema:
            after->schema = targetSchema({.schema = step.new_name}, context);
            break;
        }
    }
    if (rewrite) rewriteRows(*before, after, context);
    else context.transaction.putTable(std::move(after));
    return "ALTER TABLE";
}

std::string truncate(const parse::Truncate& truncate, DefineContext& context) {
    auto table = bind::resolveTable(truncate.table, context.bind);
    context.lock_table(table->oid);
    table = bind::resolveTable(truncate.table, context.bind);
    requireOwner("relation", table->name, table->owner, context);
    context.transaction.removeAllRows(table->oid);
    return "TRUNCATE TABLE";
}

} // namespace blueshift::ddl
