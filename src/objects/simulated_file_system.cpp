#include "objects/simulated_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace blueshift::objects {
namespace {
constexpr u64 kSector = 512;
}

SimulatedFileSystem::SimulatedFileSystem() : root_(std::make_shared<Node>()) {
    root_->is_directory = true;
}

u64 SimulatedFileSystem::operationCount() const {
    std::lock_guard lock(mutex_);
    return operations_;
}
void SimulatedFileSystem::resetCount() {
    std::lock_guard lock(mutex_);
    operations_ = 0;
}
void SimulatedFileSystem::powerOffAt(u64 operation) {
    std::lock_guard lock(mutex_);
    power_off_at_ = operation;
}
void SimulatedFileSystem::failAt(u64 operation, i64 error_number) {
    std::lock_guard lock(mutex_);
    failures_[operation] = error_number;
}
void SimulatedFileSystem::failFsync(i64 error_number) {
    std::lock_guard lock(mutex_);
    fsync_error_ = error_number;
}
void SimulatedFileSystem::setFreeBytes(u64 bytes) {
    std::lock_guard lock(mutex_);
    free_bytes_ = bytes;
}
void SimulatedFileSystem::setType(FileSystemType type) {
    std::lock_guard lock(mutex_);
    type_ = type;
}

SystemResult SimulatedFileSystem::count() {
    ++operations_;
    if (power_off_at_ != 0 && operations_ >= power_off_at_) return -EIO;
    const auto failure = failures_.find(operations_);
    if (failure == failures_.end()) return 0;
    const i64 error = failure->second;
    failures_.erase(failure);
    return -error;
}

SimulatedFileSystem::NodePointer SimulatedFileSystem::find(const std::string& path) const {
    NodePointer node = root_;
    size_t at = 0;
    while (at < path.size()) {
        const size_t slash = std::min(path.find('/', at), path.size());
        const std::string part = path.substr(at, slash - at);
        at = slash + 1;
        if (part.empty() || part == ".") continue;
        if (!node->is_directory) return nullptr;
        const auto entry = node->entries.find(part);
        if (entry == node->entries.end()) return nullptr;
        node = entry->second;
    }
    return node;
}

SimulatedFileSystem::NodePointer SimulatedFileSystem::findParent(const std::string& path,
                                                                 std::string& name) const {
    const size_t slash = path.rfind('/');
    name = slash == std::string::npos ? path : path.substr(slash + 1);
    NodePointer parent = find(slash == std::string::npos ? "" : path.substr(0, slash));
    return parent && parent->is_directory ? parent : nullptr;
}

SimulatedFileSystem::NodePointer SimulatedFileSystem::nodeOf(i64 file) const {
    const auto handle = handles_.find(file);
    return handle == handles_.end() ? nullptr : handle->second.node;
}

SystemResult SimulatedFileSystem::grow(u64 bytes) {
    if (bytes > free_bytes_) return -ENOSPC;
    if (free_bytes_ != ~u64{0}) free_bytes_ -= bytes;
    return 0;
}

SystemResult SimulatedFileSystem::open(const std::string& path, OpenMode mode) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    NodePointer node = find(path);
    if (mode == OpenMode::kUnnamed) {
        if (!node) return -ENOENT;
        if (free_bytes_ == 0) return -ENOSPC;
        handles_[next_handle_] = {std::make_shared<Node>()};
        return next_handle_++;
    }
    if (mode == OpenMode::kCreateNew && node) return -EEXIST;
    if (!node) {
        if (mode == OpenMode::kRead || mode == OpenMode::kDirectory) return -ENOENT;
        std::string name;
        const NodePointer parent = findParent(path, name);
        if (!parent) return -ENOENT;
        if (free_bytes_ == 0) return -ENOSPC;
        node = std::make_shared<Node>();
        parent->entries[name] = node;
    }
    if (mode == OpenMode::kDirectory && !node->is_directory) return -ENOTDIR;
    handles_[next_handle_] = {node};
    return next_handle_++;
}

void SimulatedFileSystem::close(i64 file) {
    std::lock_guard lock(mutex_);
    const NodePointer node = nodeOf(file);
    if (node && node->locked_by == file) node->locked_by = -1;
    handles_.erase(file);
}

SystemResult SimulatedFileSystem::pwrite(i64 file, std::span<const u8> bytes, u64 offset) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = nodeOf(file);
    if (!node || node->is_directory) return -EBADF;
    const u64 end = offset + bytes.size();
    if (end > node->bytes.size()) {
        if (const SystemResult full = grow(end - node->bytes.size()); full < 0) return full;
        node->bytes.resize(end);
    }
    if (!bytes.empty()) std::memcpy(node->bytes.data() + offset, bytes.data(), bytes.size());
    for (u64 sector = offset / kSector; sector * kSector < end; ++sector)
        node->dirty_sectors.insert(sector);
    return SystemResult(bytes.size());
}

SystemResult SimulatedFileSystem::pread(i64 file, std::span<u8> into, u64 offset) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = nodeOf(file);
    if (!node || node->is_directory) return -EBADF;
    if (offset >= node->bytes.size()) return 0;
    const u64 length = std::min<u64>(into.size(), node->bytes.size() - offset);
    if (length != 0) std::memcpy(into.data(), node->bytes.data() + offset, length);
    return SystemResult(length);
}

SystemResult SimulatedFileSystem::fileSize(i64 file) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = nodeOf(file);
    if (!node) return -EBADF;
    return node->is_directory ? -EISDIR : SystemResult(node->bytes.size());
}

SystemResult SimulatedFileSystem::truncate(i64 file, u64 bytes) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = nodeOf(file);
    if (!node) return -EBADF;
    if (bytes > node->bytes.size())
        if (const SystemResult full = grow(bytes - node->bytes.size()); full < 0) return full;
    node->bytes.resize(bytes);
    return 0;
}

SystemResult SimulatedFileSystem::reserve(i64 file, u64 bytes) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = nodeOf(file);
    if (!node) return -EBADF;
    if (bytes <= node->bytes.size()) return 0;
    if (const SystemResult full = grow(bytes - node->bytes.size()); full < 0) return full;
    node->bytes.resize(bytes);
    return 0;
}

SystemResult SimulatedFileSystem::fsync(i64 file) {
    std::lock_guard lock(mutex_);
    SystemResult failed = count();
    const NodePointer node = nodeOf(file);
    if (!node) return -EBADF;
    if (failed == 0 && fsync_error_ != 0) failed = -fsync_error_;
    if (failed < 0) {
        node->dirty_sectors.clear(); // the kernel now believes that they are clean
        return failed;
    }
    if (node->is_directory) {
        node->durable_entries = node->entries;
        return 0;
    }
    node->durable_bytes.resize(node->bytes.size());
    for (const u64 sector : node->dirty_sectors) {
        const u64 first = sector * kSector;
        if (first >= node->bytes.size()) continue;
        const u64 length = std::min<u64>(kSector, node->bytes.size() - first);
        std::memcpy(node->durable_bytes.data() + first, node->bytes.data() + first, length);
    }
    node->dirty_sectors.clear();
    return 0;
}

SystemResult SimulatedFileSystem::link(const std::string& from, const std::string& to) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = find(from);
    std::string name;
    const NodePointer parent = findParent(to, name);
    if (!node || !parent) return -ENOENT;
    if (parent->entries.contains(name)) return -EEXIST;
    parent->entries[name] = node;
    return 0;
}

SystemResult SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    std::string from_name;
    std::string to_name;
    const NodePointer from_parent = findParent(from, from_name);
    const NodePointer to_parent = findParent(to, to_name);
    const NodePointer node = find(from);
    if (!node || !from_parent || !to_parent) return -ENOENT;
    to_parent->entries[to_name] = node;
    from_parent->entries.erase(from_name);
    return 0;
}

SystemResult SimulatedFileSystem::unlink(const std::string& path) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    std::string name;
    const NodePointer parent = findParent(path, name);
    const NodePointer node = find(path);
    if (!parent || !node) return -ENOENT;
    if (node->is_directory) return -EISDIR;
    parent->entries.erase(name);
    if (free_bytes_ != ~u64{0} && node.use_count() <= 2) free_bytes_ += node->bytes.size();
    return 0;
}

SystemResult SimulatedFileSystem::makeDirectory(const std::string& path) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    std::string name;
    const NodePointer parent = findParent(path, name);
    if (find(path)) return -EEXIST;
    if (!parent) return -ENOENT;
    auto node = std::make_shared<Node>();
    node->is_directory = true;
    parent->entries[name] = std::move(node);
    return 0;
}

SystemResult SimulatedFileSystem::listDirectory(const std::string& path,
                                                std::vector<DirectoryEntry>& entries) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = find(path);
    if (!node) return -ENOENT;
    if (!node->is_directory) return -ENOTDIR;
    for (const auto& [name, child] : node->entries) entries.push_back({name, child->is_directory});
    return 0;
}

SystemResult SimulatedFileSystem::type(const std::string& path, FileSystemType& type) {
    std::lock_guard lock(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    if (!find(path)) return -ENOENT;
    type = type_;
    return 0;
}

SystemResult SimulatedFileSystem::lock(i64 file, bool wait) {
    std::lock_guard guard(mutex_);
    if (const SystemResult failed = count(); failed < 0) return failed;
    const NodePointer node = nodeOf(file);
    if (!node) return -EBADF;
    if (node->locked_by >= 0 && node->locked_by != file) return wait ? -EDEADLK : -EWOULDBLOCK;
    node->locked_by = file;
    return 0;
}

void SimulatedFileSystem::crashNode(Node& node, u64 seed, u64& state) {
    const auto keep = [&] {
        if (seed == 0) return false;
        state += 0x9E3779B97F4A7C15ull;
        return (mixHash(state) & 1) != 0;
    };
    node.locked_by = -1;
    if (!node.is_directory) {
        std::vector<u8> after = node.durable_bytes;
        for (const u64 sector : node.dirty_sectors) {
            const u64 first = sector * kSector;
            if (first >= node.bytes.size() || !keep()) continue;
            const u64 end = std::min<u64>(first + kSector, node.bytes.size());
            if (after.size() < end) after.resize(end);
            std::memcpy(after.data() + first, node.bytes.data() + first, end - first);
        }
        node.bytes = node.durable_bytes = std::move(after);
        node.dirty_sectors.clear();
        return;
    }
    std::map<std::string, NodePointer> after = node.durable_entries;
    for (const auto& [name, child] : node.entries) {
        const auto durable = node.durable_entries.find(name);
        if ((durable == node.durable_entries.end() || durable->second != child) && keep())
            after[name] = child;
    }
    for (const auto& [name, child] : node.durable_entries)
        if (!node.entries.contains(name) && keep()) after.erase(name);
    node.entries = node.durable_entries = std::move(after);
    for (const auto& [name, child] : node.entries) crashNode(*child, seed, state);
}

void SimulatedFileSystem::crash(u64 seed) {
    std::lock_guard lock(mutex_);
    u64 state = seed;
    crashNode(*root_, seed, state);
    handles_.clear();
    failures_.clear();
    power_off_at_ = 0;
    fsync_error_ = 0;
    free_bytes_ = ~u64{0};
}

void SimulatedFileSystem::corrupt(const std::string& path, u64 offset, u8 mask) {
    std::lock_guard lock(mutex_);
    const NodePointer node = find(path);
    BS_CHECK(node && offset < node->bytes.size(), path);
    node->bytes[offset] ^= mask;
    node->durable_bytes = node->bytes;
}

} // namespace blueshift::objects
