// overload.h: the row type of the tables of functions, and how a call chooses among rows.
//
// Place: private to functions/. Each family of scalar/ gives one table; bind_function.cpp searches
// all of them by name. Adding a function is adding a row, and its loop when it has a new one.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "functions/function.h"

namespace blueshift::functions {

/// The type of the result where it depends on the arguments (already cast) or on constants.
using ResultRule = SqlType (*)(std::span<const SqlType> arguments,
                               std::span<const Value* const> constants);

struct Overload {
    Function function;
    /// kVoid takes a value of any type as it is; kDecimal any decimal; kText any string.
    std::vector<TypeKind> parameters;
    TypeKind result = TypeKind::kText;
    ResultRule rule = nullptr;
    /// Trailing parameters that may be left out.
    u32 optional = 0;
    /// The last parameter may repeat.
    bool variadic = false;
};

using OverloadTable = std::span<const Overload>;
OverloadTable stringFunctions();
OverloadTable searchFunctions();
OverloadTable hashFunctions();
OverloadTable mathFunctions();
OverloadTable dateFunctions();
OverloadTable dateFormatFunctions();
OverloadTable conditionalFunctions();
OverloadTable jsonFunctions();
OverloadTable systemFunctions();
OverloadTable arrayFunctions();
OverloadTable procedureFunctions();

/// Operators with rules of their own: arithmetic, comparison, dates with intervals. Nothing when
/// `symbol` is not one of them or when other rows must decide.
std::optional<BoundFunction> bindOperator(std::string_view symbol,
                                          std::span<const SqlType> arguments,
                                          std::span<const Value* const> constants);

/// The entry of a comparison at a physical kind.
const Function* comparisonFunction(Operator op, PhysicalKind kind);
std::optional<Operator> comparisonOperator(std::string_view symbol);
/// All rows of all families.
std::vector<const Overload*> allOverloads();

} // namespace blueshift::functions
