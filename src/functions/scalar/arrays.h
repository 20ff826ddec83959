// arrays.h: the catalog's arrays, which are texts such as {a,"b c"} or, for vectors, `1 2 3`.
//
// Place: system functions on pg_catalog columns; subscripts and = ANY in catalog queries.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "types/sql_type.h"

namespace blueshift::functions {

/// The elements; an unquoted NULL is no value.
std::vector<std::optional<std::string>> arrayElements(std::string_view text, TypeKind kind);
std::string arrayText(const std::vector<std::string>& elements);

} // namespace blueshift::functions
