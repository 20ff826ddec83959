// arena.h: memory of one statement, freed at once.
//
// Owns: every tree and plan of a statement. Objects in it are trivially destructible: no destructor
// runs. List<T> is the growing array to use inside such objects.
// Threads: one statement, one thread.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/ints.h"

namespace blueshift {

class Arena {
public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    Arena(Arena&&) = default;
    Arena& operator=(Arena&&) = default;

    void* allocate(size_t bytes, size_t alignment = alignof(std::max_align_t)) {
        size_t start = (used_ + alignment - 1) & ~(alignment - 1);
        if (start + bytes > capacity_) [[unlikely]] {
            grow(bytes + alignment);
            start = (used_ + alignment - 1) & ~(alignment - 1);
        }
        used_ = start + bytes;
        return current_ + start;
    }

    template <class T, class... Args> T* make(Args&&... args) {
        static_assert(std::is_trivially_destructible_v<T>, "no destructor runs in an arena");
        return new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    }

    template <class T> std::span<T> makeArray(size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        T* data = static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
        for (size_t i = 0; i < count; ++i) new (data + i) T();
        return {data, count};
    }

    template <class T> std::span<T> copy(std::span<const T> from) {
        static_assert(std::is_trivially_destructible_v<T>);
        T* data = static_cast<T*>(allocate(sizeof(T) * from.size(), alignof(T)));
        for (size_t i = 0; i < from.size(); ++i) new (data + i) T(from[i]);
        return {data, from.size()};
    }
    template <class T> std::span<T> copy(const std::vector<T>& from) {
        return copy(std::span<const T>(from));
    }

    std::string_view copyText(std::string_view text) {
        char* data = static_cast<char*>(allocate(text.size(), 1));
        if (!text.empty()) std::memcpy(data, text.data(), text.size());
        return {data, text.size()};
    }

    size_t bytesAllocated() const { return total_; }

    /// Forgets every object but keeps the newest chunk for reuse.
    void rewind() {
        if (chunks_.size() > 1) chunks_.erase(chunks_.begin(), chunks_.end() - 1);
        used_ = 0;
        total_ = capacity_;
    }

private:
    void grow(size_t bytes) {
        capacity_ = bytes > next_size_ ? bytes : next_size_;
        if (next_size_ < (size_t{1} << 20)) next_size_ *= 2;
        chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(capacity_));
        current_ = chunks_.back().get();
        // new[] aligns to max_align_t; larger alignments are reached by `used_` from here.
        used_ = 0;
        total_ += capacity_;
    }

    std::vector<std::unique_ptr<std::byte[]>> chunks_;
    std::byte* current_ = nullptr;
    size_t used_ = 0;
    size_t capacity_ = 0;
    size_t next_size_ = 4096;
    size_t total_ = 0;
};

/// A growing array in an arena. Copies share elements but never grow into each other's memory:
/// a copy has no spare capacity, so its first push reallocates.
template <class T> class List {
    static_assert(std::is_trivially_destructible_v<T>);

public:
    List() = default;
    explicit List(Arena& arena) : arena_(&arena) {}
    List(Arena& arena, std::initializer_list<T> items) : arena_(&arena) {
        for (const T& item : items) push(item);
    }
    List(Arena& arena, std::span<const T> items) : arena_(&arena) {
        for (const T& item : items) push(item);
    }
    List(const List& other)
        : arena_(other.arena_), data_(other.data_), size_(other.size_), capacity_(other.size_) {}
    List& operator=(const List& other) {
        arena_ = other.arena_;
        data_ = other.data_;
        size_ = capacity_ = other.size_;
        return *this;
    }

    void push(const T& item) {
        if (size_ == capacity_) reserve(capacity_ == 0 ? 4 : capacity_ * 2);
        new (data_ + size_++) T(item);
    }
    void append(std::span<const T> items) {
        for (const T& item : items) push(item);
    }
    void clear() { size_ = capacity_ = 0; }
    void pop() { --size_; }

    u32 size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](size_t i) {
        BS_ASSERT(i < size_);
        return data_[i];
    }
    const T& operator[](size_t i) const {
        BS_ASSERT(i < size_);
        return data_[i];
    }
    T& back() { return data_[size_ - 1]; }
    const T& back() const { return data_[size_ - 1]; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    operator std::span<const T>() const { return {data_, size_}; }
    std::span<T> span() { return {data_, size_}; }
    std::span<const T> span() const { return {data_, size_}; }

private:
    void reserve(u32 capacity) {
        BS_CHECK(arena_ != nullptr, "List without an arena");
        T* data = static_cast<T*>(arena_->allocate(sizeof(T) * capacity, alignof(T)));
        for (u32 i = 0; i < size_; ++i) new (data + i) T(data_[i]);
        data_ = data;
        capacity_ = capacity;
    }

    Arena* arena_ = nullptr;
    T* data_ = nullptr;
    u32 size_ = 0;
    u32 capacity_ = 0;
};

} // namespace blueshift
