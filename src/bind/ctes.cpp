// WITH. A common table is bound once, where it is declared; references scan it. At the end of the
// statement those that are read once move to where they are read.
#include "bind/binder.h"

namespace blueshift::bind {

const CommonEntry* Binder::findCommon(std::string_view name) const {
    for (const CommonEntry* entry = common_; entry != nullptr; entry = entry->next)
        if (entry->name == name) return entry;
    return nullptr;
}

void Binder::declareCommonTables(const parse::WithClause& with) {
    for (u32 i = 0; i < with.tables.size(); ++i) {
        for (u32 j = 0; j < i; ++j)
            if (with.tables[j]->name == with.tables[i]->name)
                fail(sqlstate::kDuplicateAlias,
                     "WITH query name \"" + std::string(with.tables[i]->name) +
                         "\" specified more than once",
                     with.tables[i]->position, "Give them different names.");
        // Only a table that reads itself is recursive.
        const std::string_view around = recursive_name_;
        if (with.recursive) recursive_name_ = with.tables[i]->name;
        declareCommonTable(*with.tables[i]);
        recursive_name_ = around;
    }
}

void Binder::declareCommonTable(const parse::CommonTable& table) {
    BoundQuery query = boundQuery(*table.query, nullptr);
    settle(query);
    if (table.columns.size() > query.columns.size())
        fail(sqlstate::kInvalidColumnReference,
             "WITH query \"" + std::string(table.name) + "\" has " +
                 std::to_string(query.columns.size()) + " columns available but " +
                 std::to_string(table.columns.size()) + " columns specified",
             table.position, "Name at most as many columns as there are.");
    for (u32 i = 0; i < table.columns.size(); ++i) query.columns[i].name = table.columns[i].name;
    Cte cte;
    cte.name = table.name;
    cte.plan = query.root;
    cte.columns = List<OutputColumn>(arena_);
    for (const QueryColumn& column : query.columns)
        cte.columns.push({column.expr->as<ColumnExpr>()->id, column.name, column.expr->type,
                          column.expr->nullable});
    ctes_.push_back(cte);
    auto entry = std::make_unique<CommonEntry>();
    entry->name = table.name;
    entry->cte = u32(ctes_.size() - 1);
    entry->columns = std::move(query.columns);
    entry->next = common_;
    common_ = entry.get();
    entries_.push_back(std::move(entry));
}

} // namespace blueshift::bind
