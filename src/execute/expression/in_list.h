// in_list.h: the constants of an IN list, prepared for lookups.
//
// Place: one per kInList node of an evaluator. Integers are looked up by value whatever the width
// of the tested column; text by its comparison form.
#pragma once

#include <span>
#include <vector>

#include "compile/program.h"

namespace blueshift::execute {

class InListSet {
public:
    InListSet(std::span<const compile::EvalNode* const> constants, PhysicalKind kind);

    bool hasNull() const { return has_null_; }
    bool contains(const Vector& vector, u32 index) const;

private:
    template <class T> bool probe(u64 hash, const T& value, const std::vector<T>& values) const;

    PhysicalKind kind_;
    bool has_null_ = false;
    std::vector<i128> integers_;
    std::vector<f64> floats_;
    std::vector<TextView> texts_;
    std::vector<u32> slots_; // open addressing; 0: empty, else index + 1
    u64 mask_ = 0;
};

} // namespace blueshift::execute
