// GRANT and REVOKE of privileges and roles.

#include "parse/parser.h"

namespace blueshift::parse {

Statement* Parser::parseGrant(bool revoke) {
    take();
    bool option_only = false;
    if (revoke && (at(Keyword::kGrant) || at(Keyword::kAdmin)) && at(Keyword::kOption, 1)) {
        take();
        take();
        expect(Keyword::kFor);
        option_only = true;
    }
    if (at(Keyword::kRole)) return parseGrantRole(revoke, option_only, statement_position_);
    Grant* grant = make<Grant>(statement_position_);
    grant->revoke = revoke;
    grant->option_only = option_only;
    parsePrivileges(grant);
    if (at(Keyword::kFor)) notYet("GRANT .. FOR (scoped permissions)", here());
    if (accept(Keyword::kOn)) parseGrantTarget(grant);
    else grant->object = ObjectKind::kSystem;
    expect(revoke ? Keyword::kFrom : Keyword::kTo);
    grant->grantees = parseGrantees(!revoke);
    if (revoke) grant->behavior = parseDropBehavior();
    return grant;
}

Statement* Parser::parseGrantRole(bool revoke, bool option_only, i32 position) {
    GrantRole* grant = make<GrantRole>(position);
    grant->revoke = revoke;
    grant->option_only = option_only;
    expect(Keyword::kRole);
    grant->roles = list<ColumnName>();
    do {
        ColumnName role;
        role.position = here();
        role.name = parseRoleName();
        grant->roles.push(role);
    } while (accept(Symbol::kComma));
    expect(revoke ? Keyword::kFrom : Keyword::kTo);
    grant->grantees = parseGrantees(!revoke);
    return grant;
}

void Parser::parsePrivileges(Grant* grant) {
    if (accept(Keyword::kAll)) {
        accept(Keyword::kPrivileges);
        grant->all_privileges = true;
        return;
    }
    grant->privileges = list<Privilege>();
    do {
        Privilege privilege;
        privilege.position = here();
        std::string name;
        while (peek().kind == TokenKind::kWord && !at(Keyword::kOn) && !at(Keyword::kTo) &&
               !at(Keyword::kFrom) && !at(Keyword::kFor)) {
            if (!name.empty()) name += ' ';
            name += take().text;
        }
        if (name.empty()) fail("A privilege is expected here: SELECT, USAGE, ALL, ..");
        if (name == "temp") name = "temporary";
        if (name == "assumerole" || name == "create model" || name == "create external model")
            notYet("GRANT " + name, privilege.position);
        privilege.name = arena_.copyText(name);
        if (at(Symbol::kLeftParen)) privilege.columns = parseColumnNamesInParentheses();
        grant->privileges.push(privilege);
    } while (accept(Symbol::kComma));
}

List<TypeName*> Parser::parseArgumentTypes() {
    List<TypeName*> types = list<TypeName*>();
    expect(Symbol::kLeftParen);
    if (accept(Symbol::kRightParen)) return types;
    do {
        // An argument may have a name: f(a int).
        if (atName() && (atName(1) || at(Keyword::kTimestamp, 1) || at(Keyword::kInterval, 1)) &&
            !at(Keyword::kDouble) && !at(Keyword::kCharacter) && !at(Keyword::kChar) &&
            !at(Keyword::kNational))
            take();
        types.push(parseType());
    } while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
    return types;
}

void Parser::parseGrantTarget(Grant* grant) {
    grant->names = list<ObjectName>();
    if (accept(Keyword::kAll)) {
        if (accept(Keyword::kFunctions)) grant->object = ObjectKind::kFunction;
        else if (accept(Keyword::kProcedures)) grant->object = ObjectKind::kProcedure;
        else expect(Keyword::kTables);
        expect(Keyword::kIn);
        expect(Keyword::kSchema);
        grant->all_in_schema = true;
        do grant->names.push(parseSchemaName());
        while (accept(Symbol::kComma));
        return;
    }
    Token what = peek();
    switch (what.keyword) {
    case Keyword::kSchema:
        take();
        grant->object = ObjectKind::kSchema;
        do grant->names.push(parseSchemaName());
        while (accept(Symbol::kComma));
        return;
    case Keyword::kDatabase:
    case Keyword::kLanguage:
        take();
        grant->object = what.is(Keyword::kDatabase) ? ObjectKind::kDatabase : ObjectKind::kLanguage;
        do {
            ObjectName name;
            name.position = here();
            name.name = parseName();
            grant->names.push(name);
        } while (accept(Symbol::kComma));
        return;
    case Keyword::kFunction:
    case Keyword::kProcedure:
        take();
        grant->object =
            what.is(Keyword::kFunction) ? ObjectKind::kFunction : ObjectKind::kProcedure;
        grant->argument_types = list<List<TypeName*>>();
        do {
            grant->names.push(parseObjectName());
            grant->argument_types.push(at(Symbol::kLeftParen) ? parseArgumentTypes()
                                                              : list<TypeName*>());
        } while (accept(Symbol::kComma));
        return;
    case Keyword::kDatashare:
    case Keyword::kModel:
    case Keyword::kExternal:
    case Keyword::kTemplate:
        if (atName(1) || at(Keyword::kTable, 1))
            notYet("GRANT ON " + std::string(what.text), what.begin);
        break;
    default: break;
    }
    accept(Keyword::kTable);
    grant->names = parseObjectNames();
}

Grantee Parser::parseGrantee() {
    Grantee grantee;
    grantee.position = here();
    if (at(Keyword::kRole) && (atName(1))) {
        take();
        grantee.kind = GranteeKind::kRole;
        grantee.name = parseRoleName();
    } else if (accept(Keyword::kGroup)) {
        grantee.kind = GranteeKind::kGroup;
        grantee.name = parseName();
    } else if (accept(Keyword::kPublic)) {
        grantee.kind = GranteeKind::kPublic;
    } else {
        grantee.name = parseName();
    }
    return grantee;
}

List<Grantee> Parser::parseGrantees(bool allow_option) {
    List<Grantee> grantees = list<Grantee>();
    do {
        Grantee grantee = parseGrantee();
        if (allow_option && accept(Keyword::kWith)) {
            if (!accept(Keyword::kGrant)) expect(Keyword::kAdmin);
            expect(Keyword::kOption);
            grantee.with_option = true;
        }
        grantees.push(grantee);
    } while (accept(Symbol::kComma));
    return grantees;
}

} // namespace blueshift::parse
