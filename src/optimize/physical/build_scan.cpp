// Leaves of the physical plan, and which conjuncts storage tests by itself.
#include <algorithm>

#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

using bind::LogicalOp;

namespace {

/// `cast(column)` to a wider integer of the same scale compares as the column does.
const Expr* withoutWidening(const Expr* expr) {
    if (expr->kind != ExprKind::kCall) return expr;
    const auto* call = expr->as<CallExpr>();
    if (call->function->op != functions::Operator::kCast || call->args.size() != 1) return expr;
    const SqlType& from = call->args[0]->type;
    const SqlType& to = expr->type;
    const bool integers = isInteger(from.kind) && isInteger(to.kind) &&
                          widthOf(naturalKind(from)) <= widthOf(naturalKind(to));
    const bool decimals = from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal &&
                          from.scale == to.scale && from.precision <= to.precision;
    const bool texts = isString(from.kind) && isString(to.kind) &&
                       (to.kind == TypeKind::kText || to.length >= from.length);
    return integers || decimals || texts ? call->args[0] : expr;
}

/// The constant as a value of the column's own type; false when it has none.
bool valueFor(const SqlType& type, const Expr* expr, Value& value) {
    if (expr->kind != ExprKind::kConstant) return false;
    value = expr->as<ConstantExpr>()->value;
    if (value.is_null) return false;
    if (isString(type.kind) && isTextual(value.type.kind)) {
        value.type = type;
        return true;
    }
    if (isInteger(type.kind) && isInteger(value.type.kind)) {
        const i128 bound = i128{1} << (widthOf(naturalKind(type)) * 8 - 1);
        if (value.integer >= bound || value.integer < -bound) return false;
        value.type = type;
        return true;
    }
    if (type.kind == TypeKind::kDecimal && value.type.kind == TypeKind::kDecimal &&
        type.scale == value.type.scale) {
        const i128 bound = naturalKind(type) == PhysicalKind::kI64 ? i128{1} << 63 : 0;
        if (bound != 0 && (value.integer >= bound || value.integer < -bound)) return false;
        value.type = type;
        return true;
    }
    return value.type == type;
}

bool testOp(functions::Operator op, bool mirrored, ScanPredicate::Op& made) {
    using functions::Operator;
    using Op = ScanPredicate::Op;
    switch (op) {
    case Operator::kEqual: made = Op::kEqual; return true;
    case Operator::kNotEqual: made = Op::kNotEqual; return true;
    case Operator::kLess: made = mirrored ? Op::kGreater : Op::kLess; return true;
    case Operator::kLessEqual: made = mirrored ? Op::kGreaterEqual : Op::kLessEqual; return true;
    case Operator::kGreater: made = mirrored ? Op::kLess : Op::kGreater; return true;
    case Operator::kGreaterEqual: made = mirrored ? Op::kLessEqual : Op::kGreaterEqual; return true;
    default: return false;
    }
}

/// Rough price of a term per row, to run cheap ones first.
u32 priceOf(const Expr* term) {
    u32 price = 1;
    if (term->kind == ExprKind::kCall) {
        const auto op = term->as<CallExpr>()->function->op;
        price = op == functions::Operator::kLike ? 20 : op == functions::Operator::kNone ? 8 : 1;
    }
    for (const Expr* arg : argsOf(term)) {
        price += priceOf(arg);
        if (isTextual(arg->type.kind)) price += 2;
    }
    return price;
}

} // namespace

bool PlanBuilder::asTest(const Expr* term, const bind::ScanOp& scan, TableScanOp::Test& test) {
    const auto columnId = [&](const Expr* expr) {
        if (!isColumn(expr)) return kRowIdColumn;
        for (u32 i = 0; i < scan.columns.size(); ++i)
            if (scan.columns[i].id == expr->as<ColumnExpr>()->id) return scan.column_ids[i];
        return kRowIdColumn;
    };
    test = {};
    test.source = term;
    test.values = List<const Value*>(arena_);
    const auto addValue = [&](const SqlType& type, const Expr* constant) {
        Value value;
        if (!valueFor(type, constant, value)) return false;
        test.values.push(arena_.make<Value>(value));
        return true;
    };
    if (term->kind == ExprKind::kIsNull) {
        const auto* logic = term->as<LogicExpr>();
        test.column_id = columnId(logic->args[0]);
        test.op = logic->negated ? ScanPredicate::Op::kIsNotNull : ScanPredicate::Op::kIsNull;
        return test.column_id != kRowIdColumn;
    }
    if (term->kind == ExprKind::kInList) {
        const auto* list = term->as<LogicExpr>();
        const Expr* column = withoutWidening(list->args[0]);
        test.column_id = columnId(column);
        test.op = ScanPredicate::Op::kIn;
        if (list->negated || test.column_id == kRowIdColumn) return false;
        for (u32 i = 1; i < list->args.size(); ++i)
            if (!addValue(column->type, list->args[i])) return false;
        return !test.values.empty();
    }
    if (term->kind != ExprKind::kCall) return false;
    const auto* call = term->as<CallExpr>();
    if (call->args.size() != 2) return false;
    const bool mirrored = call->args[0]->kind == ExprKind::kConstant;
    const Expr* column = withoutWidening(call->args[mirrored ? 1 : 0]);
    if (!testOp(call->function->op, mirrored, test.op)) return false;
    test.column_id = columnId(column);
    return test.column_id != kRowIdColumn && addValue(column->type, call->args[mirrored ? 0 : 1]);
}

PhysicalOp* PlanBuilder::buildScan(const bind::ScanOp& scan, std::span<const Expr* const> terms,
                                   const ColumnSet& needed, const LogicalOp* top) {
    auto* made = make<TableScanOp>(OpKind::kTableScan, {});
    made->table = scan.table;
    made->alias = scan.alias;
    made->column_ids = List<u32>(arena_);
    made->tests = List<TableScanOp::Test>(arena_);
    made->filters = List<const Expr*>(arena_);
    made->filter_columns = List<PhysicalColumn>(arena_);
    made->filter_column_ids = List<u32>(arena_);
    made->join_filters = List<JoinFilterTarget>(arena_);
    std::vector<const Expr*> filters;
    for (const Expr* term : terms) {
        TableScanOp::Test test;
        if (context_.enabled("scan_tests") && asTest(term, scan, test)) made->tests.push(test);
        else filters.push_back(term);
    }
    std::ranges::stable_sort(filters, [](const Expr* a, const Expr* b) {
        const bool a_fails = mayRaise(a);
        const bool b_fails = mayRaise(b);
        return a_fails != b_fails ? b_fails : priceOf(a) < priceOf(b);
    });
    ColumnSet filtered;
    for (const Expr* term : filters) {
        made->filters.push(term);
        filtered.addAll(columnsOf(term));
    }
    const auto add = [&](const bind::OutputColumn& column, u32 column_id) {
        if (!needed.contains(column.id) && !filtered.contains(column.id)) return;
        PhysicalColumn physical = columnOf(column);
        physical.width = context_.facts(column.id).width;
        if (needed.contains(column.id)) {
            made->columns.push(physical);
            made->column_ids.push(column_id);
        } else {
            made->filter_columns.push(physical);
            made->filter_column_ids.push(column_id);
        }
    };
    bool row_id_listed = false;
    for (u32 i = 0; i < scan.columns.size(); ++i) {
        const bool row_id = scan.columns[i].id == scan.row_id;
        row_id_listed |= row_id;
        add(scan.columns[i], row_id ? kRowIdColumn : scan.column_ids[i]);
    }
    if (scan.row_id != kNoColumn && !row_id_listed) {
        add({.id = scan.row_id, .name = "row_id", .type = SqlType::bigInt(), .nullable = false},
            kRowIdColumn);
    }
    if (scan.table->dist_style == catalog::DistStyle::kAll) {
        made->distribution.kind = DistributionKind::kReplicated;
    } else {
        made->distribution.kind = DistributionKind::kSpread;
        if (scan.table->dist_style == catalog::DistStyle::kKey)
            for (u32 i = 0; i < scan.columns.size(); ++i)
                if (scan.column_ids[i] == scan.table->dist_key) {
                    made->distribution.kind = DistributionKind::kHash;
                    made->distribution.keys.push(scan.columns[i].id);
                }
    }
    estimate(made, top);
    made->total_cost = f64(scan.table->rowCount()) * (0.01 + 0.0025 * f64(terms.size()));
    return made;
}

PhysicalOp* PlanBuilder::buildSource(const bind::SourceOp& source, const ColumnSet& needed) {
    auto* made = make<SourceScanOp>(OpKind::kSourceScan, {});
    made->source = source.source;
    made->alias = source.alias;
    made->source_columns = List<u32>(arena_);
    made->arguments = source.arguments;
    for (u32 i = 0; i < source.columns.size(); ++i) {
        if (!needed.contains(source.columns[i].id)) continue;
        made->columns.push(columnOf(source.columns[i]));
        made->columns.back().nullable = true;
        made->source_columns.push(i);
    }
    estimate(made, &source);
    return made;
}

PhysicalOp* PlanBuilder::buildValues(const bind::ValuesOp& values, const ColumnSet& needed) {
    auto* made = make<ValuesOp>(OpKind::kValues, {});
    made->value_rows = List<List<const Expr*>>(arena_);
    std::vector<u32> kept;
    for (u32 i = 0; i < values.columns.size(); ++i) {
        if (!needed.contains(values.columns[i].id)) continue;
        kept.push_back(i);
        made->columns.push(columnOf(values.columns[i]));
    }
    for (const auto& row : values.rows) {
        List<const Expr*> cells(arena_);
        for (const u32 i : kept) cells.push(row[i]);
        made->value_rows.push(cells);
    }
    estimate(made, &values);
    return made;
}

PhysicalOp* PlanBuilder::buildCteScan(const bind::CteScanOp& scan, const ColumnSet& needed) {
    auto* made = make<CteScanOp>(OpKind::kCteScan, {});
    made->cte = scan.cte;
    made->name = context_.ctes[scan.cte].name;
    made->inputs = List<ColumnId>(arena_);
    for (u32 i = 0; i < scan.columns.size(); ++i) {
        if (!needed.contains(scan.columns[i].id)) continue;
        made->columns.push(columnOf(scan.columns[i]));
        made->columns.back().nullable = true;
        made->inputs.push(scan.inputs[i]);
        cte_needed_[scan.cte].add(scan.inputs[i]);
    }
    made->distribution.kind = DistributionKind::kSpread;
    estimate(made, &scan);
    return made;
}

} // namespace blueshift::optimize
