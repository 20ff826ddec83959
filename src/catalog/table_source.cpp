#include "catalog/table_source.h"

namespace blueshift::catalog {

void SourceRegistry::add(std::unique_ptr<TableSource> source) {
    auto key = std::make_pair(std::string(source->schema()), std::string(source->name()));
    sources_[std::move(key)] = std::move(source);
}

void SourceRegistry::addFunction(std::unique_ptr<TableSource> source, u32 min_arguments,
                                 u32 max_arguments) {
    functions_.push_back({std::move(source), min_arguments, max_arguments});
}

const TableSource* SourceRegistry::find(std::string_view schema, std::string_view name) const {
    const auto found = sources_.find(std::make_pair(std::string(schema), std::string(name)));
    return found == sources_.end() ? nullptr : found->second.get();
}

const TableSource* SourceRegistry::findFunction(std::string_view name, u32 arguments) const {
    for (const auto& entry : functions_)
        if (entry.source->name() == name && arguments >= entry.min_arguments &&
            arguments <= entry.max_arguments)
            return entry.source.get();
    return nullptr;
}

std::vector<const TableSource*> SourceRegistry::all() const {
    std::vector<const TableSource*> list;
    for (const auto& [key, source] : sources_) list.push_back(source.get());
    return list;
}

} // namespace blueshift::catalog
