// Functions that stand in FROM: generate_series, pg_get_cols, pg_get_late_binding_view_cols,
// pg_get_keywords, pg_show_all_settings, pg_timezone_names.
#include <limits>

#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"
#include "functions/function.h"
#include "functions/keywords.h"
#include "functions/time_zone.h"

namespace blueshift::catalog {
namespace {

using Arguments = std::span<const Value>;
using ProduceFor = Status (*)(const CatalogReader&, Arguments, RowWriter&);

struct FunctionSpec {
    std::string_view name;
    std::string_view columns;
    u32 min_arguments;
    u32 max_arguments;
    ProduceFor produce;
};

class TableFunction final : public TableSource {
public:
    TableFunction(const SourceRegistry& registry, const FunctionSpec& spec)
        : registry_(registry), spec_(spec), columns_(parseColumns(spec.columns)) {}

    std::string_view schema() const override { return "pg_catalog"; }
    std::string_view name() const override { return spec_.name; }
    std::span<const SourceColumn> columns() const override { return columns_; }

    Status read(const SourceContext& context, Arguments arguments,
                const RowSink& sink) const override {
        static const auto kNothing = makeEmptyCatalog();
        SourceContext filled = context;
        if (filled.snapshot == nullptr) filled.snapshot = kNothing;
        const CatalogReader reader(filled, registry_);
        RowWriter writer(columns_, sink);
        return spec_.produce(reader, arguments, writer);
    }

private:
    const SourceRegistry& registry_;
    FunctionSpec spec_;
    std::vector<SourceColumn> columns_;
};

Status generateSeries(const CatalogReader&, Arguments arguments, RowWriter& out) {
    i128 bounds[3] = {0, 0, 1};
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i].is_null) return {};
        if (!isInteger(arguments[i].type.kind))
            return failure(Error(sqlstate::kUndefinedFunction, "function generate_series(" +
                                                                   formatType(arguments[i].type) +
                                                                   ", ...) does not exist")
                               .withHint("Give whole numbers: generate_series(1, 10)."));
        bounds[i] = arguments[i].integer;
    }
    const auto [first, last, step] = bounds;
    if (step == 0)
        return failure(Error(sqlstate::kInvalidParameterValue, "step size cannot equal zero")
                           .withHint("Give a step other than 0 to generate_series."));
    constexpr i128 kMost = std::numeric_limits<i32>::max();
    constexpr i128 kLeast = std::numeric_limits<i32>::min();
    for (i128 value = first; (step > 0 ? value <= last : value >= last) && !out.done();
         value += step) {
        if (value > kMost || value < kLeast)
            return failure(
                Error(sqlstate::kNumericValueOutOfRange,
                      "generate_series leaves the range of integer")
                    .withHint("Generate smaller numbers and add the difference as bigint."));
        out.row(value);
    }
    return {};
}

void writeColumns(const CatalogReader& reader, const RelationRow& relation, RowWriter& out) {
    i32 number = 0;
    for (const AttributeRow& attribute : reader.attributes(relation)) {
        if (attribute.column != nullptr && attribute.column->dropped) continue;
        out.row(reader.schemaName(relation.schema), relation.name, attribute.name,
                formatType(attribute.type), ++number);
    }
}

Status lateBindingColumns(const CatalogReader& reader, Arguments, RowWriter& out) {
    reader.accessible(
        [&](const RelationRow& relation) {
            if (relation.view != nullptr && relation.view->late_binding)
                writeColumns(reader, relation, out);
        },
        false);
    return {};
}

Status columnsOfRelation(const CatalogReader& reader, Arguments arguments, RowWriter& out) {
    if (arguments[0].is_null) return {};
    std::string_view name = arguments[0].text;
    std::string_view schema;
    if (const size_t dot = name.find('.'); dot != std::string_view::npos) {
        schema = name.substr(0, dot);
        name = name.substr(dot + 1);
    }
    std::vector<std::string> path = reader.searchPath();
    if (!schema.empty()) path = {std::string(schema)};
    bool found = false;
    for (const std::string& candidate : path) {
        reader.accessible([&](const RelationRow& relation) {
            if (found || relation.name != name || reader.schemaName(relation.schema) != candidate)
                return;
            found = true;
            writeColumns(reader, relation, out);
        });
        if (found) return {};
    }
    return failure(Error(sqlstate::kUndefinedTable,
                         "relation \"" + std::string(arguments[0].text) + "\" does not exist")
                       .withHint("Name it as schema.table, or set the search_path."));
}

Status keywords(const CatalogReader&, Arguments, RowWriter& out) {
    for (std::string_view word : functions::reservedWords()) out.row(word, 'R', "reserved");
    return {};
}

Status allSettings(const CatalogReader& reader, Arguments, RowWriter& out) {
    if (reader.server() == nullptr || reader.session() == nullptr) return {};
    for (const SettingFacts& setting : reader.server()->settings(reader.session()->process_id))
        out.row(setting.name, setting.value, setting.description);
    return {};
}

constexpr std::string_view kZones[] = {"Africa/Cairo",
                                       "Africa/Johannesburg",
                                       "Africa/Lagos",
                                       "Africa/Nairobi",
                                       "America/Anchorage",
                                       "America/Argentina/Buenos_Aires",
                                       "America/Bogota",
                                       "America/Chicago",
                                       "America/Denver",
                                       "America/Halifax",
                                       "America/Lima",
                                       "America/Los_Angeles",
                                       "America/Mexico_City",
                                       "America/New_York",
                                       "America/Phoenix",
                                       "America/Santiago",
                                       "America/Sao_Paulo",
                                       "America/St_Johns",
                                       "America/Toronto",
                                       "America/Vancouver",
                                       "Asia/Bangkok",
                                       "Asia/Dhaka",
                                       "Asia/Dubai",
                                       "Asia/Hong_Kong",
                                       "Asia/Jakarta",
                                       "Asia/Jerusalem",
                                       "Asia/Karachi",
                                       "Asia/Kathmandu",
                                       "Asia/Kolkata",
                                       "Asia/Manila",
                                       "Asia/Riyadh",
                                       "Asia/Seoul",
                                       "Asia/Shanghai",
                                       "Asia/Singapore",
                                       "Asia/Taipei",
                                       "Asia/Tehran",
                                       "Asia/Tokyo",
                                       "Atlantic/Azores",
                                       "Atlantic/Reykjavik",
                                       "Australia/Adelaide",
                                       "Australia/Brisbane",
                                       "Australia/Darwin",
                                       "Australia/Perth",
                                       "Australia/Sydney",
                                       "Europe/Amsterdam",
                                       "Europe/Athens",
                                       "Europe/Berlin",
                                       "Europe/Brussels",
                                       "Europe/Dublin",
                                       "Europe/Helsinki",
                                       "Europe/Istanbul",
                                       "Europe/Kiev",
                                       "Europe/Lisbon",
                                       "Europe/London",
                                       "Europe/Madrid",
                                       "Europe/Moscow",
                                       "Europe/Oslo",
                                       "Europe/Paris",
                                       "Europe/Prague",
                                       "Europe/Rome",
                                       "Europe/Stockholm",
                                       "Europe/Vienna",
                                       "Europe/Warsaw",
                                       "Europe/Zurich",
                                       "GMT",
                                       "Pacific/Auckland",
                                       "Pacific/Honolulu",
                                       "US/Central",
                                       "US/Eastern",
                                       "US/Mountain",
                                       "US/Pacific",
                                       "UTC"};

Status timeZones(const CatalogReader& reader, Arguments, RowWriter& out) {
    for (std::string_view name : kZones) {
        const auto zone = functions::TimeZone::find(name);
        if (!zone) continue;
        const i64 seconds = zone->offsetAt(reader.now());
        const i64 minutes = (seconds < 0 ? -seconds : seconds) / 60;
        const auto two = [](i64 n) { return (n < 10 ? "0" : "") + std::to_string(n); };
        out.row(name, (seconds < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60));
    }
    return {};
}

constexpr std::string_view kViewColumns =
    "view_schema name, view_name name, col_name name, col_type t, col_num i4";

constexpr FunctionSpec kFunctions[] = {
    {"generate_series", "generate_series i4", 2, 3, generateSeries},
    {"pg_get_late_binding_view_cols", kViewColumns, 0, 0, lateBindingColumns},
    {"pg_get_cols", kViewColumns, 1, 1, columnsOfRelation},
    {"pg_get_keywords", "word t, catcode char, catdesc t", 0, 0, keywords},
    {"pg_show_all_settings", "name t, setting t, short_desc t", 0, 0, allSettings},
    {"pg_timezone_names", "name t, utc_offset t", 0, 0, timeZones},
};

} // namespace

void addTableFunctions(SourceRegistry& registry) {
    for (const FunctionSpec& spec : kFunctions)
        registry.addFunction(std::make_unique<TableFunction>(registry, spec), spec.min_arguments,
                             spec.max_arguments);
}

} // namespace blueshift::catalog
