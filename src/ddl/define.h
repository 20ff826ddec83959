// define.h: definitions and rights: from a tree to changes of the catalog in a transaction.
//
// Place: statement.cpp hands every statement of parse/ast_ddl.h here (CREATE, ALTER, DROP, COMMENT,
// GRANT, users), TRUNCATE too. CTAS: tableForQuery() makes the table, statement.cpp fills it.
// Errors: SqlError; nothing is half done, because a failed statement's changes are undone by its
// transaction.
#pragma once

#include <functional>

#include "bind/bind.h"
#include "transaction/transaction.h"

namespace blueshift::ddl {

struct PasswordForms {
    std::string scram;
    std::string md5;
    std::string digest;
};

struct DefineContext {
    bind::BindContext& bind;
    transaction::Transaction& transaction;
    std::string user;
    i64 now = 0; // microseconds since 2000-01-01
    /// Verifiers of a new password.
    std::function<PasswordForms(std::string_view user, std::string_view password)> verifiers;
    /// Takes the writers' lock of a table before it is altered or dropped.
    std::function<void(catalog::Oid table)> lock_table;
    std::function<void(std::string severity, Error error)> notice;
    /// Rewrites a table's rows into a new definition (ALTER DISTKEY, SORTKEY, type changes that
    /// need it): reads `select` (a query text over the table) into the table `oid`.
    std::function<void(catalog::Oid table, const std::string& select)> rewrite_rows;
};

/// Executes a definition; returns the command tag ("CREATE TABLE").
std::string define(const parse::Statement& statement, DefineContext& context);

/// CREATE TABLE AS: the table for the query's columns, already in the transaction; nullptr when IF
/// NOT EXISTS found one.
std::shared_ptr<const catalog::Table> tableForQuery(const parse::CreateTable& statement,
                                                    const bind::QueryPlan& query,
                                                    DefineContext& context);

/// CREATE TABLE text of an existing table (SHOW TABLE).
std::string describeTable(const catalog::CatalogSnapshot& snapshot, const catalog::Table& table);

} // namespace blueshift::ddl
