#include "optimize/statistics/sketch.h"

#include <cmath>

namespace blueshift::optimize {

f64 estimateDistinct(std::span<const u8> registers) {
    if (registers.empty()) return 0;
    const f64 count = f64(registers.size());
    f64 sum = 0;
    f64 zeros = 0;
    for (const u8 rank : registers) {
        sum += std::ldexp(1.0, -int(rank));
        zeros += rank == 0;
    }
    const f64 alpha = 0.7213 / (1 + 1.079 / count);
    const f64 raw = alpha * count * count / sum;
    if (raw <= 2.5 * count && zeros > 0) return count * std::log(count / zeros);
    return raw;
}

} // namespace blueshift::optimize
