// type_facts.h: what information_schema and SVV views say of a column's type.
#pragma once

#include <optional>
#include <string>

#include "types/sql_type.h"

namespace blueshift::catalog {

struct TypeColumns {
    std::string data_type; // without modifiers: `character varying`
    std::optional<i32> character_length;
    std::optional<i32> numeric_precision;
    std::optional<i32> numeric_radix;
    std::optional<i32> numeric_scale;
    std::optional<i32> datetime_precision;
    std::optional<std::string> interval_type;
};

TypeColumns describeType(const SqlType& type);

} // namespace blueshift::catalog
