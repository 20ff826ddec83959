// SHOW in all its forms.

#include "parse/parser.h"

namespace blueshift::parse {

Statement* Parser::parseShow() {
    Show* show = make<Show>(here());
    expect(Keyword::kShow);
    if (parseShowList(show) || parseShowObject(show)) {
        parseShowTail(show);
        return show;
    }
    if (accept(Keyword::kAll)) {
        show->show = ShowKind::kAll;
    } else if (at(Keyword::kTransaction) && at(Keyword::kIsolation, 1)) {
        take();
        take();
        expect(Keyword::kLevel);
        show->name = "transaction_isolation";
    } else if (accept(Keyword::kTime, Keyword::kZone)) {
        show->name = "timezone";
    } else if (accept(Keyword::kSession, Keyword::kAuthorization)) {
        show->name = "session_authorization";
    } else {
        show->name = parseSettingName();
    }
    return show;
}

/// SHOW TABLES, COLUMNS, GRANTS ..; false if it is no list.
bool Parser::parseShowList(Show* show) {
    bool from = at(Keyword::kFrom, 1);
    switch (peek().keyword) {
    case Keyword::kDatabases:
        take();
        show->show = ShowKind::kDatabases;
        if (at(Keyword::kFrom)) notYet("SHOW DATABASES FROM DATA CATALOG", here());
        return true;
    case Keyword::kDatashares:
        take();
        show->show = ShowKind::kDatashares;
        return true;
    case Keyword::kSchemas:
        if (!from && !at(Keyword::kLike, 1) && peek(1).kind != TokenKind::kEnd) return false;
        take();
        show->show = ShowKind::kSchemas;
        if (accept(Keyword::kFrom)) {
            expect(Keyword::kDatabase);
            show->object.position = here();
            show->object.name = parseName();
        }
        return true;
    case Keyword::kTables:
    case Keyword::kProcedures:
    case Keyword::kFunctions: {
        if (!from) return false;
        Token what = take();
        take();
        show->show = what.is(Keyword::kTables)       ? ShowKind::kTables
                     : what.is(Keyword::kProcedures) ? ShowKind::kProcedures
                                                     : ShowKind::kFunctions;
        expect(Keyword::kSchema);
        show->object = parseSchemaName();
        return true;
    }
    case Keyword::kColumns:
        if (!from) return false;
        take();
        take();
        expect(Keyword::kTable);
        show->show = ShowKind::kColumns;
        show->object = parseObjectName();
        return true;
    case Keyword::kConstraints:
        if (!at(Keyword::kPrimary, 1) && !at(Keyword::kForeign, 1)) return false;
        take();
        show->show = accept(Keyword::kPrimary) ? ShowKind::kPrimaryKeys : ShowKind::kForeignKeys;
        accept(Keyword::kForeign);
        expect(Keyword::kKeys);
        if (show->show == ShowKind::kForeignKeys && accept(Keyword::kExported))
            show->show = ShowKind::kExportedKeys;
        expect(Keyword::kFrom);
        expect(Keyword::kTable);
        show->object = parseObjectName();
        return true;
    case Keyword::kGrants:
        if (!at(Keyword::kOn, 1) && !at(Keyword::kFor, 1)) return false;
        take();
        show->show = ShowKind::kGrants;
        parseShowGrants(show);
        return true;
    case Keyword::kColumn:
        take();
        expect(Keyword::kGrants);
        show->show = ShowKind::kColumnGrants;
        parseShowGrants(show);
        return true;
    case Keyword::kParameters:
        if (!at(Keyword::kOf, 1)) return false;
        parseShowParameters(show);
        return true;
    case Keyword::kRls:
    case Keyword::kMasking:
        if (at(Keyword::kPolicies, 1)) notYet("SHOW POLICIES", here());
        return false;
    case Keyword::kModel:
    case Keyword::kTemplate:
        if (peek(1).kind != TokenKind::kEnd)
            notYet(at(Keyword::kModel) ? "SHOW MODEL" : "SHOW TEMPLATE", here());
        return false;
    case Keyword::kTemplates: notYet("SHOW TEMPLATES", here());
    default: return false;
    }
}

void Parser::parseShowGrants(Show* show) {
    if (accept(Keyword::kOn)) {
        if (accept(Keyword::kDatabase)) {
            show->object_kind = ObjectKind::kDatabase;
            show->object.position = here();
            show->object.name = parseName();
        } else if (accept(Keyword::kSchema)) {
            show->object_kind = ObjectKind::kSchema;
            show->object = parseSchemaName();
        } else if (at(Keyword::kFunction) || at(Keyword::kProcedure)) {
            show->object_kind =
                take().is(Keyword::kFunction) ? ObjectKind::kFunction : ObjectKind::kProcedure;
            show->object = parseObjectName();
            if (at(Symbol::kLeftParen)) show->argument_types = parseArgumentTypes();
        } else {
            accept(Keyword::kTable);
            show->object = parseObjectName();
        }
    }
    if (!accept(Keyword::kFor)) return;
    show->grantee = arena_.make<Grantee>(parseGrantee());
    if (accept(Keyword::kFrom, Keyword::kDatabase)) {
        show->object_kind = ObjectKind::kDatabase;
        show->object.position = here();
        show->object.name = parseName();
    }
}

/// SHOW PARAMETERS OF PROCEDURE|FUNCTION d.s.f(types)
void Parser::parseShowParameters(Show* show) {
    take();
    take();
    if (accept(Keyword::kProcedure)) {
        show->show = ShowKind::kProcedureParameters;
    } else {
        expect(Keyword::kFunction);
        show->show = ShowKind::kFunctionParameters;
    }
    show->object = parseObjectName();
    if (at(Symbol::kLeftParen)) show->argument_types = parseArgumentTypes();
}

/// SHOW TABLE t and the like; false if it is no object.
bool Parser::parseShowObject(Show* show) {
    ShowKind kind;
    size_t words = 1;
    switch (peek().keyword) {
    case Keyword::kTable: kind = ShowKind::kTable; break;
    case Keyword::kView: kind = ShowKind::kView; break;
    case Keyword::kProcedure: kind = ShowKind::kProcedure; break;
    case Keyword::kExternal:
        if (!at(Keyword::kTable, 1)) return false;
        words = 2;
        kind = ShowKind::kExternalTable;
        break;
    default: return false;
    }
    if (!atName(words) && !at(Symbol::kHash, words)) return false;
    for (size_t i = 0; i < words; ++i) take();
    show->show = kind;
    show->object = parseObjectName();
    if (kind == ShowKind::kProcedure && at(Symbol::kLeftParen))
        show->argument_types = parseArgumentTypes();
    return true;
}

/// [LIKE pattern] [LIMIT n]
void Parser::parseShowTail(Show* show) {
    if (accept(Keyword::kLike)) {
        if (peek().kind != TokenKind::kText && peek().kind != TokenKind::kParameter)
            fail("LIKE takes a text in single quotes here.");
        show->like = parseLiteral();
    }
    if (accept(Keyword::kLimit)) {
        if (peek().kind != TokenKind::kInteger && peek().kind != TokenKind::kParameter)
            fail("LIMIT takes a number here.");
        show->limit = parseLiteral();
    }
}

} // namespace blueshift::parse
