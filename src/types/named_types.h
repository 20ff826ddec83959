// named_types.h: the types that clients may name though no value of theirs exists here: pseudo
// types (trigger, record, anyelement), arrays of most types, and Redshift's types of later work.
//
// Place: what pg_type lists beyond SqlType; read by regtype and format_type(). Such a type has a
// name and an OID, no SqlType.
#pragma once

#include <optional>
#include <string_view>

#include "base/ints.h"

namespace blueshift {

/// By the name as SQL or pg_type spells it, lower case, without schema.
std::optional<i32> namedTypeOid(std::string_view name);
/// As format_type() spells it; empty for OIDs that are not among them.
std::string_view namedTypeText(i32 oid);

} // namespace blueshift
