// The text of an expression as EXPLAIN shows it; see expression.h.
#include "functions/ascii.h"
#include "functions/expression.h"

namespace blueshift {

namespace {

using functions::Operator;

bool isSymbol(std::string_view name) {
    return !name.empty() && !functions::isAsciiLetter(name[0]) && name[0] != '_';
}

std::string_view likeSymbol(std::string_view name) {
    if (name == "like") return "~~";
    if (name == "ilike") return "~~*";
    return {};
}

class Printer {
public:
    explicit Printer(const ColumnNames& names) : names_(names) {}

    std::string print(const Expr* expr) const {
        switch (expr->kind) {
        case ExprKind::kColumn: return names_.nameOf(expr->as<ColumnExpr>()->id);
        case ExprKind::kConstant: return printConstant(expr->as<ConstantExpr>()->value);
        case ExprKind::kParameter: return "$" + std::to_string(expr->as<ParameterExpr>()->index);
        case ExprKind::kCall: return printCall(expr->as<CallExpr>());
        case ExprKind::kSubquery: return "(subplan)";
        case ExprKind::kOuterMark: return "(outer row)";
        default: return printLogic(expr->as<LogicExpr>());
        }
    }

private:
    static std::string printConstant(const Value& value) {
        if (value.is_null) return "NULL";
        if (value.type.kind == TypeKind::kBoolean) return value.integer != 0 ? "true" : "false";
        // CHAR without the blanks that its output has.
        const std::string text =
            isString(value.type.kind) ? std::string(value.text) : functions::valueText(value, {});
        if (isNumeric(value.type.kind)) return text;
        std::string quoted = "'";
        for (char c : text) {
            if (c == '\'') quoted += '\'';
            quoted += c;
        }
        quoted += "'";
        return value.type.kind == TypeKind::kUnknown ? quoted
                                                     : quoted + "::" + shortType(value.type);
    }

    static std::string shortType(const SqlType& type) {
        if (isString(type.kind)) return type.kind == TypeKind::kChar ? "bpchar" : "text";
        return formatType(type);
    }

    std::string printCall(const CallExpr* call) const {
        const auto& function = *call->function;
        const auto args = call->args.span();
        if (function.op == Operator::kCast && args.size() == 1) {
            // A change of scale or width of numbers is not of interest.
            if (isNumeric(args[0]->type.kind) && call->type.kind == TypeKind::kDecimal &&
                !function.can_fail)
                return print(args[0]);
            const std::string inner = print(args[0]);
            const bool wrapped = inner.front() == '(' && inner.back() == ')';
            return (wrapped ? inner : "(" + inner + ")") + "::" + formatType(call->type);
        }
        const std::string_view like = likeSymbol(function.name);
        if (args.size() == 2 && (isSymbol(function.name) || !like.empty()))
            return "(" + print(args[0]) + " " + std::string(like.empty() ? function.name : like) +
                   " " + print(args[1]) + ")";
        if (args.size() == 1 && isSymbol(function.name))
            return "(" + std::string(function.name) + " " + print(args[0]) + ")";
        return std::string(function.name) + "(" + join(args, ", ") + ")";
    }

    std::string printLogic(const LogicExpr* logic) const {
        const auto args = logic->args.span();
        switch (logic->kind) {
        case ExprKind::kAnd: return "(" + join(args, " AND ") + ")";
        case ExprKind::kOr: return "(" + join(args, " OR ") + ")";
        case ExprKind::kNot: return "(NOT " + print(args[0]) + ")";
        case ExprKind::kIsNull:
            return "(" + print(args[0]) + (logic->negated ? " IS NOT NULL)" : " IS NULL)");
        case ExprKind::kIsTruth:
            return "(" + print(args[0]) + (logic->negated ? " IS NOT " : " IS ") +
                   (logic->truth > 0    ? "TRUE)"
                    : logic->truth == 0 ? "FALSE)"
                                        : "UNKNOWN)");
        case ExprKind::kCoalesce: return "COALESCE(" + join(args, ", ") + ")";
        case ExprKind::kInList: {
            std::string text = "(" + print(args[0]) + (logic->negated ? " NOT IN (" : " IN (");
            return text + join(args.subspan(1), ", ") + "))";
        }
        default: break;
        }
        std::string text = "CASE";
        const size_t pairs = args.size() / 2;
        for (size_t i = 0; i < pairs; ++i)
            text += " WHEN " + print(args[2 * i]) + " THEN " + print(args[2 * i + 1]);
        if (logic->has_else) text += " ELSE " + print(args.back());
        return text + " END";
    }

    std::string join(std::span<const Expr* const> args, std::string_view mark) const {
        std::string text;
        for (size_t i = 0; i < args.size(); ++i) {
            if (i > 0) text += mark;
            text += print(args[i]);
        }
        return text;
    }

    const ColumnNames& names_;
};

} // namespace

std::string printExpr(const Expr* expr, const ColumnNames& names) {
    return Printer(names).print(expr);
}

} // namespace blueshift
