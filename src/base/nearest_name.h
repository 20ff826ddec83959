// nearest_name.h: the known name that a misspelt one most likely meant, for hints.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace blueshift {

/// The candidate with the smallest edit distance; "" when there is none within a third of the
/// name's length (at least two edits).
std::string nearestName(std::string_view name, std::span<const std::string_view> candidates);

} // namespace blueshift
