// push_predicates.h: moves every condition to where it can first be tested, and finds further ones.
//
// Place: after unnesting, before join ordering. On the way: conditions of a cluster of inner joins
// are seen as one set, so that constants travel along equalities; ORs give up their common terms
// and imply conditions on single inputs; outer joins whose NULL rows are rejected become inner
// ones. Invariant: what can raise an error never moves below an operator that drops rows. Switches:
// push_predicates, outer_to_inner, infer_constants, or_terms, empty_results.
#pragma once

#include "optimize/plan_context.h"

namespace blueshift::optimize {

bind::LogicalOp* pushPredicates(PlanContext& context, bind::LogicalOp* op);

/// Terms of a conjunction in simplest form: ORs without their common terms, equalities of one
/// column with constants as IN lists. FALSE or NULL among them: a single FALSE.
std::vector<const Expr*> simplifyTerms(PlanContext& context, std::span<const Expr* const> terms);

/// Terms that follow from `terms` by their equalities of columns: conditions of one column with
/// constants, for every other column of its class.
std::vector<const Expr*> inferTerms(PlanContext& context, std::span<const Expr* const> terms);

/// A condition on columns in `side` alone that an OR over several inputs implies; nullptr for none.
const Expr* impliedByOr(PlanContext& context, const Expr* term, const ColumnSet& side);

} // namespace blueshift::optimize
