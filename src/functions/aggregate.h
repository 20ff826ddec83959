// aggregate.h: what an aggregate function is: a state of fixed size with five operations.
//
// Place: bind/ picks one by name and argument types; execute/group keeps states inside group rows.
// A state is raw bytes, movable by memcpy; text it keeps lies in the TextHeap-like store handed in.
// States that keep bytes there say how to write them out and find them again (spilling).
// Strict: rows whose argument is NULL are not seen by `update`, COUNT(*) excepted.
#pragma once

#include "functions/function.h"

namespace blueshift::functions {

/// Where states keep what does not fit them (text of MIN, lists of MEDIAN). Lives as long as the
/// grouping; one per worker and partition.
class StateStore {
public:
    virtual ~StateStore() = default;
    virtual void* allocate(size_t bytes) = 0;
};

struct AggregateCall {
    std::span<const Vector> args; // flat, constant or dictionary; integers of any width
    std::span<const SqlType> arg_types;
    SqlType result_type;
    StateStore& store;
    EvalContext& context;
};

/// The states of kernels/aggregate.h that generated code updates itself. kLeast, kGreatest and
/// kFirst are Kept<i64>, Kept<i128> or Kept<f64>, by the natural kind of the argument.
enum class FusedState : u8 { kNone, kCount, kExactSum, kFloatSum, kLeast, kGreatest, kFirst };

/// How groups of several nodes become one.
enum class TwoPhase : u8 {
    kNone,   // only from all rows
    kState,  // states travel as texts: `partial` makes them, `merge` takes them
    kResult, // the results are arguments again: MIN of MINs
    kCount,  // the results are summed
};

struct Aggregate {
    std::string_view name;
    u32 state_bytes = 0; // a multiple of 8; states are aligned to 8
    bool sees_nulls = false;
    FusedState fused = FusedState::kNone;
    bool ordered = false; // LISTAGG: depends on the order of its input, not split into parts
    void (*init)(u8* state) = nullptr;
    /// Row `rows[i]` (nullptr: i) goes into the state at `states[i]`, i < count.
    void (*update)(const AggregateCall& call, const u16* rows, u8* const* states,
                   u32 count) = nullptr;
    /// All of `rows` go into one state (grouping without keys, runs of equal keys).
    void (*update_one)(const AggregateCall& call, const u16* rows, u32 count, u8* state) = nullptr;
    void (*combine)(const AggregateCall& call, u8* into, const u8* from) = nullptr;
    /// Writes states[i] to out row i and its validity bit.
    void (*finalize)(const AggregateCall& call, u8* const* states, u32 count, VectorBuffer& out,
                     TextHeap& heap) = nullptr;
    /// Bytes that the state keeps in the store; nullptr: a state of this kind keeps none there.
    u64 (*stored_bytes)(const u8* state) = nullptr;
    /// Copies those bytes to `out`.
    void (*store)(const u8* state, u8* out) = nullptr;
    /// After store(): the state's bytes now lie at `at` (aligned to 8), which it may change.
    void (*restore)(u8* state, u8* at) = nullptr;
    TwoPhase two_phase = TwoPhase::kNone;
    const Aggregate* partial = nullptr; // kState
    const Aggregate* merge = nullptr;
};

/// The first and the second phase; {} when there are none. `state`: the first one gives texts.
struct Phases {
    const Aggregate* partial = nullptr;
    const Aggregate* merge = nullptr;
    bool state = false;
    explicit operator bool() const { return partial != nullptr; }
};
Phases phasesOf(const Aggregate& aggregate);

struct BoundAggregate {
    const Aggregate* aggregate = nullptr;
    SqlType result;
    std::vector<SqlType> argument_types;
};

/// The aggregate for `name`. Throws 42883.
/// "count" without arguments is COUNT(*). PERCENTILE_CONT and PERCENTILE_DISC take the fraction,
/// then the WITHIN GROUP expression as a second argument (which stays in the call's order, too).
/// APPROXIMATE COUNT(DISTINCT x) is "approximate_count" of x, without DISTINCT (also "hll");
/// APPROXIMATE PERCENTILE_DISC is "approximate_percentile_disc".
BoundAggregate bindAggregate(std::string_view name, std::span<const SqlType> arguments);
bool isAggregateName(std::string_view name);
std::span<const std::string_view> aggregateNames();

} // namespace blueshift::functions
