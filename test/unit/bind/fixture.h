// fixture.h: a catalog in memory (TPC-H, a few small tables, views, users) and a binder over it.
//
// Place: for the unit tests of bind/. Every Fixture is a statement of its own.
#pragma once

#include <optional>
#include <string>

#include "bind/bind.h"
#include "doctest/doctest.h"
#include "parse/parse.h"

namespace blueshift::test {

/// What the tests bind against: made once, never changed.
std::shared_ptr<const catalog::CatalogSnapshot> makeCatalog();
const catalog::SourceRegistry& makeSources();

struct Fixture {
    Fixture();

    /// The printed plan of a query.
    std::string plan(std::string_view sql);
    bind::QueryPlan query(std::string_view sql);
    bind::BoundInsert insert(std::string_view sql);
    bind::BoundModify modify(std::string_view sql);
    /// The error that binding meets: "SQLSTATE position message"; "none" without one.
    std::string error(std::string_view sql);
    Error errorOf(std::string_view sql);
    /// Result columns: "name type, name type".
    std::string columns(std::string_view sql);
    /// The plan of SELECT <expression> FROM t, without what is around it.
    std::string expression(std::string_view sql);

    Arena arena;
    functions::SessionFacts session;
    bind::BindContext context;
    std::vector<SqlType> parameter_types;
};

} // namespace blueshift::test
