// GREATEST, LEAST, NULLIF, NVL2 and IS DISTINCT FROM: functions that see NULLs.
#include <cstring>

#include "functions/casts.h"
#include "functions/overload.h"
#include "functions/scalar/rows.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;

/// The winner of each row among its arguments that are not NULL.
template <bool greatest> void extremeLoop(const LoopCall& call) {
    dispatchKind(call.out.kind(), [&]<class T>(T*) {
        T* out = call.out.values<T>();
        for (u32 i = 0; i < call.count; ++i) {
            const u32 row = call.rowAt(i);
            bool found = false;
            T best{};
            for (const Vector& arg : call.args) {
                if (arg.isNull(row)) continue;
                const T value = arg.valueAt<T>(row);
                if (!found || (greatest ? kernels::less(best, value) : kernels::less(value, best)))
                    best = value;
                found = true;
            }
            out[row] = best;
            if (found) setBit(call.out.validity(), row);
            else clearBit(call.out.validity(), row);
        }
    });
}

template <class F> void equalityRows(const LoopCall& call, F f) {
    dispatchKind(call.args[0].kind, [&]<class T>(T*) {
        for (u32 i = 0; i < call.count; ++i) {
            const u32 row = call.rowAt(i);
            const bool null_a = call.args[0].isNull(row);
            const bool null_b = call.args[1].isNull(row);
            const bool equal = null_a || null_b ? null_a && null_b
                                                : kernels::equal(call.args[0].valueAt<T>(row),
                                                                 call.args[1].valueAt<T>(row));
            f(static_cast<T*>(nullptr), row, null_a, equal);
        }
    });
}

void nullifLoop(const LoopCall& call) {
    equalityRows(call, [&]<class T>(T*, u32 row, bool null, bool equal) {
        if (null || equal) return clearBit(call.out.validity(), row);
        call.out.values<T>()[row] = call.args[0].valueAt<T>(row);
        setBit(call.out.validity(), row);
    });
}

template <bool negated> void distinctLoop(const LoopCall& call) {
    equalityRows(call, [&]<class T>(T*, u32 row, bool, bool equal) {
        call.out.values<i8>()[row] = equal == negated;
        setBit(call.out.validity(), row);
    });
}

SqlType typeOfFirst(std::span<const SqlType> arguments, std::span<const Value* const>) {
    return arguments[0];
}

Function called(std::string_view name, VectorLoop loop) {
    return {.name = name, .null_policy = NullPolicy::kCalled, .leak_proof = true, .loop = loop};
}

std::vector<Overload> makeTable() {
    std::vector<Overload> table;
    table.push_back(
        {called("greatest", extremeLoop<true>), {K::kVoid}, K::kVoid, typeOfFirst, 0, true});
    table.push_back(
        {called("least", extremeLoop<false>), {K::kVoid}, K::kVoid, typeOfFirst, 0, true});
    table.push_back({called("nullif", nullifLoop), {K::kVoid, K::kVoid}, K::kVoid, typeOfFirst});
    table.push_back(
        {called("is distinct from", distinctLoop<false>), {K::kVoid, K::kVoid}, K::kBoolean});
    table.push_back(
        {called("is not distinct from", distinctLoop<true>), {K::kVoid, K::kVoid}, K::kBoolean});
    return table;
}

} // namespace

OverloadTable conditionalFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
