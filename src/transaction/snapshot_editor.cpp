#include "transaction/snapshot_editor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace blueshift::transaction {
namespace {

using catalog::SegmentEntry;

Error noSuch(std::string_view kind, u64 id) {
    return Error(sqlstate::kDataCorrupted,
                 fmt::format("a change refers to {} {}, which does not exist", kind, id))
        .withHint("The log is inconsistent; restore the database from a backup.");
}

SegmentEntry* findSegment(std::vector<SegmentEntry>& segments, u64 id) {
    const auto found = std::ranges::lower_bound(
        segments, id, {}, [](const SegmentEntry& entry) { return entry.segment->id; });
    return found == segments.end() || found->segment->id != id ? nullptr : &*found;
}

} // namespace

catalog::CatalogSnapshot& SnapshotEditor::draft() {
    if (!draft_) draft_ = std::make_shared<catalog::CatalogSnapshot>(*published_);
    return *draft_;
}

void SnapshotEditor::raiseNextOid(Oid next) {
    if (draft().next_oid < next) draft().next_oid = next;
}

const catalog::CatalogSnapshot& SnapshotEditor::current() {
    if (!draft_) return *published_;
    if (names_changed_) draft_->indexNames();
    names_changed_ = false;
    return *draft_;
}

std::shared_ptr<const catalog::CatalogSnapshot> SnapshotEditor::publish() {
    if (draft_) {
        current();
        published_ = std::move(draft_);
        draft_ = nullptr;
        owned_.clear();
    }
    return published_;
}

void SnapshotEditor::putWholeTable(std::shared_ptr<const catalog::Table> table) {
    const Oid oid = table->oid;
    owned_.erase(oid);
    draft().tables[oid] = std::move(table);
    names_changed_ = true;
}

SnapshotEditor::OwnedTable* SnapshotEditor::editTable(Oid oid) {
    catalog::CatalogSnapshot& target = draft();
    if (const auto owned = owned_.find(oid); owned != owned_.end()) return &owned->second;
    const auto found = target.tables.find(oid);
    if (found == target.tables.end()) return nullptr;
    auto copy = std::make_shared<catalog::Table>(*found->second);
    found->second = copy;
    return &(owned_[oid] = {std::move(copy), nullptr});
}

std::vector<SegmentEntry>* SnapshotEditor::editSegments(Oid oid) {
    OwnedTable* owned = editTable(oid);
    if (owned == nullptr) return nullptr;
    if (!owned->segments) {
        owned->segments = owned->table->segments
                              ? std::make_shared<std::vector<SegmentEntry>>(*owned->table->segments)
                              : std::make_shared<std::vector<SegmentEntry>>();
        owned->table->segments = owned->segments;
    }
    return owned->segments.get();
}

Status SnapshotEditor::apply(const LoggedTransaction& transaction) {
    for (const Operation& operation : transaction.operations) BS_TRY(apply(operation));
    raiseNextOid(transaction.next_oid);
    return {};
}

Status SnapshotEditor::apply(const Operation& operation) {
    catalog::CatalogSnapshot& target = draft();
    switch (operation.kind) {
    case OperationKind::kPutSchema:
        if (!operation.schema) return failure(noSuch("schema", operation.oid));
        target.schemas[operation.schema->oid] = operation.schema;
        names_changed_ = true;
        return {};
    case OperationKind::kDropSchema:
        if (target.schemas.erase(operation.oid) == 0)
            return failure(noSuch("schema", operation.oid));
        names_changed_ = true;
        return {};
    case OperationKind::kPutTable: return putTable(operation);
    case OperationKind::kDropTable:
        if (target.tables.erase(operation.oid) == 0) return failure(noSuch("table", operation.oid));
        owned_.erase(operation.oid);
        names_changed_ = true;
        return {};
    case OperationKind::kPutView:
        if (!operation.view) return failure(noSuch("view", operation.oid));
        target.views[operation.view->oid] = operation.view;
        names_changed_ = true;
        return {};
    case OperationKind::kDropView:
        if (target.views.erase(operation.oid) == 0) return failure(noSuch("view", operation.oid));
        names_changed_ = true;
        return {};
    case OperationKind::kPutUser:
        if (!operation.user) return failure(noSuch("user", 0));
        target.users[operation.user->name] = operation.user;
        return {};
    case OperationKind::kDropUser:
        if (target.users.erase(operation.name) == 0) return failure(noSuch("user", 0));
        return {};
    case OperationKind::kPutStatistics: {
        OwnedTable* owned = editTable(operation.oid);
        if (owned == nullptr) return failure(noSuch("table", operation.oid));
        owned->table->statistics = operation.statistics;
        return {};
    }
    case OperationKind::kAddSegments: return addSegments(operation);
    case OperationKind::kDeleteRows: return deleteRows(operation);
    case OperationKind::kRemoveSegments: return removeSegments(operation);
    case OperationKind::kNone:
    case OperationKind::kReserveSequence: break;
    }
    return failure(noSuch("operation", u64(operation.kind)));
}

Status SnapshotEditor::putTable(const Operation& operation) {
    if (!operation.table) return failure(noSuch("table", operation.oid));
    const Oid oid = operation.table->oid;
    auto fresh = std::make_shared<catalog::Table>(*operation.table);
    fresh->statistics = nullptr;
    OwnedTable owned{fresh, nullptr};
    const auto existing = draft().tables.find(oid);
    if (existing == draft().tables.end()) {
        owned.segments = std::make_shared<std::vector<SegmentEntry>>();
        fresh->segments = owned.segments;
    } else {
        const catalog::Table& old = *existing->second;
        fresh->segments = old.segments;
        fresh->statistics = old.statistics;
        fresh->next_segment_id = std::max(fresh->next_segment_id, old.next_segment_id);
        fresh->next_column_id = std::max(fresh->next_column_id, old.next_column_id);
        for (catalog::Column& column : fresh->columns)
            for (const catalog::Column& before : old.columns)
                if (before.id == column.id)
                    column.width_class = std::max(column.width_class, before.width_class);
        if (const auto found = owned_.find(oid); found != owned_.end())
            owned.segments = found->second.segments;
    }
    draft().tables[oid] = std::move(fresh);
    owned_[oid] = std::move(owned);
    names_changed_ = true;
    return {};
}

Status SnapshotEditor::addSegments(const Operation& operation) {
    std::vector<SegmentEntry>* segments = editSegments(operation.oid);
    if (segments == nullptr) return failure(noSuch("table", operation.oid));
    catalog::Table& table = *owned_[operation.oid].table;
    for (const auto& segment : operation.segments) {
        if (!segments->empty() && segments->back().segment->id >= segment->id)
            return failure(noSuch("an order of segments at", segment->id));
        segments->push_back({segment, nullptr});
        table.next_segment_id = std::max(table.next_segment_id, segment->id + 1);
    }
    for (const WidthClass& width : operation.width_classes)
        for (catalog::Column& column : table.columns)
            if (column.id == width.column_id)
                column.width_class = std::max(column.width_class, width.bytes);
    return {};
}

Status SnapshotEditor::deleteRows(const Operation& operation) {
    std::vector<SegmentEntry>* segments = editSegments(operation.oid);
    if (segments == nullptr) return failure(noSuch("table", operation.oid));
    SegmentEntry* entry = findSegment(*segments, operation.segment_id);
    if (entry == nullptr || !operation.deletes)
        return failure(noSuch("segment", operation.segment_id));
    const u64 words = (u64(entry->segment->rows) + 63) / 64;
    const auto& bits = operation.deletes->bits;
    if (bits.size() > words || (bits.size() == words && entry->segment->rows % 64 != 0 &&
                                bits.back() >> (entry->segment->rows % 64) != 0))
        return failure(noSuch("a row behind the end of segment", operation.segment_id));
    auto merged = std::make_shared<catalog::DeleteVector>();
    merged->bits.resize(words);
    if (entry->deletes) catalog::mergeBits(merged->bits, entry->deletes->bits);
    catalog::mergeBits(merged->bits, bits);
    merged->deleted_rows = catalog::countBits(merged->bits);
    if (!entry->deletes) merged->object_key = operation.deletes->object_key;
    entry->deletes = std::move(merged);
    return {};
}

Status SnapshotEditor::removeSegments(const Operation& operation) {
    std::vector<SegmentEntry>* segments = editSegments(operation.oid);
    if (segments == nullptr) return failure(noSuch("table", operation.oid));
    const auto& ids = operation.segment_ids;
    const size_t removed = std::erase_if(*segments, [&](const SegmentEntry& entry) {
        return std::ranges::binary_search(ids, entry.segment->id);
    });
    if (removed != ids.size()) return failure(noSuch("a segment of table", operation.oid));
    return {};
}

} // namespace blueshift::transaction
