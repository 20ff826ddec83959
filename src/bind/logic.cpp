// AND, OR, NOT, IS, CASE. Terms and arms that constants decide are taken out here.
#include "bind/binder.h"

namespace blueshift::bind {

using functions::CastContext;

namespace {

bool isConstantFalse(const Expr* expr) {
    if (expr->kind != ExprKind::kConstant) return false;
    const Value& value = expr->as<ConstantExpr>()->value;
    return !value.is_null && value.type.kind == TypeKind::kBoolean && value.integer == 0;
}

} // namespace

const Expr* Binder::conjunction(std::vector<const Expr*> terms, bool is_and) {
    std::vector<const Expr*> kept;
    for (const Expr* term : terms) {
        if (is_and ? isConstantTrue(term) : isConstantFalse(term)) continue;
        if (is_and ? isConstantFalse(term) : isConstantTrue(term)) return term;
        kept.push_back(term);
    }
    if (kept.empty()) return makeConstant(arena_, Value::ofBool(is_and));
    if (kept.size() == 1) return kept[0];
    return makeLogic(arena_, is_and ? ExprKind::kAnd : ExprKind::kOr, kept);
}

const Expr* Binder::logical(const parse::Logical& e, Block& block) {
    std::vector<const Expr*> terms;
    for (const parse::Expression* term : e.terms)
        terms.push_back(asBoolean(expr(term, block), e.is_and ? "AND" : "OR", term->position));
    return conjunction(std::move(terms), e.is_and);
}

const Expr* Binder::negation(const Expr* value) {
    if (isConstantTrue(value)) return makeConstant(arena_, Value::ofBool(false));
    if (isConstantFalse(value)) return makeConstant(arena_, Value::ofBool(true));
    if (value->kind == ExprKind::kNot) return argsOf(value)[0];
    const Expr* args[] = {value};
    return makeLogic(arena_, ExprKind::kNot, args);
}

const Expr* Binder::isNull(const Expr* value, bool negated) {
    if (value->kind == ExprKind::kConstant)
        return makeConstant(arena_,
                            Value::ofBool(value->as<ConstantExpr>()->value.is_null != negated));
    if (value->type.kind == TypeKind::kUnknown)
        value = castTo(value, SqlType::text(), CastContext::kExplicit, value->position);
    const Expr* args[] = {value};
    return makeLogic(arena_, ExprKind::kIsNull, args, negated);
}

const Expr* Binder::isTest(const parse::Is& e, Block& block) {
    if (e.test == parse::IsTest::kNull) {
        if (!e.operand->is<parse::Row>()) return isNull(expr(e.operand, block), e.negated);
        std::vector<const Expr*> terms;
        for (const parse::Expression* item : e.operand->as<parse::Row>()->items)
            terms.push_back(isNull(expr(item, block), e.negated));
        return conjunction(std::move(terms), true);
    }
    const Expr* args[] = {asBoolean(expr(e.operand, block), "IS", e.operand->position)};
    const i8 truth = e.test == parse::IsTest::kTrue ? 1 : e.test == parse::IsTest::kFalse ? 0 : -1;
    if (args[0]->kind == ExprKind::kConstant) {
        const Value& value = args[0]->as<ConstantExpr>()->value;
        const bool is = truth < 0 ? value.is_null : !value.is_null && value.integer == truth;
        return makeConstant(arena_, Value::ofBool(is != e.negated));
    }
    return makeLogic(arena_, ExprKind::kIsTruth, args, e.negated, truth);
}

/// CASE from when, then, ..., [else]: its type is that of all arms, also of those that are pruned.
const Expr* Binder::caseWhen(std::vector<const Expr*> args, i32 position) {
    const bool has_else = args.size() % 2 == 1;
    std::vector<SqlType> types;
    for (size_t i = 1; i < args.size(); i += 2) types.push_back(args[i]->type);
    if (has_else) types.push_back(args.back()->type);
    const SqlType type = at(position, [&] { return functions::commonType(types, "CASE"); });
    if (type.kind != TypeKind::kUnknown)
        for (size_t i = 1; i <= args.size(); i += 2) {
            const Expr*& arm = args[std::min(i, args.size() - 1)];
            arm = castTo(arm, type, CastContext::kExplicit, arm->position);
        }
    std::vector<const Expr*> kept;
    bool decided = false;
    for (size_t i = 0; i + 1 < args.size() && !decided; i += 2) {
        if (isConstantFalseOrNull(args[i])) continue;
        decided = isConstantTrue(args[i]);
        if (!decided) kept.push_back(args[i]);
        kept.push_back(args[i + 1]);
    }
    if (!decided && has_else) kept.push_back(args.back());
    if (kept.empty()) return makeConstant(arena_, Value::null(type));
    if (kept.size() == 1) return kept[0];
    return at(position, [&] { return makeLogic(arena_, ExprKind::kCase, kept); });
}

const Expr* Binder::caseOf(const parse::Case& e, Block& block) {
    const Expr* operand = e.operand == nullptr ? nullptr : expr(e.operand, block);
    std::vector<const Expr*> args;
    for (size_t i = 0; i < e.arms.size(); ++i) {
        const parse::CaseArm& arm = e.arms[i];
        const Expr* when = expr(arm.when, block);
        if (operand == nullptr) {
            args.push_back(asBoolean(when, "CASE/WHEN", arm.when->position));
        } else {
            const Expr* value = i == 0 ? operand : again(operand, e.operand, block);
            args.push_back(compare("=", value, when, arm.when->position));
        }
        args.push_back(expr(arm.then, block));
    }
    if (e.otherwise != nullptr) args.push_back(expr(e.otherwise, block));
    return caseWhen(std::move(args), e.position);
}

} // namespace blueshift::bind
