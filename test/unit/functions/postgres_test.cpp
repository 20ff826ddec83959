// Functions, operators and casts give what PostgreSQL gives, where Redshift does not differ.
#include "unit/functions/evaluate.h"

using namespace blueshift;
using namespace blueshift::functions;

namespace {

struct Argument {
    std::string_view text;
    std::string_view type;
};
struct Case {
    std::string_view name;
    std::vector<Argument> arguments;
    std::string_view expected;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> kCases = {
#include "unit/functions/postgres_cases.inc"
    };
    return kCases;
}

SqlType typeNamed(std::string_view name) {
    const size_t open = name.find('(');
    if (open == std::string_view::npos) return typeFromName(name, nullptr, 0);
    const size_t comma = name.find(',');
    const i64 modifiers[] = {std::stol(std::string(name.substr(open + 1))),
                             std::stol(std::string(name.substr(comma + 1)))};
    return typeFromName(name.substr(0, open), modifiers, 2);
}

/// The same number in other clothes: trailing zeros of decimals, last digits of doubles.
bool sameNumber(std::string_view a, std::string_view b) {
    char* end_a = nullptr;
    char* end_b = nullptr;
    const std::string x(a), y(b);
    const double p = std::strtod(x.c_str(), &end_a);
    const double q = std::strtod(y.c_str(), &end_b);
    if (*end_a != 0 || *end_b != 0 || x.empty() || y.empty()) return false;
    return std::abs(p - q) <= 1e-14 * std::max(std::abs(p), std::abs(q));
}

} // namespace

TEST_CASE("calls give what PostgreSQL gives") {
    for (const Case& test : cases()) {
        test::Evaluator evaluator;
        std::string shown;
        std::string call(test.name);
        try {
            std::vector<const Expr*> args;
            for (const Argument& argument : test.arguments) {
                call += " '" + std::string(argument.text) + "'::" + std::string(argument.type);
                args.push_back(evaluator.typed(argument.text, typeNamed(argument.type)));
            }
            const Expr* expr =
                test.name.starts_with("cast:")
                    ? makeCast(evaluator.arena, args[0], typeNamed(test.name.substr(5)),
                               CastContext::kExplicit)
                    : makeCallByName(evaluator.arena, test.name, args);
            shown = evaluator.show(expr);
            if (expr->type.kind == TypeKind::kBoolean && shown.size() == 1)
                shown = shown == "t" ? "true" : "false";
        } catch (const SqlError& error) {
            shown = "error " + error.error().sqlstate + " " + error.error().message;
        }
        const bool failed = test.expected.starts_with("error ");
        INFO(call << " gives " << shown << " not " << test.expected);
        CHECK((failed ? shown.starts_with(test.expected)
                      : shown == test.expected || sameNumber(shown, test.expected)));
    }
}
