// evaluate.h: builds and folds small calls in tests, and prints the result as a client would see
// it.
//
// Place: the unit tests of functions/. Untyped literals are written as Lit{"..."}.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "functions/expression.h"

namespace blueshift::functions::test {

struct Evaluator {
    Arena arena;
    SessionFacts session;

    const Expr* literal(std::string_view text) {
        return makeConstant(arena, Value::ofText(arena.copyText(text), SqlType::unknown()));
    }
    const Expr* typed(std::string_view text, SqlType type) {
        return makeCast(arena, literal(text), type, CastContext::kExplicit);
    }
    const Expr* number(std::string_view text) {
        const size_t point = text.find('.');
        if (point != std::string_view::npos) {
            const int scale = int(text.size() - point - 1);
            const int digits = int(text.size()) - 1 - (text[0] == '-');
            return typed(text, SqlType::decimal(std::max(digits, scale), scale));
        }
        return typed(text, text.size() < 10 ? SqlType::integer() : SqlType::bigInt());
    }
    const Expr* null(SqlType type) { return makeConstant(arena, Value::null(type)); }
    const Expr* call(std::string_view name, std::initializer_list<const Expr*> args) {
        return makeCallByName(arena, name, std::span(args.begin(), args.size()));
    }
    /// The value's text, "NULL", or "SQLSTATE message" of the error that running it raises.
    std::string show(const Expr* expr) {
        expr = foldConstants(arena, expr, session);
        if (expr->kind == ExprKind::kConstant) {
            const Value& value = expr->as<ConstantExpr>()->value;
            return value.is_null ? "NULL" : valueText(value, session);
        }
        return "error " + errorOf(expr);
    }
    std::string errorOf(const Expr* expr) {
        const auto* node = expr->as<CallExpr>();
        std::vector<Vector> vectors;
        std::vector<SqlType> types;
        std::vector<VectorBuffer> buffers(node->args.size());
        std::vector<u64> validity(node->args.size(), 0);
        for (u32 i = 0; i < node->args.size(); ++i) {
            const Expr* arg = node->args[i];
            if (arg->kind != ExprKind::kConstant) return errorOf(arg);
            const Value& value = arg->as<ConstantExpr>()->value;
            const PhysicalKind kind = naturalKind(value.type);
            buffers[i].reset(kind, 1);
            switch (kind) {
            case PhysicalKind::kText:
                buffers[i].values<TextView>()[0] = makeTextView(value.text);
                break;
            case PhysicalKind::kF32: buffers[i].values<f32>()[0] = f32(value.floating); break;
            case PhysicalKind::kF64: buffers[i].values<f64>()[0] = value.floating; break;
            case PhysicalKind::kI8: buffers[i].values<i8>()[0] = i8(value.integer); break;
            case PhysicalKind::kI16: buffers[i].values<i16>()[0] = i16(value.integer); break;
            case PhysicalKind::kI32: buffers[i].values<i32>()[0] = i32(value.integer); break;
            case PhysicalKind::kI64: buffers[i].values<i64>()[0] = i64(value.integer); break;
            default: buffers[i].values<i128>()[0] = value.integer; break;
            }
            Vector vector = buffers[i].view(false);
            vector.form = VectorForm::kConstant;
            if (value.is_null) vector.validity = &validity[i];
            vectors.push_back(vector);
            types.push_back(value.type);
        }
        EvalContext context{.session = &session};
        TextHeap heap;
        VectorBuffer out;
        out.reset(naturalKind(node->type), 1);
        out.setAllValid();
        node->function->loop({.args = vectors,
                              .arg_types = types,
                              .result_type = node->type,
                              .out = out,
                              .selection = nullptr,
                              .count = 1,
                              .heap = heap,
                              .context = context});
        return context.error ? context.error->sqlstate + " " + context.error->message : "none";
    }
};

} // namespace blueshift::functions::test
