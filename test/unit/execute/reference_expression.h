// reference_expression.h: expressions evaluated one row at a time over cells, the obvious way.
//
// Place: evaluator tests compare vectors with this. Integers are 128 bits wide here; overflow of
// BIGINT and division by zero set `failed`, in the order in which SQL would reach them.
#pragma once

#include <functional>

#include "functions/expression.h"
#include "unit/execute/rows_fixture.h"

namespace blueshift::execute::test {

struct Reference {
    std::function<Cell(ColumnId)> column;
    bool failed = false;

    static Cell truth(bool value) { return Cell::of(i128(value)); }

    Cell run(const Expr* expr) {
        if (failed) return {};
        switch (expr->kind) {
        case ExprKind::kColumn: return column(expr->as<ColumnExpr>()->id);
        case ExprKind::kConstant: {
            const Value& value = expr->as<ConstantExpr>()->value;
            return {.null = value.is_null,
                    .integer = value.integer,
                    .floating = value.floating,
                    .text = std::string(value.text)};
        }
        case ExprKind::kCall: return call(*expr->as<CallExpr>());
        default: return logic(*expr->as<LogicExpr>());
        }
    }

private:
    static int compare(const Cell& a, const Cell& b) {
        if (a.integer != b.integer) return a.integer < b.integer ? -1 : 1;
        return trimmed(a.text).compare(trimmed(b.text));
    }

    Cell call(const CallExpr& expr) {
        std::vector<Cell> args;
        for (const Expr* arg : expr.args) args.push_back(run(arg));
        for (const Cell& arg : args)
            if (arg.null || failed) return {};
        using Op = functions::Operator;
        const i128 x = args[0].integer;
        const i128 y = args.size() > 1 ? args[1].integer : 0;
        i128 result = 0;
        switch (expr.function->op) {
        case Op::kEqual: return truth(compare(args[0], args[1]) == 0);
        case Op::kNotEqual: return truth(compare(args[0], args[1]) != 0);
        case Op::kLess: return truth(compare(args[0], args[1]) < 0);
        case Op::kLessEqual: return truth(compare(args[0], args[1]) <= 0);
        case Op::kGreater: return truth(compare(args[0], args[1]) > 0);
        case Op::kGreaterEqual: return truth(compare(args[0], args[1]) >= 0);
        case Op::kCast: return args[0];
        case Op::kAdd: result = x + y; break;
        case Op::kSubtract: result = x - y; break;
        case Op::kMultiply: result = x * y; break;
        case Op::kNegate: result = -x; break;
        case Op::kDivide:
        case Op::kModulo:
            if (y == 0) {
                failed = true;
                return {};
            }
            result = expr.function->op == Op::kDivide ? x / y : x % y;
            break;
        default:
            if (expr.function->name == "upper") {
                for (char& c : args[0].text) c = char(std::toupper(c));
                return args[0];
            }
            throw std::logic_error("no reference for this function");
        }
        failed |= result != i128(i64(result));
        return Cell::of(result);
    }

    Cell logic(const LogicExpr& expr) {
        const auto& args = expr.args;
        switch (expr.kind) {
        case ExprKind::kAnd:
        case ExprKind::kOr: {
            const i128 decisive = expr.kind == ExprKind::kOr;
            Cell result = truth(decisive == 0);
            for (const Expr* arg : args) {
                const Cell value = run(arg);
                if (failed) return {};
                if (value.null) result = {};
                else if (value.integer == decisive) return value;
            }
            return result;
        }
        case ExprKind::kNot: {
            const Cell value = run(args[0]);
            return value.null ? value : truth(value.integer == 0);
        }
        case ExprKind::kIsNull: return truth(run(args[0]).null != expr.negated);
        case ExprKind::kIsTruth: {
            const Cell value = run(args[0]);
            const bool is = expr.truth < 0
                                ? value.null
                                : !value.null && (value.integer != 0) == (expr.truth == 1);
            return truth(is != expr.negated);
        }
        case ExprKind::kCase: {
            u32 i = 0;
            for (; i + 1 < args.size(); i += 2) {
                const Cell when = run(args[i]);
                if (failed) return {};
                if (!when.null && when.integer != 0) return run(args[i + 1]);
            }
            return i < args.size() ? run(args[i]) : Cell{};
        }
        case ExprKind::kCoalesce: {
            for (const Expr* arg : args) {
                const Cell value = run(arg);
                if (failed || !value.null) return value;
            }
            return {};
        }
        default: {
            const Cell value = run(args[0]);
            if (value.null || failed) return {};
            bool saw_null = false;
            for (u32 i = 1; i < args.size(); ++i) {
                const Cell item = run(args[i]);
                saw_null |= item.null;
                if (!item.null && compare(item, value) == 0) return truth(!expr.negated);
            }
            return saw_null ? Cell{} : truth(expr.negated);
        }
        }
    }
};

} // namespace blueshift::execute::test
