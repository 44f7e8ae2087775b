#include "runtime/frames.h"

#include "base/bug.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

static void put(int channel, const void *content, size_t size)
{
    ASSERT(write(channel, content, size) == (ssize_t)size);
}

static void send_bytes(int channel, int kind, const char *content, uint32_t size)
{
    unsigned char header[CHANNEL_HEADER_SIZE] = {(unsigned char)kind};
    memcpy(header + 4, &size, sizeof size);
    put(channel, header, sizeof header);
    put(channel, content, size);
}

void frame_send(int channel, int kind, const char *text)
{
    send_bytes(channel, kind, text, (uint32_t)strlen(text));
}

void frame_send_event(int channel, const char *payload)
{
    static const char about[] =
        "{\"requestId\":\"8f507cfc-xmpl-4697-b07a-ac58fc914c95\",\"deadlineMs\":9999999999999,"
        "\"functionArn\":\"arn:aws:lambda:us-east-1:000000000000:function:hello\",\"streamed\":false}";
    static char content[FRAME_TEXT];
    uint32_t size = sizeof about - 1;
    memcpy(content, &size, sizeof size);
    memcpy(content + sizeof size, about, size);
    memcpy(content + sizeof size + size, payload, strlen(payload));
    send_bytes(channel, FRAME_INVOKE, content, (uint32_t)(sizeof size + size + strlen(payload)));
}

static bool get(int channel, char *content, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(channel, content + at, size - at);
        if (got > 0) {
            at += (size_t)got;
            continue;
        }
        if (got == 0 || errno != EAGAIN)
            return false;
        struct pollfd readable = {.fd = channel, .events = POLLIN};
        ASSERT(poll(&readable, 1, WAIT_MS) == 1);
    }
    return true;
}

int frame_receive(int channel, char text[FRAME_TEXT])
{
    char header[CHANNEL_HEADER_SIZE];
    do {
        uint32_t size;
        text[0] = '\0';
        if (!get(channel, header, sizeof header))
            return 0;
        memcpy(&size, header + 4, sizeof size);
        ASSERT(size < FRAME_TEXT);
        if (!get(channel, text, size))
            return 0;
        text[size] = '\0';
    } while (header[0] == FRAME_LOG);
    return header[0];
}
