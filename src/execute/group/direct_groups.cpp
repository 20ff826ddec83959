// Groups by the codes of their keys, without hashing; declared in local_groups.h.
#include <algorithm>
#include <cstring>

#include "execute/group/local_groups.h"
#include "functions/aggregates/indexed_values.h"
#include "kernels/block_steps.h"

namespace blueshift::execute {

/// Long texts have no name: only their bytes could tell them apart.
LocalGroups::CodesName LocalGroups::nameOfConstant(const Vector& constant) {
    if (constant.isNull(0)) return {CodesName::Kind::kNull};
    if (constant.kind == PhysicalKind::kText && !constant.values<TextView>()->isInline())
        return {CodesName::Kind::kNone};
    CodesName name{CodesName::Kind::kConstant};
    const u32 width = widthOf(constant.kind);
    std::memcpy(&name.low, constant.data, std::min(width, 8u));
    if (width > 8) std::memcpy(&name.high, static_cast<const u8*>(constant.data) + 8, 8);
    return name;
}

void LocalGroups::DirectIndex::forget(u64 codes) {
    groups.assign(codes, nullptr);
    known.clear();
    known_mask = 0;
}

bool LocalGroups::prepareDirect(DirectIndex& index) {
    constexpr u32 kMostCodes = 4096;
    using Kind = CodesName::Kind;
    index.names.resize(compared_.size(), {Kind::kNone});
    index.sizes.resize(compared_.size());
    u64 codes = 1;
    bool stays = index.generation == groups_.generation() && !index.groups.empty();
    for (size_t k = 0; k < compared_.size(); ++k) {
        const Vector& key = compared_[k];
        CodesName name{Kind::kNone};
        u32 size = 0;
        if (key.form == VectorForm::kDictionary && key.dictionary_size < 256) {
            if (key.dictionary_id != 0) name = {Kind::kDictionary, key.dictionary_id};
            size = key.dictionary_size + 1;
        } else if (key.kind == PhysicalKind::kI8 && key.form == VectorForm::kFlat) {
            name = {Kind::kBytes};
            size = 257;
        } else if (key.form == VectorForm::kConstant) {
            // NULLs of a set and its number are the same for every batch; other constants differ.
            const bool of_set =
                shape_.has_sets && (key.data == kZeroValue || k + 1 == compared_.size());
            name = of_set ? CodesName{Kind::kOfSet} : nameOfConstant(key);
            size = 1;
        } else {
            return false;
        }
        codes *= size;
        if (codes > kMostCodes) return false;
        stays =
            stays && name.kind != Kind::kNone && index.names[k] == name && index.sizes[k] == size;
        index.names[k] = name;
        index.sizes[k] = size;
    }
    if (!stays) index.forget(codes);
    index.generation = groups_.generation();
    return true;
}

void LocalGroups::readCodes(const DirectIndex& index, const Batch& batch) {
    const u32 count = batch.selected;
    bool first = true;
    for (size_t k = 0; k < compared_.size(); ++k) {
        const Vector& key = compared_[k];
        const u16 size = u16(index.sizes[k]);
        if (size == 1) continue;
        const auto add = [&](auto code_of) {
            functions::visitRows(batch.selection, [&](auto row_of) {
                if (first && key.validity == nullptr) {
                    for (u32 i = 0; i < count; ++i) codes_[i] = u16(code_of(row_of(i)));
                    return;
                }
                if (first) std::fill(codes_, codes_ + count, u16(0));
                if (key.validity == nullptr) {
                    for (u32 i = 0; i < count; ++i)
                        codes_[i] = u16(codes_[i] * size + code_of(row_of(i)));
                    return;
                }
                for (u32 i = 0; i < count; ++i) {
                    const u32 row = row_of(i);
                    codes_[i] = u16(codes_[i] * size +
                                    (bitAt(key.validity, row) ? code_of(row) : size - 1));
                }
            });
            first = false;
        };
        if (key.form == VectorForm::kFlat) {
            const u8* bytes = static_cast<const u8*>(key.data);
            add([bytes](u32 row) { return bytes[row]; });
        } else if (key.code_width == 1) {
            const u8* codes = static_cast<const u8*>(key.codes);
            add([codes](u32 row) { return codes[row]; });
        } else {
            add([&key](u32 row) { return u16(key.codeAt(row)); });
        }
    }
    if (first) std::fill(codes_, codes_ + count, u16(0));
}

bool LocalGroups::locateDirect(u32 set, const Batch& batch, Assignment& to,
                               WorkerContext& context) {
    DirectIndex& index = direct_[set];
    if (!prepareDirect(index)) return false;
    readCodes(index, batch);
    if (orderByKnownCodes(index, batch, to)) return true;
    // Rows may move while groups are added; then every group is looked up again.
    while (!fillDirect(index, batch, context)) {
        if (context.failed()) return false;
    }
    if (!orderByKnownCodes(index, batch, to)) orderByCode(index, batch, to);
    return true;
}

bool LocalGroups::fillDirect(DirectIndex& index, const Batch& batch, WorkerContext& context) {
    u8* const claimed = reinterpret_cast<u8*>(1);
    u16 missing[kVectorRows];
    u16 missing_rows[kVectorRows];
    u32 count = 0;
    for (u32 i = 0; i < batch.selected; ++i) {
        u8*& group = index.groups[codes_[i]];
        if (group != nullptr) [[likely]]
            continue;
        group = claimed;
        missing[count] = codes_[i];
        missing_rows[count++] = u16(batch.rowAt(i));
    }
    if (count == 0) return true;
    hasher_.hash(compared_, missing_rows, count, hashes_);
    if (!groups_.locate(keys_, missing_rows, count, hashes_, located_, context)) return false;
    if (groups_.generation() != index.generation) {
        index.forget(index.groups.size());
        index.generation = groups_.generation();
        return false;
    }
    for (u32 k = 0; k < count; ++k) {
        index.groups[missing[k]] = located_[k];
        index.known.push_back(missing[k]);
        if (missing[k] < 64) index.known_mask |= u64{1} << missing[k];
    }
    return true;
}

/// The same as orderByCode for very few codes, one SIMD pass each; false when another code is among
/// the rows, or runs would be short. No counter is carried from row to row.
bool LocalGroups::orderByKnownCodes(const DirectIndex& index, const Batch& batch, Assignment& to) {
    constexpr size_t kMostKnown = 16;
    static const kernels::BlockSteps& steps = *kernels::bs_choose_block_steps(nullptr);
    const u32 count = batch.selected;
    if (index.known.size() > kMostKnown || index.known.size() * 16 > count) return false;
    u32 at = 0;
    for (const u16 code : index.known) {
        u64 mask[kValidityWords];
        for (u32 word = 0; word * 64 < count; ++word)
            mask[word] = count - word * 64 >= 64 ? ~u64{0} : (u64{1} << (count - word * 64)) - 1;
        steps.between[1](codes_, i16(code), i16(code), count, mask);
        const u32 found = steps.selection_from_mask(mask, count, ordered_rows_ + at);
        std::fill_n(ordered_groups_ + at, found, index.groups[code]);
        at += found;
    }
    if (at != count) return false;
    if (batch.selection != nullptr)
        for (u32 i = 0; i < count; ++i) ordered_rows_[i] = batch.selection[ordered_rows_[i]];
    to = {ordered_rows_, count, ordered_groups_, true};
    return true;
}

/// With few groups in a batch, rows are put in the order of their groups, so that every aggregate
/// runs its loop over one state at a time.
void LocalGroups::orderByCode(const DirectIndex& index, const Batch& batch, Assignment& to) {
    constexpr u32 kMostOrdered = 512;
    const u32 count = batch.selected;
    const u32 codes = u32(index.groups.size());
    if (codes <= kMostOrdered) {
        u16 starts[kMostOrdered] = {};
        for (u32 i = 0; i < count; ++i) ++starts[codes_[i]];
        u32 distinct = 0;
        u16 at = 0;
        for (u32 code = 0; code < codes; ++code) {
            distinct += starts[code] != 0;
            const u16 next = u16(at + starts[code]);
            starts[code] = at;
            at = next;
        }
        if (distinct * 16 <= count) {
            for (u32 i = 0; i < count; ++i) {
                const u16 place = starts[codes_[i]]++;
                ordered_rows_[place] = u16(batch.rowAt(i));
                ordered_groups_[place] = index.groups[codes_[i]];
            }
            to = {ordered_rows_, count, ordered_groups_, true};
            return;
        }
    }
    for (u32 i = 0; i < count; ++i) located_[i] = index.groups[codes_[i]];
    to = {batch.selection, count, located_, false};
}

} // namespace blueshift::execute
