#include "shell/settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace blueshift::shell {

namespace {

enum class ValueKind : u8 { kText, kPort, kCount, kBytes, kFlag };

struct Setting {
    std::string_view key;
    ValueKind kind;
    bool (*store)(ServeSettings&, std::string_view text, u64 number);
};

template <auto Member> bool storeText(ServeSettings& settings, std::string_view text, u64) {
    settings.*Member = text;
    return true;
}
template <auto Member> bool storeNumber(ServeSettings& settings, std::string_view, u64 number) {
    settings.*Member = std::remove_reference_t<decltype(settings.*Member)>(number);
    return true;
}
bool storeHttpPort(ServeSettings& settings, std::string_view, u64 number) {
    settings.http_port = u16(number);
    settings.http_port_given = true;
    return true;
}

constexpr Setting kSettings[] = {
    {"data", ValueKind::kText, storeText<&ServeSettings::data>},
    {"host", ValueKind::kText, storeText<&ServeSettings::host>},
    {"port", ValueKind::kPort, storeNumber<&ServeSettings::port>},
    {"http_port", ValueKind::kPort, storeHttpPort},
    {"nodes", ValueKind::kCount, storeNumber<&ServeSettings::nodes>},
    {"memory", ValueKind::kBytes, storeNumber<&ServeSettings::memory_bytes>},
    {"threads", ValueKind::kCount, storeNumber<&ServeSettings::threads>},
    {"temp", ValueKind::kText, storeText<&ServeSettings::temp>},
    {"perf_map", ValueKind::kFlag, storeNumber<&ServeSettings::perf_map>},
    {"inject", ValueKind::kText, storeText<&ServeSettings::inject>},
    {"trust", ValueKind::kFlag, storeNumber<&ServeSettings::trust>},
    {"tls_certificate", ValueKind::kText, storeText<&ServeSettings::tls_certificate>},
    {"tls_key", ValueKind::kText, storeText<&ServeSettings::tls_key>},
    {"require_tls", ValueKind::kFlag, storeNumber<&ServeSettings::require_tls>},
};

constexpr std::string_view kVariablePrefix = "BLUESHIFT_";
/// Variables of the same prefix that are no settings of the server.
constexpr std::string_view kOtherVariables[] = {"password", "config"};

std::string keyOf(std::string_view name) {
    std::string key;
    for (const char c : name) key += c == '-' ? '_' : char(std::tolower(u8(c)));
    return key;
}

std::string flagOf(std::string_view key) {
    std::string flag = "--" + std::string(key);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

const Setting* findSetting(std::string_view key) {
    const auto* found = std::ranges::find(kSettings, key, &Setting::key);
    return found == std::end(kSettings) ? nullptr : found;
}

std::string nearestKey(std::string_view key) {
    std::vector<std::string_view> keys;
    for (const Setting& setting : kSettings) keys.push_back(setting.key);
    keys.push_back("config");
    keys.push_back("password");
    return nearestName(key, keys);
}

Error invalidValue(std::string_view where, std::string_view value, std::string expected) {
    return Error(sqlstate::kInvalidParameterValue,
                 "invalid value \"" + std::string(value) + "\" for " + std::string(where))
        .withHint("Give " + std::move(expected) + ".");
}

/// `where`: how the user named the setting, for errors.
Status store(const Setting& setting, std::string_view where, std::string_view value,
             ServeSettings& settings) {
    u64 number = 0;
    switch (setting.kind) {
    case ValueKind::kText: break;
    case ValueKind::kBytes: {
        const std::optional<u64> bytes = parseByteSize(value);
        if (!bytes) return failure(invalidValue(where, value, "a size such as 8GiB"));
        number = *bytes;
        break;
    }
    case ValueKind::kFlag: {
        const std::string word = keyOf(value);
        const bool on = word == "true" || word == "on" || word == "1" || word == "yes";
        const bool off = word == "false" || word == "off" || word == "0" || word == "no";
        if (!on && !off) return failure(invalidValue(where, value, "true or false"));
        number = on;
        break;
    }
    case ValueKind::kPort:
    case ValueKind::kCount: {
        const u64 limit = setting.kind == ValueKind::kPort ? 65535 : 4096;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc() || end != value.data() + value.size() || number > limit)
            return failure(
                invalidValue(where, value, "a number from 0 to " + std::to_string(limit)));
        break;
    }
    }
    setting.store(settings, value, number);
    return {};
}

Error unknownName(const std::string& what, const std::string& nearest) {
    Error error(sqlstate::kConfigFileError, "unknown " + what);
    if (!nearest.empty()) error.hint = "Did you mean " + nearest + "?";
    return error;
}

} // namespace

std::optional<u64> parseByteSize(std::string_view text) {
    u64 number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return {};
    std::string unit;
    for (const char c : text.substr(size_t(end - text.data())))
        if (c != ' ') unit += char(std::tolower(u8(c)));
    constexpr std::pair<std::string_view, u64> kUnits[] = {{"", 1},
                                                           {"b", 1},
                                                           {"kib", 1ull << 10},
                                                           {"mib", 1ull << 20},
                                                           {"gib", 1ull << 30},
                                                           {"tib", 1ull << 40},
                                                           {"k", 1ull << 10},
                                                           {"m", 1ull << 20},
                                                           {"g", 1ull << 30},
                                                           {"t", 1ull << 40},
                                                           {"kb", 1000},
                                                           {"mb", 1'000'000},
                                                           {"gb", 1'000'000'000},
                                                           {"tb", 1'000'000'000'000}};
    for (const auto& [name, factor] : kUnits) {
        if (unit != name) continue;
        u64 bytes = 0;
        if (__builtin_mul_overflow(number, factor, &bytes)) return {};
        return bytes;
    }
    return {};
}

std::string nearestName(std::string_view name, std::span<const std::string_view> candidates) {
    std::string_view best;
    size_t best_distance = 4; // farther is no typing error
    for (const std::string_view candidate : candidates) {
        std::vector<size_t> row(candidate.size() + 1);
        for (size_t j = 0; j <= candidate.size(); ++j) row[j] = j;
        for (size_t i = 1; i <= name.size(); ++i) {
            size_t diagonal = row[0];
            row[0] = i;
            for (size_t j = 1; j <= candidate.size(); ++j) {
                const size_t changed = diagonal + (name[i - 1] != candidate[j - 1]);
                diagonal = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return std::string(best);
}

Status applySettingsFile(std::string_view text, std::string_view file, ServeSettings& settings) {
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const auto& place = parsed.error().source().begin;
        return failure(
            Error(sqlstate::kConfigFileError, std::string(file) + ":" + std::to_string(place.line) +
                                                  ":" + std::to_string(place.column) + ": " +
                                                  std::string(parsed.error().description()))
                .withHint("Write one key = value a line, texts in quotes."));
    }
    for (const auto& [key, node] : parsed.table()) {
        const std::string where = std::string(file) + ": " + std::string(key.str());
        const Setting* setting = findSetting(key.str());
        if (setting == nullptr)
            return failure(
                unknownName("setting \"" + std::string(key.str()) + "\" in " + std::string(file),
                            nearestKey(key.str())));
        std::string value;
        if (const auto string = node.value_exact<std::string>()) value = *string;
        else if (const auto boolean = node.value_exact<bool>()) value = *boolean ? "true" : "false";
        else if (const auto integer = node.value_exact<int64_t>()) value = std::to_string(*integer);
        else
            return failure(
                invalidValue(where, "(table, list or date)", "a text, number or boolean"));
        BS_TRY(store(*setting, where, value, settings));
    }
    return {};
}

Status applyEnvironment(std::span<const std::pair<std::string, std::string>> variables,
                        ServeSettings& settings) {
    for (const auto& [name, value] : variables) {
        if (!name.starts_with(kVariablePrefix)) continue;
        const std::string key = keyOf(std::string_view(name).substr(kVariablePrefix.size()));
        if (key == "password") settings.password = value;
        if (std::ranges::find(kOtherVariables, key) != std::end(kOtherVariables)) continue;
        const Setting* setting = findSetting(key);
        if (setting == nullptr) {
            std::string nearest = nearestKey(key);
            std::ranges::transform(nearest, nearest.begin(),
                                   [](char c) { return char(std::toupper(u8(c))); });
            if (!nearest.empty()) nearest = std::string(kVariablePrefix) + nearest;
            return failure(unknownName("environment variable " + name, nearest));
        }
        BS_TRY(store(*setting, name, value, settings));
    }
    return {};
}

Status applyFlags(std::span<const std::string_view> arguments, ServeSettings& settings) {
    bool place_given = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (!argument.starts_with("--")) {
            if (place_given || argument.starts_with('-'))
                return failure(Error(sqlstate::kInvalidParameterValue,
                                     "unexpected argument \"" + std::string(argument) + "\"")
                                   .withHint("See blueshift serve --help."));
            settings.data = argument;
            place_given = true;
            continue;
        }
        const size_t equals = argument.find('=');
        const std::string flag(argument.substr(0, equals));
        const std::string key = keyOf(flag.substr(2));
        const Setting* setting = findSetting(key);
        if (setting == nullptr && key != "config") {
            const std::string nearest = nearestKey(key);
            return failure(
                unknownName("option " + flag, nearest.empty() ? nearest : flagOf(nearest)));
        }
        std::string_view value = "true";
        if (equals != argument.npos) {
            value = argument.substr(equals + 1);
        } else if (setting == nullptr || setting->kind != ValueKind::kFlag) {
            if (++i == arguments.size())
                return failure(
                    Error(sqlstate::kInvalidParameterValue, "option " + flag + " needs a value")
                        .withHint("See blueshift serve --help."));
            value = arguments[i];
        }
        if (setting != nullptr) BS_TRY(store(*setting, flag, value, settings));
    }
    return {};
}

namespace {

std::optional<std::string> configFile(
    std::span<const std::string_view> arguments,
    std::span<const std::pair<std::string, std::string>> variables) {
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i].starts_with("--config=")) return std::string(arguments[i].substr(9));
        if (arguments[i] == "--config" && i + 1 < arguments.size())
            return std::string(arguments[i + 1]);
    }
    for (const auto& [name, value] : variables)
        if (name == "BLUESHIFT_CONFIG") return value;
    if (std::filesystem::exists("blueshift.toml")) return "blueshift.toml";
    return {};
}

} // namespace

Result<ServeSettings> loadServeSettings(std::span<const std::string_view> arguments,
                                        char* const* environment) {
    std::vector<std::pair<std::string, std::string>> variables;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        const size_t equals = entry.find('=');
        if (equals != entry.npos)
            variables.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
    ServeSettings settings;
    if (const std::optional<std::string> file = configFile(arguments, variables)) {
        std::ifstream stream(*file);
        std::stringstream text;
        if (!stream || !(text << stream.rdbuf()))
            return failure(
                Error(sqlstate::kConfigFileError, "could not read settings file \"" + *file + "\"")
                    .withHint("Give --config a readable file, or leave it out."));
        BS_TRY(applySettingsFile(text.str(), *file, settings));
    }
    BS_TRY(applyEnvironment(variables, settings));
    BS_TRY(applyFlags(arguments, settings));
    return settings;
}

} // namespace blueshift::shell
