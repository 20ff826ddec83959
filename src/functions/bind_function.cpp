// The choice of an overload: exact types win, then the cheapest implicit casts, then table order.
#include <algorithm>
#include <unordered_map>

#include "base/nearest_name.h"
#include "functions/aggregate.h"
#include "functions/casts.h"
#include "functions/overload.h"

namespace blueshift::functions {

namespace {

using Registry = std::unordered_map<std::string_view, std::vector<const Overload*>>;

const Registry& registry() {
    static const Registry kRegistry = [] {
        Registry built;
        for (OverloadTable table :
             {stringFunctions(), searchFunctions(), hashFunctions(), mathFunctions(),
              dateFunctions(), dateFormatFunctions(), conditionalFunctions(), jsonFunctions(),
              systemFunctions(), arrayFunctions(), procedureFunctions()})
            for (const Overload& overload : table)
                built[overload.function.name].push_back(&overload);
        return built;
    }();
    return kRegistry;
}

constexpr int kImpossible = 1000;

int numericRank(TypeKind kind) {
    switch (kind) {
    case TypeKind::kSmallInt: return 0;
    case TypeKind::kInteger: return 1;
    case TypeKind::kBigInt: return 2;
    case TypeKind::kDecimal: return 3;
    case TypeKind::kReal: return 4;
    default: return 5;
    }
}

/// What it costs to give an argument of type `from` to a parameter.
int castCost(const SqlType& from, TypeKind to) {
    if (to == TypeKind::kVoid) return 2;
    if (from.kind == to) return 0;
    if (from.kind == TypeKind::kUnknown) return isString(to) ? 1 : to == TypeKind::kDouble ? 2 : 3;
    if (isString(from.kind) && isString(to)) return 0;
    if (isNumeric(from.kind) && isNumeric(to)) {
        const int distance = numericRank(to) - numericRank(from.kind);
        return distance > 0 ? distance : 20 - distance;
    }
    if (to == TypeKind::kText && isTextual(from.kind)) return 1;
    if (!canCast(from, SqlType::of(to), CastContext::kImplicit)) return kImpossible;
    if (isDateTime(from.kind) && isDateTime(to))
        return to > from.kind ? 1 + int(to) - int(from.kind) : 20;
    return 40;
}

int costOf(const Overload& overload, std::span<const SqlType> arguments) {
    const size_t most = overload.parameters.size();
    if (arguments.size() + overload.optional < most) return kImpossible;
    if (arguments.size() > most && !overload.variadic) return kImpossible;
    int cost = 0;
    for (size_t i = 0; i < arguments.size(); ++i) {
        cost += castCost(arguments[i], overload.parameters[std::min(i, most - 1)]);
        if (cost >= kImpossible) return kImpossible;
    }
    return cost;
}

/// The type an argument is cast to: decimals and strings keep their own.
SqlType argumentType(const SqlType& from, TypeKind to, const Value* constant) {
    if (to == TypeKind::kVoid) return from.kind == TypeKind::kUnknown ? SqlType::text() : from;
    if (from.kind == to) return from;
    if (isString(to) && isTextual(from.kind))
        return from.kind == TypeKind::kUnknown ? SqlType::text() : from;
    if (to == TypeKind::kDecimal) {
        switch (from.kind) {
        case TypeKind::kSmallInt: return SqlType::decimal(5, 0);
        case TypeKind::kInteger: return SqlType::decimal(10, 0);
        case TypeKind::kBigInt: return SqlType::decimal(19, 0);
        default: return SqlType::decimal(38, 10);
        }
    }
    return SqlType::of(to);
}

std::string describeCall(std::string_view name, std::span<const SqlType> arguments) {
    std::string text(name);
    text += '(';
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (i > 0) text += ", ";
        SqlType bare = arguments[i];
        bare.length = 0;
        text += bare.kind == TypeKind::kDecimal ? "numeric" : formatType(bare);
    }
    return text + ")";
}

[[noreturn]] void failUndefined(std::string_view name, std::span<const SqlType> arguments) {
    const auto found = registry().find(name);
    if (found == registry().end()) {
        const bool symbol = !name.empty() && std::string_view("+-*/%^|&#~<>=!@").find(name[0]) !=
                                                 std::string_view::npos;
        if (symbol) {
            std::string text = arguments.size() == 2 ? formatType(arguments[0]) + " " : "";
            text +=
                std::string(name) + " " + (arguments.empty() ? "" : formatType(arguments.back()));
            throw SqlError(
                Error(sqlstate::kUndefinedFunction, "operator does not exist: " + text)
                    .withHint("No operator matches the given name and argument types. Add "
                              "explicit type casts."));
        }
        std::vector<std::string_view> names(aggregateNames().begin(), aggregateNames().end());
        for (const auto& [known, overloads] : registry()) names.push_back(known);
        const std::string nearest = nearestName(name, names);
        throw SqlError(Error(sqlstate::kUndefinedFunction,
                             "function " + describeCall(name, arguments) + " does not exist")
                           .withHint(nearest.empty()
                                         ? "No function has this name; \\df *.* lists them."
                                         : "Perhaps you meant \"" + nearest + "\"."));
    }
    std::string hint = "Candidates: ";
    for (size_t i = 0; i < found->second.size() && i < 6; ++i) {
        std::vector<SqlType> types;
        for (TypeKind kind : found->second[i]->parameters) types.push_back(SqlType::of(kind));
        std::string candidate = describeCall(name, types);
        for (size_t at; (at = candidate.find("void")) != std::string::npos;)
            candidate.replace(at, 4, "any");
        hint += (i > 0 ? ", " : "") + candidate;
    }
    throw SqlError(Error(sqlstate::kUndefinedFunction,
                         "function " + describeCall(name, arguments) + " does not exist")
                       .withHint(hint + ". Add explicit type casts."));
}

/// All arguments are brought to their common type: GREATEST, NULLIF and their kin.
bool takesOneType(const Overload& overload) {
    return overload.function.null_policy == NullPolicy::kCalled && !overload.parameters.empty() &&
           overload.parameters.front() == TypeKind::kVoid;
}

BoundFunction complete(const Overload& overload, std::span<const SqlType> arguments,
                       std::span<const Value* const> constants) {
    BoundFunction bound;
    bound.function = &overload.function;
    if (takesOneType(overload)) {
        const SqlType type = commonType(arguments, overload.function.name);
        bound.argument_types.assign(arguments.size(), type);
        bound.result = overload.rule != nullptr ? type : SqlType::of(overload.result);
        return bound;
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
        const TypeKind parameter = overload.parameters[std::min(i, overload.parameters.size() - 1)];
        bound.argument_types.push_back(
            argumentType(arguments[i], parameter, i < constants.size() ? constants[i] : nullptr));
    }
    bound.result = overload.rule != nullptr ? overload.rule(bound.argument_types, constants)
                                            : SqlType::of(overload.result);
    return bound;
}

} // namespace

BoundFunction bindFunction(std::string_view name, std::span<const SqlType> arguments,
                           std::span<const Value* const> constants) {
    std::vector<const Value*> none(arguments.size(), nullptr);
    if (constants.size() < arguments.size()) constants = none;
    if (auto bound = bindOperator(name, arguments, constants)) return *std::move(bound);
    const auto found = registry().find(name);
    if (found == registry().end()) failUndefined(name, arguments);
    const Overload* best = nullptr;
    int best_cost = kImpossible;
    for (const Overload* overload : found->second) {
        const int cost = costOf(*overload, arguments);
        if (cost < best_cost) {
            best = overload;
            best_cost = cost;
        }
    }
    if (best == nullptr) failUndefined(name, arguments);
    return complete(*best, arguments, constants);
}

std::vector<const Overload*> allOverloads() {
    std::vector<const Overload*> all;
    for (const auto& [name, overloads] : registry())
        all.insert(all.end(), overloads.begin(), overloads.end());
    return all;
}

bool functionExists(std::string_view name) {
    return registry().contains(name) || comparisonOperator(name).has_value() || name == "+" ||
           name == "-" || name == "*" || name == "/" || name == "%";
}

} // namespace blueshift::functions
