#include "bind/scope.h"

#include <algorithm>

namespace blueshift::bind {

std::string_view clauseName(Clause clause) {
    switch (clause) {
    case Clause::kConstant: return "this place";
    case Clause::kFrom: return "FROM";
    case Clause::kOn: return "JOIN conditions";
    case Clause::kWhere: return "WHERE";
    case Clause::kGroupBy: return "GROUP BY";
    case Clause::kHaving: return "HAVING";
    case Clause::kSelect: return "the select list";
    case Clause::kQualify: return "QUALIFY";
    case Clause::kOrderBy: return "ORDER BY";
    case Clause::kAggregate: return "arguments of aggregates";
    case Clause::kWindow: return "window definitions";
    case Clause::kSet: return "UPDATE";
    }
    return "";
}

u32 editDistance(std::string_view a, std::string_view b, u32 limit) {
    if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
    std::vector<u32> row(b.size() + 1);
    for (u32 j = 0; j <= b.size(); ++j) row[j] = j;
    for (u32 i = 1; i <= a.size(); ++i) {
        u32 diagonal = row[0];
        row[0] = i;
        u32 smallest = i;
        for (u32 j = 1; j <= b.size(); ++j) {
            const u32 changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
            smallest = std::min(smallest, row[j]);
        }
        if (smallest > limit) return limit + 1;
    }
    return row[b.size()];
}

NearestName::NearestName(std::string_view wanted)
    : wanted_(wanted), distance_(u32(wanted.size()) / 3 + 2) {}

void NearestName::offer(std::string_view candidate) {
    const u32 distance = editDistance(wanted_, candidate, distance_ - 1);
    if (distance >= distance_) return;
    distance_ = distance;
    best_ = candidate;
}

} // namespace blueshift::bind
