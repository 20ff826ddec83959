// APPROXIMATE COUNT(DISTINCT x) and HLL(x): HyperLogLog with 2^15 registers (0.6 % standard error).
//
// Small groups keep a list of (register, rank) pairs in an open hash set; at 2,048 pairs it becomes
// the dense array of 32 KiB. Counting: Ertl's improved raw estimator (arXiv 1702.01284), which
// needs no tables of corrections.
#include <cmath>

#include "functions/aggregates/families.h"
#include "functions/aggregates/state_loops.h"

namespace blueshift::functions::aggregates {
namespace {

constexpr u32 kIndexBits = 15;
constexpr u32 kRegisters = 1u << kIndexBits;
constexpr u32 kRankBits = 64 - kIndexBits;
constexpr u32 kFirstPairs = 16;
constexpr u32 kMostPairs = 2048;

/// A pair is index << 8 | rank; rank is at least 1, so that 0 marks an empty place.
struct Sketch {
    u32* pairs = nullptr;
    u32 pair_count = 0;
    u32 pair_capacity = 0;
    u8* registers = nullptr;

    void insert(u32 index, u32 rank, StateStore& store) {
        if (registers != nullptr) {
            if (registers[index] < rank) registers[index] = u8(rank);
            return;
        }
        if (pair_count * 2 >= pair_capacity) {
            grow(store);
            insert(index, rank, store);
            return;
        }
        insertPair(index, rank);
    }
    void insertPair(u32 index, u32 rank) {
        u32 at = (index * 0x9E3779B1u) >> 7 & (pair_capacity - 1);
        while (pairs[at] != 0) {
            if (pairs[at] >> 8 == index) {
                if ((pairs[at] & 0xFF) < rank) pairs[at] = index << 8 | rank;
                return;
            }
            at = (at + 1) & (pair_capacity - 1);
        }
        pairs[at] = index << 8 | rank;
        ++pair_count;
    }
    void grow(StateStore& store) {
        const u32* old = pairs;
        const u32 old_capacity = pair_capacity;
        if (pair_count >= kMostPairs) {
            registers = static_cast<u8*>(store.allocate(kRegisters));
            std::memset(registers, 0, kRegisters);
        } else {
            pair_capacity = old_capacity == 0 ? kFirstPairs : old_capacity * 2;
            pairs = static_cast<u32*>(store.allocate(pair_capacity * sizeof(u32)));
            std::memset(pairs, 0, pair_capacity * sizeof(u32));
            pair_count = 0;
        }
        for (u32 i = 0; i < old_capacity; ++i) {
            if (old[i] == 0) continue;
            if (registers != nullptr) insert(old[i] >> 8, old[i] & 0xFF, store);
            else insertPair(old[i] >> 8, old[i] & 0xFF);
        }
    }
    template <class Visit> void forEach(Visit&& visit) const {
        if (registers != nullptr) {
            for (u32 i = 0; i < kRegisters; ++i) {
                if (registers[i] != 0) visit(i, registers[i]);
            }
            return;
        }
        for (u32 i = 0; i < pair_capacity; ++i) {
            if (pairs[i] != 0) visit(pairs[i] >> 8, pairs[i] & 0xFF);
        }
    }
};

f64 sigma(f64 x) {
    if (x == 1.0) return INFINITY;
    f64 y = 1, z = x, last;
    do {
        x *= x;
        last = z;
        z += x * y;
        y += y;
    } while (last != z);
    return z;
}
f64 tau(f64 x) {
    if (x == 0.0 || x == 1.0) return 0;
    f64 y = 1, z = 1 - x, last;
    do {
        x = std::sqrt(x);
        last = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (last != z);
    return z / 3;
}

u64 estimate(const Sketch& sketch) {
    u32 histogram[kRankBits + 2] = {};
    u32 filled = 0;
    sketch.forEach([&](u32, u32 rank) {
        ++histogram[rank];
        ++filled;
    });
    histogram[0] = kRegisters - filled;
    const f64 m = kRegisters;
    f64 z = m * tau(1.0 - histogram[kRankBits + 1] / m);
    for (u32 rank = kRankBits; rank >= 1; --rank) z = 0.5 * (z + histogram[rank]);
    z += m * sigma(histogram[0] / m);
    const f64 alpha = 0.5 / std::log(2.0);
    return u64(std::llround(alpha * m * m / z));
}

struct SketchFamily {
    using State = Sketch;
    using Result = i64;
    static constexpr u32 kArgumentIndex = 0;
    static constexpr ArgumentKinds kArgument = ArgumentKinds::kAny;
    static constexpr ArgumentKinds kResult = ArgumentKinds::kIntegers;

    template <class T> static void add(State& state, const T& value, const AggregateCall& call) {
        u64 hash;
        if constexpr (std::is_same_v<T, TextView>) hash = kernels::hashText(value);
        else if constexpr (std::is_floating_point_v<T>) hash = kernels::hashFloat(value);
        else hash = kernels::hashInteger(value);
        hash = kernels::mix(hash); // one multiplication leaves patterns of regular inputs
        const u64 rest = hash << kIndexBits;
        const u32 rank = rest == 0 ? kRankBits + 1 : u32(__builtin_clzll(rest)) + 1;
        state.insert(u32(hash >> kRankBits), rank, call.store);
    }
    static void combine(State& into, const State& from, const AggregateCall& call) {
        from.forEach([&](u32 index, u32 rank) { into.insert(index, rank, call.store); });
    }
    static bool result(const AggregateCall&, const State& state, i64& value, TextHeap&) {
        value = i64(estimate(state));
        return true;
    }
    static u64 storedBytes(const State& state) {
        return state.registers != nullptr ? kRegisters : state.pair_capacity * sizeof(u32);
    }
    static void store(const State& state, u8* out) {
        const void* from =
            state.registers != nullptr ? static_cast<const void*>(state.registers) : state.pairs;
        if (const u64 bytes = storedBytes(state); bytes > 0) std::memcpy(out, from, bytes);
    }
    static void restore(State& state, u8* at) {
        if (state.registers != nullptr) state.registers = at;
        else state.pairs = reinterpret_cast<u32*>(at);
    }
};

constexpr Aggregate kApproximateCount = StateLoops<SketchFamily>::entry("approximate_count");

} // namespace

const Aggregate* approximateCount() {
    return &kApproximateCount;
}

} // namespace blueshift::functions::aggregates
