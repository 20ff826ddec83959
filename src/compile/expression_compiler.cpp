#include "compile/expression_compiler.h"

#include <fmt/format.h>

#include "compile/call_range.h"
#include "compile/compile.h"
#include "compile/range.h"

namespace blueshift::compile {

using functions::Operator;

namespace {

bool isIntegerFamily(const SqlType& type) {
    return isIntegerKind(naturalKind(type));
}

Range rangeOf(const EvalNode* node) {
    return {node->min, node->max};
}

void setRange(EvalNode* node, Range range) {
    node->has_range = true;
    node->min = range.min;
    node->max = range.max;
}

bool isComparison(Operator op) {
    return op >= Operator::kEqual && op <= Operator::kGreaterEqual;
}

i128 powerOfTen(int digits) {
    i128 power = 1;
    for (int i = 0; i < digits; ++i) power *= 10;
    return power;
}

} // namespace

Expression ExpressionCompiler::compile(const Expr* expr) {
    const EvalNode* root = node(expr);
    return {root, next_scratch_};
}

Expression ExpressionCompiler::compileAs(const Expr* expr, PhysicalKind kind) {
    const EvalNode* root = widen(node(expr), kind);
    return {root, next_scratch_};
}

EvalNode* ExpressionCompiler::make(EvalOp op, SqlType type, PhysicalKind kind) {
    auto* made = arena_.make<EvalNode>();
    made->op = op;
    made->type = type;
    made->kind = kind;
    made->scratch = next_scratch_++;
    made->args = List<const EvalNode*>(arena_);
    made->arg_types = List<SqlType>(arena_);
    if (isIntegerKind(kind)) setRange(made, rangeOfKind(kind));
    return made;
}

const EvalNode* ExpressionCompiler::node(const Expr* expr) {
    switch (expr->kind) {
    case ExprKind::kColumn: return column(expr->as<ColumnExpr>());
    case ExprKind::kConstant: return constant(expr->as<ConstantExpr>()->value);
    case ExprKind::kCall: return call(expr->as<CallExpr>());
    case ExprKind::kInList: return inList(expr->as<LogicExpr>());
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kNot:
    case ExprKind::kIsNull:
    case ExprKind::kIsTruth:
    case ExprKind::kCase:
    case ExprKind::kCoalesce: return logic(expr->as<LogicExpr>());
    default: break;
    }
    throw SqlError(sqlstate::kInternalError,
                   "an expression reached the compiler that planning should have removed");
}

const EvalNode* ExpressionCompiler::column(const ColumnExpr* expr) {
    for (u32 i = 0; i < slots_.size(); ++i) {
        const SlotInfo& slot = slots_[i];
        if (slot.id != expr->id) continue;
        EvalNode* made = make(EvalOp::kSlot, expr->type, slot.kind);
        made->slot = Slot(i);
        made->nullable = slot.nullable;
        if (slot.has_range) setRange(made, {slot.min, slot.max});
        return made;
    }
    throw SqlError(sqlstate::kInternalError,
                   fmt::format("column {} is missing from its operator's input", expr->id));
}

const EvalNode* ExpressionCompiler::constant(const Value& value) {
    PhysicalKind kind = naturalKind(value.type);
    if (isIntegerKind(kind))
        kind = value.is_null ? PhysicalKind::kI8
                             : kindForRange({value.integer, value.integer}, PhysicalKind::kI8);
    EvalNode* made = make(EvalOp::kConstant, value.type, kind);
    made->constant = value;
    made->nullable = value.is_null;
    if (isIntegerKind(kind)) {
        const i128 number = value.is_null ? 0 : value.integer;
        setRange(made, {number, number});
    }
    return made;
}

const EvalNode* ExpressionCompiler::widen(const EvalNode* from, PhysicalKind kind) {
    if (from->kind == kind || !isIntegerKind(kind) || !isIntegerKind(from->kind)) return from;
    BS_CHECK(widthOf(from->kind) < widthOf(kind), "narrowing");
    EvalNode* made;
    if (from->op == EvalOp::kConstant) {
        made = make(EvalOp::kConstant, from->type, kind);
        made->constant = from->constant;
    } else {
        made = make(EvalOp::kCall, from->type, kind);
        made->loop = functions::widenLoop(from->kind, kind);
        made->args.push(from);
        made->arg_types.push(from->type);
        finishCall(made);
    }
    made->nullable = from->nullable;
    setRange(made, rangeOf(from));
    return made;
}

const EvalNode* ExpressionCompiler::relabel(const EvalNode* from, SqlType type) {
    auto* made = arena_.make<EvalNode>(*from);
    made->type = type;
    if (made->op == EvalOp::kConstant) made->constant.type = type;
    return made;
}

/// After args and function are set: what can fail, and whether dictionaries may be used.
void ExpressionCompiler::finishCall(EvalNode* made) {
    u32 varying = 0;
    made->nullable = made->null_policy != functions::NullPolicy::kStrict;
    made->subtree_fails = made->can_fail;
    for (u32 i = 0; i < made->args.size(); ++i) {
        const EvalNode* arg = made->args[i];
        made->nullable |= arg->nullable;
        made->subtree_fails |= arg->subtree_fails;
        if (arg->op == EvalOp::kConstant) continue;
        ++varying;
        made->varying_arg = u8(i);
    }
    const bool is_volatile =
        made->function != nullptr && made->function->volatility == functions::Volatility::kVolatile;
    made->per_entry = varying == 1 && !made->can_fail && !is_volatile &&
                      made->null_policy == functions::NullPolicy::kStrict;
}

const EvalNode* ExpressionCompiler::call(const CallExpr* expr) {
    const Operator op = expr->function->op;
    const bool integers = isIntegerFamily(expr->type);
    if (op >= Operator::kAdd && op <= Operator::kNegate) {
        bool same_family = integers;
        for (const Expr* arg : expr->args) same_family &= isIntegerFamily(arg->type);
        if (same_family || isFloat(expr->type.kind)) return arithmetic(expr);
    }
    if (isComparison(op)) return comparison(expr);
    if (op == Operator::kCast) return cast(expr);
    return generic(expr);
}

const EvalNode* ExpressionCompiler::arithmetic(const CallExpr* expr) {
    const Operator op = expr->function->op;
    const EvalNode* a = node(expr->args[0]);
    const EvalNode* b = expr->args.size() > 1 ? node(expr->args[1]) : nullptr;
    if (isFloat(expr->type.kind)) {
        if (a->kind != naturalKind(expr->type) || (b != nullptr && b->kind != a->kind))
            return generic(expr);
        EvalNode* made = make(EvalOp::kCall, expr->type, a->kind);
        made->function = expr->function;
        made->loop = functions::arithmeticLoop(op, a->kind, true);
        made->can_fail = true;
        for (const EvalNode* arg : {a, b}) {
            if (arg == nullptr) continue;
            made->args.push(arg);
            made->arg_types.push(arg->type);
        }
        finishCall(made);
        return made;
    }
    std::optional<Range> range;
    if (op == Operator::kAdd) range = addRanges(rangeOf(a), rangeOf(b));
    else if (op == Operator::kSubtract) range = subtractRanges(rangeOf(a), rangeOf(b));
    else if (op == Operator::kMultiply) range = multiplyRanges(rangeOf(a), rangeOf(b));
    else if (op == Operator::kNegate) range = subtractRanges({0, 0}, rangeOf(a));
    const bool exact = range && rangeOfType(expr->type).contains(*range);
    PhysicalKind kind = naturalKind(expr->type);
    if (exact) {
        // Never wider than natural: SMALLINT stays at 2 bytes, where its overflows are seen.
        const bool small = widthOf(kind) < widthOf(PhysicalKind::kI32);
        kind = kindForRange(*range, small ? kind : PhysicalKind::kI32);
        kind = widerKind(kind, a->kind);
        if (b != nullptr) kind = widerKind(kind, b->kind);
    } else {
        // Operands of a checked operation may be wider than its result's type (DECIMAL division).
        kind = widerKind(kind, a->kind);
        if (b != nullptr) kind = widerKind(kind, b->kind);
        kind = widerKind(kind, PhysicalKind::kI16);
    }
    const bool divides = op == Operator::kDivide || op == Operator::kModulo;
    EvalNode* made = make(EvalOp::kCall, expr->type, kind);
    made->function = expr->function;
    made->loop = functions::arithmeticLoop(op, kind, !exact || divides);
    made->can_fail = !exact || divides;
    if (made->loop == nullptr) return generic(expr);
    for (const EvalNode* arg : {a, b}) {
        if (arg == nullptr) continue;
        made->args.push(widen(arg, kind));
        made->arg_types.push(arg->type);
    }
    finishCall(made);
    if (exact) setRange(made, *range);
    return made;
}

const EvalNode* ExpressionCompiler::comparison(const CallExpr* expr) {
    const Operator op = expr->function->op;
    const EvalNode* a = node(expr->args[0]);
    const EvalNode* b = node(expr->args[1]);
    PhysicalKind kind = a->kind;
    if (isIntegerKind(a->kind) && isIntegerKind(b->kind)) kind = widerKind(a->kind, b->kind);
    else if (a->kind != b->kind) return generic(expr);
    EvalNode* made = make(EvalOp::kCall, SqlType::boolean(), PhysicalKind::kI8);
    made->function = expr->function;
    made->loop = functions::comparisonLoop(op, kind);
    made->filter = functions::filterLoop(op, kind);
    for (const EvalNode* arg : {a, b}) {
        made->args.push(widen(arg, kind));
        made->arg_types.push(arg->type);
    }
    finishCall(made);
    setRange(made, {0, 1});
    return made;
}

/// Multiplies by a power of ten; `from` and the product are proved to fit.
const EvalNode* ExpressionCompiler::rescale(const EvalNode* from, SqlType type, int digits) {
    const i128 power = powerOfTen(digits);
    const auto range = multiplyRanges(rangeOf(from), {power, power});
    const PhysicalKind kind = widerKind(kindForRange(*range, PhysicalKind::kI32), from->kind);
    EvalNode* made = make(EvalOp::kCall, type, kind);
    made->loop = functions::arithmeticLoop(Operator::kMultiply, kind, false);
    made->args.push(widen(from, kind));
    made->args.push(widen(constant(Value::ofInteger(power, type)), kind));
    made->arg_types.push(type);
    made->arg_types.push(type);
    finishCall(made);
    setRange(made, *range);
    return made;
}

/// Casts between integers and decimals that only change the scale upwards, and whose values fit the
/// target, need no call or one multiplication.
const EvalNode* ExpressionCompiler::cast(const CallExpr* expr) {
    const SqlType& to = expr->type;
    const SqlType& from = expr->args[0]->type;
    const auto exact_number = [](const SqlType& type) {
        return isInteger(type.kind) || type.kind == TypeKind::kDecimal;
    };
    const bool text_to_text = isTextual(from.kind) && isTextual(to.kind);
    if (expr->args.size() == 1 && exact_number(from) && exact_number(to)) {
        const EvalNode* arg = node(expr->args[0]);
        const int digits = int(to.scale) - int(from.scale);
        if (digits >= 0) {
            const i128 power = powerOfTen(digits);
            const auto range = multiplyRanges(rangeOf(arg), {power, power});
            Range allowed = rangeOfType(to);
            if (to.kind == TypeKind::kDecimal) {
                const i128 limit = powerOfTen(to.precision);
                allowed = {1 - limit, limit - 1};
            }
            if (range && allowed.contains(*range)) {
                // A relabelled node must not be wider than its new type's natural kind.
                if (widthOf(arg->kind) > widthOf(naturalKind(to))) return generic(expr);
                if (digits == 0) return relabel(arg, to);
                return rescale(arg, to, digits);
            }
        }
    }
    if (text_to_text && expr->args.size() == 1 && isString(from.kind) &&
        (to.kind == TypeKind::kText || (from.kind == TypeKind::kVarchar &&
                                        to.kind == TypeKind::kVarchar && from.length <= to.length)))
        return relabel(node(expr->args[0]), to);
    return generic(expr);
}

const EvalNode* ExpressionCompiler::generic(const CallExpr* expr) {
    EvalNode* made = make(EvalOp::kCall, expr->type, naturalKind(expr->type));
    made->function = expr->function;
    made->loop = expr->function->loop;
    made->null_policy = expr->function->null_policy;
    made->can_fail = expr->function->can_fail;
    if (made->loop == nullptr)
        throw SqlError(
            sqlstate::kFeatureNotSupported,
            fmt::format("{} is not supported for these types yet", expr->function->name));
    for (const Expr* arg : expr->args) {
        made->args.push(widen(node(arg), naturalKind(arg->type)));
        made->arg_types.push(arg->type);
    }
    finishCall(made);
    if (expr->type.kind == TypeKind::kBoolean) setRange(made, {0, 1});
    if (const auto range = rangeOfCall(*made)) setRange(made, *range);
    return made;
}

const EvalNode* ExpressionCompiler::logic(const LogicExpr* expr) {
    constexpr auto kOp = [](ExprKind kind) {
        switch (kind) {
        case ExprKind::kAnd: return EvalOp::kAnd;
        case ExprKind::kOr: return EvalOp::kOr;
        case ExprKind::kNot: return EvalOp::kNot;
        case ExprKind::kIsNull: return EvalOp::kIsNull;
        case ExprKind::kIsTruth: return EvalOp::kIsTruth;
        case ExprKind::kCase: return EvalOp::kCase;
        default: return EvalOp::kCoalesce;
        }
    };
    EvalNode* made = make(kOp(expr->kind), expr->type, naturalKind(expr->type));
    made->negated = expr->negated;
    made->truth = expr->truth;
    made->has_else = expr->has_else;
    std::vector<const EvalNode*> args;
    for (const Expr* arg : expr->args) args.push_back(node(arg));
    if (expr->kind == ExprKind::kCase || expr->kind == ExprKind::kCoalesce) {
        const bool is_case = expr->kind == ExprKind::kCase;
        const auto isValue = [&](size_t i) {
            return !is_case || i % 2 == 1 || (expr->has_else && i + 1 == args.size());
        };
        if (isIntegerKind(made->kind)) {
            Range range{0, 0};
            PhysicalKind kind = PhysicalKind::kI8;
            bool first = true;
            for (size_t i = 0; i < args.size(); ++i) {
                if (!isValue(i)) continue;
                kind = widerKind(kind, args[i]->kind);
                const Range arm = rangeOf(args[i]);
                range =
                    first ? arm : Range{std::min(range.min, arm.min), std::max(range.max, arm.max)};
                first = false;
            }
            made->kind = kind;
            setRange(made, range);
            for (size_t i = 0; i < args.size(); ++i)
                if (isValue(i)) args[i] = widen(args[i], kind);
        }
    } else {
        setRange(made, {0, 1});
    }
    made->nullable = expr->nullable;
    for (const EvalNode* arg : args) {
        made->args.push(arg);
        made->arg_types.push(arg->type);
        made->subtree_fails |= arg->subtree_fails;
    }
    return made;
}

const EvalNode* ExpressionCompiler::inList(const LogicExpr* expr) {
    EvalNode* made = make(EvalOp::kInList, SqlType::boolean(), PhysicalKind::kI8);
    made->negated = expr->negated;
    made->nullable = expr->nullable;
    setRange(made, {0, 1});
    for (const Expr* arg : expr->args) {
        const EvalNode* item = node(arg);
        made->args.push(item);
        made->subtree_fails |= item->subtree_fails;
    }
    return made;
}

SlotInfo slotOf(const EvalNode& node, ColumnId id) {
    return {.id = id,
            .type = node.type,
            .kind = node.kind,
            .nullable = node.nullable,
            .has_range = node.has_range,
            .min = node.min,
            .max = node.max};
}

Expression compileExpression(const Expr* expr, std::span<const SlotInfo> slots, Arena& arena) {
    return ExpressionCompiler(slots, arena).compile(expr);
}

} // namespace blueshift::compile
