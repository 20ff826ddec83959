#include "functions/expression.h"

#include <algorithm>

#include "functions/casts.h"
#include "functions/overload.h"
#include "functions/text_input.h"
#include "kernels/datetime.h"
#include "kernels/decimal.h"

namespace blueshift {

using functions::BoundFunction;
using functions::CastContext;
using functions::CastForm;
using functions::Function;
using functions::SessionFacts;
using functions::Volatility;

namespace {

const Value* constantOf(const Expr* expr) {
    return expr->kind == ExprKind::kConstant ? &expr->as<ConstantExpr>()->value : nullptr;
}

template <class T>
T* makeNode(Arena& arena, ExprKind kind, SqlType type, bool nullable, i32 position) {
    T* node = arena.make<T>();
    node->kind = kind;
    node->type = type;
    node->nullable = nullable;
    node->position = position;
    return node;
}

const Expr* makeConstantAt(Arena& arena, const Value& value, i32 position) {
    auto* node =
        makeNode<ConstantExpr>(arena, ExprKind::kConstant, value.type, value.is_null, position);
    node->value = value;
    return node;
}

/// The call's value when all arguments are constants and it does not fail.
const Expr* foldedCall(Arena& arena, const Function& function, const SqlType& type,
                       std::span<const Expr* const> args, const SessionFacts& session,
                       i32 position) {
    std::vector<Value> values;
    for (const Expr* arg : args) {
        const Value* value = constantOf(arg);
        if (value == nullptr) return nullptr;
        values.push_back(*value);
    }
    const auto folded = functions::foldCall(function, values, type, session, arena);
    return folded ? makeConstantAt(arena, *folded, position) : nullptr;
}

const Expr* makeCallAt(Arena& arena, const Function* function, SqlType type,
                       std::span<const Expr* const> args, i32 position) {
    bool nullable = function->null_policy != functions::NullPolicy::kStrict;
    for (const Expr* arg : args) nullable |= arg->nullable;
    auto* node = makeNode<CallExpr>(arena, ExprKind::kCall, type, nullable, position);
    node->function = function;
    node->args = List<const Expr*>(arena, args);
    return node;
}

[[noreturn]] void throwAt(Error error, i32 position) {
    if (position >= 0 && error.position == 0) error.position = position + 1;
    throw SqlError(std::move(error));
}

/// A date or time whose text means the same in every session: it starts with a year of four digits.
bool hasAbsoluteText(std::string_view text) {
    return text.size() >= 10 && text[4] == '-' && text[7] == '-' && text[0] >= '0' &&
           text[0] <= '9';
}

/// An untyped literal takes the type; its text is read now and an error is thrown at its place.
const Expr* castLiteral(Arena& arena, const Expr* expr, const Value& value, SqlType to,
                        CastContext context) {
    const TypeKind kind = to.kind;
    const bool zoned = kind == TypeKind::kTimestampTz || kind == TypeKind::kTimeTz;
    const bool named = kind == TypeKind::kRegclass || kind == TypeKind::kRegtype;
    const bool local =
        kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTime;
    if (zoned || named || (local && kind != TypeKind::kTime && !hasAbsoluteText(value.text))) {
        if (!named) {
            // Which day it is may depend on the session; that it is none does not.
            bool readable = false;
            SessionFacts session;
            for (bool mdy : {true, false}) {
                session.date_order_mdy = mdy;
                readable |= functions::parseValue(value.text, to, session, arena).has_value();
            }
            if (!readable)
                throwAt(functions::parseValue(value.text, to, session, arena).error(),
                        expr->position);
        }
        auto* literal = makeNode<ConstantExpr>(arena, ExprKind::kConstant, SqlType::text(), false,
                                               expr->position);
        literal->value = Value::ofText(value.text);
        const Expr* args[] = {literal};
        return makeCallAt(arena, functions::castFunction(SqlType::text(), to), to, args,
                          expr->position);
    }
    if (isTextual(kind)) {
        functions::InputOptions options{.truncate_text = context == CastContext::kExplicit};
        TextView view;
        const auto error =
            functions::parseInto(value.text, to, PhysicalKind::kText, &view, options);
        if (error != functions::InputError::kNone)
            throwAt(functions::describeInputError(error, value.text, to), expr->position);
        return makeConstantAt(arena, Value::ofText(value.text.substr(0, view.size()), to),
                              expr->position);
    }
    auto parsed = functions::parseValue(value.text, to, SessionFacts{}, arena);
    if (!parsed) throwAt(std::move(parsed.error()), expr->position);
    return makeConstantAt(arena, *parsed, expr->position);
}

/// The constant as a value of `to` when it is one exactly; nullptr otherwise.
const Expr* exactConstant(Arena& arena, const Expr* expr, const SqlType& to) {
    const Value* value = constantOf(expr);
    if (value == nullptr || value->is_null) return nullptr;
    const SqlType& from = value->type;
    const bool from_exact = isInteger(from.kind) || from.kind == TypeKind::kDecimal;
    if (from_exact && (isInteger(to.kind) || to.kind == TypeKind::kDecimal)) {
        const int shift = int(to.scale) - int(from.scale);
        const i128 power = kernels::powerOfTen(shift < 0 ? -shift : shift);
        i128 result;
        if (shift < 0) {
            if (value->integer % power != 0) return nullptr;
            result = value->integer / power;
        } else if (__builtin_mul_overflow(value->integer, power, &result)) {
            return nullptr;
        }
        const i128 limit = to.kind == TypeKind::kDecimal    ? kernels::powerOfTen(to.precision)
                           : to.kind == TypeKind::kSmallInt ? 32768
                           : to.kind == TypeKind::kInteger  ? i128(1) << 31
                                                            : i128(1) << 63;
        if (result >= limit || result <= -limit) return nullptr;
        return makeConstantAt(arena, Value::ofInteger(result, to), expr->position);
    }
    if (from.kind == TypeKind::kTimestamp && to.kind == TypeKind::kDate) {
        const i64 micros = i64(value->integer);
        if (kernels::timeOfTimestamp(micros) != 0) return nullptr;
        return makeConstantAt(arena, Value::ofInteger(kernels::dateFromTimestamp(micros), to),
                              expr->position);
    }
    return nullptr;
}

std::vector<const Value*> constantsOf(std::span<const Expr* const> args) {
    std::vector<const Value*> constants;
    for (const Expr* arg : args) constants.push_back(constantOf(arg));
    return constants;
}
std::vector<SqlType> typesOf(std::span<const Expr* const> args) {
    std::vector<SqlType> types;
    for (const Expr* arg : args) types.push_back(arg->type);
    return types;
}

BoundFunction bindAt(std::string_view name, std::span<const Expr* const> args) {
    const auto types = typesOf(args);
    const auto constants = constantsOf(args);
    return functions::bindFunction(name, types, constants);
}

} // namespace

const Expr* makeColumn(Arena& arena, ColumnId id, SqlType type, bool nullable) {
    auto* node = makeNode<ColumnExpr>(arena, ExprKind::kColumn, type, nullable, -1);
    node->id = id;
    return node;
}

const Expr* makeConstant(Arena& arena, const Value& value) {
    return makeConstantAt(arena, value, -1);
}

const Expr* makeCall(Arena& arena, const Function* function, SqlType type,
                     std::span<const Expr* const> args) {
    return makeCallAt(arena, function, type, args, -1);
}

const Expr* makeCallByName(Arena& arena, std::string_view name, std::span<const Expr* const> args) {
    const BoundFunction bound = bindAt(name, args);
    std::vector<const Expr*> cast;
    for (size_t i = 0; i < args.size(); ++i) {
        const SqlType& to = bound.argument_types[i];
        cast.push_back(to.kind == args[i]->type.kind && to.kind != TypeKind::kDecimal
                           ? args[i]
                           : makeCast(arena, args[i], to, CastContext::kImplicit));
    }
    const i32 position = args.empty() ? -1 : args[0]->position;
    if (bound.function->volatility == Volatility::kImmutable)
        if (const Expr* folded =
                foldedCall(arena, *bound.function, bound.result, cast, {}, position))
            return folded;
    return makeCallAt(arena, bound.function, bound.result, cast, position);
}

const Expr* makeComparison(Arena& arena, std::string_view symbol, const Expr* a, const Expr* b) {
    const auto op = functions::comparisonOperator(symbol);
    if (!op) {
        const Expr* args[] = {a, b};
        return makeCallByName(arena, symbol, args);
    }
    // A constant that is a value of the other side's type leaves a column as it is stored.
    if (a->type != b->type) {
        if (const Expr* exact = exactConstant(arena, b, a->type)) b = exact;
        else if (const Expr* other = exactConstant(arena, a, b->type)) a = other;
    }
    const SqlType type = functions::comparisonType(a->type, b->type, symbol);
    const auto prepare = [&](const Expr* side) {
        const bool known = side->type.kind != TypeKind::kUnknown;
        return known && functions::isSameRepresentation(side->type, type)
                   ? side
                   : makeCast(arena, side, type, CastContext::kExplicit);
    };
    const Expr* args[] = {prepare(a), prepare(b)};
    return makeCallAt(arena, functions::comparisonFunction(*op, naturalKind(type)),
                      SqlType::boolean(), args, a->position);
}

const Expr* makeCast(Arena& arena, const Expr* expr, SqlType to, CastContext context) {
    if (expr->type == to) return expr;
    const Value* value = constantOf(expr);
    if (value != nullptr && value->is_null)
        return makeConstantAt(arena, Value::null(to), expr->position);
    if (expr->type.kind == TypeKind::kUnknown) {
        if (expr->kind == ExprKind::kParameter) {
            auto* parameter =
                makeNode<ParameterExpr>(arena, ExprKind::kParameter, to, true, expr->position);
            parameter->index = expr->as<ParameterExpr>()->index;
            return parameter;
        }
        if (value != nullptr) return castLiteral(arena, expr, *value, to, context);
    }
    const CastForm form =
        context == CastContext::kExplicit ? CastForm::kExplicit : CastForm::kAssignment;
    const Function* function = functions::castFunctionOf(expr->type, to, form);
    if (function == nullptr || !functions::canCast(expr->type, to, context)) {
        throwAt(Error(function == nullptr ? sqlstate::kCannotCoerce : sqlstate::kDatatypeMismatch,
                      function == nullptr
                          ? "cannot cast type " + formatType(expr->type) + " to " + formatType(to)
                          : "value of type " + formatType(expr->type) + " does not become " +
                                formatType(to) + " by itself")
                    .withHint(function == nullptr
                                  ? "Convert the value another way, for example through text."
                                  : "Write CAST(... AS " + formatType(to) + ")."),
                expr->position);
    }
    const Expr* args[] = {expr};
    if (function->volatility == Volatility::kImmutable && value != nullptr)
        if (const Expr* folded = foldedCall(arena, *function, to, args, {}, expr->position))
            return folded;
    return makeCallAt(arena, function, to, args, expr->position);
}

namespace {

List<const Expr*> castAll(Arena& arena, std::span<const Expr* const> args, const SqlType& type) {
    List<const Expr*> result(arena);
    for (const Expr* arg : args) {
        const bool same = arg->type.kind != TypeKind::kUnknown && isTextual(type.kind) &&
                          isTextual(arg->type.kind);
        result.push(same ? arg : makeCast(arena, arg, type, CastContext::kExplicit));
    }
    return result;
}

/// Conditions to BOOLEAN, results to their common type.
LogicExpr* makeCase(Arena& arena, std::span<const Expr* const> args) {
    const bool has_else = args.size() % 2 == 1;
    std::vector<SqlType> types;
    for (size_t i = 0; i < args.size(); ++i)
        if (i % 2 == 1 || i + 1 == args.size()) types.push_back(args[i]->type);
    const SqlType type = functions::commonType(types, "CASE");
    auto* node = makeNode<LogicExpr>(arena, ExprKind::kCase, type, !has_else, -1);
    node->has_else = has_else;
    node->args = List<const Expr*>(arena);
    for (size_t i = 0; i < args.size(); ++i) {
        const bool is_result = i % 2 == 1 || (has_else && i + 1 == args.size());
        const SqlType& to = is_result ? type : SqlType::boolean();
        const Expr* arg = args[i];
        if (!(is_result && isTextual(to.kind) && isTextual(arg->type.kind) &&
              arg->type.kind != TypeKind::kUnknown))
            arg = makeCast(arena, arg, to, CastContext::kExplicit);
        if (is_result) node->nullable |= arg->nullable;
        node->args.push(arg);
    }
    return node;
}

LogicExpr* makeInList(Arena& arena, std::span<const Expr* const> args) {
    std::vector<const Expr*> items(args.begin(), args.end());
    SqlType type = items[0]->type;
    for (size_t i = 1; i < items.size(); ++i) {
        if (const Expr* exact = exactConstant(arena, items[i], items[0]->type)) items[i] = exact;
        type = functions::comparisonType(type, items[i]->type, "=");
    }
    auto* node = makeNode<LogicExpr>(arena, ExprKind::kInList, SqlType::boolean(), false,
                                     items[0]->position);
    node->args = castAll(arena, items, type);
    for (const Expr* arg : node->args) node->nullable |= arg->nullable;
    return node;
}

} // namespace

const Expr* makeLogic(Arena& arena, ExprKind kind, std::span<const Expr* const> args, bool negated,
                      i8 truth) {
    LogicExpr* node = nullptr;
    switch (kind) {
    case ExprKind::kCase: node = makeCase(arena, args); break;
    case ExprKind::kInList: node = makeInList(arena, args); break;
    case ExprKind::kCoalesce: {
        const SqlType type = functions::commonType(typesOf(args), "COALESCE");
        node = makeNode<LogicExpr>(arena, kind, type, true, -1);
        node->args = castAll(arena, args, type);
        for (const Expr* arg : node->args) node->nullable &= arg->nullable;
        break;
    }
    case ExprKind::kIsNull:
        node = makeNode<LogicExpr>(arena, kind, SqlType::boolean(), false, -1);
        node->args = List<const Expr*>(arena, args);
        break;
    default:
        node = makeNode<LogicExpr>(arena, kind, SqlType::boolean(), false, -1);
        node->args = List<const Expr*>(arena);
        for (const Expr* arg : args) {
            const Expr* term = makeCast(arena, arg, SqlType::boolean(), CastContext::kImplicit);
            if (term->kind == kind && (kind == ExprKind::kAnd || kind == ExprKind::kOr))
                node->args.append(argsOf(term));
            else node->args.push(term);
            node->nullable |= term->nullable && kind != ExprKind::kIsTruth;
        }
        break;
    }
    node->negated = negated;
    node->truth = truth;
    if (!args.empty() && node->position < 0) node->position = args[0]->position;
    return node;
}

const Expr* makeAnd(Arena& arena, std::span<const Expr* const> terms) {
    std::vector<const Expr*> flat;
    for (const Expr* term : terms) splitConjunction(term, flat);
    if (flat.empty()) return nullptr;
    if (flat.size() == 1) return flat[0];
    return makeLogic(arena, ExprKind::kAnd, flat);
}

std::span<const Expr* const> argsOf(const Expr* expr) {
    switch (expr->kind) {
    case ExprKind::kCall: return expr->as<CallExpr>()->args.span();
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kNot:
    case ExprKind::kIsNull:
    case ExprKind::kIsTruth:
    case ExprKind::kCase:
    case ExprKind::kCoalesce:
    case ExprKind::kInList: return expr->as<LogicExpr>()->args.span();
    default: return {};
    }
}

const Expr* withArgs(Arena& arena, const Expr* expr, std::span<const Expr* const> args) {
    if (expr->kind == ExprKind::kCall) {
        auto* copy = arena.make<CallExpr>(*expr->as<CallExpr>());
        copy->args = List<const Expr*>(arena, args);
        copy->nullable = copy->function->null_policy != functions::NullPolicy::kStrict;
        for (const Expr* arg : args) copy->nullable |= arg->nullable;
        return copy;
    }
    auto* copy = arena.make<LogicExpr>(*expr->as<LogicExpr>());
    copy->args = List<const Expr*>(arena, args);
    if (expr->kind != ExprKind::kIsNull && expr->kind != ExprKind::kIsTruth)
        for (const Expr* arg : args) copy->nullable |= arg->nullable;
    return copy;
}

const Expr* foldConstants(Arena& arena, const Expr* expr, const SessionFacts& session) {
    const auto args = argsOf(expr);
    std::vector<const Expr*> folded(args.begin(), args.end());
    bool changed = false;
    for (auto& arg : folded) {
        const Expr* other = foldConstants(arena, arg, session);
        changed |= other != arg;
        arg = other;
    }
    if (changed) expr = withArgs(arena, expr, folded);
    if (expr->kind != ExprKind::kCall) return expr;
    const auto* call = expr->as<CallExpr>();
    if (call->function->volatility == Volatility::kVolatile) return expr;
    const Expr* value =
        foldedCall(arena, *call->function, call->type, folded, session, expr->position);
    return value != nullptr ? value : expr;
}

} // namespace blueshift
