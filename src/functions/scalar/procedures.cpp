// Facts of functions by their OID in pg_proc, the way from a name to that OID (regproc), and
// format().
#include <algorithm>

#include "functions/ascii.h"
#include "functions/casts.h"
#include "functions/overload.h"
#include "functions/scalar/rows.h"
#include "functions/text_input.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;
using Text = std::string_view;
using MayText = std::optional<Stored>;

const FunctionRow* functionOf(i32 oid) {
    const auto& rows = listFunctions();
    const auto found = std::ranges::lower_bound(rows, u32(oid), {}, &FunctionRow::oid);
    return found != rows.end() && found->oid == u32(oid) ? &*found : nullptr;
}

/// As PostgreSQL shows a parameter: no lengths, "any" for one that takes every type.
std::string parameterText(SqlType type) {
    if (type.kind == K::kVoid) return "\"any\"";
    type.length = 0;
    return type.kind == K::kDecimal ? "numeric" : formatType(type);
}

std::string parametersText(const FunctionRow& row) {
    std::string text;
    for (const SqlType& type : row.arguments) {
        if (!text.empty()) text += ", ";
        text += parameterText(type);
    }
    return text;
}

MayText functionResult(Scope& scope, i32 oid) {
    const FunctionRow* row = functionOf(oid);
    if (row == nullptr) return {};
    scope.scratch = parameterText(row->result);
    return Stored{scope.scratch};
}
MayText functionArguments(Scope& scope, i32 oid) {
    const FunctionRow* row = functionOf(oid);
    if (row == nullptr) return {};
    scope.scratch = parametersText(*row);
    return Stored{scope.scratch};
}
MayText functionDefinition(Scope& scope, i32 oid) {
    const FunctionRow* row = functionOf(oid);
    if (row == nullptr) return {};
    const std::string name(row->name);
    scope.fail(Error(sqlstate::kWrongObjectType,
                     "\"" + name + "\" is built in: it has no definition in SQL")
                   .withHint("\\df+ " + name + " shows its arguments and its result."));
    return {};
}

struct NamedFunction {
    const FunctionRow* first = nullptr;
    const FunctionRow* second = nullptr; // another one that the text fits as well
};

/// `name` or `name(type, type)`, with or without pg_catalog.
NamedFunction findFunction(Text written) {
    const size_t open = std::min(written.find('('), written.size());
    std::string name = asciiLower(trimBlanks(written.substr(0, open)));
    if (name.starts_with("pg_catalog.")) name.erase(0, 11);
    std::string parameters;
    for (char c : written.substr(std::min(open + 1, written.size())))
        if (c != ')' && c != ' ') parameters += asciiLower(c);
    NamedFunction found;
    for (const FunctionRow& row : listFunctions()) {
        if (row.name != name) continue;
        std::string own;
        for (char c : parametersText(row))
            if (c != ' ') own += c;
        if (open < written.size() && own != parameters) continue;
        (found.first == nullptr ? found.first : found.second) = &row;
        if (found.second != nullptr) break;
    }
    return found;
}

/// A regproc that is no name: an OID, or - for none.
std::optional<u32> plainOid(Text written) {
    i64 number = 0;
    if (written == "-") return 0;
    if (parseInteger(written, 0, 4294967295, number) != InputError::kNone) return {};
    return u32(number);
}

i32 functionByName(Scope& scope, Text written) {
    if (const auto oid = plainOid(written)) return i32(*oid);
    const NamedFunction found = findFunction(written);
    if (found.second != nullptr) {
        const std::string name(found.first->name);
        scope.fail(Error("42725", "more than one function named \"" + name + "\"")
                       .withHint("Name its arguments, as in " + name + "(" +
                                 parametersText(*found.second) + ")."));
        return 0;
    }
    if (found.first != nullptr) return i32(found.first->oid);
    scope.fail(Error(sqlstate::kUndefinedFunction,
                     "function \"" + std::string(written) + "\" does not exist")
                   .withHint("\\df lists functions: \\df *name*."));
    return 0;
}

Stored functionName(Scope& scope, i32 oid) {
    const FunctionRow* row = functionOf(oid);
    if (row != nullptr) return Stored{row->name};
    scope.scratch = oid == 0 ? "-" : std::to_string(u32(oid));
    return Stored{scope.scratch};
}

void appendQuotedName(std::string& out, Text name) {
    const bool plain =
        !name.empty() && !isAsciiDigit(name[0]) && std::ranges::all_of(name, [](char c) {
            return isAsciiLower(c) || isAsciiDigit(c) || c == '_';
        });
    if (plain) {
        out += name;
        return;
    }
    out += '"';
    for (char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void appendQuotedText(std::string& out, Text text) {
    out += '\'';
    for (char c : text) {
        if (c == '\'') out += '\'';
        out += c;
    }
    out += '\'';
}

/// format(pattern, ..): %s a value, %I a name, %L a literal, %% a percent sign.
void formatRow(const LoopCall& call, u32 row, std::string& out) {
    static const SessionFacts kDefault;
    const SessionFacts& session =
        call.context.session != nullptr ? *call.context.session : kDefault;
    const TextView written = call.args[0].valueAt<TextView>(row);
    const Text pattern = asStringView(written);
    size_t next = 1;
    for (size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '%') {
            out += pattern[i];
            continue;
        }
        const char sort = ++i < pattern.size() ? pattern[i] : ' ';
        if (sort == '%') {
            out += '%';
            continue;
        }
        if (sort != 's' && sort != 'I' && sort != 'L')
            return call.context.fail(
                Error(sqlstate::kInvalidParameterValue, "unrecognized format() type specifier")
                    .withHint("Write %s, %I, %L or %%."));
        if (next >= call.args.size())
            return call.context.fail(
                Error(sqlstate::kInvalidParameterValue, "too few arguments for format()")
                    .withHint("Give a value for every % of the pattern."));
        const Vector& argument = call.args[next];
        const bool null = argument.isNull(row);
        std::string value;
        if (!null) appendText(value, argument, row, call.arg_types[next], session);
        ++next;
        if (sort == 's') out += value;
        else if (sort == 'L' && null) out += "NULL";
        else if (sort == 'L') appendQuotedText(out, value);
        else if (!null) appendQuotedName(out, value);
        else
            return call.context.fail(Error("22004", "a NULL cannot be formatted as a name")
                                         .withHint("Use COALESCE, or %L."));
    }
}
void formatLoop(const LoopCall& call) {
    std::string text;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        if (call.args[0].isNull(row)) {
            clearBit(call.out.validity(), row);
            continue;
        }
        text.clear();
        formatRow(call, row, text);
        if (call.context.failed()) return;
        row_loop::write(call, row, Stored{text});
        setBit(call.out.validity(), row);
    }
}

std::vector<Overload> makeTable() {
    std::vector<Overload> rows;
    const auto add = [&](Text name, VectorLoop loop, bool can_fail) {
        rows.push_back({{.name = name,
                         .null_policy = NullPolicy::kStrictMayNull,
                         .volatility = Volatility::kStable,
                         .can_fail = can_fail,
                         .loop = loop},
                        {K::kOid},
                        K::kText});
    };
    add("pg_get_function_result", rowLoop<functionResult>, false);
    add("pg_get_function_arguments", rowLoop<functionArguments>, false);
    add("pg_get_function_identity_arguments", rowLoop<functionArguments>, false);
    add("pg_get_functiondef", rowLoop<functionDefinition>, true);
    rows.push_back({{.name = "format",
                     .null_policy = NullPolicy::kCalled,
                     .volatility = Volatility::kStable,
                     .can_fail = true,
                     .loop = formatLoop},
                    {K::kText, K::kVoid},
                    K::kText});
    rows.back().optional = 1;
    rows.back().variadic = true;
    return rows;
}

} // namespace

const Function* regprocToOid() {
    static constexpr Function kCast = {.name = "cast",
                                       .volatility = Volatility::kStable,
                                       .can_fail = true,
                                       .loop = rowLoop<functionByName>};
    return &kCast;
}

u32 oidOfRegproc(std::string_view text) {
    if (const auto oid = plainOid(text)) return *oid;
    const FunctionRow* row = findFunction(text).first;
    return row == nullptr ? 0 : row->oid;
}

const Function* oidToRegproc() {
    static constexpr Function kCast = {
        .name = "cast", .volatility = Volatility::kStable, .loop = rowLoop<functionName>};
    return &kCast;
}

OverloadTable procedureFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
