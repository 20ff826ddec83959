// validation.h: may this transaction commit on top of what others committed since it read?
//
// Snapshot isolation, first committer wins. The transaction's base snapshot is compared with the
// newest one, so no window of old records is needed. Conflicts: a row deleted by both, a table
// dropped or redefined, a schema, view or user changed by both, a name taken. Appends never
// conflict; deletes of different rows of one segment merge.
// Place: called by the committer for each transaction of a batch, in order, each against the state
// that the ones before it leave.
#pragma once

#include "transaction/pending_transaction.h"

namespace blueshift::transaction {

/// The operations to log: those of the transaction with its new segments renumbered behind the
/// newest ones. Errors: 40001, 42P07, 42P06, 42710, 2BP01, 3F000, 42P01.
Result<std::vector<Operation>> rebase(const PendingTransaction& transaction,
                                      const catalog::CatalogSnapshot& newest,
                                      const CommitHistory& history);

} // namespace blueshift::transaction
