// ast_expression.h: names, type names and scalar expressions of the syntax tree.
//
// Place: part of parse/ast.h; read that header first.
// Expressions are plain structs with a kind; `e->as<Cast>()` is the checked down-cast.
// Several spellings share a node where their meaning is one: x::int and CAST(x AS int), != and <>,
// SUBSTRING(a FROM 1 FOR 2) and substring(a, 1, 2), NOT a IN (..) stays two nodes.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "base/ints.h"

namespace blueshift::parse {

struct Query;
struct FunctionCall;

/// A name of one to three parts: [[database.]schema.]name; absent parts are empty. Parts are folded
/// to lower case unless quoted names keep their case (ParseOptions::fold_quoted).
struct ObjectName {
    std::string_view database;
    std::string_view schema;
    std::string_view name;
    i32 position = -1;

    bool empty() const { return name.empty(); }
};

/// One column name where a list of bare names stands (INSERT columns, USING, keys).
struct ColumnName {
    std::string_view name;
    i32 position = -1;
};

enum class IntervalField : u8 { kNone, kYear, kMonth, kDay, kHour, kMinute, kSecond };

/// A type as written. `name` is lower case, several words are joined by one space:
/// "int4", "double precision", "character varying", "timestamp with time zone", "interval".
/// Aliases are not resolved here; bind/ maps names to SqlType.
struct TypeName {
    std::string_view schema;
    std::string_view name;
    /// Numbers in parentheses; VARCHAR(MAX) gives kMax.
    List<i32> modifiers;
    static constexpr i32 kMax = -1;
    /// int[] is 1, int[][] is 2.
    u8 array_dimensions = 0;
    /// `"char"` is another type than char.
    bool quoted = false;
    /// INTERVAL YEAR TO MONTH; `end` is kNone for a single field. SECOND(3) is in `modifiers`.
    IntervalField interval_start = IntervalField::kNone;
    IntervalField interval_end = IntervalField::kNone;
    i32 position = -1;
};

enum class ExpressionKind : u8 {
    kLiteral,
    kTypedLiteral,
    kParameter,
    kColumn,
    kStar,
    kUnary,
    kBinary,
    kLogical,
    kIs,
    kBetween,
    kInList,
    kInQuery,
    kLike,
    kQuantified,
    kExists,
    kSubquery,
    kArrayQuery,
    kCast,
    kCase,
    kRow,
    kArray,
    kFunction,
    kCollate,
    kSubscript,
    kField,
    kOuterMark,
    kNamedArgument,
    kDefault,
};

struct Expression {
    ExpressionKind kind;
    i32 position;

    Expression(ExpressionKind kind, i32 position) : kind(kind), position(position) {}
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

template <ExpressionKind K> struct ExpressionOf : Expression {
    static constexpr ExpressionKind kKind = K;
    explicit ExpressionOf(i32 position) : Expression(K, position) {}
};

enum class LiteralKind : u8 {
    kNull,
    kBoolean,
    /// Digits only; any length: the binder chooses the integer width or DECIMAL.
    kInteger,
    /// With a point and no exponent: exact.
    kDecimal,
    /// With an exponent, as 1e5.
    kFloat,
    /// Unescaped characters, type still unknown.
    kText,
};

struct Literal : ExpressionOf<ExpressionKind::kLiteral> {
    using ExpressionOf::ExpressionOf;
    LiteralKind literal = LiteralKind::kNull;
    bool boolean = false;
    /// Digits of a number, or the text; empty for NULL and booleans.
    std::string_view text;
};

/// DATE '2020-01-01', INTERVAL '3' DAY, int '5': a type applied to a text literal.
struct TypedLiteral : ExpressionOf<ExpressionKind::kTypedLiteral> {
    using ExpressionOf::ExpressionOf;
    TypeName* type = nullptr;
    std::string_view text;
};

/// $1
struct Parameter : ExpressionOf<ExpressionKind::kParameter> {
    using ExpressionOf::ExpressionOf;
    i32 number = 0;
};

/// a, t.a, s.t.a, db.s.t.a or a longer path into a SUPER value. Bare dateparts such as `day` in
/// DATEADD(day, 1, x) are columns of one part too: the binder decides by the function.
struct ColumnReference : ExpressionOf<ExpressionKind::kColumn> {
    using ExpressionOf::ExpressionOf;
    List<std::string_view> parts;
};

/// * or t.*, s.t.*; only in a select list and as the sole argument of a call (count(*)).
struct Star : ExpressionOf<ExpressionKind::kStar> {
    using ExpressionOf::ExpressionOf;
    List<std::string_view> qualifier;
};

enum class UnaryOperator : u8 {
    kPlus,
    kMinus,
    kNot,
    kBitNot,
    kSquareRoot,
    kCubeRoot,
    kAbsolute,
    /// PRIOR e, in CONNECT BY.
    kPrior,
};

/// Long runs of NOT are shortened by pairs: at most two remain.
struct Unary : ExpressionOf<ExpressionKind::kUnary> {
    using ExpressionOf::ExpressionOf;
    UnaryOperator op = UnaryOperator::kPlus;
    Expression* operand = nullptr;
};

enum class BinaryOperator : u8 {
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kPower,
    kConcatenate,
    kBitAnd,
    kBitOr,
    kBitXor,
    kShiftLeft,
    kShiftRight,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    /// IS DISTINCT FROM and IS NOT DISTINCT FROM.
    kDistinct,
    kNotDistinct,
    /// ~ ~* !~ !~*
    kRegexMatch,
    kRegexMatchNoCase,
    kRegexNotMatch,
    kRegexNotMatchNoCase,
};

/// `position` is that of the operator. Row comparison has kRow on both sides.
struct Binary : ExpressionOf<ExpressionKind::kBinary> {
    using ExpressionOf::ExpressionOf;
    BinaryOperator op = BinaryOperator::kAdd;
    Expression* left = nullptr;
    Expression* right = nullptr;
};

/// AND or OR of two or more terms; a term is never a kLogical of the same operator that was written
/// without parentheses.
struct Logical : ExpressionOf<ExpressionKind::kLogical> {
    using ExpressionOf::ExpressionOf;
    bool is_and = true;
    List<Expression*> terms;
};

enum class IsTest : u8 { kNull, kTrue, kFalse, kUnknown };

struct Is : ExpressionOf<ExpressionKind::kIs> {
    using ExpressionOf::ExpressionOf;
    IsTest test = IsTest::kNull;
    bool negated = false;
    Expression* operand = nullptr;
};

struct Between : ExpressionOf<ExpressionKind::kBetween> {
    using ExpressionOf::ExpressionOf;
    bool negated = false;
    bool symmetric = false;
    Expression* operand = nullptr;
    Expression* low = nullptr;
    Expression* high = nullptr;
};

/// The operand, and then every item, may be a kRow.
struct InList : ExpressionOf<ExpressionKind::kInList> {
    using ExpressionOf::ExpressionOf;
    bool negated = false;
    Expression* operand = nullptr;
    List<Expression*> items;
};

struct InQuery : ExpressionOf<ExpressionKind::kInQuery> {
    using ExpressionOf::ExpressionOf;
    bool negated = false;
    Expression* operand = nullptr;
    Query* query = nullptr;
};

enum class LikeKind : u8 { kLike, kLikeNoCase, kSimilar };

struct Like : ExpressionOf<ExpressionKind::kLike> {
    using ExpressionOf::ExpressionOf;
    LikeKind like = LikeKind::kLike;
    bool negated = false;
    Expression* operand = nullptr;
    Expression* pattern = nullptr;
    /// Null without ESCAPE.
    Expression* escape = nullptr;
};

/// operand op ANY|SOME|ALL (query) or (array expression): exactly one of the two is set.
struct Quantified : ExpressionOf<ExpressionKind::kQuantified> {
    using ExpressionOf::ExpressionOf;
    BinaryOperator op = BinaryOperator::kEqual;
    bool all = false;
    Expression* operand = nullptr;
    Query* query = nullptr;
    Expression* array = nullptr;
};

struct Exists : ExpressionOf<ExpressionKind::kExists> {
    using ExpressionOf::ExpressionOf;
    Query* query = nullptr;
};

/// A scalar subquery, or a row of several columns when compared with a kRow.
struct Subquery : ExpressionOf<ExpressionKind::kSubquery> {
    using ExpressionOf::ExpressionOf;
    Query* query = nullptr;
};

/// ARRAY(SELECT ..), which catalog queries use.
struct ArrayQuery : ExpressionOf<ExpressionKind::kArrayQuery> {
    using ExpressionOf::ExpressionOf;
    Query* query = nullptr;
};

/// CAST(e AS t), e::t, CONVERT(t, e), TRY_CAST(e AS t).
struct Cast : ExpressionOf<ExpressionKind::kCast> {
    using ExpressionOf::ExpressionOf;
    bool is_try = false;
    Expression* operand = nullptr;
    TypeName* type = nullptr;
};

struct CaseArm {
    Expression* when = nullptr;
    Expression* then = nullptr;
};

struct Case : ExpressionOf<ExpressionKind::kCase> {
    using ExpressionOf::ExpressionOf;
    /// Null in the searched form.
    Expression* operand = nullptr;
    List<CaseArm> arms;
    /// Null without ELSE.
    Expression* otherwise = nullptr;
};

/// (a, b) or ROW(a, b).
struct Row : ExpressionOf<ExpressionKind::kRow> {
    using ExpressionOf::ExpressionOf;
    List<Expression*> items;
};

/// ARRAY[a, b]. ARRAY(a, b) is a call of the function `array`.
struct ArrayConstructor : ExpressionOf<ExpressionKind::kArray> {
    using ExpressionOf::ExpressionOf;
    List<Expression*> items;
};

enum class NullsOrder : u8 { kUnspecified, kFirst, kLast };

struct OrderItem {
    Expression* expression = nullptr;
    bool descending = false;
    NullsOrder nulls = NullsOrder::kUnspecified;
};

enum class FrameUnit : u8 { kRows, kRange, kGroups };
enum class FrameBound : u8 {
    kUnboundedPreceding,
    kPreceding,
    kCurrentRow,
    kFollowing,
    kUnboundedFollowing,
};
enum class FrameExclude : u8 { kNone, kCurrentRow, kGroup, kTies };

/// `ROWS n PRECEDING` has end kCurrentRow, as the standard says.
struct WindowFrame {
    FrameUnit unit = FrameUnit::kRows;
    FrameBound start = FrameBound::kUnboundedPreceding;
    FrameBound end = FrameBound::kCurrentRow;
    Expression* start_offset = nullptr;
    Expression* end_offset = nullptr;
    FrameExclude exclude = FrameExclude::kNone;
};

/// What stands in OVER (..) or in a WINDOW clause. `name`: OVER w, or (w ORDER BY ..).
struct WindowSpec {
    std::string_view name;
    List<Expression*> partition_by;
    List<OrderItem> order_by;
    /// Null when no frame is written.
    WindowFrame* frame = nullptr;
    i32 position = -1;
};

/// How a call was written where that is not f(a, b). The arguments are always in `arguments`:
enum class CallForm : u8 {
    kPlain,
    /// EXTRACT(part FROM e): name "extract", a text literal with the part in lower case, then e.
    kExtract,
    /// POSITION(a IN b): name "position", arguments a, b in this order.
    kPosition,
    /// e AT TIME ZONE z: name "timezone", arguments z, e.
    kAtTimeZone,
    /// (a, b) OVERLAPS (c, d): name "overlaps", four arguments.
    kOverlaps,
    /// Written without parentheses: current_date, current_time, current_timestamp, localtime,
    /// localtimestamp, current_user, current_user_id, session_user, user, sysdate.
    kKeyword,
};

enum class NullTreatment : u8 { kUnspecified, kIgnore, kRespect };

/// TRIM([BOTH|LEADING|TRAILING] [c] FROM s) is btrim|ltrim|rtrim(s[, c]); SUBSTRING(s FOR n) is
/// substring(s, 1, n).
struct FunctionCall : ExpressionOf<ExpressionKind::kFunction> {
    using ExpressionOf::ExpressionOf;
    ObjectName name;
    CallForm form = CallForm::kPlain;
    /// count(*): one kStar.
    List<Expression*> arguments;
    bool distinct = false;
    /// APPROXIMATE COUNT(DISTINCT ..), APPROXIMATE PERCENTILE_DISC(..).
    bool approximate = false;
    NullTreatment nulls = NullTreatment::kUnspecified;
    /// ORDER BY inside the parentheses.
    List<OrderItem> order_by;
    /// WITHIN GROUP (ORDER BY ..).
    List<OrderItem> within_group;
    /// FILTER (WHERE ..), or null.
    Expression* filter = nullptr;
    /// OVER .., or null.
    WindowSpec* over = nullptr;
};

struct Collate : ExpressionOf<ExpressionKind::kCollate> {
    using ExpressionOf::ExpressionOf;
    Expression* operand = nullptr;
    ObjectName collation;
};

/// e[index], or e[index:upper] with either bound possibly null.
struct Subscript : ExpressionOf<ExpressionKind::kSubscript> {
    using ExpressionOf::ExpressionOf;
    Expression* operand = nullptr;
    Expression* index = nullptr;
    Expression* upper = nullptr;
    bool is_slice = false;
};

/// (e).name, f(x).name, a[0].name. A plain path a.b.c is a kColumn.
struct FieldAccess : ExpressionOf<ExpressionKind::kField> {
    using ExpressionOf::ExpressionOf;
    Expression* operand = nullptr;
    std::string_view field;
};

/// b.y(+): the old mark of the side that an outer join fills with nulls.
struct OuterMark : ExpressionOf<ExpressionKind::kOuterMark> {
    using ExpressionOf::ExpressionOf;
    Expression* operand = nullptr;
};

/// name => value or name := value in a call.
struct NamedArgument : ExpressionOf<ExpressionKind::kNamedArgument> {
    using ExpressionOf::ExpressionOf;
    std::string_view name;
    Expression* value = nullptr;
};

/// DEFAULT in a VALUES row of INSERT or MERGE, or on the right of UPDATE .. SET c =.
struct DefaultValue : ExpressionOf<ExpressionKind::kDefault> {
    using ExpressionOf::ExpressionOf;
};

} // namespace blueshift::parse
