// csv_bench.cpp: what one core pays to cut, split and convert a lineitem-like CSV, without a table.
//
// Usage: csv_bench [million rows, default 1]. Prints megabytes a second of CPU time by stage;
// nothing here gates a build.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "storage/ingest/text_rows.h"

using namespace blueshift;
using namespace blueshift::storage;

namespace {

/// CPU seconds of this thread: other work on the machine does not count.
f64 cpuSeconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return f64(now.tv_sec) + f64(now.tv_nsec) * 1e-9;
}

std::string makeLines(u32 rows) {
    std::mt19937 random(1);
    std::string text;
    for (u32 i = 0; i < rows; ++i) {
        char line[256];
        const int length = std::snprintf(
            line, sizeof(line),
            "%u,%u,%u,%u,%u,%u.%02u,0.0%u,0.0%u,N,O,199%u-0%u-1%u,199%u-0%u-1%u,199%u-0%u-1%u,"
            "DELIVER IN PERSON,TRUCK,\"%.*s\"\n",
            i / 4, u32(random() % 200000), u32(random() % 10000), i % 7, u32(random() % 50),
            u32(random() % 100000), u32(random() % 100), u32(random() % 10), u32(random() % 9),
            u32(random() % 8), 1 + u32(random() % 9), u32(random() % 10), u32(random() % 8),
            1 + u32(random() % 9), u32(random() % 10), u32(random() % 8), 1 + u32(random() % 9),
            u32(random() % 10), 10 + int(random() % 33),
            "carefully regular deposits, after the express packages");
        text.append(line, size_t(length));
    }
    return text;
}

std::vector<TargetField> lineitem() {
    const SqlType money = SqlType::decimal(15, 2);
    return {{"orderkey", SqlType::bigInt()},
            {"partkey", SqlType::bigInt()},
            {"suppkey", SqlType::bigInt()},
            {"linenumber", SqlType::integer()},
            {"quantity", money},
            {"extendedprice", money},
            {"discount", money},
            {"tax", money},
            {"returnflag", SqlType::character(1)},
            {"linestatus", SqlType::character(1)},
            {"shipdate", SqlType::date()},
            {"commitdate", SqlType::date()},
            {"receiptdate", SqlType::date()},
            {"shipinstruct", SqlType::character(25)},
            {"shipmode", SqlType::character(10)},
            {"comment", SqlType::varchar(44)}};
}

RecordChunks chunksOf(const TextFormat& format, const std::string& text) {
    return {format,
            1,
            [&text](u32) -> Result<std::unique_ptr<ByteSource>> {
                return makePieceSource(
                    [&text, done = false]() mutable -> Result<std::span<const char>> {
                        const std::span<const char> all(text.data(), done ? 0 : text.size());
                        done = true;
                        return all;
                    });
            },
            {"bench"}};
}

void report(const char* stage, f64 seconds, size_t bytes) {
    std::printf("%-8s %8.1f ms  %8.0f MB/s\n", stage, seconds * 1e3, f64(bytes) / seconds * 1e-6);
}

} // namespace

int main(int count, char** words) {
    const std::string text = makeLines(u32((count > 1 ? std::atof(words[1]) : 1) * 1e6));
    TextFormat format;
    format.layout = TextLayout::kCsv;
    format.delimiter = ',';
    const std::vector<TargetField> fields = lineitem();
    RecordChunk chunk;
    f64 start = cpuSeconds();
    for (RecordChunks chunks = chunksOf(format, text); chunks.next(chunk).value();) {}
    report("cut", cpuSeconds() - start, text.size());

    start = cpuSeconds();
    u64 rows = 0;
    SplitRecords records(format, u32(fields.size()), kVectorRows);
    for (RecordChunks chunks = chunksOf(format, text); chunks.next(chunk).value();)
        for (u32 at = 0; at < chunk.size; rows += records.rows()) at = records.split(chunk, at);
    report("+ split", cpuSeconds() - start, text.size());

    start = cpuSeconds();
    TextRows converter(format, fields, {});
    std::vector<RowError> errors;
    u64 converted = 0;
    for (RecordChunks chunks = chunksOf(format, text); chunks.next(chunk).value();) {
        converter.start(chunk);
        for (Batch batch; converter.next(batch, errors); converted += batch.selected) {}
    }
    report("+ values", cpuSeconds() - start, text.size());
    std::printf("%zu MB, %llu rows, %llu converted, %zu errors\n", text.size() >> 20,
                static_cast<unsigned long long>(rows), static_cast<unsigned long long>(converted),
                errors.size());
    return errors.empty() && rows == converted ? 0 : 1;
}
