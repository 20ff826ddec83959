// join_cluster.h: one cluster of joins as relations, written joins and terms, with its
// cardinalities.
//
// Place: join_order/; filled from the logical tree, searched by join_order.cpp.
#pragma once

#include <unordered_map>

#include "optimize/join_order/conflicts.h"
#include "optimize/join_order/movement.h"
#include "optimize/statistics/cardinality.h"

namespace blueshift::optimize {

class JoinCluster {
public:
    struct Relation {
        bind::LogicalOp* op = nullptr;
        ColumnSet columns;
        f64 rows = 1;
        f64 bytes = 8; // per row
    };
    /// A term of an inner join, or the whole condition of another one.
    struct Edge {
        Eligibility eligible;
        RelationSet relations = 0; // that the term reads, or must see
        const Expr* condition = nullptr;
        Equality key;     // single-sided equality; {} else
        u32 key_left = 0; // relations of the key's sides when each is one
        u32 key_right = 0;
        i32 equal_class = -1; // terms of one class imply each other
        f64 selectivity = 1;
        const bind::JoinOp* written = nullptr; // nullptr: inner
    };
    struct Plan {
        f64 rows = 0;
        f64 cost = 0;
        f64 bytes = 8;
        RelationSet left = 0;
        RelationSet right = 0;
        RowPlace place; // several nodes: plans of a set differ in it
        u8 left_plan = 0;
        u8 right_plan = 0;
    };

    JoinCluster(PlanContext& context, Cardinality& cardinality)
        : context_(context), cardinality_(cardinality) {}

    void collect(bind::LogicalOp* root);
    u32 size() const { return u32(relations.size()); }
    std::vector<HyperEdge> hyperEdges() const;

    /// The joins of two planned sets, in the written direction, that differ in what moves and where
    /// the rows lie; none when no join may stand there.
    std::vector<Plan> combine(RelationSet a, RelationSet b) const;
    /// The cheapest.
    const Plan* planOf(RelationSet set) const;
    /// Keeps the plan when it is the cheapest of its place, and there are few places or it is
    /// cheap.
    void keep(RelationSet set, Plan plan);
    /// The operators of the cheapest plan.
    bind::LogicalOp* build(RelationSet set) const;

    std::vector<Relation> relations;
    std::vector<Edge> edges;

private:
    struct Found {
        RelationSet set = 0;
        std::vector<u32> joins;
    };
    Found visit(bind::LogicalOp* op, bool top);
    void addRelation(bind::LogicalOp* op);
    void addInnerTerms(const bind::JoinOp& join, u32 index, bool top);
    void addClasses();
    void connect();
    RelationSet relationsOf(const ColumnSet& columns) const;
    /// Edges that become true at this join; false when one may not be applied here.
    bool crossing(RelationSet a, RelationSet b, std::vector<const Edge*>& inner,
                  const Edge*& outer) const;
    void dropImplied(RelationSet a, std::vector<const Edge*>& inner) const;

    PlanContext& context_;
    Cardinality& cardinality_;
    std::vector<WrittenJoin> written_;
    std::vector<std::pair<const bind::JoinOp*, bool>> sources_;
    bind::LogicalOp* build(RelationSet set, const Plan& plan) const;
    void addMovements(RelationSet a, const Plan& base, std::span<const Edge* const> inner,
                      const Edge* outer, std::vector<Plan>& made) const;

    std::unordered_map<RelationSet, std::vector<Plan>> plans_;
    std::vector<const Expr*> constant_terms_;
};

} // namespace blueshift::optimize
