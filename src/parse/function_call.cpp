// Operands of expressions: literals, names, calls and the forms that SQL spells with words.

#include "parse/parser.h"

namespace blueshift::parse {

Expression* Parser::parseOperand() {
    const Token& token = peek();
    switch (token.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat:
    case TokenKind::kText:
    case TokenKind::kParameter: return parseLiteral();
    case TokenKind::kQuotedName: return parseNameOperand();
    case TokenKind::kWord: return parseWordOperand();
    case TokenKind::kSymbol:
        if (token.is(Symbol::kLeftParen)) return parenthesizedOperand();
        if (token.is(Symbol::kHash)) return parseNameOperand();
        if (token.is(Symbol::kComma) || token.is(Symbol::kRightParen))
            fail("A value is missing before it.");
        if (token.is(Symbol::kUnknown) && token.text == "?")
            fail("Parameters are written $1, $2, ..");
        fail();
    case TokenKind::kEnd: fail();
    }
    fail();
}

Expression* Parser::parseLiteral() {
    Token token = take();
    if (token.kind == TokenKind::kParameter) {
        constexpr i32 kMost = 65535;
        i32 number = 0;
        for (char digit : token.text)
            if (number <= kMost) number = number * 10 + (digit - '0');
        if (number < 1 || number > kMost)
            failWith(sqlstate::kUndefinedParameter,
                     "there is no parameter $" + std::string(token.text.substr(0, 20)), token.begin,
                     "Parameters are numbered from $1 to $65535.");
        if (number > parameter_count_) parameter_count_ = number;
        Parameter* parameter = make<Parameter>(token.begin);
        parameter->number = number;
        return parameter;
    }
    Literal* literal = make<Literal>(token.begin);
    literal->text = token.text;
    switch (token.kind) {
    case TokenKind::kInteger: literal->literal = LiteralKind::kInteger; break;
    case TokenKind::kDecimal: literal->literal = LiteralKind::kDecimal; break;
    case TokenKind::kFloat: literal->literal = LiteralKind::kFloat; break;
    default: literal->literal = LiteralKind::kText;
    }
    return literal;
}

Expression* Parser::parseWordOperand() {
    Token token = peek();
    bool call = at(Symbol::kLeftParen, 1);
    switch (token.keyword) {
    case Keyword::kNull:
    case Keyword::kTrue:
    case Keyword::kFalse: {
        take();
        Literal* literal = make<Literal>(token.begin);
        if (!token.is(Keyword::kNull)) literal->literal = LiteralKind::kBoolean;
        literal->boolean = token.is(Keyword::kTrue);
        return literal;
    }
    case Keyword::kCase: return parseCase();
    case Keyword::kInterval:
    case Keyword::kTimestamp: {
        TypeName* type = parseType();
        if (peek().kind != TokenKind::kText)
            fail("A text in single quotes follows the type: TIMESTAMP '2020-01-31 12:00'.");
        return parseTypedLiteral(type, token.begin);
    }
    case Keyword::kCurrentDate:
    case Keyword::kCurrentTime:
    case Keyword::kCurrentTimestamp:
    case Keyword::kCurrentUser:
    case Keyword::kCurrentUserId:
    case Keyword::kLocaltime:
    case Keyword::kLocaltimestamp:
    case Keyword::kSessionUser:
    case Keyword::kSysdate:
    case Keyword::kUser: return parseKeywordCall();
    case Keyword::kArray:
        if (!call && !at(Symbol::kLeftBracket, 1)) break;
        return parseSpecialCall(token.keyword);
    case Keyword::kCast:
    case Keyword::kTryCast:
    case Keyword::kConvert:
    case Keyword::kExists:
    case Keyword::kExtract:
    case Keyword::kPosition:
    case Keyword::kRow:
    case Keyword::kSubstring:
    case Keyword::kTrim:
        if (call) return parseSpecialCall(token.keyword);
        break;
    case Keyword::kIsnull: // ISNULL(a, b), which Redshift's JDBC driver writes for NVL
    case Keyword::kLeft:
    case Keyword::kRight:
    case Keyword::kUnnest:
    case Keyword::kIdentity:
        if (call) {
            take();
            ObjectName name;
            name.name = token.is(Keyword::kIsnull) ? "nvl" : token.text;
            name.position = token.begin;
            return parseCallAfterName(name);
        }
        break;
    case Keyword::kApproximate:
        if (atName(1) && at(Symbol::kLeftParen, 2)) {
            take();
            FunctionCall* result = parseCallAfterName(parseObjectName());
            result->approximate = true;
            return result;
        }
        break;
    case Keyword::kOid: return parseNameOperand();
    case Keyword::kDefault:
        fail("DEFAULT stands alone in a VALUES row of INSERT or in UPDATE .. SET.");
    case Keyword::kSelect:
    case Keyword::kWith: fail("A query inside of an expression needs parentheses.");
    default: break;
    }
    return parseNameOperand();
}

Expression* Parser::parseKeywordCall() {
    Token token = take();
    FunctionCall* call = make<FunctionCall>(token.begin);
    call->form = CallForm::kKeyword;
    call->name.name = token.text;
    call->name.position = token.begin;
    call->arguments = list<Expression*>();
    // A precision, as in CURRENT_TIMESTAMP(3).
    if (at(Symbol::kLeftParen) && peek(1).kind == TokenKind::kInteger) {
        take();
        call->arguments.push(parseLiteral());
        expect(Symbol::kRightParen);
    } else if (at(Symbol::kLeftParen) && at(Symbol::kRightParen, 1)) {
        take();
        fail("\"" + std::string(token.text) + "\" is written without parentheses.");
    }
    return call;
}

Expression* Parser::parseSpecialCall(Keyword keyword) {
    i32 position = here();
    switch (keyword) {
    case Keyword::kCast: return parseCast(false);
    case Keyword::kTryCast: return parseCast(true);
    case Keyword::kConvert: return parseConvert();
    case Keyword::kExtract: return parseExtract();
    case Keyword::kSubstring: return parseSubstring();
    case Keyword::kTrim: return parseTrim();
    case Keyword::kPosition: return parsePosition();
    case Keyword::kExists: {
        take();
        Parenthesized inner = parseParentheses();
        if (inner.query == nullptr) fail("EXISTS takes a query: EXISTS (SELECT ..).");
        Exists* exists = make<Exists>(position);
        exists->query = inner.query;
        return exists;
    }
    case Keyword::kRow: {
        take();
        expect(Symbol::kLeftParen);
        Row* row = make<Row>(position);
        if (!at(Symbol::kRightParen)) row->items = parseExpressions();
        expect(Symbol::kRightParen);
        return row;
    }
    default: break;
    }
    take();
    if (at(Symbol::kLeftBracket)) {
        take();
        ArrayConstructor* array = make<ArrayConstructor>(position);
        array->items = list<Expression*>();
        if (!at(Symbol::kRightBracket)) array->items = parseExpressions();
        expect(Symbol::kRightBracket);
        return array;
    }
    if (atQuery(1)) {
        ArrayQuery* array = make<ArrayQuery>(position);
        array->query = parseParentheses().query;
        return array;
    }
    ObjectName name;
    name.name = "array";
    name.position = position;
    return parseCallAfterName(name);
}

Expression* Parser::parseTypedLiteral(TypeName* type, i32 position) {
    TypedLiteral* literal = make<TypedLiteral>(position);
    literal->type = type;
    literal->text = parseText();
    if (type->name == "interval" && type->interval_start == IntervalField::kNone)
        parseIntervalQualifier(type);
    return literal;
}

/// A type of one or several words with a text after it.
bool Parser::atTypedLiteral() {
    if (!atName()) return false;
    if (peek(1).kind == TokenKind::kText) return true;
    if (at(Keyword::kDouble) && at(Keyword::kPrecision, 1)) return peek(2).kind == TokenKind::kText;
    if (at(Keyword::kTime) && (at(Keyword::kWith, 1) || at(Keyword::kWithout, 1)) &&
        at(Keyword::kTime, 2) && at(Keyword::kZone, 3))
        return peek(4).kind == TokenKind::kText;
    if ((at(Keyword::kCharacter) || at(Keyword::kChar)) && at(Keyword::kVarying, 1))
        return peek(2).kind == TokenKind::kText;
    return false;
}

/// varchar(10) 'x' looks like a call until the text appears.
Expression* Parser::literalAfterCall(FunctionCall* call) {
    if (peek().kind != TokenKind::kText || call->form != CallForm::kPlain || call->distinct ||
        call->over != nullptr || call->arguments.empty() || !call->name.database.empty())
        return call;
    TypeName* type = arena_.make<TypeName>();
    type->schema = call->name.schema;
    type->name = call->name.name;
    type->position = call->position;
    type->modifiers = list<i32>();
    for (Expression* argument : call->arguments) {
        if (!argument->is<Literal>() || argument->as<Literal>()->literal != LiteralKind::kInteger ||
            argument->as<Literal>()->text.size() > 9)
            return call;
        i32 value = 0;
        for (char digit : argument->as<Literal>()->text) value = value * 10 + (digit - '0');
        type->modifiers.push(value);
    }
    return parseTypedLiteral(type, call->position);
}

Expression* Parser::parseNameOperand() {
    i32 position = here();
    if (atTypedLiteral()) return parseTypedLiteral(parseType(), position);
    List<std::string_view> parts = list<std::string_view>();
    // OID is reserved as a name for columns of one's own, but catalog queries read it.
    parts.push(at(Keyword::kOid) ? take().text : parseName());
    while (at(Symbol::kDot)) {
        take();
        if (accept(Symbol::kStar)) {
            Star* star = make<Star>(position);
            star->qualifier = parts;
            return star;
        }
        parts.push(parseLabel());
    }
    if (at(Symbol::kLeftParen)) {
        if (at(Symbol::kPlus, 1) && at(Symbol::kRightParen, 2)) {
            take();
            take();
            take();
            ColumnReference* column = make<ColumnReference>(position);
            column->parts = parts;
            OuterMark* mark = make<OuterMark>(position);
            mark->operand = column;
            return mark;
        }
        return literalAfterCall(parseCallAfterName(objectNameOf(parts, position)));
    }
    if (parts.size() == 2 && peek().kind == TokenKind::kText) {
        TypeName* type = arena_.make<TypeName>();
        type->schema = parts[0];
        type->name = parts[1];
        type->position = position;
        type->modifiers = list<i32>();
        return parseTypedLiteral(type, position);
    }
    ColumnReference* column = make<ColumnReference>(position);
    column->parts = parts;
    return column;
}

FunctionCall* Parser::parseCallAfterName(const ObjectName& name) {
    FunctionCall* call = make<FunctionCall>(name.position);
    call->name = name;
    call->arguments = list<Expression*>();
    parseCallArguments(call);
    parseCallSuffix(call);
    return call;
}

Expression* Parser::parseArgument() {
    if (atName() && (at(Symbol::kArrow, 1) || at(Symbol::kAssign, 1))) {
        NamedArgument* named = make<NamedArgument>(here());
        named->name = parseName();
        take();
        named->value = parseExpression();
        return named;
    }
    return parseExpression();
}

void Parser::parseCallArguments(FunctionCall* call) {
    expect(Symbol::kLeftParen);
    if (accept(Symbol::kRightParen)) return;
    if (at(Symbol::kStar) && at(Symbol::kRightParen, 1)) {
        call->arguments.push(make<Star>(here()));
        take();
        take();
        return;
    }
    if (accept(Keyword::kDistinct)) call->distinct = true;
    else accept(Keyword::kAll);
    do call->arguments.push(parseArgument());
    while (accept(Symbol::kComma));
    if (accept(Keyword::kIgnore, Keyword::kNulls)) call->nulls = NullTreatment::kIgnore;
    if (accept(Keyword::kRespect, Keyword::kNulls)) call->nulls = NullTreatment::kRespect;
    if (at(Keyword::kOrder)) call->order_by = parseOrderBy();
    expect(Symbol::kRightParen);
}

void Parser::parseCallSuffix(FunctionCall* call) {
    if (accept(Keyword::kWithin, Keyword::kGroup)) {
        expect(Symbol::kLeftParen);
        call->within_group = parseOrderBy();
        expect(Symbol::kRightParen);
    }
    if (at(Keyword::kFilter) && at(Symbol::kLeftParen, 1)) {
        take();
        take();
        expect(Keyword::kWhere);
        call->filter = parseExpression();
        expect(Symbol::kRightParen);
    }
    if (accept(Keyword::kIgnore, Keyword::kNulls)) call->nulls = NullTreatment::kIgnore;
    if (accept(Keyword::kRespect, Keyword::kNulls)) call->nulls = NullTreatment::kRespect;
    if (at(Keyword::kOver) && (at(Symbol::kLeftParen, 1) || atName(1))) call->over = parseOver();
}

/// EXTRACT(part FROM e)
Expression* Parser::parseExtract() {
    FunctionCall* call = make<FunctionCall>(here());
    call->form = CallForm::kExtract;
    call->name.name = "extract";
    call->name.position = here();
    call->arguments = list<Expression*>();
    take();
    expect(Symbol::kLeftParen);
    Token part = peek();
    if (part.kind != TokenKind::kWord && part.kind != TokenKind::kText &&
        part.kind != TokenKind::kQuotedName)
        fail("EXTRACT takes a date part: EXTRACT(year FROM d).");
    take();
    call->arguments.push(makeText(lowerText(part.text), part.begin));
    if (!accept(Keyword::kFrom)) fail("EXTRACT is written EXTRACT(part FROM value).");
    call->arguments.push(parseExpression());
    expect(Symbol::kRightParen);
    return call;
}

/// SUBSTRING(e FROM a FOR b) in any order, or the form with commas.
Expression* Parser::parseSubstring() {
    FunctionCall* call = make<FunctionCall>(here());
    call->name.name = "substring";
    call->name.position = here();
    call->arguments = list<Expression*>();
    take();
    expect(Symbol::kLeftParen);
    call->arguments.push(parseExpression());
    if (at(Keyword::kFrom) || at(Keyword::kFor)) {
        Expression* from = nullptr;
        Expression* length = nullptr;
        if (accept(Keyword::kFor)) length = parseExpression();
        if (accept(Keyword::kFrom)) from = parseExpression();
        if (length == nullptr && accept(Keyword::kFor)) length = parseExpression();
        call->arguments.push(from != nullptr ? from : makeInteger("1", call->position));
        if (length != nullptr) call->arguments.push(length);
    } else {
        while (accept(Symbol::kComma)) call->arguments.push(parseExpression());
    }
    expect(Symbol::kRightParen);
    return call;
}

Expression* Parser::parseTrim() {
    FunctionCall* call = make<FunctionCall>(here());
    call->name.name = "btrim";
    call->name.position = here();
    call->arguments = list<Expression*>();
    take();
    expect(Symbol::kLeftParen);
    if (accept(Keyword::kLeading)) call->name.name = "ltrim";
    else if (accept(Keyword::kTrailing)) call->name.name = "rtrim";
    else accept(Keyword::kBoth);
    if (accept(Keyword::kFrom)) {
        call->arguments.push(parseExpression());
    } else {
        Expression* first = parseExpression();
        if (accept(Keyword::kFrom)) {
            call->arguments.push(parseExpression());
            call->arguments.push(first);
        } else {
            call->arguments.push(first);
            if (accept(Symbol::kComma)) call->arguments.push(parseExpression());
        }
    }
    expect(Symbol::kRightParen);
    return call;
}

/// POSITION(a IN b), or a plain call with commas.
Expression* Parser::parsePosition() {
    FunctionCall* call = make<FunctionCall>(here());
    call->name.name = "position";
    call->name.position = here();
    call->arguments = list<Expression*>();
    take();
    expect(Symbol::kLeftParen);
    call->arguments.push(parseExpression(Precedence::kOther));
    if (accept(Keyword::kIn)) {
        call->form = CallForm::kPosition;
        call->arguments.push(parseExpression(Precedence::kOther));
    } else {
        while (accept(Symbol::kComma)) call->arguments.push(parseExpression());
    }
    expect(Symbol::kRightParen);
    return call;
}

Expression* Parser::parseCast(bool is_try) {
    Cast* cast = make<Cast>(here());
    cast->is_try = is_try;
    take();
    expect(Symbol::kLeftParen);
    cast->operand = parseExpression();
    if (!accept(Keyword::kAs)) fail("A cast is written CAST(value AS type).");
    cast->type = parseType();
    expect(Symbol::kRightParen);
    return cast;
}

Expression* Parser::parseConvert() {
    Cast* cast = make<Cast>(here());
    take();
    expect(Symbol::kLeftParen);
    cast->type = parseType();
    if (!accept(Symbol::kComma)) fail("CONVERT is written CONVERT(type, value).");
    cast->operand = parseExpression();
    expect(Symbol::kRightParen);
    return cast;
}

WindowSpec* Parser::parseOver() {
    i32 position = here();
    expect(Keyword::kOver);
    if (at(Symbol::kLeftParen)) return parseWindowSpec();
    WindowSpec* spec = arena_.make<WindowSpec>();
    spec->position = position;
    spec->name = parseName();
    return spec;
}

WindowSpec* Parser::parseWindowSpec() {
    Level level(*this);
    WindowSpec* spec = arena_.make<WindowSpec>();
    spec->position = here();
    expect(Symbol::kLeftParen);
    bool frame = at(Keyword::kRows) || at(Keyword::kRange) || at(Keyword::kGroups);
    if (atName() && !frame) spec->name = parseName();
    if (accept(Keyword::kPartition)) {
        expect(Keyword::kBy);
        spec->partition_by = parseExpressions();
    }
    if (at(Keyword::kOrder)) spec->order_by = parseOrderBy();
    if (at(Keyword::kRows) || at(Keyword::kRange) || at(Keyword::kGroups))
        spec->frame = parseFrame();
    expect(Symbol::kRightParen);
    return spec;
}

WindowFrame* Parser::parseFrame() {
    WindowFrame* frame = arena_.make<WindowFrame>();
    Token unit = take();
    if (unit.is(Keyword::kRange)) frame->unit = FrameUnit::kRange;
    if (unit.is(Keyword::kGroups)) frame->unit = FrameUnit::kGroups;
    if (accept(Keyword::kBetween)) {
        frame->start = parseFrameBound(frame->start_offset);
        expect(Keyword::kAnd);
        Token end = peek();
        frame->end = parseFrameBound(frame->end_offset);
        if (frame->end == FrameBound::kUnboundedPreceding)
            failAt(end, "A frame cannot end with UNBOUNDED PRECEDING.");
    } else {
        frame->start = parseFrameBound(frame->start_offset);
        if (frame->start == FrameBound::kFollowing)
            failAt(unit, "A frame that starts after the current row needs BETWEEN .. AND ..");
    }
    if (frame->start == FrameBound::kUnboundedFollowing)
        failAt(unit, "A frame cannot start with UNBOUNDED FOLLOWING.");
    if (accept(Keyword::kExclude)) {
        if (accept(Keyword::kCurrent, Keyword::kRow)) {
            frame->exclude = FrameExclude::kCurrentRow;
        } else if (accept(Keyword::kGroup)) {
            frame->exclude = FrameExclude::kGroup;
        } else if (accept(Keyword::kTies)) {
            frame->exclude = FrameExclude::kTies;
        } else {
            expect(Keyword::kNo);
            expect(Keyword::kOthers);
        }
    }
    return frame;
}

FrameBound Parser::parseFrameBound(Expression*& offset) {
    if (accept(Keyword::kCurrent, Keyword::kRow)) return FrameBound::kCurrentRow;
    if (accept(Keyword::kUnbounded, Keyword::kPreceding)) return FrameBound::kUnboundedPreceding;
    if (accept(Keyword::kUnbounded, Keyword::kFollowing)) return FrameBound::kUnboundedFollowing;
    offset = parseExpression(Precedence::kOther);
    if (accept(Keyword::kPreceding)) return FrameBound::kPreceding;
    if (accept(Keyword::kFollowing)) return FrameBound::kFollowing;
    fail("A frame bound is UNBOUNDED or a number with PRECEDING or FOLLOWING, or CURRENT ROW.");
}

} // namespace blueshift::parse
