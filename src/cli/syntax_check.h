/* syntax_check.h: whether files can be what a runtime's language is, said by that language's own program: for a developer who
 * has just saved one. Nothing of them is run. Blocks: for commands. */
#ifndef BRUME_CLI_SYNTAX_CHECK_H
#define BRUME_CLI_SYNTAX_CHECK_H

#include "base/arena.h"
#include "runtime/catalog.h"

typedef struct SyntaxChecker {
    RuntimeEntry runtime;
    bool can_check; /* there is a program of exactly that version here */
} SyntaxChecker;

/* For a runtime's name ("python3.11"), looked up as `brume runtime list` does. */
SyntaxChecker syntax_checker(Slice runtime, Arena *arena);

/* Whether `name`, below `folder`, can be taken; files of other languages can. `problem`: what the program says, in
 * `arena`: where, and what is wrong. */
bool syntax_is_right(const SyntaxChecker *checker, const char *folder, Slice name, Arena *arena, Slice *problem);

#endif
