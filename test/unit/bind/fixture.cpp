#include "unit/bind/fixture.h"

namespace blueshift::test {
namespace {

using catalog::Column;
using catalog::Oid;

struct TableBuilder {
    std::shared_ptr<catalog::Table> table = std::make_shared<catalog::Table>();

    TableBuilder(Oid oid, std::string name, Oid schema = catalog::kPublicSchema) {
        table->oid = oid;
        table->name = std::move(name);
        table->schema = schema;
    }
    TableBuilder& add(std::string name, SqlType type, bool not_null = true) {
        Column column;
        column.id = table->next_column_id++;
        column.name = std::move(name);
        column.type = type;
        column.not_null = not_null;
        table->columns.push_back(std::move(column));
        return *this;
    }
    TableBuilder& standard(std::string sql) {
        table->columns.back().default_sql = std::move(sql);
        return *this;
    }
};

constexpr Oid kPrivateSchema = 100900;

void addTpch(catalog::CatalogSnapshot& snapshot) {
    const SqlType key = SqlType::bigInt();
    const SqlType money = SqlType::decimal(15, 2);
    const auto text = [](int n) { return SqlType::varchar(n); };
    const auto add = [&](TableBuilder& builder) {
        snapshot.tables[builder.table->oid] = builder.table;
    };
    add(TableBuilder(100001, "region")
            .add("r_regionkey", key)
            .add("r_name", text(25))
            .add("r_comment", text(152)));
    add(TableBuilder(100002, "nation")
            .add("n_nationkey", key)
            .add("n_name", text(25))
            .add("n_regionkey", key)
            .add("n_comment", text(152)));
    add(TableBuilder(100003, "supplier")
            .add("s_suppkey", key)
            .add("s_name", SqlType::character(25))
            .add("s_address", text(40))
            .add("s_nationkey", key)
            .add("s_phone", SqlType::character(15))
            .add("s_acctbal", money)
            .add("s_comment", text(101)));
    add(TableBuilder(100004, "customer")
            .add("c_custkey", key)
            .add("c_name", text(25))
            .add("c_address", text(40))
            .add("c_nationkey", key)
            .add("c_phone", SqlType::character(15))
            .add("c_acctbal", money)
            .add("c_mktsegment", SqlType::character(10))
            .add("c_comment", text(117)));
    add(TableBuilder(100005, "part")
            .add("p_partkey", key)
            .add("p_name", text(55))
            .add("p_mfgr", SqlType::character(25))
            .add("p_brand", SqlType::character(10))
            .add("p_type", text(25))
            .add("p_size", SqlType::integer())
            .add("p_container", SqlType::character(10))
            .add("p_retailprice", money)
            .add("p_comment", text(23)));
    add(TableBuilder(100006, "partsupp")
            .add("ps_partkey", key)
            .add("ps_suppkey", key)
            .add("ps_availqty", SqlType::integer())
            .add("ps_supplycost", money)
            .add("ps_comment", text(199)));
    add(TableBuilder(100007, "orders")
            .add("o_orderkey", key)
            .add("o_custkey", key)
            .add("o_orderstatus", SqlType::character(1))
            .add("o_totalprice", money)
            .add("o_orderdate", SqlType::date())
            .add("o_orderpriority", SqlType::character(15))
            .add("o_clerk", SqlType::character(15))
            .add("o_shippriority", SqlType::integer())
            .add("o_comment", text(79)));
    add(TableBuilder(100008, "lineitem")
            .add("l_orderkey", key)
            .add("l_partkey", key)
            .add("l_suppkey", key)
            .add("l_linenumber", SqlType::integer())
            .add("l_quantity", money)
            .add("l_extendedprice", money)
            .add("l_discount", money)
            .add("l_tax", money)
            .add("l_returnflag", SqlType::character(1))
            .add("l_linestatus", SqlType::character(1))
            .add("l_shipdate", SqlType::date())
            .add("l_commitdate", SqlType::date())
            .add("l_receiptdate", SqlType::date())
            .add("l_shipinstruct", SqlType::character(25))
            .add("l_shipmode", SqlType::character(10))
            .add("l_comment", text(44)));
}

void addSmallTables(catalog::CatalogSnapshot& snapshot) {
    const auto add = [&](TableBuilder& builder) {
        snapshot.tables[builder.table->oid] = builder.table;
    };
    add(TableBuilder(100100, "t")
            .add("a", SqlType::integer())
            .add("b", SqlType::bigInt(), false)
            .add("c", SqlType::varchar(20), false)
            .add("d", SqlType::date(), false)
            .add("n", SqlType::decimal(10, 2), false)
            .add("ts", SqlType::timestamp(), false)
            .add("f", SqlType::boolean(), false)
            .add("x", SqlType::doublePrecision(), false));
    add(TableBuilder(100101, "u")
            .add("a", SqlType::integer())
            .add("e", SqlType::varchar(5), false));
    TableBuilder defaults(100102, "defaults");
    defaults.add("id", SqlType::bigInt())
        .add("name", SqlType::varchar(10), false)
        .standard("'none'")
        .add("count", SqlType::smallInt(), false)
        .standard("1 + 1")
        .add("note", SqlType::varchar(50), false);
    defaults.table->columns[0].is_identity = true;
    add(defaults);
    TableBuilder hidden(100103, "hidden", kPrivateSchema);
    add(hidden.add("a", SqlType::integer()));
    TableBuilder shared(100104, "shared");
    shared.add("a", SqlType::integer()).add("b", SqlType::integer());
    shared.table->privileges = {{"role readers", "select", false}};
    add(shared);
}

void addViews(catalog::CatalogSnapshot& snapshot) {
    const auto add = [&](Oid oid, std::string name, std::string query,
                         std::vector<catalog::ViewColumn> columns) {
        auto view = std::make_shared<catalog::View>();
        view->oid = oid;
        view->name = std::move(name);
        view->query = std::move(query);
        view->search_path = "\"$user\", public";
        view->columns = std::move(columns);
        view->late_binding = view->columns.empty();
        view->privileges = {{"public", "select", false}};
        snapshot.views[oid] = std::move(view);
    };
    add(100200, "v", "select a, count(*) from t group by a",
        {{"key", SqlType::integer()}, {"rows", SqlType::bigInt()}});
    add(100201, "broken", "select nothing from t", {});
    add(100202, "itself", "select * from itself", {});
}

class TestSource final : public catalog::TableSource {
public:
    TestSource(std::string schema, std::string name, std::vector<catalog::SourceColumn> columns)
        : schema_(std::move(schema)), name_(std::move(name)), columns_(std::move(columns)) {}
    std::string_view schema() const override { return schema_; }
    std::string_view name() const override { return name_; }
    std::span<const catalog::SourceColumn> columns() const override { return columns_; }
    Status read(const catalog::SourceContext&, std::span<const Value>,
                const catalog::RowSink&) const override {
        return {};
    }

private:
    std::string schema_;
    std::string name_;
    std::vector<catalog::SourceColumn> columns_;
};

/// SELECT x as SELECT.query of a statement list with one entry.
const parse::Statement& only(const List<parse::Statement*>& statements) {
    REQUIRE(statements.size() == 1);
    return *statements[0];
}

} // namespace

std::shared_ptr<const catalog::CatalogSnapshot> makeCatalog() {
    auto snapshot = std::make_shared<catalog::CatalogSnapshot>(*catalog::makeEmptyCatalog());
    auto schema = std::make_shared<catalog::Schema>();
    schema->oid = kPrivateSchema;
    schema->name = "private";
    snapshot->schemas[kPrivateSchema] = std::move(schema);
    addTpch(*snapshot);
    addSmallTables(*snapshot);
    addViews(*snapshot);
    const auto user = [&](std::string name, bool superuser, std::vector<std::string> member_of) {
        auto entry = std::make_shared<catalog::User>();
        entry->name = name;
        entry->superuser = superuser;
        entry->member_of = std::move(member_of);
        snapshot->users[name] = std::move(entry);
    };
    user("admin", true, {});
    user("guest", false, {"analysts"});
    user("analysts", false, {"readers"});
    user("readers", false, {});
    snapshot->indexNames();
    return snapshot;
}

const catalog::SourceRegistry& makeSources() {
    static const catalog::SourceRegistry* const kSources = [] {
        auto* sources = new catalog::SourceRegistry();
        sources->add(std::make_unique<TestSource>(
            "pg_catalog", "pg_class",
            std::vector<catalog::SourceColumn>{{"oid", SqlType::of(TypeKind::kOid)},
                                               {"relname", SqlType::of(TypeKind::kName)}}));
        sources->addFunction(
            std::make_unique<TestSource>(
                "pg_catalog", "generate_series",
                std::vector<catalog::SourceColumn>{{"generate_series", SqlType::bigInt()}}),
            2, 3);
        sources->addFunction(
            std::make_unique<TestSource>("pg_catalog", "two_columns",
                                         std::vector<catalog::SourceColumn>{
                                             {"p", SqlType::text()}, {"q", SqlType::integer()}}),
            0, 0);
        return sources;
    }();
    return *kSources;
}

Fixture::Fixture() {
    context.arena = &arena;
    context.catalog = makeCatalog();
    context.sources = &makeSources();
    context.session = &session;
    context.search_path = {"$user", "public"};
    context.parameter_types = &parameter_types;
}

bind::QueryPlan Fixture::query(std::string_view sql) {
    context.text = sql;
    const auto statements = parse::parse(sql, arena);
    return bind::bindQuery(*only(statements).as<parse::Select>()->query, context);
}

std::string Fixture::plan(std::string_view sql) {
    return "\n" + bind::printLogical(query(sql));
}

bind::BoundInsert Fixture::insert(std::string_view sql) {
    context.text = sql;
    const auto statements = parse::parse(sql, arena);
    return bind::bindInsert(*only(statements).as<parse::Insert>(), context);
}

bind::BoundModify Fixture::modify(std::string_view sql) {
    context.text = sql;
    const auto statements = parse::parse(sql, arena);
    const parse::Statement& statement = only(statements);
    if (statement.is<parse::Update>())
        return bind::bindUpdate(*statement.as<parse::Update>(), context);
    return bind::bindDelete(*statement.as<parse::Delete>(), context);
}

Error Fixture::errorOf(std::string_view sql) {
    try {
        context.text = sql;
        const auto statements = parse::parse(sql, arena);
        const parse::Statement& statement = only(statements);
        if (statement.is<parse::Select>())
            bind::bindQuery(*statement.as<parse::Select>()->query, context);
        else if (statement.is<parse::Insert>())
            bind::bindInsert(*statement.as<parse::Insert>(), context);
        else modify(sql);
    } catch (const SqlError& error) {
        return error.error();
    }
    return Error("none", "none");
}

std::string Fixture::error(std::string_view sql) {
    const Error met = errorOf(sql);
    return met.sqlstate + " " + std::to_string(met.position) + " " + met.message;
}

std::string Fixture::columns(std::string_view sql) {
    std::string text;
    for (const bind::ResultColumn& column : query(sql).columns)
        text +=
            (text.empty() ? "" : ", ") + std::string(column.name) + " " + formatType(column.type);
    return text;
}

std::string Fixture::expression(std::string_view sql) {
    const std::string text = plan("select " + std::string(sql) + " as r from t");
    const size_t start = text.find("r := ");
    if (start == text.npos) return text;
    return text.substr(start + 5, text.find('\n', start) - start - 5);
}

} // namespace blueshift::test
