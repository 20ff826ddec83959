// catalog.h: schemas, tables, views and users of one database at one position of its log.
//
// Place: bind/ resolves names in a CatalogSnapshot, optimize/ reads statistics, storage/ scans the
// segments it names, transaction/ makes the next one from it.
// Owns / borrows: a snapshot is immutable and shared; its entries are shared between snapshots, so
// a commit copies only what it changes. Hold the shared_ptr for as long as you use an entry.
// Object ids: below 16384 built in, below 100000 reserved, user objects from 100000.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/ints.h"
#include "types/sql_type.h"

namespace blueshift::storage {
class MemorySegment; // storage/memory_segment.h: rows kept in the log record itself
}

namespace blueshift::catalog {

using Oid = u32;
inline constexpr Oid kPgCatalogSchema = 11;
inline constexpr Oid kPublicSchema = 2200;
inline constexpr Oid kInformationSchema = 11000;
inline constexpr Oid kFirstUserOid = 100000;
inline constexpr Oid kAdminUser = 100;

enum class DistStyle : u8 { kAuto, kEven, kKey, kAll };
enum class SortStyle : u8 { kAuto, kNone, kCompound, kInterleaved };
/// Redshift's names; storage/ maps each onto one of its own encodings. kAuto: chosen by sampling.
enum class ColumnEncoding : u8 {
    kAuto,
    kRaw,
    kAz64,
    kByteDict,
    kDelta,
    kDelta32k,
    kLzo,
    kMostly8,
    kMostly16,
    kMostly32,
    kRunLength,
    kText255,
    kText32k,
    kZstd,
};

/// One value that is not NULL; which member counts follows from the column's type.
struct BackfillValue {
    i128 integer = 0;
    f64 floating = 0;
    std::string text;
};

struct Column {
    u32 id = 0; // stable for the table's life; never reused
    std::string name;
    SqlType type;
    bool not_null = false;
    bool dropped = false;
    std::optional<std::string> default_sql; // as written, bound at use
    bool is_identity = false;
    i64 identity_seed = 1;
    i64 identity_step = 1;
    ColumnEncoding encoding = ColumnEncoding::kAuto;
    /// Bytes (1, 2, 4, 8, 16) that every committed integer of the column fits; its natural width at
    /// most. Raised by the commit that needs it. Text columns: 16.
    u8 width_class = 1;
    std::string comment;
    /// What rows read as whose segment does not have the column, because it was added later with a
    /// default; nullptr: NULL.
    std::shared_ptr<const BackfillValue> backfill;
};

/// Range and counts of one column in one segment, enough to prune and plan without its footer.
struct ColumnRange {
    u64 null_count = 0;
    bool has_range = false; // min and max are exact bounds of the non-NULL values
    i128 min = 0;           // integer kinds
    i128 max = 0;
    f64 min_float = 0;
    f64 max_float = 0;
    std::string min_text; // prefix of at most 32 bytes, rounded down / up
    std::string max_text;
    bool max_text_unbounded = false;
};

/// Rows of one segment that are deleted: immutable; a later delete makes a new one.
struct DeleteVector {
    std::vector<u64> bits; // a bit per row of the segment, 1 is deleted
    u64 deleted_rows = 0;
    std::string object_key; // where it is stored; empty while it lies in the log record
};

/// One immutable run of rows of a table. `memory` holds the rows when they came inline in the log.
struct Segment {
    u64 id = 0; // unique in the table, ascending with commit order
    std::string object_key;
    u64 object_bytes = 0;
    Hash128 object_hash;
    u32 rows = 0;
    std::vector<u32> column_ids; // the columns it has, in object order; others: Column::backfill
    std::vector<ColumnRange> ranges; // parallel to column_ids
    /// All rows lie in buckets (of the column's bucket hash) that begin with these bits; 0: any.
    u8 bucket_bits = 0;
    u16 bucket_prefix = 0;
    u32 bucket_column = 0;
    std::shared_ptr<const storage::MemorySegment> memory;
};

struct SegmentEntry {
    std::shared_ptr<const Segment> segment;
    std::shared_ptr<const DeleteVector> deletes; // nullptr: none
};

/// Sampled rows and sketches, made by ANALYZE and by bulk loads.
struct ColumnStatistics {
    f64 distinct = 0; // estimate; 0 unknown
    f64 null_fraction = 0;
    f64 average_bytes = 0; // text
    std::vector<u8> hll;   // HyperLogLog registers, mergeable; may be empty
    bool has_range = false;
    i128 min = 0;
    i128 max = 0;
    f64 min_float = 0;
    f64 max_float = 0;
};
struct TableStatistics {
    f64 rows = 0;                                          // at the time it was made
    std::vector<std::pair<u32, ColumnStatistics>> columns; // by column id
    /// A uniform sample of up to 2,048 rows over all columns, in the table's column order.
    std::shared_ptr<const storage::MemorySegment> sample;

    const ColumnStatistics* find(u32 column_id) const;
};

struct KeyConstraint {
    std::string name;
    bool primary = false;     // else UNIQUE; informational both
    std::vector<u32> columns; // column ids
    Oid oid = 0;
};
struct ForeignKey {
    std::string name;
    std::vector<u32> columns;
    Oid target = 0;
    std::vector<u32> target_columns;
    Oid oid = 0;
};

struct Privilege {
    std::string grantee; // user, "role NAME" or "public"
    std::string name;    // select, insert, update, delete, usage, create ...
    bool with_grant = false;
};

struct Table {
    Oid oid = 0;
    Oid schema = kPublicSchema;
    std::string name;
    std::string owner = "admin";
    std::vector<Column> columns; // includes dropped ones
    DistStyle dist_style = DistStyle::kAuto;
    u32 dist_key = 0; // column id, with kKey
    SortStyle sort_style = SortStyle::kAuto;
    std::vector<u32> sort_key; // column ids
    bool encode_auto = true;
    bool backup = true;
    u32 schema_version = 0; // raised by every ALTER
    u32 next_column_id = 1;
    u64 next_segment_id = 1;
    std::vector<KeyConstraint> keys;
    std::vector<ForeignKey> foreign_keys;
    std::vector<Privilege> privileges;
    std::string comment;
    i64 created_at = 0; // microseconds since 2000-01-01
    std::shared_ptr<const std::vector<SegmentEntry>> segments;
    std::shared_ptr<const TableStatistics> statistics;
    bool temporary = false;

    const Column* findColumn(std::string_view column_name) const;
    const Column* findColumn(u32 column_id) const;
    /// Live columns in order.
    std::vector<const Column*> liveColumns() const;
    u64 rowCount() const; // without deleted rows
};

struct ViewColumn {
    std::string name;
    SqlType type;
};
struct View {
    Oid oid = 0;
    Oid schema = kPublicSchema;
    std::string name;
    std::string owner = "admin";
    std::string query;       // the SELECT as written
    std::string definition;  // the whole CREATE VIEW
    std::string search_path; // in force when it was created
    bool late_binding = false;
    std::vector<ViewColumn> columns; // empty for late binding
    std::vector<Oid> depends_on;
    std::vector<Privilege> privileges;
    std::string comment;
};

struct Schema {
    Oid oid = 0;
    std::string name;
    std::string owner = "admin";
    std::vector<Privilege> privileges;
    std::string comment;
    bool temporary = false;
};

struct User {
    Oid oid = 0;
    std::string name;
    bool superuser = false;
    bool create_db = false;
    std::string scram_verifier;  // SCRAM-SHA-256$iterations:salt$stored:server
    std::string md5_verifier;    // md5...
    std::string digest_verifier; // sha256|digest|salt
    std::string valid_until;
    i32 connection_limit = -1;
    i32 session_timeout = 0; // seconds
    bool is_role = false;
    bool is_group = false;
    std::vector<std::string> member_of;
};

/// One position of the log, folded.
class CatalogSnapshot {
public:
    u64 lsn = 0;
    std::string database = "dev";
    Oid next_oid = kFirstUserOid;
    std::map<Oid, std::shared_ptr<const Schema>> schemas;
    std::map<Oid, std::shared_ptr<const Table>> tables;
    std::map<Oid, std::shared_ptr<const View>> views;
    std::map<std::string, std::shared_ptr<const User>, std::less<>> users;

    const Schema* findSchema(std::string_view name) const;
    const Schema* findSchema(Oid oid) const;
    std::shared_ptr<const Table> findTable(Oid schema, std::string_view name) const;
    std::shared_ptr<const View> findView(Oid schema, std::string_view name) const;
    const User* findUser(std::string_view name) const;

    /// Called once after the maps are filled or changed.
    void indexNames();

private:
    struct Names;
    std::shared_ptr<const Names> names_; // shared by snapshots with the same definitions
};

/// The snapshot of a new, empty database: pg_catalog, information_schema and public; no users.
std::shared_ptr<const CatalogSnapshot> makeEmptyCatalog();

} // namespace blueshift::catalog
