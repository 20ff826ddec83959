// Lookups of hash joins: the stages of a probe, in place or opening a space of tuples.
#include "compile/codegen/segment_writer.h"

namespace blueshift::compile {

using optimize::JoinOutput;

namespace {

bool keepsUnmatched(JoinOutput output) {
    return output == JoinOutput::kProbeOuter || output == JoinOutput::kFullOuter ||
           output == JoinOutput::kProbeSingle;
}

/// Text compares by its comparison form: an overload, not a template.
} // namespace

void SegmentWriter::addBuildSlots(const Lookup& lookup,
                                  const std::vector<std::pair<u32, Slot>>& columns) {
    const BuildRowShape& shape = shapes_.builds[lookup.spec->sink];
    for (const auto& [column, slot] : columns) {
        const RowField& field = shape.fields[column];
        SlotSource& source = slots_[slot];
        source.kind = SlotSource::Kind::kBuild;
        source.probe = lookup.number;
        source.offset = field.offset;
        source.null_bit = field.nullable;
        source.null_byte = field.null_byte;
        source.null_mask = field.null_mask;
        source.may_miss = keepsUnmatched(lookup.spec->output);
    }
}

void SegmentWriter::probe(const ProbeStep& step) {
    const auto& build = std::get<BuildSink>(program_.sinks[step.sink].sink);
    const Lookup lookup{&step, &build, u32(segment_.tables.size()), matchesOnce(step, build)};
    segment_.tables.push_back(step.sink);
    std::string keys;
    for (const Slot key : step.keys) keys += (keys.empty() ? "" : ", ") + slots_[key].name;
    body_.comment("lookup {}: {} in build side {}", lookup.number, keys, step.sink);
    addBuildSlots(lookup, step.residual_columns);
    if (lookup.once) lookUpOnce(lookup);
    else openSpace(lookup);
    if (passesMatches(step)) {
        passing_.push_back(lookup.number);
        addBuildSlots(lookup, step.build_columns);
    }
}

/// Hashes a stage of keys and looks for candidates; `each` writes what is done with its hits
/// (members at[j], hashes[j], candidates first[h] to last[h], where j is hits[h]). With
/// `keeps_keys` keys stand in key0[j], ...
void SegmentWriter::candidateStages(const Lookup& lookup, bool keeps_keys,
                                    const std::function<void()>& each) {
    const ProbeStep& step = *lookup.spec;
    LoopWriter writer(slots_, space_, segment_);
    std::string hash;
    std::string valid;
    SourceText kept;
    bool reads_pointers = false;
    for (u32 k = 0; k < step.keys.size(); ++k) {
        const LoopValue key = writer.slot(step.keys[k]);
        reads_pointers |= key.kind == PhysicalKind::kText;
        if (keeps_keys) kept.line("key{}[n] = {};", k, key.stored());
        const std::string one = hashOf(slots_[step.keys[k]].info.kind, key.stored());
        hash = hash.empty() ? one : fmt::format("combine({}, {})", hash, one);
        if (key.nullable()) valid += (valid.empty() ? "" : " & ") + key.valid;
    }
    beforeLoop(writer);
    openStageLoop(" && !table.empty");
    body_.line("u64 hashes[kStageRows];");
    body_.line("u16 at[kStageRows];");
    for (u32 k = 0; keeps_keys && k < step.keys.size(); ++k)
        body_.line("{} key{}[kStageRows];", arrayType(slots_[step.keys[k]].info.kind), k);
    body_.line("u32 n = 0;");
    body_.open("for (u32 i = base; i < stage_end; ++i)");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.append(writer.body());
    if (!valid.empty() && (step.null_aware || step.null_aware_anti))
        body_.line("null_key[{0} >> 6] |= u64(!({1})) << ({0} & 63);", writer.member(), valid);
    // The bytes of a NULL text mean nothing: its pointer must not be followed.
    const bool branches = reads_pointers && !valid.empty();
    if (branches) body_.line("if (!({})) continue;", valid);
    body_.append(kept);
    body_.line("hashes[n] = {};", hash);
    body_.line("at[n] = u16({});", writer.member());
    if (valid.empty() || branches) body_.line("++n;");
    else body_.line("n += {};", valid);
    body_.close();
    each();
    body_.close();
}

/// `hash` and the keys agree with the row `candidate`. Keys stand in key<k>[j], or are values of
/// `loop` when that is given.
std::string SegmentWriter::keyTest(const Lookup& lookup, LoopWriter* loop) {
    const BuildRowShape& shape = shapes_.builds[lookup.spec->sink];
    std::string test = loop == nullptr ? "load<u64>(candidate, 0) == hash" : "";
    for (u32 k = 0; k < lookup.spec->keys.size(); ++k) {
        const Slot slot = lookup.spec->keys[k];
        const PhysicalKind kind = slots_[slot].info.kind;
        const std::string key =
            loop == nullptr ? fmt::format("key{}[j]", k) : loop->slot(slot).stored();
        test += test.empty() ? "" : " && ";
        test += equality(kind, fieldOf(kind, "candidate", shape.fields[k].offset), key);
    }
    return test;
}

/// At most one match counts: the space stays, its selection narrows, matches stand by row (tuple).
void SegmentWriter::lookUpOnce(const Lookup& lookup) {
    const ProbeStep& step = *lookup.spec;
    const JoinOutput output = step.output;
    const bool passes = passesMatches(step);
    const bool narrows = output == JoinOutput::kInner || output == JoinOutput::kBuildOuter ||
                         output == JoinOutput::kProbeSemi;
    const bool marks_build = output == JoinOutput::kBuildSemi || output == JoinOutput::kBuildAnti;
    const bool by_bits = output == JoinOutput::kProbeAnti || output == JoinOutput::kProbeMark;
    const std::string match = fmt::format("l->match{}_{}", lookup.number, space_);
    const char* member = space_ == 0 ? "row" : "tuple";
    if (passes) locals_.line("const u8* match{}_{}[kBatchRows];", lookup.number, space_);
    body_.open("");
    body_.line("const JoinTable& table = *tables[{}];", lookup.number);
    if (narrows) body_.line("u32 kept = 0;");
    if (by_bits) body_.line("u64 matched[kBatchRows / 64] = {{}};");
    if (step.null_aware || step.null_aware_anti)
        body_.line("u64 null_key[kBatchRows / 64] = {{}};");
    if (passes && !narrows)
        body_.line("for (u32 i = 0; i < {}; ++i) {}[{}[i]] = table.null_row;", selected(), match,
                   selection());
    LoopWriter residual(slots_, space_, segment_);
    residual.bindCandidate(lookup.number);
    std::string condition;
    if (step.residual.root != nullptr) condition = residual.value(step.residual.root).isTrue();
    body_.append(residual.prologue());
    body_.open("");
    candidateStages(lookup, true, [&] {
        body_.line("u16 hits[kStageRows];");
        body_.line("u64 first[kStageRows];");
        body_.line("u64 last[kStageRows];");
        body_.line("const u32 found = bs_find_candidates(&table, hashes, n, hits, first, last);");
        body_.open("for (u32 h = 0; h < found; ++h)");
        body_.line("const u32 j = hits[h];");
        body_.line("const u32 {} = at[j];", member);
        body_.line("const u64 hash = hashes[j];");
        body_.line("const u8* match = nullptr;");
        body_.open("for (u64 r = first[h]; r < last[h]; ++r)");
        body_.line("const u8* candidate = table.rows[r];");
        body_.line("if (!({})) continue;", keyTest(lookup, nullptr));
        if (!condition.empty()) {
            body_.append(residual.body());
            body_.line("if (!({})) continue;", condition);
        }
        if (lookup.build->keeps_matches)
            body_.line("markMatched(candidate, {});", shapes_.builds[step.sink].match_offset);
        if (output == JoinOutput::kProbeSingle)
            body_.line("if (match != nullptr) return bs_raise_second_row(f), false;");
        body_.line("match = candidate;");
        if (output != JoinOutput::kProbeSingle && !marks_build) body_.line("break;");
        body_.close();
        if (passes && narrows) body_.line("{}[{}] = match;", match, member);
        if (narrows) {
            body_.line("l->selection{}[kept] = u16({});", space_, member);
            body_.line("kept += match != nullptr;");
        } else if (passes) {
            body_.line("if (match != nullptr) {}[{}] = match;", match, member);
        } else if (by_bits) {
            body_.line("matched[{0} >> 6] |= u64(match != nullptr) << ({0} & 63);", member);
        }
        body_.close();
    });
    body_.close();
    if (narrows) {
        body_.line("{} = l->selection{};", selection(), space_);
        body_.line("{} = kept;", selected());
        body_.line("if (kept == 0) return false;");
    }
    if (marks_build) body_.line("if (true) return false; // its rows are read from the build side");
    if (output == JoinOutput::kProbeAnti) keepUnmatched(lookup);
    if (output == JoinOutput::kProbeMark) writeMark(lookup);
    body_.close();
}

/// NOT EXISTS, or NOT IN where NULLs on either side reject.
void SegmentWriter::keepUnmatched(const Lookup& lookup) {
    const char* member = space_ == 0 ? "row" : "tuple";
    const bool null_aware = lookup.spec->null_aware_anti;
    if (null_aware) body_.line("if (table.saw_null_key) return false;");
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 selected = {};", selected());
    body_.line("u32 kept = 0;");
    openLoop();
    body_.line("l->selection{}[kept] = u16({});", space_, member);
    body_.line(
        "kept += !isValid(matched, {0}){1};", member,
        null_aware ? fmt::format(" & !(table.saw_rows & isValid(null_key, {}))", member) : "");
    body_.close();
    body_.line("{} = l->selection{};", selection(), space_);
    body_.line("{} = kept;", selected());
    body_.line("if (kept == 0) return false;");
}

/// The mark of IN and EXISTS under OR: three-valued when null-aware.
void SegmentWriter::writeMark(const Lookup& lookup) {
    const char* member = space_ == 0 ? "row" : "tuple";
    const Slot slot = lookup.spec->mark;
    body_.line("const Column mark = bs_room(f, {});", slot);
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 selected = {};", selected());
    openLoop();
    body_.line("const bool found = isValid(matched, {});", member);
    body_.line("const_cast<i8*>(valuesOf<i8>(mark))[{}] = i8(found);", member);
    if (lookup.spec->null_aware)
        body_.line(
            "setValid(mark.validity, {0}, found | !(table.saw_null_key | "
            "(isValid(null_key, {0}) & table.saw_rows)));",
            member);
    body_.close();
    slots_[slot].kind = SlotSource::Kind::kStored;
    slots_[slot].space = space_;
}

/// A tuple of the new space: its source row, the matches so far and this one.
void SegmentWriter::copyTuple(const Lookup& lookup, const char* match) {
    const u32 next = space_ + 1;
    const char* member = space_ == 0 ? "row" : "tuple";
    body_.line("l->row{}[n] = {};", next,
               space_ == 0 ? "u16(row)" : fmt::format("l->row{}[tuple]", space_));
    for (const u32 earlier : passing_)
        body_.line("l->match{0}_{1}[n] = l->match{0}_{2}[{3}];", earlier, next, space_, member);
    body_.line("l->match{}_{}[n] = {};", lookup.number, next, match);
    body_.line("++n;");
}

/// Every match counts: candidates are kept, and a new space takes up to a batch of tuples at a
/// time.
void SegmentWriter::openSpace(const Lookup& lookup) {
    const ProbeStep& step = *lookup.spec;
    const u32 next = space_ + 1;
    const bool outer = keepsUnmatched(step.output);
    const char* member = space_ == 0 ? "row" : "tuple";
    locals_.line("Candidates candidates{};", next);
    locals_.line("u16 members{}[kBatchRows];", next);
    locals_.line("u16 row{}[kBatchRows];", next);
    for (const u32 earlier : passing_)
        locals_.line("const u8* match{}_{}[kBatchRows];", earlier, next);
    locals_.line("const u8* match{}_{}[kBatchRows];", lookup.number, next);
    body_.open("");
    body_.line("const JoinTable& table = *tables[{}];", lookup.number);
    body_.line("Candidates& c = l->candidates{};", next);
    body_.line("c.count = c.at = c.rest_at = 0;");
    body_.line("c.live = {};", selection());
    body_.line("c.live_count = {};", selected());
    if (outer) body_.line("for (u64& word : c.matched) word = 0;");
    candidateStages(lookup, false,
                    [&] { body_.line("bs_add_candidates(&table, hashes, at, n, &c);"); });
    body_.line("return {};", outer ? "true" : "c.count > 0");
    body_.close();
    endStage();

    // The function that gives the next tuples.
    LoopWriter keys(slots_, space_, segment_);
    const std::string test = keyTest(lookup, &keys);
    SourceText key_values = keys.body();
    LoopWriter residual(slots_, space_, segment_);
    residual.bindCandidate(lookup.number);
    std::string condition;
    if (step.residual.root != nullptr) condition = residual.value(step.residual.root).isTrue();
    body_.open("static bool advance{}(Frame* f, Local* l)", next);
    body_.line("const JoinTable* const* tables = f->tables;");
    body_.line("const JoinTable& table = *tables[{}];", lookup.number);
    body_.line("Candidates& c = l->candidates{};", next);
    body_.line("u32 n = 0;");
    body_.open("");
    body_.append(keys.prologue());
    body_.open("");
    body_.append(residual.prologue());
    body_.open("do");
    body_.line("const u32 found = bs_next_candidates(&table, &c, l->members{0}, l->match{1}_{0});",
               next, lookup.number);
    body_.open("for (u32 j = 0; j < found; ++j)");
    body_.line("const u32 {} = l->members{}[j];", member, next);
    body_.line("const u8* candidate = l->match{}_{}[j];", lookup.number, next);
    body_.append(key_values);
    body_.line("if (!({})) continue;", test);
    if (!condition.empty()) {
        body_.open("");
        body_.append(residual.body());
        body_.line("if (!({})) continue;", condition);
        body_.close();
    }
    if (lookup.build->keeps_matches)
        body_.line("markMatched(candidate, {});", shapes_.builds[step.sink].match_offset);
    if (outer) body_.line("setMatched(c, {});", member);
    copyTuple(lookup, "candidate");
    body_.close();
    body_.close(" while (n == 0 && c.at < c.count);");
    body_.close();
    body_.close();
    if (outer) {
        body_.comment("rows without a partner, once all others are done");
        body_.open(
            "for (; c.at == c.count && c.rest_at < c.live_count && n < kBatchRows; ++c.rest_at)");
        body_.line("const u32 {} = c.live[c.rest_at];", member);
        body_.line("if (isValid(c.matched, {})) continue;", member);
        copyTuple(lookup, "table.null_row");
        body_.close();
    }
    body_.line("f->in_tuples = 1;");
    body_.line("f->tuples = f->tuple_selected = n;");
    body_.line("f->tuple_selection = bs_every_row.rows;");
    body_.line("return n > 0;");
    body_.close();
    advances_.push_back(std::move(body_));
    ++space_;
    beginStage();
}

} // namespace blueshift::compile
