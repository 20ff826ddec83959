// ast.h: the syntax tree, the product of parse/.
//
// Place: text -> List<Statement*> (see parse/parse.h); read by bind/ and by statement.cpp.
// Owns: nothing; every node, list and text lives in the statement's arena, nothing has a
// destructor. Names are already folded; literals are already unescaped; no name is resolved, no
// type is known. `position` is a byte offset into the parsed text; characterPosition() turns it
// into the 1-based character position that errors carry. A tree is not changed after parse() has
// returned. Depth: nesting is limited to kMaxDepth (parse.h), but the left side of kBinary, kCast,
// kIs, kSubscript, kField, kCollate, AT TIME ZONE and joins grows with the length of a chain such
// as 1+1+1: walk it in a loop or count levels. AND, OR and set operations are n-ary.
#pragma once

#include "parse/ast_ddl.h"
#include "parse/ast_expression.h"
#include "parse/ast_query.h"
#include "parse/ast_statement.h"
