#include "types/named_types.h"

namespace blueshift {
namespace {

struct NamedType {
    i32 oid;
    std::string_view name; // pg_type.typname
    std::string_view text; // format_type's spelling
};

constexpr NamedType kNamedTypes[] = {
    {27, "tid", "tid"},
    {28, "xid", "xid"},
    {702, "abstime", "abstime"},
    {1033, "aclitem", "aclitem"},
    {1790, "refcursor", "refcursor"},
    {2249, "record", "record"},
    {2275, "cstring", "cstring"},
    {2276, "any", "\"any\""},
    {2277, "anyarray", "anyarray"},
    {2279, "trigger", "trigger"},
    {2280, "language_handler", "language_handler"},
    {2281, "internal", "internal"},
    {2283, "anyelement", "anyelement"},
    {2935, "hllsketch", "hllsketch"},
    {3000, "geometry", "geometry"},
    {3001, "geography", "geography"},
    {3838, "event_trigger", "event_trigger"},
    {3999, "geometryhex", "geometryhex"},
    {4000, "super", "super"},
    {6551, "varbyte", "binary varying"},
    {17329, "cardinal_number", "information_schema.cardinal_number"},
    {17331, "character_data", "information_schema.character_data"},
    {17332, "sql_identifier", "information_schema.sql_identifier"},
    {17336, "time_stamp", "information_schema.time_stamp"},
    {1000, "_bool", "boolean[]"},
    {1002, "_char", "\"char\"[]"},
    {1003, "_name", "name[]"},
    {1006, "_int2vector", "int2vector[]"},
    {1007, "_int4", "integer[]"},
    {1008, "_regproc", "regproc[]"},
    {1010, "_tid", "tid[]"},
    {1011, "_xid", "xid[]"},
    {1013, "_oidvector", "oidvector[]"},
    {1014, "_bpchar", "character[]"},
    {1015, "_varchar", "character varying[]"},
    {1016, "_int8", "bigint[]"},
    {1021, "_float4", "real[]"},
    {1022, "_float8", "double precision[]"},
    {1023, "_abstime", "abstime[]"},
    {1034, "_aclitem", "aclitem[]"},
    {1115, "_timestamp", "timestamp without time zone[]"},
    {1182, "_date", "date[]"},
    {1183, "_time", "time without time zone[]"},
    {1185, "_timestamptz", "timestamp with time zone[]"},
    {1187, "_interval", "interval[]"},
    {1189, "_intervaly2m", "interval year to month[]"},
    {1191, "_intervald2s", "interval day to second[]"},
    {1231, "_numeric", "numeric[]"},
    {1270, "_timetz", "time with time zone[]"},
    {2210, "_regclass", "regclass[]"},
    {2211, "_regtype", "regtype[]"},
};

} // namespace

std::optional<i32> namedTypeOid(std::string_view name) {
    if (name.starts_with("pg_catalog.")) name.remove_prefix(11);
    for (const NamedType& type : kNamedTypes)
        if (type.name == name || type.text == name) return type.oid;
    return {};
}

std::string_view namedTypeText(i32 oid) {
    for (const NamedType& type : kNamedTypes)
        if (type.oid == oid) return type.text;
    return {};
}

} // namespace blueshift
