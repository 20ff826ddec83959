// Rows on disk: images that mend their pointers, full and failing disks, and how operators behave
// when memory is short: skew, several levels, bounded memory.
#include <doctest/doctest.h>

#include <cerrno>
#include <map>

#include "execute/group/group.h"
#include "execute/join/probe.h"
#include "execute/sort/sort.h"
#include "execute/spill/spilled_rows.h"
#include "unit/execute/join_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;

namespace {

/// A disk that flips a bit of what it reads, ends early, or is full.
class BadDisk final : public objects::FileSystem {
public:
    enum class Fault { kNone, kFlip, kShort, kFull, kFailing };
    Fault fault = Fault::kNone;

    objects::SystemResult open(const std::string& path, objects::OpenMode mode) override {
        return real_->open(path, mode);
    }
    void close(i64 file) override { real_->close(file); }
    objects::SystemResult pwrite(i64 file, std::span<const u8> bytes, u64 offset) override {
        if (fault == Fault::kFull) return -ENOSPC;
        // Half at a time: callers go on.
        return real_->pwrite(file, bytes.first((bytes.size() + 1) / 2), offset);
    }
    objects::SystemResult pread(i64 file, std::span<u8> into, u64 offset) override {
        if (fault == Fault::kShort) return 0;
        if (fault == Fault::kFailing) return -EIO;
        const auto got = real_->pread(file, into, offset);
        if (fault == Fault::kFlip && got > 0) into[size_t(got) / 2] ^= 0x10;
        return got;
    }
    objects::SystemResult fileSize(i64 file) override { return real_->fileSize(file); }
    objects::SystemResult truncate(i64 file, u64 bytes) override {
        return real_->truncate(file, bytes);
    }
    objects::SystemResult reserve(i64 file, u64 bytes) override {
        return real_->reserve(file, bytes);
    }
    objects::SystemResult fsync(i64 file) override { return real_->fsync(file); }
    objects::SystemResult link(const std::string& from, const std::string& to) override {
        return real_->link(from, to);
    }
    objects::SystemResult rename(const std::string& from, const std::string& to) override {
        return real_->rename(from, to);
    }
    objects::SystemResult unlink(const std::string& path) override { return real_->unlink(path); }
    objects::SystemResult makeDirectory(const std::string& path) override {
        return real_->makeDirectory(path);
    }
    objects::SystemResult listDirectory(const std::string& path,
                                        std::vector<objects::DirectoryEntry>& entries) override {
        return real_->listDirectory(path, entries);
    }
    objects::SystemResult type(const std::string& path, objects::FileSystemType& type) override {
        return real_->type(path, type);
    }
    objects::SystemResult lock(i64 file, bool wait) override { return real_->lock(file, wait); }

private:
    std::unique_ptr<objects::FileSystem> real_ = objects::makeLocalFileSystem();
};

Column numbers(size_t rows, u64 range, u64 seed) {
    std::mt19937_64 random(seed);
    Column column{.nullable = false};
    for (size_t i = 0; i < rows; ++i) column.cells.push_back(Cell::of(i128(random() % range)));
    return column;
}

Column longTexts(size_t rows, u64 seed) {
    std::mt19937_64 random(seed);
    Column column{.kind = PhysicalKind::kText, .type = SqlType::varchar(60)};
    for (size_t i = 0; i < rows; ++i) {
        if (random() % 7 == 0) column.cells.emplace_back();
        else
            column.cells.push_back(
                Cell::of(std::string(random() % 40, 'x') + std::to_string(random() % 1000)));
    }
    return column;
}

compile::SinkInfo sortInfo(const Table& table) {
    compile::SinkInfo info;
    info.input = slotsOf(table);
    info.output = info.input;
    compile::SortSink sink;
    for (u16 c = 0; c < table.size(); ++c) {
        sink.columns.push_back(c);
        sink.keys.push_back({c, false, false});
    }
    info.sink = sink;
    return info;
}

/// Sorts on a disk with a fault that begins after the writing, and gives the SQLSTATE.
std::string sortOn(BadDisk::Fault while_writing, BadDisk::Fault while_reading) {
    const Table table{numbers(5000, 1000, 1), longTexts(5000, 2)};
    const auto info = sortInfo(table);
    BadDisk disk;
    SpillSpace space(disk, std::filesystem::temp_directory_path().string());
    TestContext test(kVectorRows, MemoryMode::kForced);
    test.context.spill = &space;
    auto sink = makeSortSink(info);
    disk.fault = while_writing;
    feed(*sink, table, 1, 500, 3, test.context);
    disk.fault = while_reading;
    if (!test.context.failed()) readAll(*sink, 2, test.context);
    return test.context.failed() ? std::string(test.context.eval.error->sqlstate) : "";
}

} // namespace

TEST_CASE("rows come back from disk with everything they point to") {
    const size_t count = 3000;
    const Table table{numbers(count, 50, 1), longTexts(count, 2), longTexts(count, 3)};
    std::vector<RowColumn> columns;
    for (const Column& column : table) columns.push_back({column.kind, column.nullable});
    const RowLayout layout(columns, true);
    const RowCodec codec(layout);
    TestContext test(kVectorRows, MemoryMode::kForced);
    RowPages pages;
    BatchMaker maker(4);
    const u64 hashes[kVectorRows] = {};
    for (size_t at = 0; at < count; at += 500) {
        const Batch batch = maker.make(table, at, 500);
        pages.append(layout, batch.columns, batch.selection, 500, hashes, nullptr, test.context,
                     "a test");
    }
    std::vector<u8*> rows;
    pages.collectRows(rows);
    SpillFile file;
    SpilledRows spilled;
    REQUIRE(spilled.append(file, codec, rows.data(), rows.size(), test.context));
    pages.clear(test.context);
    CHECK(spilled.blockCount() > 1);
    RowPages back;
    for (size_t b = 0; b < spilled.blockCount(); ++b)
        REQUIRE(spilled.read(b, file, codec, back, test.context));
    rows.clear();
    back.collectRows(rows);
    REQUIRE(rows.size() == count);
    VectorBuffer buffer;
    for (u32 c = 0; c < table.size(); ++c)
        for (size_t at = 0; at < count; at += 500) {
            const Vector vector = gatherColumn(layout, c, rows.data() + at, 500, buffer);
            for (u32 i = 0; i < 500; ++i) REQUIRE(readCell(vector, i) == table[c].cells[at + i]);
        }
    back.clear(test.context);
    CHECK(test.memory.used == 0);
}

TEST_CASE("a full, a failing and a lying disk fail the query with their SQLSTATEs") {
    using Fault = BadDisk::Fault;
    CHECK(sortOn(Fault::kNone, Fault::kNone) == "");
    CHECK(sortOn(Fault::kFull, Fault::kNone) == sqlstate::kDiskFull);
    CHECK(sortOn(Fault::kNone, Fault::kFailing) == sqlstate::kIoError);
    CHECK(sortOn(Fault::kNone, Fault::kFlip) == sqlstate::kDataCorrupted);
    CHECK(sortOn(Fault::kNone, Fault::kShort) == sqlstate::kDataCorrupted);
}

TEST_CASE("groups beyond memory: bounded, however often they come") {
    // 100,000 groups of 40 bytes and more, each of them twice in far places; 400 KiB of memory.
    const size_t count = 200'000;
    Table table{numbers(count, ~u64{0} >> 8, 5), numbers(count, 10, 6)};
    for (size_t i = 0; i < count / 2; ++i) table[0].cells[count / 2 + i] = table[0].cells[i];
    compile::SinkInfo info;
    info.input = slotsOf(table);
    compile::GroupSink sink;
    sink.keys.push_back({0});
    const auto count_rows = functions::bindAggregate("count", {});
    sink.calls.push_back({.aggregate = count_rows.aggregate, .result = count_rows.result});
    info.output = {info.input[0], {.type = count_rows.result, .nullable = false}};
    info.sink = sink;
    TestContext test(kVectorRows, MemoryMode::kTight);
    test.memory.soft_limit = 400 << 10;
    test.memory.limit = 2 << 20; // pages of 64 parts, a block and its buffers
    auto group = makeGroupSink(info);
    feed(*group, table, 2, kVectorRows, 7, test.context);
    const auto rows = readAll(*group, 2, test.context);
    REQUIRE_FALSE(test.context.failed());
    CHECK(rows.size() == count / 2);
    for (const auto& row : rows) REQUIRE(bool(row[1].integer == 2));
    CHECK(group->spilledBytes() > 4 << 20);
}

TEST_CASE("sorting in runs beyond the fan-in of one merge") {
    const size_t count = 20'000;
    const Table table{numbers(count, 5000, 8), longTexts(count, 9)};
    const auto info = sortInfo(table);
    TestContext test(100, MemoryMode::kForced); // a run every 100 rows: 200 runs, two passes
    auto sort = makeSortSink(info);
    feed(*sort, table, 3, 100, 10, test.context);
    const auto rows = readAll(*sort, 2, test.context);
    REQUIRE_FALSE(test.context.failed());
    REQUIRE(rows.size() == count);
    for (size_t i = 1; i < count; ++i) {
        const auto& a = rows[i - 1];
        const auto& b = rows[i];
        REQUIRE(bool(a[0].integer <= b[0].integer));
        if (a[0].integer == b[0].integer && !b[1].null) {
            REQUIRE_FALSE(a[1].null);
            REQUIRE(a[1].text <= b[1].text);
        }
    }
    sort->release(test.context);
    CHECK(test.memory.used == 0);
}

TEST_CASE("one key larger than memory joins in chunks") {
    // 6,000 build rows of one key against 40 probe rows, 64 KiB of memory: the part divides in
    // vain.
    Table build{numbers(6000, 1, 11), numbers(6000, 1000, 12)};
    Table probe{numbers(40, 2, 13), numbers(40, 1000, 14)};
    compile::BuildSink sink{.keys = {0}, .columns = {1}};
    for (const JoinOutput output :
         {JoinOutput::kInner, JoinOutput::kProbeOuter, JoinOutput::kProbeSemi,
          JoinOutput::kProbeAnti, JoinOutput::kFullOuter, JoinOutput::kBuildAnti}) {
        CAPTURE(int(output));
        sink.keeps_matches = keepsBuildRows(output);
        const compile::SinkInfo info{
            .sink = sink, .input = slotsOf(build), .output = slotsOf(build)};
        TestContext test(kVectorRows, MemoryMode::kTight);
        test.memory.soft_limit = 64 << 10;
        JoinBuild built(info, {});
        feed(built, build, 2, 500, 15, test.context);
        REQUIRE(built.spilledMask() != 0);
        compile::ProbeStep step{.output = output, .keys = {0}};
        std::vector<compile::SlotInfo> slots = slotsOf(probe);
        if (hasBuildColumns(output)) {
            step.build_columns = {{0, 2}, {1, 3}};
            for (const auto& slot : info.input) slots.push_back(slot);
        }
        const compile::StepInfo step_info{.step = step, .output = slots};
        const auto made = makeProbe(step_info, built, {slotsOf(probe), {0, 1}});
        Rows rows;
        runStep(*made, probe, slots.size(), 2, 16, 16, test.context, rows);
        REQUIRE_FALSE(test.context.failed());
        if (keepsBuildRows(output)) {
            const auto rest = built.makeMatchSource({0, 1}, false);
            drain(*rest, 2, hasBuildColumns(output) ? showNulls(probe) : "", test.context, rows);
        }
        std::sort(rows.begin(), rows.end());
        const Expected expected = joinNaively(probe, build, output, false, [&](size_t p, size_t b) {
            return probe[0].cells[p] == build[0].cells[b] ? Truth::kTrue : Truth::kFalse;
        });
        REQUIRE(rows == expected.rows);
    }
}

TEST_CASE("the memory mode of this process is in force") {
    if (memoryMode() == MemoryMode::kPlenty) return;
    const Table table{numbers(50'000, 1000, 17)};
    const auto info = sortInfo(table);
    TestContext test;
    auto sort = makeSortSink(info);
    feed(*sort, table, 1, kVectorRows, 18, test.context);
    CHECK(sort->spilledBytes() > 0);
}
