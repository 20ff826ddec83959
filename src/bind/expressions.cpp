// Expressions: literals, parameters, columns, casts; and which method binds which form.
#include <algorithm>

#include "bind/binder.h"
#include "bind/plan_walk.h"

namespace blueshift::bind {

using functions::CastContext;
using parse::ExpressionKind;

namespace {

bool hasSubquery(const Expr* expr) {
    bool found = false;
    visitSubqueries(expr, [&](SubqueryExpr*) { found = true; });
    return found;
}

std::string quotedPath(const List<std::string_view>& parts) {
    std::string path;
    for (std::string_view part : parts) path += (path.empty() ? "" : ".") + std::string(part);
    return path;
}

} // namespace

const Expr* Binder::expr(const parse::Expression* e, Block& block) {
    NestingGuard guard(depth_);
    const Expr* bound = dispatch(e, block);
    return bound->position < 0 ? atPosition(bound, e->position) : bound;
}

const Expr* Binder::dispatch(const parse::Expression* e, Block& block) {
    switch (e->kind) {
    case ExpressionKind::kLiteral: return literal(*e->as<parse::Literal>());
    case ExpressionKind::kTypedLiteral: {
        const auto* typed = e->as<parse::TypedLiteral>();
        return typedLiteral(*typed->type, typed->text, e->position);
    }
    case ExpressionKind::kParameter: return parameter(*e->as<parse::Parameter>());
    case ExpressionKind::kColumn: return column(*e->as<parse::ColumnReference>(), block);
    case ExpressionKind::kUnary: return unary(*e->as<parse::Unary>(), block);
    case ExpressionKind::kBinary: return binary(*e->as<parse::Binary>(), block);
    case ExpressionKind::kLogical: return logical(*e->as<parse::Logical>(), block);
    case ExpressionKind::kIs: return isTest(*e->as<parse::Is>(), block);
    case ExpressionKind::kBetween: return between(*e->as<parse::Between>(), block);
    case ExpressionKind::kInList: return inList(*e->as<parse::InList>(), block);
    case ExpressionKind::kInQuery: return inQuery(*e->as<parse::InQuery>(), block);
    case ExpressionKind::kLike: return like(*e->as<parse::Like>(), block);
    case ExpressionKind::kQuantified: {
        const auto* quantified = e->as<parse::Quantified>();
        return quantified->query != nullptr ? quantifiedQuery(*quantified, block)
                                            : quantifiedArray(*quantified, block);
    }
    case ExpressionKind::kExists: return exists(*e->as<parse::Exists>(), block);
    case ExpressionKind::kSubquery: return scalarSubquery(*e->as<parse::Subquery>(), block);
    case ExpressionKind::kCast: return cast(*e->as<parse::Cast>(), block);
    case ExpressionKind::kCase: return caseOf(*e->as<parse::Case>(), block);
    case ExpressionKind::kFunction: return functionCall(*e->as<parse::FunctionCall>(), block);
    case ExpressionKind::kSubscript: return subscript(*e->as<parse::Subscript>(), block);
    case ExpressionKind::kCollate: {
        const auto* collate = e->as<parse::Collate>();
        const std::string_view name = collate->collation.name;
        if (name == "case_insensitive" || name == "ci")
            notYet("case-insensitive collation", e->position);
        return expr(collate->operand, block);
    }
    case ExpressionKind::kStar:
        fail(sqlstate::kSyntaxError, "* is allowed in a select list and in COUNT(*) only",
             e->position, "Name the columns.");
    case ExpressionKind::kRow:
        fail(sqlstate::kFeatureNotSupported, "a row is allowed in comparisons and IN only",
             e->position, "Compare with another row, or name one value.");
    case ExpressionKind::kDefault:
        fail(sqlstate::kSyntaxError, "DEFAULT is not allowed in this context", e->position,
             "DEFAULT stands alone in a VALUES row of INSERT or in UPDATE .. SET.");
    case ExpressionKind::kOuterMark: notYet("the outer join mark (+)", e->position);
    case ExpressionKind::kNamedArgument: notYet("a named argument", e->position);
    case ExpressionKind::kArrayQuery: return arrayQuery(*e->as<parse::ArrayQuery>(), block);
    case ExpressionKind::kArray: notYet("ARRAY[..]", e->position);
    case ExpressionKind::kField: notYet("access to fields of SUPER values", e->position);
    }
    BS_UNREACHABLE("expression kind");
}

const Expr* Binder::condition(const parse::Expression* e, Block& block, Clause clause) {
    ClauseGuard guard(block, clause);
    return asBoolean(expr(e, block), clauseName(clause), e->position);
}

const Expr* Binder::asBoolean(const Expr* value, std::string_view where, i32 position) {
    const TypeKind kind = value->type.kind;
    if (kind == TypeKind::kBoolean) return value;
    if (kind != TypeKind::kUnknown && !isInteger(kind))
        fail(sqlstate::kDatatypeMismatch,
             "argument of " + std::string(where) + " must be type boolean, not type " +
                 formatType(value->type),
             position, "Write a comparison.");
    return castTo(value, SqlType::boolean(), CastContext::kExplicit, position);
}

const Expr* Binder::literal(const parse::Literal& e, bool negative) {
    const auto number = [&](i128 value, const SqlType& type) {
        return atPosition(makeConstant(arena_, Value::ofInteger(negative ? -value : value, type)),
                          e.position);
    };
    switch (e.literal) {
    case parse::LiteralKind::kNull:
        return atPosition(makeConstant(arena_, Value::null(SqlType::unknown())), e.position);
    case parse::LiteralKind::kBoolean:
        return atPosition(makeConstant(arena_, Value::ofBool(e.boolean)), e.position);
    case parse::LiteralKind::kText:
        return atPosition(makeConstant(arena_, Value::ofText(e.text, SqlType::unknown())),
                          e.position);
    case parse::LiteralKind::kFloat: break;
    case parse::LiteralKind::kInteger:
    case parse::LiteralKind::kDecimal: {
        i128 value = 0;
        int digits = 0;
        int scale = 0;
        bool point = false;
        for (char c : e.text) {
            if (c == '.') {
                point = true;
                continue;
            }
            scale += point;
            if (digits > 0 || c != '0' || point) ++digits;
            if (digits > kMaxDecimalPrecision) break;
            value = value * 10 + (c - '0');
        }
        if (digits > kMaxDecimalPrecision) break; // as PostgreSQL 8: a number too long is a float
        if (e.literal == parse::LiteralKind::kInteger) {
            const i128 signed_value = negative ? -value : value;
            if (signed_value == i32(signed_value)) return number(value, SqlType::integer());
            if (signed_value == i64(signed_value)) return number(value, SqlType::bigInt());
        }
        return number(value, SqlType::decimal(std::max({digits, scale, 1}), scale));
    }
    }
    const std::string text = (negative ? "-" : "") + std::string(e.text);
    const Expr* raw =
        makeConstant(arena_, Value::ofText(arena_.copyText(text), SqlType::unknown()));
    return castTo(raw, SqlType::doublePrecision(), CastContext::kExplicit, e.position);
}

const Expr* Binder::typedLiteral(const parse::TypeName& name, std::string_view text, i32 position) {
    if (name.name == "interval" && name.array_dimensions == 0) {
        const IntervalParts parts = intervalLiteral(name, text, position);
        if (parts.months != nullptr && parts.micros != nullptr)
            fail(sqlstate::kFeatureNotSupported,
                 "an interval of months and of days or time can only be added to a date or "
                 "timestamp",
                 position, "Split it into two intervals.");
        return parts.months != nullptr ? parts.months : parts.micros;
    }
    const Expr* raw =
        atPosition(makeConstant(arena_, Value::ofText(text, SqlType::unknown())), position);
    return castTo(raw, type(name), CastContext::kExplicit, position);
}

const Expr* Binder::parameter(const parse::Parameter& e) {
    const u32 index = u32(e.number);
    SqlType type = SqlType::unknown();
    if (context_.parameter_types != nullptr) {
        auto& types = *context_.parameter_types;
        if (types.size() < index) types.resize(index, SqlType::unknown());
        type = types[index - 1];
    }
    if (!context_.parameters.empty()) {
        if (index > context_.parameters.size())
            fail(sqlstate::kUndefinedParameter, "there is no parameter $" + std::to_string(index),
                 e.position, "Bind a value for every parameter.");
        Value value = context_.parameters[index - 1];
        if (value.is_null && value.type.kind == TypeKind::kUnknown) value.type = type;
        return atPosition(makeConstant(arena_, value), e.position);
    }
    auto* node = arena_.make<ParameterExpr>();
    node->kind = ExprKind::kParameter;
    node->type = type;
    node->position = place(e.position);
    node->index = index;
    return node;
}

const Expr* Binder::findColumn(std::string_view name, i32 position, Block& block) {
    const VisibleColumn* found = nullptr;
    for (const VisibleColumn& column : block.from.visible) {
        if (column.name != name) continue;
        if (found != nullptr)
            fail(sqlstate::kAmbiguousColumn,
                 "column reference \"" + std::string(name) + "\" is ambiguous", position,
                 "Write the table's name or alias before the column.");
        found = &column;
    }
    return found == nullptr ? nullptr : atPosition(found->expr, position);
}

const Expr* Binder::aliasedOutput(std::string_view name, Block& block) {
    for (size_t i = 0; i < std::min(block.aliases, block.outputs.size()); ++i) {
        SelectOutput& candidate = block.outputs[i];
        if (!candidate.has_alias || candidate.name != name || candidate.busy) continue;
        const Expr* bound = output(i, block, block.clause);
        return again(bound, candidate.source, block);
    }
    return nullptr;
}

const VisibleColumn* Binder::qualifiedColumn(const parse::ColumnReference& e, Block& block) {
    const u32 count = e.parts.size();
    const std::string_view column = e.parts[count - 1];
    const std::string_view table = e.parts[count - 2];
    const std::string_view schema = count > 2 ? e.parts[count - 3] : std::string_view();
    const VisibleColumn* found = nullptr;
    for (const NamedTable& candidate : block.from.tables) {
        if (candidate.name != table || (!schema.empty() && candidate.schema != schema)) continue;
        for (const VisibleColumn& visible : candidate.columns) {
            if (visible.name != column) continue;
            if (found != nullptr)
                fail(sqlstate::kAmbiguousColumn,
                     "column reference \"" + quotedPath(e.parts) + "\" is ambiguous", e.position,
                     "Give the columns or the tables different names.");
            found = &visible;
        }
    }
    return found;
}

const Expr* Binder::column(const parse::ColumnReference& e, Block& block) {
    for (Block* scope = &block; scope != nullptr; scope = scope->outer) {
        if (e.parts.size() == 1) {
            if (const Expr* found = findColumn(e.parts[0], e.position, *scope)) return found;
            if (const Expr* found = aliasedOutput(e.parts[0], *scope)) return found;
        } else if (const VisibleColumn* found = qualifiedColumn(e, *scope)) {
            return atPosition(found->expr, e.position);
        }
    }
    // PostgreSQL's drivers write these; in Redshift they are no keywords, so columns come first.
    const std::string_view word = e.parts[0];
    if (e.parts.size() == 1 && (word == "current_catalog" || word == "current_schema"))
        return at(e.position, [&] {
            return makeCallByName(
                arena_, word == "current_schema" ? "current_schema" : "current_database", {});
        });
    failNoColumn(e, block);
}

void Binder::failNoColumn(const parse::ColumnReference& e, Block& block) {
    const std::string path = quotedPath(e.parts);
    if (e.parts.size() > 1) {
        // Is it the table that is not there, or the column?
        const std::string_view table = e.parts[e.parts.size() - 2];
        bool known = false;
        std::string_view alias; // of a table that has this name otherwise
        NearestName nearest(table);
        for (Block* scope = &block; scope != nullptr; scope = scope->outer) {
            for (const NamedTable& candidate : scope->from.tables) {
                known |= candidate.name == table;
                nearest.offer(candidate.name);
                const catalog::Oid oid = candidate.columns.empty() ? 0 : candidate.columns[0].table;
                const auto found = context_.catalog->tables.find(oid);
                if (found != context_.catalog->tables.end() && found->second->name == table)
                    alias = candidate.name;
            }
        }
        if (!known) {
            const std::string hint =
                !alias.empty() ? "Use its alias, \"" + std::string(alias) + "\"."
                : nearest.best().empty()
                    ? "Add the table to FROM, or use its alias."
                    : "Perhaps you meant \"" + std::string(nearest.best()) + "\".";
            fail(sqlstate::kUndefinedTable,
                 "missing FROM-clause entry for table \"" + std::string(table) + "\"", e.position,
                 hint);
        }
    }
    NearestName nearest(e.parts[e.parts.size() - 1]);
    for (Block* scope = &block; scope != nullptr; scope = scope->outer) {
        for (const VisibleColumn& column : scope->from.visible)
            if (!column.hidden) nearest.offer(column.name);
        for (size_t i = 0; i < std::min(scope->aliases, scope->outputs.size()); ++i)
            if (scope->outputs[i].has_alias && !scope->outputs[i].busy)
                nearest.offer(scope->outputs[i].name);
    }
    const std::string hint =
        nearest.best().empty()
            ? "Check the spelling, or quote text with single quotes."
            : "Perhaps you meant the column \"" + std::string(nearest.best()) + "\".";
    fail(sqlstate::kUndefinedColumn,
         e.parts.size() > 1 ? "column " + path + " does not exist"
                            : "column \"" + path + "\" does not exist",
         e.position, hint);
}

const Expr* Binder::castTo(const Expr* value, const SqlType& to, CastContext context,
                           i32 position) {
    return at(position, [&] { return makeCast(arena_, value, to, context); });
}

const Expr* Binder::tryCast(const Expr* value, const SqlType& to, i32 position) {
    if (value->type == to) return value;
    if (value->type.kind == TypeKind::kUnknown)
        value = castTo(value, SqlType::text(), CastContext::kExplicit, position);
    const functions::Function* function = functions::tryCastFunction(value->type, to);
    if (function == nullptr)
        fail(sqlstate::kCannotCoerce,
             "cannot cast type " + formatType(value->type) + " to " + formatType(to), position,
             "Convert the value another way, for example through text.");
    const Expr* args[] = {value};
    return makeCall(arena_, function, to, args);
}

const Expr* Binder::cast(const parse::Cast& e, Block& block) {
    const bool literal_text = e.operand->is<parse::Literal>() &&
                              e.operand->as<parse::Literal>()->literal == parse::LiteralKind::kText;
    if (literal_text && !e.is_try && e.type->name == "interval")
        return typedLiteral(*e.type, e.operand->as<parse::Literal>()->text, e.operand->position);
    const SqlType to = type(*e.type);
    const Expr* value = expr(e.operand, block);
    if (e.is_try) return tryCast(value, to, e.position);
    return castTo(value, to, CastContext::kExplicit, e.operand->position);
}

const Expr* Binder::again(const Expr* bound, const parse::Expression* e, Block& block) {
    return hasSubquery(bound) ? expr(e, block) : bound;
}

const Expr* Binder::subscript(const parse::Subscript& e, Block& block) {
    if (e.is_slice || !functions::functionExists("array_element"))
        notYet(e.is_slice ? "a slice of an array" : "a subscript", e.position);
    const Expr* operand = expr(e.operand, block);
    return call("array_element", {operand, expr(e.index, block)}, e.position);
}

} // namespace blueshift::bind
