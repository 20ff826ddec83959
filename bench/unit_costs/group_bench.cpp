// group_bench.cpp: cost per row of grouping, sort and windows, one worker, data in cache-sized
// batches.
//
// Prints nanoseconds a row for: Q1-like (2 dictionary keys, 4 groups, 7 calls), integer keys with
// growing numbers of groups, COUNT(DISTINCT), sort by one and two keys, top-n, running sums.
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>

#include "execute/group/group.h"
#include "execute/sort/sort.h"
#include "execute/window/window.h"

using namespace blueshift;
using namespace blueshift::execute;

namespace {

constexpr u32 kBatches = 4096;
constexpr u32 kRows = kVectorRows * kBatches;

struct Data {
    std::vector<std::vector<i64>> columns;
    std::vector<u8> codes_a;
    std::vector<u8> codes_b;
    TextView entries[4] = {makeTextView("A"), makeTextView("N"), makeTextView("R"),
                           makeTextView("F")};
};

Vector flat(const std::vector<i64>& values, u32 batch) {
    return {.kind = PhysicalKind::kI64, .data = values.data() + size_t(batch) * kVectorRows};
}
Vector dictionary(Data& data, const std::vector<u8>& codes, u32 batch, u64 id) {
    return {.kind = PhysicalKind::kText,
            .form = VectorForm::kDictionary,
            .code_width = 1,
            .dictionary_size = 2,
            .data = data.entries + (id - 1) * 2,
            .codes = codes.data() + size_t(batch) * kVectorRows,
            .dictionary_id = id};
}

compile::SlotInfo slot(PhysicalKind kind) {
    return {.type = SqlType::bigInt(), .kind = kind, .nullable = false};
}

compile::GroupSink::Call call(std::string_view name, std::vector<u16> args, bool distinct = false) {
    const std::vector<SqlType> types(args.size(), SqlType::bigInt());
    const auto bound = functions::bindAggregate(name, types);
    return {.aggregate = bound.aggregate,
            .args = args,
            .arg_types = types,
            .result = bound.result,
            .distinct = distinct};
}

template <class Fill>
void run(const char* name, SinkOperator& sink, u32 columns, u32 output, Fill&& fill) {
    StopToken stop;
    WorkerContext context;
    context.stop = &stop;
    const auto begin = std::chrono::steady_clock::now();
    auto state = sink.makeState(context);
    std::vector<Vector> vectors(columns);
    for (u32 b = 0; b < kBatches; ++b) {
        fill(vectors, b);
        sink.consume(*state, {.rows = kVectorRows, .selected = kVectorRows, .columns = vectors},
                     context);
    }
    sink.flush(*state, context);
    do {
        const u32 tasks = sink.finishTasks();
        for (u32 task = 0; task < tasks; ++task) sink.finishTask(task, context);
    } while (sink.finished(context));
    const auto middle = std::chrono::steady_clock::now();
    std::vector<u32> wanted(output);
    for (u32 c = 0; c < output; ++c) wanted[c] = c;
    auto source = sink.makeSource(wanted);
    source->open();
    auto cursor = source->makeState(context);
    u64 rows = 0;
    Batch batch;
    for (u32 m = 0; m < source->morselCount(); ++m) {
        source->start(*cursor, m, context);
        while (source->next(*cursor, batch, context)) rows += batch.selected;
    }
    const auto end = std::chrono::steady_clock::now();
    const auto ns = [](auto from, auto to) {
        return std::chrono::duration<f64, std::nano>(to - from).count();
    };
    std::printf("%-28s %8.2f ns/row in, %8.2f ns/row out, %llu rows, %.1f MiB\n", name,
                ns(begin, middle) / kRows, rows == 0 ? 0 : ns(middle, end) / f64(rows),
                static_cast<unsigned long long>(rows), f64(sink.memoryBytes()) / (1 << 20));
}

} // namespace

int main() {
    Data data;
    std::mt19937_64 random(1);
    data.columns.assign(3, std::vector<i64>(kRows));
    data.codes_a.resize(kRows);
    data.codes_b.resize(kRows);
    for (u32 i = 0; i < kRows; ++i) {
        data.codes_a[i] = u8(random() % 2);
        data.codes_b[i] = u8(random() % 2);
        data.columns[1][i] = i64(random() % 1000000);
        data.columns[2][i] = i64(random());
    }
    {
        compile::SinkInfo info;
        info.input = {slot(PhysicalKind::kText), slot(PhysicalKind::kText),
                      slot(PhysicalKind::kI64)};
        compile::GroupSink sink{.keys = {{0}, {1}}};
        for (const char* name : {"sum", "sum", "sum", "sum", "avg", "avg"})
            sink.calls.push_back(call(name, {2}));
        sink.calls.push_back(call("count", {}));
        info.sink = sink;
        info.output.assign(9, slot(PhysicalKind::kI64));
        info.output[0] = info.output[1] = slot(PhysicalKind::kText);
        auto op = makeGroupSink(info);
        run("4 groups, 7 calls", *op, 3, 9, [&](std::vector<Vector>& vectors, u32 b) {
            vectors[0] = dictionary(data, data.codes_a, b, 1);
            vectors[1] = dictionary(data, data.codes_b, b, 2);
            vectors[2] = flat(data.columns[1], b);
        });
    }
    const auto two = [&](std::vector<Vector>& vectors, u32 b) {
        vectors[0] = flat(data.columns[0], b);
        vectors[1] = flat(data.columns[1], b);
    };
    compile::SinkInfo info;
    info.input = {slot(PhysicalKind::kI64), slot(PhysicalKind::kI64)};
    info.output.assign(3, slot(PhysicalKind::kI64));
    for (const u64 groups : {100ull, 10000ull, 100000ull, 2000000ull, 1ull << 60}) {
        for (i64& key : data.columns[0]) key = i64(random() % groups);
        compile::GroupSink sink{.keys = {{0}}};
        sink.calls = {call("sum", {1}), call("count", {})};
        info.sink = sink;
        auto op = makeGroupSink(info);
        char name[64];
        std::snprintf(name, sizeof name, "keys below %g", f64(groups));
        run(name, *op, 2, 3, two);
    }
    info.sink = compile::GroupSink{.calls = {call("count", {1}, true)}};
    auto distinct = makeGroupSink(info);
    run("count distinct 1 M", *distinct, 2, 1, two);
    info.sink = compile::SortSink{.columns = {0, 1}, .keys = {{0, false, false}}};
    auto sort = makeSortSink(info);
    run("sort by bigint", *sort, 2, 2, two);
    info.sink = compile::SortSink{.columns = {0, 1}, .keys = {{0, true, false}}, .limit = 100};
    auto top = makeSortSink(info);
    run("top 100", *top, 2, 2, two);
    compile::WindowSink window{
        .columns = {0, 1}, .partition_by = {1}, .order_by = {{0, false, false}}};
    compile::WindowSink::Call rank{.function = bind::WindowFunction::kRank};
    window.calls = {rank};
    info.sink = window;
    auto ranks = makeWindowSink(info);
    run("rank in 1 M partitions", *ranks, 2, 3, two);
}
