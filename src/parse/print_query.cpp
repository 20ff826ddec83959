// Queries and FROM as text.

#include <vector>

#include "parse/printer.h"

namespace blueshift::parse {

void Printer::query(const Query* query) {
    if (query->with != nullptr) with(query->with);
    switch (query->kind) {
    case QueryKind::kSelect: select(query->as<SelectQuery>()); break;
    case QueryKind::kSetOperation: setOperation(query->as<SetOperation>()); break;
    case QueryKind::kValues: values(query->as<ValuesQuery>()); break;
    }
    queryTail(query);
}

void Printer::with(const WithClause* with) {
    put(with->recursive ? "WITH RECURSIVE " : "WITH ");
    commas(with->tables, [&](const CommonTable* table) {
        name(table->name);
        if (!table->columns.empty()) {
            put(" ");
            columnNamesInParentheses(table->columns);
        }
        put(" AS ");
        queryInParentheses(table->query);
    });
    put(" ");
}

void Printer::queryTail(const Query* query) {
    if (!query->order_by.empty()) {
        put(" ORDER BY ");
        orderItems(query->order_by);
    }
    if (query->offset != nullptr && query->with_ties) {
        put(" OFFSET ");
        expression(query->offset);
    }
    if (query->limit != nullptr && query->with_ties) {
        put(" FETCH FIRST ");
        expression(query->limit);
        put(" ROWS WITH TIES");
    } else {
        if (query->limit != nullptr) {
            put(" LIMIT ");
            expression(query->limit);
        }
        if (query->offset != nullptr) {
            put(" OFFSET ");
            expression(query->offset);
        }
    }
    if (query->for_update) put(" FOR UPDATE");
}

void Printer::select(const SelectQuery* select) {
    put("SELECT ");
    if (select->top != nullptr) {
        put("TOP ");
        bool simple = select->top->is<Literal>() || select->top->is<Parameter>();
        if (!simple) put("(");
        expression(select->top);
        put(simple ? " " : ") ");
    }
    if (select->distinct) put("DISTINCT ");
    if (!select->distinct_on.empty()) {
        put("ON (");
        expressions(select->distinct_on);
        put(") ");
    }
    commas(select->items, [&](const SelectItem& item) {
        expression(item.expression);
        if (item.alias.empty()) return;
        put(" AS ");
        name(item.alias);
    });
    if (!select->exclude.empty()) {
        put(" EXCLUDE ");
        columnNamesInParentheses(select->exclude);
    }
    if (select->into != nullptr) {
        put(select->into->temporary ? " INTO TEMP TABLE " : " INTO TABLE ");
        objectName(select->into->name);
    }
    if (!select->from.empty()) {
        put(" FROM ");
        fromList(select->from);
    }
    auto clause = [&](std::string_view word, const Expression* e) {
        if (e == nullptr) return;
        put(word);
        expression(e);
    };
    clause(" WHERE ", select->where);
    clause(" START WITH ", select->start_with);
    clause(" CONNECT BY ", select->connect_by);
    if (select->group_by_all) put(" GROUP BY ALL");
    if (!select->group_by.empty()) {
        put(" GROUP BY ");
        commas(select->group_by, [&](const GroupItem* item) { groupItem(item); });
    }
    clause(" HAVING ", select->having);
    if (!select->windows.empty()) {
        put(" WINDOW ");
        commas(select->windows, [&](const NamedWindow& named) {
            name(named.name);
            put(" AS ");
            window(*named.spec);
        });
    }
    clause(" QUALIFY ", select->qualify);
}

void Printer::groupItem(const GroupItem* item) {
    switch (item->kind) {
    case GroupItemKind::kExpression: return expression(item->expression);
    case GroupItemKind::kEmpty: return put("()");
    case GroupItemKind::kRollup: put("ROLLUP ("); break;
    case GroupItemKind::kCube: put("CUBE ("); break;
    case GroupItemKind::kGroupingSets: put("GROUPING SETS ("); break;
    }
    commas(item->items, [&](const GroupItem* inner) { groupItem(inner); });
    put(")");
}

/// A side of a set operation, in parentheses where it is more than a SELECT.
void Printer::operandQuery(const Query* side) {
    bool parentheses = side->is<SetOperation>() || side->with != nullptr ||
                       !side->order_by.empty() || side->limit != nullptr ||
                       side->offset != nullptr || side->for_update;
    if (parentheses) queryInParentheses(side);
    else query(side);
}

void Printer::setOperation(const SetOperation* operation) {
    static constexpr std::string_view kWords[] = {" UNION ", " INTERSECT ", " EXCEPT "};
    operandQuery(operation->first);
    for (const SetOperationArm& arm : operation->arms) {
        put(kWords[static_cast<u8>(arm.op)]);
        if (arm.all) put("ALL ");
        operandQuery(arm.query);
    }
}

void Printer::values(const ValuesQuery* values) {
    put("VALUES ");
    commas(values->rows, [&](const List<Expression*>& row) {
        put("(");
        expressions(row);
        put(")");
    });
}

void Printer::fromList(const List<FromItem*>& items) {
    commas(items, [&](const FromItem* item) { fromItem(item); });
}

void Printer::alias(const FromItem* item) {
    if (item->alias.empty()) return;
    put(" AS ");
    name(item->alias);
    if (item->columns.empty()) return;
    put(" ");
    columnNamesInParentheses(item->columns);
}

void Printer::pivotItems(const List<PivotItem>& items) {
    commas(items, [&](const PivotItem& item) {
        expression(item.expression);
        if (item.alias.empty()) return;
        put(" AS ");
        name(item.alias);
    });
}

void Printer::functionItem(const FromFunction* item) {
    if (item->lateral) put("LATERAL ");
    expression(item->call);
    if (item->with_offset) put(" WITH OFFSET");
    if (item->with_ordinality) put(" WITH ORDINALITY");
    if (item->definitions.empty()) return alias(item);
    put(" AS ");
    if (!item->alias.empty()) {
        name(item->alias);
        put(" ");
    }
    put("(");
    commas(item->definitions, [&](const FunctionColumn& column) {
        name(column.name);
        put(" ");
        typeName(*column.type);
    });
    put(")");
}

void Printer::fromItem(const FromItem* item) {
    auto index = [&](std::string_view at) {
        if (at.empty()) return;
        put(" AT ");
        name(at);
    };
    switch (item->kind) {
    case FromKind::kTable:
        objectName(item->as<FromTable>()->name);
        alias(item);
        return index(item->as<FromTable>()->at);
    case FromKind::kQuery:
        if (item->as<FromQuery>()->lateral) put("LATERAL ");
        queryInParentheses(item->as<FromQuery>()->query);
        return alias(item);
    case FromKind::kFunction: return functionItem(item->as<FromFunction>());
    case FromKind::kJoin: return joins(item->as<FromJoin>());
    case FromKind::kPath:
        expression(item->as<FromPath>()->path, Precedence::kPostfix);
        alias(item);
        return index(item->as<FromPath>()->at);
    case FromKind::kObjectUnpivot:
        put("UNPIVOT ");
        expression(item->as<FromObjectUnpivot>()->path, Precedence::kPostfix);
        alias(item);
        return index(item->as<FromObjectUnpivot>()->at);
    case FromKind::kPivot: {
        const FromPivot* pivot = item->as<FromPivot>();
        nestedItem(pivot->input);
        put(" PIVOT (");
        pivotItems(pivot->aggregates);
        put(" FOR ");
        expression(pivot->column, Precedence::kOther);
        put(" IN (");
        pivotItems(pivot->values);
        put("))");
        return alias(item);
    }
    case FromKind::kUnpivot: {
        const FromUnpivot* unpivot = item->as<FromUnpivot>();
        nestedItem(unpivot->input);
        put(unpivot->include_nulls ? " UNPIVOT INCLUDE NULLS (" : " UNPIVOT (");
        name(unpivot->value_column.name);
        put(" FOR ");
        name(unpivot->name_column.name);
        put(" IN (");
        pivotItems(unpivot->sources);
        put("))");
        return alias(item);
    }
    }
}

void Printer::nestedItem(const FromItem* item) {
    // A join with an alias prints its own parentheses.
    bool parentheses = item->is<FromJoin>() && item->alias.empty();
    if (parentheses) put("(");
    fromItem(item);
    if (parentheses) put(")");
}

/// A chain of joins from left to right.
void Printer::joins(const FromJoin* last) {
    static constexpr std::string_view kWords[] = {"JOIN ", "LEFT JOIN ", "RIGHT JOIN ",
                                                  "FULL JOIN ", "CROSS JOIN "};
    if (!last->alias.empty()) put("(");
    std::vector<const FromJoin*> chain = {last};
    while (chain.back()->left->is<FromJoin>() && chain.back()->left->alias.empty())
        chain.push_back(chain.back()->left->as<FromJoin>());
    fromItem(chain.back()->left);
    for (size_t i = chain.size(); i-- > 0;) {
        const FromJoin* join = chain[i];
        put(join->natural ? " NATURAL " : " ");
        put(kWords[static_cast<u8>(join->type)]);
        nestedItem(join->right);
        if (join->on != nullptr) {
            put(" ON ");
            expression(join->on);
        } else if (!join->using_columns.empty()) {
            put(" USING ");
            columnNamesInParentheses(join->using_columns);
        }
    }
    if (last->alias.empty()) return;
    put(")");
    alias(last);
}

std::string print(const Query& query) {
    Printer printer;
    printer.query(&query);
    return printer.take();
}

} // namespace blueshift::parse
