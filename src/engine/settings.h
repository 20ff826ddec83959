// settings.h: parameters of a session: SET, RESET, SHOW, start-up packet.
//
// Place: one a connection. Known parameters have a default and a rule; names with a dot are custom
// context variables and take any value.
// Life cycle: set() in a transaction is undone by rollback (mark/restore); SET LOCAL ends with the
// transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ints.h"

namespace blueshift::engine {

struct SettingRow {
    std::string name;
    std::string value;
    std::string description;
};

class Settings {
public:
    Settings();

    /// Throws 42704 with the nearest name for unknown parameters, 22023 for values that do not fit.
    void set(std::string_view name, std::string_view value, bool local = false);
    void reset(std::string_view name);
    void resetAll();
    bool known(std::string_view name) const;
    /// Throws 42704.
    std::string get(std::string_view name) const;
    std::optional<std::string> find(std::string_view name) const;
    std::vector<SettingRow> all() const;

    bool isOn(std::string_view name) const;
    i64 integer(std::string_view name) const;
    /// The schemas of search_path, `$user` replaced.
    std::vector<std::string> searchPath(std::string_view user) const;

    /// Transaction borders: keep() makes plain SETs permanent and undoes local ones; undo() undoes
    /// both kinds. Behind both, transaction_read_only is what its default says.
    void keep();
    void undo();

    /// Reportable parameters that changed since the last call.
    std::vector<std::pair<std::string, std::string>> takeChanges();

private:
    /// nullptr: not set. Callers inside the engine give lower case, which costs no copy.
    const std::string* lookUp(std::string_view name) const;
    void assign(const std::string& name, std::string value);
    void takeAccessMode();

    struct NameHash {
        using is_transparent = void;
        size_t operator()(std::string_view name) const {
            return std::hash<std::string_view>()(name);
        }
    };
    std::unordered_map<std::string, std::string, NameHash, std::equal_to<>> values_;
    /// Values before the transaction's first change; nothing: was not set.
    std::map<std::string, std::optional<std::string>, std::less<>> before_;
    std::map<std::string, std::optional<std::string>, std::less<>> before_local_;
    std::map<std::string, std::string, std::less<>> changed_;
};

} // namespace blueshift::engine
