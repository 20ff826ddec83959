// Operators: arithmetic, comparison, rows, BETWEEN, IN lists, LIKE, ANY of an array.
#include <algorithm>

#include "bind/binder.h"
#include "functions/casts.h"

namespace blueshift::bind {

using parse::BinaryOperator;

namespace {

std::string_view symbolOf(BinaryOperator op) {
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
    case BinaryOperator::kDistinct: return "is distinct from";
    case BinaryOperator::kNotDistinct: return "is not distinct from";
    case BinaryOperator::kRegexMatch: return "~";
    case BinaryOperator::kRegexMatchNoCase: return "~*";
    case BinaryOperator::kRegexNotMatch: return "!~";
    case BinaryOperator::kRegexNotMatchNoCase: return "!~*";
    }
    return "";
}

bool isComparison(BinaryOperator op) {
    return op >= BinaryOperator::kEqual && op <= BinaryOperator::kGreaterEqual;
}

bool isRowLike(const parse::Expression* e) {
    return e->is<parse::Row>();
}

bool allConstant(std::span<const Expr* const> args) {
    return std::ranges::all_of(args,
                               [](const Expr* arg) { return arg->kind == ExprKind::kConstant; });
}

} // namespace

const Expr* Binder::call(std::string_view name, std::vector<const Expr*> args, i32 position) {
    return at(position, [&] { return makeCallByName(arena_, name, args); });
}

const Expr* Binder::compare(std::string_view symbol, const Expr* left, const Expr* right,
                            i32 position) {
    const Expr* made = at(position, [&] { return makeComparison(arena_, symbol, left, right); });
    // Comparisons of constants decide terms and arms; sessions have no say in them.
    return allConstant(argsOf(made)) ? foldConstants(arena_, made, default_session_) : made;
}

const Expr* Binder::unary(const parse::Unary& e, Block& block) {
    switch (e.op) {
    case parse::UnaryOperator::kMinus:
        if (e.operand->is<parse::Literal>()) {
            const auto* number = e.operand->as<parse::Literal>();
            if (number->literal == parse::LiteralKind::kInteger ||
                number->literal == parse::LiteralKind::kDecimal ||
                number->literal == parse::LiteralKind::kFloat)
                return literal(*number, true);
        }
        return call("-", {expr(e.operand, block)}, e.position);
    case parse::UnaryOperator::kPlus: {
        const Expr* value = expr(e.operand, block);
        if (value->type.kind == TypeKind::kUnknown)
            return castTo(value, SqlType::doublePrecision(), functions::CastContext::kExplicit,
                          e.position);
        if (!isNumeric(value->type.kind) && !isInterval(value->type.kind))
            fail(sqlstate::kUndefinedFunction,
                 "operator does not exist: + " + formatType(value->type), e.position,
                 "A sign stands before numbers only.");
        return value;
    }
    case parse::UnaryOperator::kNot:
        return negation(asBoolean(expr(e.operand, block), "NOT", e.operand->position));
    case parse::UnaryOperator::kBitNot: return call("~", {expr(e.operand, block)}, e.position);
    case parse::UnaryOperator::kSquareRoot:
        return call("sqrt", {expr(e.operand, block)}, e.position);
    case parse::UnaryOperator::kCubeRoot: return call("cbrt", {expr(e.operand, block)}, e.position);
    case parse::UnaryOperator::kAbsolute: return call("abs", {expr(e.operand, block)}, e.position);
    case parse::UnaryOperator::kPrior: notYet("CONNECT BY", e.position);
    }
    BS_UNREACHABLE("unary operator");
}

/// Walks the left side in a loop: chains such as a || b || c may be long.
const Expr* Binder::binary(const parse::Binary& e, Block& block) {
    std::vector<const parse::Binary*> spine;
    const parse::Expression* leaf = &e;
    while (leaf->is<parse::Binary>()) {
        const auto* node = leaf->as<parse::Binary>();
        if (isRowLike(node->left) || isRowLike(node->right)) break;
        if (spine.size() >= kMaxNesting)
            fail(sqlstate::kStatementTooComplex, "the expression has too many operators in a row",
                 e.position, "Split it with parentheses.");
        spine.push_back(node);
        leaf = node->left;
    }
    if (spine.empty()) return rowComparison(e, block);
    const IntervalParts parts = mixedInterval(leaf);
    const bool adds_interval = parts.months != nullptr && spine.back()->op == BinaryOperator::kAdd;
    const Expr* value = adds_interval ? nullptr : expr(leaf, block);
    for (auto node = spine.rbegin(); node != spine.rend(); ++node) {
        const parse::Binary& each = **node;
        if (value == nullptr) {
            value = addInterval(each, expr(each.right, block), parts);
            continue;
        }
        if (each.op == BinaryOperator::kAdd || each.op == BinaryOperator::kSubtract) {
            if (const IntervalParts right = mixedInterval(each.right); right.months != nullptr) {
                value = addInterval(each, value, right);
                continue;
            }
        }
        value = combine(each, value, expr(each.right, block));
    }
    return value;
}

const Expr* Binder::addInterval(const parse::Binary& e, const Expr* value,
                                const IntervalParts& parts) {
    const std::string_view symbol = symbolOf(e.op);
    return call(symbol, {call(symbol, {value, parts.months}, e.position), parts.micros},
                e.position);
}

const Expr* Binder::combine(const parse::Binary& e, const Expr* left, const Expr* right) {
    if (isComparison(e.op)) return compare(symbolOf(e.op), left, right, e.position);
    switch (e.op) {
    case BinaryOperator::kAdd: {
        const auto is_text = [](const Expr* side) {
            return isString(side->type.kind) || side->type.kind == TypeKind::kUnknown;
        };
        const bool literals =
            left->kind == ExprKind::kConstant && right->kind == ExprKind::kConstant;
        const bool open =
            left->type.kind == TypeKind::kUnknown && right->type.kind == TypeKind::kUnknown;
        if (is_text(left) && is_text(right) && (!open || literals))
            return call("||", {left, right}, e.position);
        break;
    }
    case BinaryOperator::kDistinct:
    case BinaryOperator::kNotDistinct: {
        const Expr* equal[] = {compare("=", left, right, e.position)};
        // Equal is TRUE or not: an unknown comparison is not.
        const Expr* same = equal[0]->kind == ExprKind::kConstant
                               ? makeConstant(arena_, Value::ofBool(isConstantTrue(equal[0])))
                               : makeLogic(arena_, ExprKind::kIsTruth, equal, false, 1);
        const Expr* both = conjunction({isNull(left, false), isNull(right, false)}, true);
        const Expr* either = conjunction({same, both}, false);
        return e.op == BinaryOperator::kDistinct ? negation(either) : either;
    }
    case BinaryOperator::kRegexNotMatch:
    case BinaryOperator::kRegexNotMatchNoCase:
        return negation(
            call(e.op == BinaryOperator::kRegexNotMatch ? "~" : "~*", {left, right}, e.position));
    default: break;
    }
    return call(symbolOf(e.op), {left, right}, e.position);
}

/// (a, b) = (c, d) is a = c AND b = d; (a, b) < (c, d) is a < c OR (a = c AND b < d).
const Expr* Binder::rowComparison(const parse::Binary& e, Block& block) {
    if (!e.left->is<parse::Row>() || !e.right->is<parse::Row>()) {
        const bool subquery = e.left->is<parse::Subquery>() || e.right->is<parse::Subquery>();
        if (subquery) notYet("the comparison of a row with a subquery", e.position);
        fail(sqlstate::kDatatypeMismatch, "a row can only be compared with a row", e.position,
             "Write as many values on both sides.");
    }
    const auto& left = e.left->as<parse::Row>()->items;
    const auto& right = e.right->as<parse::Row>()->items;
    if (left.size() != right.size())
        fail(sqlstate::kSyntaxError, "unequal number of entries in row expressions", e.position,
             "Write as many values on both sides.");
    std::vector<const Expr*> a;
    std::vector<const Expr*> b;
    for (size_t i = 0; i < left.size(); ++i) {
        a.push_back(expr(left[i], block));
        b.push_back(expr(right[i], block));
    }
    std::vector<const Expr*> terms;
    if (e.op == BinaryOperator::kEqual || e.op == BinaryOperator::kNotEqual) {
        for (size_t i = 0; i < a.size(); ++i)
            terms.push_back(compare(symbolOf(e.op), a[i], b[i], e.position));
        return conjunction(std::move(terms), e.op == BinaryOperator::kEqual);
    }
    if (!isComparison(e.op)) notYet("this operator on rows", e.position);
    const bool less = e.op == BinaryOperator::kLess || e.op == BinaryOperator::kLessEqual;
    for (size_t i = 0; i < a.size(); ++i) {
        std::vector<const Expr*> prefix;
        for (size_t j = 0; j < i; ++j)
            prefix.push_back(compare("=", again(a[j], left[j], block), again(b[j], right[j], block),
                                     e.position));
        const bool last = i + 1 == a.size();
        prefix.push_back(compare(last   ? symbolOf(e.op)
                                 : less ? "<"
                                        : ">",
                                 again(a[i], left[i], block), again(b[i], right[i], block),
                                 e.position));
        terms.push_back(conjunction(std::move(prefix), true));
    }
    return conjunction(std::move(terms), false);
}

const Expr* Binder::between(const parse::Between& e, Block& block) {
    const Expr* operand = expr(e.operand, block);
    const Expr* low = expr(e.low, block);
    const Expr* high = expr(e.high, block);
    const auto range = [&](const Expr* from, const Expr* to) {
        const Expr* second = again(operand, e.operand, block);
        return conjunction(
            {compare(">=", operand, from, e.position), compare("<=", second, to, e.position)},
            true);
    };
    const Expr* inside = range(low, high);
    if (e.symmetric) {
        operand = again(operand, e.operand, block);
        inside = conjunction({inside, range(again(high, e.high, block), again(low, e.low, block))},
                             false);
    }
    return e.negated ? negation(inside) : inside;
}

/// Constants go into one list; other items are compared one by one.
const Expr* Binder::inItems(const Expr* operand, std::span<const Expr* const> items, bool negated,
                            i32 position) {
    std::vector<const Expr*> listed{operand};
    std::vector<const Expr*> terms;
    // Texts of these types are read when the statement runs.
    const TypeKind kind = operand->type.kind;
    const bool late = kind == TypeKind::kTimestampTz || kind == TypeKind::kTimeTz ||
                      kind == TypeKind::kRegclass || kind == TypeKind::kRegtype ||
                      operand->kind == ExprKind::kConstant;
    for (const Expr* item : items) {
        const bool constant = item->kind == ExprKind::kConstant;
        if (constant && !late) listed.push_back(item);
        else terms.push_back(compare("=", operand, item, position));
    }
    if (listed.size() == 2) {
        terms.insert(terms.begin(), compare("=", operand, listed[1], position));
    } else if (listed.size() > 2) {
        const Expr* made =
            at(position, [&] { return makeLogic(arena_, ExprKind::kInList, listed); });
        const bool constants = allConstant(argsOf(made).subspan(1));
        if (constants && terms.empty() && negated)
            return at(position, [&] { return makeLogic(arena_, ExprKind::kInList, listed, true); });
        if (constants) {
            terms.insert(terms.begin(), made);
        } else {
            for (size_t i = 1; i < listed.size(); ++i)
                terms.push_back(compare("=", operand, listed[i], position));
        }
    }
    const Expr* found = conjunction(std::move(terms), false);
    return negated ? negation(found) : found;
}

const Expr* Binder::inList(const parse::InList& e, Block& block) {
    if (e.operand->is<parse::Row>()) {
        std::vector<const Expr*> terms;
        for (const parse::Expression* item : e.items) {
            auto* equal = arena_.make<parse::Binary>(e.position);
            equal->op = BinaryOperator::kEqual;
            equal->left = e.operand;
            equal->right = const_cast<parse::Expression*>(item);
            terms.push_back(rowComparison(*equal, block));
        }
        const Expr* found = conjunction(std::move(terms), false);
        return e.negated ? negation(found) : found;
    }
    const Expr* operand = expr(e.operand, block);
    std::vector<const Expr*> items;
    for (const parse::Expression* item : e.items) items.push_back(expr(item, block));
    if (again(operand, e.operand, block) == operand)
        return inItems(operand, items, e.negated, e.position);
    // The operand holds a subquery: it stands once in each comparison.
    std::vector<const Expr*> terms;
    for (const Expr* item : items)
        terms.push_back(compare("=", again(operand, e.operand, block), item, e.position));
    const Expr* found = conjunction(std::move(terms), false);
    return e.negated ? negation(found) : found;
}

const Expr* Binder::like(const parse::Like& e, Block& block) {
    std::vector<const Expr*> args{expr(e.operand, block), expr(e.pattern, block)};
    if (e.escape != nullptr) args.push_back(expr(e.escape, block));
    std::string_view name = e.like == parse::LikeKind::kLike         ? "like"
                            : e.like == parse::LikeKind::kLikeNoCase ? "ilike"
                                                                     : "similar to";
    if (e.like == parse::LikeKind::kSimilar && !functions::functionExists(name))
        name = "similar_to";
    const Expr* matches = call(name, std::move(args), e.position);
    return e.negated ? negation(matches) : matches;
}

/// x = ANY (array): a constructor is a list of values, other arrays are searched.
const Expr* Binder::quantifiedArray(const parse::Quantified& e, Block& block) {
    const Expr* operand = expr(e.operand, block);
    if (e.array->is<parse::ArrayConstructor>() || e.array->is<parse::Row>()) {
        const auto& items = e.array->is<parse::Row>()
                                ? e.array->as<parse::Row>()->items
                                : e.array->as<parse::ArrayConstructor>()->items;
        std::vector<const Expr*> terms;
        for (const parse::Expression* item : items)
            terms.push_back(compare(symbolOf(e.op), again(operand, e.operand, block),
                                    expr(item, block), e.position));
        return conjunction(std::move(terms), e.all);
    }
    const bool equal_any = e.op == BinaryOperator::kEqual && !e.all;
    const bool differs_all = e.op == BinaryOperator::kNotEqual && e.all;
    if (!isComparison(e.op) || !(equal_any || differs_all) ||
        !functions::functionExists("array_contains_text"))
        notYet("this comparison with an array", e.position);
    const Expr* array = expr(e.array, block);
    const Expr* item =
        castTo(operand, SqlType::text(), functions::CastContext::kExplicit, e.position);
    const Expr* found = call("array_contains_text", {array, item}, e.position);
    return differs_all ? negation(found) : found;
}

} // namespace blueshift::bind
