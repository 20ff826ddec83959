// FROM: tables, derived tables, functions, joins, PIVOT and UNPIVOT.

#include "parse/parser.h"

namespace blueshift::parse {

List<FromItem*> Parser::parseFromList() {
    List<FromItem*> items = list<FromItem*>();
    do items.push(parseFromItem());
    while (accept(Symbol::kComma));
    return items;
}

FromItem* Parser::parseFromItem() {
    Level level(*this);
    return continueJoins(parseFromPrimary());
}

/// The words of a join, up to and with JOIN; false if none follows.
bool Parser::acceptJoin(FromJoin& join) {
    Keyword first = peek().keyword;
    size_t words = 0;
    if (first == Keyword::kNatural) {
        join.natural = true;
        first = peek(++words).keyword;
    }
    switch (first) {
    case Keyword::kJoin: break;
    case Keyword::kInner: ++words; break;
    case Keyword::kCross:
        join.type = JoinType::kCross;
        ++words;
        break;
    case Keyword::kLeft: join.type = JoinType::kLeft; break;
    case Keyword::kRight: join.type = JoinType::kRight; break;
    case Keyword::kFull: join.type = JoinType::kFull; break;
    default: return false;
    }
    if (join.type == JoinType::kLeft || join.type == JoinType::kRight ||
        join.type == JoinType::kFull)
        words += at(Keyword::kOuter, words + 1) ? 2 : 1;
    for (size_t i = 0; i < words; ++i) take();
    expect(Keyword::kJoin);
    return true;
}

FromItem* Parser::continueJoins(FromItem* left) {
    for (;;) {
        FromJoin description(here());
        if (!acceptJoin(description)) return left;
        FromJoin* join = make<FromJoin>(description.position);
        *join = description;
        join->left = left;
        join->right = parseFromPrimary();
        bool conditional = !join->natural && join->type != JoinType::kCross;
        if (conditional && !at(Keyword::kOn) && !at(Keyword::kUsing)) {
            // a JOIN b JOIN c ON x ON y: the condition of this join comes after that of the next.
            Level level(*this);
            join->right = continueJoins(join->right);
        }
        if (conditional && accept(Keyword::kOn)) {
            join->on = parseExpression();
        } else if (conditional && accept(Keyword::kUsing)) {
            join->using_columns = parseColumnNamesInParentheses();
        } else if (conditional) {
            bool may_be_path =
                join->right->is<FromPath>() || (join->right->is<FromTable>() &&
                                                !join->right->as<FromTable>()->name.schema.empty());
            if (!may_be_path) fail("JOIN needs ON .. or USING (..).");
        }
        left = join;
    }
}

FromItem* Parser::parseFromPrimary() {
    i32 position = here();
    bool lateral = at(Keyword::kLateral) &&
                   (at(Symbol::kLeftParen, 1) || atName(1) || at(Keyword::kUnnest, 1));
    if (lateral) take();
    FromItem* item = nullptr;
    if (at(Symbol::kLeftParen)) {
        ParenthesizedFrom inner = parseFromParentheses();
        if (inner.query != nullptr) {
            item = finishFromQuery(inner.query, lateral, position);
        } else {
            item = inner.item;
            if (atTableAlias()) {
                if (!item->alias.empty()) fail("This table has an alias already.");
                parseTableAlias(item);
            }
        }
    } else if (accept(Keyword::kUnpivot)) {
        FromObjectUnpivot* unpivot = make<FromObjectUnpivot>(position);
        unpivot->path = parseExpression(Precedence::kPostfix);
        expect(Keyword::kAs);
        unpivot->alias = parseName();
        if (accept(Keyword::kAt)) unpivot->at = parseName();
        item = unpivot;
    } else {
        item = parseFromName(lateral);
    }
    return parsePivots(item);
}

/// As parseParentheses(), for FROM: a query, or a join in parentheses.
Parser::ParenthesizedFrom Parser::parseFromParentheses() {
    Level level(*this);
    expect(Symbol::kLeftParen);
    ParenthesizedFrom result;
    if (atQuery()) {
        result.query = parseQuery();
    } else if (at(Symbol::kLeftParen)) {
        i32 begin = here();
        ParenthesizedFrom inner = parseFromParentheses();
        if (inner.query != nullptr && at(Symbol::kRightParen)) {
            result.query = inner.query;
        } else if (inner.query != nullptr && atQueryContinuation()) {
            result.query = continueQuery(inner.query, static_cast<u32>(begin));
        } else if (inner.query != nullptr) {
            result.item = continueJoins(parsePivots(finishFromQuery(inner.query, false, begin)));
        } else {
            if (atTableAlias()) {
                if (!inner.item->alias.empty()) fail("This table has an alias already.");
                parseTableAlias(inner.item);
            }
            result.item = continueJoins(parsePivots(inner.item));
        }
    } else {
        result.item = parseFromItem();
    }
    if (result.item != nullptr && at(Symbol::kComma))
        fail("Parentheses in FROM hold one query or one join.");
    expect(Symbol::kRightParen);
    return result;
}

FromItem* Parser::finishFromQuery(Query* query, bool lateral, i32 position) {
    FromQuery* item = make<FromQuery>(position);
    item->query = query;
    item->lateral = lateral;
    parseTableAlias(item);
    return item;
}

FromItem* Parser::parseFromName(bool lateral) {
    i32 position = here();
    Token token = peek();
    switch (token.keyword) {
    case Keyword::kLeft:
    case Keyword::kRight:
    case Keyword::kUnnest:
        if (at(Symbol::kLeftParen, 1)) {
            take();
            ObjectName name;
            name.name = token.text;
            name.position = position;
            return parseFromFunction(parseCallAfterName(name), lateral, position);
        }
        break;
    case Keyword::kCurrentDate:
    case Keyword::kCurrentTime:
    case Keyword::kCurrentTimestamp:
    case Keyword::kCurrentUser:
    case Keyword::kCurrentUserId:
    case Keyword::kLocaltime:
    case Keyword::kLocaltimestamp:
    case Keyword::kSessionUser:
    case Keyword::kSysdate:
    case Keyword::kUser:
        return parseFromFunction(parseKeywordCall()->as<FunctionCall>(), lateral, position);
    default: break;
    }
    List<std::string_view> parts = list<std::string_view>();
    parts.push(parseName());
    while (accept(Symbol::kDot)) parts.push(parseLabel());
    if (at(Symbol::kLeftParen))
        return parseFromFunction(parseCallAfterName(objectNameOf(parts, position)), lateral,
                                 position);
    if (at(Symbol::kLeftBracket) || parts.size() > 3) return parseFromPath(parts, position);
    FromTable* table = make<FromTable>(position);
    table->name = objectNameOf(parts, position);
    accept(Symbol::kStar);
    parseTableAlias(table);
    if (at(Keyword::kAt) && atName(1)) {
        take();
        table->at = parseName();
    }
    return table;
}

FromItem* Parser::parseFromPath(const List<std::string_view>& parts, i32 position) {
    ColumnReference* column = make<ColumnReference>(position);
    column->parts = parts;
    FromPath* path = make<FromPath>(position);
    path->path = continueExpression(column, Precedence::kPostfix);
    parseTableAlias(path);
    if (at(Keyword::kAt) && atName(1)) {
        take();
        path->at = parseName();
    }
    return path;
}

FromItem* Parser::parseFromFunction(FunctionCall* call, bool lateral, i32 position) {
    FromFunction* item = make<FromFunction>(position);
    item->call = call;
    item->lateral = lateral;
    if (accept(Keyword::kWith, Keyword::kOffset)) item->with_offset = true;
    else if (accept(Keyword::kWith, Keyword::kOrdinality)) item->with_ordinality = true;
    bool as = accept(Keyword::kAs);
    if (atName() && (as || atTableAlias())) item->alias = parseName();
    if (!at(Symbol::kLeftParen)) {
        if (as && item->alias.empty()) fail("A name is expected after AS.");
        return item;
    }
    if (item->alias.empty() && !as) return item;
    take();
    bool typed = !at(Symbol::kComma, 1) && !at(Symbol::kRightParen, 1);
    if (typed) {
        item->definitions = list<FunctionColumn>();
        do {
            FunctionColumn column;
            column.position = here();
            column.name = parseName();
            column.type = parseType();
            item->definitions.push(column);
        } while (accept(Symbol::kComma));
    } else {
        item->columns = parseColumnNames();
    }
    expect(Symbol::kRightParen);
    return item;
}

bool Parser::atTableAlias(size_t ahead) {
    if (at(Keyword::kAs, ahead)) return true;
    if (!atName(ahead)) return false;
    switch (peek(ahead).keyword) {
    case Keyword::kReturning: return false;
    case Keyword::kAt: return !atName(ahead + 1);
    case Keyword::kWindow: return !(atName(ahead + 1) && at(Keyword::kAs, ahead + 2));
    case Keyword::kFetch: return !at(Keyword::kFirst, ahead + 1) && !at(Keyword::kNext, ahead + 1);
    default: return true;
    }
}

/// [[AS] alias [(columns)]]
void Parser::parseTableAlias(FromItem* item) {
    if (!atTableAlias()) return;
    accept(Keyword::kAs);
    item->alias = parseName();
    if (at(Symbol::kLeftParen)) item->columns = parseColumnNamesInParentheses();
}

FromItem* Parser::parsePivots(FromItem* item) {
    for (;;) {
        if (at(Keyword::kPivot)) item = parsePivot(item);
        else if (at(Keyword::kUnpivot)) item = parseUnpivot(item);
        else return item;
    }
}

List<PivotItem> Parser::parsePivotItems() {
    List<PivotItem> items = list<PivotItem>();
    do {
        PivotItem item;
        item.expression = parseExpression();
        if (accept(Keyword::kAs)) item.alias = parseLabel();
        else if (atName()) item.alias = parseName();
        items.push(item);
    } while (accept(Symbol::kComma));
    return items;
}

FromItem* Parser::parsePivot(FromItem* input) {
    FromPivot* pivot = make<FromPivot>(here());
    take();
    pivot->input = input;
    expect(Symbol::kLeftParen);
    pivot->aggregates = parsePivotItems();
    expect(Keyword::kFor);
    pivot->column = parseExpression(Precedence::kOther);
    expect(Keyword::kIn);
    expect(Symbol::kLeftParen);
    pivot->values = parsePivotItems();
    expect(Symbol::kRightParen);
    expect(Symbol::kRightParen);
    parseTableAlias(pivot);
    return pivot;
}

FromItem* Parser::parseUnpivot(FromItem* input) {
    FromUnpivot* unpivot = make<FromUnpivot>(here());
    take();
    unpivot->input = input;
    if (accept(Keyword::kInclude, Keyword::kNulls)) unpivot->include_nulls = true;
    else accept(Keyword::kExclude, Keyword::kNulls);
    expect(Symbol::kLeftParen);
    unpivot->value_column = parseColumnName();
    expect(Keyword::kFor);
    unpivot->name_column = parseColumnName();
    expect(Keyword::kIn);
    expect(Symbol::kLeftParen);
    unpivot->sources = parsePivotItems();
    expect(Symbol::kRightParen);
    expect(Symbol::kRightParen);
    parseTableAlias(unpivot);
    return unpivot;
}

} // namespace blueshift::parse
