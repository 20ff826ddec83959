// A function that cannot fail is also run on rows that are NULL, whose bytes are anything: it must
// neither raise nor do what is undefined (the sanitized tests run this too).
#include <doctest/doctest.h>

#include <cstring>

#include "functions/function.h"

namespace blueshift::functions {
namespace {

constexpr u32 kRows = 64;

const std::vector<SqlType>& someTypes() {
    static const std::vector<SqlType> types = {SqlType::boolean(),
                                               SqlType::smallInt(),
                                               SqlType::integer(),
                                               SqlType::bigInt(),
                                               SqlType::real(),
                                               SqlType::doublePrecision(),
                                               SqlType::decimal(5, 2),
                                               SqlType::decimal(10, 2),
                                               SqlType::decimal(12, 2),
                                               SqlType::decimal(18, 0),
                                               SqlType::decimal(20, 4),
                                               SqlType::decimal(38, 10),
                                               SqlType::of(TypeKind::kDate),
                                               SqlType::of(TypeKind::kTime),
                                               SqlType::of(TypeKind::kTimeTz),
                                               SqlType::of(TypeKind::kTimestamp),
                                               SqlType::of(TypeKind::kTimestampTz),
                                               SqlType::of(TypeKind::kIntervalMonths),
                                               SqlType::of(TypeKind::kIntervalMicros),
                                               SqlType::of(TypeKind::kOid)};
    return types;
}

/// Bytes of a value that no row has: all bits, the extremes, and patterns.
void fillGarbage(VectorBuffer& buffer, u32 argument) {
    auto* bytes = static_cast<u8*>(buffer.data());
    const u32 width = widthOf(buffer.kind());
    for (u32 row = 0; row < kRows; ++row) {
        u8* value = bytes + size_t(row) * width;
        const u32 pattern = (row + argument * 3) % 8;
        for (u32 i = 0; i < width; ++i) value[i] = u8((row * 37 + i * 101 + argument * 11) ^ 0xA5);
        if (pattern == 0) std::memset(value, 0xFF, width);
        if (pattern == 1) std::memset(value, 0, width);
        if (pattern == 2 || pattern == 3) std::memset(value, pattern == 2 ? 0xFF : 0, width);
        if (pattern == 2) value[width - 1] = 0x7F;
        if (pattern == 3) value[width - 1] = 0x80;
    }
}

void runOnGarbage(const Function& function, std::span<const SqlType> types, SqlType result) {
    std::vector<VectorBuffer> buffers(types.size());
    std::vector<Vector> args;
    for (u32 i = 0; i < types.size(); ++i) {
        buffers[i].reset(naturalKind(types[i]));
        fillGarbage(buffers[i], i);
        args.push_back(buffers[i].view(false));
    }
    SessionFacts session;
    EvalContext context{.session = &session};
    TextHeap heap;
    VectorBuffer out;
    out.reset(naturalKind(result));
    out.setAllValid();
    function.loop({args, types, result, out, nullptr, kRows, heap, context});
    std::string name(function.name);
    for (const SqlType& type : types) name += " " + formatType(type);
    INFO(name << " to " << formatType(result));
    CHECK_MESSAGE(!context.failed(), context.error->message);
}

/// As the evaluator decides it.
bool runsOnGarbage(const Function& function, std::span<const SqlType> types) {
    if (function.can_fail || function.loop == nullptr) return false;
    if (function.null_policy != NullPolicy::kStrict || types.empty()) return false;
    for (const SqlType& type : types)
        if (naturalKind(type) == PhysicalKind::kText) return false;
    return true;
}

} // namespace

TEST_CASE("casts that cannot fail take whatever lies under a NULL") {
    u32 tried = 0;
    for (const SqlType& from : someTypes())
        for (const SqlType& to : someTypes()) {
            const Function* cast = castFunction(from, to);
            if (cast == nullptr || !runsOnGarbage(*cast, {&from, 1})) continue;
            runOnGarbage(*cast, {&from, 1}, to);
            ++tried;
        }
    CHECK(tried > 50);
}

TEST_CASE("functions that cannot fail take whatever lies under a NULL") {
    u32 tried = 0;
    for (const FunctionRow& row : listFunctions()) {
        if (row.aggregate || row.window) continue;
        const std::vector<const Value*> constants(row.arguments.size(), nullptr);
        BoundFunction bound;
        try {
            bound = bindFunction(row.name, row.arguments, constants);
        } catch (const SqlError&) {
            continue; // some want constants
        }
        if (!runsOnGarbage(*bound.function, bound.argument_types)) continue;
        runOnGarbage(*bound.function, bound.argument_types, bound.result);
        ++tried;
    }
    CHECK(tried > 50);
}

} // namespace blueshift::functions
