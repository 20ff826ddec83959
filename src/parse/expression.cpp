// Operators of expressions, by precedence climbing. Chains are loops; only operands nest.

#include "parse/parser.h"

namespace blueshift::parse {

namespace {

Precedence above(Precedence level) {
    return static_cast<Precedence>(static_cast<u8>(level) + 1);
}

struct InfixSymbol {
    Symbol symbol;
    BinaryOperator op;
    Precedence level;
};

constexpr InfixSymbol kInfixSymbols[] = {
    {Symbol::kEqual, BinaryOperator::kEqual, Precedence::kComparison},
    {Symbol::kNotEqual, BinaryOperator::kNotEqual, Precedence::kComparison},
    {Symbol::kLess, BinaryOperator::kLess, Precedence::kComparison},
    {Symbol::kLessEqual, BinaryOperator::kLessEqual, Precedence::kComparison},
    {Symbol::kGreater, BinaryOperator::kGreater, Precedence::kComparison},
    {Symbol::kGreaterEqual, BinaryOperator::kGreaterEqual, Precedence::kComparison},
    {Symbol::kPlus, BinaryOperator::kAdd, Precedence::kAdditive},
    {Symbol::kMinus, BinaryOperator::kSubtract, Precedence::kAdditive},
    {Symbol::kStar, BinaryOperator::kMultiply, Precedence::kMultiplicative},
    {Symbol::kSlash, BinaryOperator::kDivide, Precedence::kMultiplicative},
    {Symbol::kPercent, BinaryOperator::kModulo, Precedence::kMultiplicative},
    {Symbol::kCaret, BinaryOperator::kPower, Precedence::kPower},
    {Symbol::kConcatenate, BinaryOperator::kConcatenate, Precedence::kOther},
    {Symbol::kAmpersand, BinaryOperator::kBitAnd, Precedence::kOther},
    {Symbol::kPipe, BinaryOperator::kBitOr, Precedence::kOther},
    {Symbol::kHash, BinaryOperator::kBitXor, Precedence::kOther},
    {Symbol::kShiftLeft, BinaryOperator::kShiftLeft, Precedence::kOther},
    {Symbol::kShiftRight, BinaryOperator::kShiftRight, Precedence::kOther},
    {Symbol::kTilde, BinaryOperator::kRegexMatch, Precedence::kOther},
    {Symbol::kTildeStar, BinaryOperator::kRegexMatchNoCase, Precedence::kOther},
    {Symbol::kNotTilde, BinaryOperator::kRegexNotMatch, Precedence::kOther},
    {Symbol::kNotTildeStar, BinaryOperator::kRegexNotMatchNoCase, Precedence::kOther},
};

} // namespace

bool Parser::infixOperator(size_t ahead, BinaryOperator& op, Precedence& level) {
    Symbol symbol = peek(ahead).symbol;
    for (const InfixSymbol& entry : kInfixSymbols) {
        if (entry.symbol != symbol) continue;
        op = entry.op;
        level = entry.level;
        return true;
    }
    return false;
}

Expression* Parser::parseExpression(Precedence minimum) {
    Level level(*this);
    return continueExpression(parsePrefix(), minimum);
}

Expression* Parser::continueExpression(Expression* left, Precedence minimum) {
    // Level of a comparison or predicate just read: another one at that level is an error.
    Precedence ceiling = Precedence::kLowest;
    while (Expression* longer = parseInfix(left, minimum, ceiling)) left = longer;
    return left;
}

Expression* Parser::parsePrefix() {
    Token token = peek();
    UnaryOperator op;
    Precedence operand_level = above(Precedence::kOther);
    switch (token.symbol) {
    case Symbol::kPlus:
        op = UnaryOperator::kPlus;
        operand_level = Precedence::kUnaryMinus;
        break;
    case Symbol::kMinus:
        op = UnaryOperator::kMinus;
        operand_level = Precedence::kUnaryMinus;
        break;
    case Symbol::kTilde: op = UnaryOperator::kBitNot; break;
    case Symbol::kAt: op = UnaryOperator::kAbsolute; break;
    case Symbol::kSquareRoot: op = UnaryOperator::kSquareRoot; break;
    case Symbol::kCubeRoot: op = UnaryOperator::kCubeRoot; break;
    default:
        if (token.is(Keyword::kNot)) return parseNot();
        if (!token.is(Keyword::kPrior) || !atName(1)) return parseOperand();
        op = UnaryOperator::kPrior;
        operand_level = Precedence::kUnaryMinus;
    }
    take();
    Unary* unary = make<Unary>(token.begin);
    unary->op = op;
    unary->operand = parseExpression(operand_level);
    return unary;
}

Expression* Parser::parseNot() {
    i32 position = here();
    size_t count = 0;
    while (accept(Keyword::kNot)) ++count;
    Expression* result = parseExpression(Precedence::kIs);
    for (size_t i = 0; i < 2 - count % 2; ++i) {
        Unary* unary = make<Unary>(position);
        unary->op = UnaryOperator::kNot;
        unary->operand = result;
        result = unary;
    }
    return result;
}

/// One infix or postfix operator and its right side, or null if none binds at `minimum`.
Expression* Parser::parseInfix(Expression* left, Precedence minimum, Precedence& ceiling) {
    const Token& token = peek();
    i32 position = token.begin;
    auto binds = [&](Precedence level) { return level >= minimum; };
    auto notRepeated = [&](Precedence level) {
        if (ceiling == level)
            fail("Comparisons do not chain; use parentheses, or AND between two comparisons.");
        ceiling = level;
    };
    if (token.kind == TokenKind::kSymbol) {
        if (token.is(Symbol::kLeftBracket)) return parseSubscript(left);
        if (token.is(Symbol::kDoubleColon)) {
            take();
            Cast* cast = make<Cast>(position);
            cast->operand = left;
            cast->type = parseType();
            return cast;
        }
        if (token.is(Symbol::kDot)) {
            take();
            FieldAccess* field = make<FieldAccess>(position);
            field->operand = left;
            field->field = parseLabel();
            return field;
        }
        BinaryOperator op;
        Precedence level;
        if (infixOperator(0, op, level)) {
            if (!binds(level)) return nullptr;
            if (level == Precedence::kComparison) notRepeated(level);
            take();
            return parseBinary(left, op, level, position);
        }
        if (token.is(Symbol::kLike) || token.is(Symbol::kLikeNoCase) ||
            token.is(Symbol::kNotLike) || token.is(Symbol::kNotLikeNoCase)) {
            if (!binds(Precedence::kPredicate)) return nullptr;
            bool negated = token.is(Symbol::kNotLike) || token.is(Symbol::kNotLikeNoCase);
            bool no_case = token.is(Symbol::kLikeNoCase) || token.is(Symbol::kNotLikeNoCase);
            notRepeated(Precedence::kPredicate);
            take();
            return parseLike(left, no_case ? LikeKind::kLikeNoCase : LikeKind::kLike, negated,
                             position);
        }
        return nullptr;
    }
    switch (token.keyword) {
    case Keyword::kAnd: return binds(Precedence::kAnd) ? parseLogical(left, true) : nullptr;
    case Keyword::kOr: return binds(Precedence::kOr) ? parseLogical(left, false) : nullptr;
    case Keyword::kIs:
    case Keyword::kIsnull:
    case Keyword::kNotnull:
        ceiling = Precedence::kLowest;
        return binds(Precedence::kIs) ? parseIs(left) : nullptr;
    case Keyword::kNot:
    case Keyword::kBetween:
    case Keyword::kIn:
    case Keyword::kLike:
    case Keyword::kIlike:
    case Keyword::kSimilar: {
        bool negated = token.is(Keyword::kNot);
        Keyword word = peek(negated ? 1 : 0).keyword;
        if (word != Keyword::kBetween && word != Keyword::kIn && word != Keyword::kLike &&
            word != Keyword::kIlike && word != Keyword::kSimilar)
            return nullptr;
        if (!binds(Precedence::kPredicate)) return nullptr;
        notRepeated(Precedence::kPredicate);
        if (negated) take();
        return parsePredicate(left, negated, position);
    }
    case Keyword::kOverlaps: return binds(Precedence::kPredicate) ? parseOverlaps(left) : nullptr;
    case Keyword::kAt: {
        if (!at(Keyword::kTime, 1) || !at(Keyword::kZone, 2)) return nullptr;
        if (!binds(Precedence::kAtTimeZone)) return nullptr;
        accept(Keyword::kAt, Keyword::kTime, Keyword::kZone);
        FunctionCall* call = make<FunctionCall>(position);
        call->form = CallForm::kAtTimeZone;
        call->name.name = "timezone";
        call->name.position = position;
        call->arguments = list<Expression*>();
        call->arguments.push(parseExpression(above(Precedence::kAtTimeZone)));
        call->arguments.push(left);
        return call;
    }
    case Keyword::kCollate: {
        if (!collate_allowed_ || !binds(Precedence::kCollate)) return nullptr;
        take();
        Collate* collate = make<Collate>(position);
        collate->operand = left;
        collate->collation = parseObjectName();
        return collate;
    }
    case Keyword::kOperator: {
        if (!at(Symbol::kLeftParen, 1) || !binds(Precedence::kOther)) return nullptr;
        BinaryOperator op = BinaryOperator::kEqual;
        LikeKind like = LikeKind::kLike;
        bool negated = false;
        bool is_like = false;
        if (!qualifiedOperator(op, like, negated, is_like))
            fail("OPERATOR(..) takes one infix operator.");
        if (is_like) return parseLike(left, like, negated, position);
        return parseBinary(left, op, Precedence::kOther, position);
    }
    default: return nullptr;
    }
}

Expression* Parser::parseLogical(Expression* left, bool is_and) {
    Logical* logical = make<Logical>(here());
    logical->is_and = is_and;
    logical->terms = list<Expression*>();
    logical->terms.push(left);
    Keyword word = is_and ? Keyword::kAnd : Keyword::kOr;
    while (accept(word))
        logical->terms.push(parseExpression(above(is_and ? Precedence::kAnd : Precedence::kOr)));
    return logical;
}

/// The operator is taken already.
Expression* Parser::parseBinary(Expression* left, BinaryOperator op, Precedence level,
                                i32 position) {
    bool quantified =
        (at(Keyword::kAny) || at(Keyword::kSome) || at(Keyword::kAll)) && at(Symbol::kLeftParen, 1);
    if (quantified) {
        Quantified* result = make<Quantified>(position);
        result->op = op;
        result->all = at(Keyword::kAll);
        result->operand = left;
        take();
        Parenthesized inner = parseParentheses();
        result->query = inner.query;
        if (inner.query == nullptr) {
            if (inner.items.size() != 1) fail("ANY and ALL take a query or one array.");
            result->array = inner.items[0];
        }
        return result;
    }
    Binary* binary = make<Binary>(position);
    binary->op = op;
    binary->left = left;
    binary->right = parseExpression(above(level));
    return binary;
}

/// OPERATOR(schema.op), the form in which psql writes its patterns.
bool Parser::qualifiedOperator(BinaryOperator& op, LikeKind& like, bool& negated, bool& is_like) {
    take();
    expect(Symbol::kLeftParen);
    while (peek().kind == TokenKind::kWord || peek().kind == TokenKind::kQuotedName) {
        take();
        expect(Symbol::kDot);
    }
    Precedence level;
    Symbol symbol = peek().symbol;
    negated = symbol == Symbol::kNotLike || symbol == Symbol::kNotLikeNoCase;
    bool no_case = symbol == Symbol::kLikeNoCase || symbol == Symbol::kNotLikeNoCase;
    is_like = negated || no_case || symbol == Symbol::kLike;
    like = no_case ? LikeKind::kLikeNoCase : LikeKind::kLike;
    if (!is_like && !infixOperator(0, op, level)) return false;
    take();
    expect(Symbol::kRightParen);
    return true;
}

Expression* Parser::parseIs(Expression* left) {
    Token token = take();
    Is* is = make<Is>(token.begin);
    is->operand = left;
    is->test = IsTest::kNull;
    if (token.is(Keyword::kIsnull)) return is;
    is->negated = token.is(Keyword::kNotnull) || accept(Keyword::kNot);
    if (token.is(Keyword::kNotnull) || accept(Keyword::kNull)) return is;
    if (accept(Keyword::kTrue)) {
        is->test = IsTest::kTrue;
        return is;
    }
    if (accept(Keyword::kFalse)) {
        is->test = IsTest::kFalse;
        return is;
    }
    if (accept(Keyword::kUnknown)) {
        is->test = IsTest::kUnknown;
        return is;
    }
    if (accept(Keyword::kDistinct, Keyword::kFrom)) {
        Binary* binary = make<Binary>(token.begin);
        binary->op = is->negated ? BinaryOperator::kNotDistinct : BinaryOperator::kDistinct;
        binary->left = left;
        binary->right = parseExpression(above(Precedence::kIs));
        return binary;
    }
    fail("IS is followed by [NOT] NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM.");
}

Expression* Parser::parsePredicate(Expression* left, bool negated, i32 position) {
    if (accept(Keyword::kIn)) return parseIn(left, negated, position);
    if (accept(Keyword::kLike)) return parseLike(left, LikeKind::kLike, negated, position);
    if (accept(Keyword::kIlike)) return parseLike(left, LikeKind::kLikeNoCase, negated, position);
    if (accept(Keyword::kSimilar)) {
        expect(Keyword::kTo);
        return parseLike(left, LikeKind::kSimilar, negated, position);
    }
    expect(Keyword::kBetween);
    Between* between = make<Between>(position);
    between->negated = negated;
    between->symmetric = accept(Keyword::kSymmetric);
    if (!between->symmetric) accept(Keyword::kAsymmetric);
    between->operand = left;
    between->low = parseExpression(above(Precedence::kPredicate));
    expect(Keyword::kAnd);
    between->high = parseExpression(above(Precedence::kPredicate));
    return between;
}

Expression* Parser::parseIn(Expression* left, bool negated, i32 position) {
    if (!at(Symbol::kLeftParen)) fail("IN takes a list or a query in parentheses.");
    Parenthesized inner = parseParentheses();
    if (inner.query != nullptr) {
        InQuery* in = make<InQuery>(position);
        in->negated = negated;
        in->operand = left;
        in->query = inner.query;
        return in;
    }
    InList* in = make<InList>(position);
    in->negated = negated;
    in->operand = left;
    in->items = inner.items;
    return in;
}

Expression* Parser::parseLike(Expression* left, LikeKind kind, bool negated, i32 position) {
    Like* like = make<Like>(position);
    like->like = kind;
    like->negated = negated;
    like->operand = left;
    like->pattern = parseExpression(above(Precedence::kPredicate));
    if (accept(Keyword::kEscape)) like->escape = parseExpression(above(Precedence::kPredicate));
    return like;
}

Expression* Parser::parseOverlaps(Expression* left) {
    Token token = take();
    Expression* right = parseExpression(above(Precedence::kPredicate));
    if (!left->is<Row>() || !right->is<Row>() || left->as<Row>()->items.size() != 2 ||
        right->as<Row>()->items.size() != 2)
        failAt(token, "OVERLAPS compares two pairs: (a, b) OVERLAPS (c, d).");
    FunctionCall* call = make<FunctionCall>(token.begin);
    call->form = CallForm::kOverlaps;
    call->name.name = "overlaps";
    call->name.position = token.begin;
    call->arguments = list<Expression*>();
    call->arguments.append(left->as<Row>()->items);
    call->arguments.append(right->as<Row>()->items);
    return call;
}

Expression* Parser::parseSubscript(Expression* left) {
    Subscript* subscript = make<Subscript>(here());
    expect(Symbol::kLeftBracket);
    subscript->operand = left;
    if (!at(Symbol::kColon)) subscript->index = parseExpression();
    if (accept(Symbol::kColon)) {
        subscript->is_slice = true;
        if (!at(Symbol::kRightBracket)) subscript->upper = parseExpression();
    }
    expect(Symbol::kRightBracket);
    return subscript;
}

/// `(` and what it holds, up to and with `)`. Decides between a query and expressions where both
/// begin with parentheses: a query between inner parentheses stays one while a set operation, ORDER
/// BY or the closing parenthesis follows, otherwise it was a scalar subquery.
Parser::Parenthesized Parser::parseParentheses() {
    Level level(*this);
    expect(Symbol::kLeftParen);
    Parenthesized result;
    if (atQuery()) {
        result.query = parseQuery();
        expect(Symbol::kRightParen);
        return result;
    }
    Expression* first;
    if (at(Symbol::kLeftParen)) {
        i32 begin = here();
        Parenthesized inner = parseParentheses();
        if (inner.query != nullptr) {
            if (accept(Symbol::kRightParen)) return inner;
            if (atQueryContinuation()) {
                result.query = continueQuery(inner.query, static_cast<u32>(begin));
                expect(Symbol::kRightParen);
                return result;
            }
            Subquery* subquery = make<Subquery>(begin);
            subquery->query = inner.query;
            first = subquery;
        } else if (inner.items.size() == 1) {
            first = inner.items[0];
        } else {
            Row* row = make<Row>(begin);
            row->items = inner.items;
            first = row;
        }
        first = continueExpression(first, Precedence::kLowest);
    } else {
        first = parseExpression();
    }
    result.items = list<Expression*>();
    result.items.push(first);
    while (accept(Symbol::kComma)) result.items.push(parseExpression());
    expect(Symbol::kRightParen);
    return result;
}

Expression* Parser::parenthesizedOperand() {
    i32 position = here();
    Parenthesized inner = parseParentheses();
    if (inner.query != nullptr) {
        Subquery* subquery = make<Subquery>(position);
        subquery->query = inner.query;
        return subquery;
    }
    if (inner.items.size() == 1) return inner.items[0];
    Row* row = make<Row>(position);
    row->items = inner.items;
    return row;
}

List<Expression*> Parser::parseExpressions() {
    List<Expression*> items = list<Expression*>();
    do items.push(parseExpression());
    while (accept(Symbol::kComma));
    return items;
}

Expression* Parser::parseCase() {
    Case* result = make<Case>(here());
    expect(Keyword::kCase);
    result->arms = list<CaseArm>();
    if (!at(Keyword::kWhen)) result->operand = parseExpression();
    while (accept(Keyword::kWhen)) {
        CaseArm arm;
        arm.when = parseExpression();
        expect(Keyword::kThen);
        arm.then = parseExpression();
        result->arms.push(arm);
    }
    if (result->arms.empty()) fail("CASE needs at least one WHEN .. THEN ..");
    if (accept(Keyword::kElse)) result->otherwise = parseExpression();
    if (!accept(Keyword::kEnd)) fail("CASE ends with END.");
    return result;
}

Expression* Parser::makeText(std::string_view text, i32 position) {
    Literal* literal = make<Literal>(position);
    literal->literal = LiteralKind::kText;
    literal->text = text;
    return literal;
}

Expression* Parser::makeInteger(std::string_view digits, i32 position) {
    Literal* literal = make<Literal>(position);
    literal->literal = LiteralKind::kInteger;
    literal->text = digits;
    return literal;
}

} // namespace blueshift::parse
