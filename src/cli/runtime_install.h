/* runtime_install.h: gets a language and its AWS SDK onto this host, with the host's own package managers: npm, apt-get and
 * pip. What they print is passed on. */
#ifndef BRUME_CLI_RUNTIME_INSTALL_H
#define BRUME_CLI_RUNTIME_INSTALL_H

#include "base/arena.h"
#include "runtime/catalog.h"

/* Installs into directory/NAME, in place of what was installed there before, and says what is there now. Whatever goes
 * wrong leaves that as it was. Gives the command's exit code. */
int runtime_install_node(Arena *arena, const RuntimeName *runtime, const char *directory);
/* The interpreter comes from Debian, when the host has none; `directory` gets a current boto3, where there is a pip. */
int runtime_install_python(Arena *arena, const RuntimeName *runtime, const char *directory);

#endif
