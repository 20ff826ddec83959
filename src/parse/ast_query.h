// ast_query.h: SELECT, set operations, VALUES and FROM of the syntax tree.
//
// Place: part of parse/ast.h; read that header first.
// A Query is what may stand in parentheses: it carries WITH, ORDER BY, LIMIT and OFFSET, its
// derived struct carries the rest. `TABLE t` is turned into SELECT * FROM t by the parser.
#pragma once

#include "parse/ast_expression.h"

namespace blueshift::parse {

struct Statement;

/// name [(columns)] AS (query)
struct CommonTable {
    std::string_view name;
    List<ColumnName> columns;
    Query* query = nullptr;
    i32 position = -1;
};

struct WithClause {
    bool recursive = false;
    List<CommonTable*> tables;
    i32 position = -1;
};

enum class QueryKind : u8 { kSelect, kSetOperation, kValues };

struct Query {
    QueryKind kind;
    i32 position;
    /// Byte range of the query in the parsed text, WITH and ORDER BY included: parses to the same
    /// query again.
    u32 begin = 0;
    u32 end = 0;
    /// Null without WITH.
    WithClause* with = nullptr;
    List<OrderItem> order_by;
    /// Null without LIMIT and for LIMIT ALL. FETCH FIRST n ROWS ONLY is LIMIT n.
    Expression* limit = nullptr;
    Expression* offset = nullptr;
    /// FETCH FIRST n ROWS WITH TIES.
    bool with_ties = false;
    /// FOR UPDATE or FOR SHARE was written.
    bool for_update = false;

    Query(QueryKind kind, i32 position) : kind(kind), position(position) {}
    template <class T> T* as() {
        BS_ASSERT(kind == T::kKind);
        return static_cast<T*>(this);
    }
    template <class T> const T* as() const {
        BS_ASSERT(kind == T::kKind);
        return static_cast<const T*>(this);
    }
    template <class T> bool is() const { return kind == T::kKind; }
};

template <QueryKind K> struct QueryOf : Query {
    static constexpr QueryKind kKind = K;
    explicit QueryOf(i32 position) : Query(K, position) {}
};

/// One entry of the select list; `expression` may be a kStar (then there is no alias).
struct SelectItem {
    Expression* expression = nullptr;
    /// Empty without alias.
    std::string_view alias;
};

enum class GroupItemKind : u8 {
    /// `expression`; a kRow directly inside ROLLUP, CUBE or GROUPING SETS is a composite element.
    kExpression,
    /// ()
    kEmpty,
    kRollup,
    kCube,
    kGroupingSets,
};

struct GroupItem {
    GroupItemKind kind = GroupItemKind::kExpression;
    Expression* expression = nullptr;
    List<GroupItem*> items;
    i32 position = -1;
};

struct FromItem;

/// SELECT .. INTO [TEMP] [TABLE] name: only on the first SELECT of a statement.
struct IntoClause {
    ObjectName name;
    bool temporary = false;
};

struct NamedWindow {
    std::string_view name;
    WindowSpec* spec = nullptr;
};

struct SelectQuery : QueryOf<QueryKind::kSelect> {
    using QueryOf::QueryOf;
    bool distinct = false;
    /// DISTINCT ON (..): `distinct` is set too.
    List<Expression*> distinct_on;
    /// TOP n: limits this SELECT after its ORDER BY. Never together with `limit`.
    Expression* top = nullptr;
    List<SelectItem> items;
    /// EXCLUDE (a, b): columns taken out of the stars.
    List<ColumnName> exclude;
    /// Null without INTO.
    IntoClause* into = nullptr;
    /// Comma-separated; empty without FROM.
    List<FromItem*> from;
    Expression* where = nullptr;
    Expression* start_with = nullptr;
    Expression* connect_by = nullptr;
    bool group_by_all = false;
    List<GroupItem*> group_by;
    Expression* having = nullptr;
    /// WINDOW w AS (..), ..
    List<NamedWindow> windows;
    Expression* qualify = nullptr;
};

enum class SetOperator : u8 { kUnion, kIntersect, kExcept };

struct SetOperationArm {
    SetOperator op = SetOperator::kUnion;
    bool all = false;
    Query* query = nullptr;
    /// Position of the operator.
    i32 position = -1;
};

/// first op arm op arm ..., evaluated from left to right. INTERSECT binds tighter: it is grouped
/// into nodes of its own. An arm has WITH, ORDER BY or LIMIT only if it stood in parentheses.
struct SetOperation : QueryOf<QueryKind::kSetOperation> {
    using QueryOf::QueryOf;
    Query* first = nullptr;
    List<SetOperationArm> arms;
};

/// VALUES (..), (..): rows of one width (checked by the parser except where DEFAULT is allowed,
/// where it is checked too). Items may be kDefault only under INSERT and MERGE.
struct ValuesQuery : QueryOf<QueryKind::kValues> {
    using QueryOf::QueryOf;
    List<List<Expression*>> rows;
};

enum class FromKind : u8 {
    kTable,
    kQuery,
    kFunction,
    kJoin,
    kPath,
    kObjectUnpivot,
    kPivot,
    kUnpivot,
};

/// AS f(name type, ..) of a function in FROM.
struct FunctionColumn {
    std::string_view name;
    TypeName* type = nullptr;
    i32 position = -1;
};

struct FromItem {
    FromKind kind;
    i32 position;
    /// Empty without alias (allowed for derived tables too).
    std::string_view alias;
    /// AS a (c1, c2); empty without.
    List<ColumnName> columns;

    FromItem(FromKind kind, i32 position) : kind(kind), position(position) {}
    template <class T> T* as() {
        BS_ASSERT(kind == T::kKind);
        return static_cast<T*>(this);
    }
    template <class T> const T* as() const {
        BS_ASSERT(kind == T::kKind);
        return static_cast<const T*>(this);
    }
    template <class T> bool is() const { return kind == T::kKind; }
};

template <FromKind K> struct FromOf : FromItem {
    static constexpr FromKind kKind = K;
    explicit FromOf(i32 position) : FromItem(K, position) {}
};

/// A table, view or common table. With two or three parts it may also be a path into a SUPER
/// column of an earlier item (`FROM t c, c.orders o`): the binder looks for that first. `at` is
/// then the index column.
struct FromTable : FromOf<FromKind::kTable> {
    using FromOf::FromOf;
    ObjectName name;
    /// alias.path AS v AT idx: idx, or empty.
    std::string_view at;
};

struct FromQuery : FromOf<FromKind::kQuery> {
    using FromOf::FromOf;
    bool lateral = false;
    Query* query = nullptr;
};

/// f(x) [WITH OFFSET | WITH ORDINALITY] [AS] a [(c, ..) | (c type, ..)]. `call` may also be a
/// keyword call such as current_user. UNNEST is a function named "unnest".
struct FromFunction : FromOf<FromKind::kFunction> {
    using FromOf::FromOf;
    bool lateral = false;
    /// WITH OFFSET counts from 0, WITH ORDINALITY from 1.
    bool with_offset = false;
    bool with_ordinality = false;
    FunctionCall* call = nullptr;
    /// The definition list (c type, ..); `columns` is empty then.
    List<FunctionColumn> definitions;
};

enum class JoinType : u8 { kInner, kLeft, kRight, kFull, kCross };

struct FromJoin : FromOf<FromKind::kJoin> {
    using FromOf::FromOf;
    JoinType type = JoinType::kInner;
    bool natural = false;
    FromItem* left = nullptr;
    FromItem* right = nullptr;
    /// USING (..); empty without.
    List<ColumnName> using_columns;
    /// ON ..; null for NATURAL, CROSS and USING (and for a join with a SUPER path without ON).
    Expression* on = nullptr;
};

/// A path that cannot be a table name: longer than three parts, or with subscripts.
struct FromPath : FromOf<FromKind::kPath> {
    using FromOf::FromOf;
    Expression* path = nullptr;
    std::string_view at;
};

/// UNPIVOT path AS value AT key: the attributes of an object; `alias` is the value's name.
struct FromObjectUnpivot : FromOf<FromKind::kObjectUnpivot> {
    using FromOf::FromOf;
    Expression* path = nullptr;
    std::string_view at;
};

/// One `e [AS a]` of PIVOT or UNPIVOT.
struct PivotItem {
    Expression* expression = nullptr;
    std::string_view alias;
};

/// input PIVOT (aggregates FOR column IN (values))
struct FromPivot : FromOf<FromKind::kPivot> {
    using FromOf::FromOf;
    FromItem* input = nullptr;
    List<PivotItem> aggregates;
    Expression* column = nullptr;
    List<PivotItem> values;
};

/// input UNPIVOT [INCLUDE NULLS] (value_column FOR name_column IN (columns))
struct FromUnpivot : FromOf<FromKind::kUnpivot> {
    using FromOf::FromOf;
    FromItem* input = nullptr;
    bool include_nulls = false;
    ColumnName value_column;
    ColumnName name_column;
    List<PivotItem> sources;
};

} // namespace blueshift::parse
