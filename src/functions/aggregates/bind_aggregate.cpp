// Picks an aggregate by name and argument types, and says what types it takes and gives.
#include <algorithm>
#include <array>

#include "functions/aggregates/families.h"

namespace blueshift::functions {
namespace {

using namespace aggregates; // the families, in this file only

constexpr std::string_view kNames[] = {
    "any_value",
    "approximate_count",
    "approximate_percentile_disc",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "hll",
    "listagg",
    "max",
    "median",
    "min",
    "percentile_cont",
    "percentile_disc",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
};

[[noreturn]] void failUnknown(std::string_view name, std::span<const SqlType> arguments) {
    std::string text(name);
    text += '(';
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (i > 0) text += ", ";
        text += arguments[i].kind == TypeKind::kUnknown ? "\"unknown\"" : formatType(arguments[i]);
    }
    text += ')';
    throw SqlError(Error(sqlstate::kUndefinedFunction, "function " + text + " does not exist")
                       .withHint("No aggregate matches the given name and argument types. "
                                 "You may need to add explicit type casts."));
}

SqlType sumType(const SqlType& argument) {
    if (isInteger(argument.kind)) return SqlType::bigInt();
    if (argument.kind == TypeKind::kDecimal) return SqlType::decimal(38, argument.scale);
    if (isFloat(argument.kind)) return SqlType::doublePrecision();
    return argument;
}

/// Extra digits hold what lies between two values: one for a median, four for any percentile.
SqlType quantileType(Quantile which, const SqlType& argument) {
    if (isFloat(argument.kind)) return SqlType::doublePrecision();
    if (which == Quantile::kDiscrete || !isNumeric(argument.kind)) return argument;
    const int digits = which == Quantile::kMedian ? 1 : 4;
    const int scale = argument.kind == TypeKind::kDecimal ? argument.scale : 0;
    return SqlType::decimal(38, std::min(38, scale + digits));
}

/// The types of untyped literals and narrow kinds that only stand for others.
SqlType settled(const SqlType& type, const SqlType& otherwise) {
    return type.kind == TypeKind::kUnknown ? otherwise : type;
}

BoundAggregate bindNumeric(std::string_view name, std::span<const SqlType> arguments) {
    const SqlType argument = settled(arguments[0], SqlType::doublePrecision());
    const bool sum = name == "sum";
    const Aggregate* aggregate = sum ? sumOf(argument) : averageOf(argument);
    if (aggregate == nullptr) failUnknown(name, arguments);
    return {aggregate, sumType(argument), {argument}};
}

BoundAggregate bindVariance(std::string_view name, std::span<const SqlType> arguments) {
    if (!isNumeric(settled(arguments[0], SqlType::doublePrecision()).kind))
        failUnknown(name, arguments);
    const bool sample = !name.ends_with("_pop");
    return {varianceOf(sample, name.starts_with("stddev")),
            SqlType::doublePrecision(),
            {SqlType::doublePrecision()}};
}

BoundAggregate bindQuantile(std::string_view name, std::span<const SqlType> arguments) {
    const Quantile which = name == "median"            ? Quantile::kMedian
                           : name == "percentile_cont" ? Quantile::kContinuous
                                                       : Quantile::kDiscrete;
    const size_t wanted = which == Quantile::kMedian ? 1 : 2;
    if (arguments.size() != wanted) failUnknown(name, arguments);
    const SqlType value = settled(arguments[wanted - 1], SqlType::doublePrecision());
    const Aggregate* aggregate = quantileOf(which, value);
    if (aggregate == nullptr) failUnknown(name, arguments);
    BoundAggregate bound{aggregate, quantileType(which, value), {}};
    if (wanted == 2) {
        const TypeKind fraction = settled(arguments[0], SqlType::doublePrecision()).kind;
        if (!isNumeric(fraction)) failUnknown(name, arguments);
        bound.argument_types.push_back(SqlType::doublePrecision());
    }
    bound.argument_types.push_back(value);
    return bound;
}

BoundAggregate bindListagg(std::string_view name, std::span<const SqlType> arguments) {
    if (arguments.empty() || arguments.size() > 2) failUnknown(name, arguments);
    BoundAggregate bound{listagg(), SqlType::varchar(kMaxVarcharBytes), {}};
    for (const SqlType& argument : arguments)
        bound.argument_types.push_back(
            isString(argument.kind) ? argument : SqlType::varchar(kMaxVarcharBytes));
    return bound;
}

BoundAggregate bindBits(std::string_view name, std::span<const SqlType> arguments) {
    const SqlType argument = arguments[0];
    if (name.starts_with("bool")) {
        const TypeKind kind = argument.kind;
        if (kind != TypeKind::kBoolean && kind != TypeKind::kUnknown) failUnknown(name, arguments);
        return {name == "bool_and" ? booleanAnd() : booleanOr(),
                SqlType::boolean(),
                {SqlType::boolean()}};
    }
    if (!isInteger(argument.kind)) failUnknown(name, arguments);
    return {name == "bit_and" ? bitwiseAnd() : bitwiseOr(), argument, {argument}};
}

} // namespace

bool isAggregateName(std::string_view name) {
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::span<const std::string_view> aggregateNames() {
    return kNames;
}

Phases phasesOf(const Aggregate& aggregate) {
    switch (aggregate.two_phase) {
    case TwoPhase::kNone: return {};
    case TwoPhase::kState: return {aggregate.partial, aggregate.merge, true};
    case TwoPhase::kResult: return {&aggregate, &aggregate, false};
    case TwoPhase::kCount: return {&aggregate, sumOfCounts(), false};
    }
    return {};
}

BoundAggregate bindAggregate(std::string_view name, std::span<const SqlType> arguments) {
    if (!isAggregateName(name)) failUnknown(name, arguments);
    if (name == "count" && arguments.empty()) return {countRows(), SqlType::bigInt(), {}};
    if (name == "listagg") return bindListagg(name, arguments);
    if (name == "median" || name.find("percentile") != name.npos)
        return bindQuantile(name, arguments);
    if (arguments.size() != 1) failUnknown(name, arguments);

    if (name == "sum" || name == "avg") return bindNumeric(name, arguments);
    if (name.starts_with("std") || name.starts_with("var")) return bindVariance(name, arguments);
    if (name.starts_with("bool") || name.starts_with("bit")) return bindBits(name, arguments);
    const SqlType argument = settled(arguments[0], SqlType::text());
    if (name == "count") return {countValues(), SqlType::bigInt(), {argument}};
    if (name == "hll" || name == "approximate_count")
        return {approximateCount(), SqlType::bigInt(), {argument}};
    const Extreme which = name == "min"   ? Extreme::kMin
                          : name == "max" ? Extreme::kMax
                                          : Extreme::kAny;
    const Aggregate* aggregate = extremeOf(which, argument);
    if (aggregate == nullptr) failUnknown(name, arguments);
    return {aggregate, argument, {argument}};
}

} // namespace blueshift::functions
