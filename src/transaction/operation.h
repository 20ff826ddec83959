// operation.h: the changes that a transaction makes and a log record carries.
//
// Operations are deltas, so that folding the log in order gives the same catalog everywhere and a
// transaction can be carried over the commits that came before it. They name segments by id; ids
// at or above the table's next_segment_id in the transaction's base snapshot are its own new ones.
// Place: made by Transaction, checked by validation.h, applied by SnapshotEditor, stored by
// log_record.h.
// Owns: shares immutable catalog entries.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/entry_codec.h"
#include "transaction/uuid.h"

namespace blueshift::transaction {

using catalog::Oid;

/// Stored numbers: never reuse one.
enum class OperationKind : u8 {
    kNone = 0,
    kPutSchema = 1,
    kDropSchema = 2,
    kPutTable = 3,
    kDropTable = 4,
    kPutView = 5,
    kDropView = 6,
    kPutUser = 7,
    kDropUser = 8,
    kPutStatistics = 9,
    kAddSegments = 10,
    kDeleteRows = 11,
    kRemoveSegments = 12,
    kReserveSequence = 13, // taken for IDENTITY ranges
};

struct WidthClass {
    u32 column_id = 0;
    u8 bytes = 0;
};

/// One change; which fields count depends on `kind`.
struct Operation {
    OperationKind kind = OperationKind::kNone;
    Oid oid = 0;      // of the schema, table or view
    std::string name; // kDropUser
    std::shared_ptr<const catalog::Schema> schema;
    std::shared_ptr<const catalog::Table> table; // the definition only
    std::shared_ptr<const catalog::View> view;
    std::shared_ptr<const catalog::User> user;
    std::shared_ptr<const catalog::TableStatistics> statistics;
    std::vector<std::shared_ptr<const catalog::Segment>> segments; // kAddSegments
    std::vector<WidthClass> width_classes;                         // kAddSegments
    u64 segment_id = 0;                                            // kDeleteRows
    /// kDeleteRows: the rows this transaction deletes, not those deleted before. With an
    /// object_key the bits are stored there, else in the record.
    std::shared_ptr<const catalog::DeleteVector> deletes;
    std::vector<u64> segment_ids; // kRemoveSegments, ascending
};

/// A committed transaction as the log has it.
struct LoggedTransaction {
    Uuid uuid;
    u64 id = 0;
    u64 read_lsn = 0;
    Oid next_oid = 0; // first object id that neither it nor an earlier transaction uses
    std::vector<Operation> operations;
};

/// True for changes of an entry that make space or only forget: allowed on a full disk.
inline bool isDrop(OperationKind kind) {
    return kind == OperationKind::kDropSchema || kind == OperationKind::kDropTable ||
           kind == OperationKind::kDropView || kind == OperationKind::kDropUser ||
           kind == OperationKind::kRemoveSegments;
}

} // namespace blueshift::transaction
