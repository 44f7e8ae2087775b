/* syntax.h: whether source files are of their language, as its own parser says, without running them.
 *
 * A process of the language waits beside the command that checks (runtimes/python/check.py, runtimes/nodejs/check.mjs), so that
 * a check takes a millisecond and not a start. Blocks. */
#ifndef BRUME_CLI_SYNTAX_H
#define BRUME_CLI_SYNTAX_H

#include "cli/source_folder.h"

#include <sys/types.h>

typedef struct Syntax {
    pid_t process; /* 0: nothing is checked */
    int file;
    bool is_python;
} Syntax;

/* Starts it for files of `folder`, for a runtime ("python3.11") whose program is `program`; the scripts lie in `scripts`. Runtimes of
 * other languages are not checked. False: it cannot be started. */
bool syntax_open(Syntax *syntax, Slice runtime, const char *program, const char *scripts, const char *folder);
void syntax_close(Syntax *syntax);
/* Checks the files of its language among these; `problems`: a line "FILE:LINE: what is wrong" for each that is not. False: it
 * does not answer, and checks no more. */
bool syntax_check(Syntax *syntax, const SourceFolder *files, Buffer *problems);

#endif
