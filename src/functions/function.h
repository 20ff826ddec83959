// function.h: what a SQL function is to the stages that bind, fold, interpret and compile it.
//
// Place: functions/ holds one declarative table of Function entries; bind/ picks an overload,
// compile/ places it in an expression program, execute/ calls its loop on vectors.
// Contract of a loop: it computes the rows named by (selection, count) and touches no others; a
// strict loop is called for rows whose arguments are all valid when the function can fail.
// Threads: entries are immutable; an EvalContext belongs to one worker.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/error.h"
#include "types/value.h"
#include "types/vector.h"

namespace blueshift::functions {

class CatalogLookup; // functions/catalog_lookup.h: names and definitions for pg_* functions
class RegexCache;    // functions/regex.h: compiled patterns of one worker

enum class NullPolicy : u8 {
    kStrict,        // any NULL argument gives NULL; the caller computes validity
    kStrictMayNull, // the same, and the loop may clear further validity bits
    kCalled,        // called with NULLs; the loop writes the whole validity of the computed rows
};
enum class Volatility : u8 { kImmutable, kStable, kVolatile };

/// What functions may know of the session that runs them. Borrowed for the statement.
struct SessionFacts {
    std::string_view user = "admin";
    std::string_view database = "dev";
    std::string_view current_schema = "public";
    std::string_view search_path = "$user, public";
    std::string_view timezone = "UTC";
    i32 user_id = 100;
    i32 process_id = 0;
    i64 statement_time = 0;   // microseconds since 2000-01-01 UTC
    i64 transaction_time = 0; // the same
    bool date_order_mdy = true;
    bool numeric_rounding = false; // explicit casts of decimals round, else they truncate
    const CatalogLookup* catalog = nullptr;
};

/// Text results of one vector; cleared before the next batch.
class TextHeap {
public:
    char* allocate(size_t bytes) { return static_cast<char*>(arena_.allocate(bytes, 1)); }
    TextView store(std::string_view text) {
        if (text.size() <= TextView::kInlineBytes) return makeTextView(text);
        return makeTextView(arena_.copyText(text));
    }
    void clear() {
        if (arena_.bytesAllocated() > kKeptBytes) arena_ = Arena();
        else arena_.rewind();
    }

private:
    static constexpr size_t kKeptBytes = 1 << 20;
    Arena arena_;
};

/// One worker's surroundings of running expressions. The first error wins; loops return early.
struct EvalContext {
    const SessionFacts* session = nullptr;
    u64 random_state = 0x853C49E6748FEA9Bull;
    std::optional<Error> error;
    std::shared_ptr<RegexCache> regexes; // made at first use

    void fail(std::string_view state, std::string message) {
        if (!error) error = Error(state, std::move(message));
    }
    void fail(Error value) {
        if (!error) error = std::move(value);
    }
    bool failed() const { return error.has_value(); }
};

/// One call of a loop. Arguments are flat or constant vectors, already of `arg_types`' natural
/// kinds (operators excepted, see operators.h). `out` has room and the right kind.
struct LoopCall {
    std::span<const Vector> args;
    std::span<const SqlType> arg_types;
    SqlType result_type;
    VectorBuffer& out;
    const u16* selection; // nullptr: rows 0 .. count-1
    u32 count;
    TextHeap& heap;
    EvalContext& context;

    u32 rowAt(u32 i) const { return selection == nullptr ? i : selection[i]; }
};
using VectorLoop = void (*)(const LoopCall&);

/// Operators whose loops exist for every physical width; chosen by compile/ from value ranges.
enum class Operator : u8 {
    kNone,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kNegate,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kLike, // LIKE and ILIKE with a constant pattern are prepared once
    kCast,
};

struct Function {
    std::string_view name; // as in SQL, lower case; operators by their symbol, casts "cast"
    Operator op = Operator::kNone;
    NullPolicy null_policy = NullPolicy::kStrict;
    Volatility volatility = Volatility::kImmutable;
    bool can_fail = false;     // may raise an error for some row
    bool leak_proof = false;   // neither errors nor messages reveal its arguments
    VectorLoop loop = nullptr; // natural kinds; operators: see operators.h
};

/// An overload chosen for a call: arguments are to be cast to `argument_types` first.
struct BoundFunction {
    const Function* function = nullptr;
    SqlType result;
    std::vector<SqlType> argument_types;
};

/// The overload for `name` (lower case, without schema) and arguments. `constants[i]` is the
/// argument's value where it is a constant, else nullptr (some result types depend on it, such as
/// ROUND's). Throws 42883 naming the call as PostgreSQL does, with candidates in the hint.
/// Symbols of operators ("+", "||", "~", "like", "ilike", "=", ...) are names as well.
BoundFunction bindFunction(std::string_view name, std::span<const SqlType> arguments,
                           std::span<const Value* const> constants);
bool functionExists(std::string_view name);

/// The function that casts `from` to `to`; nullptr when there is no such cast. Its arg_types[0] and
/// result_type in the LoopCall carry precision, scale and length.
const Function* castFunction(const SqlType& from, const SqlType& to);
/// TRY_CAST's form: failures give NULL.
const Function* tryCastFunction(const SqlType& from, const SqlType& to);

enum class CastContext : u8 { kImplicit, kAssignment, kExplicit };
bool canCast(const SqlType& from, const SqlType& to, CastContext context);

/// The type that CASE, COALESCE, UNION and IN give to arms of these types; throws 42804.
SqlType commonType(std::span<const SqlType> types, std::string_view context);

/// The value of a call with constant arguments, or nothing when it fails or is volatile. Text of
/// the result lies in `arena`.
std::optional<Value> foldCall(const Function& function, std::span<const Value> arguments,
                              const SqlType& result, const SessionFacts& session, Arena& arena);

/// One row per overload for documentation, pg_proc and pg_operator; operators by their symbol.
struct FunctionRow {
    u32 oid = 0; // ascending; new ones when functions are added
    std::string_view name;
    SqlType result;
    std::vector<SqlType> arguments;
    bool aggregate = false;
    bool window = false;
    Volatility volatility = Volatility::kImmutable;
};
const std::vector<FunctionRow>& listFunctions();

/// Text form of a value as the wire and casts to text print it (ISO dates, `t`/`f`, decimals with
/// their scale, shortest round-trip floats). Time zone is that of the session.
void appendText(std::string& out, const Vector& vector, u32 row, const SqlType& type,
                const SessionFacts& session);
std::string valueText(const Value& value, const SessionFacts& session);
/// The value of a text in input form (COPY, casts, typed literals); the error names text and type.
Result<Value> parseValue(std::string_view text, const SqlType& type, const SessionFacts& session,
                         Arena& arena);

} // namespace blueshift::functions
