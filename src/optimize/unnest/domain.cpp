// Step 2b of unnesting: the general way. A subquery that cannot lose its correlation by lifting
// runs for all distinct outer values at once: the set of them is joined in at its leaves and
// carried up.
#include <algorithm>

#include "optimize/unnest/unnest.h"

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

Domain::Domain(PlanContext& context, LogicalOp*& source, const ColumnSet& columns)
    : context_(context), columns_(columns) {
    ColumnMap shared;
    LogicalOp* copy = cloneTree(context, source, &shared);
    const bool cheap =
        source->kind == LogicalKind::kScan ||
        (source->kind == LogicalKind::kFilter && source->children[0]->kind == LogicalKind::kScan);
    if (!cheap) {
        const u32 rows_cte = u32(context.ctes.size());
        context.ctes.push_back({.name = "outer_rows", .plan = copy});
        std::vector<bind::OutputColumn> originals;
        std::vector<ColumnId> inputs;
        const ColumnSet nullable = nullableOutputs(source);
        outputsOf(source).forEach([&](ColumnId id) {
            const ColumnFacts& about = context.facts(id);
            originals.push_back({.id = id,
                                 .name = about.name,
                                 .type = about.type,
                                 .nullable = nullable.contains(id)});
            inputs.push_back(shared.at(id));
        });
        source = context.cteScan(rows_cte, originals, inputs);
        std::vector<bind::OutputColumn> read;
        std::vector<ColumnId> read_inputs;
        columns.forEach([&](ColumnId id) {
            read.push_back(context.copyOf(id));
            read.back().nullable = nullable.contains(id);
            read_inputs.push_back(shared.at(id));
            shared[id] = read.back().id;
        });
        copy = context.cteScan(rows_cte, read, read_inputs);
    }
    std::vector<ColumnId> distinct;
    columns.forEach([&](ColumnId id) {
        distinct.push_back(shared.at(id));
        inputs_.emplace_back(id, shared.at(id));
    });
    cte_ = u32(context.ctes.size());
    context.ctes.push_back({.name = "outer_values", .plan = context.distinct(copy, distinct)});
}

LogicalOp* Domain::read(ColumnMap& ids) {
    const ColumnSet nullable = nullableOutputs(context_.ctes[cte_].plan);
    std::vector<bind::OutputColumn> columns;
    std::vector<ColumnId> inputs;
    for (const auto& [outer, input] : inputs_) {
        columns.push_back(context_.copyOf(outer));
        columns.back().nullable = nullable.contains(input);
        context_.facts(columns.back().id).nullable = columns.back().nullable;
        ids[outer] = columns.back().id;
        inputs.push_back(input);
    }
    return context_.cteScan(cte_, columns, inputs);
}

std::vector<bind::MapItem> restoreEmptyGroup(PlanContext& context, bind::AggregateOp* aggregate) {
    std::vector<bind::MapItem> items;
    for (bind::AggregateItem& item : aggregate->aggregates) {
        const std::string_view name = item.aggregate == nullptr ? "" : item.aggregate->name;
        const bool counts = !item.column.nullable || name.find("count") != std::string_view::npos;
        if (!counts || !isInteger(item.column.type.kind)) continue;
        const bind::OutputColumn old = item.column;
        item.column = context.copyOf(old.id);
        const Expr* args[] = {context.column(item.column.id),
                              makeConstant(context.arena, Value::ofInteger(0, old.type))};
        items.push_back({old, makeLogic(context.arena, ExprKind::kCoalesce, args)});
    }
    return items;
}

namespace {

class DomainPusher {
public:
    DomainPusher(PlanContext& context, Domain& domain)
        : context_(context), arena_(context.arena), domain_(domain) {}

    LogicalOp* push(LogicalOp* op, ColumnMap& ids);

private:
    LogicalOp* pushJoin(bind::JoinOp* join, ColumnMap& ids);
    LogicalOp* pushAggregate(bind::AggregateOp* aggregate, ColumnMap& ids);
    LogicalOp* pushUnion(LogicalOp* op, List<bind::OutputColumn>& columns,
                         List<List<ColumnId>>& inputs, ColumnMap& ids);

    bool depends(const LogicalOp* op) const {
        return freeColumns(op).intersects(domain_.columns());
    }
    void rewriteOwn(LogicalOp* op, const ColumnMap& ids) {
        visitExprs(op, [&](const Expr*& expr) { expr = replaceColumns(context_, expr, ids); });
    }
    /// Same member of the domain on both sides.
    void addAgreement(const ColumnMap& left, const ColumnMap& right, const Expr*& condition) {
        std::vector<const Expr*> terms;
        splitConjunction(condition, terms);
        domain_.columns().forEach([&](ColumnId id) {
            const bool nullable =
                context_.facts(left.at(id)).nullable || context_.facts(right.at(id)).nullable;
            addNullSafeEqual(context_, context_.column(left.at(id), nullable),
                             context_.column(right.at(id), nullable), nullable, terms);
        });
        condition = makeAnd(arena_, terms);
    }

    PlanContext& context_;
    Arena& arena_;
    Domain& domain_;
};

LogicalOp* DomainPusher::pushJoin(bind::JoinOp* join, ColumnMap& ids) {
    if (join->type == JoinType::kRight) {
        std::swap(join->children[0], join->children[1]);
        join->type = JoinType::kLeft;
    }
    LogicalOp*& left = join->children[0];
    LogicalOp*& right = join->children[1];
    if (join->dependent) {
        left = push(left, ids);
        replaceColumns(context_, right, ids);
        rewriteOwn(join, ids);
        return join;
    }
    if (join->type == JoinType::kInner && !depends(left) && depends(right)) {
        right = push(right, ids);
        rewriteOwn(join, ids);
        return join;
    }
    const bool both = depends(right) || join->type == JoinType::kFull;
    left = push(left, ids);
    if (both && join->type != JoinType::kFull) {
        Lifted lifted = liftCorrelation(context_, right, domain_.columns());
        if (lifted.possible) {
            std::vector<const Expr*> terms;
            splitConjunction(join->condition, terms);
            terms.insert(terms.end(), lifted.predicates.begin(), lifted.predicates.end());
            join->condition = makeAnd(arena_, terms);
            right = lifted.op;
            rewriteOwn(join, ids);
            return join;
        }
    }
    rewriteOwn(join, ids);
    if (!both) return join;
    ColumnMap other;
    right = push(right, other);
    addAgreement(ids, other, join->condition);
    if (join->type != JoinType::kFull) return join;
    std::vector<bind::MapItem> items;
    for (auto& [outer, id] : ids) {
        const Expr* args[] = {context_.column(id), context_.column(other.at(outer))};
        items.push_back({context_.copyOf(outer), makeLogic(arena_, ExprKind::kCoalesce, args)});
        id = items.back().column.id;
    }
    return context_.map(join, items);
}

LogicalOp* DomainPusher::pushAggregate(bind::AggregateOp* aggregate, ColumnMap& ids) {
    const bool scalar = isScalarAggregate(aggregate);
    aggregate->children[0] = push(aggregate->children[0], ids);
    rewriteOwn(aggregate, ids);
    u64 added = 0;
    for (auto& [outer, id] : ids) {
        const bind::OutputColumn key = context_.copyOf(outer);
        context_.facts(key.id).nullable = context_.facts(id).nullable;
        added |= u64{1} << aggregate->keys.size();
        aggregate->keys.push({key, context_.column(id)});
        id = key.id;
    }
    if (!scalar) {
        for (u64& mask : aggregate->grouping_sets) mask |= added;
        return aggregate;
    }
    aggregate->grouping_sets = List<u64>(arena_);
    const std::vector<bind::MapItem> items = restoreEmptyGroup(context_, aggregate);
    ColumnMap all;
    LogicalOp* members = domain_.read(all);
    bind::JoinOp* join = context_.join(JoinType::kLeft, members, aggregate, nullptr);
    addAgreement(all, ids, join->condition);
    ids = all;
    return context_.map(join, items);
}

LogicalOp* DomainPusher::pushUnion(LogicalOp* op, List<bind::OutputColumn>& columns,
                                   List<List<ColumnId>>& inputs, ColumnMap& ids) {
    for (u32 k = 0; k < op->children.size(); ++k) {
        ColumnMap below;
        op->children[k] = push(op->children[k], below);
        domain_.columns().forEach([&](ColumnId id) { inputs[k].push(below.at(id)); });
    }
    domain_.columns().forEach([&](ColumnId id) {
        columns.push(context_.copyOf(id));
        columns.back().nullable = true;
        context_.facts(columns.back().id).nullable = true;
        ids[id] = columns.back().id;
    });
    return op;
}

LogicalOp* DomainPusher::push(LogicalOp* op, ColumnMap& ids) {
    if (!depends(op)) {
        LogicalOp* members = domain_.read(ids);
        const bool one_row = op->kind == LogicalKind::kValues &&
                             op->as<bind::ValuesOp>()->rows.size() == 1 &&
                             op->as<bind::ValuesOp>()->columns.empty();
        return one_row ? members : context_.join(JoinType::kInner, members, op, nullptr);
    }
    switch (op->kind) {
    case LogicalKind::kFilter:
    case LogicalKind::kMap:
        op->children[0] = push(op->children[0], ids);
        rewriteOwn(op, ids);
        return op;
    case LogicalKind::kSort: return push(op->children[0], ids);
    case LogicalKind::kJoin: return pushJoin(op->as<bind::JoinOp>(), ids);
    case LogicalKind::kAggregate: return pushAggregate(op->as<bind::AggregateOp>(), ids);
    case LogicalKind::kWindow: {
        op->children[0] = push(op->children[0], ids);
        rewriteOwn(op, ids);
        for (const auto& [outer, id] : ids)
            op->as<bind::WindowOp>()->partition_by.push(context_.column(id));
        return op;
    }
    case LogicalKind::kLimit: {
        LogicalOp* child = op->children[0];
        bind::SortOp* sort = nullptr;
        if (child->kind == LogicalKind::kSort) {
            sort = child->as<bind::SortOp>();
            child = sort->children[0];
        }
        child = push(child, ids);
        if (sort != nullptr) rewriteOwn(sort, ids);
        std::vector<const Expr*> partition;
        for (const auto& [outer, id] : ids) partition.push_back(context_.column(id));
        return limitPerPartition(context_, child, partition,
                                 sort == nullptr ? nullptr : &sort->keys, *op->as<bind::LimitOp>());
    }
    case LogicalKind::kDistinct:
        op->children[0] = push(op->children[0], ids);
        for (const auto& [outer, id] : ids) op->as<bind::DistinctOp>()->columns.push(id);
        return op;
    case LogicalKind::kUnion: {
        auto* all = op->as<bind::UnionOp>();
        return pushUnion(all, all->columns, all->inputs, ids);
    }
    case LogicalKind::kSetOp: {
        auto* set = op->as<bind::SetOpOp>();
        return pushUnion(set, set->columns, set->inputs, ids);
    }
    case LogicalKind::kSource:
    case LogicalKind::kScan:
    case LogicalKind::kValues:
    case LogicalKind::kCteScan: break;
    }
    BS_NOT_YET("a table function whose arguments are columns of another table");
}

} // namespace

LogicalOp* pushDomain(PlanContext& context, LogicalOp* op, Domain& domain, ColumnMap& ids) {
    return DomainPusher(context, domain).push(op, ids);
}

} // namespace blueshift::optimize
