// parser.h: the inside of parse(): a hand-written parser over the tokens of one text.
//
// Place: private to parse/; others include parse/parse.h.
// Owns: the lexer and a window of tokens; what it makes lives in the arena.
// Threads: one statement, one thread.
// Why so: recursive descent for statements, operator precedence for expressions. Everything that
// nests counts levels, everything that only grows long is a loop, so no text can exhaust the stack.
// One source file a family of rules: parser.cpp (tokens, names, errors), expression.cpp,
// function_call.cpp, type_name.cpp, query.cpp, from.cpp, modify.cpp (INSERT .. MERGE), copy.cpp,
// table.cpp, alter.cpp, schema.cpp, user.cpp, grant.cpp, session.cpp, show.cpp, utility.cpp,
// statement.cpp.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "parse/lexer.h"
#include "parse/parse.h"

namespace blueshift::parse {

/// Binding strength of operators, weakest first, as in PostgreSQL.
enum class Precedence : u8 {
    kLowest,
    kOr,
    kAnd,
    kNot,
    kIs,
    kComparison,
    kPredicate,
    kOther,
    kAdditive,
    kMultiplicative,
    kPower,
    kAtTimeZone,
    kCollate,
    kUnaryMinus,
    kPostfix,
};

class Parser {
public:
    Parser(std::string_view text, Arena& arena, const ParseOptions& options)
        : text_(text), arena_(arena), options_(options), lexer_(text, arena, options.fold_quoted) {}

    List<Statement*> parseStatements();
    Expression* parseWholeExpression();
    Query* parseWholeQuery();

private:
    /// What stood between parentheses: a query, or one or more expressions.
    struct Parenthesized {
        Query* query = nullptr;
        List<Expression*> items;
    };
    struct ParenthesizedFrom {
        Query* query = nullptr;
        FromItem* item = nullptr;
    };

    // parser.cpp: tokens
    const Token& peek(size_t ahead = 0);
    Token take();
    bool at(Keyword keyword, size_t ahead = 0) { return peek(ahead).keyword == keyword; }
    bool at(Symbol symbol, size_t ahead = 0) { return peek(ahead).symbol == symbol; }
    bool atEnd() { return peek().kind == TokenKind::kEnd || at(Symbol::kSemicolon); }
    bool accept(Keyword keyword);
    bool accept(Symbol symbol);
    /// All the words, or nothing.
    bool accept(Keyword first, Keyword second);
    bool accept(Keyword first, Keyword second, Keyword third);
    void expect(Keyword keyword);
    void expect(Symbol symbol);
    i32 here() { return peek().begin; }
    /// True if the token could begin an operand: what a missing comma looks like.
    bool startsOperand(const Token& token);
    std::string_view sourceText(u32 begin, u32 end) const {
        return text_.substr(begin, end - begin);
    }

    // parser.cpp: errors
    [[noreturn]] void fail(std::string hint = {});
    /// "Perhaps you meant FROM." when the next word is nearly one of these; else nothing.
    std::string nearestWordHint(std::initializer_list<std::string_view> words);
    [[noreturn]] void failAt(const Token& token, std::string hint = {});
    [[noreturn]] void failWith(std::string_view sqlstate, std::string message, i32 position,
                               std::string hint = {});
    /// 0A000 for a statement that is documented and not built.
    [[noreturn]] void notYet(std::string_view what, i32 position);
    void enter();
    void leave() { --depth_; }
    struct Level {
        explicit Level(Parser& parser) : parser(parser) { parser.enter(); }
        ~Level() { parser.leave(); }
        Parser& parser;
    };

    // parser.cpp: names and literals
    bool atName(size_t ahead = 0);
    std::string_view parseName();
    /// After a dot or AS: reserved words too.
    std::string_view parseLabel();
    ColumnName parseColumnName();
    List<ColumnName> parseColumnNames();
    List<ColumnName> parseColumnNamesInParentheses();
    ObjectName parseObjectName();
    List<ObjectName> parseObjectNames();
    ObjectName objectNameOf(const List<std::string_view>& parts, i32 position);
    std::string_view parseText();
    /// Folded to lower case, whatever the case rule of names.
    std::string_view lowerText(std::string_view text);
    i64 parseInteger();
    i64 parseSignedInteger();
    DropBehavior parseDropBehavior();
    bool acceptIfExists();
    bool acceptIfNotExists();

    // expression.cpp
    Expression* parseExpression(Precedence minimum = Precedence::kLowest);
    Expression* continueExpression(Expression* left, Precedence minimum);
    Expression* parsePrefix();
    Expression* parseNot();
    Expression* parseInfix(Expression* left, Precedence minimum, Precedence& ceiling);
    Expression* parseLogical(Expression* left, bool is_and);
    Expression* parseBinary(Expression* left, BinaryOperator op, Precedence level, i32 position);
    Expression* parseIs(Expression* left);
    Expression* parsePredicate(Expression* left, bool negated, i32 position);
    Expression* parseIn(Expression* left, bool negated, i32 position);
    Expression* parseLike(Expression* left, LikeKind kind, bool negated, i32 position);
    Expression* parseOverlaps(Expression* left);
    Expression* parseSubscript(Expression* left);
    bool infixOperator(size_t ahead, BinaryOperator& op, Precedence& level);
    bool qualifiedOperator(BinaryOperator& op, LikeKind& like, bool& negated, bool& is_like);
    Parenthesized parseParentheses();
    Expression* parenthesizedOperand();
    List<Expression*> parseExpressions();
    Expression* parseCase();
    Expression* makeText(std::string_view text, i32 position);
    Expression* makeInteger(std::string_view digits, i32 position);

    // function_call.cpp
    Expression* parseOperand();
    Expression* parseLiteral();
    Expression* parseWordOperand();
    Expression* parseNameOperand();
    Expression* parseSpecialCall(Keyword keyword);
    Expression* parseKeywordCall();
    FunctionCall* parseCallAfterName(const ObjectName& name);
    void parseCallArguments(FunctionCall* call);
    void parseCallSuffix(FunctionCall* call);
    Expression* parseArgument();
    Expression* parseExtract();
    Expression* parseSubstring();
    Expression* parseTrim();
    Expression* parsePosition();
    Expression* parseCast(bool is_try);
    Expression* parseConvert();
    Expression* parseTypedLiteral(TypeName* type, i32 position);
    Expression* literalAfterCall(FunctionCall* call);
    bool atTypedLiteral();
    WindowSpec* parseOver();
    WindowSpec* parseWindowSpec();
    WindowFrame* parseFrame();
    FrameBound parseFrameBound(Expression*& offset);

    // type_name.cpp
    TypeName* parseType();
    void parseTypeModifiers(TypeName* type);
    void parseIntervalQualifier(TypeName* type);
    IntervalField intervalField(const Token& token);

    // query.cpp
    bool atQuery(size_t ahead = 0);
    Query* parseQuery();
    Query* parseQueryAfterWith(WithClause* with, u32 begin);
    Query* continueQuery(Query* first, u32 begin);
    Query* parseSetOperations(Query* first, u32 begin);
    Query* parseIntersections(Query* first, u32 begin);
    Query* parseQueryPrimary();
    bool atQueryContinuation();
    void parseQueryTail(Query* query);
    WithClause* parseWith();
    SelectQuery* parseSelect();
    void parseSelectHead(SelectQuery* select);
    void parseSelectList(SelectQuery* select);
    SelectItem parseSelectItem();
    void parseInto(SelectQuery* select);
    void parseConnectBy(SelectQuery* select);
    void parseGroupBy(SelectQuery* select);
    GroupItem* parseGroupItem();
    void parseWindows(SelectQuery* select);
    ValuesQuery* parseValues(bool allow_default);
    List<OrderItem> parseOrderBy();
    void parseLimit(Query* query);
    void parseFetch(Query* query);

    // from.cpp
    List<FromItem*> parseFromList();
    FromItem* parseFromItem();
    FromItem* continueJoins(FromItem* left);
    bool acceptJoin(FromJoin& join);
    FromItem* parseFromPrimary();
    ParenthesizedFrom parseFromParentheses();
    FromItem* finishFromQuery(Query* query, bool lateral, i32 position);
    FromItem* parseFromName(bool lateral);
    FromItem* parseFromFunction(FunctionCall* call, bool lateral, i32 position);
    FromItem* parseFromPath(const List<std::string_view>& parts, i32 position);
    FromItem* parsePivots(FromItem* item);
    FromItem* parsePivot(FromItem* input);
    FromItem* parseUnpivot(FromItem* input);
    List<PivotItem> parsePivotItems();
    bool atTableAlias(size_t ahead = 0);
    void parseTableAlias(FromItem* item);

    // modify.cpp
    Statement* parseInsert(WithClause* with);
    Statement* parseUpdate(WithClause* with);
    Statement* parseDelete(WithClause* with);
    Statement* parseTruncate();
    Statement* parseMerge();
    MergeBranch parseMergeBranch();
    List<Assignment> parseAssignments();
    Expression* parseValueOrDefault();
    List<Expression*> parseValueRow(bool allow_default);
    std::string_view parseTargetAlias();

    // copy.cpp
    Statement* parseCopy();
    Statement* parseUnload();
    List<Option> parseCopyOptions();
    void parseCopyOption(List<Option>& options);
    void parseOptionList(List<Option>& options);
    void parsePartitionBy(List<Option>& options);
    void parseForceOption(List<Option>& options);
    void parseSizeUnit(List<Option>& options, std::string_view name);
    bool parseOptionArgument(Option& option);

    // table.cpp
    Statement* parseCreate();
    Statement* parseCreateTable(bool temporary);
    void parseTableElements(CreateTable* table);
    ColumnDefinition* parseColumnDefinition();
    bool parseColumnAttribute(ColumnDefinition* column);
    void parseIdentity(ColumnDefinition* column, IdentityKind kind);
    TableConstraint* parseTableConstraint();
    bool atTableConstraint();
    ForeignReference* parseReference();
    bool parseTableAttribute(TableAttributes& attributes);
    DistStyle parseDistStyle();
    Collation parseCollation();
    std::string_view parseEncoding();
    Statement* parseCreateView(bool or_replace, bool temporary);

    // alter.cpp
    Statement* parseAlter();
    Statement* parseAlterTable(ObjectKind object);
    AlterTableStep parseAlterStep();
    void parseAlterColumn(AlterTableStep& step);
    void parseAlterAttribute(AlterTableStep& step);
    std::string_view parseUserOrKeyword();
    Statement* parseAlterSchema();
    Statement* parseAlterDatabase();
    Statement* parseAlterGroup();
    Statement* parseAlterRole();

    // schema.cpp
    Statement* parseCreateSchema();
    Quota parseQuota();
    Statement* parseCreateDatabase();
    bool parseDatabaseOption(i64& connection_limit, Collation& collation,
                             IsolationLevel& isolation);
    i64 parseLimitNumber();
    Statement* parseDrop();
    Statement* parseComment();
    ObjectName parseSchemaName();

    // user.cpp
    Statement* parseCreateUser();
    Statement* parseAlterUser();
    bool parseUserOption(UserOptions& options);
    Statement* parseCreateGroup();
    Statement* parseCreateRole();
    std::string_view parseRoleName();

    // grant.cpp
    Statement* parseGrant(bool revoke);
    Statement* parseGrantRole(bool revoke, bool option_only, i32 position);
    void parsePrivileges(Grant* grant);
    void parseGrantTarget(Grant* grant);
    List<Grantee> parseGrantees(bool allow_option);
    Grantee parseGrantee();
    List<TypeName*> parseArgumentTypes();

    // session.cpp
    Statement* parseBegin();
    Statement* parseEndOfTransaction(TransactionAction action);
    bool parseTransactionMode(IsolationLevel& isolation, AccessMode& access);
    IsolationLevel parseIsolationLevel();
    Set* parseSet();
    void parseSetParameter(Set* set);
    SettingValue parseSettingValue();
    Reset* parseReset();
    std::string_view parseSettingName();

    // show.cpp
    Statement* parseShow();
    bool parseShowList(Show* show);
    bool parseShowObject(Show* show);
    void parseShowGrants(Show* show);
    void parseShowParameters(Show* show);
    void parseShowTail(Show* show);

    // utility.cpp
    Statement* parseExplain();
    void parseExplainOptions(Explain* explain);
    Statement* parseInner();
    Statement* parseAnalyze();
    Statement* parseVacuum();
    Statement* parsePrepare();
    Statement* parseExecute();
    Statement* parseDeallocate();
    Statement* parseDeclare();
    Statement* parseFetchStatement(bool move);
    Statement* parseClose();
    Statement* parseCancel();
    Statement* parseUse();
    Statement* parseCall();
    Statement* parseDiscard();
    Statement* parseLock();

    // statement.cpp
    Statement* parseStatement();
    Statement* parseStatementBody();
    Statement* parseWithStatement();
    Statement* parseSelectStatement(WithClause* with, u32 begin);
    /// 0A000 for CREATE, ALTER or DROP of something documented, 42601 for anything else.
    [[noreturn]] void failUnbuilt(std::string_view verb);

    template <class T> T* make(i32 position) { return arena_.make<T>(position); }
    template <class T> List<T> list() { return List<T>(arena_); }

    std::string_view text_;
    Arena& arena_;
    ParseOptions options_;
    Lexer lexer_;
    static constexpr size_t kWindow = 8;
    std::array<Token, kWindow> window_;
    size_t window_start_ = 0;
    size_t window_size_ = 0;
    /// End of the last token taken.
    i32 last_end_ = 0;
    u32 depth_ = 0;
    i32 parameter_count_ = 0;
    /// First token of the statement being read.
    i32 statement_position_ = 0;
    /// SELECT INTO clauses read, and those that stood where they may.
    u32 into_count_ = 0;
    u32 into_allowed_ = 0;
    i32 into_position_ = -1;
    /// False inside of DEFAULT expressions, where COLLATE belongs to the column.
    bool collate_allowed_ = true;
};

} // namespace blueshift::parse
