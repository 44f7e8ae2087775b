/* frames.h: the server's side of a channel, for tests: blocking, one frame at a time. */
#ifndef BRUME_TESTS_RUNTIME_FRAMES_H
#define BRUME_TESTS_RUNTIME_FRAMES_H

#include "runtime/channel.h"

#include <stdbool.h>
#include <stddef.h>

enum { FRAME_TEXT = 64 << 10 };

void frame_send(int channel, int kind, const char *text);
/* An event of FRAME_INVOKE with this payload. */
void frame_send_event(int channel, const char *payload);
/* The next frame's kind, its content with a NUL in `text`; 0: the channel was closed. Log frames are passed over. */
int frame_receive(int channel, char text[FRAME_TEXT]);

#endif
