// parse_fuzz.cpp: no text crashes the parser, and what it accepts prints to a fixed point.
//
// Build and run: `fuzz_parse` of the sanitized tree, test/fuzz/run.py. Seeds: the statements of
// test/sql.
#include <cstdio>
#include <cstdlib>

#include "parse/parse.h"

using namespace blueshift;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parse::redact(text);
    std::string first;
    try {
        Arena arena;
        for (const parse::Statement* statement : parse::parse(text, arena)) {
            first += parse::print(*statement);
            first += ";";
        }
    } catch (const SqlError&) {
        return 0;
    }
    // From here on an error is a bug: the text comes from the printer. Two things may fail: secrets
    // print as '***' (which changes nothing) and parentheses can pass the limit of depth.
    std::string second;
    try {
        Arena arena;
        for (const parse::Statement* statement : parse::parse(first, arena)) {
            second += parse::print(*statement);
            second += ";";
        }
    } catch (const SqlError& error) {
        if (error.error().sqlstate == sqlstate::kStatementTooComplex) return 0;
        if (error.error().sqlstate == sqlstate::kProgramLimitExceeded) return 0;
        std::fprintf(stderr, "%s\nprinted: %s\n", error.what(), first.c_str());
        std::abort();
    }
    if (first != second) {
        std::fprintf(stderr, "first:  %s\nsecond: %s\n", first.c_str(), second.c_str());
        std::abort();
    }
    return 0;
}
