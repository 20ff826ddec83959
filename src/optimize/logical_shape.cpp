#include "optimize/logical_shape.h"

#include <algorithm>

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

namespace {

void addColumns(ColumnSet& set, const List<bind::OutputColumn>& columns) {
    for (const bind::OutputColumn& column : columns) set.add(column.id);
}

void collectWithSubqueries(const Expr* expr, ColumnSet& set) {
    if (expr->kind == ExprKind::kColumn) {
        set.add(expr->as<ColumnExpr>()->id);
    } else if (expr->kind == ExprKind::kSubquery) {
        const auto* subquery = expr->as<bind::SubqueryExpr>();
        for (const Expr* test : subquery->tests) collectWithSubqueries(test, set);
        set.addAll(freeColumns(subquery->plan));
    } else {
        for (const Expr* arg : argsOf(expr)) collectWithSubqueries(arg, set);
    }
}

void collectLists(const LogicalOp* op, ColumnSet& set) {
    switch (op->kind) {
    case LogicalKind::kDistinct:
        for (const ColumnId id : op->as<bind::DistinctOp>()->columns) set.add(id);
        break;
    case LogicalKind::kUnion:
        for (const auto& input : op->as<bind::UnionOp>()->inputs)
            for (const ColumnId id : input) set.add(id);
        break;
    case LogicalKind::kSetOp:
        for (const auto& input : op->as<bind::SetOpOp>()->inputs)
            for (const ColumnId id : input) set.add(id);
        break;
    default: break;
    }
}

/// Every column that an operator of the tree makes, and every one that is read.
void collectMadeAndRead(const LogicalOp* op, ColumnSet& made, ColumnSet& read) {
    made.addAll(outputsOf(op));
    read.addAll(ownColumns(op));
    for (const LogicalOp* child : op->children) collectMadeAndRead(child, made, read);
}

} // namespace

ColumnSet columnsWithSubqueries(const Expr* expr) {
    ColumnSet set;
    if (expr != nullptr) collectWithSubqueries(expr, set);
    return set;
}

bool hasSubquery(const Expr* expr) {
    if (expr == nullptr) return false;
    if (expr->kind == ExprKind::kSubquery) return true;
    return std::ranges::any_of(argsOf(expr), hasSubquery);
}

ColumnSet ownColumns(const LogicalOp* op) {
    ColumnSet set;
    visitExprs(const_cast<LogicalOp*>(op),
               [&](const Expr*& expr) { collectWithSubqueries(expr, set); });
    collectLists(op, set);
    return set;
}

ColumnSet outputsOf(const LogicalOp* op) {
    ColumnSet set;
    switch (op->kind) {
    case LogicalKind::kScan: {
        const auto* scan = op->as<bind::ScanOp>();
        addColumns(set, scan->columns);
        set.add(scan->row_id);
        break;
    }
    case LogicalKind::kSource: addColumns(set, op->as<bind::SourceOp>()->columns); break;
    case LogicalKind::kValues: addColumns(set, op->as<bind::ValuesOp>()->columns); break;
    case LogicalKind::kFilter:
    case LogicalKind::kSort:
    case LogicalKind::kLimit: return outputsOf(op->children[0]);
    case LogicalKind::kMap:
        set = outputsOf(op->children[0]);
        for (const bind::MapItem& item : op->as<bind::MapOp>()->items) set.add(item.column.id);
        break;
    case LogicalKind::kJoin: {
        const auto* join = op->as<bind::JoinOp>();
        set = outputsOf(op->children[0]);
        if (join->type == JoinType::kMark) set.add(join->mark.id);
        else if (join->type != JoinType::kSemi && join->type != JoinType::kAnti)
            set.addAll(outputsOf(op->children[1]));
        break;
    }
    case LogicalKind::kAggregate: {
        const auto* aggregate = op->as<bind::AggregateOp>();
        for (const bind::GroupKey& key : aggregate->keys) set.add(key.column.id);
        for (const bind::AggregateItem& item : aggregate->aggregates) set.add(item.column.id);
        set.add(aggregate->grouping_id.id);
        break;
    }
    case LogicalKind::kWindow:
        set = outputsOf(op->children[0]);
        for (const bind::WindowItem& item : op->as<bind::WindowOp>()->items)
            set.add(item.column.id);
        break;
    case LogicalKind::kDistinct:
        for (const ColumnId id : op->as<bind::DistinctOp>()->columns) set.add(id);
        break;
    case LogicalKind::kUnion: addColumns(set, op->as<bind::UnionOp>()->columns); break;
    case LogicalKind::kSetOp: addColumns(set, op->as<bind::SetOpOp>()->columns); break;
    case LogicalKind::kCteScan: addColumns(set, op->as<bind::CteScanOp>()->columns); break;
    }
    return set;
}

ColumnSet freeColumns(const LogicalOp* op) {
    ColumnSet made;
    ColumnSet read;
    collectMadeAndRead(op, made, read);
    return read - made;
}

ColumnSet nullableOutputs(const LogicalOp* op) {
    ColumnSet set;
    const auto add = [&](const List<bind::OutputColumn>& columns) {
        for (const bind::OutputColumn& column : columns)
            if (column.nullable) set.add(column.id);
    };
    switch (op->kind) {
    case LogicalKind::kScan: add(op->as<bind::ScanOp>()->columns); break;
    case LogicalKind::kSource: return outputsOf(op);
    case LogicalKind::kValues: add(op->as<bind::ValuesOp>()->columns); break;
    case LogicalKind::kFilter:
    case LogicalKind::kSort:
    case LogicalKind::kLimit:
    case LogicalKind::kDistinct: return nullableOutputs(op->children[0]);
    case LogicalKind::kMap: {
        set = nullableOutputs(op->children[0]);
        ColumnSet made;
        for (const bind::MapItem& item : op->as<bind::MapOp>()->items) {
            const bool renames = item.expr->kind == ExprKind::kColumn;
            if (renames ? set.contains(item.expr->as<ColumnExpr>()->id)
                        : item.column.nullable || columnsOf(item.expr).intersects(set))
                made.add(item.column.id);
        }
        set.addAll(made);
        break;
    }
    case LogicalKind::kJoin: {
        const auto* join = op->as<bind::JoinOp>();
        const bool keeps_left = join->type == JoinType::kLeft || join->type == JoinType::kFull ||
                                join->type == JoinType::kSingle;
        const bool keeps_right = join->type == JoinType::kRight || join->type == JoinType::kFull;
        set = keeps_right ? outputsOf(op->children[0]) : nullableOutputs(op->children[0]);
        if (join->type == JoinType::kMark) {
            if (join->null_aware) set.add(join->mark.id);
        } else if (join->type != JoinType::kSemi && join->type != JoinType::kAnti) {
            set.addAll(keeps_left ? outputsOf(op->children[1]) : nullableOutputs(op->children[1]));
        }
        break;
    }
    case LogicalKind::kAggregate: {
        const auto* aggregate = op->as<bind::AggregateOp>();
        const ColumnSet below = nullableOutputs(op->children[0]);
        for (const bind::GroupKey& key : aggregate->keys) {
            const bool plain = key.expr->kind == ExprKind::kColumn;
            if (!aggregate->grouping_sets.empty() ||
                (plain ? below.contains(key.expr->as<ColumnExpr>()->id) : key.column.nullable))
                set.add(key.column.id);
        }
        for (const bind::AggregateItem& item : aggregate->aggregates)
            if (item.column.nullable) set.add(item.column.id);
        break;
    }
    case LogicalKind::kWindow:
        set = nullableOutputs(op->children[0]);
        for (const bind::WindowItem& item : op->as<bind::WindowOp>()->items)
            if (item.column.nullable) set.add(item.column.id);
        break;
    case LogicalKind::kUnion: {
        const auto* all = op->as<bind::UnionOp>();
        for (u32 k = 0; k < op->children.size(); ++k) {
            const ColumnSet below = nullableOutputs(op->children[k]);
            for (u32 i = 0; i < all->columns.size(); ++i)
                if (below.contains(all->inputs[k][i])) set.add(all->columns[i].id);
        }
        break;
    }
    case LogicalKind::kSetOp: add(op->as<bind::SetOpOp>()->columns); break;
    case LogicalKind::kCteScan: add(op->as<bind::CteScanOp>()->columns); break;
    }
    return set;
}

bool isScalarAggregate(const LogicalOp* op) {
    if (op->kind != LogicalKind::kAggregate) return false;
    const auto* aggregate = op->as<bind::AggregateOp>();
    return aggregate->keys.empty() && aggregate->grouping_sets.size() <= 1;
}

bool exactlyOneRow(const LogicalOp* op) {
    switch (op->kind) {
    case LogicalKind::kMap:
    case LogicalKind::kSort:
    case LogicalKind::kWindow:
    case LogicalKind::kDistinct: return exactlyOneRow(op->children[0]);
    case LogicalKind::kAggregate: return isScalarAggregate(op);
    case LogicalKind::kValues: return op->as<bind::ValuesOp>()->rows.size() == 1;
    case LogicalKind::kLimit: {
        const auto* limit = op->as<bind::LimitOp>();
        return limit->limit != 0 && limit->offset == 0 && exactlyOneRow(op->children[0]);
    }
    case LogicalKind::kJoin: {
        const auto* join = op->as<bind::JoinOp>();
        if (join->type == JoinType::kMark) return exactlyOneRow(op->children[0]);
        if (join->type == JoinType::kSingle) return exactlyOneRow(op->children[0]);
        return join->type == JoinType::kInner && join->condition == nullptr &&
               exactlyOneRow(op->children[0]) && exactlyOneRow(op->children[1]);
    }
    default: return false;
    }
}

bool atMostOneRow(const LogicalOp* op) {
    switch (op->kind) {
    case LogicalKind::kFilter:
    case LogicalKind::kMap:
    case LogicalKind::kSort:
    case LogicalKind::kWindow:
    case LogicalKind::kDistinct: return atMostOneRow(op->children[0]);
    case LogicalKind::kLimit: {
        const i64 limit = op->as<bind::LimitOp>()->limit;
        return limit == 0 || limit == 1 || atMostOneRow(op->children[0]);
    }
    case LogicalKind::kAggregate: return isScalarAggregate(op);
    case LogicalKind::kValues: return op->as<bind::ValuesOp>()->rows.size() <= 1;
    case LogicalKind::kJoin: {
        const auto* join = op->as<bind::JoinOp>();
        if (join->type == JoinType::kFull || join->type == JoinType::kRight) return false;
        const bool one_sided = join->type == JoinType::kSemi || join->type == JoinType::kAnti ||
                               join->type == JoinType::kMark || join->type == JoinType::kSingle;
        return atMostOneRow(op->children[0]) && (one_sided || atMostOneRow(op->children[1]));
    }
    default: return false;
    }
}

bool isUnique(const PlanContext& context, const LogicalOp* op, const ColumnSet& columns,
              KeyTrust trust) {
    if (atMostOneRow(op)) return true;
    switch (op->kind) {
    case LogicalKind::kScan: {
        const auto* scan = op->as<bind::ScanOp>();
        if (scan->row_id != kNoColumn && columns.contains(scan->row_id)) return true;
        if (trust == KeyTrust::kProved) return false;
        for (const catalog::KeyConstraint& key : scan->table->keys) {
            bool all = !key.columns.empty();
            for (const u32 part : key.columns) {
                bool found = false;
                for (u32 i = 0; i < scan->columns.size(); ++i)
                    found |= scan->column_ids[i] == part && columns.contains(scan->columns[i].id);
                all &= found;
            }
            if (all) return true;
        }
        return false;
    }
    case LogicalKind::kFilter:
    case LogicalKind::kSort:
    case LogicalKind::kLimit:
    case LogicalKind::kWindow: return isUnique(context, op->children[0], columns, trust);
    case LogicalKind::kMap: {
        ColumnSet below = columns;
        for (const bind::MapItem& item : op->as<bind::MapOp>()->items)
            if (columns.contains(item.column.id) && isColumn(item.expr))
                below.add(item.expr->as<ColumnExpr>()->id);
        return isUnique(context, op->children[0], below, trust);
    }
    case LogicalKind::kJoin: {
        const auto* join = op->as<bind::JoinOp>();
        if (join->type == JoinType::kSemi || join->type == JoinType::kAnti ||
            join->type == JoinType::kMark || join->type == JoinType::kSingle)
            return isUnique(context, op->children[0], columns, trust);
        if (join->type == JoinType::kFull || join->type == JoinType::kRight) return false;
        std::vector<const Expr*> terms;
        splitConjunction(join->condition, terms);
        ColumnSet left_keys;
        ColumnSet right_keys;
        for (const Expr* term : terms) {
            const Equality equality = equalityOf(term);
            if (!equality) continue;
            for (const Expr* side : {equality.left, equality.right}) {
                if (!isColumn(side)) continue;
                left_keys.add(side->as<ColumnExpr>()->id);
                right_keys.add(side->as<ColumnExpr>()->id);
            }
        }
        const bool right_once = isUnique(context, op->children[1], right_keys, trust);
        if (right_once && isUnique(context, op->children[0], columns, trust)) return true;
        if (join->type != JoinType::kInner) return false;
        return isUnique(context, op->children[0], left_keys, trust) &&
               isUnique(context, op->children[1], columns, trust);
    }
    case LogicalKind::kAggregate: {
        const auto* aggregate = op->as<bind::AggregateOp>();
        if (!aggregate->grouping_sets.empty()) return false;
        return std::ranges::all_of(aggregate->keys, [&](const bind::GroupKey& key) {
            return columns.contains(key.column.id);
        });
    }
    case LogicalKind::kDistinct:
        return std::ranges::all_of(op->as<bind::DistinctOp>()->columns,
                                   [&](ColumnId id) { return columns.contains(id); });
    case LogicalKind::kSetOp: {
        const auto* set = op->as<bind::SetOpOp>();
        return !set->all && std::ranges::all_of(set->columns, [&](const bind::OutputColumn& c) {
            return columns.contains(c.id);
        });
    }
    case LogicalKind::kCteScan: {
        const auto* scan = op->as<bind::CteScanOp>();
        ColumnSet below;
        for (u32 i = 0; i < scan->columns.size(); ++i)
            if (columns.contains(scan->columns[i].id)) below.add(scan->inputs[i]);
        return isUnique(context, context.ctes[scan->cte].plan, below, trust);
    }
    default: return false;
    }
}

bool mayRaise(const Expr* expr) {
    if (!canFail(expr)) return false;
    const auto args = argsOf(expr);
    if (std::ranges::any_of(args, mayRaise)) return true;
    if (expr->kind != ExprKind::kCall) return false;
    const functions::Function& function = *expr->as<CallExpr>()->function;
    if (!function.can_fail) return false;
    const auto constant = [&](size_t i) -> const Value* {
        if (i >= args.size() || args[i]->kind != ExprKind::kConstant) return nullptr;
        const Value& value = args[i]->as<ConstantExpr>()->value;
        return value.is_null ? nullptr : &value;
    };
    if (function.op == functions::Operator::kLike) {
        const Value* pattern = constant(1);
        return args.size() != 2 || pattern == nullptr ||
               pattern->text.find('\\') != std::string_view::npos;
    }
    if (function.name == "substring" || function.name == "substr") {
        const Value* length = constant(2);
        return args.size() == 3 && (length == nullptr || length->integer < 0);
    }
    if (function.name == "extract" || function.name == "date_part") return constant(0) == nullptr;
    return true;
}

bool isColumn(const Expr* expr) {
    return expr->kind == ExprKind::kColumn;
}

Equality equalityOf(const Expr* expr) {
    if (expr->kind != ExprKind::kCall) return {};
    const auto* call = expr->as<CallExpr>();
    if (call->function->op != functions::Operator::kEqual || call->args.size() != 2) return {};
    return {call->args[0], call->args[1]};
}

bool equalMeansSame(const SqlType& type) {
    return !isTextual(type.kind) && !isFloat(type.kind);
}

void addNullSafeEqual(PlanContext& context, const Expr* a, const Expr* b, bool nullable,
                      std::vector<const Expr*>& terms) {
    Arena& arena = context.arena;
    if (!nullable) {
        terms.push_back(makeComparison(arena, "=", a, b));
        return;
    }
    Value zero = Value::ofInteger(0, a->type);
    if (isTextual(a->type.kind)) zero = Value::ofText("", a->type);
    if (isFloat(a->type.kind)) zero = Value::ofFloat(0, a->type);
    const auto present = [&](const Expr* expr) {
        const Expr* args[] = {expr, makeConstant(arena, zero)};
        return makeLogic(arena, ExprKind::kCoalesce, args);
    };
    const auto missing = [&](const Expr* expr) {
        const Expr* args[] = {expr};
        return makeLogic(arena, ExprKind::kIsNull, args);
    };
    terms.push_back(makeComparison(arena, "=", present(a), present(b)));
    terms.push_back(makeComparison(arena, "=", missing(a), missing(b)));
}

const Expr* replaceColumns(PlanContext& context, const Expr* expr, const ColumnMap& map) {
    return rewriteColumns(
        context.arena, expr, [&](ColumnId id, const ColumnExpr* column) -> const Expr* {
            const auto found = map.find(id);
            if (found == map.end()) return nullptr;
            return makeColumn(context.arena, found->second, column->type, column->nullable);
        });
}

void replaceColumns(PlanContext& context, LogicalOp* op, const ColumnMap& map) {
    const auto rename = [&](ColumnId& id) {
        if (const auto found = map.find(id); found != map.end()) id = found->second;
    };
    visitExprs(op, [&](const Expr*& expr) { expr = replaceColumns(context, expr, map); });
    if (op->kind == LogicalKind::kDistinct)
        for (ColumnId& id : op->as<bind::DistinctOp>()->columns) rename(id);
    if (op->kind == LogicalKind::kUnion)
        for (auto& input : op->as<bind::UnionOp>()->inputs)
            for (ColumnId& id : input) rename(id);
    if (op->kind == LogicalKind::kSetOp)
        for (auto& input : op->as<bind::SetOpOp>()->inputs)
            for (ColumnId& id : input) rename(id);
    for (LogicalOp* child : op->children) replaceColumns(context, child, map);
}

} // namespace blueshift::optimize
