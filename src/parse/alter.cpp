// ALTER of tables, views, schemas, databases, groups and roles.

#include "parse/parser.h"

namespace blueshift::parse {

Statement* Parser::parseAlter() {
    expect(Keyword::kAlter);
    Token what = peek();
    switch (what.keyword) {
    case Keyword::kTable: take(); return parseAlterTable(ObjectKind::kTable);
    case Keyword::kView: take(); return parseAlterTable(ObjectKind::kView);
    case Keyword::kSchema: take(); return parseAlterSchema();
    case Keyword::kDatabase: take(); return parseAlterDatabase();
    case Keyword::kUser: take(); return parseAlterUser();
    case Keyword::kGroup: take(); return parseAlterGroup();
    case Keyword::kRole: take(); return parseAlterRole();
    default: failUnbuilt("ALTER");
    }
}

Statement* Parser::parseAlterTable(ObjectKind object) {
    AlterTable* alter = make<AlterTable>(statement_position_);
    alter->object = object;
    alter->if_exists = acceptIfExists();
    alter->name = parseObjectName();
    alter->steps = list<AlterTableStep>();
    do alter->steps.push(parseAlterStep());
    while (accept(Symbol::kComma));
    // ALTER SORTKEY (..) ALTER DISTKEY c may stand side by side.
    while (at(Keyword::kAlter)) alter->steps.push(parseAlterStep());
    if (object == ObjectKind::kView)
        for (const AlterTableStep& step : alter->steps)
            if (step.action != AlterTableAction::kRenameTo &&
                step.action != AlterTableAction::kOwnerTo)
                failWith(sqlstate::kSyntaxError, "a view can only be renamed or given an owner",
                         step.position, "Use CREATE OR REPLACE VIEW to change what it selects.");
    return alter;
}

AlterTableStep Parser::parseAlterStep() {
    AlterTableStep step;
    step.position = here();
    if (accept(Keyword::kAdd)) {
        if (atTableConstraint()) {
            step.action = AlterTableAction::kAddConstraint;
            step.constraint = parseTableConstraint();
            return step;
        }
        accept(Keyword::kColumn);
        step.action = AlterTableAction::kAddColumn;
        step.if_not_exists = acceptIfNotExists();
        step.column = parseColumnDefinition();
    } else if (accept(Keyword::kDrop)) {
        bool constraint = accept(Keyword::kConstraint);
        if (!constraint) accept(Keyword::kColumn);
        step.action =
            constraint ? AlterTableAction::kDropConstraint : AlterTableAction::kDropColumn;
        step.if_exists = acceptIfExists();
        step.name = parseName();
        step.behavior = parseDropBehavior();
    } else if (accept(Keyword::kOwner)) {
        expect(Keyword::kTo);
        step.action = AlterTableAction::kOwnerTo;
        step.name = parseUserOrKeyword();
    } else if (accept(Keyword::kRename)) {
        if (accept(Keyword::kTo)) {
            step.action = AlterTableAction::kRenameTo;
        } else {
            accept(Keyword::kColumn);
            step.action = AlterTableAction::kRenameColumn;
            step.name = parseName();
            expect(Keyword::kTo);
        }
        step.new_name = parseName();
    } else if (accept(Keyword::kAppend)) {
        expect(Keyword::kFrom);
        step.action = AlterTableAction::kAppendFrom;
        step.other = parseObjectName();
        step.ignore_extra = accept(Keyword::kIgnoreextra);
        step.fill_target = accept(Keyword::kFilltarget);
    } else if (accept(Keyword::kSet)) {
        if (!accept(Keyword::kSchema))
            notYet("ALTER TABLE .. SET on external tables", step.position);
        step.action = AlterTableAction::kSetSchema;
        step.new_name = parseName();
    } else if (at(Keyword::kRow)) {
        notYet("ALTER TABLE .. ROW LEVEL SECURITY", step.position);
    } else if (at(Keyword::kMasking)) {
        notYet("ALTER TABLE .. MASKING", step.position);
    } else if (at(Keyword::kPartition)) {
        notYet("ALTER TABLE .. PARTITION", step.position);
    } else if (accept(Keyword::kAlter)) {
        parseAlterAttribute(step);
    } else {
        fail("ALTER TABLE takes ADD, DROP, RENAME, ALTER, OWNER TO, APPEND FROM or SET SCHEMA.");
    }
    return step;
}

/// After ALTER TABLE t ALTER.
void Parser::parseAlterAttribute(AlterTableStep& step) {
    bool sort_key = at(Keyword::kSortkey) || (at(Keyword::kCompound) && at(Keyword::kSortkey, 1));
    if (accept(Keyword::kDistkey)) {
        step.action = AlterTableAction::kAlterDistKey;
        bool parentheses = accept(Symbol::kLeftParen);
        step.attributes.dist_key = parseColumnName();
        if (parentheses) expect(Symbol::kRightParen);
    } else if (accept(Keyword::kDiststyle)) {
        step.action = AlterTableAction::kAlterDistStyle;
        step.attributes.dist_style = parseDistStyle();
        if (step.attributes.dist_style == DistStyle::kKey) {
            expect(Keyword::kDistkey);
            bool parentheses = accept(Symbol::kLeftParen);
            step.attributes.dist_key = parseColumnName();
            if (parentheses) expect(Symbol::kRightParen);
        }
    } else if (at(Keyword::kInterleaved)) {
        fail("A table cannot be altered to an interleaved sort key.");
    } else if (sort_key) {
        step.action = AlterTableAction::kAlterSortKey;
        if (at(Keyword::kSortkey) && at(Keyword::kNone, 1)) {
            take();
            take();
            step.attributes.sort_style = SortStyle::kNone;
        } else {
            parseTableAttribute(step.attributes);
        }
    } else if (at(Keyword::kEncode)) {
        step.action = AlterTableAction::kAlterEncodeAuto;
        parseTableAttribute(step.attributes);
    } else {
        accept(Keyword::kColumn);
        parseAlterColumn(step);
    }
}

void Parser::parseAlterColumn(AlterTableStep& step) {
    step.name = parseName();
    if (accept(Keyword::kEncode)) {
        step.action = AlterTableAction::kAlterColumnEncode;
        step.encoding = parseEncoding();
        return;
    }
    if (at(Keyword::kSet) && !at(Keyword::kData, 1)) notYet("ALTER COLUMN .. SET", here());
    if (at(Keyword::kDrop)) notYet("ALTER COLUMN .. DROP", here());
    if (accept(Keyword::kSet)) expect(Keyword::kData);
    if (!accept(Keyword::kType)) fail("ALTER COLUMN takes TYPE or ENCODE.");
    step.action = AlterTableAction::kAlterColumnType;
    step.type = parseType();
}

std::string_view Parser::parseUserOrKeyword() {
    if (at(Keyword::kCurrentUser) || at(Keyword::kSessionUser)) return take().text;
    return parseName();
}

Statement* Parser::parseAlterSchema() {
    AlterSchema* alter = make<AlterSchema>(statement_position_);
    alter->name = parseSchemaName();
    if (accept(Keyword::kRename)) {
        expect(Keyword::kTo);
        alter->value = parseName();
    } else if (accept(Keyword::kOwner)) {
        expect(Keyword::kTo);
        alter->alter = AlterKind::kOwner;
        alter->value = parseUserOrKeyword();
    } else if (at(Keyword::kQuota)) {
        alter->alter = AlterKind::kQuota;
        alter->quota = parseQuota();
    } else {
        fail("ALTER SCHEMA takes RENAME TO, OWNER TO or QUOTA.");
    }
    return alter;
}

Statement* Parser::parseAlterDatabase() {
    AlterDatabase* alter = make<AlterDatabase>(statement_position_);
    alter->name = parseName();
    if (accept(Keyword::kRename)) {
        expect(Keyword::kTo);
        alter->value = parseName();
        return alter;
    }
    if (accept(Keyword::kOwner)) {
        expect(Keyword::kTo);
        alter->alter = AlterKind::kOwner;
        alter->value = parseUserOrKeyword();
        return alter;
    }
    if (at(Keyword::kConnection)) alter->alter = AlterKind::kConnectionLimit;
    if (at(Keyword::kCollate)) alter->alter = AlterKind::kCollate;
    if (at(Keyword::kIsolation)) alter->alter = AlterKind::kIsolation;
    if (!parseDatabaseOption(alter->connection_limit, alter->collation, alter->isolation))
        fail(
            "ALTER DATABASE takes RENAME TO, OWNER TO, CONNECTION LIMIT, COLLATE or ISOLATION "
            "LEVEL.");
    return alter;
}

Statement* Parser::parseAlterGroup() {
    AlterGroup* alter = make<AlterGroup>(statement_position_);
    alter->name = parseName();
    if (accept(Keyword::kRename)) {
        expect(Keyword::kTo);
        alter->action = AlterGroupAction::kRename;
        alter->new_name = parseName();
        return alter;
    }
    if (accept(Keyword::kDrop)) alter->action = AlterGroupAction::kDropUsers;
    else if (!accept(Keyword::kAdd)) fail("ALTER GROUP takes ADD USER, DROP USER or RENAME TO.");
    expect(Keyword::kUser);
    alter->users = parseColumnNames();
    return alter;
}

Statement* Parser::parseAlterRole() {
    AlterRole* alter = make<AlterRole>(statement_position_);
    alter->name = parseRoleName();
    accept(Keyword::kWith);
    for (;;) {
        if (accept(Keyword::kRename)) {
            expect(Keyword::kTo);
            alter->new_name = parseRoleName();
        } else if (accept(Keyword::kOwner)) {
            expect(Keyword::kTo);
            alter->owner = parseUserOrKeyword();
        } else if (accept(Keyword::kExternalid)) {
            accept(Keyword::kTo);
            alter->external_id = parseText();
        } else {
            fail("ALTER ROLE takes RENAME TO, OWNER TO or EXTERNALID TO.");
        }
        accept(Symbol::kComma);
        if (atEnd()) return alter;
    }
}

} // namespace blueshift::parse
