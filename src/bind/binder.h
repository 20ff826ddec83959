// binder.h: the recursive walk from syntax tree to plan; one object binds one statement.
//
// Place: private to bind/, behind the functions of bind.h. Its methods are grouped by topic, a file
// each: names, types, expressions, operators, calls, aggregates, windows, subqueries, select,
// grouping, order, from, joins, set_operations, ctes, insert, modify.
// Positions: errors thrown inside carry the byte offset plus one; withPositions() makes them
// characters on the way out. Texts of views and defaults have no positions.
// Threads: one statement, one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bind/bind.h"
#include "bind/scope.h"

namespace blueshift::bind {

/// One column of a query's result. `expr` is a column of the plan, or, while its type is open, an
/// untyped literal or parameter that the reader of the result may still give a type.
struct QueryColumn {
    std::string_view name;
    const Expr* expr = nullptr;
    catalog::Oid table = 0;
    i16 attribute = 0;
};
struct BoundQuery {
    LogicalOp* root = nullptr;
    std::vector<QueryColumn> columns;
};

/// A table of WITH and those that were declared before it.
struct CommonEntry {
    std::string_view name;
    u32 cte = 0;
    std::vector<QueryColumn> columns;
    const CommonEntry* next = nullptr;
};

/// What a name in FROM stands for: exactly one pointer is set.
struct Relation {
    std::shared_ptr<const catalog::Table> table;
    std::shared_ptr<const catalog::View> view;
    const catalog::TableSource* source = nullptr;
    std::string_view schema;
    explicit operator bool() const { return table || view || source != nullptr; }
};

/// What a FROM item gives.
struct FromResult {
    LogicalOp* op = nullptr;
    FromScope scope;
};

class Binder {
public:
    explicit Binder(BindContext& context);

    QueryPlan query(const parse::Query& query);
    BoundInsert insert(const parse::Insert& statement);
    BoundModify update(const parse::Update& statement);
    BoundModify remove(const parse::Delete& statement);
    const Expr* columnDefault(std::string_view sql, SqlType type);
    Relation relation(const parse::ObjectName& name);

private:
    // ---- binder.cpp: errors, small builders, the end of a statement.
    [[noreturn]] void fail(std::string_view state, std::string message, i32 position,
                           std::string hint = {}, std::string detail = {}) const;
    [[noreturn]] void notYet(std::string_view feature, i32 position) const;
    /// Gives errors that have no position the given one.
    template <class F> auto at(i32 position, F&& build) const;
    i32 place(i32 position) const { return stored_text_ > 0 ? -1 : position; }
    ColumnId newId() { return next_id_++; }
    OutputColumn newColumn(std::string_view name, const SqlType& type, bool nullable) {
        return {newId(), name, type, nullable};
    }
    template <class T> T* makeOp(LogicalKind kind, std::initializer_list<LogicalOp*> children);
    LogicalOp* makeFilter(LogicalOp* child, const Expr* predicate);
    LogicalOp* makeMap(LogicalOp* child, std::span<const MapItem> items);
    LogicalOp* makeOneRow();
    const Expr* columnExpr(const OutputColumn& column, i32 position = -1);
    const Expr* atPosition(const Expr* expr, i32 position);
    const Expr* text(std::string_view value);
    template <class T> List<T> list(const std::vector<T>& items) {
        return List<T>(arena_, std::span<const T>(items));
    }
    /// Gives every open column a type and every column an id.
    void settle(BoundQuery& query);
    QueryPlan finish(BoundQuery query);
    void inlineSingleCtes(QueryPlan& plan);
    void noteParameters(QueryPlan& plan);

    // ---- names.cpp, rights.cpp
    Relation findRelation(const parse::ObjectName& name);
    Relation findIn(std::string_view schema, std::string_view name);
    std::vector<std::string> schemasInOrder() const;
    std::string nearestRelation(const parse::ObjectName& name);
    [[noreturn]] void failNoRelation(const parse::ObjectName& name);
    bool mayUseSchema(const catalog::Schema& schema) const;
    bool holds(const std::vector<catalog::Privilege>& privileges, std::string_view owner,
               std::string_view privilege) const;
    void require(const std::vector<catalog::Privilege>& privileges, std::string_view owner,
                 std::string_view privilege, std::string_view relation, i32 position) const;

    // ---- types.cpp
    SqlType type(const parse::TypeName& name);
    /// An interval literal with months and microseconds both; nothing for other expressions.
    struct IntervalParts {
        const Expr* months = nullptr;
        const Expr* micros = nullptr;
    };
    IntervalParts intervalLiteral(const parse::TypeName& type, std::string_view text, i32 position);
    IntervalParts mixedInterval(const parse::Expression* e);

    // ---- expressions.cpp
    const Expr* expr(const parse::Expression* e, Block& block);
    const Expr* dispatch(const parse::Expression* e, Block& block);
    const Expr* condition(const parse::Expression* e, Block& block, Clause clause);
    const Expr* asBoolean(const Expr* value, std::string_view where, i32 position);
    const Expr* literal(const parse::Literal& e, bool negative = false);
    const Expr* typedLiteral(const parse::TypeName& type, std::string_view text, i32 position);
    const Expr* parameter(const parse::Parameter& e);
    const Expr* column(const parse::ColumnReference& e, Block& block);
    const VisibleColumn* qualifiedColumn(const parse::ColumnReference& e, Block& block);
    const Expr* findColumn(std::string_view name, i32 position, Block& block);
    const Expr* aliasedOutput(std::string_view name, Block& block);
    [[noreturn]] void failNoColumn(const parse::ColumnReference& e, Block& block);
    const Expr* cast(const parse::Cast& e, Block& block);
    const Expr* castTo(const Expr* value, const SqlType& to, functions::CastContext context,
                       i32 position);
    const Expr* tryCast(const Expr* value, const SqlType& to, i32 position);
    /// The expression a second time, so that no subquery stands twice in a plan.
    const Expr* again(const Expr* bound, const parse::Expression* e, Block& block);
    const Expr* subscript(const parse::Subscript& e, Block& block);

    // ---- logic.cpp
    const Expr* logical(const parse::Logical& e, Block& block);
    const Expr* isTest(const parse::Is& e, Block& block);
    const Expr* caseOf(const parse::Case& e, Block& block);
    const Expr* caseWhen(std::vector<const Expr*> args, i32 position);
    const Expr* conjunction(std::vector<const Expr*> terms, bool is_and);
    const Expr* negation(const Expr* value);
    const Expr* isNull(const Expr* value, bool negated);

    // ---- operators.cpp
    const Expr* unary(const parse::Unary& e, Block& block);
    const Expr* binary(const parse::Binary& e, Block& block);
    const Expr* combine(const parse::Binary& e, const Expr* left, const Expr* right);
    const Expr* addInterval(const parse::Binary& e, const Expr* value, const IntervalParts& parts);
    const Expr* compare(std::string_view symbol, const Expr* left, const Expr* right, i32 position);
    const Expr* call(std::string_view name, std::vector<const Expr*> args, i32 position);
    const Expr* rowComparison(const parse::Binary& e, Block& block);
    const Expr* between(const parse::Between& e, Block& block);
    const Expr* inList(const parse::InList& e, Block& block);
    const Expr* inItems(const Expr* operand, std::span<const Expr* const> items, bool negated,
                        i32 position);
    const Expr* like(const parse::Like& e, Block& block);
    const Expr* quantifiedArray(const parse::Quantified& e, Block& block);

    // ---- calls.cpp
    const Expr* functionCall(const parse::FunctionCall& e, Block& block);
    const Expr* scalarCall(const parse::FunctionCall& e, Block& block, std::string_view name);
    /// COALESCE, DECODE and the like; nullptr for other names.
    const Expr* conditionalCall(const parse::FunctionCall& e, std::string_view name, Block& block);
    const Expr* decode(const parse::FunctionCall& e, Block& block);
    std::vector<const Expr*> arguments(const parse::FunctionCall& e, Block& block);

    // ---- aggregates.cpp, windows.cpp
    const Expr* aggregateCall(const parse::FunctionCall& e, Block& block, std::string_view name);
    AggregateItem aggregateItem(const parse::FunctionCall& e, Block& block, std::string_view name);
    Block& homeOf(const AggregateItem& item, Block& block);
    const Expr* groupingCall(const parse::FunctionCall& e, Block& block);
    const Expr* windowCall(const parse::FunctionCall& e, Block& block, std::string_view name);
    WindowItem windowItem(const parse::FunctionCall& e, Block& block, std::string_view name);
    const parse::WindowSpec& windowSpec(const parse::WindowSpec& written, Block& block);
    WindowFrame windowFrame(const parse::WindowSpec& spec, Block& block, bool ranking);
    List<SortKey> sortKeys(const List<parse::OrderItem>& items, Block& block);

    // ---- subqueries.cpp
    const Expr* scalarSubquery(const parse::Subquery& e, Block& block);
    const Expr* arrayQuery(const parse::ArrayQuery& e, Block& block);
    const Expr* exists(const parse::Exists& e, Block& block);
    const Expr* inQuery(const parse::InQuery& e, Block& block);
    const Expr* quantifiedQuery(const parse::Quantified& e, Block& block);
    const Expr* compareSubquery(const parse::Expression* operand, const parse::Query& query,
                                std::string_view symbol, bool all, i32 position, Block& block);
    SubqueryExpr* makeSubquery(SubqueryKind kind, const BoundQuery& query, const SqlType& type,
                               i32 position);

    // ---- select.cpp, grouping.cpp, order.cpp
    BoundQuery boundQuery(const parse::Query& query, Block* outer);
    BoundQuery select(const parse::SelectQuery& query, Block* outer);
    void expandOutputs(const parse::SelectQuery& query, Block& block);
    void expandStar(const parse::Star& star, const parse::SelectQuery& query, Block& block);
    const Expr* output(size_t index, Block& block, Clause clause);
    std::string_view outputName(const parse::Expression* e);
    std::string_view castName(const parse::Cast& cast);
    BoundQuery project(Block& block, LogicalOp* root);
    bool makes(const Block& block, ColumnId id) const;
    bool readsAggregates(const Expr* value, const Block& block) const;
    /// The grouping sets as masks over block.keys; empty for one set of all keys.
    std::vector<u64> groupBy(const parse::SelectQuery& query, Block& block);
    std::vector<u64> groupItem(const parse::GroupItem& item, Block& block);
    std::vector<u64> groupElements(const parse::GroupItem& item, Block& block);
    u64 groupMask(const parse::Expression* e, Block& block);
    u32 groupKey(const parse::Expression* e, Block& block);
    u32 addKey(const Expr* value, std::string_view name, Block& block);
    LogicalOp* aggregate(LogicalOp* root, Block& block, const std::vector<u64>& sets);
    /// The expression over the grouped rows; 42803 for a column that is not grouped.
    const Expr* grouped(const Expr* value, Block& block);
    void groupWindows(Block& block);
    LogicalOp* windows(LogicalOp* root, Block& block);
    /// A key of ORDER BY: an item of the select list, or an expression of its own.
    struct OrderKey {
        i32 output = -1;
        const Expr* expr = nullptr;
        const parse::OrderItem* item = nullptr;
    };
    void makeDistinct(BoundQuery& result, const std::vector<OrderKey>& keys);
    std::vector<OrderKey> orderKeys(const parse::SelectQuery& query, Block& block);
    OrderKey orderKey(const parse::OrderItem& item, Block& block);
    LogicalOp* order(const std::vector<OrderKey>& keys, Block& block, const BoundQuery& result);
    SortKey sortKey(const parse::OrderItem& item, const Expr* key);
    LogicalOp* orderByOutput(const parse::Query& query, BoundQuery& result);
    LogicalOp* limit(LogicalOp* root, const parse::Expression* limit,
                     const parse::Expression* offset);
    i64 rowCount(const parse::Expression* e, std::string_view clause);

    // ---- from.cpp, joins.cpp
    LogicalOp* fromClause(const List<parse::FromItem*>& items, Block& block);
    FromResult fromItem(const parse::FromItem& item, Block& left);
    FromResult fromTable(const parse::FromTable& item);
    FromResult fromQuery(const parse::FromQuery& item, Block& left);
    FromResult fromFunction(const parse::FromFunction& item, Block& left);
    FromResult fromUnnest(const parse::FromFunction& item, Block& left);
    FromResult fromScalarFunction(const parse::FromFunction& item, Block& left);
    FromResult fromJoin(const parse::FromJoin& item, Block& left);
    FromResult joinPair(const parse::FromJoin& item, FromResult left, Block& around);
    std::vector<std::string_view> sharedColumns(const parse::FromJoin& item, const FromScope& left,
                                                const FromScope& right) const;
    const VisibleColumn& usingColumn(std::string_view name, const FromScope& scope,
                                     std::string_view side, i32 position) const;
    FromScope mergeUsing(const std::vector<std::string_view>& names, JoinType type, LogicalOp*& op,
                         FromScope left, FromScope right, i32 position);
    FromResult crossJoin(FromResult left, FromResult right, bool dependent);
    FromResult scanTable(const catalog::Table& table, std::string_view alias, ColumnId* row_id);
    FromResult scanSource(const catalog::TableSource& source, std::string_view alias,
                          List<const Expr*> arguments);
    FromResult scanCommon(const CommonEntry& entry, std::string_view alias);
    FromResult expandView(const catalog::View& view, std::string_view alias, i32 position);
    FromResult named(BoundQuery query, std::string_view alias);
    void renameColumns(FromResult& result, const parse::FromItem& item);
    void addScope(FromScope& scope, FromScope more, i32 position) const;
    void markNullable(FromScope& scope);
    /// The scope of one table with these columns.
    FromScope scopeOf(std::string_view schema, std::string_view name,
                      std::vector<VisibleColumn> columns) const;

    // ---- set_operations.cpp, ctes.cpp
    BoundQuery setOperation(const parse::SetOperation& query, Block* outer);
    BoundQuery unite(std::vector<BoundQuery> inputs, bool distinct, i32 position);
    BoundQuery intersectOrExcept(BoundQuery left, BoundQuery right,
                                 const parse::SetOperationArm& arm);
    std::vector<OutputColumn> unifyColumns(std::vector<BoundQuery>& inputs, std::string_view word,
                                           i32 position);
    BoundQuery values(const parse::ValuesQuery& query, Block* outer);
    void declareCommonTables(const parse::WithClause& with);
    void declareCommonTable(const parse::CommonTable& table);
    const CommonEntry* findCommon(std::string_view name) const;

    // ---- insert.cpp, modify.cpp
    std::shared_ptr<const catalog::Table> target(const parse::ObjectName& name,
                                                 std::string_view privilege);
    BoundQuery insertRows(const parse::ValuesQuery& query,
                          const std::vector<const catalog::Column*>& columns);
    const Expr* defaultOf(const catalog::Column& column);
    const Expr* assigned(const Expr* value, const catalog::Column& column, i32 position);
    LogicalOp* firstMatch(LogicalOp* root, ColumnId row_id);

    BindContext& context_;
    Arena& arena_;
    const functions::SessionFacts& session_;
    functions::SessionFacts default_session_;
    ColumnId next_id_ = 0;
    const CommonEntry* common_ = nullptr;
    std::vector<Cte> ctes_;
    std::vector<std::unique_ptr<CommonEntry>> entries_;
    std::vector<catalog::Oid> objects_;
    u32 depth_ = 0;
    // Of the statement, or of the view whose text is being bound.
    std::vector<std::string> search_path_;
    std::string user_;
    bool superuser_;
    std::string_view recursive_name_; // the table of WITH RECURSIVE that is being bound
    u32 stored_text_ = 0;             // depth of views and defaults around
};

/// Nesting of expressions and queries, the length of chains such as a || b || c included.
inline constexpr u32 kMaxNesting = 1000;

/// Counts one level of nesting; 54001 when there are too many.
class NestingGuard {
public:
    explicit NestingGuard(u32& depth) : depth_(depth) {
        if (depth_ >= kMaxNesting)
            throw SqlError(
                Error(sqlstate::kStatementTooComplex, "the statement is nested too deeply")
                    .withHint("Split the expression or the query into parts."));
        ++depth_;
    }
    ~NestingGuard() { --depth_; }
    NestingGuard(const NestingGuard&) = delete;
    NestingGuard& operator=(const NestingGuard&) = delete;

private:
    u32& depth_;
};

template <class F> auto Binder::at(i32 position, F&& build) const {
    try {
        return build();
    } catch (SqlError& error) {
        if (error.error().position == 0 && place(position) >= 0)
            error.error().position = position + 1;
        throw;
    }
}

template <class T> T* Binder::makeOp(LogicalKind kind, std::initializer_list<LogicalOp*> children) {
    T* op = arena_.make<T>();
    op->kind = kind;
    op->children = List<LogicalOp*>(arena_, children);
    return op;
}

} // namespace blueshift::bind
