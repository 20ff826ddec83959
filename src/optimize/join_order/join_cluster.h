// join_cluster.h: one cluster of joins as relations, written joins and terms, with its
// cardinalities.
//
// Place: join_order/; filled from the logical tree, searched by join_order.cpp.
#pragma once

#include <unordered_map>

#include "optimize/join_order/conflicts.h"
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
    };

    JoinCluster(PlanContext& context, Cardinality& cardinality)
        : context_(context), cardinality_(cardinality) {}

    void collect(bind::LogicalOp* root);
    u32 size() const { return u32(relations.size()); }
    std::vector<HyperEdge> hyperEdges() const;

    /// The join of two planned sets, in the written direction; false when no join may stand there.
    bool combine(RelationSet a, RelationSet b, Plan& made) const;
    const Plan* planOf(RelationSet set) const;
    void keep(RelationSet set, const Plan& plan) { plans_[set] = plan; }
    /// The operators of a plan.
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
    std::unordered_map<RelationSet, Plan> plans_;
    std::vector<const Expr*> constant_terms_;
};

} // namespace blueshift::optimize
