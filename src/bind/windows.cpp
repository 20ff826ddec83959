// Window calls. Calls over the same partitioning and order share one WindowOp; their frames are
// their own. They run over the grouped rows, so that their arguments may hold aggregates.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {

using functions::CastContext;

namespace {

struct WindowName {
    std::string_view name;
    WindowFunction function;
    u32 least;
    u32 most;
    bool framed;        // the frame decides which rows it sees
    bool ignores_nulls; // takes IGNORE NULLS
};
constexpr WindowName kWindowNames[] = {
    {"row_number", WindowFunction::kRowNumber, 0, 0, false, false},
    {"rank", WindowFunction::kRank, 0, 0, false, false},
    {"dense_rank", WindowFunction::kDenseRank, 0, 0, false, false},
    {"percent_rank", WindowFunction::kPercentRank, 0, 0, false, false},
    {"cume_dist", WindowFunction::kCumeDist, 0, 0, false, false},
    {"ntile", WindowFunction::kNtile, 1, 1, false, false},
    {"lag", WindowFunction::kLag, 1, 2, false, true},
    {"lead", WindowFunction::kLead, 1, 2, false, true},
    {"first_value", WindowFunction::kFirstValue, 1, 1, true, true},
    {"last_value", WindowFunction::kLastValue, 1, 1, true, true},
    {"nth_value", WindowFunction::kNthValue, 2, 2, true, true},
    {"ratio_to_report", WindowFunction::kRatioToReport, 1, 1, false, false},
};

SqlType resultOf(WindowFunction function, const SqlType& argument) {
    switch (function) {
    case WindowFunction::kPercentRank:
    case WindowFunction::kCumeDist:
    case WindowFunction::kRatioToReport: return SqlType::doublePrecision();
    case WindowFunction::kLag:
    case WindowFunction::kLead:
    case WindowFunction::kFirstValue:
    case WindowFunction::kLastValue:
    case WindowFunction::kNthValue: return argument;
    default: return SqlType::bigInt();
    }
}

bool sameKeys(std::span<const SortKey> a, std::span<const SortKey> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const SortKey& x, const SortKey& y) {
                          return x.descending == y.descending && x.nulls_first == y.nulls_first &&
                                 sameExpr(x.expr, y.expr);
                      });
}

} // namespace

WindowItem Binder::windowItem(const parse::FunctionCall& e, Block& block, std::string_view name) {
    WindowItem item;
    item.ignore_nulls = e.nulls == parse::NullTreatment::kIgnore;
    item.distinct = e.distinct;
    const auto* known = std::ranges::find_if(
        kWindowNames, [&](const WindowName& candidate) { return candidate.name == name; });
    if (known == std::end(kWindowNames)) {
        if (!functions::isAggregateName(name) && !e.approximate)
            fail(functions::functionExists(name) ? sqlstate::kWrongObjectType
                                                 : sqlstate::kUndefinedFunction,
                 functions::functionExists(name)
                     ? "OVER specified, but " + std::string(name) +
                           " is not a window function nor an aggregate"
                     : "function " + std::string(name) + " does not exist",
                 e.position, "Call an aggregate or a window function such as ROW_NUMBER.");
        const AggregateItem aggregate = aggregateItem(e, block, name);
        if (aggregate.filter != nullptr) notYet("FILTER of a window call", e.position);
        if (!aggregate.order_by.empty() && !name.starts_with("percentile")) {
            // LISTAGG takes its values in the order of WITHIN GROUP: that of the window here.
            if (!e.over->order_by.empty())
                fail(sqlstate::kWindowingError,
                     "ORDER BY of the window and of WITHIN GROUP exclude each other", e.position,
                     "Leave one of them out.");
        }
        item.function = WindowFunction::kAggregate;
        item.aggregate = aggregate.aggregate;
        item.args = aggregate.args;
        item.distinct = aggregate.distinct;
        item.column = aggregate.column;
        return item;
    }
    if (e.arguments.size() < known->least || e.arguments.size() > known->most)
        fail(sqlstate::kUndefinedFunction,
             "function " + std::string(name) + " does not take " +
                 std::to_string(e.arguments.size()) + " arguments",
             e.position, "It takes " + std::to_string(known->least) + ".");
    if (item.distinct)
        fail(sqlstate::kWindowingError, "DISTINCT is not allowed in " + std::string(name),
             e.position, "Leave DISTINCT out.");
    if (item.ignore_nulls && !known->ignores_nulls)
        fail(sqlstate::kWindowingError, "IGNORE NULLS is not allowed in " + std::string(name),
             e.position, "Leave IGNORE NULLS out.");
    item.function = known->function;
    item.args = List<const Expr*>(arena_);
    SqlType argument = SqlType::bigInt();
    for (u32 i = 0; i < e.arguments.size(); ++i) {
        const Expr* arg = expr(e.arguments[i], block);
        const bool counts = i == 1 || known->function == WindowFunction::kNtile;
        if (counts)
            arg = castTo(arg, SqlType::bigInt(), CastContext::kImplicit, e.arguments[i]->position);
        if (known->function == WindowFunction::kRatioToReport)
            arg = castTo(arg, SqlType::doublePrecision(), CastContext::kImplicit,
                         e.arguments[i]->position);
        if (arg->type.kind == TypeKind::kUnknown)
            arg = castTo(arg, SqlType::text(), CastContext::kExplicit, e.arguments[i]->position);
        if (i == 0) argument = arg->type;
        item.args.push(arg);
    }
    const bool numbers = known->least == 0 || known->function == WindowFunction::kNtile;
    item.column = {kNoColumn, e.name.name, resultOf(known->function, argument), !numbers};
    return item;
}

List<SortKey> Binder::sortKeys(const List<parse::OrderItem>& items, Block& block) {
    List<SortKey> keys(arena_);
    for (const parse::OrderItem& item : items)
        keys.push(sortKey(item, expr(item.expression, block)));
    return keys;
}

/// The specification that OVER w means.
const parse::WindowSpec& Binder::windowSpec(const parse::WindowSpec& written, Block& block) {
    if (written.name.empty()) return written;
    if (block.select != nullptr) {
        for (const parse::NamedWindow& window : block.select->windows) {
            if (window.name != written.name) continue;
            if (written.partition_by.empty() && written.order_by.empty() &&
                written.frame == nullptr)
                return windowSpec(*window.spec, block);
            if (!written.partition_by.empty() ||
                (!written.order_by.empty() && !window.spec->order_by.empty()))
                fail(sqlstate::kWindowingError,
                     "cannot override the clauses of window \"" + std::string(written.name) + "\"",
                     written.position, "Write the whole window in OVER (..).");
            auto* merged = arena_.make<parse::WindowSpec>(windowSpec(*window.spec, block));
            if (!written.order_by.empty()) merged->order_by = written.order_by;
            if (written.frame != nullptr) merged->frame = written.frame;
            merged->name = {};
            return *merged;
        }
    }
    fail(sqlstate::kUndefinedObject, "window \"" + std::string(written.name) + "\" does not exist",
         written.position, "Define it in the WINDOW clause.");
}

WindowFrame Binder::windowFrame(const parse::WindowSpec& spec, Block& block, bool framed) {
    WindowFrame frame;
    if (spec.frame == nullptr) {
        if (!framed) return frame;
        if (spec.order_by.empty()) return frame;
        // The standard's default: up to the current row and its peers.
        frame.rows = false;
        frame.end = FrameBound::kCurrentRow;
        return frame;
    }
    const parse::WindowFrame& written = *spec.frame;
    if (written.unit == parse::FrameUnit::kGroups) notYet("a frame of GROUPS", spec.position);
    if (written.exclude != parse::FrameExclude::kNone) notYet("EXCLUDE in a frame", spec.position);
    frame.rows = written.unit == parse::FrameUnit::kRows;
    frame.start = FrameBound(u8(written.start));
    frame.end = FrameBound(u8(written.end));
    const bool backwards = frame.start > frame.end;
    if (backwards || frame.start == FrameBound::kUnboundedFollowing ||
        frame.end == FrameBound::kUnboundedPreceding)
        fail(sqlstate::kWindowingError, "the frame ends before it starts", spec.position,
             "Write the earlier bound first.");
    const auto offset = [&](const parse::Expression* e) -> i64 {
        if (e == nullptr) return 0;
        if (!frame.rows) notYet("RANGE with an offset", e->position);
        ClauseGuard guard(block, Clause::kConstant);
        const i64 rows = rowCount(e, "the frame");
        if (rows < 0)
            fail("22013", "frame offset must be a constant that is not negative", e->position,
                 "Write a number.");
        return rows;
    };
    frame.start_offset = offset(written.start_offset);
    frame.end_offset = offset(written.end_offset);
    // Ranking and offset functions see the whole partition whatever frame is written.
    return framed ? frame : WindowFrame{};
}

const Expr* Binder::windowCall(const parse::FunctionCall& e, Block& block, std::string_view name) {
    switch (block.clause) {
    case Clause::kSelect:
    case Clause::kQualify:
    case Clause::kOrderBy: break;
    case Clause::kWindow:
        fail(sqlstate::kWindowingError, "window function calls cannot be nested", e.position,
             "Compute the inner one in a subquery.");
    case Clause::kAggregate:
        fail(sqlstate::kGroupingError,
             "aggregate function calls cannot contain window function calls", e.position,
             "Compute the window function in a subquery.");
    default:
        fail(sqlstate::kWindowingError,
             "window functions are not allowed in " + std::string(clauseName(block.clause)),
             e.position, "Filter with QUALIFY, or compute it in a subquery.");
    }
    ClauseGuard guard(block, Clause::kWindow);
    WindowItem item = windowItem(e, block, name);
    const parse::WindowSpec& spec = windowSpec(*e.over, block);
    WindowGroup group;
    group.partition_by = List<const Expr*>(arena_);
    for (const parse::Expression* key : spec.partition_by) {
        const Expr* bound = expr(key, block);
        if (bound->kind != ExprKind::kConstant) group.partition_by.push(bound);
    }
    const bool aggregate = item.function == WindowFunction::kAggregate;
    group.order_by = sortKeys(spec.order_by.empty() && aggregate && !name.starts_with("percentile")
                                  ? e.within_group
                                  : spec.order_by,
                              block);
    const bool framed = aggregate || item.function == WindowFunction::kFirstValue ||
                        item.function == WindowFunction::kLastValue ||
                        item.function == WindowFunction::kNthValue;
    item.frame = windowFrame(spec, block, framed);
    item.column.id = newId();
    const auto found = std::ranges::find_if(block.windows, [&](const WindowGroup& other) {
        return sameKeys(other.order_by, group.order_by) &&
               std::equal(other.partition_by.begin(), other.partition_by.end(),
                          group.partition_by.begin(), group.partition_by.end(), sameExpr);
    });
    if (found != block.windows.end()) {
        found->items.push(item);
    } else {
        group.items = List<WindowItem>(arena_, {item});
        block.windows.push_back(group);
    }
    return columnExpr(item.column, e.position);
}

} // namespace blueshift::bind
