// CREATE and ALTER of users, groups and roles.

#include "parse/parser.h"

namespace blueshift::parse {

/// A role's name may have a prefix: sys:dba.
std::string_view Parser::parseRoleName() {
    std::string_view name = parseName();
    if (!at(Symbol::kColon)) return name;
    take();
    std::string full(name);
    full += ':';
    full += parseLabel();
    return arena_.copyText(full);
}

Statement* Parser::parseCreateUser() {
    CreateUser* user = make<CreateUser>(statement_position_);
    expect(Keyword::kUser);
    user->name = parseName();
    accept(Keyword::kWith);
    while (!atEnd())
        if (!parseUserOption(user->options)) fail("This is no option of CREATE USER.");
    return user;
}

Statement* Parser::parseAlterUser() {
    AlterUser* user = make<AlterUser>(statement_position_);
    user->name = parseName();
    bool with = accept(Keyword::kWith);
    if (!with && accept(Keyword::kRename)) {
        expect(Keyword::kTo);
        user->new_name = parseName();
        return user;
    }
    if (!with && at(Keyword::kReset) && at(Keyword::kSession, 1) && at(Keyword::kTimeout, 2)) {
        accept(Keyword::kReset, Keyword::kSession, Keyword::kTimeout);
        user->reset_session_timeout = true;
        return user;
    }
    if (!with && at(Keyword::kSet)) {
        user->set = parseSet();
        return user;
    }
    if (!with && at(Keyword::kReset)) {
        user->reset = parseReset();
        return user;
    }
    do {
        if (!parseUserOption(user->options))
            fail("ALTER USER takes options, RENAME TO, SET, RESET or RESET SESSION TIMEOUT.");
    } while (!atEnd());
    return user;
}

bool Parser::parseUserOption(UserOptions& options) {
    Token token = peek();
    switch (token.keyword) {
    case Keyword::kPassword:
        take();
        if (accept(Keyword::kDisable)) {
            options.password_kind = PasswordKind::kDisabled;
        } else {
            options.password_kind = PasswordKind::kText;
            options.password = parseText();
        }
        return true;
    case Keyword::kCreatedb:
    case Keyword::kNocreatedb:
        take();
        options.create_database = token.is(Keyword::kCreatedb) ? Tristate::kYes : Tristate::kNo;
        return true;
    case Keyword::kCreateuser:
    case Keyword::kNocreateuser:
        take();
        options.create_user = token.is(Keyword::kCreateuser) ? Tristate::kYes : Tristate::kNo;
        return true;
    case Keyword::kSyslog:
        take();
        expect(Keyword::kAccess);
        if (accept(Keyword::kUnrestricted)) {
            options.syslog_access = Tristate::kYes;
        } else {
            expect(Keyword::kRestricted);
            options.syslog_access = Tristate::kNo;
        }
        return true;
    case Keyword::kIn:
        take();
        expect(Keyword::kGroup);
        options.groups = parseColumnNames();
        return true;
    case Keyword::kValid:
        take();
        expect(Keyword::kUntil);
        options.valid_until = parseText();
        return true;
    case Keyword::kConnection:
        take();
        expect(Keyword::kLimit);
        options.connection_limit = parseLimitNumber();
        return true;
    case Keyword::kSession:
        take();
        expect(Keyword::kTimeout);
        options.session_timeout_seconds = parseInteger();
        return true;
    case Keyword::kExternalid:
        take();
        options.external_id = parseText();
        return true;
    default: return false;
    }
}

Statement* Parser::parseCreateGroup() {
    CreateGroup* group = make<CreateGroup>(statement_position_);
    expect(Keyword::kGroup);
    group->name = parseName();
    bool with = accept(Keyword::kWith);
    if (with || at(Keyword::kUser)) {
        expect(Keyword::kUser);
        group->users = parseColumnNames();
    }
    return group;
}

Statement* Parser::parseCreateRole() {
    CreateRole* role = make<CreateRole>(statement_position_);
    expect(Keyword::kRole);
    role->name = parseRoleName();
    if (accept(Keyword::kExternalid)) role->external_id = parseText();
    return role;
}

} // namespace blueshift::parse
