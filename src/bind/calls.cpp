// Calls of functions: which sort of function a name is, words for parts of dates, and the
// conditional functions, which become CASE.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {
namespace {

/// Functions whose first argument is a part of a date, written as a bare word or as a text.
bool takesDatePart(std::string_view name) {
    constexpr std::string_view kNames[] = {"date_add",   "date_diff", "date_part",
                                           "date_trunc", "dateadd",   "datediff",
                                           "datepart",   "extract",   "pgdate_part"};
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool isWindowOnly(std::string_view name) {
    constexpr std::string_view kNames[] = {
        "cume_dist", "dense_rank", "first_value",  "lag",  "last_value",      "lead",
        "nth_value", "ntile",      "percent_rank", "rank", "ratio_to_report", "row_number"};
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

} // namespace

const Expr* Binder::functionCall(const parse::FunctionCall& e, Block& block) {
    if (!e.name.schema.empty() && e.name.schema != "pg_catalog" &&
        e.name.schema != "information_schema")
        fail(sqlstate::kUndefinedFunction,
             "function " + std::string(e.name.schema) + "." + std::string(e.name.name) +
                 " does not exist",
             e.name.position, "Built-in functions need no schema.");
    std::string_view name = e.name.name;
    if (e.over != nullptr) return windowCall(e, block, name);
    if (isWindowOnly(name))
        fail(sqlstate::kWrongObjectType,
             "window function " + std::string(name) + " requires an OVER clause", e.position,
             "Write OVER (..) after the call.");
    if (name == "grouping" || name == "grouping_id") return groupingCall(e, block);
    if (e.approximate || functions::isAggregateName(name)) return aggregateCall(e, block, name);
    if (e.distinct || !e.order_by.empty() || !e.within_group.empty() || e.filter != nullptr) {
        const std::string_view what = e.distinct                ? "DISTINCT"
                                      : e.filter != nullptr     ? "FILTER"
                                      : !e.within_group.empty() ? "WITHIN GROUP"
                                                                : "ORDER BY";
        fail(sqlstate::kWrongObjectType,
             std::string(what) + " specified, but " + std::string(name) +
                 " is not an aggregate function",
             e.position, "Leave it out, or call an aggregate.");
    }
    if (const Expr* conditional = conditionalCall(e, name, block)) return conditional;
    return scalarCall(e, block, name);
}

std::vector<const Expr*> Binder::arguments(const parse::FunctionCall& e, Block& block) {
    std::vector<const Expr*> args;
    for (const parse::Expression* argument : e.arguments) args.push_back(expr(argument, block));
    return args;
}

const Expr* Binder::scalarCall(const parse::FunctionCall& e, Block& block, std::string_view name) {
    std::vector<const Expr*> args;
    for (u32 i = 0; i < e.arguments.size(); ++i) {
        const parse::Expression* argument = e.arguments[i];
        const bool word = i == 0 && takesDatePart(name) && argument->is<parse::ColumnReference>() &&
                          argument->as<parse::ColumnReference>()->parts.size() == 1;
        args.push_back(word ? atPosition(text(argument->as<parse::ColumnReference>()->parts[0]),
                                         argument->position)
                            : expr(argument, block));
    }
    return call(name, std::move(args), e.position);
}

const Expr* Binder::conditionalCall(const parse::FunctionCall& e, std::string_view name,
                                    Block& block) {
    const auto need = [&](u32 least, u32 most) {
        if (e.arguments.size() >= least && e.arguments.size() <= most) return;
        fail(sqlstate::kUndefinedFunction,
             "function " + std::string(name) + " does not take " +
                 std::to_string(e.arguments.size()) + " arguments",
             e.position,
             least == most ? "It takes " + std::to_string(least) + "."
                           : "It takes at least " + std::to_string(least) + ".");
    };
    constexpr u32 kAny = ~u32{0};
    if (name == "coalesce" || name == "nvl") {
        need(1, kAny);
        std::vector<const Expr*> args;
        for (const Expr* arg : arguments(e, block)) {
            const bool null =
                arg->kind == ExprKind::kConstant && arg->as<ConstantExpr>()->value.is_null;
            // A typed NULL still takes part in the choice of the type.
            if (!null || arg->type.kind != TypeKind::kUnknown || e.arguments.size() == 1)
                args.push_back(arg);
        }
        if (args.empty()) return makeConstant(arena_, Value::null(SqlType::unknown()));
        if (args.size() == 1) return args[0];
        return at(e.position, [&] { return makeLogic(arena_, ExprKind::kCoalesce, args); });
    }
    if (name == "nvl2") {
        need(3, 3);
        const auto args = arguments(e, block);
        return caseWhen({isNull(args[0], true), args[1], args[2]}, e.position);
    }
    if (name == "nullif") {
        need(2, 2);
        const auto args = arguments(e, block);
        const Expr* value = again(args[0], e.arguments[0], block);
        const SqlType type = value->type.kind == TypeKind::kUnknown ? args[1]->type : value->type;
        return caseWhen({compare("=", args[0], args[1], e.position),
                         makeConstant(arena_, Value::null(type)), value},
                        e.position);
    }
    if (name == "decode" && e.arguments.size() >= 3) return decode(e, block);
    return nullptr;
}

/// DECODE(e, search, result, .., [default]): NULL finds NULL.
const Expr* Binder::decode(const parse::FunctionCall& e, Block& block) {
    const auto args = arguments(e, block);
    std::vector<const Expr*> arms;
    size_t i = 1;
    for (; i + 1 < args.size(); i += 2) {
        const Expr* value = i == 1 ? args[0] : again(args[0], e.arguments[0], block);
        const Expr* search = args[i];
        const bool constant = search->kind == ExprKind::kConstant;
        if (constant && search->as<ConstantExpr>()->value.is_null) {
            arms.push_back(isNull(value, false));
        } else if (constant || !search->nullable) {
            arms.push_back(compare("=", value, search, e.position));
        } else {
            const Expr* both = conjunction({isNull(again(value, e.arguments[0], block), false),
                                            isNull(again(search, e.arguments[i], block), false)},
                                           true);
            arms.push_back(conjunction({compare("=", value, search, e.position), both}, false));
        }
        arms.push_back(args[i + 1]);
    }
    if (i < args.size()) arms.push_back(args[i]);
    return caseWhen(std::move(arms), e.position);
}

} // namespace blueshift::bind
