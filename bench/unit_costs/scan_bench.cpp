// scan_bench.cpp: what one core pays to write a lineitem-like table, to open a segment and to scan
// the table hot.
//
// Usage: scan_bench [million rows, default 6]. Prints medians of repeated runs, for the cost model;
// nothing here gates a build.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <random>
#include <string>

#include "base/clock.h"
#include "objects/directory_store.h"
#include "storage/segment_format.h"
#include "storage/storage.h"
#include "types/text_view.h"

using namespace blueshift;
using namespace blueshift::storage;

namespace {

f64 cpuSeconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return f64(now.tv_sec) + f64(now.tv_nsec) * 1e-9;
}

/// CPU seconds of this thread: other work on the machine does not count.
f64 secondsOf(const std::function<void()>& work) {
    const f64 start = cpuSeconds();
    work();
    return cpuSeconds() - start;
}

std::shared_ptr<catalog::Table> makeLineItem() {
    auto table = std::make_shared<catalog::Table>();
    table->oid = 100001;
    table->name = "lineitem";
    const SqlType money = SqlType::decimal(15, 2);
    const std::pair<const char*, SqlType> columns[] = {{"l_orderkey", SqlType::bigInt()},
                                                       {"l_partkey", SqlType::integer()},
                                                       {"l_suppkey", SqlType::integer()},
                                                       {"l_linenumber", SqlType::integer()},
                                                       {"l_quantity", money},
                                                       {"l_extendedprice", money},
                                                       {"l_discount", money},
                                                       {"l_tax", money},
                                                       {"l_returnflag", SqlType::character(1)},
                                                       {"l_linestatus", SqlType::character(1)},
                                                       {"l_shipdate", SqlType::date()},
                                                       {"l_commitdate", SqlType::date()},
                                                       {"l_receiptdate", SqlType::date()},
                                                       {"l_shipinstruct", SqlType::character(25)},
                                                       {"l_shipmode", SqlType::character(10)},
                                                       {"l_comment", SqlType::varchar(44)}};
    u32 id = 0;
    for (const auto& [name, type] : columns) {
        catalog::Column column;
        column.id = ++id;
        column.name = name;
        column.type = type;
        table->columns.push_back(column);
    }
    table->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>();
    return table;
}

/// 1,024 rows with the value ranges of lineitem.
struct Rows {
    explicit Rows(u64 seed) : random(seed) {
        for (u32 c = 0; c < 16; ++c)
            buffers.emplace_back(c == 8 || c == 9 || c >= 13 ? PhysicalKind::kText
                                                             : PhysicalKind::kI64);
    }
    void fill() {
        static constexpr const char* kModes[] = {"AIR",     "FOB",  "MAIL", "RAIL",
                                                 "REG AIR", "SHIP", "TRUCK"};
        static constexpr const char* kInstructions[] = {"COLLECT COD", "DELIVER IN PERSON", "NONE",
                                                        "TAKE BACK RETURN"};
        static constexpr const char* kWords[] = {"carefully", "furiously", "ironic",   "deposits",
                                                 "quickly",   "regular",   "accounts", "sleep",
                                                 "blithely",  "pending"};
        comments.assign(kVectorRows, {});
        for (u32 i = 0; i < kVectorRows; ++i) {
            if (random() % 4 == 0) ++order;
            const i64 ship = i64(random() % 2526);
            const i64 numbers[13] = {i64(order * 4),
                                     i64(random() % 200000),
                                     i64(random() % 10000),
                                     i64(random() % 7) + 1,
                                     i64(random() % 50 + 1) * 100,
                                     i64(random() % 9500000) + 90000,
                                     i64(random() % 11),
                                     i64(random() % 9),
                                     0,
                                     0,
                                     ship,
                                     ship + i64(random() % 60) - 30,
                                     ship + i64(random() % 30)};
            for (u32 c = 0; c < 13; ++c)
                if (c != 8 && c != 9) buffers[c].values<i64>()[i] = numbers[c];
            buffers[8].values<TextView>()[i] =
                makeTextView(std::string_view("ANR").substr(random() % 3, 1));
            buffers[9].values<TextView>()[i] =
                makeTextView(std::string_view("OF").substr(random() % 2, 1));
            buffers[13].values<TextView>()[i] = makeTextView(kInstructions[random() % 4]);
            buffers[14].values<TextView>()[i] = makeTextView(kModes[random() % 7]);
            while (comments[i].size() < 10 + random() % 30) {
                comments[i] += kWords[random() % 10];
                comments[i] += ' ';
            }
            buffers[15].values<TextView>()[i] = makeTextView(comments[i]);
        }
        vectors.clear();
        for (VectorBuffer& buffer : buffers) vectors.push_back(buffer.view(false));
    }
    std::mt19937_64 random;
    u64 order = 0;
    std::vector<VectorBuffer> buffers;
    std::vector<std::string> comments;
    std::vector<Vector> vectors;
};

struct ScanResult {
    u64 rows = 0;
};

/// A store in a fresh folder below TMPDIR, removed at the end.
struct TemporaryStore {
    TemporaryStore() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "scan_bench.XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr)
            throw SqlError(sqlstate::kIoError, "no folder: " + pattern);
        root = pattern;
        store = orThrow(objects::DirectoryStore::open(*files, root, *random));
    }
    ~TemporaryStore() { std::filesystem::remove_all(root); }
    std::string root;
    std::unique_ptr<objects::FileSystem> files = objects::makeLocalFileSystem();
    std::unique_ptr<Random> random = makeSystemRandom();
    std::unique_ptr<objects::DirectoryStore> store;
};

ScanResult scanAll(objects::ObjectStore& store, BlockCache& cache,
                   const std::shared_ptr<const catalog::Table>& table, const ScanOptions& options) {
    ScanResult result;
    const TableScan scan(store, cache, table, options);
    const auto state = scan.makeState();
    for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
        scan.start(*state, morsel);
        Batch batch;
        while (orThrow(scan.next(*state, batch))) result.rows += batch.selected;
    }
    return result;
}

ScanPredicate between(u32 column, ScanPredicate::Op op, i64 value, SqlType type) {
    return {.column_id = column, .op = op, .values = {Value::ofInteger(value, type)}};
}

void run(u64 million) {
    TemporaryStore folder;
    BlockCache cache(u64{16} << 30);
    auto table = makeLineItem();
    const u64 rows = million * 1000000;
    u32 keys = 0;
    TableWriter writer(*folder.store, table, [&] { return "data/" + std::to_string(++keys); });
    Rows batch(1);
    f64 writing = 0;
    for (u64 done = 0; done < rows; done += kVectorRows) {
        batch.fill();
        writing += secondsOf([&] {
            const Batch input{
                .rows = kVectorRows, .selected = kVectorRows, .columns = batch.vectors};
            orThrow(writer.append(input));
        });
    }
    TableWriter::Output output;
    writing += secondsOf([&] { output = orThrow(writer.finish()); });
    auto segments = std::vector<catalog::SegmentEntry>();
    u64 bytes = 0;
    for (auto& segment : output.segments) {
        segment->id = segments.size() + 1;
        bytes += segment->object_bytes;
        segments.push_back({segment, nullptr});
    }
    for (const auto& [id, width] : output.width_classes)
        for (catalog::Column& column : table->columns)
            if (column.id == id) column.width_class = width;
    table->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>(segments);
    std::printf("write        %7.3f s   %6.2f M rows/s   %6.1f bytes/row\n", writing,
                f64(output.rows) / 1e6 / writing, f64(bytes) / f64(output.rows));

    std::vector<f64> opening;
    for (u32 i = 0; i < 301; ++i)
        opening.push_back(secondsOf(
            [&] { orThrow(openSegment(*folder.store, segments[0].segment->object_key, {})); }));
    std::ranges::sort(opening);
    std::printf("open a segment of %u rows: %.1f us\n", segments[0].segment->rows,
                opening[150] * 1e6);

    using Op = ScanPredicate::Op;
    const SqlType date = SqlType::date();
    const SqlType money = SqlType::decimal(15, 2);
    const std::pair<const char*, ScanOptions> scans[] = {
        {"all columns", {.columns = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}},
        {"i16 between, 1 row in 7",
         {.columns = {11},
          .predicates = {between(11, Op::kGreaterEqual, 1000, date),
                         between(11, Op::kLess, 1365, date)}}},
        {"i16 between, none",
         {.columns = {11}, .predicates = {between(11, Op::kGreaterEqual, 5000, date)}}},
        {"Q6 filters",
         {.columns = {6, 7},
          .predicates = {between(11, Op::kGreaterEqual, 1000, date),
                         between(11, Op::kLess, 1365, date),
                         between(7, Op::kGreaterEqual, 5, money),
                         between(7, Op::kLessEqual, 7, money),
                         between(5, Op::kLess, 2400, money)}}},
        {"shipmode =",
         {.columns = {1},
          .predicates = {{.column_id = 15, .op = Op::kEqual, .values = {Value::ofText("MAIL")}}}}},
        {"two columns, no predicate", {.columns = {11, 7}}},
    };
    for (const auto& [name, options] : scans) {
        const f64 cold = secondsOf([&] { scanAll(*folder.store, cache, table, options); });
        std::vector<f64> hot;
        ScanResult result;
        for (u32 i = 0; i < 9; ++i)
            hot.push_back(
                secondsOf([&] { result = scanAll(*folder.store, cache, table, options); }));
        std::ranges::sort(hot);
        std::printf("%-26s first %8.2f ms   hot %8.3f ms   %8.1f M rows/s   %llu rows\n", name,
                    cold * 1e3, hot[4] * 1e3, f64(output.rows) / 1e6 / hot[4],
                    static_cast<unsigned long long>(result.rows));
    }
}

} // namespace

int main(int argc, char** argv) {
    run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 6);
    return 0;
}
