// Types as written, and interval literals, which may hold months and a time span both.
#include "bind/binder.h"
#include "functions/text_input.h"
#include "parse/parse.h"

namespace blueshift::bind {
namespace {

std::string_view fieldName(parse::IntervalField field) {
    switch (field) {
    case parse::IntervalField::kYear: return "year";
    case parse::IntervalField::kMonth: return "month";
    case parse::IntervalField::kDay: return "day";
    case parse::IntervalField::kHour: return "hour";
    case parse::IntervalField::kMinute: return "minute";
    case parse::IntervalField::kSecond: return "second";
    case parse::IntervalField::kNone: break;
    }
    return "";
}

/// The type in the words that typeFromName knows.
std::string spelledName(const parse::TypeName& name) {
    std::string spelled = name.quoted && name.name == "char" ? "\"char\"" : std::string(name.name);
    if (name.interval_start != parse::IntervalField::kNone) {
        spelled += " " + std::string(fieldName(name.interval_start));
        if (name.interval_end != parse::IntervalField::kNone)
            spelled += " to " + std::string(fieldName(name.interval_end));
    }
    for (u8 i = 0; i < name.array_dimensions; ++i) spelled += "[]";
    return spelled;
}

/// Errors carry the byte offset plus one.
SqlType readType(const parse::TypeName& name) {
    const auto failAt = [&](Error error) {
        error.position = name.position + 1;
        throw SqlError(std::move(error));
    };
    if (!name.schema.empty() && name.schema != "pg_catalog" && name.schema != "information_schema")
        failAt(Error(sqlstate::kUndefinedObject, "type \"" + std::string(name.schema) + "." +
                                                     std::string(name.name) + "\" does not exist")
                   .withHint("Built-in types stand in pg_catalog."));
    std::vector<i64> modifiers;
    for (i32 modifier : name.modifiers)
        modifiers.push_back(modifier == parse::TypeName::kMax ? kMaxVarcharBytes : modifier);
    try {
        return typeFromName(spelledName(name), modifiers.data(), u32(modifiers.size()));
    } catch (SqlError& error) {
        failAt(std::move(error.error()));
    }
    return SqlType::unknown();
}

} // namespace

SqlType resolveType(const parse::TypeName& name, std::string_view text) {
    try {
        return readType(name);
    } catch (SqlError& error) {
        error.error().position = parse::characterPosition(text, name.position);
        throw;
    }
}

SqlType Binder::type(const parse::TypeName& name) {
    try {
        return readType(name);
    } catch (SqlError& error) {
        if (stored_text_ > 0) error.error().position = 0;
        throw;
    }
}

Binder::IntervalParts Binder::intervalLiteral(const parse::TypeName& name, std::string_view text,
                                              i32 position) {
    // A bare number counts the field that follows: INTERVAL '3' MONTH.
    std::string spelled(text);
    const bool digits = !text.empty() && text.find_first_not_of("+-.0123456789 ") == text.npos &&
                        text.find_first_of("0123456789") != text.npos &&
                        text.find('-', 1) == text.npos;
    if (digits && name.interval_start != parse::IntervalField::kNone) {
        const bool last = name.interval_end != parse::IntervalField::kNone;
        spelled += " " + std::string(fieldName(last ? name.interval_end : name.interval_start));
    }
    i64 months = 0;
    i64 micros = 0;
    const auto error = functions::parseInterval(spelled, months, micros);
    if (error != functions::InputError::kNone || months != i32(months)) {
        Error described = functions::describeInputError(
            error == functions::InputError::kNone ? functions::InputError::kFieldRange : error,
            text, SqlType::of(TypeKind::kIntervalMicros));
        fail(described.sqlstate, described.message, position, described.hint, described.detail);
    }
    // A field cuts what is finer than it.
    constexpr i64 kSecond = 1000000;
    switch (name.interval_end != parse::IntervalField::kNone ? name.interval_end
                                                             : name.interval_start) {
    case parse::IntervalField::kYear:
        months = months / 12 * 12;
        micros = 0;
        break;
    case parse::IntervalField::kMonth: micros = 0; break;
    case parse::IntervalField::kDay: micros = micros / (86400 * kSecond) * (86400 * kSecond); break;
    case parse::IntervalField::kHour: micros = micros / (3600 * kSecond) * (3600 * kSecond); break;
    case parse::IntervalField::kMinute: micros = micros / (60 * kSecond) * (60 * kSecond); break;
    default: break;
    }
    IntervalParts parts;
    if (months != 0)
        parts.months =
            makeConstant(arena_, Value::ofInteger(months, SqlType::of(TypeKind::kIntervalMonths)));
    if (micros != 0)
        parts.micros =
            makeConstant(arena_, Value::ofInteger(micros, SqlType::of(TypeKind::kIntervalMicros)));
    if (months == 0 && micros == 0) {
        const bool in_months = name.interval_start == parse::IntervalField::kYear ||
                               name.interval_start == parse::IntervalField::kMonth;
        const Expr* zero = makeConstant(
            arena_, Value::ofInteger(0, SqlType::of(in_months ? TypeKind::kIntervalMonths
                                                              : TypeKind::kIntervalMicros)));
        (in_months ? parts.months : parts.micros) = zero;
    }
    return parts;
}

/// Both parts of an interval literal that has both; nothing for anything else.
Binder::IntervalParts Binder::mixedInterval(const parse::Expression* e) {
    const parse::TypeName* name = nullptr;
    std::string_view text;
    if (e->is<parse::TypedLiteral>()) {
        name = e->as<parse::TypedLiteral>()->type;
        text = e->as<parse::TypedLiteral>()->text;
    } else if (e->is<parse::Cast>() && !e->as<parse::Cast>()->is_try) {
        const auto* cast = e->as<parse::Cast>();
        if (!cast->operand->is<parse::Literal>()) return {};
        const auto* literal = cast->operand->as<parse::Literal>();
        if (literal->literal != parse::LiteralKind::kText) return {};
        name = cast->type;
        text = literal->text;
    }
    if (name == nullptr || name->name != "interval" || name->array_dimensions > 0) return {};
    const IntervalParts parts = intervalLiteral(*name, text, e->position);
    if (parts.months == nullptr || parts.micros == nullptr) return {};
    return parts;
}

} // namespace blueshift::bind
