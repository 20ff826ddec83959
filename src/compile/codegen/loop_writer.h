// loop_writer.h: the body of one generated loop over the rows (tuples) of a space.
//
// Place: the segment writer opens a loop, asks for values of expressions and slots, writes what is
// done with them, and closes it. Values are defined at first use and found again by their text, so
// that common subexpressions are computed once.
// What must stand before the loop (columns, parameters, results of the interpreter) is collected
// meanwhile. Threads: one.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "compile/codegen/source_text.h"
#include "compile/segment.h"

namespace blueshift::compile {

/// Where the value of a slot is found.
struct SlotSource {
    enum class Kind : u8 {
        kInput,  // a column of the source batch
        kBuild,  // a field of the build row that matched
        kLazy,   // an expression over other slots
        kStored, // room filled earlier in this space, or in space 0
    } kind = Kind::kInput;
    SlotInfo info;
    std::string name;
    u32 probe = 0; // kBuild: number of the lookup in the segment
    u32 offset = 0;
    bool may_miss = false; // kBuild: there may be no partner
    bool null_bit = false; // kBuild
    u32 null_byte = 0;
    u8 null_mask = 0;
    const EvalNode* root = nullptr; // kLazy
    u32 space = 0;                  // kStored
};
using SlotSources = std::vector<SlotSource>;

/// A value in a loop: the names of two C++ variables or constants.
struct LoopValue {
    std::string name;
    std::string valid; // empty: never NULL
    PhysicalKind kind = PhysicalKind::kI64;
    bool boolean = false; // a C++ bool

    bool nullable() const { return !valid.empty(); }
    /// As a condition: TRUE and not NULL.
    std::string isTrue() const;
    /// As a value of its physical kind.
    std::string stored() const;
};

const char* typeName(PhysicalKind kind);
/// How a const value is declared: texts are read where they lie.
const char* valueType(PhysicalKind kind);
/// How an array of such values is declared.
std::string arrayType(PhysicalKind kind);
/// A field of a row in memory; equality of two values; a value's hash as a key.
std::string fieldOf(PhysicalKind kind, const std::string& row, u32 offset);
std::string equality(PhysicalKind kind, const std::string& a, const std::string& b);
std::string hashOf(PhysicalKind kind, const std::string& value);

class LoopWriter {
public:
    /// Values of `slots` in space `space`; new parameters, externals and operations go to
    /// `segment`.
    LoopWriter(const SlotSources& slots, u32 space, Segment& segment)
        : slots_(slots), space_(space), segment_(segment) {}

    LoopValue value(const EvalNode* node);
    LoopValue slot(Slot slot);
    /// The name of the member at hand: "row" in space 0, "tuple" elsewhere.
    const char* member() const { return space_ == 0 ? "row" : "tuple"; }
    /// Build fields of this lookup are read through `candidate` (residual conditions).
    void bindCandidate(u32 probe) { candidate_of_ = i64(probe); }

    /// Both prologues may stand in one scope.
    void avoidNames(const LoopWriter& other) { names_ = other.names_; }

    SourceText& body() { return body_; }
    const SourceText& body() const { return body_; }
    const SourceText& prologue() const { return prologue_; }
    /// Flags of operations that may have failed: (variable, index of the operation).
    const std::vector<std::pair<std::string, u32>>& flags() const { return flags_; }
    /// What the interpreter evaluates before the loop.
    const std::vector<const EvalNode*>& evaluated() const { return evaluated_; }
    /// Values stay defined in enclosing scopes only: what is defined in between is forgotten.
    struct Mark {
        std::map<std::string, std::string> defined;
    };
    Mark mark() const { return {defined_}; }
    void forget(Mark mark) { defined_ = std::move(mark.defined); }

private:
    std::string define(const char* type, const std::string& expression, std::string_view hint = "");
    std::string parameter(const EvalNode& node);
    LoopValue constant(const EvalNode& node);
    LoopValue call(const EvalNode& node);
    LoopValue arithmetic(const EvalNode& node, const std::vector<LoopValue>& args,
                         const std::string& valid);
    LoopValue logic(const EvalNode& node);
    LoopValue choice(const EvalNode& node);
    LoopValue inList(const EvalNode& node);
    LoopValue external(const EvalNode* node);
    LoopValue column(const std::string& getter, const std::string& name, PhysicalKind kind,
                     bool nullable, const std::string& index);
    std::string sourceRow();
    std::string allValid(const std::vector<LoopValue>& args);

    const SlotSources& slots_;
    u32 space_;
    Segment& segment_;
    SourceText body_;
    SourceText prologue_;
    std::map<std::string, std::string> defined_; // text of an expression -> variable
    std::map<std::string, std::string> columns_; // getter -> name
    std::set<std::string> names_;
    std::map<const EvalNode*, u32> externals_;
    std::vector<const EvalNode*> evaluated_;
    std::map<const EvalNode*, std::string> parameters_;
    std::vector<std::pair<std::string, u32>> flags_;
    i64 candidate_of_ = -1;
    u32 next_ = 0;
};

/// A line of SQL-like text for comments; constants are $n.
std::string describe(const EvalNode& node, const SlotSources& slots);

} // namespace blueshift::compile
