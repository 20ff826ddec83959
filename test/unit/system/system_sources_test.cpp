// Every system view can be read, and its rows have the types it declares; what the views say of a
// small catalog; who sees what.
#include "catalog/system/system_sources.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "catalog/system/catalog_reader.h"
#include "functions/function.h"

namespace blueshift::catalog {
namespace {

using Row = std::map<std::string, std::string>;

/// CHAR columns come with their blanks.
std::string unpadded(std::string text) {
    while (text.ends_with(' ')) text.pop_back();
    return text;
}

/// One running statement, one finished, one session, one load error, of user bob.
class OneOfEach final : public ServerFacts {
public:
    std::vector<SessionRow> sessions() const override {
        return {{.process_id = 7,
                 .user_id = 101,
                 .user = "bob",
                 .database = "dev",
                 .start_time = 5,
                 .transaction_id = 9,
                 .current_query = "select 1"}};
    }
    std::vector<SessionRow> closedSessions() const override {
        return {{.process_id = 6,
                 .user_id = 101,
                 .user = "bob",
                 .database = "dev",
                 .start_time = 1,
                 .end_time = 4}};
    }
    std::vector<StatementFacts> statements() const override {
        return {{.query_id = 1,
                 .user = "bob",
                 .text = std::string(450, 'x'),
                 .type = "SELECT",
                 .state = StatementState::kSuccess,
                 .start_time = 10,
                 .end_time = 30},
                {.query_id = 2,
                 .user = "bob",
                 .text = "create table t (a int)",
                 .type = "DDL",
                 .state = StatementState::kFailed,
                 .start_time = 40,
                 .end_time = 41,
                 .error = "no"},
                {.query_id = 3, .user = "bob", .text = "copy t", .type = "COPY", .start_time = 50}};
    }
    std::vector<SettingFacts> settings(i32) const override { return {{"timezone", "UTC", "zone"}}; }
    std::vector<LoadError> loadErrors() const override {
        return {{.query_id = 3,
                 .user_id = 101,
                 .table = 100001,
                 .file = "a.csv",
                 .line = 12,
                 .column = "id",
                 .code = 1207,
                 .message = "Invalid digit"}};
    }
    u32 slices() const override { return 2; }
    i64 storageCapacity() const override { return 1000; }
};

struct Fixture {
    Fixture() {
        addSystemSources(registry);
        auto copy = std::make_shared<CatalogSnapshot>(*makeEmptyCatalog());
        for (auto [name, oid] : {std::pair{"admin", 100u}, {"bob", 101u}, {"eve", 102u}}) {
            User user{.oid = oid, .name = name, .superuser = oid == 100};
            copy->users[name] = std::make_shared<User>(user);
        }
        User role{.oid = 110, .name = "readers", .is_role = true};
        copy->users["readers"] = std::make_shared<User>(role);

        Table table{.oid = 100001, .name = "customers"};
        table.columns = {{.id = 1, .name = "id", .type = SqlType::integer(), .not_null = true},
                         {.id = 2, .name = "gone", .type = SqlType::text(), .dropped = true},
                         {.id = 3,
                          .name = "name",
                          .type = SqlType::varchar(20),
                          .default_sql = "'x'",
                          .comment = "who"},
                         {.id = 4, .name = "amount", .type = SqlType::decimal(12, 2)}};
        table.dist_style = DistStyle::kKey;
        table.dist_key = 1;
        table.sort_key = {4, 1};
        table.sort_style = SortStyle::kCompound;
        table.keys = {{.name = "customers_pkey", .primary = true, .columns = {1}, .oid = 100002}};
        table.privileges = {{.grantee = "bob", .name = "select"}};
        table.backup = false;
        table.comment = "buyers";
        auto segment = std::make_shared<Segment>();
        segment->id = 1;
        segment->object_bytes = 3 << 20;
        segment->rows = 70000;
        segment->column_ids = {1};
        segment->ranges = {{.has_range = true, .min = -5, .max = 42}};
        auto deletes = std::make_shared<DeleteVector>();
        deletes->deleted_rows = 10;
        table.segments = std::make_shared<std::vector<SegmentEntry>>(
            std::vector<SegmentEntry>{{segment, deletes}});
        copy->tables[table.oid] = std::make_shared<Table>(table);

        Table orders{.oid = 100003, .name = "Orders"};
        orders.columns = {{.id = 1, .name = "cust", .type = SqlType::integer()}};
        orders.foreign_keys = {
            {.name = "fk", .columns = {1}, .target = 100001, .target_columns = {1}, .oid = 100004}};
        copy->tables[orders.oid] = std::make_shared<Table>(orders);

        View view{.oid = 100005,
                  .name = "v",
                  .query = "select id from customers",
                  .columns = {{"id", SqlType::integer()}},
                  .depends_on = {100001}};
        copy->views[view.oid] = std::make_shared<View>(view);
        copy->indexNames();
        snapshot = std::move(copy);
    }

    std::vector<Row> read(const TableSource& source, std::string_view user = "admin",
                          std::span<const Value> arguments = {}) const {
        functions::SessionFacts session{.user = user, .process_id = 7, .statement_time = 100};
        std::vector<Row> rows;
        const auto columns = source.columns();
        const Status status = source.read(
            {snapshot, &session, &server}, arguments, [&](std::span<const Value> values) {
                CHECK(values.size() == columns.size());
                Row row;
                for (size_t i = 0; i < values.size(); ++i) {
                    CHECK(values[i].type == columns[i].type);
                    row[columns[i].name] =
                        values[i].is_null ? "NULL" : functions::valueText(values[i], session);
                }
                rows.push_back(std::move(row));
                return true;
            });
        CHECK(status.has_value());
        return rows;
    }
    std::vector<Row> read(std::string_view schema, std::string_view name,
                          std::string_view user = "admin") const {
        const TableSource* source = registry.find(schema, name);
        REQUIRE(source != nullptr);
        return read(*source, user);
    }
    std::vector<Row> where(std::string_view name, const std::string& column,
                           const std::string& value, std::string_view user = "admin",
                           std::string_view schema = "pg_catalog") const {
        auto rows = read(schema, name, user);
        std::erase_if(rows, [&](const Row& row) { return row.at(column) != value; });
        return rows;
    }

    SourceRegistry registry;
    std::shared_ptr<const CatalogSnapshot> snapshot;
    OneOfEach server;
};

TEST_CASE_FIXTURE(Fixture, "every view reads, for a superuser and for others") {
    const auto all = registry.all();
    CHECK(all.size() > 180);
    std::set<Oid> ids;
    for (const TableSource* source : all) {
        CAPTURE(source->name());
        CHECK(source->oid() != 0);
        CHECK(source->oid() < 16384);
        CHECK(ids.insert(source->oid()).second);
        std::set<std::string> names;
        for (const SourceColumn& column : source->columns())
            CHECK(names.insert(column.name).second);
        read(*source, "admin");
        read(*source, "eve");
    }
}

TEST_CASE_FIXTURE(Fixture, "views read without a server and without a session") {
    for (const TableSource* source : registry.all()) {
        CAPTURE(source->name());
        CHECK(source
                  ->read({snapshot, nullptr, nullptr}, {},
                         [](std::span<const Value>) { return true; })
                  .has_value());
    }
}

TEST_CASE_FIXTURE(Fixture, "a reader that has enough gets no further rows") {
    for (const char* name : {"pg_class", "pg_attribute", "pg_type", "stv_blocklist"}) {
        int rows = 0;
        const TableSource* source = registry.find("pg_catalog", name);
        REQUIRE(source->read({snapshot, nullptr, nullptr}, {}, [&](std::span<const Value>) {
            ++rows;
            return false;
        }));
        CHECK(rows == 1);
    }
}

TEST_CASE_FIXTURE(Fixture, "pg_class lists tables, indexes, views and itself") {
    const auto table = where("pg_class", "relname", "customers");
    REQUIRE(table.size() == 1);
    CHECK(table[0].at("oid") == "100001");
    CHECK(table[0].at("relkind") == "r");
    CHECK(table[0].at("relowner") == "100");
    CHECK(table[0].at("relnatts") == "4");
    CHECK(table[0].at("reltuples") == "69990");
    CHECK(table[0].at("reldiststyle") == "1");
    CHECK(table[0].at("relhaspkey") == "t");
    CHECK(table[0].at("relacl") == "{admin=arwdRxtDAP/admin,bob=r/admin}");
    CHECK(where("pg_class", "relname", "customers_pkey")[0].at("relkind") == "i");
    CHECK(where("pg_class", "relname", "v")[0].at("relkind") == "v");
    CHECK(where("pg_class", "relname", "pg_class")[0].at("oid") == "1259");
}

TEST_CASE_FIXTURE(Fixture, "pg_attribute numbers columns by position, dropped ones included") {
    auto rows = where("pg_attribute", "attrelid", "100001");
    REQUIRE(rows.size() == 4);
    CHECK(rows[1].at("attname") == "........pg.dropped.2........");
    CHECK(rows[1].at("attisdropped") == "t");
    CHECK(rows[2].at("attname") == "name");
    CHECK(rows[2].at("attnum") == "3");
    CHECK(rows[2].at("atttypmod") == "24");
    CHECK(rows[2].at("atthasdef") == "t");
    CHECK(rows[2].at("attencodingtype") == "3"); // lzo
    CHECK(rows[0].at("attisdistkey") == "t");
    CHECK(rows[0].at("attsortkeyord") == "2");
    CHECK(rows[3].at("attsortkeyord") == "1");
    CHECK(where("pg_attrdef", "adrelid", "100001")[0].at("adnum") == "3");
    CHECK(where("pg_attribute", "attrelid", "100002")[0].at("attname") == "id");
}

TEST_CASE_FIXTURE(Fixture, "keys: pg_constraint, pg_index, pg_depend, information_schema") {
    const auto foreign = where("pg_constraint", "contype", "f");
    REQUIRE(foreign.size() == 1);
    CHECK(foreign[0].at("conkey") == "{1}");
    CHECK(foreign[0].at("confkey") == "{1}");
    CHECK(foreign[0].at("confrelid") == "100001");
    CHECK(foreign[0].at("conindid") == "100002");
    CHECK(where("pg_index", "indrelid", "100001")[0].at("indkey") == "1");
    bool depends = false;
    for (const Row& row : where("pg_depend", "objid", "100004"))
        depends |= row.at("classid") == "2606" && row.at("refobjid") == "100002";
    CHECK(depends);
    const auto references = read("information_schema", "referential_constraints");
    REQUIRE(references.size() == 1);
    CHECK(references[0].at("unique_constraint_name") == "customers_pkey");
}

TEST_CASE_FIXTURE(Fixture, "views depend on their tables through their rule") {
    const auto rule = where("pg_rewrite", "ev_class", "100005");
    REQUIRE(rule.size() == 1);
    bool found = false;
    for (const Row& row : where("pg_depend", "objid", rule[0].at("oid")))
        found |= row.at("refobjid") == "100001" && row.at("deptype") == "n";
    CHECK(found);
}

TEST_CASE_FIXTURE(Fixture, "information_schema.columns describes types and hides dropped columns") {
    const auto rows = where("columns", "table_name", "customers", "admin", "information_schema");
    REQUIRE(rows.size() == 3);
    CHECK(rows[1].at("data_type") == "character varying");
    CHECK(rows[1].at("character_maximum_length") == "20");
    CHECK(rows[1].at("column_default") == "'x'");
    CHECK(rows[0].at("is_nullable") == "NO");
    CHECK(rows[2].at("numeric_precision") == "12");
    CHECK(rows[2].at("numeric_scale") == "2");
}

TEST_CASE_FIXTURE(Fixture, "who sees what") {
    const auto count = [&](std::string_view user) {
        return where("tables", "table_name", "customers", user, "information_schema").size();
    };
    CHECK(count("admin") == 1);
    CHECK(count("bob") == 1);
    CHECK(count("eve") == 0);
    CHECK(where("svv_all_columns", "table_name", "customers", "eve").empty());
    CHECK(where("svv_relation_privileges", "identity_name", "bob", "bob").size() == 1);
    CHECK(where("svv_relation_privileges", "identity_name", "bob", "eve").empty());
    for (const char* name : {"stl_query", "stv_recents", "sys_query_history", "stv_sessions",
                             "stl_load_errors", "sys_session_history", "stv_inflight"}) {
        CAPTURE(name);
        CHECK(!read("pg_catalog", name, "admin").empty());
        CHECK(!read("pg_catalog", name, "bob").empty());
        CHECK(read("pg_catalog", name, "eve").empty());
    }
    for (const char* name : {"svv_table_info", "stv_tbl_perm", "stv_blocklist", "pg_shadow"}) {
        CAPTURE(name);
        CHECK(!read("pg_catalog", name, "admin").empty());
        CHECK(read("pg_catalog", name, "bob").empty());
    }
    CHECK(read("pg_catalog", "svv_user_info", "bob").size() == 1);
    const auto activity = read("pg_catalog", "pg_stat_activity", "eve");
    REQUIRE(activity.size() == 1);
    CHECK(activity[0].at("current_query") == "<insufficient privilege>");
}

TEST_CASE_FIXTURE(Fixture, "no view shows a verifier") {
    for (const char* name : {"pg_user", "pg_shadow", "pg_user_info"})
        for (const Row& row : read("pg_catalog", name)) CHECK(row.at("passwd") == "********");
    for (const Row& row : read("pg_catalog", "pg_roles"))
        CHECK(row.at("rolpassword") == "********");
}

TEST_CASE_FIXTURE(Fixture, "svv_table_info and stv_blocklist tell the segments") {
    const auto info = read("pg_catalog", "svv_table_info");
    REQUIRE(info.size() == 1); // Orders is empty
    CHECK(info[0].at("diststyle") == "KEY(id)");
    CHECK(info[0].at("sortkey1") == "amount");
    CHECK(info[0].at("sortkey_num") == "2");
    CHECK(info[0].at("size") == "3");
    CHECK(info[0].at("tbl_rows") == "70000");
    CHECK(info[0].at("estimated_visible_rows") == "69990");
    CHECK(info[0].at("stats_off") == "100.00");
    CHECK(info[0].at("pct_used") == "0.3000");
    const auto blocks = read("pg_catalog", "stv_blocklist");
    REQUIRE(blocks.size() == 2);
    CHECK(blocks[0].at("num_values") == "65536");
    CHECK(blocks[1].at("num_values") == "4464");
    CHECK(blocks[1].at("minvalue") == "-5");
    CHECK(blocks[1].at("maxvalue") == "42");
}

TEST_CASE_FIXTURE(Fixture, "the history of statements") {
    const auto history = read("pg_catalog", "sys_query_history");
    REQUIRE(history.size() == 3);
    CHECK(history[0].at("elapsed_time") == "20");
    CHECK(unpadded(history[1].at("status")) == "failed");
    CHECK(unpadded(history[1].at("error_message")) == "no");
    CHECK(history[2].at("end_time") == "NULL");
    CHECK(history[2].at("elapsed_time") == "50");
    const auto pieces = where("stl_querytext", "query", "1");
    REQUIRE(pieces.size() == 3);
    CHECK(pieces[2].at("sequence") == "2");
    CHECK(unpadded(pieces[2].at("text")).size() == 50);
    CHECK(read("pg_catalog", "stl_ddltext").size() == 1);
    CHECK(read("pg_catalog", "stl_query").size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "generate_series") {
    const TableSource* series = registry.findFunction("generate_series", 2);
    REQUIRE(series != nullptr);
    CHECK(registry.findFunction("generate_series", 3) == series);
    const auto number = [](i64 n) { return Value::ofInteger(n, SqlType::integer()); };
    const Value up[] = {number(1), number(7), number(3)};
    CHECK(read(*series, "admin", up).size() == 3);
    const Value down[] = {number(5), number(1), number(-2)};
    const auto rows = read(*series, "admin", down);
    REQUIRE(rows.size() == 3);
    CHECK(rows[2].at("generate_series") == "1");
    const Value none[] = {number(2), number(1)};
    CHECK(read(*series, "admin", none).empty());
    const Value null[] = {number(2), Value::null(SqlType::integer())};
    CHECK(read(*series, "admin", null).empty());
    const auto fails = [&](std::span<const Value> arguments) {
        const Status status =
            series->read({snapshot}, arguments, [](std::span<const Value>) { return true; });
        return status ? std::string() : std::string(status.error().sqlstate);
    };
    const Value standing[] = {number(1), number(2), number(0)};
    CHECK(fails(standing) == sqlstate::kInvalidParameterValue);
    const Value text[] = {Value::ofText("a"), number(2)};
    CHECK(fails(text) == sqlstate::kUndefinedFunction);
    const Value far[] = {number(2147483647), Value::ofBigInt(2147483649)};
    CHECK(fails(far) == sqlstate::kNumericValueOutOfRange);
}

TEST_CASE_FIXTURE(Fixture, "pg_get_cols and pg_get_keywords") {
    const Value name[] = {Value::ofText("public.customers")};
    const auto rows = read(*registry.findFunction("pg_get_cols", 1), "admin", name);
    REQUIRE(rows.size() == 3);
    CHECK(rows[1].at("col_type") == "character varying(20)");
    CHECK(rows[2].at("col_num") == "3");
    const auto words = read(*registry.findFunction("pg_get_keywords", 0));
    CHECK(std::ranges::any_of(words, [](const Row& row) { return row.at("word") == "select"; }));
}

TEST_CASE("access lists quote grantees with blanks and merge letters") {
    const std::vector<Privilege> privileges = {
        {"public", "select"}, {"role r", "select"}, {"role r", "update", true}, {"bob", "all"}};
    CHECK(accessList(privileges, "admin", 'r') ==
          "{admin=arwdRxtDAP/admin,=r/admin,\"role r=rw*/admin\",bob=arwdRxtDAP/admin}");
    CHECK(!accessList({}, "admin", 'r'));
}

TEST_CASE("rights come from roles of roles, too") {
    CatalogSnapshot snapshot = *makeEmptyCatalog();
    User bob{.oid = 101, .name = "bob", .member_of = {"a"}};
    User a{.oid = 102, .name = "a", .is_role = true, .member_of = {"b"}};
    User b{.oid = 103, .name = "b", .is_role = true};
    for (const User& user : {bob, a, b}) snapshot.users[user.name] = std::make_shared<User>(user);
    const Rights rights(snapshot, "bob");
    const std::vector<Privilege> granted = {{"role b", "select"}};
    CHECK(rights.holds(granted, "admin", "select"));
    CHECK(!rights.holds(granted, "admin", "insert"));
    CHECK(rights.holdsAny(granted, "admin"));
    CHECK(!Rights(snapshot, "eve").holds(granted, "admin", "select"));
    CHECK(rights.isMember("b"));
    // A user of the role's name does not inherit what the role was given.
    CHECK(!Rights(snapshot, "b").holds(granted, "admin", "select"));
}

} // namespace
} // namespace blueshift::catalog
