#include "execute/memory/memory_broker.h"

#include <fmt/format.h>

namespace blueshift::execute {

bool MemoryBroker::take(u64 bytes) {
    const u64 before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= limit_) return true;
    give(bytes);
    return false;
}

class QueryGrant final : public MemoryGrant {
public:
    explicit QueryGrant(MemoryBroker& broker) : broker_(broker) {}
    ~QueryGrant() override { broker_.give(used_.load()); }

    bool grow(u64 bytes) override {
        if (!broker_.take(bytes)) return false;
        used_.fetch_add(bytes, std::memory_order_relaxed);
        return true;
    }
    void shrink(u64 bytes) override {
        used_.fetch_sub(bytes, std::memory_order_relaxed);
        broker_.give(bytes);
    }

private:
    MemoryBroker& broker_;
    std::atomic<u64> used_{0};
};

std::unique_ptr<MemoryGrant> MemoryBroker::makeGrant() {
    return std::make_unique<QueryGrant>(*this);
}

bool WorkerContext::take(u64 bytes, std::string_view what) {
    if (bytes == 0 || memory == nullptr || memory->grow(bytes)) return true;
    eval.fail(
        Error(sqlstate::kOutOfMemory, fmt::format("out of memory: {} needs {} bytes more than "
                                                  "this server's limit allows",
                                                  what, bytes))
            .withHint("Start the server with a larger --memory, or make the query smaller."));
    return false;
}

} // namespace blueshift::execute
