#include "optimize/join_order/join_cluster.h"

#include <algorithm>
#include <bit>

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

namespace {

bool within(RelationSet part, RelationSet whole) {
    return (part & ~whole) == 0;
}

// Nanoseconds per row, engine.md 5.1.
constexpr f64 kBuildNanos = 20;
constexpr f64 kOutputNanos = 4;
/// Per byte that is scattered, serialised, checked and read elsewhere.
constexpr f64 kMovedNanos = 1.5;
/// Plans of one set that differ in where its rows lie.
constexpr size_t kMostPlaces = 4;

f64 probeNanos(f64 build_bytes) {
    if (build_bytes <= 256e3) return 8;
    if (build_bytes <= 4e6) return 14;
    if (build_bytes <= 25e6) return 24;
    return 40;
}

f64 joinNanos(f64 build_rows, f64 build_bytes, f64 probe_rows) {
    return build_rows * kBuildNanos + probe_rows * probeNanos(build_rows * (build_bytes + 16));
}

} // namespace

void JoinCluster::addRelation(LogicalOp* op) {
    Relation relation{.op = op, .columns = outputsOf(op), .rows = cardinality_.rows(op)};
    relation.bytes = 8;
    relation.columns.forEach(
        [&](ColumnId id) { relation.bytes += 0.3 * context_.facts(id).average_bytes; });
    Plan plan{.rows = relation.rows, .cost = 0, .bytes = relation.bytes};
    const ClusterShape& cluster = context_.options.cluster;
    if (cluster.nodes > 1) plan.place = placeOf(op, cluster.whole_table_rows);
    plans_[RelationSet{1} << relations.size()] = {std::move(plan)};
    relations.push_back(std::move(relation));
}

RelationSet JoinCluster::relationsOf(const ColumnSet& columns) const {
    RelationSet set = 0;
    for (size_t i = 0; i < relations.size(); ++i)
        if (relations[i].columns.intersects(columns)) set |= RelationSet{1} << i;
    return set;
}

JoinCluster::Found JoinCluster::visit(LogicalOp* op, bool top) {
    const auto* join = op->kind == LogicalKind::kJoin ? op->as<bind::JoinOp>() : nullptr;
    const bool member = join != nullptr && relations.size() < 62 && !join->dependent &&
                        (join->type == JoinType::kInner || join->type == JoinType::kLeft ||
                         join->type == JoinType::kFull || join->type == JoinType::kSemi ||
                         join->type == JoinType::kAnti);
    if (!member) {
        addRelation(op);
        return {.set = RelationSet{1} << (relations.size() - 1)};
    }
    const bool keeps = join->type == JoinType::kInner;
    const Found left = visit(op->children[0], top && join->type != JoinType::kFull);
    const Found right = visit(op->children[1], top && keeps);
    WrittenJoin written{.type = join->type,
                        .left = left.set,
                        .right = right.set,
                        .below_left = left.joins,
                        .below_right = right.joins};
    const ColumnSet read = columnsOf(join->condition);
    written.predicate = relationsOf(read);
    if (join->condition != nullptr && join->type != JoinType::kInner) {
        written.rejects_left = rejectsNulls(join->condition, outputsOf(op->children[0]).ids());
        written.rejects_right = rejectsNulls(join->condition, outputsOf(op->children[1]).ids());
    }
    Found made{.set = left.set | right.set, .joins = left.joins};
    made.joins.insert(made.joins.end(), right.joins.begin(), right.joins.end());
    made.joins.push_back(u32(written_.size()));
    written_.push_back(std::move(written));
    sources_.emplace_back(join, top);
    return made;
}

void JoinCluster::addInnerTerms(const bind::JoinOp& join, u32 index, bool top) {
    std::vector<const Expr*> terms;
    splitConjunction(join.condition, terms);
    for (const Expr* term : terms) {
        const RelationSet read = relationsOf(columnsOf(term));
        if (read == 0) {
            constant_terms_.push_back(term);
            continue;
        }
        Edge edge{.relations = read, .condition = term};
        if (std::has_single_bit(read)) {
            edge.eligible = eligibilityOf(written_, index, read);
            edge.relations = edge.eligible.left | edge.eligible.right;
        } else {
            edge.eligible = eligibilityOf(written_, index, read);
        }
        edge.selectivity = cardinality_.selectivity(term);
        if (const Equality equality = equalityOf(term)) {
            const RelationSet a = relationsOf(columnsOf(equality.left));
            const RelationSet b = relationsOf(columnsOf(equality.right));
            if (std::has_single_bit(a) && std::has_single_bit(b) && a != b) {
                edge.key = equality;
                edge.key_left = u32(std::countr_zero(a));
                edge.key_right = u32(std::countr_zero(b));
                const Equality keys[] = {equality};
                edge.selectivity = cardinality_.joinSelectivity(keys, relations[edge.key_left].rows,
                                                                relations[edge.key_right].rows);
                if (top) edge.equal_class = -2; // to be classed
            }
        }
        edges.push_back(std::move(edge));
    }
}

void JoinCluster::addClasses() {
    // Union-find over the sides of inner equalities; sides are compared as expressions.
    std::vector<const Expr*> sides;
    std::vector<u32> parent;
    const auto indexOf = [&](const Expr* side) {
        for (u32 i = 0; i < sides.size(); ++i)
            if (sameExpr(sides[i], side)) return i;
        sides.push_back(side);
        parent.push_back(u32(parent.size()));
        return u32(sides.size() - 1);
    };
    const auto root = [&](u32 i) {
        while (parent[i] != i) i = parent[i];
        return i;
    };
    for (const Edge& edge : edges)
        if (edge.equal_class == -2 && edge.key.left->type == edge.key.right->type)
            parent[root(indexOf(edge.key.left))] = root(indexOf(edge.key.right));
    for (Edge& edge : edges) {
        if (edge.equal_class != -2) continue;
        edge.equal_class =
            edge.key.left->type == edge.key.right->type ? i32(root(indexOf(edge.key.left))) : -1;
    }
    if (!context_.enabled("transitive_joins")) return;
    for (u32 i = 0; i < sides.size(); ++i) {
        for (u32 k = i + 1; k < sides.size(); ++k) {
            if (root(i) != root(k)) continue;
            const RelationSet a = relationsOf(columnsOf(sides[i]));
            const RelationSet b = relationsOf(columnsOf(sides[k]));
            const bool there = std::ranges::any_of(edges, [&](const Edge& edge) {
                return edge.equal_class == i32(root(i)) && (edge.relations == (a | b)) &&
                       ((sameExpr(edge.key.left, sides[i]) && sameExpr(edge.key.right, sides[k])) ||
                        (sameExpr(edge.key.left, sides[k]) && sameExpr(edge.key.right, sides[i])));
            });
            if (there || a == b || !std::has_single_bit(a) || !std::has_single_bit(b)) continue;
            Edge edge{.relations = a | b,
                      .key = {sides[i], sides[k]},
                      .key_left = u32(std::countr_zero(a)),
                      .key_right = u32(std::countr_zero(b)),
                      .equal_class = i32(root(i))};
            edge.eligible = {.left = a, .right = b};
            edge.condition = makeComparison(context_.arena, "=", sides[i], sides[k]);
            const Equality keys[] = {edge.key};
            edge.selectivity = cardinality_.joinSelectivity(keys, relations[edge.key_left].rows,
                                                            relations[edge.key_right].rows);
            edges.push_back(std::move(edge));
        }
    }
}

/// Parts without a common term are joined last, as a product of whole parts.
void JoinCluster::connect() {
    std::vector<RelationSet> parts;
    for (size_t i = 0; i < relations.size(); ++i) parts.push_back(RelationSet{1} << i);
    for (const Edge& edge : edges) {
        const RelationSet touched = edge.eligible.left | edge.eligible.right | edge.relations;
        RelationSet merged = touched;
        std::erase_if(parts, [&](RelationSet part) {
            if ((part & touched) == 0) return false;
            merged |= part;
            return true;
        });
        parts.push_back(merged);
    }
    std::ranges::sort(parts);
    for (size_t i = 1; i < parts.size(); ++i) {
        Edge edge{.relations = parts[0] | parts[i]};
        edge.eligible = {.left = parts[0], .right = parts[i]};
        edges.push_back(std::move(edge));
        parts[0] |= parts[i];
    }
}

void JoinCluster::collect(LogicalOp* root) {
    visit(root, true);
    for (u32 i = 0; i < written_.size(); ++i) {
        const auto& [join, top] = sources_[i];
        if (join->type == JoinType::kInner) {
            addInnerTerms(*join, i, top);
            continue;
        }
        Edge edge{.condition = join->condition, .written = join};
        edge.eligible = eligibilityOf(written_, i, written_[i].predicate);
        edge.relations = edge.eligible.left | edge.eligible.right;
        edges.push_back(std::move(edge));
    }
    addClasses();
    connect();
}

std::vector<HyperEdge> JoinCluster::hyperEdges() const {
    std::vector<HyperEdge> made;
    for (const Edge& edge : edges) made.push_back({edge.eligible.left, edge.eligible.right});
    return made;
}

const JoinCluster::Plan* JoinCluster::planOf(RelationSet set) const {
    const auto found = plans_.find(set);
    if (found == plans_.end()) return nullptr;
    return &*std::ranges::min_element(found->second, {}, &Plan::cost);
}

bool JoinCluster::crossing(RelationSet a, RelationSet b, std::vector<const Edge*>& inner,
                           const Edge*& outer) const {
    const RelationSet both = a | b;
    for (const Edge& edge : edges) {
        const RelationSet needs = edge.relations | edge.eligible.left | edge.eligible.right;
        if (!within(needs, both) || within(needs, a) || within(needs, b)) continue;
        if (edge.written == nullptr) {
            if (!edge.eligible.rules.empty() && !edge.eligible.allows(a, b) &&
                !edge.eligible.allows(b, a))
                return false;
            inner.push_back(&edge);
            continue;
        }
        if (outer != nullptr || !edge.eligible.allows(a, b)) return false;
        outer = &edge;
    }
    return outer != nullptr || !inner.empty();
}

void JoinCluster::dropImplied(RelationSet a, std::vector<const Edge*>& inner) const {
    // Within either side the members of a class are equal already: one equality across suffices.
    // Pairs of relations that share most classes come first, so that compound keys stay together.
    std::unordered_map<u64, u32> shared;
    const auto pairOf = [](const Edge* edge) {
        return u64(std::min(edge->key_left, edge->key_right)) << 32 |
               std::max(edge->key_left, edge->key_right);
    };
    for (const Edge* edge : inner)
        if (edge->equal_class >= 0) ++shared[pairOf(edge)];
    std::ranges::stable_sort(inner, [&](const Edge* x, const Edge* y) {
        const u32 of_x = x->equal_class >= 0 ? shared[pairOf(x)] : 0;
        const u32 of_y = y->equal_class >= 0 ? shared[pairOf(y)] : 0;
        return of_x > of_y;
    });
    std::vector<i32> seen;
    std::erase_if(inner, [&](const Edge* edge) {
        if (edge->equal_class < 0) return false;
        if (std::ranges::count(seen, edge->equal_class) != 0) return true;
        seen.push_back(edge->equal_class);
        return false;
    });
}

std::vector<JoinCluster::Plan> JoinCluster::combine(RelationSet a, RelationSet b) const {
    const Plan& left = plans_.at(a).front();
    const Plan& right = plans_.at(b).front();
    Plan made;
    std::vector<const Edge*> inner;
    const Edge* outer = nullptr;
    if (!crossing(a, b, inner, outer)) return {};
    dropImplied(a, inner);
    f64 selectivity = 1;
    // Compound keys are estimated together.
    std::unordered_map<u64, std::vector<Equality>> keys;
    for (const Edge* edge : inner) {
        if (!edge->key) {
            selectivity *= edge->selectivity;
            continue;
        }
        const bool forward = edge->key_left < edge->key_right;
        const u64 pair = u64(std::min(edge->key_left, edge->key_right)) << 32 |
                         std::max(edge->key_left, edge->key_right);
        keys[pair].push_back(forward ? edge->key : Equality{edge->key.right, edge->key.left});
    }
    for (const auto& [pair, list] : keys)
        selectivity *= cardinality_.joinSelectivity(list, relations[pair >> 32].rows,
                                                    relations[u32(pair)].rows);
    made = {.left = a, .right = b};
    made.bytes = left.bytes + right.bytes;
    made.rows = std::max(1.0, left.rows * right.rows * selectivity);
    const f64 straight = joinNanos(right.rows, right.bytes, left.rows);
    const f64 swapped = joinNanos(left.rows, left.bytes, right.rows);
    if (outer == nullptr) {
        const bool product =
            std::ranges::all_of(inner, [](const Edge* edge) { return !edge->key; });
        made.cost += product ? left.rows * right.rows * 2 : std::min(straight, swapped);
    } else {
        const bind::JoinOp* join = outer->written;
        std::vector<const Expr*> terms;
        splitConjunction(join->condition, terms);
        f64 matched = 1;
        f64 pairs = 1;
        bool hashed = false;
        for (const Expr* term : terms) {
            const Equality key = equalityOf(term);
            if (!key) {
                pairs *= cardinality_.selectivity(term);
                continue;
            }
            hashed = true;
            const Equality list[] = {key};
            pairs *= cardinality_.joinSelectivity(list, left.rows, right.rows);
            const bool forward = within(relationsOf(columnsOf(key.left)), a);
            const f64 outside = cardinality_.distinct(forward ? key.left : key.right, 1e15);
            const f64 inside = cardinality_.distinct(forward ? key.right : key.left, right.rows);
            matched *= std::min(1.0, inside / std::max(1.0, outside));
        }
        const f64 joined = left.rows * right.rows * pairs * selectivity;
        if (join->type == JoinType::kSemi) made.rows = std::max(1.0, left.rows * matched);
        else if (join->type == JoinType::kAnti)
            made.rows = std::max(1.0, left.rows * std::max(0.1, 1 - matched));
        else if (join->type == JoinType::kLeft) made.rows = std::max(joined, left.rows);
        else made.rows = std::max({joined, left.rows, right.rows});
        if (join->type == JoinType::kSemi || join->type == JoinType::kAnti) made.bytes = left.bytes;
        made.cost += hashed ? std::min(straight, swapped) : left.rows * right.rows * 2;
    }
    made.cost += made.rows * kOutputNanos;
    std::vector<Plan> plans;
    addMovements(a, made, inner, outer, plans);
    return plans;
}

/// `base` costs the join alone: adds its inputs, in all their ways, and what moves.
void JoinCluster::addMovements(RelationSet a, const Plan& base, std::span<const Edge* const> inner,
                               const Edge* outer, std::vector<Plan>& made) const {
    const u32 nodes = context_.options.cluster.nodes;
    const auto& lefts = plans_.at(base.left);
    const auto& rights = plans_.at(base.right);
    std::vector<Equality> keys;
    const auto add = [&](Equality key) {
        if (!key) return;
        if (!within(relationsOf(columnsOf(key.left)), a)) std::swap(key.left, key.right);
        keys.push_back(key);
    };
    if (nodes > 1) {
        for (const Edge* edge : inner) add(edge->key);
        if (outer != nullptr) {
            std::vector<const Expr*> terms;
            splitConjunction(outer->written->condition, terms);
            for (const Expr* term : terms) add(equalityOf(term));
        }
    }
    for (u8 l = 0; l < lefts.size(); ++l) {
        for (u8 r = 0; r < rights.size(); ++r) {
            const MovedJoin join{
                .left = lefts[l].place,
                .right = rights[r].place,
                .left_bytes = lefts[l].rows * lefts[l].bytes,
                .right_bytes = rights[r].rows * rights[r].bytes,
                .keys = keys,
                .inner = outer == nullptr,
                .keeps_right = outer != nullptr && outer->written->type == JoinType::kFull};
            for (Movement& way : movementsOf(join, nodes)) {
                Plan plan = base;
                plan.cost += lefts[l].cost + rights[r].cost + way.bytes * kMovedNanos;
                plan.place = std::move(way.place);
                plan.left_plan = l;
                plan.right_plan = r;
                made.push_back(std::move(plan));
            }
        }
    }
}

void JoinCluster::keep(RelationSet set, Plan plan) {
    std::vector<Plan>& plans = plans_[set];
    // Rows of a set do not depend on the order that made it.
    if (!plans.empty()) plan.rows = plans.front().rows;
    for (Plan& old : plans) {
        if (old.place != plan.place) continue;
        if (plan.cost < old.cost) old = std::move(plan);
        return;
    }
    if (plans.size() < kMostPlaces) {
        plans.push_back(std::move(plan));
        return;
    }
    Plan& dearest = *std::ranges::max_element(plans, {}, &Plan::cost);
    if (plan.cost < dearest.cost) dearest = std::move(plan);
}

LogicalOp* JoinCluster::build(RelationSet set) const {
    return build(set, *planOf(set));
}

LogicalOp* JoinCluster::build(RelationSet set, const Plan& plan) const {
    if (std::has_single_bit(set)) return relations[size_t(std::countr_zero(set))].op;
    std::vector<const Edge*> inner;
    const Edge* outer = nullptr;
    crossing(plan.left, plan.right, inner, outer);
    dropImplied(plan.left, inner);
    std::vector<const Expr*> terms;
    for (const Edge* edge : inner)
        if (edge->condition != nullptr) terms.push_back(edge->condition);
    const bool last = std::popcount(set) == int(relations.size());
    if (last) terms.insert(terms.end(), constant_terms_.begin(), constant_terms_.end());
    LogicalOp* left = build(plan.left, plans_.at(plan.left)[plan.left_plan]);
    LogicalOp* right = build(plan.right, plans_.at(plan.right)[plan.right_plan]);
    if (outer == nullptr)
        return context_.join(JoinType::kInner, left, right, makeAnd(context_.arena, terms));
    bind::JoinOp* join = context_.join(outer->written->type, left, right, outer->condition);
    join->null_aware = outer->written->null_aware;
    return context_.filter(join, terms);
}

} // namespace blueshift::optimize
