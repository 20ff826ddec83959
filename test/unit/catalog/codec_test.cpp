// Catalog entries survive their stored form; other releases' fields are skipped; damage is found.
#include <doctest/doctest.h>

#include "base/clock.h"
#include "catalog/entry_codec.h"

namespace blueshift::catalog {
namespace {

/// These tests carry no rows.
class NoRows final : public RowsCodec {
public:
    std::vector<u8> encode(const storage::MemorySegment&) const override { return {}; }
    std::shared_ptr<const storage::MemorySegment> decode(std::span<const u8>) const override {
        return nullptr;
    }
};

template <class T> std::vector<u8> write(const T& value) {
    static const NoRows rows;
    FieldWriter writer(rows);
    describe(writer, value);
    return writer.take();
}
template <class T> bool read(std::span<const u8> bytes, T& value) {
    static const NoRows rows;
    FieldReader reader(bytes, rows);
    describe(reader, value);
    return reader.finish();
}

Table fullTable() {
    Table table;
    table.oid = 100007;
    table.schema = 100001;
    table.name = "orders \xC3\xA4";
    table.owner = "bob";
    Column column;
    column.id = 3;
    column.name = "c";
    column.type = SqlType::decimal(38, 7);
    column.not_null = column.is_identity = true;
    column.default_sql = "";
    column.identity_seed = -9;
    column.identity_step = 0;
    column.encoding = ColumnEncoding::kZstd;
    column.width_class = 16;
    column.comment = "x";
    column.backfill = std::make_shared<const BackfillValue>(
        BackfillValue{.integer = -(i128{1} << 90), .floating = 0.5, .text = "later"});
    table.columns = {column, column};
    table.columns[1].default_sql = std::nullopt;
    table.columns[1].backfill = nullptr;
    table.columns[1].dropped = true;
    table.columns[1].type = SqlType::varchar(65535);
    table.dist_style = DistStyle::kKey;
    table.dist_key = 3;
    table.sort_style = SortStyle::kInterleaved;
    table.sort_key = {3, 1000000};
    table.encode_auto = table.backup = false;
    table.schema_version = 4;
    table.next_column_id = 9;
    table.next_segment_id = u64{1} << 40;
    table.keys = {{"pk", true, {3}, 7}};
    table.foreign_keys = {{"fk", {3}, 5, {1}, 8}};
    table.privileges = {{"role r", "select", true}};
    table.comment = "c";
    table.created_at = -123456789;
    return table;
}

} // namespace

TEST_CASE("a table's definition comes back as it was") {
    const Table table = fullTable();
    const std::vector<u8> bytes = write(table);
    Table back;
    REQUIRE(read(bytes, back));
    CHECK(write(back) == bytes);
    CHECK(back.name == table.name);
    CHECK(back.columns[0].identity_step == 0);
    CHECK(back.columns[0].identity_seed == -9);
    CHECK(back.columns[0].default_sql == std::optional<std::string>(""));
    CHECK(!back.columns[1].default_sql.has_value());
    REQUIRE(back.columns[0].backfill != nullptr);
    CHECK(bool(back.columns[0].backfill->integer == -(i128{1} << 90)));
    CHECK(back.columns[0].backfill->floating == 0.5);
    CHECK(back.columns[0].backfill->text == "later");
    CHECK(back.columns[1].backfill == nullptr);
    CHECK(back.columns[1].type == SqlType::varchar(65535));
    CHECK(back.columns[0].type == SqlType::decimal(38, 7));
    CHECK(back.sort_key == table.sort_key);
    CHECK(!back.encode_auto);
    CHECK(back.next_segment_id == table.next_segment_id);
    CHECK(back.created_at == table.created_at);
    CHECK(back.foreign_keys[0].target_columns == std::vector<u32>{1});
    CHECK(back.privileges[0].with_grant);
}

TEST_CASE("ranges keep 128-bit bounds and doubles") {
    ColumnRange range;
    range.has_range = true;
    range.min = i128(1) << 127;
    range.max = ~(i128(1) << 127);
    range.min_float = -0.5;
    range.max_float = 1e308;
    range.max_text = std::string("\0z", 2);
    range.max_text_unbounded = true;
    ColumnRange back;
    REQUIRE(read(write(range), back));
    CHECK(back.min == range.min);
    CHECK(back.max == range.max);
    CHECK(back.min_float == -0.5);
    CHECK(back.max_float == 1e308);
    CHECK(back.max_text == range.max_text);
    CHECK(back.max_text_unbounded);
}

TEST_CASE("views, users and schemas come back as they were") {
    View view{.oid = 5, .name = "v", .query = "select 1", .late_binding = true};
    view.columns = {{"a", SqlType::date()}};
    view.depends_on = {1, 2};
    View view_back;
    REQUIRE(read(write(view), view_back));
    CHECK(write(view_back) == write(view));
    CHECK(view_back.columns[0].type == SqlType::date());
    User user{.oid = 9, .name = "u", .connection_limit = -1};
    user.member_of = {"a", "", "b"};
    User user_back;
    REQUIRE(read(write(user), user_back));
    CHECK(user_back.member_of == user.member_of);
    CHECK(user_back.connection_limit == -1);
    Schema schema{.oid = 4, .name = "s", .comment = "c"};
    Schema schema_back;
    REQUIRE(read(write(schema), schema_back));
    CHECK(schema_back.comment == "c");
}

TEST_CASE("unknown fields are skipped, absent ones keep their defaults") {
    static const NoRows rows;
    FieldWriter writer(rows);
    writer(2, std::string("name"));
    writer(900, std::string("from a later release"));
    writer(901, u64{17});
    writer(902, f64{1.5});
    Schema schema;
    REQUIRE(read(writer.bytes(), schema));
    CHECK(schema.name == "name");
    CHECK(schema.owner == "admin");
}

TEST_CASE("damage: cut short, wrong form, numbers too large, enumerators unknown") {
    const std::vector<u8> bytes = write(fullTable());
    for (size_t length = 1; length < bytes.size(); ++length) {
        Table back;
        // A cut between two fields of the outermost message reads as an older release's.
        if (read(std::span(bytes).first(length), back)) CHECK(back.oid == 100007);
    }
    static const NoRows rows;
    FieldWriter wrong(rows);
    wrong(1, std::string("text, not a number"));
    Schema schema;
    CHECK(!read(wrong.bytes(), schema));
    FieldWriter large(rows);
    large(1, u64{1} << 33);
    CHECK(!read(large.bytes(), schema));
    FieldWriter kind(rows);
    kind(1, u8(200));
    SqlType type;
    CHECK(!read(kind.bytes(), type));
    auto random = makeSeededRandom(3);
    for (int round = 0; round < 20'000; ++round) {
        std::vector<u8> mutated = bytes;
        mutated[random->next() % mutated.size()] = u8(random->next());
        Table back;
        (void)read(mutated, back); // under sanitizers: no read outside, no endless loop
    }
}

TEST_CASE("row bits: every form comes back, damage is found") {
    auto random = makeSeededRandom(17);
    for (int round = 0; round < 300; ++round) {
        std::vector<u64> bits(random->next() % 40);
        const u64 style = random->next() % 4;
        for (u64& word : bits)
            word = style == 0   ? random->next()
                   : style == 1 ? u64{1} << (random->next() % 64)
                   : style == 2 ? ~u64{0}
                                : 0;
        const auto encoded = encodeBits(bits);
        const auto decoded = decodeBits(encoded);
        REQUIRE(decoded);
        CHECK(*decoded == bits);
        CHECK(encoded.size() <= bits.size() * 8 + 3);
        for (size_t cut = 0; cut < encoded.size(); ++cut)
            (void)decodeBits(std::span(encoded).first(cut));
    }
    CHECK(encodeBits(std::vector<u64>(16384, ~u64{0})).size() < 16);
    CHECK(!decodeBits(std::vector<u8>{}));
    CHECK(!decodeBits(std::vector<u8>{1, 7}));                            // unknown form
    CHECK(!decodeBits(std::vector<u8>{1, 1, 64}));                        // a row behind the end
    CHECK(!decodeBits(std::vector<u8>{1, 2, 60, 5}));                     // a run behind the end
    CHECK(!decodeBits(std::vector<u8>{0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 2})); // too many words
}

TEST_CASE("names: lookups by schema, case and kind") {
    CatalogSnapshot snapshot = *makeEmptyCatalog();
    CHECK(snapshot.findSchema("public")->oid == kPublicSchema);
    CHECK(snapshot.findSchema("Public") == nullptr);
    CHECK(snapshot.findSchema(kPgCatalogSchema)->name == "pg_catalog");
    auto table = std::make_shared<Table>(fullTable());
    snapshot.tables[table->oid] = table;
    CHECK(snapshot.findTable(table->schema, table->name) == nullptr);
    snapshot.indexNames();
    CHECK(snapshot.findTable(table->schema, table->name) == table);
    CHECK(snapshot.findTable(kPublicSchema, table->name) == nullptr);
    CHECK(snapshot.findView(table->schema, table->name) == nullptr);
    CHECK(table->findColumn("c")->id == 3);
    CHECK(table->liveColumns().size() == 1);
    CHECK(table->rowCount() == 0);
    CHECK(snapshot.findUser("nobody") == nullptr);
}

} // namespace blueshift::catalog
