// entry_codec.h: which fields of catalog entries are stored, under which tags.
//
// Place: included by the codecs of log records and checkpoints. Tags are a format: never reuse or
// renumber one, add new ones at the end with a default that means what its absence meant.
// A Table is stored as its definition only; its segments and statistics travel apart.
#pragma once

#include "catalog/catalog.h"
#include "catalog/delete_bits.h"
#include "catalog/field_codec.h"

namespace blueshift::catalog {

template <class A> void describe(A& a, Ref<A, SqlType> type) {
    a.enumeration(1, type.kind, TypeKind::kVoid);
    a.sparse(2, type.precision);
    a.sparse(3, type.scale);
    a.sparse(4, type.length);
}

template <class A> void describe(A& a, Ref<A, Privilege> privilege) {
    a(1, privilege.grantee);
    a(2, privilege.name);
    a(3, privilege.with_grant);
}

template <class A> void describe(A& a, Ref<A, BackfillValue> value) {
    a.sparse(1, value.integer);
    a.sparse(2, value.floating);
    a.sparse(3, value.text);
}

template <class A> void describe(A& a, Ref<A, Column> column) {
    a(1, column.id);
    a(2, column.name);
    a(3, column.type);
    a(4, column.not_null);
    a(5, column.dropped);
    a(6, column.default_sql);
    a(7, column.is_identity);
    a(8, column.identity_seed);
    a(9, column.identity_step);
    a.enumeration(10, column.encoding, ColumnEncoding::kZstd);
    a(11, column.width_class);
    a(12, column.comment);
    a(13, column.backfill);
}

template <class A> void describe(A& a, Ref<A, KeyConstraint> key) {
    a(1, key.name);
    a(2, key.primary);
    a(3, key.columns);
    a(4, key.oid);
}

template <class A> void describe(A& a, Ref<A, ForeignKey> key) {
    a(1, key.name);
    a(2, key.columns);
    a(3, key.target);
    a(4, key.target_columns);
    a(5, key.oid);
}

/// The definition: everything but segments and statistics.
template <class A> void describe(A& a, Ref<A, Table> table) {
    a(1, table.oid);
    a(2, table.schema);
    a(3, table.name);
    a(4, table.owner);
    a(5, table.columns);
    a.enumeration(6, table.dist_style, DistStyle::kAll);
    a(7, table.dist_key);
    a.enumeration(8, table.sort_style, SortStyle::kInterleaved);
    a(9, table.sort_key);
    a(10, table.encode_auto);
    a(11, table.backup);
    a(12, table.schema_version);
    a(13, table.next_column_id);
    a(14, table.next_segment_id);
    a(15, table.keys);
    a(16, table.foreign_keys);
    a(17, table.privileges);
    a(18, table.comment);
    a(19, table.created_at);
}

template <class A> void describe(A& a, Ref<A, ViewColumn> column) {
    a(1, column.name);
    a(2, column.type);
}

template <class A> void describe(A& a, Ref<A, View> view) {
    a(1, view.oid);
    a(2, view.schema);
    a(3, view.name);
    a(4, view.owner);
    a(5, view.query);
    a(6, view.definition);
    a(7, view.search_path);
    a(8, view.late_binding);
    a(9, view.columns);
    a(10, view.depends_on);
    a(11, view.privileges);
    a(12, view.comment);
}

template <class A> void describe(A& a, Ref<A, Schema> schema) {
    a(1, schema.oid);
    a(2, schema.name);
    a(3, schema.owner);
    a(4, schema.privileges);
    a(5, schema.comment);
}

/// A text in a list, since a list's elements are messages.
struct StoredText {
    std::string text;
};
template <class A> void describe(A& a, Ref<A, StoredText> stored) {
    a(1, stored.text);
}

template <class A> void describe(A& a, Ref<A, User> user) {
    a(1, user.oid);
    a(2, user.name);
    a(3, user.superuser);
    a(4, user.create_db);
    a(5, user.scram_verifier);
    a(6, user.md5_verifier);
    a(7, user.digest_verifier);
    a(8, user.valid_until);
    a(9, user.connection_limit);
    a(10, user.session_timeout);
    a(11, user.is_role);
    a(12, user.is_group);
    std::vector<StoredText> groups;
    if constexpr (!A::kReads)
        for (const std::string& group : user.member_of) groups.push_back({group});
    a(13, groups);
    if constexpr (A::kReads)
        for (StoredText& group : groups) user.member_of.push_back(std::move(group.text));
}

template <class A> void describe(A& a, Ref<A, ColumnRange> range) {
    a.sparse(1, range.null_count);
    a.sparse(2, range.has_range);
    a.sparse(3, range.min);
    a.sparse(4, range.max);
    a.sparse(5, range.min_float);
    a.sparse(6, range.max_float);
    a.sparse(7, range.min_text);
    a.sparse(8, range.max_text);
    a.sparse(9, range.max_text_unbounded);
}

template <class A> void describe(A& a, Ref<A, Segment> segment) {
    a(1, segment.id);
    a.sparse(2, segment.object_key);
    a.sparse(3, segment.object_bytes);
    a.sparse(4, segment.object_hash);
    a(5, segment.rows);
    a(6, segment.column_ids);
    a(7, segment.ranges);
    a(8, segment.memory);
    a.sparse(9, segment.bucket_bits);
    a.sparse(10, segment.bucket_prefix);
    a.sparse(11, segment.bucket_column);
    if constexpr (A::kReads)
        if (segment.bucket_bits > 12 || segment.bucket_prefix >> segment.bucket_bits != 0 ||
            segment.ranges.size() != segment.column_ids.size() || segment.rows > kMaxSegmentRows ||
            (segment.object_key.empty() && !segment.memory))
            a.fail();
}

template <class A> void describe(A& a, Ref<A, DeleteVector> deletes) {
    std::vector<u8> bits;
    if constexpr (!A::kReads) bits = encodeBits(deletes.bits);
    a(1, bits);
    a.sparse(2, deletes.object_key);
    if constexpr (A::kReads) {
        auto decoded = decodeBits(bits);
        if (!decoded) return a.fail();
        deletes.bits = std::move(*decoded);
        deletes.deleted_rows = countBits(deletes.bits);
    }
}

template <class A> void describe(A& a, Ref<A, SegmentEntry> entry) {
    a(1, entry.segment);
    a(2, entry.deletes);
    if constexpr (A::kReads)
        if (!entry.segment) a.fail();
}

template <class A> void describe(A& a, Ref<A, ColumnStatistics> statistics) {
    a(1, statistics.distinct);
    a(2, statistics.null_fraction);
    a(3, statistics.average_bytes);
    a(4, statistics.hll);
    a(5, statistics.has_range);
    a.sparse(6, statistics.min);
    a.sparse(7, statistics.max);
    a.sparse(8, statistics.min_float);
    a.sparse(9, statistics.max_float);
}

/// Statistics of one column in a list.
struct StoredColumnStatistics {
    u32 column_id = 0;
    ColumnStatistics statistics;
};
template <class A> void describe(A& a, Ref<A, StoredColumnStatistics> stored) {
    a(1, stored.column_id);
    a(2, stored.statistics);
}

template <class A> void describe(A& a, Ref<A, TableStatistics> statistics) {
    a(1, statistics.rows);
    std::vector<StoredColumnStatistics> columns;
    if constexpr (!A::kReads)
        for (const auto& [id, column] : statistics.columns) columns.push_back({id, column});
    a(2, columns);
    if constexpr (A::kReads)
        for (StoredColumnStatistics& column : columns)
            statistics.columns.emplace_back(column.column_id, std::move(column.statistics));
    a(3, statistics.sample);
}

/// Everything of a table, for checkpoints.
struct StoredTable {
    std::shared_ptr<const Table> definition;
    std::vector<SegmentEntry> segments;
    std::shared_ptr<const TableStatistics> statistics;
};
template <class A> void describe(A& a, Ref<A, StoredTable> stored) {
    a(1, stored.definition);
    a(2, stored.segments);
    a(3, stored.statistics);
    if constexpr (A::kReads)
        if (!stored.definition) a.fail();
}

} // namespace blueshift::catalog
