// snapshot_editor.h: makes the next catalog snapshot by applying operations to one.
//
// Place: used by replay (thousands of records, one result), by the committer (one record, one
// result) and by a transaction for its own view.
// Cost: each publish() after changes copies the maps of entries, and of each changed table its list
// of segments; within one draft, further changes are made in place.
// Threads: an editor belongs to one thread; published snapshots are immutable and shared.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "transaction/operation.h"

namespace blueshift::transaction {

class SnapshotEditor {
public:
    explicit SnapshotEditor(std::shared_ptr<const catalog::CatalogSnapshot> base)
        : published_(std::move(base)) {}

    /// XX001 when the operation names something that does not exist.
    Status apply(const Operation& operation);
    Status apply(const LoggedTransaction& transaction);

    void setLsn(u64 lsn) { draft().lsn = lsn; }
    void setDatabase(std::string name) { draft().database = std::move(name); }
    void raiseNextOid(Oid next);
    /// Session overlays put their tables with segments and statistics.
    void putWholeTable(std::shared_ptr<const catalog::Table> table);

    /// The state now, names indexed; valid until the next change.
    const catalog::CatalogSnapshot& current();
    /// The state now; later changes go to a new draft.
    std::shared_ptr<const catalog::CatalogSnapshot> publish();

private:
    struct OwnedTable {
        std::shared_ptr<catalog::Table> table;
        std::shared_ptr<std::vector<catalog::SegmentEntry>> segments; // set once changed
    };

    catalog::CatalogSnapshot& draft();
    /// nullptr: no such table.
    OwnedTable* editTable(Oid oid);
    std::vector<catalog::SegmentEntry>* editSegments(Oid oid);
    Status putTable(const Operation& operation);
    Status addSegments(const Operation& operation);
    Status deleteRows(const Operation& operation);
    Status removeSegments(const Operation& operation);

    std::shared_ptr<const catalog::CatalogSnapshot> published_;
    std::shared_ptr<catalog::CatalogSnapshot> draft_;
    std::unordered_map<Oid, OwnedTable> owned_;
    bool names_changed_ = false;
};

} // namespace blueshift::transaction
