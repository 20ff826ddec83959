// jit_bench FILE FUNCTION [ROUNDS]: what compiling and loading one generated text costs, at both
// levels: the first time in the process, and the best of ROUNDS (20) further times.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "compile/jit/jit.h"
#include "execute/generated/generated_segment.h"

using namespace blueshift;

namespace {

f64 millisSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<f64, std::milli>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        fmt::print(stderr, "usage: jit_bench FILE FUNCTION [ROUNDS]\n");
        return 2;
    }
    std::stringstream text;
    text << std::ifstream(arguments[1]).rdbuf();
    const int rounds = count > 3 ? std::atoi(arguments[3]) : 20;
    std::vector<compile::JitSymbol> symbols;
    for (const auto& symbol : execute::runtimeSymbols())
        symbols.push_back({symbol.name, symbol.address});
    const auto start = std::chrono::steady_clock::now();
    compile::Jit jit(symbols);
    fmt::print("target {}; made in {:.1f} ms\n", jit.target(), millisSince(start));
    for (const auto level : {compile::OptimizationLevel::kO1, compile::OptimizationLevel::kO2}) {
        f64 first = 0;
        f64 best = 1e9;
        f64 best_load = 1e9;
        for (int round = 0; round <= rounds; ++round) {
            const auto begin = std::chrono::steady_clock::now();
            const auto object = jit.compileObject(text.str(), level);
            const f64 took = millisSince(begin);
            if (!object) {
                fmt::print(stderr, "{}\n", object.error().detail);
                return 1;
            }
            const auto load = std::chrono::steady_clock::now();
            const auto code = jit.load(*object, arguments[2]);
            if (!code) {
                fmt::print(stderr, "{}\n", code.error().message);
                return 1;
            }
            best_load = std::min(best_load, millisSince(load));
            if (round == 0) first = took;
            else best = std::min(best, took);
        }
        fmt::print("-O{}: first {:.1f} ms, best {:.1f} ms, load {:.2f} ms\n",
                   level == compile::OptimizationLevel::kO1 ? 1 : 2, first, best, best_load);
    }
    return 0;
}
