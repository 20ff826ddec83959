// operation_codec.h: stored fields of operations and transactions. Tags are a format.
#pragma once

#include "transaction/operation.h"

namespace blueshift::transaction {

using catalog::Ref;

template <class A> void describe(A& a, Ref<A, Uuid> uuid) {
    a(1, uuid.high);
    a(2, uuid.low);
}

template <class A> void describe(A& a, Ref<A, WidthClass> width) {
    a(1, width.column_id);
    a(2, width.bytes);
}

/// A segment in a list that may be shared.
struct StoredSegment {
    std::shared_ptr<const catalog::Segment> segment;
};
template <class A> void describe(A& a, Ref<A, StoredSegment> stored) {
    a(1, stored.segment);
    if constexpr (A::kReads)
        if (!stored.segment) a.fail();
}

template <class A> void describe(A& a, Ref<A, Operation> operation) {
    a.enumeration(1, operation.kind, OperationKind::kReserveSequence);
    a.sparse(2, operation.oid);
    a.sparse(3, operation.name);
    a(4, operation.schema);
    a(5, operation.table);
    a(6, operation.view);
    a(7, operation.user);
    a(8, operation.statistics);
    std::vector<StoredSegment> segments;
    if constexpr (!A::kReads)
        for (const auto& segment : operation.segments) segments.push_back({segment});
    a(9, segments);
    if constexpr (A::kReads)
        for (StoredSegment& stored : segments)
            operation.segments.push_back(std::move(stored.segment));
    a(10, operation.width_classes);
    a.sparse(11, operation.segment_id);
    // Bits either here or in the object that is named; the reader fetches the latter.
    std::vector<u8> bits;
    std::string key;
    if constexpr (!A::kReads) {
        if (operation.deletes && operation.deletes->object_key.empty())
            bits = catalog::encodeBits(operation.deletes->bits);
        else if (operation.deletes) key = operation.deletes->object_key;
    }
    a(12, bits);
    a.sparse(13, key);
    a(14, operation.segment_ids);
    if constexpr (A::kReads) {
        if (bits.empty() && key.empty()) return;
        auto deletes = std::make_shared<catalog::DeleteVector>();
        deletes->object_key = std::move(key);
        if (!bits.empty()) {
            auto decoded = catalog::decodeBits(bits);
            if (!decoded) return a.fail();
            deletes->bits = std::move(*decoded);
            deletes->deleted_rows = catalog::countBits(deletes->bits);
        }
        operation.deletes = std::move(deletes);
    }
}

template <class A> void describe(A& a, Ref<A, LoggedTransaction> transaction) {
    a(1, transaction.uuid);
    a(2, transaction.id);
    a(3, transaction.read_lsn);
    a(4, transaction.next_oid);
    a(5, transaction.operations);
}

} // namespace blueshift::transaction
