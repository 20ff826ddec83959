// INSERT, UPDATE, DELETE, TRUNCATE and MERGE.

#include "parse/parser.h"

namespace blueshift::parse {

Expression* Parser::parseValueOrDefault() {
    if (at(Keyword::kDefault) &&
        (at(Symbol::kComma, 1) || at(Symbol::kRightParen, 1) || at(Symbol::kSemicolon, 1) ||
         peek(1).kind == TokenKind::kEnd || at(Keyword::kFrom, 1) || at(Keyword::kWhere, 1) ||
         at(Keyword::kWhen, 1)))
        return make<DefaultValue>(take().begin);
    return parseExpression();
}

List<Expression*> Parser::parseValueRow(bool allow_default) {
    expect(Symbol::kLeftParen);
    List<Expression*> row = list<Expression*>();
    do row.push(allow_default ? parseValueOrDefault() : parseExpression());
    while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
    return row;
}

Statement* Parser::parseInsert(WithClause* with) {
    Insert* insert = make<Insert>(here());
    expect(Keyword::kInsert);
    if (!accept(Keyword::kInto)) fail("INSERT is written INSERT INTO table ..");
    insert->table = parseObjectName();
    // INSERT INTO t (a, b) .. or INSERT INTO t (SELECT ..).
    if (at(Symbol::kLeftParen) && !atQuery(1) && !at(Symbol::kLeftParen, 1))
        insert->columns = parseColumnNamesInParentheses();
    if (accept(Keyword::kDefault, Keyword::kValues)) {
        insert->default_values = true;
        return insert;
    }
    if (at(Keyword::kValues)) {
        u32 begin = static_cast<u32>(here());
        insert->query = continueQuery(parseValues(true), begin);
    } else {
        if (!atQuery() && !at(Symbol::kLeftParen))
            fail("INSERT takes VALUES (..), DEFAULT VALUES or a query.");
        insert->query = parseQuery();
    }
    if (with != nullptr) {
        if (insert->query->with != nullptr)
            failWith(sqlstate::kSyntaxError, "multiple WITH clauses not allowed",
                     insert->query->with->position,
                     "Put all of them into one WITH, separated by commas.");
        insert->query->with = with;
    }
    return insert;
}

std::string_view Parser::parseTargetAlias() {
    if (accept(Keyword::kAs)) return parseName();
    if (atName() && !at(Keyword::kSet)) return parseName();
    return {};
}

List<Assignment> Parser::parseAssignments() {
    List<Assignment> assignments = list<Assignment>();
    do {
        Assignment assignment;
        assignment.column = parseColumnName();
        // t.c = ..: the qualifier names the target.
        while (accept(Symbol::kDot)) {
            assignment.column.position = here();
            assignment.column.name = parseLabel();
        }
        expect(Symbol::kEqual);
        assignment.value = parseValueOrDefault();
        assignments.push(assignment);
    } while (accept(Symbol::kComma));
    return assignments;
}

Statement* Parser::parseUpdate(WithClause* with) {
    Update* update = make<Update>(here());
    update->with = with;
    expect(Keyword::kUpdate);
    update->table = parseObjectName();
    update->alias = parseTargetAlias();
    expect(Keyword::kSet);
    update->assignments = parseAssignments();
    if (accept(Keyword::kFrom)) update->from = parseFromList();
    if (accept(Keyword::kWhere)) update->where = parseExpression();
    return update;
}

Statement* Parser::parseDelete(WithClause* with) {
    Delete* statement = make<Delete>(here());
    statement->with = with;
    expect(Keyword::kDelete);
    accept(Keyword::kFrom);
    statement->table = parseObjectName();
    statement->alias = parseTargetAlias();
    if (accept(Keyword::kUsing)) statement->using_items = parseFromList();
    if (accept(Keyword::kWhere)) statement->where = parseExpression();
    return statement;
}

Statement* Parser::parseTruncate() {
    Truncate* truncate = make<Truncate>(here());
    expect(Keyword::kTruncate);
    accept(Keyword::kTable);
    truncate->table = parseObjectName();
    return truncate;
}

Statement* Parser::parseMerge() {
    Merge* merge = make<Merge>(here());
    expect(Keyword::kMerge);
    expect(Keyword::kInto);
    merge->table = parseObjectName();
    if (accept(Keyword::kAs) || atName()) merge->alias = parseName();
    expect(Keyword::kUsing);
    merge->source = parseFromPrimary();
    expect(Keyword::kOn);
    merge->on = parseExpression();
    if (accept(Keyword::kRemove)) {
        expect(Keyword::kDuplicates);
        merge->remove_duplicates = true;
        return merge;
    }
    merge->branches = list<MergeBranch>();
    while (at(Keyword::kWhen)) merge->branches.push(parseMergeBranch());
    if (merge->branches.empty()) fail("MERGE needs WHEN MATCHED THEN .. or REMOVE DUPLICATES.");
    return merge;
}

MergeBranch Parser::parseMergeBranch() {
    MergeBranch branch;
    branch.position = here();
    expect(Keyword::kWhen);
    branch.matched = !accept(Keyword::kNot);
    expect(Keyword::kMatched);
    if (at(Keyword::kAnd))
        fail("Conditions on a branch of MERGE are not supported; put them into ON or the values.");
    expect(Keyword::kThen);
    if (branch.matched && accept(Keyword::kDelete)) {
        branch.action = MergeAction::kDelete;
    } else if (branch.matched) {
        if (!accept(Keyword::kUpdate)) fail("WHEN MATCHED THEN takes UPDATE SET .. or DELETE.");
        expect(Keyword::kSet);
        branch.assignments = parseAssignments();
    } else {
        branch.action = MergeAction::kInsert;
        if (!accept(Keyword::kInsert)) fail("WHEN NOT MATCHED THEN takes INSERT ..");
        if (at(Symbol::kLeftParen)) branch.columns = parseColumnNamesInParentheses();
        expect(Keyword::kValues);
        branch.values = parseValueRow(true);
    }
    return branch;
}

} // namespace blueshift::parse
