// rows_fixture.h: tables of test cells, fed to sinks as batches of every vector form, and read
// back.
//
// Place: unit tests of grouping, sort and windows. Batches carry unselected junk rows between the
// real ones; a column is flat, dictionary-coded or constant by chance.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "execute/operator.h"
#include "execute/spill/spill_space.h"

namespace blueshift::execute::test {

struct Cell {
    bool null = true;
    i128 integer = 0;
    f64 floating = 0;
    std::string text;

    static Cell of(i128 value) { return {.null = false, .integer = value}; }
    static Cell real(f64 value) { return {.null = false, .floating = value}; }
    static Cell of(std::string value) { return {.null = false, .text = std::move(value)}; }
    bool operator==(const Cell&) const = default;
};

struct Column {
    PhysicalKind kind = PhysicalKind::kI64;
    SqlType type = SqlType::bigInt();
    bool nullable = true;
    std::vector<Cell> cells;
};
using Table = std::vector<Column>;

inline std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
}

inline std::string show(const Cell& cell, PhysicalKind kind) {
    if (cell.null) return "NULL";
    if (kind == PhysicalKind::kText) return "'" + cell.text + "'";
    if (!isIntegerKind(kind)) return std::to_string(cell.floating + 0.0); // one zero
    const bool negative = cell.integer < 0;
    u128 rest = negative ? -u128(cell.integer) : u128(cell.integer);
    std::string digits;
    do {
        digits += char('0' + int(rest % 10));
        rest /= 10;
    } while (rest != 0);
    if (negative) digits += '-';
    return {digits.rbegin(), digits.rend()};
}

inline Cell readCell(const Vector& vector, u32 row) {
    if (vector.isNull(row)) return {};
    switch (vector.kind) {
    case PhysicalKind::kText:
        return Cell::of(std::string(asStringView(vector.valueAt<TextView>(row))));
    case PhysicalKind::kF32: return Cell::real(vector.valueAt<f32>(row));
    case PhysicalKind::kF64: return Cell::real(vector.valueAt<f64>(row));
    default: return Cell::of(vector.integerAt(row));
    }
}

/// How the tests of this process treat memory: plenty, or, by the variable BLUESHIFT_TEST_SPILL,
/// `forced` (operators may hold nothing) or `tight` (little, and nothing fails).
enum class MemoryMode { kPlenty, kForced, kTight };
inline MemoryMode memoryMode() {
    const char* name = std::getenv("BLUESHIFT_TEST_SPILL");
    if (name == nullptr) return MemoryMode::kPlenty;
    return std::string(name) == "forced" ? MemoryMode::kForced : MemoryMode::kTight;
}

/// Files without names in the system's temporary directory.
inline SpillSpace& testSpace() {
    static const auto files = objects::makeLocalFileSystem();
    static SpillSpace space(*files, std::filesystem::temp_directory_path().string());
    return space;
}

/// A worker's surroundings with as much memory as it wants.
class TestContext {
public:
    class Unlimited final : public MemoryGrant {
    public:
        bool grow(u64 bytes) override {
            if (used + bytes > limit) return false;
            used += bytes;
            return true;
        }
        void shrink(u64 bytes) override { used -= bytes; }
        bool hasRoom(u64 held, u64) override {
            if (mode == MemoryMode::kForced) return held == 0;
            return held <= room_per_operator || room() > 0;
        }
        bool mayKeep(u64 held, u64) override { return hasRoom(held, 0); }
        bool hold(u64) override { return mode == MemoryMode::kPlenty; }
        u64 room() const override {
            if (mode == MemoryMode::kPlenty) return limit;
            return mode == MemoryMode::kForced || used > soft_limit ? 0 : soft_limit - used;
        }
        u32 mostLevels() const override { return mode == MemoryMode::kForced ? 2 : 8; }
        u64 used = 0;
        u64 limit = ~u64{0} >> 1;
        MemoryMode mode = MemoryMode::kPlenty;
        u64 soft_limit = 256 << 10;
        u64 room_per_operator = 8 << 10;
    };

    explicit TestContext(u32 vector_rows = kVectorRows, MemoryMode mode = memoryMode()) {
        context.vector_rows = vector_rows;
        context.stop = &stop;
        context.memory = &memory;
        memory.mode = mode;
        if (mode != MemoryMode::kPlenty) context.spill = &testSpace();
    }
    StopToken stop;
    Unlimited memory;
    WorkerContext context;
};

/// The memory of one batch.
class BatchMaker {
public:
    explicit BatchMaker(u64 seed) : random_(seed) {}

    /// Rows [begin, begin + count) of the table, with junk rows between them where there is room.
    Batch make(const Table& table, size_t begin, u32 count) {
        vectors_.assign(table.size(), {});
        buffers_.resize(table.size());
        codes_.resize(table.size());
        entries_.resize(table.size());
        const bool selected = random_() % 2 == 0 && count * 2 <= kVectorRows;
        std::vector<u32> place(count);
        selection_.clear();
        u32 rows = 0;
        for (u32 i = 0; i < count; ++i) {
            if (selected && random_() % 2 == 0) ++rows;
            place[i] = rows;
            selection_.push_back(u16(rows++));
        }
        for (size_t c = 0; c < table.size(); ++c) fill(table[c], c, begin, place, rows);
        return {.rows = rows,
                .selected = count,
                .selection = selected ? selection_.data() : nullptr,
                .columns = vectors_};
    }

private:
    static void store(VectorBuffer& buffer, u32 at, const Cell& cell) {
        dispatchKind(buffer.kind(), [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            T value{};
            if constexpr (std::is_same_v<T, TextView>) value = makeTextView(cell.text);
            else if constexpr (std::is_floating_point_v<T>) value = T(cell.floating);
            else value = T(cell.integer);
            buffer.values<T>()[at] = value;
        });
    }
    void fill(const Column& column, size_t c, size_t begin, const std::vector<u32>& place,
              u32 rows) {
        VectorBuffer& buffer = buffers_[c];
        buffer.reset(column.kind, kVectorRows);
        buffer.setAllValid();
        std::fill(static_cast<u8*>(buffer.data()),
                  static_cast<u8*>(buffer.data()) + kVectorRows * widthOf(column.kind), u8(0));
        const auto cell = [&](size_t i) -> const Cell& { return column.cells[begin + i]; };
        Vector& vector = vectors_[c];
        const bool same = std::all_of(place.begin(), place.end(), [&](const u32& p) {
            return cell(size_t(&p - place.data())) == cell(0);
        });
        if (same && !place.empty() && random_() % 2 == 0) {
            store(buffer, 0, cell(0));
            if (cell(0).null) clearBit(buffer.validity(), 0);
            vector = buffer.view(column.nullable);
            vector.form = VectorForm::kConstant;
            return;
        }
        if (random_() % 2 == 0) {
            fillDictionary(column, c, begin, place);
            return;
        }
        for (size_t i = 0; i < place.size(); ++i) {
            store(buffer, place[i], cell(i));
            if (cell(i).null) clearBit(buffer.validity(), place[i]);
        }
        vector = buffer.view(column.nullable);
    }
    void fillDictionary(const Column& column, size_t c, size_t begin,
                        const std::vector<u32>& place) {
        std::vector<Cell>& entries = entries_[c];
        entries.clear();
        std::vector<u32> code_of(place.size(), 0);
        for (size_t i = 0; i < place.size(); ++i) {
            const Cell& cell = column.cells[begin + i];
            if (cell.null) continue;
            const auto at = std::find(entries.begin(), entries.end(), cell);
            code_of[i] = u32(at - entries.begin());
            if (at == entries.end()) entries.push_back(cell);
        }
        VectorBuffer& buffer = buffers_[c];
        for (size_t e = 0; e < entries.size(); ++e) store(buffer, u32(e), entries[e]);
        const u8 width = entries.size() <= 256 ? 1 : 2;
        codes_[c].assign(kVectorRows * width, 0);
        for (size_t i = 0; i < place.size(); ++i) {
            if (width == 1) codes_[c][place[i]] = u8(code_of[i]);
            else std::memcpy(&codes_[c][place[i] * 2], &code_of[i], 2);
            if (column.cells[begin + i].null) clearBit(buffer.validity(), place[i]);
        }
        vectors_[c] = buffer.view(column.nullable);
        vectors_[c].form = VectorForm::kDictionary;
        vectors_[c].code_width = width;
        vectors_[c].dictionary_size = u32(entries.size());
        vectors_[c].codes = codes_[c].data();
    }

    std::mt19937_64 random_;
    std::vector<Vector> vectors_;
    std::vector<VectorBuffer> buffers_;
    std::vector<std::vector<u8>> codes_;
    std::vector<std::vector<Cell>> entries_; // of dictionaries; their text must stay
    std::vector<u16> selection_;
};

inline std::vector<compile::SlotInfo> slotsOf(const Table& table) {
    std::vector<compile::SlotInfo> slots;
    for (const Column& column : table)
        slots.push_back({.type = column.type, .kind = column.kind, .nullable = column.nullable});
    return slots;
}

/// Finishes a sink after its workers have flushed.
inline void finishSink(SinkOperator& sink, WorkerContext& context) {
    do {
        const u32 tasks = sink.finishTasks();
        for (u32 task = 0; task < tasks; ++task) sink.finishTask(task, context);
    } while (sink.finished(context));
}

/// Feeds the table in batches of at most `batch_rows` to `workers` states in turn, and finishes.
inline void feed(SinkOperator& sink, const Table& table, u32 workers, u32 batch_rows, u64 seed,
                 WorkerContext& context) {
    BatchMaker maker(seed);
    std::vector<std::unique_ptr<State>> states;
    for (u32 w = 0; w < workers; ++w) states.push_back(sink.makeState(context));
    const size_t rows = table.empty() ? 0 : table[0].cells.size();
    u32 turn = 0;
    for (size_t at = 0; at < rows; at += batch_rows, ++turn) {
        const u32 count = u32(std::min<size_t>(batch_rows, rows - at));
        sink.consume(*states[turn % workers], maker.make(table, at, count), context);
    }
    for (auto& state : states) {
        sink.flush(*state, context);
        state.reset();
    }
    finishSink(sink, context);
}

/// All rows of the sink's output columns 0 .. columns-1.
inline std::vector<std::vector<Cell>> readAll(SinkOperator& sink, u32 columns,
                                              WorkerContext& context) {
    std::vector<u32> wanted(columns);
    for (u32 c = 0; c < columns; ++c) wanted[c] = c;
    auto source = sink.makeSource(wanted);
    source->open();
    auto state = source->makeState(context);
    std::vector<std::vector<Cell>> rows;
    Batch batch;
    for (u32 morsel = 0; morsel < source->morselCount(); ++morsel) {
        source->start(*state, morsel, context);
        while (source->next(*state, batch, context)) {
            for (u32 i = 0; i < batch.selected; ++i) {
                std::vector<Cell>& row = rows.emplace_back();
                for (const Vector& vector : batch.columns)
                    row.push_back(readCell(vector, batch.rowAt(i)));
            }
        }
    }
    return rows;
}

} // namespace blueshift::execute::test
