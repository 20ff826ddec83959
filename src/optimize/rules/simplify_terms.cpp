// Conditions as sets of terms: ORs taken apart, constants carried along equalities.
#include <algorithm>
#include <unordered_map>

#include "optimize/logical_shape.h"
#include "optimize/rules/push_predicates.h"

namespace blueshift::optimize {

namespace {

bool containsSame(std::span<const Expr* const> terms, const Expr* term) {
    return std::ranges::any_of(terms, [&](const Expr* other) { return sameExpr(other, term); });
}

/// `a = 1 OR a = 2 OR a IN (3)` as `a IN (1, 2, 3)`; nullptr when it is something else.
const Expr* asInList(PlanContext& context, std::span<const Expr* const> arms) {
    const Expr* column = nullptr;
    std::vector<const Expr*> args{nullptr};
    const auto add = [&](const Expr* tested, const Expr* constant) {
        if (constant->kind != ExprKind::kConstant || constant->type != tested->type) return false;
        if (column != nullptr && !sameExpr(column, tested)) return false;
        column = tested;
        args.push_back(constant);
        return true;
    };
    for (const Expr* arm : arms) {
        if (arm->kind == ExprKind::kInList && !arm->as<LogicExpr>()->negated) {
            const auto list = argsOf(arm);
            for (size_t i = 1; i < list.size(); ++i)
                if (!add(list[0], list[i])) return nullptr;
            continue;
        }
        const Equality equality = equalityOf(arm);
        if (!equality) return nullptr;
        const bool mirrored = equality.left->kind == ExprKind::kConstant;
        if (!add(mirrored ? equality.right : equality.left,
                 mirrored ? equality.left : equality.right))
            return nullptr;
    }
    if (column == nullptr || args.size() < 3) return nullptr;
    args[0] = column;
    return makeLogic(context.arena, ExprKind::kInList, args);
}

void simplifyOr(PlanContext& context, const Expr* term, std::vector<const Expr*>& out) {
    const auto arms = argsOf(term);
    std::vector<std::vector<const Expr*>> lists;
    for (const Expr* arm : arms) splitConjunction(arm, lists.emplace_back());
    std::vector<const Expr*> common;
    for (const Expr* candidate : lists[0]) {
        const bool everywhere = std::ranges::all_of(
            lists, [&](const auto& list) { return containsSame(list, candidate); });
        if (everywhere && !containsSame(common, candidate)) common.push_back(candidate);
    }
    if (common.empty()) {
        const Expr* list = asInList(context, arms);
        out.push_back(list == nullptr ? term : list);
        return;
    }
    out.insert(out.end(), common.begin(), common.end());
    std::vector<const Expr*> rest;
    for (const auto& list : lists) {
        std::vector<const Expr*> kept;
        for (const Expr* part : list)
            if (!containsSame(common, part)) kept.push_back(part);
        if (kept.empty()) return; // an arm that is TRUE beside the common terms
        rest.push_back(makeAnd(context.arena, kept));
    }
    const Expr* list = asInList(context, rest);
    out.push_back(list != nullptr ? list : makeLogic(context.arena, ExprKind::kOr, rest));
}

} // namespace

std::vector<const Expr*> simplifyTerms(PlanContext& context, std::span<const Expr* const> terms) {
    std::vector<const Expr*> split;
    for (const Expr* term : terms) splitConjunction(term, split);
    std::vector<const Expr*> simple;
    for (const Expr* term : split) {
        if (term->kind == ExprKind::kOr && context.enabled("or_terms"))
            simplifyOr(context, term, simple);
        else simple.push_back(term);
    }
    std::vector<const Expr*> made;
    for (const Expr* term : simple) {
        if (isConstantTrue(term)) continue;
        if (isConstantFalseOrNull(term)) return {makeConstant(context.arena, Value::ofBool(false))};
        if (!containsSame(made, term)) made.push_back(term);
    }
    return made;
}

std::vector<const Expr*> inferTerms(PlanContext& context, std::span<const Expr* const> terms) {
    if (!context.enabled("infer_constants")) return {};
    std::unordered_map<ColumnId, ColumnId> parent;
    const auto root = [&](ColumnId id) {
        while (parent.contains(id) && parent[id] != id) id = parent[id];
        return id;
    };
    std::vector<const ColumnExpr*> members;
    for (const Expr* term : terms) {
        const Equality equality = equalityOf(term);
        if (!equality || !isColumn(equality.left) || !isColumn(equality.right) ||
            equality.left->type != equality.right->type)
            continue;
        for (const Expr* side : {equality.left, equality.right}) {
            const auto* column = side->as<ColumnExpr>();
            if (parent.try_emplace(column->id, column->id).second) members.push_back(column);
        }
        const ColumnId a = root(equality.left->as<ColumnExpr>()->id);
        const ColumnId b = root(equality.right->as<ColumnExpr>()->id);
        parent[a] = b;
    }
    std::vector<const Expr*> made;
    if (members.empty()) return made;
    for (const Expr* term : terms) {
        const ColumnSet read = columnsOf(term);
        if (read.size() != 1 || mayRaise(term)) continue;
        if (term->kind != ExprKind::kCall && term->kind != ExprKind::kInList) continue;
        // Functions may tell equal texts apart (trailing blanks): comparisons only.
        if (term->kind == ExprKind::kCall) {
            const auto op = term->as<CallExpr>()->function->op;
            if (op < functions::Operator::kEqual || op > functions::Operator::kGreaterEqual)
                continue;
        }
        if (std::ranges::any_of(argsOf(term), [](const Expr* arg) {
                return arg->kind != ExprKind::kColumn && arg->kind != ExprKind::kConstant;
            }))
            continue;
        const ColumnId from = read.ids()[0];
        if (!parent.contains(from)) continue;
        for (const ColumnExpr* member : members) {
            if (member->id == from || root(member->id) != root(from)) continue;
            const Expr* moved =
                rewriteColumns(context.arena, term,
                               [&](ColumnId, const ColumnExpr*) -> const Expr* { return member; });
            if (!containsSame(terms, moved) && !containsSame(made, moved)) made.push_back(moved);
        }
    }
    return made;
}

const Expr* impliedByOr(PlanContext& context, const Expr* term, const ColumnSet& side) {
    if (term->kind != ExprKind::kOr || !context.enabled("or_terms")) return nullptr;
    std::vector<const Expr*> arms;
    for (const Expr* arm : argsOf(term)) {
        std::vector<const Expr*> parts;
        splitConjunction(arm, parts);
        std::erase_if(parts, [&](const Expr* part) {
            const ColumnSet read = columnsOf(part);
            return read.empty() || !side.containsAll(read) || mayRaise(part);
        });
        if (parts.empty()) return nullptr;
        arms.push_back(makeAnd(context.arena, parts));
    }
    const Expr* list = asInList(context, arms);
    return list != nullptr ? list : makeLogic(context.arena, ExprKind::kOr, arms);
}

} // namespace blueshift::optimize
