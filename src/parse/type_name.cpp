// Names of types as SQL spells them: several words, numbers in parentheses, [] and intervals.

#include <limits>

#include "parse/parser.h"

namespace blueshift::parse {

TypeName* Parser::parseType() {
    TypeName* type = arena_.make<TypeName>();
    type->position = here();
    type->modifiers = list<i32>();
    if (accept(Keyword::kDouble, Keyword::kPrecision)) {
        type->name = "double precision";
    } else if (at(Keyword::kTime) || at(Keyword::kTimestamp)) {
        bool is_time = take().is(Keyword::kTime);
        type->name = is_time ? "time" : "timestamp";
        parseTypeModifiers(type);
        if (accept(Keyword::kWith, Keyword::kTime, Keyword::kZone))
            type->name = is_time ? "time with time zone" : "timestamp with time zone";
        else if (accept(Keyword::kWithout, Keyword::kTime, Keyword::kZone))
            type->name = is_time ? "time without time zone" : "timestamp without time zone";
    } else if (accept(Keyword::kInterval)) {
        type->name = "interval";
        parseTypeModifiers(type);
        parseIntervalQualifier(type);
    } else if (at(Keyword::kCharacter) || at(Keyword::kChar) || at(Keyword::kNchar) ||
               (at(Keyword::kNational) && (at(Keyword::kCharacter, 1) || at(Keyword::kChar, 1)))) {
        accept(Keyword::kNational);
        type->name = take().text;
        if (accept(Keyword::kVarying)) type->name = "character varying";
        parseTypeModifiers(type);
    } else if (accept(Keyword::kBinary, Keyword::kVarying)) {
        type->name = "binary varying";
        parseTypeModifiers(type);
    } else {
        // OID is reserved, and a type that catalog queries cast to.
        if (!atName() && !at(Keyword::kOid)) {
            const Token& token = peek();
            if (token.kind == TokenKind::kWord)
                fail("\"" + std::string(token.text) + "\" is no type.");
            fail("A type is expected here.");
        }
        type->quoted = peek().kind == TokenKind::kQuotedName;
        type->name = take().text;
        if (accept(Symbol::kDot)) {
            type->schema = type->name;
            type->quoted = peek().kind == TokenKind::kQuotedName;
            type->name = parseLabel();
        }
        parseTypeModifiers(type);
    }
    while (at(Symbol::kLeftBracket) &&
           (at(Symbol::kRightBracket, 1) ||
            (peek(1).kind == TokenKind::kInteger && at(Symbol::kRightBracket, 2)))) {
        take();
        if (!at(Symbol::kRightBracket)) take();
        take();
        if (++type->array_dimensions > 6)
            failWith(sqlstate::kProgramLimitExceeded, "arrays have at most 6 dimensions",
                     type->position);
    }
    return type;
}

void Parser::parseTypeModifiers(TypeName* type) {
    if (!at(Symbol::kLeftParen)) return;
    take();
    do {
        if (accept(Keyword::kMax)) {
            type->modifiers.push(TypeName::kMax);
            continue;
        }
        Token token = peek();
        i64 value = parseInteger();
        if (value > std::numeric_limits<i32>::max())
            failWith(sqlstate::kNumericValueOutOfRange,
                     "number is out of range: " + std::string(token.text), token.begin);
        type->modifiers.push(static_cast<i32>(value));
    } while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
}

IntervalField Parser::intervalField(const Token& token) {
    switch (token.keyword) {
    case Keyword::kYear: return IntervalField::kYear;
    case Keyword::kMonth: return IntervalField::kMonth;
    case Keyword::kDay: return IntervalField::kDay;
    case Keyword::kHour: return IntervalField::kHour;
    case Keyword::kMinute: return IntervalField::kMinute;
    case Keyword::kSecond: return IntervalField::kSecond;
    default: return IntervalField::kNone;
    }
}

/// YEAR, DAY TO SECOND(3) and so on; nothing if no field follows.
void Parser::parseIntervalQualifier(TypeName* type) {
    type->interval_start = intervalField(peek());
    if (type->interval_start == IntervalField::kNone) return;
    take();
    parseTypeModifiers(type);
    if (!at(Keyword::kTo)) return;
    IntervalField end = intervalField(peek(1));
    if (end == IntervalField::kNone) return;
    bool year_month = type->interval_start == IntervalField::kYear && end == IntervalField::kMonth;
    bool day_time = type->interval_start >= IntervalField::kDay && end > type->interval_start;
    if (!year_month && !day_time)
        fail("Intervals go from YEAR TO MONTH, or from DAY, HOUR or MINUTE to a smaller field.");
    take();
    take();
    type->interval_end = end;
    parseTypeModifiers(type);
}

} // namespace blueshift::parse
