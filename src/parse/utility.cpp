// EXPLAIN, ANALYZE, VACUUM, prepared statements, cursors and the small statements.

#include <utility>

#include "parse/parser.h"

namespace blueshift::parse {

Statement* Parser::parseExplain() {
    Explain* explain = make<Explain>(here());
    expect(Keyword::kExplain);
    explain->options = list<Option>();
    if (at(Symbol::kLeftParen) && !atQuery(1) && !at(Symbol::kLeftParen, 1)) {
        parseExplainOptions(explain);
    } else {
        explain->analyze = accept(Keyword::kAnalyze) || accept(Keyword::kAnalyse);
        explain->verbose = accept(Keyword::kVerbose);
    }
    explain->statement = parseInner();
    switch (explain->statement->kind) {
    case StatementKind::kSelect:
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
    case StatementKind::kDeclare:
    case StatementKind::kExecute: break;
    case StatementKind::kCreateTable:
        if (explain->statement->as<CreateTable>()->query != nullptr) break;
        [[fallthrough]];
    default:
        failWith(sqlstate::kSyntaxError, "EXPLAIN does not apply to this statement",
                 explain->statement->position,
                 "EXPLAIN takes SELECT, INSERT, UPDATE, DELETE, MERGE, EXECUTE or CREATE TABLE "
                 "AS.");
    }
    return explain;
}

/// (ANALYZE, VERBOSE off, CODEGEN, FORMAT json)
void Parser::parseExplainOptions(Explain* explain) {
    expect(Symbol::kLeftParen);
    do {
        Token token = peek();
        if (token.kind != TokenKind::kWord) fail("The name of an option is expected here.");
        take();
        Option option;
        option.position = token.begin;
        option.name = token.text == "analyse" ? std::string_view("analyze") : token.text;
        if (!parseOptionArgument(option) && peek().kind == TokenKind::kWord) {
            option.argument = OptionArgument::kWord;
            option.text = take().text;
        }
        bool on = !(option.text == "false" || option.text == "off" || option.text == "0");
        if (option.name == "analyze") explain->analyze = on;
        else if (option.name == "verbose") explain->verbose = on;
        else if (option.name == "codegen") explain->codegen = on;
        else explain->options.push(option);
    } while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
}

/// The statement inside of EXPLAIN or PREPARE.
Statement* Parser::parseInner() {
    Level level(*this);
    i32 outer = std::exchange(statement_position_, here());
    u32 begin = static_cast<u32>(here());
    Statement* inner = parseStatementBody();
    inner->begin = begin;
    inner->end = static_cast<u32>(last_end_);
    inner->text = sourceText(inner->begin, inner->end);
    inner->parameter_count = parameter_count_;
    statement_position_ = outer;
    return inner;
}

Statement* Parser::parseAnalyze() {
    i32 position = here();
    take();
    if (accept(Keyword::kCompression)) {
        AnalyzeCompression* analyze = make<AnalyzeCompression>(position);
        if (!atEnd() && !at(Keyword::kComprows)) analyze->table = parseObjectName();
        if (at(Symbol::kLeftParen)) analyze->columns = parseColumnNamesInParentheses();
        if (accept(Keyword::kComprows)) analyze->sample_rows = parseInteger();
        return analyze;
    }
    Analyze* analyze = make<Analyze>(position);
    analyze->verbose = accept(Keyword::kVerbose);
    bool scope = (at(Keyword::kPredicate) && at(Keyword::kColumns, 1)) || at(Keyword::kAll);
    if (!atEnd() && !scope) {
        analyze->table = parseObjectName();
        if (at(Symbol::kLeftParen)) analyze->columns = parseColumnNamesInParentheses();
    }
    if (accept(Keyword::kPredicate, Keyword::kColumns)) analyze->predicate_columns = true;
    else if (accept(Keyword::kAll)) expect(Keyword::kColumns);
    return analyze;
}

Statement* Parser::parseVacuum() {
    Vacuum* vacuum = make<Vacuum>(here());
    expect(Keyword::kVacuum);
    if (accept(Keyword::kFull)) vacuum->vacuum = VacuumKind::kFull;
    else if (accept(Keyword::kSort, Keyword::kOnly)) vacuum->vacuum = VacuumKind::kSortOnly;
    else if (accept(Keyword::kDelete, Keyword::kOnly)) vacuum->vacuum = VacuumKind::kDeleteOnly;
    else if (accept(Keyword::kReindex)) vacuum->vacuum = VacuumKind::kReindex;
    else if (accept(Keyword::kRecluster)) vacuum->vacuum = VacuumKind::kRecluster;
    bool boost_only = at(Keyword::kBoost) && peek(1).kind != TokenKind::kWord &&
                      peek(1).kind != TokenKind::kSymbol;
    if (!atEnd() && !at(Keyword::kTo) && !boost_only) vacuum->table = parseObjectName();
    if (accept(Keyword::kTo)) {
        Token token = peek();
        i64 percent = parseInteger();
        if (percent < 0 || percent > 100)
            failWith(sqlstate::kInvalidParameterValue,
                     "percentage is out of range: " + std::string(token.text), token.begin,
                     "Use a number from 0 to 100.");
        vacuum->threshold_percent = static_cast<i32>(percent);
        expect(Keyword::kPercent);
    }
    vacuum->boost = accept(Keyword::kBoost);
    return vacuum;
}

Statement* Parser::parsePrepare() {
    Prepare* prepare = make<Prepare>(here());
    expect(Keyword::kPrepare);
    prepare->name = parseName();
    prepare->types = list<TypeName*>();
    if (accept(Symbol::kLeftParen)) {
        do prepare->types.push(parseType());
        while (accept(Symbol::kComma));
        expect(Symbol::kRightParen);
    }
    expect(Keyword::kAs);
    prepare->statement = parseInner();
    switch (prepare->statement->kind) {
    case StatementKind::kSelect:
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete: return prepare;
    default:
        failWith(sqlstate::kSyntaxError, "PREPARE does not apply to this statement",
                 prepare->statement->position, "PREPARE takes SELECT, INSERT, UPDATE or DELETE.");
    }
}

Statement* Parser::parseExecute() {
    Execute* execute = make<Execute>(here());
    expect(Keyword::kExecute);
    execute->name = parseName();
    execute->arguments = list<Expression*>();
    if (accept(Symbol::kLeftParen)) {
        if (!at(Symbol::kRightParen)) execute->arguments = parseExpressions();
        expect(Symbol::kRightParen);
    }
    return execute;
}

Statement* Parser::parseDeallocate() {
    Deallocate* deallocate = make<Deallocate>(here());
    expect(Keyword::kDeallocate);
    if (at(Keyword::kPrepare) && (atName(1) || at(Keyword::kAll, 1))) take();
    if (accept(Keyword::kAll)) deallocate->all = true;
    else deallocate->name = parseName();
    return deallocate;
}

Statement* Parser::parseDeclare() {
    Declare* declare = make<Declare>(here());
    expect(Keyword::kDeclare);
    declare->name = parseName();
    for (;;) {
        if (accept(Keyword::kBinary)) {
            declare->binary = true;
        } else if (accept(Keyword::kInsensitive)) {
            // The only kind there is.
            continue;
        } else if (accept(Keyword::kScroll)) {
            declare->scroll = true;
        } else if (at(Keyword::kNo) && at(Keyword::kScroll, 1)) {
            take();
            take();
        } else {
            break;
        }
    }
    expect(Keyword::kCursor);
    if (accept(Keyword::kWith, Keyword::kHold)) declare->with_hold = true;
    else if (accept(Keyword::kWithout)) expect(Keyword::kHold);
    expect(Keyword::kFor);
    declare->query = parseQuery();
    return declare;
}

/// FETCH [NEXT | ALL | n | FORWARD [n | ALL]] [FROM | IN] cursor
Statement* Parser::parseFetchStatement(bool move) {
    Fetch* fetch = make<Fetch>(here());
    take();
    fetch->move = move;
    bool direction = at(Keyword::kFrom, 1) || at(Keyword::kIn, 1) || atName(1) ||
                     at(Keyword::kAll, 1) || peek(1).kind == TokenKind::kInteger;
    bool forward = direction && accept(Keyword::kForward);
    if (!forward && direction && accept(Keyword::kNext)) {
        if (!accept(Keyword::kFrom)) accept(Keyword::kIn);
        fetch->cursor = parseName();
        return fetch;
    }
    bool backward = at(Symbol::kMinus) || peek().text == "backward" || peek().text == "prior" ||
                    at(Keyword::kAbsolute) || peek().text == "relative" || at(Keyword::kFirst) ||
                    at(Keyword::kLast);
    if (backward && (direction || at(Symbol::kMinus)))
        failWith(sqlstate::kFeatureNotSupported, "cursors can only be read forward", here(),
                 "Use FETCH NEXT, FETCH n or FETCH ALL.");
    if (accept(Keyword::kAll)) {
        fetch->all = true;
    } else if (peek().kind == TokenKind::kInteger) {
        fetch->count = parseInteger();
    }
    if (!accept(Keyword::kFrom)) accept(Keyword::kIn);
    fetch->cursor = parseName();
    return fetch;
}

Statement* Parser::parseClose() {
    Close* close = make<Close>(here());
    expect(Keyword::kClose);
    if (accept(Keyword::kAll)) close->all = true;
    else close->cursor = parseName();
    return close;
}

Statement* Parser::parseCancel() {
    Cancel* cancel = make<Cancel>(here());
    expect(Keyword::kCancel);
    cancel->process = parseInteger();
    if (peek().kind == TokenKind::kText) cancel->message = take().text;
    return cancel;
}

Statement* Parser::parseUse() {
    Use* use = make<Use>(here());
    expect(Keyword::kUse);
    use->database = parseName();
    return use;
}

Statement* Parser::parseCall() {
    Call* call = make<Call>(here());
    expect(Keyword::kCall);
    call->call = parseCallAfterName(parseObjectName());
    return call;
}

Statement* Parser::parseDiscard() {
    Discard* discard = make<Discard>(here());
    expect(Keyword::kDiscard);
    if (accept(Keyword::kPlans)) discard->discard = DiscardKind::kPlans;
    else if (accept(Keyword::kTemp) || accept(Keyword::kTemporary))
        discard->discard = DiscardKind::kTemporary;
    else if (accept(Keyword::kSequences)) discard->discard = DiscardKind::kSequences;
    else expect(Keyword::kAll);
    return discard;
}

/// LOCK [TABLE] t, .. [IN .. MODE] [NOWAIT]: every lock is exclusive, the mode is read over.
Statement* Parser::parseLock() {
    Lock* lock = make<Lock>(here());
    expect(Keyword::kLock);
    accept(Keyword::kTable);
    lock->tables = parseObjectNames();
    if (accept(Keyword::kIn)) {
        while (at(Keyword::kAccess) || at(Keyword::kExclusive) || at(Keyword::kShare) ||
               at(Keyword::kRow) || at(Keyword::kUpdate))
            take();
        expect(Keyword::kMode);
    }
    return lock;
}

} // namespace blueshift::parse
