// Expressions, names and types as text.

#include <algorithm>
#include <vector>

#include "parse/printer.h"

namespace blueshift::parse {

namespace {

Precedence above(Precedence level) {
    return static_cast<Precedence>(static_cast<u8>(level) + 1);
}

/// Words that are no reserved words and still would be misread at some place.
bool isDelicate(std::string_view name) {
    static constexpr std::string_view kDelicate[] = {
        "approximate", "at",      "cube",  "exclude",  "fetch",     "filter", "format", "groups",
        "grouping",    "lateral", "local", "operator", "over",      "prior",  "range",  "returning",
        "rollup",      "rows",    "set",   "temp",     "temporary", "values", "window", "within"};
    return std::find(std::begin(kDelicate), std::end(kDelicate), name) != std::end(kDelicate);
}

Precedence levelOfOperator(BinaryOperator op) {
    switch (op) {
    case BinaryOperator::kAdd:
    case BinaryOperator::kSubtract: return Precedence::kAdditive;
    case BinaryOperator::kMultiply:
    case BinaryOperator::kDivide:
    case BinaryOperator::kModulo: return Precedence::kMultiplicative;
    case BinaryOperator::kPower: return Precedence::kPower;
    case BinaryOperator::kEqual:
    case BinaryOperator::kNotEqual:
    case BinaryOperator::kLess:
    case BinaryOperator::kLessEqual:
    case BinaryOperator::kGreater:
    case BinaryOperator::kGreaterEqual: return Precedence::kComparison;
    case BinaryOperator::kDistinct:
    case BinaryOperator::kNotDistinct: return Precedence::kIs;
    default: return Precedence::kOther;
    }
}

Precedence leftLevel(BinaryOperator op) {
    Precedence level = levelOfOperator(op);
    return level == Precedence::kComparison ? above(level) : level;
}

} // namespace

std::string_view operatorText(BinaryOperator op) {
    switch (op) {
    case BinaryOperator::kAdd: return "+";
    case BinaryOperator::kSubtract: return "-";
    case BinaryOperator::kMultiply: return "*";
    case BinaryOperator::kDivide: return "/";
    case BinaryOperator::kModulo: return "%";
    case BinaryOperator::kPower: return "^";
    case BinaryOperator::kConcatenate: return "||";
    case BinaryOperator::kBitAnd: return "&";
    case BinaryOperator::kBitOr: return "|";
    case BinaryOperator::kBitXor: return "#";
    case BinaryOperator::kShiftLeft: return "<<";
    case BinaryOperator::kShiftRight: return ">>";
    case BinaryOperator::kEqual: return "=";
    case BinaryOperator::kNotEqual: return "<>";
    case BinaryOperator::kLess: return "<";
    case BinaryOperator::kLessEqual: return "<=";
    case BinaryOperator::kGreater: return ">";
    case BinaryOperator::kGreaterEqual: return ">=";
    case BinaryOperator::kDistinct: return "IS DISTINCT FROM";
    case BinaryOperator::kNotDistinct: return "IS NOT DISTINCT FROM";
    case BinaryOperator::kRegexMatch: return "~";
    case BinaryOperator::kRegexMatchNoCase: return "~*";
    case BinaryOperator::kRegexNotMatch: return "!~";
    case BinaryOperator::kRegexNotMatchNoCase: return "!~*";
    }
    BS_UNREACHABLE("binary operator");
}

std::string quoteName(std::string_view name) {
    if (isPlainName(name) && !isReserved(findKeyword(name)) && !isDelicate(name))
        return std::string(name);
    std::string quoted = "\"";
    for (char c : name) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    quoted += '"';
    return quoted;
}

std::string quoteText(std::string_view text) {
    std::string quoted = "'";
    for (char c : text) {
        if (c == '\'') quoted += '\'';
        quoted += c;
    }
    quoted += '\'';
    return quoted;
}

void Printer::name(std::string_view text) {
    put(quoteName(text));
}

void Printer::text(std::string_view text) {
    put(quoteText(text));
}

void Printer::objectName(const ObjectName& object) {
    if (!object.database.empty()) {
        name(object.database);
        put(".");
    }
    if (!object.schema.empty()) {
        name(object.schema);
        put(".");
    }
    name(object.name);
}

void Printer::typeName(const TypeName& type) {
    static constexpr std::string_view kFields[] = {"",     "YEAR",   "MONTH", "DAY",
                                                   "HOUR", "MINUTE", "SECOND"};
    if (!type.schema.empty()) {
        name(type.schema);
        put(".");
    }
    std::string_view spelled = type.name;
    // The numbers of TIMESTAMP(3) WITH TIME ZONE stand inside of its name.
    std::string_view zone;
    for (std::string_view suffix : {" with time zone", " without time zone"}) {
        if (type.quoted || !spelled.ends_with(suffix)) continue;
        zone = suffix;
        spelled.remove_suffix(suffix.size());
    }
    if (type.quoted) {
        std::string quoted = quoteName(spelled);
        put(quoted.starts_with('"') ? quoted : "\"" + quoted + "\"");
    } else {
        put(spelled);
    }
    if (type.interval_start != IntervalField::kNone) {
        put(" ");
        put(kFields[static_cast<u8>(type.interval_start)]);
        if (type.interval_end != IntervalField::kNone) {
            put(" TO ");
            put(kFields[static_cast<u8>(type.interval_end)]);
        }
    }
    if (!type.modifiers.empty()) {
        put("(");
        commas(type.modifiers, [&](i32 modifier) {
            if (modifier == TypeName::kMax) put("MAX");
            else number(modifier);
        });
        put(")");
    }
    put(zone);
    for (u8 i = 0; i < type.array_dimensions; ++i) put("[]");
}

Precedence Printer::levelOf(const Expression* e) {
    switch (e->kind) {
    case ExpressionKind::kLogical:
        return e->as<Logical>()->is_and ? Precedence::kAnd : Precedence::kOr;
    case ExpressionKind::kUnary:
        switch (e->as<Unary>()->op) {
        case UnaryOperator::kNot: return Precedence::kNot;
        case UnaryOperator::kPlus:
        case UnaryOperator::kMinus:
        case UnaryOperator::kPrior: return Precedence::kUnaryMinus;
        default: return Precedence::kOther;
        }
    case ExpressionKind::kBinary: return levelOfOperator(e->as<Binary>()->op);
    case ExpressionKind::kQuantified: return levelOfOperator(e->as<Quantified>()->op);
    case ExpressionKind::kIs: return Precedence::kIs;
    case ExpressionKind::kBetween:
    case ExpressionKind::kInList:
    case ExpressionKind::kInQuery:
    case ExpressionKind::kLike: return Precedence::kPredicate;
    case ExpressionKind::kCollate: return Precedence::kCollate;
    case ExpressionKind::kFunction:
        switch (e->as<FunctionCall>()->form) {
        case CallForm::kAtTimeZone: return Precedence::kAtTimeZone;
        case CallForm::kOverlaps: return Precedence::kPredicate;
        default: return Precedence::kPostfix;
        }
    case ExpressionKind::kNamedArgument: return Precedence::kLowest;
    default: return Precedence::kPostfix;
    }
}

/// True if [..] and .name can follow without parentheses and mean this expression.
bool Printer::takesPostfix(const Expression* e) {
    switch (e->kind) {
    case ExpressionKind::kSubscript:
    case ExpressionKind::kField:
    case ExpressionKind::kArray:
    case ExpressionKind::kParameter: return true;
    case ExpressionKind::kFunction:
        return e->as<FunctionCall>()->form != CallForm::kAtTimeZone &&
               e->as<FunctionCall>()->form != CallForm::kOverlaps &&
               e->as<FunctionCall>()->form != CallForm::kKeyword &&
               e->as<FunctionCall>()->over == nullptr;
    default: return false;
    }
}

/// The operand that an expression's text begins with, if it begins with one.
Printer::Operand Printer::leftOperand(const Expression* e) {
    switch (e->kind) {
    case ExpressionKind::kBinary: return {e->as<Binary>()->left, leftLevel(e->as<Binary>()->op)};
    case ExpressionKind::kQuantified:
        return {e->as<Quantified>()->operand, leftLevel(e->as<Quantified>()->op)};
    case ExpressionKind::kIs: return {e->as<Is>()->operand, Precedence::kIs};
    case ExpressionKind::kBetween:
        return {e->as<Between>()->operand, above(Precedence::kPredicate)};
    case ExpressionKind::kInList: return {e->as<InList>()->operand, above(Precedence::kPredicate)};
    case ExpressionKind::kInQuery:
        return {e->as<InQuery>()->operand, above(Precedence::kPredicate)};
    case ExpressionKind::kLike: return {e->as<Like>()->operand, above(Precedence::kPredicate)};
    case ExpressionKind::kCollate: return {e->as<Collate>()->operand, Precedence::kCollate};
    case ExpressionKind::kCast:
        if (e->as<Cast>()->is_try) return {};
        return {e->as<Cast>()->operand, Precedence::kPostfix};
    case ExpressionKind::kSubscript: {
        const Expression* operand = e->as<Subscript>()->operand;
        return {operand, Precedence::kPostfix,
                !takesPostfix(operand) && !operand->is<ColumnReference>()};
    }
    case ExpressionKind::kField: {
        const Expression* operand = e->as<FieldAccess>()->operand;
        return {operand, Precedence::kPostfix, !takesPostfix(operand)};
    }
    case ExpressionKind::kFunction:
        if (e->as<FunctionCall>()->form != CallForm::kAtTimeZone) return {};
        return {e->as<FunctionCall>()->arguments[1], Precedence::kAtTimeZone};
    default: return {};
    }
}

void Printer::expression(const Expression* e, Precedence minimum) {
    struct Frame {
        const Expression* expression;
        bool parentheses;
    };
    std::vector<Frame> spine;
    Operand operand{e, minimum};
    while (operand.expression != nullptr) {
        bool parentheses = operand.parentheses || levelOf(operand.expression) < operand.minimum;
        if (parentheses) put("(");
        spine.push_back({operand.expression, parentheses});
        operand = leftOperand(operand.expression);
    }
    for (; !spine.empty(); spine.pop_back()) {
        operandOrRest(spine.back().expression);
        if (spine.back().parentheses) put(")");
    }
}

/// All of an expression but its left operand.
void Printer::operandOrRest(const Expression* e) {
    switch (e->kind) {
    case ExpressionKind::kLiteral: return literal(e->as<Literal>());
    case ExpressionKind::kTypedLiteral: {
        const TypedLiteral* typed = e->as<TypedLiteral>();
        if (typed->type->interval_start == IntervalField::kNone) {
            typeName(*typed->type);
            put(" ");
            return text(typed->text);
        }
        put("interval ");
        text(typed->text);
        // The qualifier goes behind the text: what print() writes after "interval".
        return put(print(*typed->type).substr(std::string_view("interval").size()));
    }
    case ExpressionKind::kParameter: put("$"); return number(e->as<Parameter>()->number);
    case ExpressionKind::kColumn: {
        bool first = true;
        for (std::string_view part : e->as<ColumnReference>()->parts) {
            if (!first) put(".");
            first = false;
            name(part);
        }
        return;
    }
    case ExpressionKind::kStar:
        for (std::string_view part : e->as<Star>()->qualifier) {
            name(part);
            put(".");
        }
        return put("*");
    case ExpressionKind::kUnary: return unary(e->as<Unary>());
    case ExpressionKind::kBinary: return restOfBinary(e->as<Binary>());
    case ExpressionKind::kLogical: return logical(e->as<Logical>());
    case ExpressionKind::kIs:
    case ExpressionKind::kBetween:
    case ExpressionKind::kInList:
    case ExpressionKind::kInQuery:
    case ExpressionKind::kLike:
    case ExpressionKind::kQuantified: return restOfPredicate(e);
    case ExpressionKind::kExists: put("EXISTS "); return queryInParentheses(e->as<Exists>()->query);
    case ExpressionKind::kSubquery: return queryInParentheses(e->as<Subquery>()->query);
    case ExpressionKind::kArrayQuery:
        put("ARRAY");
        return queryInParentheses(e->as<ArrayQuery>()->query);
    case ExpressionKind::kCast: {
        const Cast* cast = e->as<Cast>();
        if (!cast->is_try) {
            put("::");
            return typeName(*cast->type);
        }
        put("TRY_CAST(");
        expression(cast->operand);
        put(" AS ");
        typeName(*cast->type);
        return put(")");
    }
    case ExpressionKind::kCase: return caseExpression(e->as<Case>());
    case ExpressionKind::kRow:
        put(e->as<Row>()->items.size() < 2 ? "ROW(" : "(");
        expressions(e->as<Row>()->items);
        return put(")");
    case ExpressionKind::kArray:
        put("ARRAY[");
        expressions(e->as<ArrayConstructor>()->items);
        return put("]");
    case ExpressionKind::kFunction: return functionCall(e->as<FunctionCall>());
    case ExpressionKind::kCollate: put(" COLLATE "); return objectName(e->as<Collate>()->collation);
    case ExpressionKind::kSubscript: {
        const Subscript* subscript = e->as<Subscript>();
        put("[");
        if (subscript->index != nullptr) expression(subscript->index);
        if (subscript->is_slice) put(":");
        if (subscript->upper != nullptr) expression(subscript->upper);
        return put("]");
    }
    case ExpressionKind::kField: put("."); return name(e->as<FieldAccess>()->field);
    case ExpressionKind::kOuterMark: expression(e->as<OuterMark>()->operand); return put("(+)");
    case ExpressionKind::kNamedArgument:
        name(e->as<NamedArgument>()->name);
        put(" => ");
        return expression(e->as<NamedArgument>()->value);
    case ExpressionKind::kDefault: return put("DEFAULT");
    }
}

void Printer::literal(const Literal* literal) {
    switch (literal->literal) {
    case LiteralKind::kNull: return put("NULL");
    case LiteralKind::kBoolean: return put(literal->boolean ? "TRUE" : "FALSE");
    case LiteralKind::kText: return text(literal->text);
    default: return put(literal->text);
    }
}

void Printer::unary(const Unary* unary) {
    switch (unary->op) {
    case UnaryOperator::kNot: put("NOT "); return expression(unary->operand, Precedence::kIs);
    case UnaryOperator::kPlus: put("+"); break;
    case UnaryOperator::kMinus: put("-"); break;
    case UnaryOperator::kPrior: put("PRIOR "); break;
    case UnaryOperator::kBitNot: put("~ "); break;
    case UnaryOperator::kSquareRoot: put("|/ "); break;
    case UnaryOperator::kCubeRoot: put("||/ "); break;
    case UnaryOperator::kAbsolute: put("@ "); break;
    }
    bool sign = levelOf(unary) == Precedence::kUnaryMinus;
    expression(unary->operand, sign ? Precedence::kPostfix : above(Precedence::kOther));
}

void Printer::logical(const Logical* logical) {
    Precedence term = above(logical->is_and ? Precedence::kAnd : Precedence::kOr);
    bool first = true;
    for (const Expression* e : logical->terms) {
        if (!first) put(logical->is_and ? " AND " : " OR ");
        first = false;
        expression(e, term);
    }
}

void Printer::restOfBinary(const Binary* binary) {
    put(" ");
    put(operatorText(binary->op));
    put(" ");
    expression(binary->right, above(levelOfOperator(binary->op)));
}

void Printer::restOfPredicate(const Expression* e) {
    constexpr Precedence kSide = Precedence::kOther;
    static_assert(static_cast<u8>(kSide) == static_cast<u8>(Precedence::kPredicate) + 1);
    switch (e->kind) {
    case ExpressionKind::kIs: {
        static constexpr std::string_view kTests[] = {"NULL", "TRUE", "FALSE", "UNKNOWN"};
        put(e->as<Is>()->negated ? " IS NOT " : " IS ");
        return put(kTests[static_cast<u8>(e->as<Is>()->test)]);
    }
    case ExpressionKind::kBetween: {
        const Between* between = e->as<Between>();
        put(between->negated ? " NOT BETWEEN " : " BETWEEN ");
        if (between->symmetric) put("SYMMETRIC ");
        expression(between->low, kSide);
        put(" AND ");
        return expression(between->high, kSide);
    }
    case ExpressionKind::kInList:
        put(e->as<InList>()->negated ? " NOT IN (" : " IN (");
        expressions(e->as<InList>()->items);
        return put(")");
    case ExpressionKind::kInQuery:
        put(e->as<InQuery>()->negated ? " NOT IN " : " IN ");
        return queryInParentheses(e->as<InQuery>()->query);
    case ExpressionKind::kLike: {
        static constexpr std::string_view kWords[] = {"LIKE ", "ILIKE ", "SIMILAR TO "};
        const Like* like = e->as<Like>();
        put(like->negated ? " NOT " : " ");
        put(kWords[static_cast<u8>(like->like)]);
        expression(like->pattern, kSide);
        if (like->escape == nullptr) return;
        put(" ESCAPE ");
        return expression(like->escape, kSide);
    }
    default: {
        const Quantified* quantified = e->as<Quantified>();
        put(" ");
        put(operatorText(quantified->op));
        put(quantified->all ? " ALL " : " ANY ");
        if (quantified->query != nullptr) return queryInParentheses(quantified->query);
        put("(");
        expression(quantified->array);
        return put(")");
    }
    }
}

void Printer::caseExpression(const Case* e) {
    put("CASE");
    if (e->operand != nullptr) {
        put(" ");
        expression(e->operand);
    }
    for (const CaseArm& arm : e->arms) {
        put(" WHEN ");
        expression(arm.when);
        put(" THEN ");
        expression(arm.then);
    }
    if (e->otherwise != nullptr) {
        put(" ELSE ");
        expression(e->otherwise);
    }
    put(" END");
}

/// Names that the parser reads in a form of their own are quoted where the call is an ordinary one.
void Printer::functionName(const FunctionCall* call) {
    if (!call->name.schema.empty()) return objectName(call->name);
    std::string_view function = call->name.name;
    for (std::string_view special : {"left", "right", "unnest", "identity", "array"})
        if (function == special) return put(function);
    if (call->form == CallForm::kPlain)
        for (std::string_view special :
             {"cast", "try_cast", "convert", "extract", "exists", "row", "trim", "position"})
            if (function == special) {
                put("\"");
                put(function);
                return put("\"");
            }
    bool decorated = call->distinct || call->over != nullptr || call->filter != nullptr ||
                     !call->order_by.empty() || !call->within_group.empty() ||
                     call->nulls != NullTreatment::kUnspecified || call->arguments.empty();
    if (function == "substring" && (decorated || call->arguments[0]->is<NamedArgument>()))
        return put("\"substring\"");
    name(function);
}

void Printer::functionCall(const FunctionCall* call) {
    if (call->form == CallForm::kAtTimeZone) {
        put(" AT TIME ZONE ");
        return expression(call->arguments[0], above(Precedence::kAtTimeZone));
    }
    if (call->form == CallForm::kOverlaps) {
        const List<Expression*>& pairs = call->arguments;
        for (size_t i = 0; i < 4; ++i) {
            put(i == 0 ? "(" : i == 2 ? ") OVERLAPS (" : ", ");
            expression(pairs[i]);
        }
        return put(")");
    }
    if (call->form == CallForm::kKeyword) {
        put(call->name.name);
        if (call->arguments.empty()) return;
        put("(");
        expressions(call->arguments);
        return put(")");
    }
    if (call->approximate) put("APPROXIMATE ");
    functionName(call);
    put("(");
    if (call->form == CallForm::kExtract) {
        // The part as a text: any word, reserved or not.
        expression(call->arguments[0]);
        put(" FROM ");
        expression(call->arguments[1]);
        return put(")");
    }
    if (call->form == CallForm::kPosition) {
        expression(call->arguments[0], Precedence::kOther);
        put(" IN ");
        expression(call->arguments[1], Precedence::kOther);
        return put(")");
    }
    if (call->distinct) put("DISTINCT ");
    expressions(call->arguments);
    if (!call->order_by.empty()) {
        put(" ORDER BY ");
        orderItems(call->order_by);
    }
    put(")");
    if (!call->within_group.empty()) {
        put(" WITHIN GROUP (ORDER BY ");
        orderItems(call->within_group);
        put(")");
    }
    if (call->filter != nullptr) {
        put(" FILTER (WHERE ");
        expression(call->filter);
        put(")");
    }
    if (call->nulls == NullTreatment::kIgnore) put(" IGNORE NULLS");
    if (call->nulls == NullTreatment::kRespect) put(" RESPECT NULLS");
    if (call->over == nullptr) return;
    put(" OVER ");
    const WindowSpec& over = *call->over;
    if (!over.name.empty() && over.partition_by.empty() && over.order_by.empty() &&
        over.frame == nullptr)
        return name(over.name);
    window(over);
}

void Printer::window(const WindowSpec& window) {
    put("(");
    std::string_view space;
    auto clause = [&](std::string_view word) {
        put(space);
        put(word);
        space = " ";
    };
    if (!window.name.empty()) {
        clause("");
        name(window.name);
    }
    if (!window.partition_by.empty()) {
        clause("PARTITION BY ");
        expressions(window.partition_by);
    }
    if (!window.order_by.empty()) {
        clause("ORDER BY ");
        orderItems(window.order_by);
    }
    if (window.frame != nullptr) {
        clause("");
        frame(*window.frame);
    }
    put(")");
}

void Printer::frame(const WindowFrame& frame) {
    static constexpr std::string_view kUnits[] = {"ROWS", "RANGE", "GROUPS"};
    static constexpr std::string_view kExcludes[] = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP",
                                                     " EXCLUDE TIES"};
    put(kUnits[static_cast<u8>(frame.unit)]);
    put(" BETWEEN ");
    frameBound(frame.start, frame.start_offset);
    put(" AND ");
    frameBound(frame.end, frame.end_offset);
    put(kExcludes[static_cast<u8>(frame.exclude)]);
}

void Printer::frameBound(FrameBound bound, const Expression* offset) {
    switch (bound) {
    case FrameBound::kUnboundedPreceding: return put("UNBOUNDED PRECEDING");
    case FrameBound::kUnboundedFollowing: return put("UNBOUNDED FOLLOWING");
    case FrameBound::kCurrentRow: return put("CURRENT ROW");
    default:
        expression(offset, Precedence::kOther);
        put(bound == FrameBound::kPreceding ? " PRECEDING" : " FOLLOWING");
    }
}

void Printer::orderItems(const List<OrderItem>& items) {
    commas(items, [&](const OrderItem& item) {
        expression(item.expression);
        if (item.descending) put(" DESC");
        if (item.nulls == NullsOrder::kFirst) put(" NULLS FIRST");
        if (item.nulls == NullsOrder::kLast) put(" NULLS LAST");
    });
}

void Printer::expressions(const List<Expression*>& items) {
    commas(items, [&](const Expression* item) { expression(item); });
}

void Printer::columnNames(const List<ColumnName>& names) {
    commas(names, [&](const ColumnName& column) { name(column.name); });
}

void Printer::columnNamesInParentheses(const List<ColumnName>& names) {
    put("(");
    columnNames(names);
    put(")");
}

void Printer::queryInParentheses(const Query* inner) {
    put("(");
    query(inner);
    put(")");
}

std::string print(const Expression& expression) {
    Printer printer;
    printer.expression(&expression);
    return printer.take();
}

std::string print(const TypeName& type) {
    Printer printer;
    printer.typeName(type);
    return printer.take();
}

std::string print(const ObjectName& name) {
    Printer printer;
    printer.objectName(name);
    return printer.take();
}

} // namespace blueshift::parse
