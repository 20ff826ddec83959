// bind.h: front door of the binder: from a syntax tree and a catalog snapshot to a typed plan.
//
// Place: parse -> bind -> optimize. Resolves names along the search path, types, implicit casts,
// functions, views, rights; leaves subqueries as SubqueryExpr.
// Errors: SqlError with the position of the offending word.
// Threads: one statement, one thread.
#pragma once

#include "bind/logical_plan.h"
#include "parse/ast.h"

namespace blueshift::bind {

/// What a statement is bound against. All borrowed for the statement.
struct BindContext {
    Arena* arena = nullptr;
    std::shared_ptr<const catalog::CatalogSnapshot> catalog;
    const catalog::SourceRegistry* sources = nullptr;
    const functions::SessionFacts* session = nullptr;
    std::vector<std::string> search_path; // pg_catalog is implied first, temporary schema before it
    std::string temporary_schema;         // of the session, "" while it has none
    bool superuser = true;
    std::string_view text; // of the statement, for positions
    /// Types of $1.. as the client declared them; unknown ones are inferred and written back.
    std::vector<SqlType>* parameter_types = nullptr;
    /// Values of $1..; empty while only describing.
    std::span<const Value> parameters;
};

QueryPlan bindQuery(const parse::Query& query, BindContext& context);

/// INSERT: `query.columns` match `target_columns` in order and type (casts included); columns that
/// are absent get their DEFAULT or NULL inside the plan, so that all live columns are present.
struct BoundInsert {
    const catalog::Table* table = nullptr;
    QueryPlan query;
};
BoundInsert bindInsert(const parse::Insert& statement, BindContext& context);

/// UPDATE and DELETE: the plan yields the row id first; UPDATE then all live columns of the new row
/// in table order. Each row id at most once.
struct BoundModify {
    const catalog::Table* table = nullptr;
    bool update = false;
    QueryPlan query;
};
BoundModify bindUpdate(const parse::Update& statement, BindContext& context);
BoundModify bindDelete(const parse::Delete& statement, BindContext& context);

/// The expression of a column default or of COPY's computed values: no columns allowed; cast to
/// `type` for assignment.
const Expr* bindDefault(std::string_view sql, SqlType type, BindContext& context);

/// A type as written.
SqlType resolveType(const parse::TypeName& name, std::string_view text);

/// Resolves a table name of one to three parts along the search path; throws 42P01 with the
/// nearest name as a hint.
std::shared_ptr<const catalog::Table> resolveTable(const parse::ObjectName& name,
                                                   BindContext& context);

/// A view that a user made. Throws as resolveTable for names of nothing.
bool namesView(const parse::ObjectName& name, BindContext& context);

} // namespace blueshift::bind
