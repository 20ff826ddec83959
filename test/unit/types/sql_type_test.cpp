#include "types/sql_type.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "types/value.h"

using namespace blueshift;

namespace {
SqlType named(std::string_view name, std::initializer_list<i64> modifiers = {}) {
    return typeFromName(name, modifiers.begin(), u32(modifiers.size()));
}
std::string errorOf(std::string_view name, std::initializer_list<i64> modifiers = {}) {
    try {
        named(name, modifiers);
    } catch (const SqlError& error) {
        return error.error().sqlstate;
    }
    return "none";
}
} // namespace

TEST_CASE("names give Redshift's defaults") {
    CHECK(named("varchar") == SqlType::varchar(256));
    CHECK(named("CHAR") == SqlType::character(1));
    CHECK(named("bpchar") == SqlType::character(256));
    CHECK(named("numeric") == SqlType::decimal(18, 0));
    CHECK(named("decimal", {12, 2}) == SqlType::decimal(12, 2));
    CHECK(named("varchar", {-1}) == SqlType::varchar(65535));
    CHECK(named("character  varying", {10}) == SqlType::varchar(10));
    CHECK(named("float") == SqlType::doublePrecision());
    CHECK(named("float", {24}) == SqlType::real());
    CHECK(named("timestamp with time zone") == SqlType::timestampTz());
    CHECK(named("pg_catalog.int4") == SqlType::integer());
}

TEST_CASE("unknown names and bad modifiers are errors") {
    CHECK(errorOf("integr") == "42704");
    CHECK(errorOf("varchar", {0}) == "22023");
    CHECK(errorOf("varchar", {65536}) == "22023");
    CHECK(errorOf("char", {4097}) == "22023");
    CHECK(errorOf("numeric", {39, 0}) == "22023");
    CHECK(errorOf("numeric", {10, 11}) == "22023");
    CHECK(errorOf("int", {4}) == "22023");
}

TEST_CASE("every type survives the way to an OID and back") {
    for (u8 kind = 1; kind < u8(TypeKind::kVoid); ++kind) {
        SqlType type = SqlType::of(TypeKind(kind));
        if (type.kind == TypeKind::kDecimal) type = SqlType::decimal(20, 5);
        if (type.kind == TypeKind::kChar || type.kind == TypeKind::kVarchar) type.length = 17;
        const auto back = typeFromOid(typeOid(type.kind), typeModifier(type));
        REQUIRE(back.has_value());
        CHECK(*back == type);
        CHECK(named(typeName(type.kind) == "char" ? "\"char\"" : typeName(type.kind),
                    type.kind == TypeKind::kDecimal ? std::initializer_list<i64>{20, 5}
                    : type.length > 0               ? std::initializer_list<i64>{17}
                                                    : std::initializer_list<i64>{}) == type);
    }
    CHECK_FALSE(typeFromOid(424242, -1).has_value());
}

TEST_CASE("types print as format_type prints them") {
    CHECK(formatType(SqlType::varchar(25)) == "character varying(25)");
    CHECK(formatType(SqlType::decimal(15, 2)) == "numeric(15,2)");
    CHECK(formatType(SqlType::timestamp()) == "timestamp without time zone");
    CHECK(typeModifier(SqlType::decimal(15, 2)) == ((15 << 16) | 2) + 4);
    CHECK(typeModifier(SqlType::varchar(25)) == 29);
}

TEST_CASE("values have a total order") {
    CHECK(compareValues(Value::ofFloat(__builtin_nan("")), Value::ofFloat(1e300)) == 1);
    CHECK(compareValues(Value::ofText("abc  "), Value::ofText("abc")) == 0);
    CHECK(compareValues(Value::ofBigInt(-5), Value::ofBigInt(3)) == -1);
    CHECK_FALSE(sameValue(Value::ofText("abc  "), Value::ofText("abc")));
}
