// Which transactions may commit beside each other, and what the others are told.
#include "unit/transaction/fixture.h"

namespace blueshift::transaction::test {
namespace {

struct Fixture {
    Place place;
    Oid table = 0;
    Fixture() {
        REQUIRE(place.open());
        table = createTable(*place.database, "t");
        REQUIRE(append(*place.database, table, "s1"));
        REQUIRE(append(*place.database, table, "s2"));
    }
    Database& database() { return *place.database; }
    std::string now() { return contents(*database().committed(), table); }
    std::unique_ptr<Transaction> begin() {
        auto transaction = database().begin();
        transaction->view();
        return transaction;
    }
    void remove(Transaction& transaction, u64 segment, std::initializer_list<u32> rows) {
        transaction.deleteRows({table, segment, rowBits(rows)});
    }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "the same row deleted twice: the second gets 40001 with both ids") {
    auto a = begin();
    auto b = begin();
    remove(*a, 1, {3, 4});
    remove(*b, 1, {4, 5});
    REQUIRE(a->commit());
    const u64 first = a->id();
    const u64 second = b->id();
    const Status late = b->commit();
    REQUIRE(!late);
    CHECK(late.error().sqlstate == "40001");
    CHECK(late.error().message.starts_with("1023 "));
    CHECK(late.error().message.find("public.t") != std::string::npos);
    CHECK(late.error().message.find(fmt::format("{}, {}", second, first)) != std::string::npos);
    CHECK(now() == "s1-2 s2");
}

TEST_CASE_FIXTURE(Fixture, "different rows of one segment merge") {
    auto a = begin();
    auto b = begin();
    remove(*a, 1, {3});
    remove(*b, 1, {99});
    REQUIRE(a->commit());
    REQUIRE(b->commit());
    CHECK(now() == "s1-2 s2");
}

TEST_CASE_FIXTURE(Fixture, "appends never conflict; both segments stay with ascending ids") {
    auto a = begin();
    auto b = begin();
    a->addSegments(table, {makeSegment("a")}, {{1, 2}});
    b->addSegments(table, {makeSegment("b")}, {{1, 8}});
    // b deletes a row of its own new segment, whose id changes at commit.
    b->deleteRows({table, 3, rowBits({7})});
    REQUIRE(a->commit());
    REQUIRE(b->commit());
    CHECK(now() == "s1 s2 a b-1");
    const auto committed = database().committed()->tables.at(table);
    CHECK(committed->segments->at(3).segment->id == 4);
    CHECK(committed->next_segment_id == 5);
    CHECK(committed->columns[0].width_class == 8);
}

TEST_CASE_FIXTURE(Fixture, "removing all rows keeps appends and conflicts with deletes") {
    auto a = begin();
    auto b = begin();
    auto c = begin();
    a->addSegments(table, {makeSegment("a")}, {});
    b->removeAllRows(table);
    remove(*c, 2, {1});
    REQUIRE(a->commit());
    REQUIRE(b->commit());
    CHECK(now() == "a");
    CHECK(stateOf(c->commit()) == "40001");
    auto d = begin();
    auto e = begin();
    remove(*d, 3, {1});
    e->removeAllRows(table);
    REQUIRE(d->commit());
    CHECK(stateOf(e->commit()) == "40001");
}

TEST_CASE_FIXTURE(Fixture, "drop and alter stop writers that read before") {
    auto writer = begin();
    auto altered = begin();
    auto other_alter = begin();
    writer->addSegments(table, {makeSegment("w")}, {});
    auto definition = makeTable(table, "t");
    definition->schema_version = 1;
    altered->putTable(definition);
    other_alter->putTable(definition);
    REQUIRE(altered->commit());
    CHECK(stateOf(writer->commit()) == "40001");
    CHECK(stateOf(other_alter->commit()) == "40001");
    CHECK(now() == "s1 s2");
    auto late = begin();
    auto twice = begin();
    auto drop = begin();
    remove(*late, 1, {1});
    drop->dropTable(table);
    twice->dropTable(table);
    REQUIRE(drop->commit());
    CHECK(stateOf(late->commit()) == "40001");
    CHECK(stateOf(twice->commit()) == "40001");
}

TEST_CASE_FIXTURE(Fixture, "a definition changed by two without a new version conflicts") {
    auto a = begin();
    auto b = begin();
    auto appender = begin();
    auto renamed = makeTable(table, "t2");
    auto owned = makeTable(table, "t");
    owned->owner = "bob";
    a->putTable(renamed);
    b->putTable(owned);
    appender->addSegments(table, {makeSegment("x")}, {});
    REQUIRE(a->commit());
    CHECK(stateOf(b->commit()) == "40001");
    REQUIRE(appender->commit());
    CHECK(now() == "s1 s2 x");
}

TEST_CASE_FIXTURE(Fixture, "two creations of one name: 42P07, 42P06, 42710") {
    auto a = begin();
    auto b = begin();
    auto c = begin();
    a->putTable(makeTable(a->newOid(), "n"));
    b->putTable(makeTable(b->newOid(), "n"));
    auto view = std::make_shared<catalog::View>();
    view->oid = c->newOid();
    view->name = "n";
    c->putView(view);
    REQUIRE(a->commit());
    CHECK(stateOf(b->commit()) == "42P07");
    CHECK(stateOf(c->commit()) == "42P07");
    auto schema = [](Oid oid) {
        auto made = std::make_shared<catalog::Schema>();
        made->oid = oid;
        made->name = "s";
        return made;
    };
    auto d = begin();
    auto e = begin();
    d->putSchema(schema(d->newOid()));
    e->putSchema(schema(e->newOid()));
    REQUIRE(d->commit());
    CHECK(stateOf(e->commit()) == "42P06");
    auto user = std::make_shared<catalog::User>();
    user->name = "u";
    auto f = begin();
    auto g = begin();
    f->putUser(user);
    g->putUser(std::make_shared<catalog::User>(*user));
    REQUIRE(f->commit());
    CHECK(stateOf(g->commit()) == "42710");
}

TEST_CASE_FIXTURE(Fixture, "drop and create of one name in one transaction") {
    auto a = begin();
    a->dropTable(table);
    const Oid fresh = a->newOid();
    a->putTable(makeTable(fresh, "t"));
    REQUIRE(a->commit());
    CHECK(database().committed()->findTable(catalog::kPublicSchema, "t")->oid == fresh);
}

TEST_CASE_FIXTURE(Fixture, "creations in what others drop, drops of what others use") {
    auto make = begin();
    auto schema = std::make_shared<catalog::Schema>();
    schema->oid = make->newOid();
    schema->name = "s";
    make->putSchema(schema);
    REQUIRE(make->commit());
    auto drop = begin();
    auto create = begin();
    auto drop_late = begin();
    auto in_schema = makeTable(create->newOid(), "x");
    in_schema->schema = schema->oid;
    create->putTable(in_schema);
    drop->dropSchema(schema->oid);
    drop_late->dropSchema(schema->oid);
    SUBCASE("drop first") {
        REQUIRE(drop->commit());
        CHECK(stateOf(create->commit()) == "3F000");
    }
    SUBCASE("create first") {
        REQUIRE(create->commit());
        CHECK(stateOf(drop->commit()) == "2BP01");
    }
    auto view_maker = begin();
    auto dropper = begin();
    auto view = std::make_shared<catalog::View>();
    view->oid = view_maker->newOid();
    view->name = "v";
    view->depends_on = {table};
    view_maker->putView(view);
    dropper->dropTable(table);
    SUBCASE("table dropped first") {
        REQUIRE(dropper->commit());
        CHECK(stateOf(view_maker->commit()) == "42P01");
    }
    SUBCASE("view made first") {
        REQUIRE(view_maker->commit());
        CHECK(stateOf(dropper->commit()) == "2BP01");
    }
}

TEST_CASE_FIXTURE(Fixture, "own changes are seen; rollback and restore take them back") {
    auto a = begin();
    a->addSegments(table, {makeSegment("a")}, {});
    const u64 mark = a->mark();
    a->deleteRows({table, 3, rowBits({1})});
    remove(*a, 1, {5});
    CHECK(contents(*a->view(), table) == "s1-1 s2 a-1");
    a->restore(mark);
    CHECK(contents(*a->view(), table) == "s1 s2 a");
    CHECK(now() == "s1 s2");
    const auto held = a->view();
    remove(*a, 2, {0});
    CHECK(contents(*held, table) == "s1 s2 a");
    a->rollback();
    CHECK(now() == "s1 s2");
    CHECK(stateOf(a->commit()) == "25P01");
}

TEST_CASE_FIXTURE(Fixture, "refresh takes a new snapshot only while nothing changed") {
    auto a = begin();
    REQUIRE(append(database(), table, "new"));
    CHECK(contents(*a->view(), table) == "s1 s2");
    a->refresh();
    CHECK(contents(*a->view(), table) == "s1 s2 new");
    a->removeAllRows(table);
    REQUIRE(append(database(), table, "newer"));
    a->refresh();
    CHECK(contents(*a->view(), table) == "");
}

TEST_CASE_FIXTURE(Fixture, "temporary tables stay in their session and out of the log") {
    SessionCatalog session(12);
    const u64 lsn = database().committed()->lsn;
    Oid temporary = 0;
    {
        auto a = database().begin(&session);
        temporary = a->newOid();
        auto definition = makeTable(temporary, "t");
        definition->schema = kTemporarySchema;
        definition->temporary = true;
        a->putTable(definition);
        a->addSegments(temporary, {makeSegment("tmp1")}, {});
        CHECK(a->view()->findSchema("pg_temp_12") != nullptr);
        REQUIRE(a->commit());
    }
    CHECK(database().committed()->lsn == lsn);
    auto b = database().begin(&session);
    CHECK(contents(*b->view(), temporary) == "tmp1");
    CHECK(b->view()->findTable(kTemporarySchema, "t")->oid == temporary);
    b->deleteRows({temporary, 1, rowBits({1, 2})});
    b->addSegments(table, {makeSegment("p")}, {});
    REQUIRE(b->commit());
    auto c = database().begin(&session);
    CHECK(contents(*c->view(), temporary) == "tmp1-2");
    CHECK(contents(*c->view(), table) == "s1 s2 p");
    c->dropTable(temporary);
    c->rollback();
    auto d = database().begin(&session);
    CHECK(contents(*d->view(), temporary) == "tmp1-2");
    CHECK(contents(*database().begin()->view(), temporary) == "(none)");
    d->rollback(); // no transaction outlives its database
    REQUIRE(place.open());
    CHECK(contents(*database().committed(), temporary) == "(none)");
}

} // namespace blueshift::transaction::test
