#include "shell/backslash_command.h"

#include <cstdio>

namespace blueshift::shell {

namespace {

constexpr const char* kHelp =
    "\\q              leave (also Ctrl-D)\n"
    "\\d              list tables and views\n"
    "\\d NAME         describe a table or view\n"
    "\\dt \\dv \\dn \\du  list tables, views, schemas, users\n"
    "\\l              list databases\n"
    "\\i FILE         run the statements of a file\n"
    "\\o [FILE]       write results to a file, or to the terminal again\n"
    "\\format NAME    box, csv, tsv, json, jsonl, markdown, line\n"
    "\\timing [on|off] show how long statements take\n"
    "\\?              this list\n"
    "Statements end with a semicolon. Ctrl-C cancels the running statement or drops the line.\n";

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n;";
    const size_t begin = text.find_first_not_of(kBlanks);
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string quoted(std::string_view text) {
    std::string literal = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') literal += c;
        literal += c;
    }
    return literal + "'";
}

std::string listRelations(std::string_view kinds) {
    return "SELECT n.nspname AS schema, c.relname AS name, "
           "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'other' END AS type, "
           "pg_get_userbyid(c.relowner) AS owner "
           "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
           "WHERE c.relkind IN (" +
           std::string(kinds) +
           ") AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_internal', 'pg_toast') "
           "ORDER BY 1, 2";
}

std::string describeRelation(std::string_view name) {
    const size_t dot = name.find('.');
    std::string condition = "c.relname = " + quoted(dot == name.npos ? name : name.substr(dot + 1));
    if (dot != name.npos) condition += " AND n.nspname = " + quoted(name.substr(0, dot));
    return "SELECT n.nspname AS schema, a.attname AS column, "
           "format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null, "
           "a.attisdistkey AS distkey, a.attsortkeyord AS sortkey "
           "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
           "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
           "WHERE " +
           condition + " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY n.nspname, a.attnum";
}

CommandResult outcome(bool ok) {
    return ok ? CommandResult::kDone : CommandResult::kFailed;
}

CommandResult complain(const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return CommandResult::kFailed;
}

} // namespace

CommandResult runBackslashCommand(std::string_view line, StatementRunner& runner,
                                  const std::function<bool(const std::string&)>& include) {
    const std::string_view text = trimmed(line);
    const size_t space = text.find_first_of(" \t");
    const std::string_view name = text.substr(0, space);
    const std::string_view argument =
        space == text.npos ? std::string_view() : trimmed(text.substr(space));
    const LineSource no_lines = [] { return std::optional<std::string>(); };
    const auto sql = [&](const std::string& statement) {
        return outcome(runner.run(statement, no_lines));
    };

    if (name == "\\q") return CommandResult::kQuit;
    if (name == "\\?") {
        std::fputs(kHelp, stdout);
        return CommandResult::kDone;
    }
    if (name == "\\d" && !argument.empty()) return sql(describeRelation(argument));
    if (name == "\\d") return sql(listRelations("'r', 'v'"));
    if (name == "\\dt") return sql(listRelations("'r'"));
    if (name == "\\dv") return sql(listRelations("'v'"));
    if (name == "\\dn")
        return sql(
            "SELECT nspname AS schema, pg_get_userbyid(nspowner) AS owner "
            "FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\\\\_%' ORDER BY 1");
    if (name == "\\du")
        return sql(
            "SELECT usename AS user, usesuper AS superuser FROM pg_catalog.pg_user ORDER BY 1");
    if (name == "\\l")
        return sql("SELECT datname AS database FROM pg_catalog.pg_database ORDER BY 1");
    if (name == "\\i") {
        if (argument.empty()) return complain("\\i needs the name of a file");
        return outcome(include(std::string(argument)));
    }
    if (name == "\\o") return outcome(runner.setOutput(std::string(argument)));
    if (name == "\\timing") {
        if (!argument.empty() && argument != "on" && argument != "off")
            return complain("\\timing takes on or off");
        runner.setTiming(argument.empty() ? !runner.timing() : argument == "on");
        std::printf("timing is %s\n", runner.timing() ? "on" : "off");
        return CommandResult::kDone;
    }
    if (name == "\\format") {
        const std::optional<Format> format = formatFromName(argument);
        if (!format)
            return complain("unknown format \"" + std::string(argument) + "\"; choose one of " +
                            std::string(kFormatNames));
        runner.setFormat(*format);
        return CommandResult::kDone;
    }
    return complain("unknown command " + std::string(name) + "; \\? lists the commands");
}

} // namespace blueshift::shell
