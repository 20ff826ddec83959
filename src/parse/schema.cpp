// CREATE of schemas and databases, DROP of everything, COMMENT.

#include "parse/parser.h"

namespace blueshift::parse {

/// [database.]schema: the schema's name is in `name`.
ObjectName Parser::parseSchemaName() {
    ObjectName name;
    name.position = here();
    name.name = parseName();
    if (accept(Symbol::kDot)) {
        name.database = name.name;
        name.name = parseLabel();
    }
    return name;
}

Quota Parser::parseQuota() {
    Quota quota;
    expect(Keyword::kQuota);
    if (accept(Keyword::kUnlimited)) {
        quota.kind = QuotaKind::kUnlimited;
        return quota;
    }
    quota.kind = QuotaKind::kMegabytes;
    i32 position = here();
    quota.megabytes = parseInteger();
    i64 unit = 1;
    if (accept(Keyword::kGb)) unit = 1024;
    else if (accept(Keyword::kTb)) unit = 1024 * 1024;
    else accept(Keyword::kMb);
    if (__builtin_mul_overflow(quota.megabytes, unit, &quota.megabytes))
        failWith(sqlstate::kNumericValueOutOfRange, "quota is out of range", position);
    return quota;
}

Statement* Parser::parseCreateSchema() {
    CreateSchema* schema = make<CreateSchema>(statement_position_);
    expect(Keyword::kSchema);
    schema->if_not_exists = acceptIfNotExists();
    if (!at(Keyword::kAuthorization)) schema->name = parseSchemaName();
    if (accept(Keyword::kAuthorization)) schema->owner = parseName();
    if (at(Keyword::kQuota)) schema->quota = parseQuota();
    if (at(Keyword::kCreate) || at(Keyword::kGrant))
        notYet("CREATE SCHEMA with objects inside", here());
    return schema;
}

i64 Parser::parseLimitNumber() {
    if (accept(Keyword::kUnlimited)) return kUnlimited;
    return parseInteger();
}

/// CONNECTION LIMIT, COLLATE or ISOLATION LEVEL; false if none follows.
bool Parser::parseDatabaseOption(i64& connection_limit, Collation& collation,
                                 IsolationLevel& isolation) {
    if (accept(Keyword::kConnection)) {
        expect(Keyword::kLimit);
        connection_limit = parseLimitNumber();
        return true;
    }
    if (accept(Keyword::kCollate)) {
        collation = parseCollation();
        return true;
    }
    if (accept(Keyword::kIsolation)) {
        expect(Keyword::kLevel);
        isolation = parseIsolationLevel();
        return true;
    }
    return false;
}

Statement* Parser::parseCreateDatabase() {
    CreateDatabase* database = make<CreateDatabase>(statement_position_);
    expect(Keyword::kDatabase);
    database->name = parseName();
    if (at(Keyword::kFrom) || (at(Keyword::kWith) && at(Keyword::kPermissions, 1)))
        notYet("CREATE DATABASE .. FROM", here());
    accept(Keyword::kWith);
    while (!atEnd()) {
        if (accept(Keyword::kOwner)) {
            accept(Symbol::kEqual);
            database->owner = parseName();
        } else if (!parseDatabaseOption(database->connection_limit, database->collation,
                                        database->isolation)) {
            fail("CREATE DATABASE takes OWNER, CONNECTION LIMIT, COLLATE and ISOLATION LEVEL.");
        }
    }
    return database;
}

Statement* Parser::parseDrop() {
    Drop* drop = make<Drop>(statement_position_);
    expect(Keyword::kDrop);
    Token what = peek();
    switch (what.keyword) {
    case Keyword::kTable: drop->object = ObjectKind::kTable; break;
    case Keyword::kView: drop->object = ObjectKind::kView; break;
    case Keyword::kSchema: drop->object = ObjectKind::kSchema; break;
    case Keyword::kDatabase: drop->object = ObjectKind::kDatabase; break;
    case Keyword::kUser: drop->object = ObjectKind::kUser; break;
    case Keyword::kGroup: drop->object = ObjectKind::kGroup; break;
    case Keyword::kRole: drop->object = ObjectKind::kRole; break;
    case Keyword::kMaterialized:
        if (!at(Keyword::kView, 1)) failUnbuilt("DROP");
        take();
        drop->object = ObjectKind::kMaterializedView;
        break;
    default: failUnbuilt("DROP");
    }
    take();
    drop->if_exists = acceptIfExists();
    drop->names = list<ObjectName>();
    do {
        ObjectName name;
        name.position = here();
        if (drop->object == ObjectKind::kSchema) name = parseSchemaName();
        else if (drop->object == ObjectKind::kRole) name.name = parseRoleName();
        else if (drop->object == ObjectKind::kDatabase || drop->object == ObjectKind::kUser ||
                 drop->object == ObjectKind::kGroup)
            name.name = parseName();
        else name = parseObjectName();
        drop->names.push(name);
    } while (accept(Symbol::kComma));
    if (drop->object == ObjectKind::kRole && accept(Keyword::kForce)) drop->force = true;
    else if (drop->object == ObjectKind::kDatabase && accept(Keyword::kForce)) drop->force = true;
    else drop->behavior = parseDropBehavior();
    if (drop->object == ObjectKind::kSchema && at(Keyword::kDrop))
        notYet("DROP SCHEMA .. DROP EXTERNAL DATABASE", here());
    return drop;
}

Statement* Parser::parseComment() {
    Comment* comment = make<Comment>(here());
    expect(Keyword::kComment);
    expect(Keyword::kOn);
    Token what = take();
    switch (what.keyword) {
    case Keyword::kTable:
    case Keyword::kView:
        comment->object = what.is(Keyword::kTable) ? ObjectKind::kTable : ObjectKind::kView;
        comment->name = parseObjectName();
        break;
    case Keyword::kSchema:
        comment->object = ObjectKind::kSchema;
        comment->name = parseSchemaName();
        break;
    case Keyword::kDatabase:
        comment->object = ObjectKind::kDatabase;
        comment->name.position = here();
        comment->name.name = parseName();
        break;
    case Keyword::kConstraint:
        comment->object = ObjectKind::kConstraint;
        comment->part = parseName();
        expect(Keyword::kOn);
        comment->name = parseObjectName();
        break;
    case Keyword::kColumn: {
        comment->object = ObjectKind::kColumn;
        i32 position = here();
        List<std::string_view> parts = list<std::string_view>();
        parts.push(parseName());
        while (accept(Symbol::kDot)) parts.push(parseLabel());
        if (parts.size() < 2) fail("A column is named table.column here.");
        comment->part = parts.back();
        parts.pop();
        comment->name = objectNameOf(parts, position);
        break;
    }
    default: failAt(what, "COMMENT ON takes TABLE, VIEW, COLUMN, CONSTRAINT, SCHEMA or DATABASE.");
    }
    expect(Keyword::kIs);
    if (accept(Keyword::kNull)) comment->to_null = true;
    else comment->comment = parseText();
    return comment;
}

} // namespace blueshift::parse
