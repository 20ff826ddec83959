// The text of a logical plan, for tests and EXPLAIN (LOGICAL): an operator a line, its parts after
// it, children and the plans of subqueries below, two blanks deeper.
#include <map>

#include "bind/plan_walk.h"

namespace blueshift::bind {
namespace {

/// Names of columns; a name that several columns have gets the column's number.
class Names final : public ColumnNames {
public:
    void add(const OutputColumn& column, std::string_view table = {}) {
        if (column.id == kNoColumn) return;
        std::string name = table.empty() ? std::string(column.name)
                                         : std::string(table) + "." + std::string(column.name);
        const auto [entry, fresh] = names_.emplace(column.id, name);
        if (fresh) ++uses_[name];
    }
    std::string nameOf(ColumnId id) const override {
        const auto found = names_.find(id);
        if (found == names_.end()) return "#" + std::to_string(id);
        const auto& name = found->second;
        return uses_.at(name) == 1 ? name : name + "#" + std::to_string(id);
    }

private:
    std::map<ColumnId, std::string> names_;
    std::map<std::string, int> uses_;
};

void addNames(Names& names, LogicalOp* op) {
    const auto all = [&](const List<OutputColumn>& columns, std::string_view table) {
        for (const OutputColumn& column : columns) names.add(column, table);
    };
    switch (op->kind) {
    case LogicalKind::kScan: {
        const auto* scan = op->as<ScanOp>();
        all(scan->columns, scan->alias);
        names.add({scan->row_id, "row_id", SqlType::bigInt(), false}, scan->alias);
        break;
    }
    case LogicalKind::kSource: all(op->as<SourceOp>()->columns, op->as<SourceOp>()->alias); break;
    case LogicalKind::kValues: all(op->as<ValuesOp>()->columns, {}); break;
    case LogicalKind::kMap:
        for (const MapItem& item : op->as<MapOp>()->items) names.add(item.column);
        break;
    case LogicalKind::kJoin: names.add(op->as<JoinOp>()->mark); break;
    case LogicalKind::kAggregate: {
        const auto* aggregate = op->as<AggregateOp>();
        for (const GroupKey& key : aggregate->keys) names.add(key.column);
        for (const AggregateItem& item : aggregate->aggregates) names.add(item.column);
        names.add(aggregate->grouping_id);
        break;
    }
    case LogicalKind::kWindow:
        for (const WindowItem& item : op->as<WindowOp>()->items) names.add(item.column);
        break;
    case LogicalKind::kUnion: all(op->as<UnionOp>()->columns, {}); break;
    case LogicalKind::kSetOp: all(op->as<SetOpOp>()->columns, {}); break;
    case LogicalKind::kCteScan: all(op->as<CteScanOp>()->columns, {}); break;
    default: break;
    }
}

class PlanPrinter {
public:
    explicit PlanPrinter(const Names& names) : names_(names) {}

    void print(LogicalOp* op, u32 depth) {
        line(depth, describe(op));
        visitExprs(op, [&](const Expr*& expr) {
            visitSubqueries(expr,
                            [&](SubqueryExpr* subquery) { printSubquery(subquery, depth + 1); });
        });
        for (LogicalOp* child : op->children) print(child, depth + 1);
    }
    void line(u32 depth, std::string_view text) {
        out_.append(size_t{depth} * 2, ' ');
        out_ += text;
        out_ += '\n';
    }
    std::string take() { return std::move(out_); }

private:
    void printSubquery(const SubqueryExpr* subquery, u32 depth) {
        std::string text = "subplan";
        switch (subquery->subquery) {
        case SubqueryKind::kScalar: text += " scalar"; break;
        case SubqueryKind::kExists: text += " exists"; break;
        case SubqueryKind::kCompareAny:
        case SubqueryKind::kCompareAll:
            text += " " + joined(subquery->tests) + " " + std::string(subquery->comparison) +
                    (subquery->subquery == SubqueryKind::kCompareAny ? " any" : " all");
            break;
        }
        if (!subquery->outputs.empty()) text += " (" + ids(subquery->outputs) + ")";
        line(depth, text);
        print(subquery->plan, depth + 1);
    }

    std::string joined(std::span<const Expr* const> exprs) const {
        std::string text;
        for (const Expr* expr : exprs) text += (text.empty() ? "" : ", ") + printExpr(expr, names_);
        return text;
    }
    std::string ids(const List<ColumnId>& list) const {
        std::string text;
        for (ColumnId id : list) text += (text.empty() ? "" : ", ") + names_.nameOf(id);
        return text;
    }
    std::string made(const OutputColumn& column, const std::string& value) const {
        return names_.nameOf(column.id) + " := " + value;
    }
    std::string keys(const List<SortKey>& list) const {
        std::string text;
        for (const SortKey& key : list) {
            text += (text.empty() ? "" : ", ") + printExpr(key.expr, names_);
            if (key.descending) text += " desc";
            if (key.nulls_first != key.descending)
                text += key.nulls_first ? " nulls first" : " nulls last";
        }
        return text;
    }

    std::string describe(LogicalOp* op) const;
    std::string describeJoin(const JoinOp* join) const;
    std::string describeAggregate(const AggregateOp* aggregate) const;
    std::string describeWindow(const WindowOp* window) const;
    std::string call(std::string_view name, const List<const Expr*>& args, bool distinct) const {
        return std::string(name) + "(" + (distinct ? "distinct " : "") + joined(args) + ")";
    }

    const Names& names_;
    std::string out_;
};

std::string PlanPrinter::describeJoin(const JoinOp* join) const {
    constexpr std::string_view kTypes[] = {"inner", "left", "right", "full",
                                           "semi",  "anti", "mark",  "single"};
    std::string text = std::string(kTypes[u8(join->type)]) + " join";
    if (join->dependent) text += " dependent";
    return join->condition == nullptr ? text : text + " on " + printExpr(join->condition, names_);
}

std::string PlanPrinter::describeAggregate(const AggregateOp* aggregate) const {
    std::string text = "aggregate";
    std::string parts;
    for (const GroupKey& key : aggregate->keys)
        parts += (parts.empty() ? " by " : ", ") + made(key.column, printExpr(key.expr, names_));
    text += parts;
    parts.clear();
    for (const AggregateItem& item : aggregate->aggregates) {
        std::string value = call(item.aggregate->name, item.args, item.distinct);
        if (!item.order_by.empty()) value += " order by " + keys(item.order_by);
        if (item.filter != nullptr) value += " filter " + printExpr(item.filter, names_);
        parts += (parts.empty() ? " [" : ", ") + made(item.column, value);
    }
    text += parts.empty() ? "" : parts + "]";
    if (!aggregate->grouping_sets.empty()) {
        text += " sets";
        for (u64 mask : aggregate->grouping_sets) text += " " + std::to_string(mask);
    }
    return text;
}

std::string PlanPrinter::describeWindow(const WindowOp* window) const {
    constexpr std::string_view kFunctions[] = {
        "row_number", "rank", "dense_rank",  "percent_rank", "cume_dist", "ntile",
        "lag",        "lead", "first_value", "last_value",   "nth_value", "ratio_to_report"};
    constexpr std::string_view kBounds[] = {"unbounded preceding", "preceding", "current row",
                                            "following", "unbounded following"};
    std::string text = "window";
    if (!window->partition_by.empty()) text += " partition by " + joined(window->partition_by);
    if (!window->order_by.empty()) text += " order by " + keys(window->order_by);
    std::string parts;
    for (const WindowItem& item : window->items) {
        const bool aggregate = item.function == WindowFunction::kAggregate;
        std::string value = call(aggregate ? item.aggregate->name : kFunctions[u8(item.function)],
                                 item.args, item.distinct);
        if (item.ignore_nulls) value += " ignore nulls";
        const WindowFrame& frame = item.frame;
        const bool whole = frame.start == FrameBound::kUnboundedPreceding &&
                           frame.end == FrameBound::kUnboundedFollowing;
        const auto bound = [&](FrameBound which, i64 offset) {
            const bool counted = which == FrameBound::kPreceding || which == FrameBound::kFollowing;
            return (counted ? std::to_string(offset) + " " : "") + std::string(kBounds[u8(which)]);
        };
        if (!whole)
            value += (frame.rows ? " rows " : " range ") + bound(frame.start, frame.start_offset) +
                     " to " + bound(frame.end, frame.end_offset);
        parts += (parts.empty() ? " [" : ", ") + made(item.column, value);
    }
    return text + parts + "]";
}

std::string PlanPrinter::describe(LogicalOp* op) const {
    switch (op->kind) {
    case LogicalKind::kScan: {
        const auto* scan = op->as<ScanOp>();
        std::string text = "scan " + scan->table->name;
        if (scan->alias != scan->table->name) text += " " + std::string(scan->alias);
        return scan->row_id == kNoColumn ? text : text + " with row id";
    }
    case LogicalKind::kSource: {
        const auto* source = op->as<SourceOp>();
        std::string text = "source " + std::string(source->source->name());
        if (!source->arguments.empty()) text += "(" + joined(source->arguments) + ")";
        if (source->alias != source->source->name()) text += " " + std::string(source->alias);
        return text;
    }
    case LogicalKind::kValues: {
        const auto* values = op->as<ValuesOp>();
        std::string text = "values";
        for (const auto& row : values->rows) text += " (" + joined(row) + ")";
        return text;
    }
    case LogicalKind::kFilter: return "filter " + printExpr(op->as<FilterOp>()->predicate, names_);
    case LogicalKind::kMap: {
        std::string text;
        for (const MapItem& item : op->as<MapOp>()->items)
            text +=
                (text.empty() ? "map " : ", ") + made(item.column, printExpr(item.expr, names_));
        return text;
    }
    case LogicalKind::kJoin: return describeJoin(op->as<JoinOp>());
    case LogicalKind::kAggregate: return describeAggregate(op->as<AggregateOp>());
    case LogicalKind::kWindow: return describeWindow(op->as<WindowOp>());
    case LogicalKind::kSort: return "sort " + keys(op->as<SortOp>()->keys);
    case LogicalKind::kLimit: {
        const auto* limit = op->as<LimitOp>();
        std::string text = "limit";
        if (limit->limit >= 0) text += " " + std::to_string(limit->limit);
        return limit->offset == 0 ? text : text + " offset " + std::to_string(limit->offset);
    }
    case LogicalKind::kDistinct: return "distinct " + ids(op->as<DistinctOp>()->columns);
    case LogicalKind::kUnion: {
        std::string text = "union all";
        for (const auto& input : op->as<UnionOp>()->inputs) text += " (" + ids(input) + ")";
        return text;
    }
    case LogicalKind::kSetOp: {
        const auto* set = op->as<SetOpOp>();
        std::string text = set->operation == SetOpKind::kIntersect ? "intersect" : "except";
        if (set->all) text += " all";
        for (const auto& input : set->inputs) text += " (" + ids(input) + ")";
        return text;
    }
    case LogicalKind::kCteScan: return "cte scan " + std::to_string(op->as<CteScanOp>()->cte);
    }
    return "";
}

} // namespace

std::string printLogical(const QueryPlan& plan) {
    Names names;
    std::vector<LogicalOp*> roots{plan.root};
    for (const Cte& cte : plan.ctes) roots.push_back(cte.plan);
    for (LogicalOp* root : roots)
        visitOperators(root, [&](LogicalOp*& op) { addNames(names, op); });
    PlanPrinter printer(names);
    std::string result;
    for (const ResultColumn& column : plan.columns) {
        result += result.empty() ? "" : ", ";
        const std::string source = names.nameOf(column.id);
        result += std::string(column.name) + (source == column.name ? "" : " = " + source) + " " +
                  formatType(column.type);
    }
    printer.line(0, "result " + result);
    printer.print(plan.root, 1);
    for (u32 i = 0; i < plan.ctes.size(); ++i) {
        printer.line(0, "cte " + std::to_string(i) + " " + std::string(plan.ctes[i].name));
        printer.print(plan.ctes[i].plan, 1);
    }
    return printer.take();
}

} // namespace blueshift::bind
