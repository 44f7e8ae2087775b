/* admin_client.h: what commands ask of the running server, over DATA/admin.sock.
 *
 * A small blocking HTTP/1.1 client for that one peer. Failures come as one line for the user, in the arena. */
#ifndef BRUME_CLI_ADMIN_CLIENT_H
#define BRUME_CLI_ADMIN_CLIENT_H

#include "base/arena.h"
#include "base/error.h"

/* Posts a JSON document and gives the answer's. False: `message` says why. */
bool admin_call(const char *data_directory, const char *path, Slice document, Arena *arena, Slice *answer,
                Slice *message);

/* Posts and hands over the answer's bytes as they come; `write` gives false with `message` set when it cannot take
 * them. False unless the answer came whole. */
typedef bool (*AdminWrite)(void *target, Slice piece, Slice *message);
bool admin_stream(const char *data_directory, const char *path, Arena *arena, AdminWrite write, void *target,
                  Slice *message);

#endif
