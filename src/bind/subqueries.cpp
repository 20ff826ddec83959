// Subqueries inside expressions: scalar, EXISTS, IN, ANY and ALL. Correlation needs nothing
// special: names that the subquery does not have are looked for in the blocks around it.
#include "bind/binder.h"
#include "functions/casts.h"

namespace blueshift::bind {

using functions::CastContext;

namespace {

std::string_view comparisonSymbol(parse::BinaryOperator op) {
    switch (op) {
    case parse::BinaryOperator::kEqual: return "=";
    case parse::BinaryOperator::kNotEqual: return "<>";
    case parse::BinaryOperator::kLess: return "<";
    case parse::BinaryOperator::kLessEqual: return "<=";
    case parse::BinaryOperator::kGreater: return ">";
    case parse::BinaryOperator::kGreaterEqual: return ">=";
    default: return {};
    }
}

} // namespace

SubqueryExpr* Binder::makeSubquery(SubqueryKind kind, const BoundQuery& query, const SqlType& type,
                                   i32 position) {
    auto* made = arena_.make<SubqueryExpr>();
    made->kind = ExprKind::kSubquery;
    made->type = type;
    made->nullable = kind != SubqueryKind::kExists;
    made->position = place(position);
    made->subquery = kind;
    made->plan = query.root;
    made->outputs = List<ColumnId>(arena_);
    made->tests = List<const Expr*>(arena_);
    return made;
}

const Expr* Binder::scalarSubquery(const parse::Subquery& e, Block& block) {
    BoundQuery query = boundQuery(*e.query, &block);
    if (query.columns.size() != 1)
        fail(sqlstate::kSyntaxError, "subquery must return only one column", e.position,
             "Its select list has " + std::to_string(query.columns.size()) + " items.");
    settle(query);
    SubqueryExpr* made =
        makeSubquery(SubqueryKind::kScalar, query, query.columns[0].expr->type, e.position);
    made->outputs.push(query.columns[0].expr->as<ColumnExpr>()->id);
    return made;
}

/// ARRAY(SELECT x ..): the values in the query's order, as the text of an array. LISTAGG puts them
/// together, over rows that hold NULLs as words; no rows make an empty array.
const Expr* Binder::arrayQuery(const parse::ArrayQuery& e, Block& block) {
    BoundQuery query = boundQuery(*e.query, &block);
    if (query.columns.size() != 1)
        fail(sqlstate::kSyntaxError, "subquery must return only one column", e.position,
             "Its select list has " + std::to_string(query.columns.size()) + " items.");
    settle(query);
    const Expr* value = query.columns[0].expr;
    const TypeKind kind = value->type.kind == TypeKind::kSmallInt ? TypeKind::kInt2Array
                          : value->type.kind == TypeKind::kOid    ? TypeKind::kOidArray
                                                                  : TypeKind::kTextArray;
    AggregateItem item;
    for (LogicalOp* op = query.root;; op = op->children[0]) {
        if (op->kind == LogicalKind::kSort) item.order_by = op->as<SortOp>()->keys;
        if (op->kind != LogicalKind::kMap && op->kind != LogicalKind::kLimit) break;
    }
    const Expr* element =
        call("array_element_text",
             {castTo(value, SqlType::text(), CastContext::kExplicit, e.position)}, e.position);
    const Expr* comma = castTo(text(","), SqlType::text(), CastContext::kExplicit, e.position);
    const SqlType types[] = {element->type, comma->type};
    const auto listed = functions::bindAggregate("listagg", types);
    item.aggregate = listed.aggregate;
    item.args = List<const Expr*>(arena_);
    item.args.push(element);
    item.args.push(comma);
    item.column = newColumn("array", listed.result, true);
    auto* grouped = makeOp<AggregateOp>(LogicalKind::kAggregate, {query.root});
    grouped->keys = List<GroupKey>(arena_);
    grouped->aggregates = List<AggregateItem>(arena_);
    grouped->aggregates.push(item);
    grouped->grouping_sets = List<u64>(arena_);
    query.root = grouped;
    SubqueryExpr* list = makeSubquery(SubqueryKind::kScalar, query, listed.result, e.position);
    list->outputs.push(item.column.id);
    const Expr* opened = call("||", {text("{"), list}, e.position);
    const Expr* arms[] = {call("||", {opened, text("}")}, e.position), text("{}")};
    return castTo(makeLogic(arena_, ExprKind::kCoalesce, arms), SqlType::of(kind),
                  CastContext::kExplicit, e.position);
}

const Expr* Binder::exists(const parse::Exists& e, Block& block) {
    const BoundQuery query = boundQuery(*e.query, &block);
    return makeSubquery(SubqueryKind::kExists, query, SqlType::boolean(), e.position);
}

const Expr* Binder::compareSubquery(const parse::Expression* operand, const parse::Query& query,
                                    std::string_view symbol, bool all, i32 position, Block& block) {
    std::vector<const Expr*> tests;
    if (operand->is<parse::Row>())
        for (const parse::Expression* item : operand->as<parse::Row>()->items)
            tests.push_back(expr(item, block));
    else tests.push_back(expr(operand, block));
    BoundQuery bound = boundQuery(query, &block);
    if (bound.columns.size() != tests.size())
        fail(sqlstate::kSyntaxError,
             bound.columns.size() < tests.size() ? "subquery has too few columns"
                                                 : "subquery has too many columns",
             position, "Its select list needs " + std::to_string(tests.size()) + " items.");
    if (tests.size() > 1 && symbol != "=" && symbol != "<>")
        notYet("the order of rows with ANY or ALL", position);
    std::vector<MapItem> casts;
    for (size_t i = 0; i < tests.size(); ++i) {
        QueryColumn& column = bound.columns[i];
        const SqlType type = at(position, [&] {
            return functions::comparisonType(tests[i]->type, column.expr->type, symbol);
        });
        const auto prepare = [&](const Expr* side) {
            const bool fits = side->type.kind != TypeKind::kUnknown &&
                              functions::isSameRepresentation(side->type, type);
            return fits ? side : castTo(side, type, CastContext::kExplicit, position);
        };
        tests[i] = prepare(tests[i]);
        const Expr* value = prepare(column.expr);
        if (value == column.expr && value->kind == ExprKind::kColumn) continue;
        casts.push_back({newColumn(column.name, value->type, value->nullable), value});
        column.expr = columnExpr(casts.back().column);
    }
    bound.root = makeMap(bound.root, casts);
    SubqueryExpr* made = makeSubquery(all ? SubqueryKind::kCompareAll : SubqueryKind::kCompareAny,
                                      bound, SqlType::boolean(), position);
    for (size_t i = 0; i < tests.size(); ++i) {
        made->tests.push(tests[i]);
        made->outputs.push(bound.columns[i].expr->as<ColumnExpr>()->id);
    }
    made->comparison = symbol;
    return made;
}

const Expr* Binder::inQuery(const parse::InQuery& e, Block& block) {
    return compareSubquery(e.operand, *e.query, e.negated ? "<>" : "=", e.negated, e.position,
                           block);
}

const Expr* Binder::quantifiedQuery(const parse::Quantified& e, Block& block) {
    const std::string_view symbol = comparisonSymbol(e.op);
    if (symbol.empty()) notYet("this operator with ANY or ALL", e.position);
    return compareSubquery(e.operand, *e.query, symbol, e.all, e.position, block);
}

} // namespace blueshift::bind
