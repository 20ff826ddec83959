#include "transaction/transaction.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/memory_segment.h"
#include "transaction/database_state.h"

namespace blueshift::transaction {
namespace {

/// Bytes that an operation will take in a log record, roughly.
u64 approximateBytes(const Operation& operation) {
    u64 bytes = 256 + operation.segment_ids.size() * 4;
    for (const auto& segment : operation.segments) {
        bytes += 128 + segment->ranges.size() * 64;
        if (segment->memory) bytes += segment->memory->byteSize();
    }
    if (operation.deletes && operation.deletes->object_key.empty())
        bytes +=
            std::min<u64>(operation.deletes->bits.size() * 8, operation.deletes->deleted_rows * 5);
    if (operation.statistics) {
        bytes += operation.statistics->columns.size() * 4096;
        if (operation.statistics->sample) bytes += operation.statistics->sample->byteSize();
    }
    return bytes;
}

} // namespace

// ---- State

void Transaction::State::openEditor() {
    editor.emplace(base);
    if (session == nullptr || session->empty()) return;
    Operation schema;
    schema.kind = OperationKind::kPutSchema;
    schema.schema = session->schema();
    orThrow(editor->apply(schema));
    for (const auto& [oid, table] : session->tables()) editor->putWholeTable(table);
    for (const auto& [oid, view] : session->views()) {
        Operation put;
        put.kind = OperationKind::kPutView;
        put.view = view;
        orThrow(editor->apply(put));
    }
}

SnapshotEditor& Transaction::State::edit() {
    if (!base) {
        base = database->committer->snapshot();
        openEditor();
    }
    return *editor;
}

void Transaction::State::record(Operation operation, bool temporary) {
    if (finished)
        throw SqlError(sqlstate::kNoActiveSqlTransaction, "the transaction has already ended");
    SnapshotEditor& target = edit();
    if (temporary && session == nullptr)
        throw SqlError(sqlstate::kFeatureNotSupported,
                       "temporary objects need a session of their own");
    if (temporary && target.current().findSchema(kTemporarySchema) == nullptr) {
        Operation schema;
        schema.kind = OperationKind::kPutSchema;
        schema.schema = session->schema();
        orThrow(target.apply(schema));
    }
    if (Status applied = target.apply(operation); !applied)
        throw SqlError(Error(sqlstate::kInternalError, applied.error().message));
    changes.push_back({std::move(operation), temporary});
}

const catalog::Table& Transaction::State::table(Oid oid) {
    const auto& tables = edit().current().tables;
    const auto found = tables.find(oid);
    if (found == tables.end())
        throw SqlError(sqlstate::kInternalError, fmt::format("table {} does not exist", oid));
    return *found->second;
}

bool Transaction::State::isTemporaryTable(Oid oid) {
    const auto& tables = edit().current().tables;
    const auto found = tables.find(oid);
    return found != tables.end() && found->second->temporary;
}

Result<std::vector<Operation>> Transaction::State::loggedOperations() {
    std::vector<Operation> operations;
    for (const Change& change : changes) {
        if (change.temporary) continue;
        Operation operation = change.operation;
        if (operation.kind == OperationKind::kDeleteRows &&
            catalog::encodeBits(operation.deletes->bits).size() > kInlineDeleteBytes) {
            auto stored = std::make_shared<catalog::DeleteVector>(*operation.deletes);
            stored->object_key = database->newKey("dv", operation.oid);
            BS_TRY(database->store.put(stored->object_key, encodeDeleteObject(stored->bits)));
            operation.deletes = std::move(stored);
        }
        operations.push_back(std::move(operation));
    }
    return operations;
}

void Transaction::State::finish() {
    finished = true;
    changes.clear();
    editor.reset();
    base.reset();
    database->locks.releaseAll(id);
}

// ---- Transaction

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::~Transaction() {
    rollback();
}

u64 Transaction::id() const {
    return state_->id;
}

std::shared_ptr<const catalog::CatalogSnapshot> Transaction::view() {
    if (state_->finished) return state_->database->committer->snapshot();
    return state_->edit().publish();
}

void Transaction::refresh() {
    if (hasChanges()) return;
    state_->base.reset();
    state_->editor.reset();
}

bool Transaction::hasChanges() const {
    return !state_->changes.empty();
}

catalog::Oid Transaction::newOid() {
    const Oid oid = state_->database->next_oid.fetch_add(1);
    state_->next_oid = std::max(state_->next_oid, oid + 1);
    return oid;
}

void Transaction::putSchema(std::shared_ptr<const catalog::Schema> schema) {
    Operation operation{.kind = OperationKind::kPutSchema, .oid = schema->oid};
    operation.schema = std::move(schema);
    const bool temporary = operation.schema->temporary;
    state_->record(std::move(operation), temporary);
}

void Transaction::dropSchema(catalog::Oid oid) {
    state_->record({.kind = OperationKind::kDropSchema, .oid = oid}, oid == kTemporarySchema);
}

void Transaction::putTable(std::shared_ptr<const catalog::Table> table) {
    Operation operation{.kind = OperationKind::kPutTable, .oid = table->oid};
    // The change holds the definition only; its rows have operations of their own.
    auto definition = std::make_shared<catalog::Table>(*table);
    definition->segments = nullptr;
    definition->statistics = nullptr;
    operation.table = std::move(definition);
    state_->record(std::move(operation), table->temporary);
}

void Transaction::dropTable(catalog::Oid oid) {
    const bool temporary = state_->isTemporaryTable(oid);
    state_->record({.kind = OperationKind::kDropTable, .oid = oid}, temporary);
}

void Transaction::putView(std::shared_ptr<const catalog::View> view) {
    Operation operation{.kind = OperationKind::kPutView, .oid = view->oid};
    operation.view = std::move(view);
    const bool temporary = operation.view->schema == kTemporarySchema;
    state_->record(std::move(operation), temporary);
}

void Transaction::dropView(catalog::Oid oid) {
    const auto& views = state_->edit().current().views;
    const auto found = views.find(oid);
    const bool temporary = found != views.end() && found->second->schema == kTemporarySchema;
    state_->record({.kind = OperationKind::kDropView, .oid = oid}, temporary);
}

void Transaction::putUser(std::shared_ptr<const catalog::User> user) {
    Operation operation{.kind = OperationKind::kPutUser};
    operation.user = std::move(user);
    state_->record(std::move(operation), false);
}

void Transaction::dropUser(const std::string& name) {
    state_->record({.kind = OperationKind::kDropUser, .name = name}, false);
}

void Transaction::putStatistics(catalog::Oid table,
                                std::shared_ptr<const catalog::TableStatistics> statistics) {
    Operation operation{.kind = OperationKind::kPutStatistics, .oid = table};
    operation.statistics = std::move(statistics);
    state_->record(std::move(operation), state_->isTemporaryTable(table));
}

void Transaction::addSegments(catalog::Oid table,
                              std::vector<std::shared_ptr<catalog::Segment>> segments,
                              const std::vector<std::pair<u32, u8>>& width_classes) {
    if (segments.empty()) return;
    Operation operation{.kind = OperationKind::kAddSegments, .oid = table};
    u64 next = state_->table(table).next_segment_id;
    for (auto& segment : segments) {
        segment->id = next++;
        operation.segments.push_back(std::move(segment));
    }
    for (const auto& [column, bytes] : width_classes)
        operation.width_classes.push_back({column, bytes});
    state_->record(std::move(operation), state_->isTemporaryTable(table));
}

void Transaction::deleteRows(RowDeletes deletes) {
    const catalog::Table& table = state_->table(deletes.table);
    const auto entry = std::ranges::find_if(*table.segments, [&](const auto& candidate) {
        return candidate.segment->id == deletes.segment_id;
    });
    if (entry == table.segments->end())
        throw SqlError(sqlstate::kInternalError, fmt::format("table {} has no segment {}",
                                                             deletes.table, deletes.segment_id));
    auto vector = std::make_shared<catalog::DeleteVector>();
    vector->bits = std::move(deletes.bits);
    vector->bits.resize((u64(entry->segment->rows) + 63) / 64);
    // Only what is not deleted yet, so that the delta is this transaction's own.
    if (entry->deletes)
        for (size_t i = 0; i < std::min(vector->bits.size(), entry->deletes->bits.size()); ++i)
            vector->bits[i] &= ~entry->deletes->bits[i];
    vector->deleted_rows = catalog::countBits(vector->bits);
    if (vector->deleted_rows == 0) return;
    Operation operation{.kind = OperationKind::kDeleteRows, .oid = deletes.table};
    operation.segment_id = deletes.segment_id;
    operation.deletes = std::move(vector);
    state_->record(std::move(operation), table.temporary);
}

void Transaction::removeAllRows(catalog::Oid table) {
    Operation operation{.kind = OperationKind::kRemoveSegments, .oid = table};
    for (const auto& entry : *state_->table(table).segments)
        operation.segment_ids.push_back(entry.segment->id);
    if (operation.segment_ids.empty()) return;
    state_->record(std::move(operation), state_->isTemporaryTable(table));
}

u64 Transaction::mark() const {
    return state_->changes.size();
}

void Transaction::restore(u64 mark) {
    if (mark >= state_->changes.size()) return;
    state_->changes.resize(mark);
    state_->openEditor();
    std::vector<State::Change> kept = std::move(state_->changes);
    state_->changes.clear();
    for (State::Change& change : kept)
        state_->record(std::move(change.operation), change.temporary);
}

Status Transaction::commit() {
    if (state_->finished)
        return failure(sqlstate::kNoActiveSqlTransaction, "the transaction has already ended");
    auto operations = state_->loggedOperations();
    if (!operations) {
        state_->finish();
        return failure(std::move(operations.error()));
    }
    Status committed;
    if (!operations->empty()) {
        auto pending = std::make_shared<PendingTransaction>();
        pending->uuid = Uuid::make(state_->database->random);
        pending->id = state_->id;
        pending->base = state_->base;
        pending->next_oid = state_->next_oid;
        pending->operations = std::move(*operations);
        for (const Operation& operation : pending->operations)
            pending->approximate_bytes += approximateBytes(operation);
        committed = state_->database->committer->commit(std::move(pending));
    }
    const bool temporary = std::ranges::any_of(
        state_->changes, [](const State::Change& change) { return change.temporary; });
    if (committed && temporary) state_->session->takeFrom(*state_->edit().publish());
    state_->finish();
    return committed;
}

void Transaction::rollback() {
    if (!state_->finished) state_->finish();
}

} // namespace blueshift::transaction
