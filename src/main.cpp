// main.cpp: the command line of blueshift: serve, sql, version, help.
//
// Exit codes: 0 done, 1 could not start or connect, 2 wrong usage, 3 a statement of the shell
// failed. SIGTERM and SIGINT drain a server; a second one ends it at once, which loses nothing that
// was committed.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/server.h"
#include "shell/admin_password.h"
#include "shell/settings.h"
#include "shell/shell.h"
#include "statement.h"

namespace blueshift {
namespace {

constexpr const char* kVersion = "0.1.0";
constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

constexpr const char* kHelp =
    R"(blueshift: an open data warehouse that speaks Redshift's SQL over the PostgreSQL protocol

Usage
  blueshift serve --data PLACE [options]   run a server
  blueshift sql [DSN or directory]         the SQL shell
  blueshift version                        print the version
  blueshift help [command]                 this text, or that of a command

Exit codes
  0 done   1 could not start or connect   2 wrong usage   3 a statement of the shell failed
)";

constexpr const char* kServeHelp =
    R"(blueshift serve: run a server on a place

Usage
  blueshift serve --data PLACE [options]

Options (also in blueshift.toml with underscores, and as BLUESHIFT_... variables)
  --data PLACE              directory that holds everything; made when absent
  --host ADDRESS            where to listen (127.0.0.1)
  --port N                  PostgreSQL protocol (5439; 0: any free port)
  --http-port N             HTTP (0: off); this release serves none
  --nodes N                 compute nodes in this process (1)
  --memory SIZE             limit for queries, such as 8GiB (3/4 of what the machine has)
  --threads N               worker threads (one per core)
  --temp DIRECTORY          local disk for rows that do not fit --memory (PLACE/spill)
  --perf-map                write /tmp/perf-PID.map: names of generated functions for perf
  --inject WORDS            for tests: spill, tiers, small-shares, vectors7 (comma-separated)
  --trust                   no passwords for clients on this machine; for tests
  --tls-certificate FILE    certificate chain (PEM); with --tls-key, clients may use TLS
  --tls-key FILE            private key (PEM)
  --require-tls             refuse clients without TLS
  --config FILE             settings file (./blueshift.toml if it exists)

Precedence: settings file < environment < options < SQL SET.

The first start on an empty place creates the superuser admin. Its password is BLUESHIFT_PASSWORD,
or a generated one that is printed once and kept in PLACE/admin-password (mode 600).

SIGTERM and SIGINT drain: running statements end, then the server leaves with exit code 0. A second
signal ends it at once; what was committed stays.
)";

constexpr const char* kSqlHelp =
    R"(blueshift sql: the SQL shell

Usage
  blueshift sql [options] [DSN or directory]

  A directory that no server holds is opened in this process; one that a server holds, and a DSN
  (host=... port=..., postgres://user@host:port/database), are reached over the network. Without an
  argument: admin on 127.0.0.1:5439, database dev. Passwords come from the DSN, BLUESHIFT_PASSWORD,
  PGPASSWORD or ~/.pgpass.

Options
  -c SQL            run SQL and leave; may be given several times
  -f FILE           run a file and leave; may be given several times
  --format NAME     box, csv, tsv, json, jsonl, markdown, line
  --keep-going      go on after an error
  --memory SIZE     limit of an engine in this process
  --threads N       worker threads of an engine in this process

Exit codes
  0 done   1 could not open or connect   2 wrong usage
  3 a statement failed (-c, -f, standard input)
)";

int printError(const Error& error, int exit_code) {
    std::fprintf(stderr, "blueshift: %s", error.message.c_str());
    // Wrong usage speaks for itself; everything else has a SQLSTATE that can be looked up.
    if (exit_code != kExitUsage) std::fprintf(stderr, " (SQLSTATE %s)", error.sqlstate.c_str());
    std::fputc('\n', stderr);
    if (!error.detail.empty()) std::fprintf(stderr, "  %s\n", error.detail.c_str());
    if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
    return exit_code;
}

bool wantsHelp(std::span<const std::string_view> arguments) {
    for (const std::string_view argument : arguments)
        if (argument == "--help" || argument == "-h") return true;
    return false;
}

// ---- serve

sigset_t endSignals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

Status announcePassword(const Engine& engine, const std::string& place) {
    const std::string password = engine.newAdminPassword();
    if (password.empty()) return {};
    std::printf("The superuser is admin, its password is %s\n", password.c_str());
    BS_TRY(shell::writeAdminPassword(place, password));
    std::printf("It is kept in %s.\n", shell::adminPasswordFile(place).c_str());
    return {};
}

/// The ways in which tests make rare things common.
Status inject(std::string_view words, EngineOptions& options) {
    while (!words.empty()) {
        const size_t comma = std::min(words.find(','), words.size());
        const std::string_view word = words.substr(0, comma);
        words.remove_prefix(std::min(comma + 1, words.size()));
        if (word == "spill") options.force_spill = true;
        else if (word == "tiers") options.alternate_tiers = true;
        else if (word == "small-shares") options.small_shares = true;
        else if (word == "vectors7") options.vector_rows = 7;
        else
            return failure(Error(sqlstate::kInvalidParameterValue,
                                 "unknown word \"" + std::string(word) + "\" for --inject")
                               .withHint("It is for tests; see blueshift serve --help."));
    }
    return {};
}

int serve(std::span<const std::string_view> arguments) {
    Result<shell::ServeSettings> settings = shell::loadServeSettings(arguments, environ);
    if (!settings) return printError(settings.error(), kExitUsage);
    if (settings->data.empty())
        return printError(Error(sqlstate::kInvalidParameterValue, "no place was given")
                              .withHint("Use blueshift serve --data DIRECTORY."),
                          kExitUsage);
    if (settings->nodes < 1 || settings->nodes > 256)
        return printError(Error(sqlstate::kInvalidParameterValue,
                                "a server has 1 to 256 compute nodes in its process")
                              .withHint("Give --nodes a number in that range."),
                          kExitUsage);
    // Blocked before any thread starts, so that sigwait below is the only receiver.
    const sigset_t signals = endSignals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    session::Server server;
    const Status listening = server.listen({.host = settings->host,
                                            .port = settings->port,
                                            .trust = settings->trust,
                                            .certificate_file = settings->tls_certificate,
                                            .key_file = settings->tls_key,
                                            .require_tls = settings->require_tls});
    if (!listening) return printError(listening.error(), kExitFailure);
    const std::string address = settings->host + ":" + std::to_string(server.port());

    EngineOptions options;
    options.place = settings->data;
    options.memory_bytes = settings->memory_bytes;
    options.threads = settings->threads;
    options.temp = settings->temp;
    options.perf_map = settings->perf_map;
    if (const Status known = inject(settings->inject, options); !known)
        return printError(known.error(), kExitUsage);
    options.nodes = settings->nodes;
    options.address = address;
    options.admin_password = settings->password;
    Result<std::unique_ptr<Engine>> engine = Engine::open(options);
    if (!engine) return printError(engine.error(), kExitFailure);
    if (const Status kept = announcePassword(**engine, settings->data); !kept)
        printError(kept.error(), kExitFailure);
    if (settings->http_port_given && settings->http_port != 0)
        std::fprintf(stderr,
                     "blueshift: HTTP is not served by this release; --http-port %u is "
                     "ignored\n",
                     unsigned(settings->http_port));

    server.serve(**engine);
    std::printf("blueshift %s serves %s on %s\n", kVersion, settings->data.c_str(),
                address.c_str());
    std::fflush(stdout);

    int received = 0;
    sigwait(&signals, &received);
    std::printf("blueshift stops: running statements end first\n");
    std::fflush(stdout);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    server.stop();
    if (const Status written = (*engine)->shutdown(); !written) {
        std::fprintf(stderr, "blueshift: no checkpoint was written at the end; the log has all\n");
        printError(written.error(), kExitFailure);
    }
    return 0;
}

// ---- sql

/// The value of an option: after an equals sign, or the next argument.
Result<std::string> optionValue(std::span<const std::string_view> arguments, size_t& i) {
    const size_t equals =
        arguments[i].starts_with("--") ? arguments[i].find('=') : std::string::npos;
    if (equals != std::string_view::npos) return std::string(arguments[i].substr(equals + 1));
    if (i + 1 >= arguments.size())
        return failure(Error(sqlstate::kInvalidParameterValue,
                             "option " + std::string(arguments[i]) + " needs a value")
                           .withHint("See blueshift sql --help."));
    return std::string(arguments[++i]);
}

Status parseSqlOption(std::span<const std::string_view> arguments, size_t& i,
                      shell::ShellOptions& options) {
    const std::string_view name = arguments[i].substr(
        0, arguments[i].starts_with("--") ? arguments[i].find('=') : std::string_view::npos);
    if (name == "--keep-going") {
        options.keep_going = true;
        return {};
    }
    constexpr std::string_view kNames[] = {"-c",       "-f",        "--format",
                                           "--memory", "--threads", "--keep-going"};
    if (std::ranges::find(kNames, name) == std::end(kNames)) {
        Error error(sqlstate::kInvalidParameterValue, "unknown option " + std::string(name));
        const std::string nearest = shell::nearestName(name, kNames);
        error.hint =
            nearest.empty() ? "See blueshift sql --help." : "Did you mean " + nearest + "?";
        return failure(std::move(error));
    }
    BS_ASSIGN(const std::string value, optionValue(arguments, i));
    if (name == "-c") options.commands.push_back(value);
    if (name == "-f") options.files.push_back(value);
    if (name == "--format") {
        const auto format = shell::formatFromName(value);
        if (!format)
            return failure(
                Error(sqlstate::kInvalidParameterValue, "unknown format \"" + value + "\"")
                    .withHint("Choose one of " + std::string(shell::kFormatNames) + "."));
        options.format = *format;
    }
    if (name == "--memory" || name == "--threads") {
        const auto number = shell::parseByteSize(value);
        if (!number || (name == "--threads" && *number > 4096))
            return failure(Error(sqlstate::kInvalidParameterValue,
                                 "invalid value \"" + value + "\" for " + std::string(name))
                               .withHint("Give a size such as 8GiB, or a number of threads."));
        if (name == "--memory") options.memory_bytes = *number;
        else options.threads = u32(*number);
    }
    return {};
}

int sql(std::span<const std::string_view> arguments) {
    shell::ShellOptions options;
    bool target_given = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i].starts_with('-') && arguments[i].size() > 1) {
            if (const Status status = parseSqlOption(arguments, i, options); !status)
                return printError(status.error(), kExitUsage);
        } else if (target_given) {
            return printError(Error(sqlstate::kInvalidParameterValue,
                                    "unexpected argument \"" + std::string(arguments[i]) + "\"")
                                  .withHint("Give one DSN or directory."),
                              kExitUsage);
        } else {
            options.target = arguments[i];
            target_given = true;
        }
    }
    return shell::runShell(options);
}

int help(std::string_view command) {
    std::fputs(command == "serve" ? kServeHelp : command == "sql" ? kSqlHelp : kHelp, stdout);
    return 0;
}

int run(std::span<const std::string_view> arguments) {
    if (arguments.empty()) {
        std::fputs(kHelp, stderr);
        return kExitUsage;
    }
    const std::string_view command = arguments[0];
    const auto rest = arguments.subspan(1);
    if (command == "help" || command == "--help" || command == "-h")
        return help(rest.empty() ? "" : rest[0]);
    if (command == "version" || command == "--version") {
        std::printf("blueshift %s\n", kVersion);
        return 0;
    }
    if (command == "serve" || command == "sql") {
        if (wantsHelp(rest)) return help(command);
        return command == "serve" ? serve(rest) : sql(rest);
    }
    constexpr std::string_view kCommands[] = {"serve", "sql", "version", "help"};
    const std::string nearest = shell::nearestName(command, kCommands);
    return printError(
        Error(sqlstate::kInvalidParameterValue, "unknown command \"" + std::string(command) + "\"")
            .withHint(nearest.empty() ? "See blueshift help."
                                      : "Did you mean blueshift " + nearest + "?"),
        kExitUsage);
}

} // namespace
} // namespace blueshift

int main(int count, char** values) {
    // A write past a limit on file sizes is an error of that write, in a server and in the shell.
    std::signal(SIGXFSZ, SIG_IGN);
    const std::vector<std::string_view> arguments(values + 1, values + count);
    return blueshift::run(arguments);
}
