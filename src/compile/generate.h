// generate.h: front door of code generation: C++ for the segments of a pipeline.
//
// Place: Program -> segments with text -> jit/ -> execute/generated. Nothing is compiled here.
// Shapes of materialised rows are those of execute/, handed in by whoever calls.
// Cost: about 0.1 ms a pipeline.
#pragma once

#include "compile/segment.h"

namespace blueshift::compile {

/// The segments of `pipeline`, in order; none when nothing in it can be generated. All arguments
/// must outlive the result.
std::vector<Segment> generateSegments(const Program& program, const Pipeline& pipeline,
                                      const RowShapes& shapes);

} // namespace blueshift::compile
