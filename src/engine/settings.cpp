#include "engine/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "base/error.h"
#include "base/nearest_name.h"
#include "functions/time_zone.h"

namespace blueshift::engine {
namespace {

enum class Rule : u8 { kText, kBoolean, kInteger, kWord, kReadOnly };

struct Parameter {
    std::string_view name;
    std::string_view initial;
    Rule rule;
    bool reported;          // ParameterStatus
    std::string_view words; // kWord: allowed values, separated by blanks
    std::string_view description;
};

constexpr Parameter kParameters[] = {
    {"analyze_threshold_percent", "10", Rule::kInteger, false, "",
     "Changed rows below which ANALYZE skips a table."},
    {"application_name", "", Rule::kText, true, "", "Name of the client program."},
    {"client_encoding", "UTF8", Rule::kText, true, "", "Encoding of the client; always UTF8."},
    {"client_min_messages", "notice", Rule::kText, false, "",
     "Least severity of notices that are sent."},
    {"codegen", "auto", Rule::kWord, false, "off auto force",
     "Whether pipelines are compiled to machine code."},
    {"datestyle", "ISO, MDY", Rule::kText, true, "", "Form of dates; output is always ISO."},
    {"default_transaction_read_only", "off", Rule::kBoolean, false, "",
     "Whether transactions are READ ONLY unless they say otherwise."},
    {"describe_field_name_in_uppercase", "off", Rule::kBoolean, false, "",
     "Upper-case column labels in results."},
    {"disabled_optimizer_rules", "", Rule::kText, false, "",
     "Rules of the optimiser to leave out, separated by commas."},
    {"downcase_delimited_identifier", "on", Rule::kBoolean, false, "",
     "Quoted names fold to lower case."},
    {"enable_case_sensitive_identifier", "off", Rule::kBoolean, false, "",
     "Quoted names keep their case."},
    {"enable_result_cache_for_session", "on", Rule::kBoolean, false, "",
     "Accepted; results are not cached yet."},
    {"error_on_nondeterministic_update", "off", Rule::kBoolean, false, "",
     "Refuse UPDATE ... FROM with several partners."},
    {"extra_float_digits", "0", Rule::kInteger, false, "", "Digits of floating-point output."},
    {"inject_node_stop", "-1", Rule::kInteger, false, "",
     "For tests: the node that stops in the middle of the session's statements."},
    {"integer_datetimes", "on", Rule::kReadOnly, true, "", "Times are 64-bit integers."},
    {"intervalstyle", "postgres", Rule::kText, false, "", "Form of intervals."},
    {"is_superuser", "on", Rule::kReadOnly, true, "", "Whether the user is a superuser."},
    {"max_index_keys", "32", Rule::kReadOnly, false, "", "Columns of a key."},
    {"query_group", "default", Rule::kText, false, "", "Label of the session's queries."},
    {"readonly", "0", Rule::kText, false, "", "Set by drivers; accepted."},
    {"search_path", "$user, public", Rule::kText, true, "",
     "Schemas in which bare names are looked up."},
    {"server_encoding", "UTF8", Rule::kReadOnly, true, "", "Encoding of the database."},
    {"server_version", "8.0.2", Rule::kReadOnly, true, "", "Version that clients may rely on."},
    {"server_version_num", "80002", Rule::kReadOnly, false, "", "The same as a number."},
    {"session_authorization", "admin", Rule::kReadOnly, true, "", "The user who connected."},
    {"standard_conforming_strings", "on", Rule::kReadOnly, true, "",
     "Backslashes are ordinary in literals."},
    {"share_small_tables", "off", Rule::kBoolean, false, "",
     "For tests: several nodes share even the smallest table, row by row."},
    {"statement_timeout", "0", Rule::kInteger, false, "",
     "Milliseconds after which a statement ends; 0: never."},
    {"timezone", "UTC", Rule::kText, true, "", "Zone of TIMESTAMPTZ input and output."},
    {"transaction_isolation", "snapshot", Rule::kText, false, "", "Isolation of transactions."},
    {"transaction_read_only", "off", Rule::kBoolean, false, "",
     "Whether this transaction refuses to write."},
    {"wlm_query_slot_count", "1", Rule::kInteger, false, "", "Accepted; admission is automatic."},
};

/// Belongs to the transaction: starts as the default says, and is not reset.
constexpr std::string_view kAccessMode = "transaction_read_only";

const Parameter* findParameter(std::string_view name) {
    for (const auto& parameter : kParameters)
        if (parameter.name == name) return &parameter;
    return nullptr;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = char(c + 32);
    if (result == "time zone") return "timezone";
    return result;
}

/// Spelling in ParameterStatus and SHOW, where it is not lower case.
std::string_view wireName(std::string_view name) {
    if (name == "datestyle") return "DateStyle";
    if (name == "timezone") return "TimeZone";
    if (name == "intervalstyle") return "IntervalStyle";
    return name;
}

std::string nearestHint(const std::string& nearest) {
    return nearest.empty() ? "SHOW ALL lists the parameters."
                           : fmt::format("Did you mean \"{}\"?", nearest);
}

std::optional<bool> parseBoolean(std::string_view text) {
    for (std::string_view yes : {"on", "true", "t", "yes", "1"})
        if (text == yes) return true;
    for (std::string_view no : {"off", "false", "f", "no", "0"})
        if (text == no) return false;
    return std::nullopt;
}

std::string checked(const Parameter& parameter, std::string_view value) {
    const auto refuse = [&](std::string detail) {
        throw SqlError(
            Error(sqlstate::kInvalidParameterValue,
                  fmt::format("invalid value for parameter \"{}\": \"{}\"", parameter.name, value))
                .withHint(std::move(detail)));
    };
    switch (parameter.rule) {
    case Rule::kReadOnly:
        throw SqlError(sqlstate::kObjectNotInPrerequisiteState,
                       fmt::format("parameter \"{}\" cannot be changed", parameter.name));
    case Rule::kBoolean: {
        const auto flag = parseBoolean(lower(value));
        if (!flag) refuse("Use on or off.");
        return *flag ? "on" : "off";
    }
    case Rule::kInteger: {
        i64 number = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc() || end != value.data() + value.size())
            refuse("Use a whole number.");
        return std::string(value);
    }
    case Rule::kWord: {
        const std::string word = lower(value);
        const std::string words = fmt::format(" {} ", parameter.words);
        if (words.find(fmt::format(" {} ", word)) == std::string::npos)
            refuse(fmt::format("Use one of: {}.", parameter.words));
        return word;
    }
    case Rule::kText: break;
    }
    if (parameter.name == "timezone" && !functions::TimeZone::find(value))
        refuse("Use a name such as Europe/Berlin, UTC, or an offset.");
    return std::string(value);
}

} // namespace

Settings::Settings() {
    for (const auto& parameter : kParameters)
        values_[std::string(parameter.name)] = parameter.initial;
}

bool Settings::known(std::string_view name) const {
    const std::string key = lower(name);
    return findParameter(key) != nullptr || key.find('.') != std::string::npos;
}

void Settings::assign(const std::string& name, std::string value) {
    const Parameter* parameter = findParameter(name);
    if (parameter != nullptr && parameter->reported && values_[name] != value)
        changed_[std::string(wireName(name))] = value;
    values_[name] = std::move(value);
}

void Settings::set(std::string_view name, std::string_view value, bool local) {
    const std::string key = lower(name);
    const Parameter* parameter = findParameter(key);
    if (parameter == nullptr && key.find('.') == std::string::npos) {
        std::vector<std::string_view> names;
        for (const auto& known : kParameters) names.push_back(known.name);
        throw SqlError(Error(sqlstate::kUndefinedObject,
                             fmt::format("unrecognized configuration parameter \"{}\"", name))
                           .withHint(nearestHint(nearestName(key, names))));
    }
    auto& before = local ? before_local_ : before_;
    if (!before.contains(key)) before[key] = find(key);
    assign(key, parameter == nullptr ? std::string(value) : checked(*parameter, value));
}

void Settings::reset(std::string_view name) {
    const std::string key = lower(name);
    const Parameter* parameter = findParameter(key);
    if (key == kAccessMode)
        throw SqlError(Error(sqlstate::kFeatureNotSupported,
                             fmt::format("parameter \"{}\" cannot be reset", name))
                           .withHint("SET TRANSACTION READ WRITE, or end the transaction."));
    if (!before_.contains(key)) before_[key] = find(key);
    if (parameter != nullptr) assign(key, std::string(parameter->initial));
    else values_.erase(key);
}

void Settings::resetAll() {
    for (const auto& parameter : kParameters)
        if (parameter.rule != Rule::kReadOnly && parameter.name != kAccessMode)
            reset(parameter.name);
}

const std::string* Settings::lookUp(std::string_view name) const {
    auto found = values_.find(name);
    if (found == values_.end()) found = values_.find(lower(name));
    return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::string> Settings::find(std::string_view name) const {
    const std::string* value = lookUp(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

std::string Settings::get(std::string_view name) const {
    if (const std::string* value = lookUp(name)) return *value;
    std::vector<std::string_view> names;
    for (const auto& known : kParameters) names.push_back(known.name);
    throw SqlError(Error(sqlstate::kUndefinedObject,
                         fmt::format("unrecognized configuration parameter \"{}\"", name))
                       .withHint(nearestHint(nearestName(lower(name), names))));
}

std::vector<SettingRow> Settings::all() const {
    std::vector<SettingRow> rows;
    for (const auto& [name, value] : values_) {
        const Parameter* parameter = findParameter(name);
        rows.push_back(
            {name, value, parameter == nullptr ? "" : std::string(parameter->description)});
    }
    std::ranges::sort(rows, {}, &SettingRow::name);
    return rows;
}

bool Settings::isOn(std::string_view name) const {
    const std::string* value = lookUp(name);
    return value != nullptr && *value == "on";
}

i64 Settings::integer(std::string_view name) const {
    const std::string* text = lookUp(name);
    i64 number = 0;
    if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

std::vector<std::string> Settings::searchPath(std::string_view user) const {
    std::vector<std::string> path;
    const std::string* given = lookUp("search_path");
    const std::string_view text = given == nullptr ? std::string_view("public") : *given;
    std::string word;
    const auto flush = [&] {
        const size_t first = word.find_first_not_of(" \t'\"");
        if (first != std::string::npos) {
            const size_t last = word.find_last_not_of(" \t'\"");
            word = lower(std::string_view(word).substr(first, last - first + 1));
            path.push_back(word == "$user" ? std::string(user) : word);
        }
        word.clear();
    };
    for (char c : text) {
        if (c == ',') flush();
        else word += c;
    }
    flush();
    return path;
}

void Settings::keep() {
    for (const auto& [name, value] : before_local_) {
        if (value) assign(name, *value);
        else values_.erase(name);
    }
    before_local_.clear();
    before_.clear();
    takeAccessMode();
}

/// Between transactions the access mode is what its default says.
void Settings::takeAccessMode() {
    const std::string* initial = lookUp("default_transaction_read_only");
    if (*initial != *lookUp(kAccessMode)) assign(std::string(kAccessMode), *initial);
}

void Settings::undo() {
    auto before = std::move(before_);
    keep();
    for (const auto& [name, value] : before) {
        if (value) assign(name, *value);
        else values_.erase(name);
    }
    takeAccessMode();
}

std::vector<std::pair<std::string, std::string>> Settings::takeChanges() {
    std::vector<std::pair<std::string, std::string>> list(changed_.begin(), changed_.end());
    changed_.clear();
    return list;
}

} // namespace blueshift::engine
