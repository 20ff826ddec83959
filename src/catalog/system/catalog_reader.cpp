#include "catalog/system/catalog_reader.h"

#include <algorithm>

#include "functions/catalog_lookup.h"
#include "functions/function.h"

namespace blueshift::catalog {
namespace {

constexpr std::string_view kEncodingNames[] = {
    "none",     "bytedict", "delta",   "lzo",      "runlength", "mostly8", "mostly16",
    "mostly32", "text255",  "text32k", "delta32k", "az64",      "zstd"};

i32 numberOf(ColumnEncoding encoding) {
    switch (encoding) {
    case ColumnEncoding::kByteDict: return 1;
    case ColumnEncoding::kDelta: return 2;
    case ColumnEncoding::kLzo: return 3;
    case ColumnEncoding::kRunLength: return 4;
    case ColumnEncoding::kMostly8: return 5;
    case ColumnEncoding::kMostly16: return 6;
    case ColumnEncoding::kMostly32: return 7;
    case ColumnEncoding::kText255: return 8;
    case ColumnEncoding::kText32k: return 9;
    case ColumnEncoding::kDelta32k: return 10;
    case ColumnEncoding::kAz64: return 11;
    case ColumnEncoding::kZstd: return 12;
    case ColumnEncoding::kAuto:
    case ColumnEncoding::kRaw: break;
    }
    return 0;
}

std::string joinedColumns(const Table& table, const std::vector<u32>& ids) {
    std::string text;
    for (u32 id : ids) {
        if (!text.empty()) text += ", ";
        if (const Column* column = table.findColumn(id)) text += quoted(column->name);
    }
    return text;
}

struct Letter {
    std::string_view privilege;
    char letter;
};
constexpr Letter kLetters[] = {
    {"insert", 'a'},     {"select", 'r'},  {"update", 'w'}, {"delete", 'd'}, {"rule", 'R'},
    {"references", 'x'}, {"trigger", 't'}, {"drop", 'D'},   {"alter", 'A'},  {"truncate", 'P'},
    {"execute", 'X'},    {"usage", 'U'},   {"create", 'C'}, {"temp", 'T'},   {"temporary", 'T'}};
constexpr std::string_view kTableLetters = "arwdRxtDAP";
constexpr std::string_view kSchemaLetters = "UC";

std::string_view allLetters(char object_kind) {
    return object_kind == 'n' ? kSchemaLetters : kTableLetters;
}

} // namespace

CatalogReader::CatalogReader(const SourceContext& context, const SourceRegistry& registry)
    : context_(context),
      registry_(registry),
      user_(context.session != nullptr ? context.session->user : "admin"),
      rights_(*context.snapshot, user_) {}

i64 CatalogReader::now() const {
    return session() != nullptr ? session()->statement_time : 0;
}

void CatalogReader::relations(const std::function<void(const RelationRow&)>& use,
                              bool with_system) const {
    for (const auto& [oid, table] : snapshot().tables) {
        use({.oid = oid,
             .schema = table->schema,
             .name = table->name,
             .owner = table->owner,
             .kind = 'r',
             .table = table.get()});
        for (const KeyConstraint& key : table->keys)
            use({.oid = key.oid,
                 .schema = table->schema,
                 .name = key.name,
                 .owner = table->owner,
                 .kind = 'i',
                 .table = table.get(),
                 .key = &key});
    }
    for (const auto& [oid, view] : snapshot().views)
        use({.oid = oid,
             .schema = view->schema,
             .name = view->name,
             .owner = view->owner,
             .kind = 'v',
             .view = view.get()});
    if (!with_system) return;
    for (const TableSource* source : registry_.all())
        use({.oid = source->oid(),
             .schema = source->schema() == "pg_catalog" ? kPgCatalogSchema : kInformationSchema,
             .name = source->name(),
             .owner = "admin",
             .kind = 'v',
             .source = source});
}

void CatalogReader::accessible(const std::function<void(const RelationRow&)>& use,
                               bool with_system) const {
    relations(
        [&](const RelationRow& relation) {
            if (relation.kind != 'i' && maySee(relation)) use(relation);
        },
        with_system);
}

std::vector<AttributeRow> CatalogReader::attributes(const RelationRow& relation) const {
    std::vector<AttributeRow> list;
    i32 number = 0;
    if (relation.key != nullptr) {
        for (u32 id : relation.key->columns)
            if (const Column* column = relation.table->findColumn(id))
                list.push_back({++number, column->name, column->type, column});
    } else if (relation.table != nullptr) {
        for (const Column& column : relation.table->columns)
            list.push_back({++number, column.name, column.type, &column});
    } else if (relation.view != nullptr) {
        for (const ViewColumn& column : relation.view->columns)
            list.push_back({++number, column.name, column.type, nullptr});
    } else {
        for (const SourceColumn& column : relation.source->columns())
            if (!column.hidden) list.push_back({++number, column.name, column.type, nullptr});
    }
    return list;
}

i32 CatalogReader::attributeNumber(const Table& table, u32 column_id) {
    for (size_t i = 0; i < table.columns.size(); ++i)
        if (table.columns[i].id == column_id) return i32(i) + 1;
    return 0;
}

bool CatalogReader::maySee(const RelationRow& relation) const {
    if (relation.source != nullptr) return true;
    const auto& privileges =
        relation.table != nullptr ? relation.table->privileges : relation.view->privileges;
    if (!rights_.holdsAny(privileges, relation.owner)) return false;
    const Schema* home = schema(relation.schema);
    return home == nullptr || rights_.mayUse(*home);
}

std::string_view CatalogReader::schemaName(Oid oid) const {
    const Schema* entry = schema(oid);
    return entry == nullptr ? std::string_view() : std::string_view(entry->name);
}

Oid CatalogReader::userId(std::string_view name) const {
    const User* entry = snapshot().findUser(name);
    return entry == nullptr ? kAdminUser : entry->oid;
}

std::vector<std::string> CatalogReader::searchPath() const {
    if (session() == nullptr) return {"pg_catalog", "public"};
    if (session()->catalog != nullptr) return session()->catalog->searchPath(true);
    return {"pg_catalog", std::string(session()->current_schema)};
}

std::optional<std::string> accessList(const std::vector<Privilege>& privileges,
                                      std::string_view owner, char object_kind) {
    if (privileges.empty()) return {};
    std::vector<std::pair<std::string, std::string>> entries;
    entries.emplace_back(owner, allLetters(object_kind));
    for (const Privilege& privilege : privileges) {
        std::string grantee = privilege.grantee == "public" ? "" : privilege.grantee;
        auto found =
            std::ranges::find(entries, grantee, &std::pair<std::string, std::string>::first);
        if (found == entries.end()) found = entries.insert(entries.end(), {grantee, ""});
        std::string letters(privilege.name == "all" ? allLetters(object_kind) : "");
        for (const Letter& letter : kLetters)
            if (letter.privilege == privilege.name) letters = letter.letter;
        for (char letter : letters) {
            if (found->second.find(letter) != std::string::npos) continue;
            found->second += letter;
            if (privilege.with_grant) found->second += '*';
        }
    }
    std::string text = "{";
    for (const auto& [grantee, letters] : entries) {
        if (text.size() > 1) text += ',';
        const bool quote = grantee.find_first_of(" ,{}\"\\") != std::string::npos;
        if (quote) text += '"';
        for (char c : grantee) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '=';
        text += letters;
        text += '/';
        text += owner;
        if (quote) text += '"';
    }
    return text + "}";
}

std::string vectorOf(const std::vector<i64>& numbers) {
    std::string text;
    for (i64 number : numbers) {
        if (!text.empty()) text += ' ';
        text += std::to_string(number);
    }
    return text;
}

std::string arrayOf(const std::vector<i64>& numbers) {
    std::string text = vectorOf(numbers);
    std::ranges::replace(text, ' ', ',');
    return "{" + text + "}";
}

std::string quoted(std::string_view name) {
    const bool plain =
        !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
        std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || u8(c) >= 128;
        });
    if (plain) return std::string(name);
    std::string text = "\"";
    for (char c : name) {
        if (c == '"') text += '"';
        text += c;
    }
    return text + "\"";
}

std::string describeKey(const Table& table, const KeyConstraint& key) {
    return std::string(key.primary ? "PRIMARY KEY (" : "UNIQUE (") +
           joinedColumns(table, key.columns) + ")";
}

std::string describeForeignKey(const CatalogSnapshot& snapshot, const Table& table,
                               const ForeignKey& key) {
    std::string text = "FOREIGN KEY (" + joinedColumns(table, key.columns) + ") REFERENCES ";
    const auto target = snapshot.tables.find(key.target);
    if (target == snapshot.tables.end()) return text + "?";
    if (target->second->schema != table.schema)
        if (const Schema* schema = snapshot.findSchema(target->second->schema))
            text += quoted(schema->name) + ".";
    return text + quoted(target->second->name) + "(" +
           joinedColumns(*target->second, key.target_columns) + ")";
}

std::string describeIndex(std::string_view schema, const Table& table, const KeyConstraint& key) {
    return "CREATE UNIQUE INDEX " + quoted(key.name) + " ON " + quoted(schema) + "." +
           quoted(table.name) + " USING btree (" + joinedColumns(table, key.columns) + ")";
}

i32 encodingNumber(const Table& table, const Column& column) {
    if (column.encoding != ColumnEncoding::kAuto) return numberOf(column.encoding);
    if (sortKeyOrdinal(table, column.id) != 0) return 0;
    switch (column.type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kReal:
    case TypeKind::kDouble: return 0;
    default:
        return numberOf(isString(column.type.kind) ? ColumnEncoding::kLzo : ColumnEncoding::kAz64);
    }
}

std::string_view encodingName(const Table& table, const Column& column) {
    return kEncodingNames[encodingNumber(table, column)];
}

i32 sortKeyOrdinal(const Table& table, u32 column_id) {
    for (size_t i = 0; i < table.sort_key.size(); ++i)
        if (table.sort_key[i] == column_id) {
            const i32 place = i32(i) + 1;
            return table.sort_style == SortStyle::kInterleaved && place % 2 == 0 ? -place : place;
        }
    return 0;
}

bool isDistKey(const Table& table, u32 column_id) {
    return table.dist_style == DistStyle::kKey && table.dist_key == column_id;
}

std::string distStyleText(const Table& table) {
    switch (table.dist_style) {
    case DistStyle::kEven: return "EVEN";
    case DistStyle::kAll: return "ALL";
    case DistStyle::kKey: {
        const Column* column = table.findColumn(table.dist_key);
        return "KEY(" + (column == nullptr ? std::string() : column->name) + ")";
    }
    case DistStyle::kAuto: break;
    }
    return "AUTO(EVEN)";
}

u64 storedBytes(const Table& table) {
    u64 bytes = 0;
    if (table.segments)
        for (const SegmentEntry& entry : *table.segments) {
            bytes += entry.segment->object_bytes;
            // Rows that came inline in the log: their plain width.
            if (entry.segment->object_bytes == 0)
                bytes += u64(entry.segment->rows) * 8 * entry.segment->column_ids.size();
        }
    return bytes;
}

} // namespace blueshift::catalog
