#include "transaction/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "transaction/log_record.h"

namespace blueshift::transaction {
namespace {

using catalog::CatalogSnapshot;
using catalog::SegmentEntry;
using catalog::Table;

template <class Map, class Key>
auto find(const Map& map, const Key& key) -> typename Map::mapped_type {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
}

const SegmentEntry* findSegment(const Table& table, u64 id) {
    if (!table.segments) return nullptr;
    const auto found = std::ranges::lower_bound(
        *table.segments, id, {}, [](const SegmentEntry& entry) { return entry.segment->id; });
    return found == table.segments->end() || found->segment->id != id ? nullptr : &*found;
}

/// A table's definition without what appends change.
std::vector<u8> comparableDefinition(const Table& table) {
    Table plain = table;
    plain.next_segment_id = 0;
    for (catalog::Column& column : plain.columns) column.width_class = 0;
    catalog::FieldWriter writer(storedRowsCodec());
    describe(writer, plain);
    return writer.take();
}

/// Rows that `newest` deletes and `base` does not.
std::vector<u64> newlyDeleted(const SegmentEntry& base, const SegmentEntry& newest) {
    std::vector<u64> bits;
    if (!newest.deletes || newest.deletes == base.deletes) return bits;
    bits = newest.deletes->bits;
    if (base.deletes)
        for (size_t i = 0; i < std::min(bits.size(), base.deletes->bits.size()); ++i)
            bits[i] &= ~base.deletes->bits[i];
    return bits;
}

/// One transaction against one newest snapshot.
class Validation {
public:
    Validation(const PendingTransaction& transaction, const CatalogSnapshot& newest,
               const CommitHistory& history)
        : transaction_(transaction), base_(*transaction.base), newest_(newest), history_(history) {}

    Status check() {
        for (const Operation& operation : transaction_.operations) note(operation);
        for (const Operation& operation : transaction_.operations) BS_TRY(check(operation));
        return {};
    }

    Operation renumbered(const Operation& operation) const {
        Operation result = operation;
        const auto base = find(base_.tables, operation.oid);
        const auto newest = find(newest_.tables, operation.oid);
        if (!base || !newest) return result;
        const u64 first_own = base->next_segment_id;
        const u64 shift = newest->next_segment_id - first_own;
        if (shift == 0) return result;
        for (auto& segment : result.segments) {
            auto moved = std::make_shared<catalog::Segment>(*segment);
            moved->id += shift;
            segment = std::move(moved);
        }
        if (result.segment_id >= first_own) result.segment_id += shift;
        for (u64& id : result.segment_ids)
            if (id >= first_own) id += shift;
        return result;
    }

private:
    void note(const Operation& operation) {
        if (operation.kind == OperationKind::kPutTable || operation.kind == OperationKind::kPutView)
            put_relations_.insert(operation.oid);
        if (operation.kind == OperationKind::kDropTable ||
            operation.kind == OperationKind::kDropView)
            dropped_.insert(operation.oid);
        if (operation.kind == OperationKind::kPutSchema) put_schemas_.insert(operation.oid);
    }

    Status check(const Operation& operation) {
        switch (operation.kind) {
        case OperationKind::kPutSchema: return checkPutSchema(*operation.schema);
        case OperationKind::kDropSchema: return checkDropSchema(operation.oid);
        case OperationKind::kPutTable: return checkPutTable(*operation.table);
        case OperationKind::kDropTable:
            BS_TRY(checkTable(operation.oid));
            return checkDependents(operation.oid);
        case OperationKind::kPutView: return checkPutView(*operation.view);
        case OperationKind::kDropView:
            BS_TRY(checkView(operation.oid));
            return checkDependents(operation.oid);
        case OperationKind::kPutUser: return checkUser(operation.user->name);
        case OperationKind::kDropUser: return checkUser(operation.name);
        case OperationKind::kPutStatistics:
        case OperationKind::kAddSegments: return checkTable(operation.oid);
        case OperationKind::kDeleteRows:
            BS_TRY(checkTable(operation.oid));
            return checkDeletes(operation.oid, operation.segment_id, &operation.deletes->bits);
        case OperationKind::kRemoveSegments:
            BS_TRY(checkTable(operation.oid));
            for (const u64 id : operation.segment_ids)
                BS_TRY(checkDeletes(operation.oid, id, nullptr));
            return {};
        case OperationKind::kNone:
        case OperationKind::kReserveSequence: break;
        }
        return {};
    }

    Error conflict(std::string_view kind, std::string_view name, Oid oid, u64 other,
                   std::string what) const {
        const std::string by = other == 0 ? "another transaction" : fmt::format("{}", other);
        return Error(sqlstate::kSerializationFailure,
                     fmt::format("1023 serializable isolation violation on {} - {} \"{}\", "
                                 "transactions in conflict are: {}, {}",
                                 kind, oid, name, transaction_.id, by))
            .withDetail(std::move(what))
            .withHint("The other transaction committed first. Repeat this transaction.");
    }

    std::string nameOf(const Table& table) const {
        const auto schema = find(base_.schemas, table.schema);
        return (schema ? schema->name + "." : std::string()) + table.name;
    }

    /// The table exists still and has the same columns, or this transaction created it.
    Status checkTable(Oid oid) const {
        const auto base = find(base_.tables, oid);
        const auto newest = find(newest_.tables, oid);
        if (!base && newest)
            return failure(conflict("table", newest->name, oid, history_.lastToTouch(oid),
                                    "Another writer took the object id of the new table."));
        if (!base) return {};
        if (!newest)
            return failure(conflict("table", nameOf(*base), oid, history_.lastToTouch(oid),
                                    "The table was dropped."));
        if (base->schema_version != newest->schema_version)
            return failure(conflict("table", nameOf(*base), oid, history_.lastToTouch(oid),
                                    "The table was altered."));
        return {};
    }

    Status checkDeletes(Oid oid, u64 segment_id, const std::vector<u64>* bits) const {
        const auto base = find(base_.tables, oid);
        if (!base || segment_id >= base->next_segment_id) return {}; // its own segment
        const SegmentEntry* before = findSegment(*base, segment_id);
        const SegmentEntry* now = findSegment(*find(newest_.tables, oid), segment_id);
        if (before == nullptr)
            return failure(sqlstate::kInternalError,
                           fmt::format("transaction {} deletes from unknown segment {}",
                                       transaction_.id, segment_id));
        bool clash = now == nullptr;
        if (now != nullptr) {
            const std::vector<u64> theirs = newlyDeleted(*before, *now);
            clash = bits != nullptr ? catalog::bitsIntersect(*bits, theirs)
                                    : catalog::countBits(theirs) != 0;
        }
        if (!clash) return {};
        return failure(conflict("table", nameOf(*base), oid, history_.lastToTouch(oid, segment_id),
                                "Both transactions delete or update the same rows."));
    }

    /// The schema of a new relation exists, and the relation's name is free.
    Status checkName(Oid schema, const std::string& name, Oid oid) const {
        if (!newest_.findSchema(schema) && !put_schemas_.contains(schema))
            return failure(Error(sqlstate::kInvalidSchemaName,
                                 fmt::format("the schema of \"{}\" was dropped", name))
                               .withHint("Create the schema, then repeat the statement."));
        Oid holder = 0;
        if (const auto table = newest_.findTable(schema, name)) holder = table->oid;
        if (const auto view = newest_.findView(schema, name))
            if (holder == 0 || holder == oid) holder = view->oid;
        // What this transaction drops or itself redefines gives the name free.
        if (holder == 0 || holder == oid || dropped_.contains(holder) ||
            put_relations_.contains(holder))
            return {};
        return failure(
            Error(sqlstate::kDuplicateTable, fmt::format("relation \"{}\" already exists", name))
                .withDetail("Another transaction created it first."));
    }

    Status checkPutTable(const Table& table) const {
        BS_TRY(checkTable(table.oid));
        BS_TRY(checkName(table.schema, table.name, table.oid));
        const auto base = find(base_.tables, table.oid);
        const auto newest = find(newest_.tables, table.oid);
        if (base && newest && base != newest &&
            comparableDefinition(*base) != comparableDefinition(*newest))
            return failure(conflict("table", nameOf(*base), table.oid,
                                    history_.lastToTouch(table.oid),
                                    "Both transactions change its definition."));
        return {};
    }

    Status checkView(Oid oid) const {
        const auto base = find(base_.views, oid);
        const auto newest = find(newest_.views, oid);
        if (base == newest) return {};
        return failure(conflict("view", base ? base->name : newest->name, oid,
                                history_.lastToTouch(oid), "Both transactions change the view."));
    }

    Status checkPutView(const catalog::View& view) const {
        BS_TRY(checkView(view.oid));
        BS_TRY(checkName(view.schema, view.name, view.oid));
        for (const Oid oid : view.depends_on) {
            const bool was = base_.tables.contains(oid) || base_.views.contains(oid);
            const bool is = newest_.tables.contains(oid) || newest_.views.contains(oid);
            if (was && !is)
                return failure(
                    Error(sqlstate::kUndefinedTable,
                          fmt::format("a relation that view \"{}\" reads was dropped", view.name))
                        .withDetail("Another transaction dropped it first."));
        }
        return {};
    }

    /// No other transaction made a view of what this one drops.
    Status checkDependents(Oid oid) const {
        for (const auto& [view_oid, view] : newest_.views) {
            if (dropped_.contains(view_oid) || find(base_.views, view_oid) == view) continue;
            if (std::ranges::find(view->depends_on, oid) != view->depends_on.end())
                return failure(
                    Error(sqlstate::kDependentObjectsStillExist,
                          fmt::format("cannot drop relation {}: view \"{}\" depends on it", oid,
                                      view->name))
                        .withDetail("Another transaction created the view first.")
                        .withHint("Use DROP ... CASCADE to drop the view too."));
        }
        return {};
    }

    Status checkPutSchema(const catalog::Schema& schema) const {
        const auto base = find(base_.schemas, schema.oid);
        if (base != find(newest_.schemas, schema.oid))
            return failure(conflict("schema", schema.name, schema.oid,
                                    history_.lastToTouch(schema.oid),
                                    "Both transactions change the schema."));
        const catalog::Schema* holder = newest_.findSchema(schema.name);
        if (holder != nullptr && holder->oid != schema.oid && !base)
            return failure(Error(sqlstate::kDuplicateSchema,
                                 fmt::format("schema \"{}\" already exists", schema.name))
                               .withDetail("Another transaction created it first."));
        return {};
    }

    Status checkDropSchema(Oid oid) const {
        const auto base = find(base_.schemas, oid);
        if (base != find(newest_.schemas, oid))
            return failure(conflict("schema", base ? base->name : "", oid,
                                    history_.lastToTouch(oid),
                                    "Both transactions change the schema."));
        const auto stays = [&](const auto& entries, const auto& before) {
            return std::ranges::any_of(entries, [&](const auto& entry) {
                return entry.second->schema == oid && !before.contains(entry.first) &&
                       !dropped_.contains(entry.first);
            });
        };
        if (base && (stays(newest_.tables, base_.tables) || stays(newest_.views, base_.views)))
            return failure(
                Error(sqlstate::kDependentObjectsStillExist,
                      fmt::format("cannot drop schema \"{}\": it is not empty", base->name))
                    .withDetail("Another transaction created a relation in it.")
                    .withHint("Use DROP SCHEMA ... CASCADE."));
        return {};
    }

    Status checkUser(const std::string& name) const {
        const auto base = find(base_.users, name);
        const auto newest = find(newest_.users, name);
        if (base == newest) return {};
        if (!base)
            return failure(
                Error(sqlstate::kDuplicateObject, fmt::format("user \"{}\" already exists", name))
                    .withDetail("Another transaction created it first."));
        return failure(conflict("user", name, base->oid, 0, "Both transactions change the user."));
    }

    const PendingTransaction& transaction_;
    const CatalogSnapshot& base_;
    const CatalogSnapshot& newest_;
    const CommitHistory& history_;
    std::set<Oid> put_relations_;
    std::set<Oid> dropped_;
    std::set<Oid> put_schemas_;
};

} // namespace

void CommitHistory::add(const LoggedTransaction& transaction) {
    for (const Operation& operation : transaction.operations) {
        Touch touch{transaction.id, operation.oid, operation.segment_ids};
        if (operation.kind == OperationKind::kDeleteRows)
            touch.segment_ids.push_back(operation.segment_id);
        touches_.push_back(std::move(touch));
    }
    while (touches_.size() > kTouches) touches_.pop_front();
}

u64 CommitHistory::lastToTouch(Oid oid, u64 segment_id) const {
    for (size_t i = touches_.size(); i-- > 0;) {
        const Touch& touch = touches_[i];
        if (touch.oid != oid) continue;
        if (segment_id == 0 ||
            std::ranges::find(touch.segment_ids, segment_id) != touch.segment_ids.end())
            return touch.transaction_id;
    }
    return 0;
}

Result<std::vector<Operation>> rebase(const PendingTransaction& transaction,
                                      const CatalogSnapshot& newest, const CommitHistory& history) {
    Validation validation(transaction, newest, history);
    BS_TRY(validation.check());
    std::vector<Operation> operations;
    operations.reserve(transaction.operations.size());
    for (const Operation& operation : transaction.operations)
        operations.push_back(validation.renumbered(operation));
    return operations;
}

} // namespace blueshift::transaction
