// Batches come out of messages as they went in, whatever their forms; damaged bytes are refused.
#include "exchange/message.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>

using namespace blueshift;
using namespace blueshift::exchange;

namespace {

std::string valueAt(const Vector& vector, u32 row) {
    if (vector.isNull(row)) return "NULL";
    if (vector.kind == PhysicalKind::kText)
        return "'" + std::string(asStringView(vector.valueAt<TextView>(row))) + "'";
    if (vector.kind == PhysicalKind::kF64) return std::to_string(vector.valueAt<f64>(row));
    if (vector.kind == PhysicalKind::kF32) return std::to_string(vector.valueAt<f32>(row));
    const i128 value = vector.integerAt(row);
    return std::to_string(i64(value >> 64)) + ":" + std::to_string(u64(value));
}

struct Wire {
    std::vector<PhysicalKind> kinds;
    std::vector<Message> messages;
    Dictionaries dictionaries{1};
    MessageWriter::Emit emit = [this](Message message) { messages.push_back(std::move(message)); };

    /// All rows in order, as text.
    std::vector<std::string> read() {
        std::vector<std::string> rows;
        for (Message& message : messages) {
            ReceivedBatch batch;
            REQUIRE(batch.open(std::move(message), kinds, dictionaries));
            REQUIRE(batch.decode());
            for (u32 row = 0; row < batch.rows(); ++row) {
                std::string line;
                for (const Vector& vector : batch.batch().columns)
                    line += valueAt(vector, row) + " ";
                rows.push_back(line);
            }
        }
        return rows;
    }
};

} // namespace

TEST_CASE("every kind and form travels") {
    i8 bytes[5] = {-1, 2, 3, 4, 5};
    i128 wide[1] = {(i128{1} << 100) + 7};
    f64 floats[5] = {0.5, -1.25, 3, 4, 5};
    TextView texts[5] = {makeTextView(""), makeTextView("short"), makeTextView("gone"),
                         makeTextView("a text that does not lie in its view"), makeTextView("e")};
    TextView entries[2] = {makeTextView("first of the entries"), makeTextView("b")};
    u8 codes[5] = {1, 0, 0, 1, 0};
    u64 validity[1] = {0b11011};
    u64 null[1] = {0};
    const Vector columns[] = {
        {.kind = PhysicalKind::kI8, .data = bytes, .validity = validity},
        {.kind = PhysicalKind::kI128, .form = VectorForm::kConstant, .data = wide},
        {.kind = PhysicalKind::kF64, .data = floats},
        {.kind = PhysicalKind::kText, .data = texts, .validity = validity},
        {.kind = PhysicalKind::kText,
         .form = VectorForm::kDictionary,
         .code_width = 1,
         .dictionary_size = 2,
         .data = entries,
         .codes = codes,
         .validity = validity,
         .dictionary_id = 77},
        {.kind = PhysicalKind::kI32, .form = VectorForm::kConstant, .data = wide, .validity = null},
    };
    Wire wire;
    for (const Vector& column : columns) wire.kinds.push_back(column.kind);
    MessageWriter writer(wire.kinds, 0);
    const u16 rows[] = {0, 2, 3, 4};
    writer.append(columns, rows, 4, wire.emit);
    writer.append(columns, nullptr, 2, wire.emit);
    CHECK(wire.messages.empty());
    writer.flush(wire.emit);
    REQUIRE(wire.messages.size() == 1);
    std::vector<std::string> expected;
    for (const u32 row : {0, 2, 3, 4, 0, 1}) {
        std::string line;
        for (const Vector& column : columns) line += valueAt(column, row) + " ";
        expected.push_back(line);
    }
    CHECK(wire.read() == expected);
}

TEST_CASE("a dictionary travels once, until another takes its place") {
    std::vector<std::string> names;
    for (int i = 0; i < 200; ++i) names.push_back("entry number " + std::to_string(i));
    std::vector<TextView> entries;
    for (const std::string& name : names) entries.push_back(makeTextView(name));
    u16 codes[kVectorRows];
    for (u32 i = 0; i < kVectorRows; ++i) codes[i] = u16(i % 200);
    Vector vector{.kind = PhysicalKind::kText,
                  .form = VectorForm::kDictionary,
                  .code_width = 2,
                  .dictionary_size = 200,
                  .data = entries.data(),
                  .codes = codes,
                  .dictionary_id = 5};
    Wire wire{.kinds = {PhysicalKind::kText}};
    MessageWriter writer(wire.kinds, 3);
    std::vector<std::string> expected;
    const auto append = [&](u32 count) {
        writer.append(std::span(&vector, 1), nullptr, count, wire.emit);
        for (u32 i = 0; i < count; ++i) expected.push_back(valueAt(vector, i) + " ");
    };
    append(kVectorRows);
    append(kVectorRows);
    REQUIRE(wire.messages.size() == 2);
    CHECK(wire.messages[0].size() > wire.messages[1].size() + 200 * 13);
    CHECK(wire.messages[1].size() < 2 * kVectorRows + 200);
    append(10);
    vector.dictionary_id = 6;
    std::ranges::reverse(entries);
    append(20);
    vector.dictionary_id = 0; // must not be kept: travels as text
    append(kVectorRows);
    writer.flush(wire.emit);
    CHECK(wire.read() == expected);
}

TEST_CASE("rows are cut at the capacity") {
    i32 values[100];
    for (i32 i = 0; i < 100; ++i) values[i] = i * i;
    const Vector vector{.kind = PhysicalKind::kI32, .data = values};
    Wire wire{.kinds = {PhysicalKind::kI32}};
    MessageWriter writer(wire.kinds, 0, 7);
    writer.append(std::span(&vector, 1), nullptr, 100, wire.emit);
    CHECK(wire.messages.size() == 14);
    CHECK(writer.rows() == 2);
    writer.flush(wire.emit);
    const auto rows = wire.read();
    REQUIRE(rows.size() == 100);
    CHECK(rows[99] == "0:9801 ");
}

TEST_CASE("damaged messages are refused") {
    TextView texts[3] = {makeTextView("one"), makeTextView("a longer text, not inline"),
                         makeTextView("")};
    const Vector vector{.kind = PhysicalKind::kText, .data = texts};
    const std::vector<PhysicalKind> kinds = {PhysicalKind::kText};
    const auto make = [&] {
        Message made;
        MessageWriter writer(kinds, 0);
        writer.append(std::span(&vector, 1), nullptr, 3, [&](Message) {});
        writer.flush([&](Message message) { made = std::move(message); });
        return made;
    };
    const size_t size = make().size();
    for (size_t at = 0; at < size; ++at) {
        Message message = make();
        message.data()[at] ^= 0x40;
        ReceivedBatch batch;
        Dictionaries dictionaries(1);
        const Status opened = batch.open(std::move(message), kinds, dictionaries);
        REQUIRE(!opened);
        CHECK(opened.error().sqlstate == sqlstate::kDataCorrupted);
    }
    ReceivedBatch batch;
    Dictionaries dictionaries(1);
    const PhysicalKind other[] = {PhysicalKind::kI64};
    CHECK(!batch.open(make(), other, dictionaries));
    Message cut(20);
    std::memset(cut.data(), 0, 20);
    CHECK(!batch.open(std::move(cut), kinds, dictionaries));
}
