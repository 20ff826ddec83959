#include "compile/codegen/segment_writer.h"

#include <algorithm>

namespace blueshift::compile {

namespace {

std::string identifier(std::string_view name) {
    std::string text;
    for (const char c : name)
        text += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ? c : '_';
    // A prefix keeps column names apart from the words of the text.
    return "c_" + text;
}

bool dropsRows(const Step& step) {
    return std::holds_alternative<FilterStep>(step) || std::holds_alternative<ProbeStep>(step);
}

} // namespace

SegmentWriter::SegmentWriter(const Program& program, const Pipeline& pipeline,
                             const SegmentRange& range, const RowShapes& shapes)
    : program_(program), pipeline_(pipeline), range_(range), shapes_(shapes) {
    segment_.pipeline = pipeline.id;
    segment_.first_step = range.first_step;
    segment_.step_count = range.step_count;
    segment_.fuses_group = range.fuses_group;
    segment_.input =
        range.first_step == 0 ? pipeline.source_slots : pipeline.steps[range.first_step - 1].output;
    segment_.output = range.step_count == 0
                          ? segment_.input
                          : pipeline.steps[range.first_step + range.step_count - 1].output;
    if (range.fuses_group) fused_ = fusedCalls(program, pipeline);
}

void SegmentWriter::nameSlots() {
    const auto* scan = std::get_if<ScanSource>(&pipeline_.source);
    for (u32 i = 0; i < segment_.output.size(); ++i) {
        SlotSource source;
        source.info = i < segment_.input.size() ? segment_.input[i] : segment_.output[i];
        source.name = fmt::format("slot{}", i);
        if (scan != nullptr && i < pipeline_.source_slots.size() && i < scan->column_ids.size())
            if (const auto* column = scan->table->findColumn(scan->column_ids[i]))
                source.name = identifier(column->name);
        slots_.push_back(std::move(source));
    }
}

/// Slots that a later step or the sink reads.
void SegmentWriter::findDelivered() {
    const u32 end = range_.first_step + range_.step_count;
    u32 most = u32(segment_.output.size());
    for (u32 i = end; i < pipeline_.steps.size(); ++i)
        most = std::max(most, u32(pipeline_.steps[i].output.size()));
    needed_after_.assign(most, false);
    bool renumbered = false;
    for (u32 i = end; i < pipeline_.steps.size() && !renumbered; ++i) {
        collectSlots(pipeline_.steps[i].step, needed_after_);
        renumbered = std::holds_alternative<SelectStep>(pipeline_.steps[i].step);
    }
    if (!renumbered)
        for (const Slot slot : pipeline_.sink_slots) needed_after_[slot] = true;
    needed_after_.resize(segment_.output.size());
}

void SegmentWriter::countRows(u32 step) {
    const u32 op = pipeline_.steps[step].op;
    const bool last = step + 1 == pipeline_.steps.size() || pipeline_.steps[step + 1].op != op;
    if (!last || op == pipeline_.source_op) return;
    body_.line("f->step_rows[{}] += {};", segment_.counted_ops.size(), selected());
    segment_.counted_ops.push_back(op);
}

void SegmentWriter::beginStage() {
    body_ = SourceText();
}

void SegmentWriter::endStage() {
    stages_.push_back(std::move(body_));
    body_ = SourceText();
}

// ---- Loops.

/// Slots as columns of the batch in which the interpreter evaluates.
void SegmentWriter::materialise(const std::vector<bool>& wanted) {
    std::vector<Slot> computed;
    for (Slot slot = 0; slot < wanted.size(); ++slot) {
        if (!wanted[slot]) continue;
        const SlotSource& source = slots_[slot];
        const bool in_source = source.kind == SlotSource::Kind::kInput ||
                               (source.kind == SlotSource::Kind::kStored && source.space == 0);
        if (in_source) {
            if (space_ > 0) body_.line("bs_take(f, {}, l->row{}, f->tuples);", slot, space_);
        } else if (source.kind != SlotSource::Kind::kStored) {
            computed.push_back(slot);
        }
    }
    store(computed);
}

void SegmentWriter::beforeLoop(LoopWriter& writer) {
    if (!writer.evaluated().empty()) {
        std::vector<bool> read(slots_.size(), false);
        for (const EvalNode* node : writer.evaluated()) collectSlots(node, read);
        materialise(read);
    }
    body_.append(writer.prologue());
    if (!writer.evaluated().empty()) body_.line("if (f->failed) return false;");
    openFlags(writer);
}

void SegmentWriter::openFlags(const LoopWriter& writer) {
    for (const auto& [name, operation] : writer.flags()) body_.line("u32 {} = 0;", name);
}

/// Stages of kStageRows members, as long as `also` holds.
void SegmentWriter::openStageLoop(const char* also) {
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 selected = {};", selected());
    body_.open("for (u32 base = 0; base < selected{}; base += kStageRows)", also);
    body_.line("const u32 stage_end = smaller(base + kStageRows, selected);");
}

void SegmentWriter::openLoop() {
    body_.open("for (u32 i = 0; i < selected; ++i)");
    body_.line("const u32 {} = members[i];", space_ == 0 ? "row" : "tuple");
}

void SegmentWriter::afterLoop(LoopWriter& writer) {
    for (const auto& [name, operation] : writer.flags())
        body_.line("if ({}) return bs_raise(f, {}, {}), false;", name, operation, name);
}

/// Computes slots into room of the current space.
void SegmentWriter::store(const std::vector<Slot>& slots) {
    if (slots.empty()) return;
    LoopWriter writer(slots_, space_, segment_);
    SourceText rooms;
    for (const Slot slot : slots) {
        const SlotInfo& info = slots_[slot].info;
        const LoopValue value = writer.slot(slot);
        const std::string room = fmt::format("room{}", slot);
        rooms.line("const Column {} = bs_room(f, {});", room, slot);
        const char* type = typeName(info.kind);
        writer.body().line("const_cast<{0}*>(valuesOf<{0}>({1}))[{2}] = {3}{4};", type, room,
                           writer.member(), info.kind == PhysicalKind::kText ? "*" : "",
                           value.stored());
        if (value.nullable())
            writer.body().line("setValid({}.validity, {}, {});", room, writer.member(),
                               value.valid);
    }
    body_.open("");
    beforeLoop(writer);
    body_.append(rooms);
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 selected = {};", selected());
    openLoop();
    body_.append(writer.body());
    body_.close();
    afterLoop(writer);
    body_.close();
    for (const Slot slot : slots) {
        slots_[slot].kind = SlotSource::Kind::kStored;
        slots_[slot].space = space_;
    }
}

// ---- Filter and compute.

void SegmentWriter::keepWhere(const std::vector<const EvalNode*>& conditions) {
    LoopWriter writer(slots_, space_, segment_);
    std::string all;
    for (const EvalNode* condition : conditions) {
        body_.comment("where {}", describe(*condition, slots_));
        all += (all.empty() ? "" : " & ") + ("(" + writer.value(condition).isTrue() + ")");
    }
    body_.open("");
    beforeLoop(writer);
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 selected = {};", selected());
    body_.line("u32 kept = 0;");
    openLoop();
    body_.append(writer.body());
    body_.line("l->selection{}[kept] = u16({});", space_, writer.member());
    body_.line("kept += {};", all);
    body_.close();
    afterLoop(writer);
    body_.line("{} = l->selection{};", selection(), space_);
    body_.line("{} = kept;", selected());
    body_.line("if (kept == 0) return false;");
    body_.close();
}

/// Terms are tested in their order; those that cannot fail and need no interpreter, together.
void SegmentWriter::filter(const FilterStep& step) {
    std::vector<const EvalNode*> terms;
    const EvalNode* root = step.predicate.root;
    if (root->op == EvalOp::kAnd) terms.assign(root->args.begin(), root->args.end());
    else terms.push_back(root);
    std::vector<const EvalNode*> together;
    const auto flush = [&] {
        if (!together.empty()) keepWhere(together);
        together.clear();
    };
    for (const EvalNode* term : terms) {
        if (isNative(*term) && !term->subtree_fails) {
            together.push_back(term);
            continue;
        }
        flush();
        keepWhere({term});
    }
    flush();
}

void SegmentWriter::compute(const ComputeStep& step) {
    std::vector<Slot> stored;
    for (size_t i = 0; i < step.expressions.size(); ++i) {
        const EvalNode* root = step.expressions[i].root;
        const Slot target = step.targets[i];
        SlotSource& source = slots_[target];
        body_.comment("{} = {}", source.name, describe(*root, slots_));
        source.kind = SlotSource::Kind::kLazy;
        source.root = root;
        if (!isWritable(*root)) {
            // The whole is the interpreter's: its vector is the column.
            std::vector<bool> read(slots_.size(), false);
            collectSlots(root, read);
            materialise(read);
            LoopWriter writer(slots_, space_, segment_);
            writer.value(root);
            segment_.externals.back().target = target;
            body_.line("bs_evaluate(f, {});", segment_.externals.size() - 1);
            body_.line("if (f->failed) return false;");
            source.kind = SlotSource::Kind::kStored;
            source.space = space_;
        } else if (!isNative(*root) || (root->subtree_fails && drops_later_)) {
            stored.push_back(target);
        }
    }
    store(stored);
}

// ---- The end of a segment.

void SegmentWriter::deliver() {
    std::vector<bool> wanted(slots_.size(), false);
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
        if (!needed_after_[slot]) continue;
        wanted[slot] = true;
        segment_.delivered.push_back(slot);
    }
    body_.comment("the output batch");
    materialise(wanted);
    segment_.gives_tuples = space_ > 0;
    body_.line("return true;");
}

void SegmentWriter::writeStep(u32 step) {
    drops_later_ = false;
    for (u32 later = step + 1; later < range_.first_step + range_.step_count; ++later)
        drops_later_ |= dropsRows(pipeline_.steps[later].step);
    const StepInfo& info = pipeline_.steps[step];
    if (const auto* filter_step = std::get_if<FilterStep>(&info.step)) filter(*filter_step);
    else if (const auto* compute_step = std::get_if<ComputeStep>(&info.step))
        compute(*compute_step);
    else probe(std::get<ProbeStep>(info.step));
    countRows(step);
}

/// The driver: a new batch starts in space 0; a stage that ends goes back to the lookup before.
void SegmentWriter::finish() {
    SourceText text;
    const u32 spaces = u32(stages_.size());
    text.line("#include \"kernels/pipeline.h\"");
    text.line("using namespace blueshift::kernels;");
    text.blank();
    text.open("struct Local");
    for (u32 space = 0; space < spaces; ++space)
        text.line("u16 selection{}[kBatchRows + 64];", space);
    text.append(locals_);
    text.close(";");
    text.line("extern \"C\" const u32 @function_local_bytes = sizeof(Local);");
    for (u32 space = 0; space < spaces; ++space) {
        text.blank();
        if (space > 0) text.append(advances_[space - 1]);
        text.open("static bool stage{}(Frame* f, Local* l)", space);
        text.line("const JoinTable* const* tables = f->tables;");
        text.append(stages_[space]);
        text.close();
    }
    text.blank();
    text.open("extern \"C\" bool @function(Frame* f)");
    text.line("Local* l = static_cast<Local*>(f->local);");
    if (spaces == 1) {
        text.line("if (f->depth++ > 0) return false;");
        text.line("return stage0(f, l);");
    } else {
        text.open("if (f->depth == 0)");
        text.line("if (!stage0(f, l)) return false;");
        text.line("f->depth = 1;");
        text.close();
        text.comment(
            "deepest lookup first: another batch of its tuples, else back to the one before");
        text.open("while (f->depth > 0 && !f->failed)");
        text.open("switch (f->depth)");
        for (u32 space = 1; space < spaces; ++space) {
            text.open("case {}:", space);
            text.line("if (!advance{}(f, l)) {{ --f->depth; break; }}", space);
            if (space + 1 < spaces) {
                text.line("if (stage{}(f, l)) ++f->depth;", space);
                text.line("break;");
            } else {
                text.line("if (stage{}(f, l)) return true;", space);
                text.line("break;");
            }
            text.close();
        }
        text.close();
        text.close();
        text.line("return false;");
    }
    text.close();
    segment_.text = text.text();
    const std::string placeholder = "@function";
    for (size_t at = 0; (at = segment_.text.find(placeholder, at)) != std::string::npos;)
        segment_.text.replace(at, placeholder.size(), segment_.name);
    segment_.key = text.code();
}

Segment SegmentWriter::write() {
    nameSlots();
    findDelivered();
    segment_.name = fmt::format("pipeline_{}_segment_{}", pipeline_.id, range_.first_step);
    beginStage();
    for (u32 i = 0; i < range_.step_count; ++i) writeStep(range_.first_step + i);
    if (range_.fuses_group) updateGroups();
    else deliver();
    endStage();
    finish();
    return std::move(segment_);
}

std::vector<Segment> generateSegments(const Program& program, const Pipeline& pipeline,
                                      const RowShapes& shapes) {
    std::vector<Segment> segments;
    for (const SegmentRange& range : findSegments(program, pipeline))
        segments.push_back(SegmentWriter(program, pipeline, range, shapes).write());
    return segments;
}

} // namespace blueshift::compile
