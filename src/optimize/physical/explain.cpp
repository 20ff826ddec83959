// EXPLAIN in Redshift's shape: one line per operator, details below it, children indented by six.
#include <fmt/format.h>

#include <cmath>
#include <unordered_map>

#include "optimize/optimize.h"
#include "optimize/physical_plan.h"

namespace blueshift::optimize {

namespace {

/// Where a column's text comes from: an expression of some operator, or its name.
class PlanNames : public ColumnNames {
public:
    explicit PlanNames(const PhysicalPlan& plan) {
        visit(plan.root);
        for (const PhysicalOp* cte : plan.ctes) visit(cte);
    }
    std::string nameOf(ColumnId id) const override {
        if (const auto found = expressions_.find(id); found != expressions_.end() && depth_ < 8) {
            ++depth_;
            std::string text = printExpr(found->second, *this);
            --depth_;
            return text;
        }
        if (const auto found = texts_.find(id); found != texts_.end()) return found->second;
        return fmt::format("column{}", id);
    }

private:
    void visit(const PhysicalOp* op);
    void name(ColumnId id, std::string text) { texts_.try_emplace(id, std::move(text)); }

    std::unordered_map<ColumnId, const Expr*> expressions_;
    std::unordered_map<ColumnId, std::string> texts_;
    mutable int depth_ = 0;
};

void PlanNames::visit(const PhysicalOp* op) {
    for (const PhysicalOp* child : op->children) visit(child);
    switch (op->kind) {
    case OpKind::kTableScan: {
        const auto* scan = op->as<TableScanOp>();
        const auto qualified = [&](const PhysicalColumn& column) {
            const std::string_view table = scan->alias.empty() ? scan->table->name : scan->alias;
            name(column.id, fmt::format("{}.{}", table, column.name));
        };
        for (const PhysicalColumn& column : op->columns) qualified(column);
        for (const PhysicalColumn& column : scan->filter_columns) qualified(column);
        for (const TableScanOp::Test& test : scan->tests) {
            // Storage reads these columns by itself; they are no columns of the scan.
            const catalog::Column* column = scan->table->findColumn(test.column_id);
            std::vector<ColumnId> ids;
            collectColumns(test.source, ids);
            if (column == nullptr || ids.empty()) continue;
            qualified({.id = ids[0], .name = column->name});
        }
        return;
    }
    case OpKind::kMap:
        for (const MapItem& item : op->as<MapOp>()->items) {
            if (item.expr->kind != ExprKind::kColumn || item.expr->as<ColumnExpr>()->id != item.id)
                expressions_.try_emplace(item.id, item.expr);
        }
        return;
    case OpKind::kAggregate: {
        const auto* group = op->as<AggregateOp>();
        for (const AggregateOp::Key& key : group->keys)
            if (key.expr->kind != ExprKind::kColumn || key.expr->as<ColumnExpr>()->id != key.id)
                expressions_.try_emplace(key.id, key.expr);
        for (const AggregateCall& call : group->aggregates) {
            std::string args;
            for (const Expr* arg : call.args) {
                if (!args.empty()) args += ", ";
                args += printExpr(arg, *this);
            }
            if (call.args.empty()) args = "*";
            name(call.id,
                 fmt::format("{}({}{})", call.aggregate == nullptr ? "?" : call.aggregate->name,
                             call.distinct ? "DISTINCT " : "", args));
        }
        break;
    }
    default: break;
    }
    for (const PhysicalColumn& column : op->columns) name(column.id, std::string(column.name));
}

/// Column names of a join condition: "outer".x and "inner".y.
class JoinNames : public ColumnNames {
public:
    JoinNames(const PlanNames& names, const PhysicalOp* join) : names_(names), join_(join) {}
    std::string nameOf(ColumnId id) const override {
        std::string full = names_.nameOf(id);
        const bool plain = full.find_first_of("( ") == std::string::npos;
        const std::string_view side =
            join_->children[0]->find(id) != nullptr ? "\"outer\"" : "\"inner\"";
        if (!plain) return full;
        const size_t dot = full.rfind('.');
        return fmt::format("{}.{}", side, dot == std::string::npos ? full : full.substr(dot + 1));
    }

private:
    const PlanNames& names_;
    const PhysicalOp* join_;
};

class Explainer {
public:
    Explainer(const PhysicalPlan& plan, std::span<const OperatorActuals> actuals)
        : plan_(plan), actuals_(actuals), names_(plan) {}

    std::vector<std::string> print();

private:
    void print(const PhysicalOp* op, int depth);
    void line(const PhysicalOp* op, int depth, std::string_view label);
    void detail(int depth, std::string text);
    void printMerge(const PhysicalOp* op, int depth);
    void printLimit(const PhysicalOp* op, int depth);
    void printJoin(const PhysicalOp* op, int depth);
    void printScan(const TableScanOp* scan, int depth);
    void printAggregate(const AggregateOp* group, int depth);
    std::string sortKeys(const List<bind::SortKey>& keys) const;
    std::string conjunction(std::span<const Expr* const> terms) const;
    std::string expr(const Expr* e) const { return printExpr(e, names_); }

    const PhysicalPlan& plan_;
    std::span<const OperatorActuals> actuals_;
    PlanNames names_;
    std::vector<std::string> lines_;
    bool nested_loop_ = false;
    std::vector<std::string> without_statistics_;
};

void Explainer::line(const PhysicalOp* op, int depth, std::string_view label) {
    std::string text = depth == 0 ? "" : std::string(size_t(depth) * 6 - 4, ' ') + "->  ";
    text += fmt::format("XN {}  (cost={:.2f}..{:.2f} rows={} width={})", label, op->startup_cost,
                        op->total_cost, u64(std::llround(op->rows)),
                        u64(std::llround(op->width_bytes)));
    // On one node an exchange hands its child's rows over and is not measured itself.
    const PhysicalOp* measured = op;
    while (measured->kind == OpKind::kExchange && plan_.nodes <= 1)
        measured = measured->children[0];
    if (measured->id < actuals_.size()) {
        const OperatorActuals& actual = actuals_[measured->id];
        text +=
            fmt::format(" (actual rows={} time={:.3f} ms", actual.rows, f64(actual.nanos) / 1e6);
        if (actual.memory_bytes != 0) text += fmt::format(" memory={} B", actual.memory_bytes);
        if (actual.spilled_bytes != 0) text += fmt::format(" spilled={} B", actual.spilled_bytes);
        if (actual.blocks_read + actual.blocks_skipped != 0)
            text += fmt::format(" blocks={} skipped={}", actual.blocks_read, actual.blocks_skipped);
        if (!actual.note.empty()) text += " " + actual.note;
        text += ")";
    }
    lines_.push_back(std::move(text));
}

void Explainer::detail(int depth, std::string text) {
    lines_.push_back(std::string(size_t(depth) * 6 + 2, ' ') + std::move(text));
}

std::string Explainer::sortKeys(const List<bind::SortKey>& keys) const {
    std::string text;
    for (const bind::SortKey& key : keys) {
        if (!text.empty()) text += ", ";
        text += expr(key.expr);
        if (key.descending) text += " DESC";
    }
    return text;
}

std::string Explainer::conjunction(std::span<const Expr* const> terms) const {
    std::string text;
    for (const Expr* term : terms) {
        if (!text.empty()) text += " AND ";
        text += expr(term);
    }
    return terms.size() > 1 ? "(" + text + ")" : text;
}

void Explainer::printScan(const TableScanOp* scan, int depth) {
    std::string label = fmt::format("Seq Scan on {}", scan->table->name);
    if (!scan->alias.empty() && scan->alias != scan->table->name)
        label += fmt::format(" {}", scan->alias);
    line(scan, depth, label);
    std::vector<const Expr*> terms;
    for (const TableScanOp::Test& test : scan->tests) terms.push_back(test.source);
    terms.insert(terms.end(), scan->filters.begin(), scan->filters.end());
    if (!terms.empty()) detail(depth, "Filter: " + conjunction(terms));
    if (scan->table->statistics == nullptr) {
        for (const std::string& name : without_statistics_)
            if (name == scan->table->name) return;
        without_statistics_.push_back(scan->table->name);
    }
}

std::string_view joinWord(JoinOutput output) {
    switch (output) {
    case JoinOutput::kInner: return "";
    case JoinOutput::kProbeOuter: return "Left ";
    case JoinOutput::kBuildOuter: return "Right ";
    case JoinOutput::kFullOuter: return "Full ";
    case JoinOutput::kProbeSemi: return "IN ";
    case JoinOutput::kBuildSemi: return "Right IN ";
    case JoinOutput::kProbeAnti: return "NOT IN ";
    case JoinOutput::kBuildAnti: return "Right NOT IN ";
    case JoinOutput::kProbeMark: return "Mark ";
    case JoinOutput::kProbeSingle: return "Single ";
    }
    return "";
}

void Explainer::printJoin(const PhysicalOp* op, int depth) {
    const JoinNames names(names_, op);
    const PhysicalOp* inner = op->children[1];
    if (op->kind == OpKind::kNestedLoopJoin) {
        const auto* loop = op->as<NestedLoopJoinOp>();
        nested_loop_ = nested_loop_ || !(loop->condition == nullptr && inner->upper_rows <= 1);
        line(op, depth,
             fmt::format("Nested Loop {}{}{}", joinWord(loop->output),
                         loop->output == JoinOutput::kInner ? "" : "Join ", loop->label));
        if (loop->condition != nullptr)
            detail(depth, "Join Filter: " + printExpr(loop->condition, names));
        print(op->children[0], depth + 1);
        print(inner, depth + 1);
        return;
    }
    const auto* join = op->as<HashJoinOp>();
    line(op, depth, fmt::format("Hash {}Join {}", joinWord(join->output), join->label));
    std::string keys;
    for (const JoinKey& key : join->keys) {
        if (!keys.empty()) keys += " AND ";
        const std::string text =
            fmt::format("{} = {}", printExpr(key.probe, names), printExpr(key.build, names));
        keys += join->keys.size() > 1 ? "(" + text + ")" : text;
    }
    detail(depth, "Hash Cond: (" + keys + ")");
    if (join->residual != nullptr)
        detail(depth, "Join Filter: " + printExpr(join->residual, names));
    print(op->children[0], depth + 1);
    PhysicalOp hash = *inner;
    hash.startup_cost = hash.total_cost;
    line(&hash, depth + 1, "Hash");
    print(inner, depth + 2);
}

void Explainer::printAggregate(const AggregateOp* group, int depth) {
    if (group->keys.empty()) line(group, depth, "Aggregate");
    else line(group, depth, "HashAggregate");
    print(group->children[0], depth + 1);
}

static std::string_view wayOf(ExchangeKind kind) {
    switch (kind) {
    case ExchangeKind::kHash: return "Distribute";
    case ExchangeKind::kBroadcast: return "Broadcast";
    case ExchangeKind::kRoundRobin: return "Distribute Round Robin";
    case ExchangeKind::kKeep: return "Keep";
    case ExchangeKind::kSettledBuild: return "Broadcast or distribute, by the rows that are there";
    case ExchangeKind::kSettledProbe: return "Keep or distribute, as the build side went";
    default: return "Send to leader";
    }
}

void Explainer::printMerge(const PhysicalOp* op, int depth) {
    const auto* exchange = op->as<ExchangeOp>();
    const PhysicalOp* child = op->children[0];
    if (exchange->exchange == ExchangeKind::kGatherMerge) {
        if (child->kind == OpKind::kTopN && plan_.nodes <= 1) {
            line(child, depth, "Limit");
            ++depth;
        }
        line(op, depth, "Merge");
        detail(depth, "Merge Key: " + sortKeys(exchange->merge_keys));
        ++depth;
    }
    line(op, depth, "Network");
    detail(depth, std::string(wayOf(exchange->exchange)));
    if (exchange->exchange == ExchangeKind::kGatherMerge && child->kind == OpKind::kTopN) {
        line(child, depth + 1, "Sort");
        detail(depth + 1, "Sort Key: " + sortKeys(child->as<TopNOp>()->keys));
        print(child->children[0], depth + 2);
        return;
    }
    print(child, depth + 1);
}

void Explainer::printLimit(const PhysicalOp* op, int depth) {
    line(op, depth, "Limit");
    if (op->kind == OpKind::kTopN) {
        ++depth;
        line(op, depth, "Sort");
        detail(depth, "Sort Key: " + sortKeys(op->as<TopNOp>()->keys));
    }
    print(op->children[0], depth + 1);
}

void Explainer::print(const PhysicalOp* op, int depth) {
    switch (op->kind) {
    case OpKind::kTableScan: printScan(op->as<TableScanOp>(), depth); return;
    case OpKind::kSourceScan: {
        const auto* scan = op->as<SourceScanOp>();
        const std::string_view kind = scan->source->oid() == 0 ? "Function Scan" : "Seq Scan";
        line(op, depth, fmt::format("{} on {}", kind, scan->source->name()));
        return;
    }
    case OpKind::kValues:
        line(op, depth, op->as<ValuesOp>()->value_rows.size() == 1 ? "Result" : "Values Scan");
        return;
    case OpKind::kMetadata:
        line(op, depth, fmt::format("Metadata Scan on {}", op->as<MetadataOp>()->table->name));
        return;
    case OpKind::kFilter:
        line(op, depth, "Subquery Scan");
        detail(depth, "Filter: " + expr(op->as<FilterOp>()->predicate));
        print(op->children[0], depth + 1);
        return;
    case OpKind::kMap: print(op->children[0], depth); return; // no operator of Redshift's
    case OpKind::kHashJoin:
    case OpKind::kNestedLoopJoin: printJoin(op, depth); return;
    case OpKind::kAggregate: printAggregate(op->as<AggregateOp>(), depth); return;
    case OpKind::kWindow: {
        const auto* window = op->as<WindowOp>();
        line(op, depth, "Window");
        if (!window->partition_by.empty()) {
            std::string keys;
            for (const Expr* key : window->partition_by)
                keys += (keys.empty() ? "" : ", ") + expr(key);
            detail(depth, "Partition: " + keys);
        }
        if (!window->order_by.empty()) detail(depth, "Order: " + sortKeys(window->order_by));
        print(op->children[0], depth + 1);
        return;
    }
    case OpKind::kSort:
        line(op, depth, "Sort");
        detail(depth, "Sort Key: " + sortKeys(op->as<SortOp>()->keys));
        print(op->children[0], depth + 1);
        return;
    case OpKind::kTopN:
    case OpKind::kLimit: printLimit(op, depth); return;
    case OpKind::kUnionAll:
        line(op, depth, "Append");
        for (const PhysicalOp* child : op->children) {
            line(child, depth + 1, "Subquery Scan");
            print(child, depth + 2);
        }
        return;
    case OpKind::kCteScan: {
        const std::string_view name = op->as<CteScanOp>()->name;
        line(op, depth, fmt::format("CTE Scan on {}", name.empty() ? "volt_tt" : name));
        return;
    }
    case OpKind::kExchange: printMerge(op, depth); return;
    }
}

std::vector<std::string> Explainer::print() {
    print(plan_.root, 0);
    for (u32 i = 0; i < plan_.ctes.size(); ++i) {
        const std::string_view name = plan_.cte_names[i];
        lines_.push_back(fmt::format("CTE {}", name.empty() ? "volt_tt" : name));
        print(plan_.ctes[i], 1);
    }
    if (!without_statistics_.empty()) {
        std::string names;
        for (const std::string& name : without_statistics_)
            names += (names.empty() ? "" : ", ") + name;
        lines_.push_back(fmt::format("----- Tables missing statistics: {} -----", names));
        lines_.emplace_back(
            "----- Update statistics by running the ANALYZE command on these tables -----");
    }
    if (nested_loop_) {
        lines_.emplace_back(
            "----- Nested Loop Join in the query plan - review the join predicates to "
            "avoid Cartesian products -----");
    }
    return std::move(lines_);
}

} // namespace

std::vector<std::string> explainPlan(const PhysicalPlan& plan,
                                     std::span<const OperatorActuals> actuals) {
    return Explainer(plan, actuals).print();
}

} // namespace blueshift::optimize
