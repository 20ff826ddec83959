// scan_fixture.h: a table of many types with its rows also kept in plain form, as the reference
// that scans are compared with.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "kernels/text.h"
#include "memory_store.h"
#include "storage/memory_segment.h"
#include "storage/storage.h"
#include "types/text_view.h"

namespace blueshift::storage {

/// One cell of the reference: at most one member is used, by the column's kind.
struct Cell {
    bool is_null = false;
    i128 integer = 0;
    f64 floating = 0;
    std::string text;

    bool same(const Cell& other) const {
        if (is_null || other.is_null) return is_null == other.is_null;
        return integer == other.integer && text == other.text &&
               (floating == other.floating || (std::isnan(floating) && std::isnan(other.floating)));
    }
};

enum TestColumn : u32 {
    kNumber = 1,  // unique, ascending
    kRandom = 2,  // bigint with NULLs
    kSorted = 3,  // date, sort key of some tables
    kMode = 4,    // few texts
    kComment = 5, // many texts, NULLs
    kPrice = 6,   // double with NULLs and NaN
    kWide = 7,    // decimal(38,2)
    kFixed = 8,   // smallint, one value
    kFlag = 9,    // boolean with NULLs
    kReal = 10,   // real
};
inline constexpr u32 kTestColumns = 10;

class TestTable {
public:
    explicit TestTable(u64 seed) : random(seed) {
        auto fresh = std::make_shared<catalog::Table>();
        fresh->oid = 100001;
        fresh->name = "t";
        const SqlType types[kTestColumns] = {SqlType::bigInt(),       SqlType::bigInt(),
                                             SqlType::date(),         SqlType::varchar(20),
                                             SqlType::varchar(200),   SqlType::doublePrecision(),
                                             SqlType::decimal(38, 2), SqlType::smallInt(),
                                             SqlType::boolean(),      SqlType::real()};
        for (u32 c = 0; c < kTestColumns; ++c) {
            catalog::Column column;
            column.id = c + 1;
            column.name = "c" + std::to_string(c + 1);
            column.type = types[c];
            column.not_null = c + 1 == kNumber;
            fresh->columns.push_back(column);
        }
        fresh->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>();
        table = fresh;
    }

    Cell makeCell(u32 column, u64 number) {
        Cell cell;
        const u64 dice = random();
        switch (column) {
        case kNumber: cell.integer = number; break;
        case kRandom:
            cell.is_null = dice % 10 == 0;
            cell.integer = i64(random() % 2001) - 1000;
            break;
        case kSorted: cell.integer = i64(number / 40) - 100; break;
        case kMode: cell.text = std::string("mode ") + char('a' + dice % 12); break;
        case kComment:
            cell.is_null = dice % 7 == 0;
            cell.text = "comment " + std::to_string(random() % 100000) + std::string(dice % 3, ' ');
            break;
        case kPrice:
            cell.is_null = dice % 20 == 0;
            cell.floating =
                dice % 501 == 1 ? std::numeric_limits<f64>::quiet_NaN() : f64(random() % 10000) / 4;
            break;
        case kWide: cell.integer = (i128(1) << 90) * i64(dice % 5) + i64(random() % 100); break;
        case kFixed: cell.integer = 7; break;
        case kFlag:
            cell.is_null = dice % 5 == 0;
            cell.integer = random() % 2;
            break;
        default: cell.floating = f64(f32(dice % 1000) / 8); break;
        }
        if (cell.is_null) cell = Cell{.is_null = true};
        return cell;
    }

    /// Writes `count` fresh rows as one commit; vectors are fed in several forms.
    void insert(u32 count) {
        TableWriter writer(store, table, [&] { return "seg/" + std::to_string(++keys); });
        if (split) writer.splitByBucket();
        for (u32 done = 0; done < count;) {
            const u32 rows = std::min<u32>(kVectorRows, count - done);
            appendBatch(writer, rows);
            done += rows;
        }
        auto output = writer.finish();
        REQUIRE(output.has_value());
        REQUIRE(output->rows == count);
        commit(*output);
    }

    void commit(TableWriter::Output& output) {
        auto next = std::make_shared<catalog::Table>(*table);
        auto segments = *table->segments;
        for (auto& segment : output.segments) {
            segment->id = next->next_segment_id++;
            segments.push_back({segment, nullptr});
        }
        for (const auto& [id, width] : output.width_classes)
            for (catalog::Column& column : next->columns)
                if (column.id == id) column.width_class = std::max(column.width_class, width);
        next->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>(segments);
        next->statistics = mergeStatistics(table->statistics.get(), *output.statistics, 99);
        table = next;
    }

    void appendBatch(TableWriter& writer, u32 rows) {
        std::vector<VectorBuffer> buffers(kTestColumns);
        std::vector<Vector> vectors;
        std::vector<std::vector<std::string>> texts(kTestColumns);
        std::vector<std::vector<Cell>> cells(rows);
        for (u32 r = 0; r < rows; ++r)
            for (u32 c = 1; c <= kTestColumns; ++c)
                cells[r].push_back(makeCell(c, next_number + r));
        for (u32 c = 0; c < kTestColumns; ++c) {
            const PhysicalKind natural = naturalKind(table->columns[c].type);
            // Integers come wider than their type, as arithmetic delivers them.
            const PhysicalKind kind = natural <= PhysicalKind::kI32 ? PhysicalKind::kI64 : natural;
            buffers[c].reset(kind);
            buffers[c].setAllValid();
            bool nulls = false;
            texts[c].reserve(rows);
            for (u32 r = 0; r < rows; ++r) {
                const Cell& cell = cells[r][c];
                if (cell.is_null) {
                    clearBit(buffers[c].validity(), r);
                    nulls = true;
                }
                if (kind == PhysicalKind::kI64) buffers[c].values<i64>()[r] = i64(cell.integer);
                else if (kind == PhysicalKind::kI128) buffers[c].values<i128>()[r] = cell.integer;
                else if (kind == PhysicalKind::kF32)
                    buffers[c].values<f32>()[r] = f32(cell.floating);
                else if (kind == PhysicalKind::kF64) buffers[c].values<f64>()[r] = cell.floating;
                else {
                    texts[c].push_back(cell.text);
                    buffers[c].values<TextView>()[r] = makeTextView(texts[c].back());
                }
            }
            vectors.push_back(buffers[c].view(nulls));
        }
        next_number += rows;
        for (auto& row : cells) reference.push_back(std::move(row));
        const Batch batch{.rows = rows, .selected = rows, .columns = vectors};
        REQUIRE(writer.append(batch).has_value());
    }

    static Cell cellAt(const Vector& vector, u32 row) {
        Cell cell;
        cell.is_null = vector.isNull(row);
        if (cell.is_null) return cell;
        if (isIntegerKind(vector.kind)) cell.integer = vector.integerAt(row);
        else if (vector.kind == PhysicalKind::kF64) cell.floating = vector.valueAt<f64>(row);
        else if (vector.kind == PhysicalKind::kF32) cell.floating = vector.valueAt<f32>(row);
        else cell.text = asStringView(vector.valueAt<TextView>(row));
        return cell;
    }

    /// Scans all columns; every delivered row must be what was written. Returns row numbers and
    /// their row ids.
    std::map<u64, u64> scan(ScanOptions options, std::optional<Error>* error = nullptr) {
        options.columns.clear();
        for (u32 c = 1; c <= kTestColumns; ++c) options.columns.push_back(c);
        options.columns.push_back(kRowIdColumn);
        std::map<u64, u64> found;
        const TableScan scan(store, cache, table, options);
        const auto state = scan.makeState();
        for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
            scan.start(*state, morsel);
            Batch batch;
            while (true) {
                const Result<bool> more = scan.next(*state, batch);
                if (!more) {
                    REQUIRE(error != nullptr);
                    *error = more.error();
                    return found;
                }
                if (!*more) break;
                REQUIRE(batch.selected > 0);
                REQUIRE(batch.rows <= options.vector_rows);
                checkBatch(batch, found);
            }
        }
        rows_read = scan.counters().rows_read;
        REQUIRE(scan.counters().rows_delivered == found.size());
        blocks_skipped = scan.counters().blocks_skipped;
        return found;
    }

    void checkBatch(const Batch& batch, std::map<u64, u64>& found) {
        for (u32 c = 0; c < kTestColumns; ++c)
            REQUIRE(batch.columns[c].kind == scanKind(table->columns[c]));
        bool all_same = true;
        for (u32 i = 0; i < batch.selected; ++i) {
            const u32 row = batch.rowAt(i);
            const u64 number = u64(batch.columns[0].integerAt(row));
            REQUIRE(number < reference.size());
            const u64 row_id = u64(batch.columns[kTestColumns].integerAt(row));
            all_same &= found.emplace(number, row_id).second;
            for (u32 c = 0; c < kTestColumns; ++c)
                all_same &= cellAt(batch.columns[c], row).same(reference[number][c]);
        }
        REQUIRE(all_same);
    }

    static int order(const Cell& cell, const Value& value) {
        if (isFloat(value.type.kind))
            return kernels::less(cell.floating, value.floating)   ? -1
                   : kernels::less(value.floating, cell.floating) ? 1
                                                                  : 0;
        if (isTextual(value.type.kind))
            return kernels::compareText(makeTextView(cell.text), makeTextView(value.text));
        return cell.integer < value.integer ? -1 : cell.integer > value.integer;
    }
    static bool satisfies(const Cell& cell, const ScanPredicate& predicate) {
        using Op = ScanPredicate::Op;
        if (predicate.op == Op::kIsNull) return cell.is_null;
        if (predicate.op == Op::kIsNotNull) return !cell.is_null;
        if (cell.is_null) return false;
        for (const Value& value : predicate.values) {
            if (value.is_null) continue;
            const int o = order(cell, value);
            const bool hit = predicate.op == Op::kEqual || predicate.op == Op::kIn ? o == 0
                             : predicate.op == Op::kNotEqual                       ? o != 0
                             : predicate.op == Op::kLess                           ? o < 0
                             : predicate.op == Op::kLessEqual                      ? o <= 0
                             : predicate.op == Op::kGreater                        ? o > 0
                                                                                   : o >= 0;
            if (hit) return true;
        }
        return false;
    }
    std::set<u64> expected(const std::vector<ScanPredicate>& predicates) const {
        std::set<u64> numbers;
        for (u64 n = 0; n < reference.size(); ++n) {
            bool all = !deleted.contains(n);
            for (const ScanPredicate& predicate : predicates)
                all = all && satisfies(reference[n][predicate.column_id - 1], predicate);
            if (all) numbers.insert(n);
        }
        return numbers;
    }

    ScanPredicate randomPredicate() {
        ScanPredicate predicate;
        predicate.column_id = 1 + u32(random() % kTestColumns);
        predicate.op = ScanPredicate::Op(random() % 9);
        const u32 count = predicate.op == ScanPredicate::Op::kIn ? 1 + u32(random() % 6) : 1;
        for (u32 i = 0; i < count; ++i) {
            const Cell& cell = reference[random() % reference.size()][predicate.column_id - 1];
            Value value = Value::null(table->columns[predicate.column_id - 1].type);
            value.is_null = cell.is_null && random() % 2 == 0;
            value.integer = cell.integer + i64(random() % 3) - 1;
            if (random() % 20 == 0) value.integer = (i128(1) << 100) * (random() % 2 == 0 ? 1 : -1);
            value.floating = cell.floating;
            kept_texts.push_back(
                std::make_unique<std::string>(cell.text + (random() % 3 == 0 ? " " : "")));
            value.text = *kept_texts.back();
            predicate.values.push_back(value);
        }
        return predicate;
    }

    MemoryStore store;
    BlockCache cache{256 << 20};
    std::shared_ptr<const catalog::Table> table;
    std::vector<std::vector<Cell>> reference; // by number
    std::set<u64> deleted;
    std::mt19937_64 random;
    u64 next_number = 0;
    u32 keys = 0;
    bool split = false; // segments by hash prefix
    u64 rows_read = 0;
    u64 blocks_skipped = 0;
    std::vector<std::unique_ptr<std::string>> kept_texts;
};

inline std::set<u64> keysOf(const std::map<u64, u64>& found) {
    std::set<u64> keys;
    for (const auto& [number, id] : found) keys.insert(number);
    return keys;
}

} // namespace blueshift::storage
