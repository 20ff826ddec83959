// Aggregates at the end of a segment: one loop computes all arguments and updates all states.
#include <algorithm>

#include "compile/codegen/accumulators.h"
#include "compile/codegen/segment_writer.h"

namespace blueshift::compile {

using functions::FusedState;

namespace {

/// Values of a batch that are at most this large add up in 64 bits: 2^10 rows of 2^52.
constexpr i128 kMostPartial = i128(1) << 52;

/// The C++ type in which a run of values of this argument is summed.
const char* partialType(const SlotInfo& argument) {
    if (argument.kind == PhysicalKind::kI128) return "i128";
    const bool small =
        argument.has_range && argument.min >= -kMostPartial && argument.max <= kMostPartial;
    return widthOf(argument.kind) <= 4 || small ? "i64" : "i128";
}

const char* keptType(const SqlType& type) {
    switch (naturalKind(type)) {
    case PhysicalKind::kI128: return "i128";
    case PhysicalKind::kF32:
    case PhysicalKind::kF64: return "f64";
    default: return "i64";
    }
}

} // namespace

void SegmentWriter::accumulate(const GroupSink::Call& call, u32 offset, LoopWriter& writer,
                               Accumulators& sums) {
    const auto slotOf = [&](Slot input) { return pipeline_.sink_slots[input]; };
    std::string condition;
    if (call.filter != kNoSlot) condition = writer.slot(slotOf(call.filter)).isTrue();
    LoopValue value;
    if (!call.args.empty()) {
        value = writer.slot(slotOf(call.args[0]));
        if (value.nullable()) condition += (condition.empty() ? "" : " & ") + value.valid;
    }
    const auto state = [&](const std::string& type) {
        return fmt::format("reinterpret_cast<{}*>(group + {})", type, offset);
    };
    const std::string guard = condition.empty() ? "" : fmt::format("if ({}) ", condition);
    switch (call.aggregate->fused) {
    case FusedState::kCount:
        sums.after.line("{}->count += {};", state("Count"), sums.rows(condition));
        return;
    case FusedState::kExactSum: {
        const SlotInfo& info = slots_[slotOf(call.args[0])].info;
        if (info.kind == PhysicalKind::kI128) {
            sums.each.line("{}{}->add(i128({}));", guard, state("ExactSum"), value.stored());
            return;
        }
        const char* type = partialType(info);
        const std::string term = condition.empty() ? fmt::format("{}({})", type, value.stored())
                                                   : fmt::format("({0}) ? {1}({2}) : {1}(0)",
                                                                 condition, type, value.stored());
        const u32 bits = info.has_range && info.min >= 0 ? bitsOfSum(info.max) : 64;
        const std::string sum = sums.sharesWords(bits)
                                    ? fmt::format("i64{}", sums.share(term, bits))
                                    : sums.add(type, "0", "{} += " + term);
        sums.after.line("{}->addPartial({}, {});", state("ExactSum"), sum, sums.rows(condition));
        return;
    }
    case FusedState::kFloatSum: {
        // Starts from the state: the order of additions is the interpreter's.
        const std::string sum = sums.add("f64", state("FloatSum") + "->sum",
                                         guard + "{} += f64(" + value.stored() + ")");
        sums.after.line("{}->sum = {};", state("FloatSum"), sum);
        sums.after.line("{}->count += {};", state("FloatSum"), sums.rows(condition));
        return;
    }
    default: break;
    }
    const char* type = keptType(call.arg_types[0]);
    const std::string kept_type = fmt::format("Kept<{}>", type);
    const char* method = call.aggregate->fused == FusedState::kLeast      ? "keepLeast"
                         : call.aggregate->fused == FusedState::kGreatest ? "keepGreatest"
                                                                          : "keepFirst";
    const std::string kept =
        sums.add(kept_type.c_str(), "*" + state(kept_type),
                 fmt::format("{}{{}}.{}({}({}))", guard, method, type, value.stored()));
    sums.after.line("*{} = {};", state(kept_type), kept);
}

/// Few groups, whose keys may be dictionary codes or bytes: the runtime numbers them by a table.
bool SegmentWriter::groupsByNumber(const GroupSink& sink) const {
    constexpr f64 kMostNumbered = 256;
    if (sink.estimated_groups > kMostNumbered) return false;
    return std::all_of(sink.keys.begin(), sink.keys.end(), [&](const GroupSink::Key& key) {
        const SlotSource& source = slots_[pipeline_.sink_slots[key.slot]];
        return source.kind == SlotSource::Kind::kInput || source.info.kind == PhysicalKind::kI8;
    });
}

void SegmentWriter::updateGroups() {
    const auto& sink = std::get<GroupSink>(program_.sinks[pipeline_.sink].sink);
    const std::vector<u32>& offsets = shapes_.groups[pipeline_.sink].states;
    segment_.sink_slots = pipeline_.sink_slots;
    segment_.fused_calls = fused_;
    segment_.gives_tuples = space_ > 0;
    // Keys, and what the interpreter's aggregates read, must stand as columns.
    std::vector<bool> read(slots_.size(), false);
    bool rest = false;
    for (const auto& key : sink.keys) read[pipeline_.sink_slots[key.slot]] = true;
    for (size_t c = 0; c < sink.calls.size(); ++c) {
        if (fused_[c]) continue;
        rest = true;
        for (const Slot arg : sink.calls[c].args) read[pipeline_.sink_slots[arg]] = true;
        for (const auto& order : sink.calls[c].order_by)
            read[pipeline_.sink_slots[order.slot]] = true;
        if (sink.calls[c].filter != kNoSlot)
            read[pipeline_.sink_slots[sink.calls[c].filter]] = true;
    }
    materialise(read);
    const bool by_number = !sink.keys.empty() && groupsByNumber(sink);
    const auto ranges = groupRanges(program_.sinks[pipeline_.sink]);
    const bool by_value = !by_number && ranges && canIndex(*ranges);
    LoopWriter writer(slots_, space_, segment_);
    Accumulators sums(by_number);
    for (size_t c = 0; c < sink.calls.size(); ++c)
        if (fused_[c]) accumulate(sink.calls[c], offsets[c], writer, sums);
    sums.finish();
    if (sink.keys.empty()) body_.comment("aggregates of all rows");
    else if (by_number) body_.comment("aggregates by the number of the group");
    body_.open("");
    beforeLoop(writer);
    if (sink.keys.empty()) updateOnly(writer, sums);
    else if (by_number) updateByNumber(writer, sums);
    else if (by_value) updateByValue(*ranges, writer, sums);
    else updateByHash(sink, writer, sums);
    afterLoop(writer);
    body_.close();
    if (rest) body_.line("bs_update_groups(f);");
    body_.line("return false;");
}

void SegmentWriter::updateOnly(LoopWriter& writer, const Accumulators& sums) {
    body_.line("u8* const group = bs_only_group(f);");
    body_.line("if (f->failed) return false;");
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 rows = {};", selected());
    body_.append(sums.before);
    body_.line("#pragma clang loop vectorize(enable)");
    body_.open("for (u32 i = 0; i < rows; ++i)");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.append(writer.body());
    body_.append(sums.each);
    body_.close();
    body_.append(sums.after);
}

void SegmentWriter::updateByNumber(LoopWriter& writer, const Accumulators& sums) {
    locals_.open("struct Sums");
    locals_.append(sums.declarations);
    locals_.close(" sums[kBatchRows];");
    body_.line("bs_number_groups(f);");
    body_.line("if (f->failed) return false;");
    body_.line("const u16* members = {};", selection());
    body_.line("const u16* numbers = f->numbers;");
    body_.line("const u32 rows = {};", selected());
    const auto forGroups = [&](const SourceText& what) {
        body_.open("for (u32 n = 0; n < f->group_count; ++n)");
        body_.line("u8* const group = f->groups[n];");
        body_.line("Local::Sums& s = l->sums[n];");
        body_.append(what);
        body_.close();
    };
    forGroups(sums.before);
    body_.open("for (u32 i = 0; i < rows; ++i)");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.line("Local::Sums& s = l->sums[numbers[i]];");
    body_.append(writer.body());
    body_.append(sums.each);
    body_.close();
    forGroups(sums.after);
}

} // namespace blueshift::compile
