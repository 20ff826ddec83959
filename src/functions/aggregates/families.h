// families.h: the aggregates by family; private to functions/aggregates.
//
// Place: bind_aggregate.cpp picks the family by name, the family picks the entry whose state fits
// the argument's type. nullptr: the family does not take that type.
// Threads: entries are immutable.
#pragma once

#include "functions/aggregate.h"

namespace blueshift::functions::aggregates {

const Aggregate* countRows();
const Aggregate* countValues();
const Aggregate* sumOf(const SqlType& argument);
const Aggregate* sumOfCounts();
const Aggregate* averageOf(const SqlType& argument);
enum class Extreme : u8 { kMin, kMax, kAny };
const Aggregate* extremeOf(Extreme which, const SqlType& argument);
const Aggregate* booleanAnd();
const Aggregate* booleanOr();
const Aggregate* bitwiseAnd();
const Aggregate* bitwiseOr();
/// `sample` divides by n - 1; `deviation` takes the square root.
const Aggregate* varianceOf(bool sample, bool deviation);
const Aggregate* listagg();
enum class Quantile : u8 { kMedian, kContinuous, kDiscrete };
const Aggregate* quantileOf(Quantile which, const SqlType& argument);
const Aggregate* approximateCount();

} // namespace blueshift::functions::aggregates
