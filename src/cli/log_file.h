/* log_file.h: the file of --log-file, which may be rotated away while the server runs. */
#ifndef BRUME_CLI_LOG_FILE_H
#define BRUME_CLI_LOG_FILE_H

#include <stdbool.h>

/* Opens the file for appending, making it (mode 0640) when it is not there; does not wait for a pipe's reader. Gives a
 * descriptor, or -1 with errno. */
int log_file_open(const char *path);

/* Lets the open log `file` write to what `path` names now, at once for all threads: no line is lost or split between
 * two files. False with errno: it goes on as it was. */
bool log_file_reopen(const char *path, int file);

#endif
