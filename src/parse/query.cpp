// SELECT and its clauses, set operations, VALUES, WITH, ORDER BY and LIMIT.

#include "parse/parser.h"

namespace blueshift::parse {

bool Parser::atQuery(size_t ahead) {
    switch (peek(ahead).keyword) {
    case Keyword::kSelect:
    case Keyword::kWith: return true;
    case Keyword::kValues: return at(Symbol::kLeftParen, ahead + 1);
    case Keyword::kTable: return atName(ahead + 1);
    default: return false;
    }
}

/// After a query in parentheses: does the query go on?
bool Parser::atQueryContinuation() {
    switch (peek().keyword) {
    case Keyword::kUnion:
    case Keyword::kIntersect:
    case Keyword::kExcept:
    case Keyword::kMinus:
    case Keyword::kOrder:
    case Keyword::kLimit:
    case Keyword::kOffset: return true;
    case Keyword::kFetch: return at(Keyword::kFirst, 1) || at(Keyword::kNext, 1);
    default: return false;
    }
}

Query* Parser::parseQuery() {
    Level level(*this);
    u32 begin = static_cast<u32>(here());
    WithClause* with = at(Keyword::kWith) ? parseWith() : nullptr;
    return parseQueryAfterWith(with, begin);
}

Query* Parser::parseQueryAfterWith(WithClause* with, u32 begin) {
    Query* query = continueQuery(parseQueryPrimary(), begin);
    if (with == nullptr) return query;
    if (query->with != nullptr)
        failWith(sqlstate::kSyntaxError, "multiple WITH clauses not allowed", query->with->position,
                 "Put all of them into one WITH, separated by commas.");
    query->with = with;
    return query;
}

Query* Parser::continueQuery(Query* first, u32 begin) {
    Query* query = parseSetOperations(first, begin);
    parseQueryTail(query);
    query->begin = begin;
    query->end = static_cast<u32>(last_end_);
    return query;
}

Query* Parser::parseSetOperations(Query* first, u32 begin) {
    Query* left = parseIntersections(first, begin);
    SetOperation* operation = nullptr;
    while (at(Keyword::kUnion) || at(Keyword::kExcept) || at(Keyword::kMinus)) {
        SetOperationArm arm;
        arm.position = here();
        arm.op = take().is(Keyword::kUnion) ? SetOperator::kUnion : SetOperator::kExcept;
        arm.all = accept(Keyword::kAll);
        if (!arm.all) accept(Keyword::kDistinct);
        u32 arm_begin = static_cast<u32>(here());
        arm.query = parseIntersections(parseQueryPrimary(), arm_begin);
        if (operation == nullptr) {
            operation = make<SetOperation>(left->position);
            operation->first = left;
            operation->arms = list<SetOperationArm>();
        }
        operation->arms.push(arm);
    }
    return operation != nullptr ? operation : left;
}

Query* Parser::parseIntersections(Query* first, u32 begin) {
    if (!at(Keyword::kIntersect)) return first;
    SetOperation* operation = make<SetOperation>(first->position);
    operation->first = first;
    operation->arms = list<SetOperationArm>();
    while (at(Keyword::kIntersect)) {
        SetOperationArm arm;
        arm.position = here();
        arm.op = SetOperator::kIntersect;
        take();
        arm.all = accept(Keyword::kAll);
        if (!arm.all) accept(Keyword::kDistinct);
        arm.query = parseQueryPrimary();
        operation->arms.push(arm);
    }
    operation->begin = begin;
    operation->end = static_cast<u32>(last_end_);
    return operation;
}

Query* Parser::parseQueryPrimary() {
    i32 begin = here();
    Query* query = nullptr;
    if (at(Symbol::kLeftParen)) {
        take();
        query = parseQuery();
        expect(Symbol::kRightParen);
        return query;
    }
    if (at(Keyword::kSelect)) {
        query = parseSelect();
    } else if (at(Keyword::kValues)) {
        query = parseValues(false);
    } else if (at(Keyword::kTable)) {
        SelectQuery* select = make<SelectQuery>(begin);
        take();
        FromTable* table = make<FromTable>(here());
        table->name = parseObjectName();
        SelectItem star;
        star.expression = make<Star>(begin);
        select->items = list<SelectItem>();
        select->items.push(star);
        select->from = list<FromItem*>();
        select->from.push(table);
        query = select;
    } else {
        fail("A query is expected here: SELECT, VALUES or a query in parentheses.");
    }
    query->begin = static_cast<u32>(begin);
    query->end = static_cast<u32>(last_end_);
    return query;
}

WithClause* Parser::parseWith() {
    WithClause* with = arena_.make<WithClause>();
    with->position = here();
    expect(Keyword::kWith);
    // A common table may be called "recursive" itself.
    if (at(Keyword::kRecursive) && atName(1)) with->recursive = accept(Keyword::kRecursive);
    with->tables = list<CommonTable*>();
    do {
        CommonTable* table = arena_.make<CommonTable>();
        table->position = here();
        table->name = parseName();
        if (at(Symbol::kLeftParen)) table->columns = parseColumnNamesInParentheses();
        expect(Keyword::kAs);
        if (!accept(Keyword::kNot, Keyword::kMaterialized)) accept(Keyword::kMaterialized);
        expect(Symbol::kLeftParen);
        table->query = parseQuery();
        expect(Symbol::kRightParen);
        with->tables.push(table);
    } while (accept(Symbol::kComma));
    return with;
}

SelectQuery* Parser::parseSelect() {
    SelectQuery* select = make<SelectQuery>(here());
    parseSelectHead(select);
    parseSelectList(select);
    if (at(Keyword::kInto)) parseInto(select);
    if (accept(Keyword::kFrom)) select->from = parseFromList();
    if (accept(Keyword::kWhere)) select->where = parseExpression();
    parseConnectBy(select);
    if (accept(Keyword::kGroup)) {
        expect(Keyword::kBy);
        parseGroupBy(select);
    }
    if (accept(Keyword::kHaving)) select->having = parseExpression();
    if (at(Keyword::kWindow)) parseWindows(select);
    if (accept(Keyword::kQualify)) select->qualify = parseExpression();
    return select;
}

/// SELECT [TOP n] [ALL | DISTINCT [ON (..)]], the two in either order.
void Parser::parseSelectHead(SelectQuery* select) {
    expect(Keyword::kSelect);
    for (;;) {
        if (select->top == nullptr && accept(Keyword::kTop)) {
            select->top = parseOperand();
        } else if (!select->distinct && accept(Keyword::kDistinct)) {
            select->distinct = true;
            if (at(Keyword::kOn)) {
                take();
                expect(Symbol::kLeftParen);
                select->distinct_on = parseExpressions();
                expect(Symbol::kRightParen);
            }
        } else if (!accept(Keyword::kAll)) {
            return;
        }
    }
}

void Parser::parseSelectList(SelectQuery* select) {
    select->items = list<SelectItem>();
    do {
        if (at(Keyword::kFrom)) fail("A comma before FROM is too many, or a column is missing.");
        select->items.push(parseSelectItem());
    } while (accept(Symbol::kComma));
    if (at(Keyword::kExclude)) {
        take();
        select->exclude =
            at(Symbol::kLeftParen) ? parseColumnNamesInParentheses() : parseColumnNames();
    }
    bool clause = at(Keyword::kWindow) || at(Keyword::kFetch);
    if (!clause && startsOperand(peek())) {
        const std::string hint = nearestWordHint(
            {"from", "where", "group", "having", "order", "limit", "union", "into", "qualify"});
        fail(hint.empty() ? "A comma may be missing before it." : hint);
    }
}

SelectItem Parser::parseSelectItem() {
    SelectItem item;
    if (at(Symbol::kStar)) {
        item.expression = make<Star>(here());
        take();
        return item;
    }
    item.expression = parseExpression();
    if (item.expression->is<Star>()) return item;
    if (accept(Keyword::kAs)) {
        item.alias = parseLabel();
        return item;
    }
    bool clause = (at(Keyword::kWindow) && atName(1) && at(Keyword::kAs, 2)) ||
                  (at(Keyword::kFetch) && (at(Keyword::kFirst, 1) || at(Keyword::kNext, 1))) ||
                  (at(Keyword::kExclude) && (at(Symbol::kLeftParen, 1) || atName(1)));
    if (atName() && !clause) item.alias = parseName();
    return item;
}

void Parser::parseInto(SelectQuery* select) {
    into_position_ = here();
    ++into_count_;
    take();
    IntoClause* into = arena_.make<IntoClause>();
    if (at(Keyword::kLocal) && (at(Keyword::kTemp, 1) || at(Keyword::kTemporary, 1))) take();
    if ((at(Keyword::kTemp) || at(Keyword::kTemporary)) &&
        (atName(1) || at(Keyword::kTable, 1) || at(Symbol::kHash, 1))) {
        take();
        into->temporary = true;
    }
    accept(Keyword::kTable);
    into->name = parseObjectName();
    into->temporary |= into->name.name.starts_with('#');
    select->into = into;
}

void Parser::parseConnectBy(SelectQuery* select) {
    for (;;) {
        if (select->start_with == nullptr && accept(Keyword::kStart, Keyword::kWith)) {
            select->start_with = parseExpression();
        } else if (select->connect_by == nullptr && accept(Keyword::kConnect, Keyword::kBy)) {
            select->connect_by = parseExpression();
        } else {
            break;
        }
    }
    if (select->start_with != nullptr && select->connect_by == nullptr)
        fail("START WITH needs CONNECT BY.");
}

void Parser::parseGroupBy(SelectQuery* select) {
    if (accept(Keyword::kAll)) {
        select->group_by_all = true;
        return;
    }
    select->group_by = list<GroupItem*>();
    do select->group_by.push(parseGroupItem());
    while (accept(Symbol::kComma));
}

GroupItem* Parser::parseGroupItem() {
    Level level(*this);
    GroupItem* item = arena_.make<GroupItem>();
    item->position = here();
    if (at(Symbol::kLeftParen) && at(Symbol::kRightParen, 1)) {
        take();
        take();
        item->kind = GroupItemKind::kEmpty;
        return item;
    }
    if (at(Keyword::kRollup) && at(Symbol::kLeftParen, 1)) item->kind = GroupItemKind::kRollup;
    else if (at(Keyword::kCube) && at(Symbol::kLeftParen, 1)) item->kind = GroupItemKind::kCube;
    else if (at(Keyword::kGrouping) && at(Keyword::kSets, 1))
        item->kind = GroupItemKind::kGroupingSets;
    if (item->kind == GroupItemKind::kExpression) {
        item->expression = parseExpression();
        return item;
    }
    if (item->kind == GroupItemKind::kGroupingSets) take();
    take();
    expect(Symbol::kLeftParen);
    item->items = list<GroupItem*>();
    do item->items.push(parseGroupItem());
    while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
    return item;
}

void Parser::parseWindows(SelectQuery* select) {
    expect(Keyword::kWindow);
    select->windows = list<NamedWindow>();
    do {
        NamedWindow window;
        window.name = parseName();
        expect(Keyword::kAs);
        window.spec = parseWindowSpec();
        select->windows.push(window);
    } while (accept(Symbol::kComma));
}

ValuesQuery* Parser::parseValues(bool allow_default) {
    ValuesQuery* values = make<ValuesQuery>(here());
    expect(Keyword::kValues);
    values->rows = list<List<Expression*>>();
    do {
        i32 position = here();
        values->rows.push(parseValueRow(allow_default));
        if (values->rows.back().size() != values->rows[0].size())
            failWith(sqlstate::kSyntaxError, "VALUES lists must all be the same length", position,
                     "Row " + std::to_string(values->rows.size()) + " has " +
                         std::to_string(values->rows.back().size()) +
                         " values, the first row has " + std::to_string(values->rows[0].size()) +
                         ".");
    } while (accept(Symbol::kComma));
    if (at(Symbol::kLeftParen)) fail("A comma is missing between two rows.");
    values->begin = static_cast<u32>(values->position);
    values->end = static_cast<u32>(last_end_);
    return values;
}

List<OrderItem> Parser::parseOrderBy() {
    expect(Keyword::kOrder);
    expect(Keyword::kBy);
    List<OrderItem> items = list<OrderItem>();
    do {
        OrderItem item;
        item.expression = parseExpression();
        item.descending = at(Keyword::kDesc);
        if (!accept(Keyword::kDesc)) accept(Keyword::kAsc);
        if (accept(Keyword::kNulls)) {
            if (accept(Keyword::kFirst)) {
                item.nulls = NullsOrder::kFirst;
            } else {
                expect(Keyword::kLast);
                item.nulls = NullsOrder::kLast;
            }
        }
        items.push(item);
    } while (accept(Symbol::kComma));
    return items;
}

/// ORDER BY, LIMIT, OFFSET, FETCH, FOR UPDATE.
void Parser::parseQueryTail(Query* query) {
    auto once = [&](bool seen, const char* clause) {
        if (seen)
            failWith(sqlstate::kSyntaxError,
                     std::string("multiple ") + clause + " clauses not allowed", here(),
                     "Put the inner query into FROM (..).");
    };
    if (at(Keyword::kOrder)) {
        once(!query->order_by.empty(), "ORDER BY");
        query->order_by = parseOrderBy();
    }
    for (;;) {
        if (at(Keyword::kLimit)) {
            once(query->limit != nullptr, "LIMIT");
            parseLimit(query);
        } else if (at(Keyword::kOffset)) {
            once(query->offset != nullptr, "OFFSET");
            take();
            query->offset = parseExpression();
            if (!accept(Keyword::kRows)) accept(Keyword::kRow);
        } else if (at(Keyword::kFetch) && (at(Keyword::kFirst, 1) || at(Keyword::kNext, 1))) {
            once(query->limit != nullptr, "LIMIT");
            parseFetch(query);
        } else {
            break;
        }
    }
    if (query->limit != nullptr && query->is<SelectQuery>() &&
        query->as<SelectQuery>()->top != nullptr)
        failWith(sqlstate::kSyntaxError, "TOP and LIMIT cannot be used together",
                 query->limit->position, "Remove one of the two.");
    while (at(Keyword::kFor) && (at(Keyword::kUpdate, 1) || at(Keyword::kShare, 1))) {
        take();
        take();
        query->for_update = true;
    }
}

void Parser::parseLimit(Query* query) {
    expect(Keyword::kLimit);
    if (accept(Keyword::kAll)) return;
    query->limit = parseExpression();
    if (at(Symbol::kComma))
        failWith(sqlstate::kSyntaxError, "LIMIT #,# syntax is not supported", here(),
                 "Use LIMIT and OFFSET.");
}

void Parser::parseFetch(Query* query) {
    i32 position = here();
    take();
    take();
    bool counted = !at(Keyword::kRow) && !at(Keyword::kRows);
    query->limit = counted ? parseExpression() : makeInteger("1", position);
    if (!accept(Keyword::kRows)) expect(Keyword::kRow);
    if (accept(Keyword::kWith)) {
        expect(Keyword::kTies);
        query->with_ties = true;
    } else {
        expect(Keyword::kOnly);
    }
}

} // namespace blueshift::parse
