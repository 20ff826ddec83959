// The front door: texts of several statements, and which word begins which statement.

#include "parse/parser.h"

namespace blueshift::parse {

List<Statement*> Parser::parseStatements() {
    List<Statement*> statements = list<Statement*>();
    for (;;) {
        while (accept(Symbol::kSemicolon)) {}
        if (peek().kind == TokenKind::kEnd) return statements;
        statements.push(parseStatement());
        if (atEnd()) continue;
        fail(at(Symbol::kRightParen) ? "There is one closing parenthesis too many." : "");
    }
}

Statement* Parser::parseStatement() {
    parameter_count_ = 0;
    into_count_ = 0;
    into_allowed_ = 0;
    statement_position_ = here();
    Statement* statement = parseStatementBody();
    if (into_count_ > into_allowed_)
        failWith(sqlstate::kSyntaxError, "SELECT ... INTO is not allowed here", into_position_,
                 "INTO belongs to the first SELECT of a statement.");
    statement->begin = static_cast<u32>(statement_position_);
    statement->end = static_cast<u32>(last_end_);
    statement->text = sourceText(statement->begin, statement->end);
    statement->parameter_count = parameter_count_;
    return statement;
}

Statement* Parser::parseStatementBody() {
    switch (peek().keyword) {
    case Keyword::kSelect:
    case Keyword::kValues:
    case Keyword::kTable: return parseSelectStatement(nullptr, static_cast<u32>(here()));
    case Keyword::kWith: return parseWithStatement();
    case Keyword::kInsert: return parseInsert(nullptr);
    case Keyword::kUpdate: return parseUpdate(nullptr);
    case Keyword::kDelete: return parseDelete(nullptr);
    case Keyword::kTruncate: return parseTruncate();
    case Keyword::kMerge: return parseMerge();
    case Keyword::kCopy: return parseCopy();
    case Keyword::kUnload: return parseUnload();
    case Keyword::kCreate: return parseCreate();
    case Keyword::kAlter: return parseAlter();
    case Keyword::kDrop: return parseDrop();
    case Keyword::kComment: return parseComment();
    case Keyword::kGrant: return parseGrant(false);
    case Keyword::kRevoke: return parseGrant(true);
    case Keyword::kBegin:
    case Keyword::kStart: return parseBegin();
    case Keyword::kCommit:
    case Keyword::kEnd: return parseEndOfTransaction(TransactionAction::kCommit);
    case Keyword::kRollback:
    case Keyword::kAbort: return parseEndOfTransaction(TransactionAction::kRollback);
    case Keyword::kLock: return parseLock();
    case Keyword::kSet: return parseSet();
    case Keyword::kReset: return parseReset();
    case Keyword::kShow: return parseShow();
    case Keyword::kExplain: return parseExplain();
    case Keyword::kAnalyze:
    case Keyword::kAnalyse: return parseAnalyze();
    case Keyword::kVacuum: return parseVacuum();
    case Keyword::kPrepare: return parsePrepare();
    case Keyword::kExecute: return parseExecute();
    case Keyword::kDeallocate: return parseDeallocate();
    case Keyword::kDeclare: return parseDeclare();
    case Keyword::kFetch: return parseFetchStatement(false);
    case Keyword::kMove: return parseFetchStatement(true);
    case Keyword::kClose: return parseClose();
    case Keyword::kCancel: return parseCancel();
    case Keyword::kUse: return parseUse();
    case Keyword::kCall: return parseCall();
    case Keyword::kDiscard: return parseDiscard();
    case Keyword::kSavepoint:
    case Keyword::kRelease:
        failWith(sqlstate::kFeatureNotSupported, "savepoints are not supported", here(),
                 "ROLLBACK ends the whole transaction.");
    case Keyword::kRefresh: notYet("REFRESH MATERIALIZED VIEW", here());
    case Keyword::kAttach: notYet("ATTACH", here());
    case Keyword::kDetach: notYet("DETACH", here());
    case Keyword::kDesc: notYet("DESC", here());
    default:
        if (at(Symbol::kLeftParen)) return parseSelectStatement(nullptr, static_cast<u32>(here()));
        fail(nearestWordHint({"select", "values",  "with",   "insert",   "update", "delete",
                              "create", "alter",   "drop",   "truncate", "copy",   "unload",
                              "grant",  "revoke",  "begin",  "start",    "commit", "rollback",
                              "show",   "explain", "vacuum", "analyze",  "set",    "comment"}));
    }
}

Statement* Parser::parseWithStatement() {
    u32 begin = static_cast<u32>(here());
    WithClause* with = parseWith();
    if (at(Keyword::kInsert)) return parseInsert(with);
    if (at(Keyword::kUpdate)) return parseUpdate(with);
    if (at(Keyword::kDelete)) return parseDelete(with);
    return parseSelectStatement(with, begin);
}

Statement* Parser::parseSelectStatement(WithClause* with, u32 begin) {
    Select* select = make<Select>(statement_position_);
    select->query = parseQueryAfterWith(with, begin);
    const Query* first = select->query;
    while (first->is<SetOperation>()) first = first->as<SetOperation>()->first;
    if (first->is<SelectQuery>() && first->as<SelectQuery>()->into != nullptr) ++into_allowed_;
    return select;
}

Statement* Parser::parseCreate() {
    expect(Keyword::kCreate);
    bool or_replace = accept(Keyword::kOr, Keyword::kReplace);
    bool local = at(Keyword::kLocal) && (at(Keyword::kTemp, 1) || at(Keyword::kTemporary, 1));
    if (local) take();
    bool temporary = accept(Keyword::kTemp) || accept(Keyword::kTemporary);
    Keyword what = peek().keyword;
    if (what == Keyword::kView) return parseCreateView(or_replace, temporary);
    if (what == Keyword::kTable && !or_replace) return parseCreateTable(temporary);
    if (temporary) fail("TEMP is followed by TABLE or VIEW.");
    if (or_replace) failUnbuilt("CREATE OR REPLACE");
    switch (what) {
    case Keyword::kSchema: return parseCreateSchema();
    case Keyword::kDatabase: return parseCreateDatabase();
    case Keyword::kUser: return parseCreateUser();
    case Keyword::kGroup: return parseCreateGroup();
    case Keyword::kRole: return parseCreateRole();
    default: failUnbuilt("CREATE");
    }
}

void Parser::failUnbuilt(std::string_view verb) {
    const Token& token = peek();
    std::string what;
    switch (token.keyword) {
    case Keyword::kFunction: what = "FUNCTION"; break;
    case Keyword::kProcedure: what = "PROCEDURE"; break;
    case Keyword::kLibrary: what = "LIBRARY"; break;
    case Keyword::kModel: what = "MODEL"; break;
    case Keyword::kDatashare: what = "DATASHARE"; break;
    case Keyword::kTemplate: what = "TEMPLATE"; break;
    case Keyword::kSequence: what = "SEQUENCE"; break;
    case Keyword::kTrigger: what = "TRIGGER"; break;
    case Keyword::kType: what = "TYPE"; break;
    case Keyword::kSystem: what = "SYSTEM"; break;
    case Keyword::kDefault: what = "DEFAULT PRIVILEGES"; break;
    case Keyword::kRls: what = "RLS POLICY"; break;
    case Keyword::kMasking: what = "MASKING POLICY"; break;
    case Keyword::kIdentity: what = "IDENTITY PROVIDER"; break;
    case Keyword::kMaterialized: what = "MATERIALIZED VIEW"; break;
    case Keyword::kUnique: what = "INDEX"; break;
    case Keyword::kTable: what = "TABLE"; break;
    case Keyword::kExternal:
        what = "EXTERNAL";
        if (peek(1).kind == TokenKind::kWord) {
            what += ' ';
            for (char c : peek(1).text)
                what += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        }
        break;
    default:
        if (token.text != "index" && token.text != "extension" && token.text != "domain") fail();
        for (char c : token.text) what += static_cast<char>(c - 32);
    }
    notYet(std::string(verb) + " " + what, statement_position_);
}

Expression* Parser::parseWholeExpression() {
    Expression* expression = parseExpression();
    if (peek().kind != TokenKind::kEnd) fail();
    return expression;
}

Query* Parser::parseWholeQuery() {
    Query* query = parseQuery();
    accept(Symbol::kSemicolon);
    if (peek().kind != TokenKind::kEnd) fail();
    return query;
}

namespace {

/// The text that the tree may point into for as long as the arena lives.
std::string_view keep(std::string_view text, Arena& arena) {
    checkText(text);
    return arena.copyText(text);
}

} // namespace

List<Statement*> parse(std::string_view text, Arena& arena, const ParseOptions& options) {
    return Parser(keep(text, arena), arena, options).parseStatements();
}

Expression* parseExpression(std::string_view text, Arena& arena, const ParseOptions& options) {
    return Parser(keep(text, arena), arena, options).parseWholeExpression();
}

Query* parseQuery(std::string_view text, Arena& arena, const ParseOptions& options) {
    return Parser(keep(text, arena), arena, options).parseWholeQuery();
}

} // namespace blueshift::parse
