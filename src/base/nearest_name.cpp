#include "base/nearest_name.h"

#include <algorithm>
#include <vector>

namespace blueshift {
namespace {

size_t editDistance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
            diagonal = above;
        }
    }
    return row[b.size()];
}

} // namespace

std::string nearestName(std::string_view name, std::span<const std::string_view> candidates) {
    size_t best = std::max<size_t>(name.size() / 3, 2) + 1;
    std::string_view nearest;
    for (std::string_view candidate : candidates) {
        const size_t distance = editDistance(name, candidate);
        if (distance >= best) continue;
        best = distance;
        nearest = candidate;
    }
    return std::string(nearest);
}

} // namespace blueshift
