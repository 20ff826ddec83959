// Transactions, SET and RESET.

#include "parse/parser.h"

namespace blueshift::parse {

IsolationLevel Parser::parseIsolationLevel() {
    if (accept(Keyword::kSerializable)) return IsolationLevel::kSerializable;
    if (accept(Keyword::kSnapshot)) return IsolationLevel::kSnapshot;
    if (accept(Keyword::kRepeatable, Keyword::kRead)) return IsolationLevel::kRepeatableRead;
    if (accept(Keyword::kRead, Keyword::kCommitted)) return IsolationLevel::kReadCommitted;
    if (accept(Keyword::kRead, Keyword::kUncommitted)) return IsolationLevel::kReadUncommitted;
    fail(
        "An isolation level is SERIALIZABLE, SNAPSHOT, REPEATABLE READ, READ COMMITTED or READ "
        "UNCOMMITTED.");
}

bool Parser::parseTransactionMode(IsolationLevel& isolation, AccessMode& access) {
    if (accept(Keyword::kIsolation)) {
        expect(Keyword::kLevel);
        isolation = parseIsolationLevel();
    } else if (accept(Keyword::kRead, Keyword::kOnly)) {
        access = AccessMode::kReadOnly;
    } else if (accept(Keyword::kRead, Keyword::kWrite)) {
        access = AccessMode::kReadWrite;
    } else {
        return false;
    }
    accept(Symbol::kComma);
    return true;
}

Statement* Parser::parseBegin() {
    Transaction* transaction = make<Transaction>(here());
    if (take().is(Keyword::kStart)) expect(Keyword::kTransaction);
    else if (!accept(Keyword::kWork)) accept(Keyword::kTransaction);
    while (parseTransactionMode(transaction->isolation, transaction->access)) {}
    return transaction;
}

Statement* Parser::parseEndOfTransaction(TransactionAction action) {
    Transaction* transaction = make<Transaction>(here());
    transaction->action = action;
    take();
    if (!accept(Keyword::kWork)) accept(Keyword::kTransaction);
    if (at(Keyword::kPrepare)) fail("Two-phase commit is not supported.");
    if (at(Keyword::kTo))
        failWith(sqlstate::kFeatureNotSupported, "savepoints are not supported", here(),
                 "ROLLBACK ends the whole transaction.");
    return transaction;
}

std::string_view Parser::parseSettingName() {
    std::string_view first = parseLabel();
    if (!at(Symbol::kDot)) return first;
    std::string name(first);
    while (accept(Symbol::kDot)) {
        name += '.';
        name += parseLabel();
    }
    return arena_.copyText(name);
}

SettingValue Parser::parseSettingValue() {
    SettingValue value;
    const Token& token = peek();
    i32 begin = token.begin;
    bool sign = token.is(Symbol::kMinus) || token.is(Symbol::kPlus);
    if (sign) take();
    switch (peek().kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat:
        take();
        value.kind = SettingKind::kNumber;
        value.text = sourceText(begin, last_end_);
        return value;
    case TokenKind::kText:
        if (sign) break;
        value.text = take().text;
        return value;
    case TokenKind::kWord:
    case TokenKind::kQuotedName:
        if (sign) break;
        value.kind = peek().kind == TokenKind::kWord ? SettingKind::kWord : SettingKind::kText;
        value.text = take().text;
        return value;
    default: break;
    }
    fail("A value is expected here: a text in quotes, a word or a number.");
}

Set* Parser::parseSet() {
    Set* set = make<Set>(here());
    expect(Keyword::kSet);
    set->values = list<SettingValue>();
    bool scoped = !at(Symbol::kEqual, 1) && !at(Keyword::kTo, 1) && !at(Symbol::kDot, 1);
    if (scoped && at(Keyword::kSession) && at(Keyword::kCharacteristics, 1)) {
        take();
        take();
        expect(Keyword::kAs);
        expect(Keyword::kTransaction);
        set->target = SetTarget::kSessionCharacteristics;
        while (parseTransactionMode(set->isolation, set->access)) {}
        return set;
    }
    if (scoped && accept(Keyword::kLocal)) set->scope = SetScope::kLocal;
    else if (scoped && at(Keyword::kSession) && !at(Keyword::kAuthorization, 1)) {
        take();
        set->scope = SetScope::kSession;
    }
    if (accept(Keyword::kSession, Keyword::kAuthorization)) {
        set->target = SetTarget::kSessionAuthorization;
        if (accept(Keyword::kDefault)) set->to_default = true;
        else set->values.push(parseSettingValue());
        return set;
    }
    if (at(Keyword::kTransaction) && (at(Keyword::kIsolation, 1) || at(Keyword::kRead, 1))) {
        take();
        set->target = SetTarget::kTransaction;
        while (parseTransactionMode(set->isolation, set->access)) {}
        return set;
    }
    parseSetParameter(set);
    return set;
}

void Parser::parseSetParameter(Set* set) {
    bool plain = at(Symbol::kEqual, 1) || at(Keyword::kTo, 1) || at(Symbol::kDot, 1);
    if (!plain && at(Keyword::kRole)) {
        take();
        set->target = SetTarget::kRole;
        if (accept(Keyword::kNone)) return;
        if (accept(Keyword::kDefault)) {
            set->to_default = true;
            return;
        }
        SettingValue role;
        role.kind = SettingKind::kText;
        role.text = peek().kind == TokenKind::kText ? take().text : parseRoleName();
        set->values.push(role);
        return;
    }
    if (!plain && accept(Keyword::kTime, Keyword::kZone)) {
        set->name = "timezone";
        if (accept(Keyword::kLocal)) {
            set->to_default = true;
            return;
        }
    } else if (!plain && accept(Keyword::kNames)) {
        set->name = "client_encoding";
    } else if (!plain && accept(Keyword::kSchema)) {
        set->name = "search_path";
    } else {
        set->name = parseSettingName();
        if (!accept(Symbol::kEqual) && !accept(Keyword::kTo))
            fail("SET is written SET name TO value.");
    }
    if (accept(Keyword::kDefault)) {
        set->to_default = true;
        return;
    }
    do set->values.push(parseSettingValue());
    while (accept(Symbol::kComma));
}

Reset* Parser::parseReset() {
    Reset* reset = make<Reset>(here());
    expect(Keyword::kReset);
    if (accept(Keyword::kAll)) reset->all = true;
    else if (accept(Keyword::kSession, Keyword::kAuthorization))
        reset->name = "session_authorization";
    else if (accept(Keyword::kTime, Keyword::kZone)) reset->name = "timezone";
    else reset->name = parseSettingName();
    return reset;
}

} // namespace blueshift::parse
