// CREATE TABLE with all its attributes, CREATE TABLE AS and CREATE VIEW.

#include "parse/parser.h"

namespace blueshift::parse {

Statement* Parser::parseCreateTable(bool temporary) {
    CreateTable* table = make<CreateTable>(statement_position_);
    expect(Keyword::kTable);
    table->if_not_exists = acceptIfNotExists();
    table->name = parseObjectName();
    table->temporary = temporary || table->name.name.starts_with('#');
    table->columns = list<ColumnDefinition*>();
    table->constraints = list<TableConstraint*>();
    table->like = list<LikeClause*>();
    bool names = at(Symbol::kLeftParen) && atName(1) &&
                 (at(Symbol::kComma, 2) || at(Symbol::kRightParen, 2));
    bool elements = at(Symbol::kLeftParen) && !names && !atQuery(1);
    if (names) table->column_names = parseColumnNamesInParentheses();
    else if (elements) parseTableElements(table);
    while (parseTableAttribute(table->attributes)) {}
    if (at(Keyword::kUsing)) notYet("CREATE TABLE .. USING ICEBERG", here());
    if (accept(Keyword::kOn)) {
        expect(Keyword::kCommit);
        // Rows always outlive a commit: what PRESERVE asks for.
        if (!at(Keyword::kPreserve)) notYet("ON COMMIT other than PRESERVE ROWS", here());
        take();
        expect(Keyword::kRows);
    }
    if (elements || (!names && !at(Keyword::kAs))) {
        if (!elements) fail("Columns in parentheses, or AS with a query, are expected here.");
        return table;
    }
    expect(Keyword::kAs);
    u32 begin = static_cast<u32>(here());
    table->query = parseQuery();
    table->query_text = sourceText(begin, last_end_);
    if (accept(Keyword::kWith)) {
        table->with_no_data = accept(Keyword::kNo);
        expect(Keyword::kData);
    }
    return table;
}

void Parser::parseTableElements(CreateTable* table) {
    expect(Symbol::kLeftParen);
    do {
        if (at(Keyword::kLike)) {
            take();
            LikeClause* like = arena_.make<LikeClause>();
            like->parent = parseObjectName();
            if (accept(Keyword::kIncluding)) {
                expect(Keyword::kDefaults);
                like->including_defaults = true;
            } else if (accept(Keyword::kExcluding)) {
                expect(Keyword::kDefaults);
            }
            table->like.push(like);
        } else if (atTableConstraint()) {
            table->constraints.push(parseTableConstraint());
        } else {
            table->columns.push(parseColumnDefinition());
        }
    } while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
}

bool Parser::atTableConstraint() {
    return at(Keyword::kConstraint) || at(Keyword::kUnique) || at(Keyword::kPrimary) ||
           at(Keyword::kForeign) || at(Keyword::kCheck);
}

ColumnDefinition* Parser::parseColumnDefinition() {
    ColumnDefinition* column = arena_.make<ColumnDefinition>();
    column->position = here();
    column->name = parseName();
    column->type = parseType();
    while (parseColumnAttribute(column)) {}
    return column;
}

bool Parser::parseColumnAttribute(ColumnDefinition* column) {
    switch (peek().keyword) {
    case Keyword::kConstraint:
        take();
        parseName();
        return true;
    case Keyword::kDefault: {
        take();
        u32 begin = static_cast<u32>(here());
        bool before = std::exchange(collate_allowed_, false);
        column->default_value = parseExpression();
        collate_allowed_ = before;
        column->default_text = sourceText(begin, last_end_);
        return true;
    }
    case Keyword::kIdentity: parseIdentity(column, IdentityKind::kAlways); return true;
    case Keyword::kGenerated:
        take();
        if (accept(Keyword::kAlways)) {
            expect(Keyword::kAs);
            parseIdentity(column, IdentityKind::kAlways);
            return true;
        }
        expect(Keyword::kBy);
        expect(Keyword::kDefault);
        expect(Keyword::kAs);
        parseIdentity(column, IdentityKind::kByDefault);
        return true;
    case Keyword::kEncode:
        take();
        column->encoding = parseEncoding();
        return true;
    case Keyword::kDistkey:
        take();
        column->dist_key = true;
        return true;
    case Keyword::kSortkey:
        take();
        column->sort_key = true;
        return true;
    case Keyword::kCollate:
        take();
        column->collation = parseCollation();
        return true;
    case Keyword::kNot:
        take();
        expect(Keyword::kNull);
        column->nullability = Nullability::kNotNull;
        return true;
    case Keyword::kNull:
        take();
        column->nullability = Nullability::kNull;
        return true;
    case Keyword::kUnique:
        take();
        column->unique = true;
        return true;
    case Keyword::kPrimary:
        take();
        expect(Keyword::kKey);
        column->primary_key = true;
        return true;
    case Keyword::kReferences: column->references = parseReference(); return true;
    case Keyword::kCheck: notYet("a CHECK constraint", here());
    default: return false;
    }
}

void Parser::parseIdentity(ColumnDefinition* column, IdentityKind kind) {
    expect(Keyword::kIdentity);
    column->identity.kind = kind;
    if (!accept(Symbol::kLeftParen)) return;
    column->identity.seed = parseSignedInteger();
    expect(Symbol::kComma);
    column->identity.step = parseSignedInteger();
    expect(Symbol::kRightParen);
}

TableConstraint* Parser::parseTableConstraint() {
    TableConstraint* constraint = arena_.make<TableConstraint>();
    constraint->position = here();
    if (accept(Keyword::kConstraint)) constraint->name = parseName();
    if (accept(Keyword::kUnique)) {
        constraint->kind = ConstraintKind::kUnique;
    } else if (accept(Keyword::kPrimary)) {
        expect(Keyword::kKey);
        constraint->kind = ConstraintKind::kPrimaryKey;
    } else if (accept(Keyword::kForeign)) {
        expect(Keyword::kKey);
        constraint->kind = ConstraintKind::kForeignKey;
    } else if (at(Keyword::kCheck)) {
        notYet("a CHECK constraint", here());
    } else {
        fail("A constraint is UNIQUE, PRIMARY KEY or FOREIGN KEY.");
    }
    constraint->columns = parseColumnNamesInParentheses();
    if (constraint->kind == ConstraintKind::kForeignKey) constraint->references = parseReference();
    return constraint;
}

ForeignReference* Parser::parseReference() {
    ForeignReference* reference = arena_.make<ForeignReference>();
    expect(Keyword::kReferences);
    reference->table = parseObjectName();
    if (at(Symbol::kLeftParen)) reference->columns = parseColumnNamesInParentheses();
    return reference;
}

DistStyle Parser::parseDistStyle() {
    if (accept(Keyword::kAuto)) return DistStyle::kAuto;
    if (accept(Keyword::kEven)) return DistStyle::kEven;
    if (accept(Keyword::kAll)) return DistStyle::kAll;
    if (accept(Keyword::kKey)) return DistStyle::kKey;
    fail("DISTSTYLE is AUTO, EVEN, KEY or ALL.");
}

/// One of DISTSTYLE, DISTKEY, SORTKEY, ENCODE AUTO, BACKUP; false if none follows.
bool Parser::parseTableAttribute(TableAttributes& attributes) {
    if (accept(Keyword::kDiststyle)) {
        attributes.dist_style = parseDistStyle();
        return true;
    }
    if (accept(Keyword::kDistkey)) {
        expect(Symbol::kLeftParen);
        attributes.dist_key = parseColumnName();
        if (at(Symbol::kComma)) fail("A table has one DISTKEY column.");
        expect(Symbol::kRightParen);
        return true;
    }
    bool interleaved = at(Keyword::kInterleaved) && at(Keyword::kSortkey, 1);
    bool compound = at(Keyword::kCompound) && at(Keyword::kSortkey, 1);
    if (interleaved || compound) take();
    if (accept(Keyword::kSortkey)) {
        if (accept(Keyword::kAuto)) {
            attributes.sort_style = SortStyle::kAuto;
            return true;
        }
        attributes.sort_style = interleaved ? SortStyle::kInterleaved : SortStyle::kCompound;
        attributes.sort_key = parseColumnNamesInParentheses();
        return true;
    }
    if (accept(Keyword::kEncode)) {
        expect(Keyword::kAuto);
        attributes.encode_auto = true;
        return true;
    }
    if (accept(Keyword::kBackup)) {
        if (accept(Keyword::kYes)) {
            attributes.backup = Tristate::kYes;
        } else {
            expect(Keyword::kNo);
            attributes.backup = Tristate::kNo;
        }
        return true;
    }
    return false;
}

Collation Parser::parseCollation() {
    std::string_view lower = lowerText(peek().text);
    bool sensitive = lower == "case_sensitive" || lower == "cs";
    bool insensitive = lower == "case_insensitive" || lower == "ci";
    if (!sensitive && !insensitive) fail("A collation is CASE_SENSITIVE or CASE_INSENSITIVE.");
    take();
    return sensitive ? Collation::kCaseSensitive : Collation::kCaseInsensitive;
}

/// Names of encodings are reserved words, most of them.
std::string_view Parser::parseEncoding() {
    if (peek().kind != TokenKind::kWord && peek().kind != TokenKind::kQuotedName)
        fail("The name of an encoding is expected here: AZ64, ZSTD, RAW, AUTO, ..");
    return lowerText(take().text);
}

Statement* Parser::parseCreateView(bool or_replace, bool temporary) {
    CreateView* view = make<CreateView>(statement_position_);
    expect(Keyword::kView);
    view->or_replace = or_replace;
    view->temporary = temporary;
    view->name = parseObjectName();
    if (at(Symbol::kLeftParen)) view->columns = parseColumnNamesInParentheses();
    expect(Keyword::kAs);
    u32 begin = static_cast<u32>(here());
    view->query = parseQuery();
    view->query_text = sourceText(begin, last_end_);
    if (accept(Keyword::kWith)) {
        expect(Keyword::kNo);
        expect(Keyword::kSchema);
        if (peek().text != "binding") fail("Expected WITH NO SCHEMA BINDING.");
        take();
        view->late_binding = true;
    }
    return view;
}

} // namespace blueshift::parse
