// segment_writer.h: the text of one segment: stages over spaces, and the function that drives them.
//
// A stage is the code between two lookups that open a space. The driver is a generator: it returns
// true for every output batch and comes back to the deepest lookup that may have more tuples.
// Place: second half of codegen; see docs/design/codegen.md. Threads: one.
#pragma once

#include <functional>

#include "compile/codegen/loop_writer.h"
#include "compile/codegen/segment_plan.h"
#include "compile/generate.h"
#include "compile/group_ranges.h"

namespace blueshift::compile {

class Accumulators;

class SegmentWriter {
public:
    SegmentWriter(const Program& program, const Pipeline& pipeline, const SegmentRange& range,
                  const RowShapes& shapes);
    Segment write();

private:
    struct Lookup {
        const ProbeStep* spec;
        const BuildSink* build;
        u32 number;
        bool once; // narrows its space
    };

    void nameSlots();
    void findDelivered();
    void writeStep(u32 step);
    void filter(const FilterStep& step);
    void keepWhere(const std::vector<const EvalNode*>& conditions);
    void compute(const ComputeStep& step);
    void addBuildSlots(const Lookup& lookup, const std::vector<std::pair<u32, Slot>>& columns);

    // lookup_writer.cpp
    void probe(const ProbeStep& step);
    void candidateStages(const Lookup& lookup, bool keeps_keys, const std::function<void()>& each);
    std::string keyTest(const Lookup& lookup, LoopWriter* loop);
    void lookUpOnce(const Lookup& lookup);
    void keepUnmatched(const Lookup& lookup);
    void writeMark(const Lookup& lookup);
    void openSpace(const Lookup& lookup);
    void copyTuple(const Lookup& lookup, const char* match);

    // group_writer.cpp

    void updateGroups();
    bool groupsByNumber(const GroupSink& sink) const;
    void updateOnly(LoopWriter& writer, const Accumulators& sums);
    void updateByNumber(LoopWriter& writer, const Accumulators& sums);

    // group_lookup_writer.cpp
    void updateByHash(const GroupSink& sink, const LoopWriter& updates, const Accumulators& sums);
    bool canIndex(const std::vector<GroupRange>& ranges) const;
    void updateByValue(const std::vector<GroupRange>& ranges, const LoopWriter& updates,
                       const Accumulators& sums);
    void openStages(LoopWriter& keys, const std::string& names, const char* open);
    void openRows(LoopWriter& keys);
    void closeRows(LoopWriter& keys);
    void updateRuns(const LoopWriter& updates, const Accumulators& sums);
    void accumulate(const GroupSink::Call& call, u32 offset, LoopWriter& writer,
                    Accumulators& sums);

    void deliver();
    void store(const std::vector<Slot>& slots);
    void materialise(const std::vector<bool>& slots);
    void beforeLoop(LoopWriter& writer);
    void openLoop();
    void openStageLoop(const char* also);
    void afterLoop(LoopWriter& writer);
    void openFlags(const LoopWriter& writer);
    void countRows(u32 step);
    std::string selection() const { return space_ == 0 ? "f->selection" : "f->tuple_selection"; }
    std::string selected() const { return space_ == 0 ? "f->selected" : "f->tuple_selected"; }
    void beginStage();
    void endStage();
    void finish();

    const Program& program_;
    const Pipeline& pipeline_;
    const SegmentRange& range_;
    const RowShapes& shapes_;
    Segment segment_;
    SlotSources slots_;
    std::vector<bool> needed_after_; // slots read after the segment
    bool drops_later_ = false;       // a later step of the segment may drop rows
    std::vector<bool> fused_;
    u32 space_ = 0;
    std::vector<u32> passing_;         // lookups whose matches are kept, in order
    std::vector<SourceText> stages_;   // stage k works in space k
    std::vector<SourceText> advances_; // advance k + 1 gives the tuples of stage k + 1
    SourceText locals_;
    SourceText body_; // of the stage at hand
};

} // namespace blueshift::compile
