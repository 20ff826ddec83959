// What the fields of the tree hold, one statement family after the other.
#include <doctest/doctest.h>

#include "unit/parse/parse_support.h"

using namespace blueshift;
using namespace blueshift::parse;

namespace {

struct Parsed {
    Arena arena;
    List<Statement*> statements;
    explicit Parsed(std::string_view text) { statements = parse::parse(text, arena); }
    template <class T> const T& as() const {
        REQUIRE(statements.size() == 1);
        REQUIRE(statements[0]->is<T>());
        return *statements[0]->as<T>();
    }
};

const SelectQuery& selectOf(const Parsed& parsed) {
    return *parsed.as<Select>().query->as<SelectQuery>();
}

} // namespace

TEST_CASE("several statements know their ranges") {
    std::string text = " ;; select 1 ; -- c\n insert into t values ($3, 'a;b');commit  ";
    Parsed parsed(text);
    REQUIRE(parsed.statements.size() == 3);
    CHECK(parsed.statements[0]->text == "select 1");
    CHECK(parsed.statements[1]->text == "insert into t values ($3, 'a;b')");
    CHECK(parsed.statements[2]->text == "commit");
    for (const Statement* statement : parsed.statements)
        CHECK(text.substr(statement->begin, statement->end - statement->begin) == statement->text);
    CHECK(parsed.statements[0]->parameter_count == 0);
    CHECK(parsed.statements[1]->parameter_count == 3);
    CHECK(Parsed("").statements.empty());
    CHECK(Parsed(" ; -- x").statements.empty());
}

TEST_CASE("the tree outlives the text") {
    Arena arena;
    List<Statement*> statements;
    {
        std::string text = "select abc, 'text' from tab";
        statements = parse::parse(text, arena);
        text.assign(text.size(), '#');
    }
    CHECK(print(*statements[0]) == "SELECT abc, 'text' FROM tab");
}

TEST_CASE("set operations group by strength") {
    Parsed parsed(
        "select 1 union select 2 intersect select 3 except all select 4 order by 1 limit 2");
    const SetOperation* top = parsed.as<Select>().query->as<SetOperation>();
    REQUIRE(top->arms.size() == 2);
    CHECK(top->arms[0].op == SetOperator::kUnion);
    CHECK_FALSE(top->arms[0].all);
    CHECK(top->arms[0].query->as<SetOperation>()->arms[0].op == SetOperator::kIntersect);
    CHECK(top->arms[1].op == SetOperator::kExcept);
    CHECK(top->arms[1].all);
    CHECK(top->order_by.size() == 1);
    CHECK(top->limit != nullptr);
    CHECK(top->first->order_by.empty());
}

TEST_CASE("queries know their text") {
    std::string text = "select * from (with a as (select 1) select 2 order by 1) x";
    Parsed parsed(text);
    const Query* inner = selectOf(parsed).from[0]->as<FromQuery>()->query;
    CHECK(text.substr(inner->begin, inner->end - inner->begin) ==
          "with a as (select 1) select 2 order by 1");
}

TEST_CASE("joins lean to the left") {
    Parsed parsed("select * from a join b using (x) left join c on a.y = c.y natural join d");
    const FromJoin* top = selectOf(parsed).from[0]->as<FromJoin>();
    CHECK(top->natural);
    const FromJoin* middle = top->left->as<FromJoin>();
    CHECK(middle->type == JoinType::kLeft);
    CHECK(middle->on != nullptr);
    const FromJoin* first = middle->left->as<FromJoin>();
    REQUIRE(first->using_columns.size() == 1);
    CHECK(first->using_columns[0].name == "x");
    Parsed nested("select * from a join b join c on b.x = c.x on a.x = b.x");
    const FromJoin* outer = selectOf(nested).from[0]->as<FromJoin>();
    CHECK(outer->left->is<FromTable>());
    CHECK(outer->right->is<FromJoin>());
}

TEST_CASE("names of tables") {
    Parsed parsed("select * from d.s.t as x (a, b)");
    const FromTable* table = selectOf(parsed).from[0]->as<FromTable>();
    CHECK(table->name.database == "d");
    CHECK(table->name.schema == "s");
    CHECK(table->name.name == "t");
    CHECK(table->name.position == 14);
    CHECK(table->alias == "x");
    CHECK(table->columns.size() == 2);
}

TEST_CASE("functions in FROM with a definition list") {
    Parsed parsed("select * from f(1) cols(a name, b varchar(10))");
    const FromFunction* item = selectOf(parsed).from[0]->as<FromFunction>();
    CHECK(item->alias == "cols");
    REQUIRE(item->definitions.size() == 2);
    CHECK(item->definitions[1].name == "b");
    CHECK(item->definitions[1].type->modifiers[0] == 10);
    CHECK(item->columns.empty());
}

TEST_CASE("grouping sets") {
    Parsed parsed("select 1 from t group by a, rollup((b, c), d), grouping sets ((), cube(e))");
    const List<GroupItem*>& items = selectOf(parsed).group_by;
    REQUIRE(items.size() == 3);
    CHECK(items[0]->kind == GroupItemKind::kExpression);
    REQUIRE(items[1]->kind == GroupItemKind::kRollup);
    CHECK(items[1]->items[0]->expression->is<Row>());
    CHECK(items[2]->items[0]->kind == GroupItemKind::kEmpty);
    CHECK(items[2]->items[1]->kind == GroupItemKind::kCube);
}

TEST_CASE("insert, update, merge") {
    Parsed insert("insert into s.t (a, b) values (1, default), (2, 3)");
    CHECK(insert.as<Insert>().table.schema == "s");
    CHECK(insert.as<Insert>().columns.size() == 2);
    const ValuesQuery* values = insert.as<Insert>().query->as<ValuesQuery>();
    REQUIRE(values->rows.size() == 2);
    CHECK(values->rows[0][1]->is<DefaultValue>());
    Parsed update("update t x set a = default, b = c + 1 from u where d");
    CHECK(update.as<Update>().alias == "x");
    REQUIRE(update.as<Update>().assignments.size() == 2);
    CHECK(update.as<Update>().assignments[0].value->is<DefaultValue>());
    CHECK(update.as<Update>().assignments[1].column.name == "b");
    CHECK(update.as<Update>().from.size() == 1);
    Parsed merge(
        "merge into t using s on x when matched then update set a = 1 when not matched then "
        "insert values (1, default)");
    REQUIRE(merge.as<Merge>().branches.size() == 2);
    CHECK(merge.as<Merge>().branches[1].values[1]->is<DefaultValue>());
    CHECK_FALSE(merge.as<Merge>().branches[1].matched);
}

TEST_CASE("tables") {
    Parsed parsed(
        "create temp table if not exists s.t (a bigint identity(5, -2) encode AZ64 not null "
        "sortkey, "
        "b varchar(10) default 'x' || 'y' collate ci, like u, constraint c primary key (a, b)) "
        "diststyle key distkey (b) interleaved sortkey (a, b) backup no");
    const CreateTable& table = parsed.as<CreateTable>();
    CHECK(table.temporary);
    CHECK(table.if_not_exists);
    REQUIRE(table.columns.size() == 2);
    CHECK(table.columns[0]->identity.kind == IdentityKind::kAlways);
    CHECK(table.columns[0]->identity.seed == 5);
    CHECK(table.columns[0]->identity.step == -2);
    CHECK(table.columns[0]->encoding == "az64");
    CHECK(table.columns[0]->nullability == Nullability::kNotNull);
    CHECK(table.columns[0]->sort_key);
    CHECK(table.columns[1]->default_text == "'x' || 'y'");
    CHECK(table.columns[1]->collation == Collation::kCaseInsensitive);
    CHECK(table.like.size() == 1);
    REQUIRE(table.constraints.size() == 1);
    CHECK(table.constraints[0]->name == "c");
    CHECK(table.constraints[0]->columns.size() == 2);
    CHECK(table.attributes.dist_style == DistStyle::kKey);
    CHECK(table.attributes.dist_key.name == "b");
    CHECK(table.attributes.sort_style == SortStyle::kInterleaved);
    CHECK(table.attributes.sort_key.size() == 2);
    CHECK(table.attributes.backup == Tristate::kNo);
    Parsed copy("create table t (x) distkey (x) as select 1 -- end");
    CHECK(copy.as<CreateTable>().query_text == "select 1");
    CHECK(copy.as<CreateTable>().column_names.size() == 1);
    CHECK(Parsed("create table #x (a int)").as<CreateTable>().temporary);
}

TEST_CASE("views keep the text of their query") {
    Parsed parsed(
        "create or replace view s.v (a) as select 'x' -- c\n from t with no schema binding;");
    const CreateView& view = parsed.as<CreateView>();
    CHECK(view.or_replace);
    CHECK(view.late_binding);
    CHECK(view.query_text == "select 'x' -- c\n from t");
    Arena arena;
    CHECK(parseQuery(view.query_text, arena)->is<SelectQuery>());
}

TEST_CASE("alter table") {
    Parsed parsed("alter table t alter column a encode lzo, alter column b encode ZSTD");
    REQUIRE(parsed.as<AlterTable>().steps.size() == 2);
    CHECK(parsed.as<AlterTable>().steps[1].encoding == "zstd");
    Parsed style("alter table t alter diststyle key distkey c");
    CHECK(style.as<AlterTable>().steps[0].attributes.dist_style == DistStyle::kKey);
    CHECK(style.as<AlterTable>().steps[0].attributes.dist_key.name == "c");
    Parsed append("alter table t append from s.u filltarget");
    CHECK(append.as<AlterTable>().steps[0].other.schema == "s");
    CHECK(append.as<AlterTable>().steps[0].fill_target);
}

TEST_CASE("copy options of both dialects") {
    Parsed redshift(
        "copy s.t (a, b) from 's3://b/k' iam_role default format as json 's3://p' null as '\\N' "
        "ignoreheader 1 maxerror as 10 compupdate off gzip credentials 'x' dateformat auto");
    const List<Option>& options = redshift.as<Copy>().options;
    auto find = [&](const List<Option>& all, std::string_view name) -> const Option* {
        for (const Option& option : all)
            if (option.name == name) return &option;
        return nullptr;
    };
    REQUIRE(find(options, "iam_role") != nullptr);
    CHECK(find(options, "iam_role")->argument == OptionArgument::kWord);
    CHECK(find(options, "iam_role")->text == "default");
    CHECK(find(options, "json")->text == "s3://p");
    CHECK(find(options, "null")->text == "\\N");
    CHECK(find(options, "ignoreheader")->integer == 1);
    CHECK(find(options, "maxerror")->integer == 10);
    CHECK(find(options, "compupdate")->text == "off");
    CHECK(find(options, "gzip")->argument == OptionArgument::kNone);
    CHECK(find(options, "credentials")->secret);
    CHECK_FALSE(find(options, "iam_role")->secret);
    CHECK(find(options, "dateformat")->text == "auto");
    CHECK(redshift.as<Copy>().columns.size() == 2);

    Parsed postgres(
        "copy t from stdin with (format csv, header, delimiter E'\\t', force_null (a, b))");
    const Copy& copy = postgres.as<Copy>();
    CHECK(copy.place == CopyPlace::kStdin);
    REQUIRE(copy.options.size() == 4);
    CHECK(copy.options[0].name == "csv");
    CHECK(copy.options[1].name == "header");
    CHECK(copy.options[2].text == "\t");
    CHECK(copy.options[3].columns.size() == 2);

    Parsed out("copy (select 1) to stdout with csv header force quote a, b null as ''");
    CHECK(out.as<Copy>().direction == CopyDirection::kTo);
    CHECK(out.as<Copy>().query != nullptr);
    CHECK(out.as<Copy>().options.size() == 4);

    Parsed unload(
        "unload ('select ''a''') to 's3://x' iam_role 'r' partition by (a, b) include "
        "maxfilesize 5 gb parallel off");
    CHECK(unload.as<Unload>().query_text == "select 'a'");
    CHECK(unload.as<Unload>().query->is<SelectQuery>());
    CHECK(find(unload.as<Unload>().options, "partition_by")->columns.size() == 2);
    CHECK(find(unload.as<Unload>().options, "maxfilesize_unit")->text == "gb");
    CHECK(find(unload.as<Unload>().options, "include") != nullptr);
}

TEST_CASE("set and show") {
    Parsed path("set search_path to '$user', Public, \"X\"");
    REQUIRE(path.as<Set>().values.size() == 3);
    CHECK(path.as<Set>().values[0].text == "$user");
    CHECK(path.as<Set>().values[1].text == "public");
    CHECK(Parsed("set local x = -1.5").as<Set>().values[0].text == "-1.5");
    CHECK(Parsed("set local x = 1").as<Set>().scope == SetScope::kLocal);
    CHECK(Parsed("set My.Var = 'x'").as<Set>().name == "my.var");
    CHECK(Parsed("set x to default").as<Set>().to_default);
    CHECK(Parsed("set time zone 'utc'").as<Set>().name == "timezone");
    CHECK(Parsed("set session authorization bob").as<Set>().target ==
          SetTarget::kSessionAuthorization);
    Parsed modes(
        "set session characteristics as transaction isolation level serializable, read only");
    CHECK(modes.as<Set>().isolation == IsolationLevel::kSerializable);
    CHECK(modes.as<Set>().access == AccessMode::kReadOnly);
    CHECK(Parsed("show transaction isolation level").as<Show>().name == "transaction_isolation");
    CHECK(Parsed("show external").as<Show>().show == ShowKind::kParameter);
    CHECK(errorOf("show external table").sqlstate == sqlstate::kSyntaxError);
    Parsed tables("show tables from schema d.s like 'x%' limit 3");
    CHECK(tables.as<Show>().show == ShowKind::kTables);
    CHECK(tables.as<Show>().object.database == "d");
    CHECK(tables.as<Show>().object.name == "s");
    CHECK(tables.as<Show>().like->as<Literal>()->text == "x%");
    CHECK(tables.as<Show>().limit->as<Literal>()->text == "3");
}

TEST_CASE("users and rights") {
    Parsed user(
        "create user bob with password 'p' createuser nocreatedb valid until '2030-01-01' "
        "connection limit unlimited session timeout 60");
    const UserOptions& options = user.as<CreateUser>().options;
    CHECK(options.password == "p");
    CHECK(options.create_user == Tristate::kYes);
    CHECK(options.create_database == Tristate::kNo);
    CHECK(options.connection_limit == kUnlimited);
    CHECK(options.session_timeout_seconds == 60);
    CHECK(Parsed("alter user bob password disable").as<AlterUser>().options.password_kind ==
          PasswordKind::kDisabled);
    Parsed grant(
        "grant select (a, b), update on all tables in schema x, d.y to bob with grant option, "
        "role r, group g, public");
    const Grant& rights = grant.as<Grant>();
    CHECK(rights.all_in_schema);
    CHECK(rights.privileges[0].columns.size() == 2);
    CHECK(rights.names[1].database == "d");
    REQUIRE(rights.grantees.size() == 4);
    CHECK(rights.grantees[0].with_option);
    CHECK(rights.grantees[1].kind == GranteeKind::kRole);
    CHECK(rights.grantees[2].kind == GranteeKind::kGroup);
    CHECK(rights.grantees[3].kind == GranteeKind::kPublic);
    Parsed system("grant create user, drop table to role sys:r");
    CHECK(system.as<Grant>().object == ObjectKind::kSystem);
    CHECK(system.as<Grant>().privileges[0].name == "create user");
    CHECK(system.as<Grant>().grantees[0].name == "sys:r");
}

TEST_CASE("explain, cursors and transactions") {
    Parsed explain("explain (analyze, verbose off, codegen, format json) select 1");
    CHECK(explain.as<Explain>().analyze);
    CHECK_FALSE(explain.as<Explain>().verbose);
    CHECK(explain.as<Explain>().codegen);
    CHECK(explain.as<Explain>().options[0].text == "json");
    CHECK(explain.as<Explain>().statement->text == "select 1");
    CHECK(Parsed("fetch forward 7 from c").as<Fetch>().count == 7);
    CHECK(Parsed("fetch all in c").as<Fetch>().all);
    CHECK(Parsed("fetch next").as<Fetch>().cursor == "next");
    CHECK(Parsed("declare c cursor with hold for select 1").as<Declare>().with_hold);
    CHECK(Parsed("end").as<Transaction>().action == TransactionAction::kCommit);
    CHECK(Parsed("begin read only").as<Transaction>().access == AccessMode::kReadOnly);
    CHECK(Parsed("vacuum delete only t to 99 percent boost").as<Vacuum>().threshold_percent == 99);
}

TEST_CASE("words that are not reserved are names") {
    for (
        const char* text :
        {"select day, month, name, type, value, level, date, time, format, position, filter, over, "
         "row, rows, range, values, set, temp, at, key, view, schema, first, last from t",
         "create table copy (begin int, commit int, delete int, update int, insert int)",
         "select x begin, y over, z filter, a exclude from t temp",
         "select t.select, t.from, t.user from t as t", "select 1 as end, 2 as user, 3 as order"}) {
        CAPTURE(std::string(text));
        CHECK(errorOf(text).message == "");
    }
}
