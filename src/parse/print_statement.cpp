// Statements as text, except definitions and rights (print_ddl.cpp).

#include "parse/printer.h"

namespace blueshift::parse {

void Printer::statement(const Statement* statement) {
    switch (statement->kind) {
    case StatementKind::kSelect: return query(statement->as<Select>()->query);
    case StatementKind::kInsert: return insert(*statement->as<Insert>());
    case StatementKind::kUpdate: return update(*statement->as<Update>());
    case StatementKind::kDelete: return deleteRows(*statement->as<Delete>());
    case StatementKind::kTruncate:
        put("TRUNCATE TABLE ");
        return objectName(statement->as<Truncate>()->table);
    case StatementKind::kMerge: return merge(*statement->as<Merge>());
    case StatementKind::kCopy: return copy(*statement->as<Copy>());
    case StatementKind::kUnload: return unload(*statement->as<Unload>());
    case StatementKind::kTransaction: return transaction(*statement->as<Transaction>());
    case StatementKind::kLock:
        put("LOCK TABLE ");
        return commas(statement->as<Lock>()->tables,
                      [&](const ObjectName& table) { objectName(table); });
    case StatementKind::kSet: return set(*statement->as<Set>());
    case StatementKind::kReset: {
        const Reset* reset = statement->as<Reset>();
        put("RESET ");
        return put(reset->all ? "ALL" : settingName(reset->name));
    }
    case StatementKind::kShow: return show(*statement->as<Show>());
    case StatementKind::kExplain: return explain(*statement->as<Explain>());
    case StatementKind::kAnalyze: {
        const Analyze* analyze = statement->as<Analyze>();
        put(analyze->verbose ? "ANALYZE VERBOSE" : "ANALYZE");
        tableAndColumns(analyze->table, analyze->columns);
        return put(analyze->predicate_columns ? " PREDICATE COLUMNS" : "");
    }
    case StatementKind::kAnalyzeCompression: {
        const AnalyzeCompression* analyze = statement->as<AnalyzeCompression>();
        put("ANALYZE COMPRESSION");
        tableAndColumns(analyze->table, analyze->columns);
        if (analyze->sample_rows == 0) return;
        put(" COMPROWS ");
        return number(analyze->sample_rows);
    }
    case StatementKind::kVacuum: return vacuum(*statement->as<Vacuum>());
    case StatementKind::kPrepare:
    case StatementKind::kExecute:
    case StatementKind::kDeallocate:
    case StatementKind::kDeclare:
    case StatementKind::kFetch:
    case StatementKind::kClose: return namedStatement(statement);
    case StatementKind::kCancel:
        put("CANCEL ");
        number(statement->as<Cancel>()->process);
        if (statement->as<Cancel>()->message.empty()) return;
        put(" ");
        return text(statement->as<Cancel>()->message);
    case StatementKind::kUse: put("USE "); return name(statement->as<Use>()->database);
    case StatementKind::kCall: put("CALL "); return expression(statement->as<Call>()->call);
    case StatementKind::kDiscard: {
        static constexpr std::string_view kWhat[] = {"ALL", "PLANS", "TEMP", "SEQUENCES"};
        put("DISCARD ");
        return put(kWhat[static_cast<u8>(statement->as<Discard>()->discard)]);
    }
    default: return definition(statement);
    }
}

void Printer::tableAndColumns(const ObjectName& table, const List<ColumnName>& columns) {
    if (table.empty()) return;
    put(" ");
    objectName(table);
    if (columns.empty()) return;
    put(" ");
    columnNamesInParentheses(columns);
}

void Printer::insert(const Insert& insert) {
    // DEFAULT is read only in VALUES right behind INSERT: a WITH moves in front of both.
    bool with_first =
        insert.query != nullptr && insert.query->with != nullptr && insert.query->is<ValuesQuery>();
    if (with_first) with(insert.query->with);
    put("INSERT INTO ");
    objectName(insert.table);
    if (!insert.columns.empty()) {
        put(" ");
        columnNamesInParentheses(insert.columns);
    }
    put(" ");
    if (insert.default_values) return put("DEFAULT VALUES");
    if (!with_first) return query(insert.query);
    values(insert.query->as<ValuesQuery>());
    queryTail(insert.query);
}

void Printer::assignments(const List<Assignment>& assignments) {
    commas(assignments, [&](const Assignment& assignment) {
        name(assignment.column.name);
        put(" = ");
        expression(assignment.value);
    });
}

void Printer::update(const Update& update) {
    if (update.with != nullptr) with(update.with);
    put("UPDATE ");
    objectName(update.table);
    if (!update.alias.empty()) {
        put(" AS ");
        name(update.alias);
    }
    put(" SET ");
    assignments(update.assignments);
    if (!update.from.empty()) {
        put(" FROM ");
        fromList(update.from);
    }
    if (update.where == nullptr) return;
    put(" WHERE ");
    expression(update.where);
}

void Printer::deleteRows(const Delete& statement) {
    if (statement.with != nullptr) with(statement.with);
    put("DELETE FROM ");
    objectName(statement.table);
    if (!statement.alias.empty()) {
        put(" AS ");
        name(statement.alias);
    }
    if (!statement.using_items.empty()) {
        put(" USING ");
        fromList(statement.using_items);
    }
    if (statement.where == nullptr) return;
    put(" WHERE ");
    expression(statement.where);
}

void Printer::merge(const Merge& merge) {
    put("MERGE INTO ");
    objectName(merge.table);
    if (!merge.alias.empty()) {
        put(" AS ");
        name(merge.alias);
    }
    put(" USING ");
    nestedItem(merge.source);
    put(" ON ");
    expression(merge.on);
    if (merge.remove_duplicates) return put(" REMOVE DUPLICATES");
    for (const MergeBranch& branch : merge.branches) {
        put(branch.matched ? " WHEN MATCHED THEN " : " WHEN NOT MATCHED THEN ");
        if (branch.action == MergeAction::kDelete) {
            put("DELETE");
        } else if (branch.action == MergeAction::kUpdate) {
            put("UPDATE SET ");
            assignments(branch.assignments);
        } else {
            put("INSERT ");
            if (!branch.columns.empty()) {
                columnNamesInParentheses(branch.columns);
                put(" ");
            }
            put("VALUES (");
            expressions(branch.values);
            put(")");
        }
    }
}

void Printer::option(const Option& option) {
    // Second arguments are options of their own in the tree, without a word in the text.
    bool continues = option.name.ends_with("_unit") || option.name == "simplify_tolerance";
    if (option.name == "partition_by") put("PARTITION BY");
    else if (option.name == "force_quote") put("FORCE QUOTE");
    else if (option.name == "force_null") put("FORCE NULL");
    else if (option.name == "force_not_null") put("FORCE NOT NULL");
    else if (!continues) put(option.name);
    if (option.argument == OptionArgument::kNone) return;
    if (!continues) put(" ");
    switch (option.argument) {
    case OptionArgument::kText: return text(option.secret ? "***" : option.text);
    case OptionArgument::kWord:
        if (!continues) put("AS ");
        return put(option.text);
    case OptionArgument::kStar: return put("*");
    case OptionArgument::kColumns:
        if (option.name == "partition_by") return columnNamesInParentheses(option.columns);
        return columnNames(option.columns);
    default: return put(option.text);
    }
}

void Printer::options(const List<Option>& options) {
    for (const Option& entry : options) {
        put(" ");
        option(entry);
    }
}

void Printer::copy(const Copy& copy) {
    put("COPY ");
    if (copy.query != nullptr) {
        queryInParentheses(copy.query);
    } else {
        objectName(copy.table);
        if (!copy.columns.empty()) {
            put(" ");
            columnNamesInParentheses(copy.columns);
        }
    }
    put(copy.direction == CopyDirection::kFrom ? " FROM " : " TO ");
    switch (copy.place) {
    case CopyPlace::kLocation: text(copy.location); break;
    case CopyPlace::kStdin: put("STDIN"); break;
    case CopyPlace::kStdout: put("STDOUT"); break;
    }
    options(copy.options);
}

void Printer::unload(const Unload& unload) {
    put("UNLOAD (");
    text(unload.query_text);
    put(") TO ");
    text(unload.location);
    options(unload.options);
}

std::string_view isolationText(IsolationLevel level) {
    switch (level) {
    case IsolationLevel::kReadUncommitted: return "READ UNCOMMITTED";
    case IsolationLevel::kReadCommitted: return "READ COMMITTED";
    case IsolationLevel::kRepeatableRead: return "REPEATABLE READ";
    case IsolationLevel::kSerializable: return "SERIALIZABLE";
    case IsolationLevel::kSnapshot: return "SNAPSHOT";
    case IsolationLevel::kUnspecified: break;
    }
    return "";
}

void Printer::transactionModes(IsolationLevel isolation, AccessMode access) {
    if (isolation != IsolationLevel::kUnspecified) {
        put(" ISOLATION LEVEL ");
        put(isolationText(isolation));
    }
    if (access == AccessMode::kReadOnly) put(" READ ONLY");
    if (access == AccessMode::kReadWrite) put(" READ WRITE");
}

void Printer::transaction(const Transaction& transaction) {
    switch (transaction.action) {
    case TransactionAction::kBegin:
        put("BEGIN");
        return transactionModes(transaction.isolation, transaction.access);
    case TransactionAction::kCommit: return put("COMMIT");
    case TransactionAction::kRollback: return put("ROLLBACK");
    }
}

/// Settings are written as words; a dot is part of the name.
std::string Printer::settingName(std::string_view setting) {
    std::string text;
    while (!setting.empty()) {
        size_t dot = setting.find('.');
        std::string_view part = setting.substr(0, dot);
        if (!text.empty()) text += '.';
        text += isPlainName(part) && !isReserved(findKeyword(part)) ? std::string(part)
                                                                    : quoteName(part);
        setting.remove_prefix(dot == std::string_view::npos ? setting.size() : dot + 1);
    }
    return text;
}

void Printer::set(const Set& set) {
    put("SET ");
    if (set.target == SetTarget::kSessionCharacteristics) {
        put("SESSION CHARACTERISTICS AS TRANSACTION");
        return transactionModes(set.isolation, set.access);
    }
    if (set.scope == SetScope::kLocal) put("LOCAL ");
    if (set.scope == SetScope::kSession) put("SESSION ");
    switch (set.target) {
    case SetTarget::kTransaction:
        put("TRANSACTION");
        return transactionModes(set.isolation, set.access);
    case SetTarget::kSessionAuthorization: put("SESSION AUTHORIZATION "); break;
    case SetTarget::kRole:
        put("ROLE ");
        if (set.values.empty() && !set.to_default) return put("NONE");
        break;
    default: put(settingName(set.name)); put(" TO ");
    }
    if (set.to_default) return put("DEFAULT");
    commas(set.values, [&](const SettingValue& value) {
        if (value.kind == SettingKind::kText) text(value.text);
        else put(value.text);
    });
}

void Printer::showTarget(const Show& show) {
    switch (show.show) {
    case ShowKind::kAll: return put("ALL");
    case ShowKind::kDatabases: return put("DATABASES");
    case ShowKind::kDatashares: return put("DATASHARES");
    case ShowKind::kSchemas:
        put("SCHEMAS");
        if (show.object.empty()) return;
        put(" FROM DATABASE ");
        return name(show.object.name);
    case ShowKind::kTables: put("TABLES FROM SCHEMA "); return schemaName(show.object);
    case ShowKind::kProcedures: put("PROCEDURES FROM SCHEMA "); return schemaName(show.object);
    case ShowKind::kFunctions: put("FUNCTIONS FROM SCHEMA "); return schemaName(show.object);
    case ShowKind::kColumns: put("COLUMNS FROM TABLE "); break;
    case ShowKind::kPrimaryKeys: put("CONSTRAINTS PRIMARY KEYS FROM TABLE "); break;
    case ShowKind::kForeignKeys: put("CONSTRAINTS FOREIGN KEYS FROM TABLE "); break;
    case ShowKind::kExportedKeys: put("CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE "); break;
    case ShowKind::kProcedureParameters: put("PARAMETERS OF PROCEDURE "); break;
    case ShowKind::kFunctionParameters: put("PARAMETERS OF FUNCTION "); break;
    case ShowKind::kTable: put("TABLE "); break;
    case ShowKind::kView: put("VIEW "); break;
    case ShowKind::kExternalTable: put("EXTERNAL TABLE "); break;
    case ShowKind::kProcedure: put("PROCEDURE "); break;
    case ShowKind::kGrants: put("GRANTS"); return showGrants(show);
    case ShowKind::kColumnGrants: put("COLUMN GRANTS"); return showGrants(show);
    case ShowKind::kParameter: return put(settingName(show.name));
    }
    objectName(show.object);
    if (!show.argument_types.empty()) argumentTypes(show.argument_types);
}

void Printer::showGrants(const Show& show) {
    bool from_database = show.grantee != nullptr && show.object_kind == ObjectKind::kDatabase &&
                         show.object.position > show.grantee->position;
    if (!show.object.empty() && !from_database) {
        put(" ON ");
        put(objectKindText(show.object_kind));
        put(" ");
        if (show.object_kind == ObjectKind::kSchema) schemaName(show.object);
        else objectName(show.object);
        if (!show.argument_types.empty()) argumentTypes(show.argument_types);
    }
    if (show.grantee == nullptr) return;
    put(" FOR ");
    grantee(*show.grantee);
    if (!from_database) return;
    put(" FROM DATABASE ");
    name(show.object.name);
}

void Printer::show(const Show& show) {
    put("SHOW ");
    showTarget(show);
    if (show.like != nullptr) {
        put(" LIKE ");
        expression(show.like);
    }
    if (show.limit == nullptr) return;
    put(" LIMIT ");
    expression(show.limit);
}

void Printer::explain(const Explain& explain) {
    put("EXPLAIN ");
    if (explain.codegen || !explain.options.empty()) {
        put("(");
        std::string_view comma;
        auto flag = [&](bool on, std::string_view word) {
            if (!on) return;
            put(comma);
            put(word);
            comma = ", ";
        };
        flag(explain.analyze, "ANALYZE");
        flag(explain.verbose, "VERBOSE");
        flag(explain.codegen, "CODEGEN");
        for (const Option& entry : explain.options) {
            put(comma);
            comma = ", ";
            put(entry.name);
            if (entry.argument == OptionArgument::kNone) continue;
            put(" ");
            if (entry.argument == OptionArgument::kText) text(entry.text);
            else put(entry.text);
        }
        put(") ");
    } else {
        if (explain.analyze) put("ANALYZE ");
        if (explain.verbose) put("VERBOSE ");
    }
    statement(explain.statement);
}

void Printer::vacuum(const Vacuum& vacuum) {
    static constexpr std::string_view kKinds[] = {
        "", " FULL", " SORT ONLY", " DELETE ONLY", " REINDEX", " RECLUSTER"};
    put("VACUUM");
    put(kKinds[static_cast<u8>(vacuum.vacuum)]);
    if (!vacuum.table.empty()) {
        put(" ");
        objectName(vacuum.table);
    }
    if (vacuum.threshold_percent > 0) {
        put(" TO ");
        number(vacuum.threshold_percent);
        put(" PERCENT");
    }
    if (vacuum.boost) put(" BOOST");
}

/// Prepared statements and cursors.
void Printer::namedStatement(const Statement* statement) {
    switch (statement->kind) {
    case StatementKind::kPrepare: {
        const Prepare* prepare = statement->as<Prepare>();
        put("PREPARE ");
        name(prepare->name);
        if (!prepare->types.empty()) argumentTypes(prepare->types);
        put(" AS ");
        return this->statement(prepare->statement);
    }
    case StatementKind::kExecute: {
        const Execute* execute = statement->as<Execute>();
        put("EXECUTE ");
        name(execute->name);
        if (execute->arguments.empty()) return;
        put("(");
        expressions(execute->arguments);
        return put(")");
    }
    case StatementKind::kDeallocate:
        put("DEALLOCATE ");
        if (statement->as<Deallocate>()->all) return put("ALL");
        return name(statement->as<Deallocate>()->name);
    case StatementKind::kDeclare: return declare(*statement->as<Declare>());
    case StatementKind::kFetch: return fetch(*statement->as<Fetch>());
    default:
        put("CLOSE ");
        if (statement->as<Close>()->all) return put("ALL");
        return name(statement->as<Close>()->cursor);
    }
}

void Printer::declare(const Declare& declare) {
    put("DECLARE ");
    name(declare.name);
    if (declare.binary) put(" BINARY");
    if (declare.scroll) put(" SCROLL");
    put(" CURSOR ");
    if (declare.with_hold) put("WITH HOLD ");
    put("FOR ");
    query(declare.query);
}

void Printer::fetch(const Fetch& fetch) {
    put(fetch.move ? "MOVE " : "FETCH ");
    if (fetch.all) put("ALL");
    else number(fetch.count);
    put(" FROM ");
    name(fetch.cursor);
}

std::string print(const Statement& statement) {
    Printer printer;
    printer.statement(&statement);
    return printer.take();
}

} // namespace blueshift::parse
