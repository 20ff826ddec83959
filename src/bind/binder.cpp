// The front door's functions, small builders, and what happens when a statement is bound: tables of
// WITH that are read once move to where they are read, types of parameters are written back.
#include "bind/binder.h"

#include <algorithm>
#include <unordered_map>

#include "bind/plan_walk.h"
#include "parse/parse.h"

namespace blueshift::bind {
namespace {

/// Turns byte offsets of errors into 1-based character positions.
template <class F> auto withPositions(const BindContext& context, F&& bind) {
    try {
        return bind();
    } catch (SqlError& error) {
        int& position = error.error().position;
        if (position > 0) {
            const bool inside = size_t(position) <= context.text.size() + 1;
            position = inside ? parse::characterPosition(context.text, position - 1) : 0;
        }
        throw;
    }
}

} // namespace

QueryPlan bindQuery(const parse::Query& query, BindContext& context) {
    return withPositions(context, [&] { return Binder(context).query(query); });
}
BoundInsert bindInsert(const parse::Insert& statement, BindContext& context) {
    return withPositions(context, [&] { return Binder(context).insert(statement); });
}
BoundModify bindUpdate(const parse::Update& statement, BindContext& context) {
    return withPositions(context, [&] { return Binder(context).update(statement); });
}
BoundModify bindDelete(const parse::Delete& statement, BindContext& context) {
    return withPositions(context, [&] { return Binder(context).remove(statement); });
}
const Expr* bindDefault(std::string_view sql, SqlType type, BindContext& context) {
    return Binder(context).columnDefault(sql, type);
}
std::shared_ptr<const catalog::Table> resolveTable(const parse::ObjectName& name,
                                                   BindContext& context) {
    return withPositions(context, [&] {
        Relation found = Binder(context).relation(name);
        if (!found.table)
            throw SqlError(Error(sqlstate::kWrongObjectType,
                                 "\"" + std::string(name.name) + "\" is not a table")
                               .withHint("Name a table, not a view or a system view.")
                               .at(name.position + 1));
        return found.table;
    });
}

bool namesView(const parse::ObjectName& name, BindContext& context) {
    return withPositions(context, [&] { return Binder(context).relation(name).view != nullptr; });
}

Binder::Binder(BindContext& context)
    : context_(context),
      arena_(*context.arena),
      session_(context.session != nullptr ? *context.session : default_session_),
      search_path_(context.search_path),
      superuser_(context.superuser) {
    user_ = session_.user;
}

QueryPlan Binder::query(const parse::Query& query) {
    return finish(boundQuery(query, nullptr));
}

void Binder::fail(std::string_view state, std::string message, i32 position, std::string hint,
                  std::string detail) const {
    Error error(state, std::move(message));
    error.hint = std::move(hint);
    error.detail = std::move(detail);
    error.position = place(position) >= 0 ? position + 1 : 0;
    throw SqlError(std::move(error));
}

void Binder::notYet(std::string_view feature, i32 position) const {
    fail(sqlstate::kFeatureNotSupported, std::string(feature) + " is not supported yet", position);
}

LogicalOp* Binder::makeFilter(LogicalOp* child, const Expr* predicate) {
    if (predicate == nullptr || isConstantTrue(predicate)) return child;
    auto* op = makeOp<FilterOp>(LogicalKind::kFilter, {child});
    op->predicate = predicate;
    return op;
}

LogicalOp* Binder::makeMap(LogicalOp* child, std::span<const MapItem> items) {
    if (items.empty()) return child;
    auto* op = makeOp<MapOp>(LogicalKind::kMap, {child});
    op->items = List<MapItem>(arena_, items);
    return op;
}

LogicalOp* Binder::makeOneRow() {
    auto* op = makeOp<ValuesOp>(LogicalKind::kValues, {});
    op->columns = List<OutputColumn>(arena_);
    op->rows = List<List<const Expr*>>(arena_);
    op->rows.push(List<const Expr*>(arena_));
    return op;
}

const Expr* Binder::columnExpr(const OutputColumn& column, i32 position) {
    return atPosition(makeColumn(arena_, column.id, column.type, column.nullable), position);
}

const Expr* Binder::atPosition(const Expr* expr, i32 position) {
    position = place(position);
    if (expr->position == position) return expr;
    Expr* copy = nullptr;
    switch (expr->kind) {
    case ExprKind::kColumn: copy = arena_.make<ColumnExpr>(*expr->as<ColumnExpr>()); break;
    case ExprKind::kConstant: copy = arena_.make<ConstantExpr>(*expr->as<ConstantExpr>()); break;
    case ExprKind::kParameter: copy = arena_.make<ParameterExpr>(*expr->as<ParameterExpr>()); break;
    default: return expr;
    }
    copy->position = position;
    return copy;
}

const Expr* Binder::text(std::string_view value) {
    return makeConstant(arena_, Value::ofText(value, SqlType::text()));
}

void Binder::settle(BoundQuery& query) {
    std::vector<MapItem> items;
    for (QueryColumn& column : query.columns) {
        const Expr* value = column.expr;
        if (value->kind == ExprKind::kColumn) continue;
        if (value->type.kind == TypeKind::kUnknown) {
            SqlType type = SqlType::text();
            if (value->kind == ExprKind::kConstant && !value->as<ConstantExpr>()->value.is_null)
                type = SqlType::varchar(std::clamp<int>(
                    int(value->as<ConstantExpr>()->value.text.size()), 1, kMaxVarcharBytes));
            value = castTo(value, type, functions::CastContext::kExplicit, value->position);
        }
        items.push_back({newColumn(column.name, value->type, value->nullable), value});
        column.expr = columnExpr(items.back().column);
    }
    query.root = makeMap(query.root, items);
}

QueryPlan Binder::finish(BoundQuery query) {
    settle(query);
    QueryPlan plan;
    plan.root = query.root;
    plan.columns = List<ResultColumn>(arena_);
    for (const QueryColumn& column : query.columns)
        plan.columns.push({column.expr->as<ColumnExpr>()->id, column.name, column.expr->type,
                           column.expr->nullable, column.table, column.attribute});
    plan.ctes = List<Cte>(arena_, std::span<const Cte>(ctes_));
    inlineSingleCtes(plan);
    noteParameters(plan);
    std::sort(objects_.begin(), objects_.end());
    objects_.erase(std::unique(objects_.begin(), objects_.end()), objects_.end());
    plan.objects = list(objects_);
    plan.next_column = next_id_;
    return plan;
}

/// Common tables that nobody reads go away, those read once are put where they are read. The scan's
/// columns become the plan's own, everywhere.
void Binder::inlineSingleCtes(QueryPlan& plan) {
    if (plan.ctes.empty()) return;
    std::vector<bool> reached(plan.ctes.size(), false);
    std::vector<LogicalOp*> open{plan.root};
    while (!open.empty()) {
        LogicalOp* root = open.back();
        open.pop_back();
        visitOperators(root, [&](LogicalOp*& op) {
            if (op->kind != LogicalKind::kCteScan) return;
            const u32 number = op->as<CteScanOp>()->cte;
            ++plan.ctes[number].references;
            if (!reached[number]) open.push_back(plan.ctes[number].plan);
            reached[number] = true;
        });
    }
    std::unordered_map<ColumnId, ColumnId> renamed;
    std::vector<u32> numbers(plan.ctes.size(), 0);
    List<Cte> kept(arena_);
    for (u32 i = 0; i < plan.ctes.size(); ++i) {
        if (plan.ctes[i].references < 2) continue;
        numbers[i] = kept.size();
        kept.push(plan.ctes[i]);
    }
    const auto splice = [&](LogicalOp*& op, auto&& self) -> void {
        visitOperators(op, [&](LogicalOp*& place) {
            if (place->kind != LogicalKind::kCteScan) return;
            auto* scan = place->as<CteScanOp>();
            const Cte& cte = plan.ctes[scan->cte];
            if (cte.references > 1) {
                scan->cte = numbers[scan->cte];
                return;
            }
            for (u32 i = 0; i < scan->columns.size(); ++i)
                renamed[scan->columns[i].id] = scan->inputs[i];
            place = cte.plan;
            self(place, self);
        });
    };
    splice(plan.root, splice);
    for (Cte& cte : kept) splice(cte.plan, splice);
    plan.ctes = kept;
    if (renamed.empty()) return;

    const auto target = [&](ColumnId id) {
        for (auto found = renamed.find(id); found != renamed.end(); found = renamed.find(id))
            id = found->second;
        return id;
    };
    const auto replace = [&](const Expr* expr) -> const Expr* {
        if (expr->kind != ExprKind::kColumn) return nullptr;
        const ColumnId id = expr->as<ColumnExpr>()->id;
        if (!renamed.contains(id)) return expr;
        auto* copy = arena_.make<ColumnExpr>(*expr->as<ColumnExpr>());
        copy->id = target(id);
        return copy;
    };
    const auto rename = [&](LogicalOp*& root) {
        rewritePlan(arena_, root, replace);
        visitOperators(root, [&](LogicalOp*& op) {
            visitInputs(op, [&](ColumnId& id) { id = target(id); });
            visitExprs(op, [&](const Expr*& expr) {
                visitSubqueries(expr, [&](SubqueryExpr* subquery) {
                    for (ColumnId& id : subquery->outputs) id = target(id);
                });
            });
        });
    };
    rename(plan.root);
    for (Cte& cte : plan.ctes) {
        rename(cte.plan);
        for (OutputColumn& column : cte.columns) column.id = target(column.id);
    }
    for (ResultColumn& column : plan.columns) column.id = target(column.id);
}

void Binder::noteParameters(QueryPlan& plan) {
    const auto note = [&](const Expr* expr, auto&& self) -> void {
        if (expr->kind == ExprKind::kParameter && context_.parameter_types != nullptr) {
            auto& types = *context_.parameter_types;
            const u32 index = expr->as<ParameterExpr>()->index;
            if (types.size() < index) types.resize(index, SqlType::unknown());
            if (types[index - 1].kind == TypeKind::kUnknown) types[index - 1] = expr->type;
        }
        if (expr->kind == ExprKind::kSubquery)
            for (const Expr* test : expr->as<SubqueryExpr>()->tests) self(test, self);
        if (expr->kind == ExprKind::kCall)
            plan.volatile_functions |=
                expr->as<CallExpr>()->function->volatility == functions::Volatility::kVolatile;
        for (const Expr* arg : argsOf(expr)) self(arg, self);
    };
    const auto walk = [&](LogicalOp*& root) {
        visitOperators(root, [&](LogicalOp*& op) {
            visitExprs(op, [&](const Expr*& expr) { note(expr, note); });
        });
    };
    walk(plan.root);
    for (Cte& cte : plan.ctes) walk(cte.plan);
}

} // namespace blueshift::bind
