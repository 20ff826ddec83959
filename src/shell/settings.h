// settings.h: what `blueshift serve` is told: blueshift.toml < BLUESHIFT_* variables < flags.
//
// One table names every setting; the file uses its key (http_port), the environment its upper-case
// form (BLUESHIFT_HTTP_PORT), the command line dashes (--http-port). An unknown key is an error
// that names the nearest known one. Errors: F0000 for files and variables, 22023 for values, each
// naming where the value came from.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ints.h"

namespace blueshift::shell {

struct ServeSettings {
    std::string data;
    std::string host = "127.0.0.1";
    u16 port = 5439;
    u16 http_port = 5480;
    bool http_port_given = false;
    u32 nodes = 1;
    u64 memory_bytes = 0; // 0: decided by the engine
    u32 threads = 0;      // 0: one per core
    std::string temp;     // empty: in the place
    bool perf_map = false;
    std::string inject; // tests: words of applyInjections
    bool trust = false;
    std::string tls_certificate;
    std::string tls_key;
    bool require_tls = false;
    std::string password; // BLUESHIFT_PASSWORD: of admin, when the place is new
};

/// "8GiB", "512MiB", "1000000", "4 GB" in bytes.
std::optional<u64> parseByteSize(std::string_view text);

/// The candidate with the smallest edit distance; empty when nothing is near.
std::string nearestName(std::string_view name, std::span<const std::string_view> candidates);

/// Reads a TOML text of top-level keys into the settings.
Status applySettingsFile(std::string_view toml, std::string_view file, ServeSettings& settings);
/// Variables as NAME and value; those that do not begin with BLUESHIFT_ are passed over.
Status applyEnvironment(std::span<const std::pair<std::string, std::string>> variables,
                        ServeSettings& settings);
/// --key value, --key=value, --trust. A first argument without dashes is the place.
Status applyFlags(std::span<const std::string_view> arguments, ServeSettings& settings);

/// All three, in order. The file is --config, BLUESHIFT_CONFIG, or ./blueshift.toml if it exists.
Result<ServeSettings> loadServeSettings(std::span<const std::string_view> arguments,
                                        char* const* environment);

} // namespace blueshift::shell
