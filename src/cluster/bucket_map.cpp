#include "cluster/bucket_map.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/check.h"

namespace blueshift::cluster {

BucketMap::BucketMap(std::span<const u64> members)
    : nodes_(u32(members.size())),
      groups_(std::clamp<u32>(std::bit_ceil(4 * u32(members.size())), 16, kBuckets)) {
    BS_CHECK(nodes_ > 0 && nodes_ <= kBuckets, "a cluster has 1 to 4,096 nodes");
    const u32 share = (groups_ + nodes_ - 1) / nodes_;
    const u32 full_shares = groups_ - nodes_ * (share - 1); // members that may take the whole share
    std::vector<u32> owned(nodes_);
    u32 filled = 0;
    std::vector<u32> ranked(nodes_);
    for (u32 group = 0; group < groups_; ++group) {
        std::iota(ranked.begin(), ranked.end(), 0);
        const auto score = [&](u32 node) {
            return kernels::bucketMix(kernels::bucketMix(members[node]) ^
                                      (u64{group} << 32 | groups_));
        };
        std::ranges::sort(ranked, std::greater<>(), score);
        for (const u32 node : ranked) {
            const u32 limit = filled < full_shares ? share : share - 1;
            if (owned[node] >= limit) continue;
            if (++owned[node] == share) ++filled;
            const u32 width = kBuckets / groups_;
            std::fill_n(owners_.begin() + size_t(group) * width, width, u16(node));
            break;
        }
    }
}

BucketMap BucketMap::ofNodes(u32 nodes) {
    std::vector<u64> members(nodes);
    std::iota(members.begin(), members.end(), u64{0});
    return BucketMap(members);
}

} // namespace blueshift::cluster
