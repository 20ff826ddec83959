// What pg_proc and pg_operator list: every overload of the tables, the operators that
// operator_binding.cpp makes, and the aggregates.
#include <algorithm>

#include "functions/aggregate.h"
#include "functions/overload.h"

namespace blueshift::functions {

namespace {

constexpr u32 kFirstFunction = 4001;

constexpr TypeKind kArgumentKinds[] = {
    TypeKind::kBoolean,        TypeKind::kSmallInt,      TypeKind::kInteger,
    TypeKind::kBigInt,         TypeKind::kDecimal,       TypeKind::kReal,
    TypeKind::kDouble,         TypeKind::kChar,          TypeKind::kVarchar,
    TypeKind::kText,           TypeKind::kDate,          TypeKind::kTime,
    TypeKind::kTimeTz,         TypeKind::kTimestamp,     TypeKind::kTimestampTz,
    TypeKind::kIntervalMonths, TypeKind::kIntervalMicros};

SqlType sampleOf(TypeKind kind) {
    return kind == TypeKind::kDecimal ? SqlType::decimal(18, 4) : SqlType::of(kind);
}

bool sameKinds(std::span<const SqlType> wanted, std::span<const SqlType> taken) {
    return std::ranges::equal(wanted, taken, {}, &SqlType::kind, &SqlType::kind);
}

/// The call as a row when it takes exactly these types, without casts. Errors say: it does not.
template <class Bind>
void addIfExact(std::vector<FunctionRow>& rows, std::string_view name,
                const std::vector<SqlType>& arguments, bool aggregate, Bind&& bind) {
    try {
        const auto [result, taken] = bind(arguments);
        if (!sameKinds(arguments, taken)) return;
        rows.push_back(
            {.name = name, .result = result, .arguments = arguments, .aggregate = aggregate});
    } catch (const SqlError&) {}
}

void addOperators(std::vector<FunctionRow>& rows) {
    const auto bind = [](std::string_view symbol) {
        return [symbol](const std::vector<SqlType>& arguments) {
            const std::vector<const Value*> none(arguments.size(), nullptr);
            const auto bound = bindOperator(symbol, arguments, none);
            return bound ? std::pair(bound->result, bound->argument_types)
                         : std::pair(SqlType::unknown(), std::vector<SqlType>());
        };
    };
    for (std::string_view symbol : {"+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">="}) {
        for (TypeKind a : kArgumentKinds) {
            if (symbol == "-") addIfExact(rows, symbol, {sampleOf(a)}, false, bind(symbol));
            for (TypeKind b : kArgumentKinds)
                addIfExact(rows, symbol, {sampleOf(a), sampleOf(b)}, false, bind(symbol));
        }
    }
}

void addAggregates(std::vector<FunctionRow>& rows) {
    for (std::string_view name : aggregateNames()) {
        if (name.starts_with("approximate_")) continue; // how APPROXIMATE is called inside
        const auto bind = [&](const std::vector<SqlType>& arguments) {
            const BoundAggregate bound = bindAggregate(name, arguments);
            return std::pair(bound.result, bound.argument_types);
        };
        if (name == "count") addIfExact(rows, name, {}, true, bind);
        for (TypeKind kind : kArgumentKinds) {
            const SqlType type = sampleOf(kind);
            if (name.starts_with("percentile"))
                addIfExact(rows, name, {SqlType::doublePrecision(), type}, true, bind);
            else addIfExact(rows, name, {type}, true, bind);
            if (name == "listagg") addIfExact(rows, name, {type, type}, true, bind);
        }
    }
}

} // namespace

const std::vector<FunctionRow>& listFunctions() {
    static const std::vector<FunctionRow> kRows = [] {
        std::vector<FunctionRow> rows;
        for (const Overload* overload : allOverloads()) {
            FunctionRow row{.name = overload->function.name,
                            .result = SqlType::of(overload->result),
                            .volatility = overload->function.volatility};
            for (TypeKind kind : overload->parameters) row.arguments.push_back(SqlType::of(kind));
            rows.push_back(std::move(row));
        }
        addOperators(rows);
        addAggregates(rows);
        const auto kindsOf = [](const FunctionRow& row) {
            std::string kinds;
            for (const SqlType& type : row.arguments) kinds += char(type.kind);
            return kinds;
        };
        std::ranges::sort(rows, [&](const FunctionRow& a, const FunctionRow& b) {
            return std::pair(a.name, kindsOf(a)) < std::pair(b.name, kindsOf(b));
        });
        u32 oid = kFirstFunction;
        for (FunctionRow& row : rows) row.oid = oid++;
        return rows;
    }();
    return kRows;
}

} // namespace blueshift::functions
