#include "http2_client.h"

#include "base/bug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

Http2Answer *http2_client_answer(Http2Client *client, int32_t id)
{
    ASSERT(id > 0 && id / 2 < HTTP2_CLIENT_ANSWERS);
    return &client->answers[id / 2];
}

/* ---- What libnghttp2 tells ---- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t size, int flags, void *user)
{
    (void)session;
    (void)flags;
    Http2Client *client = user;
    ssize_t sent = send(client->fd, data, size, MSG_NOSIGNAL);
    return sent < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : sent;
}

static int on_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                    const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
    (void)session;
    (void)flags;
    Http2Answer *answer = http2_client_answer(user, frame->hd.stream_id);
    if (name_size == 7 && memcmp(name, ":status", 7) == 0) {
        answer->interim = answer->status;
        answer->status = atoi((const char *)value);
    }
    size_t used = strlen(answer->fields);
    snprintf(answer->fields + used, sizeof answer->fields - used, "%.*s: %.*s\n", (int)name_size, (const char *)name,
             (int)value_size, (const char *)value);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    Http2Client *client = user;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->told_to_go = true;
        client->go_code = frame->goaway.error_code;
        client->go_last = frame->goaway.last_stream_id;
        snprintf(client->go_text, sizeof client->go_text, "%.*s", (int)frame->goaway.opaque_data_len,
                 frame->goaway.opaque_data_len > 0 ? (const char *)frame->goaway.opaque_data : "");
    } else if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
        for (size_t i = 0; i < frame->settings.niv; i++)
            if (frame->settings.iv[i].settings_id == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
                client->server_streams = frame->settings.iv[i].value;
        client->settled = true;
    } else if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
        Http2Answer *answer = http2_client_answer(client, frame->hd.stream_id);
        answer->has_head = answer->status >= 200;
        answer->ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *user)
{
    (void)session;
    (void)flags;
    Http2Answer *answer = http2_client_answer(user, id);
    answer->body = realloc(answer->body, answer->size + size + 1);
    ASSERT(answer->body != NULL);
    memcpy(answer->body + answer->size, data, size);
    answer->size += size;
    answer->body[answer->size] = '\0';
    return 0;
}

static int on_closed(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session;
    Http2Answer *answer = http2_client_answer(user, id);
    answer->closed = true;
    answer->code = code;
    return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *room, size_t most, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)user;
    Http2Answer *answer = source->ptr;
    size_t size = answer->sending_size < most ? answer->sending_size : most;
    if (size == 0 && answer->hold)
        return NGHTTP2_ERR_DEFERRED;
    if (size > 0)
        memcpy(room, answer->sending, size);
    answer->sending += size;
    answer->sending_size -= size;
    if (answer->sending_size == 0 && !answer->hold)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

/* ---- The client ---- */

static Http2Client *client_make(int fd, bool refill)
{
    Http2Client *client = calloc(1, sizeof *client);
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    ASSERT(client != NULL && nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_closed);
    nghttp2_option_set_no_auto_window_update(options, refill ? 0 : 1);
    /* Its mistakes are what tests are about. */
    nghttp2_option_set_no_http_messaging(options, 1);
    client->fd = fd;
    ASSERT(nghttp2_session_client_new2(&client->session, callbacks, client, options) == 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    return client;
}

Http2Client *http2_client_open(const HttpFixture *fixture, uint32_t window, bool refill)
{
    Http2Client *client = client_make(client_connect(fixture), refill);
    nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &setting, 1);
    nghttp2_session_set_local_window_size(client->session, NGHTTP2_FLAG_NONE, 0, 1 << 30);
    while (!client->settled)
        ASSERT(http2_client_turn(client));
    return client;
}

Http2Client *http2_client_upgraded(int fd, const uint8_t *settings, size_t size, bool is_head)
{
    Http2Client *client = client_make(fd, true);
    ASSERT(nghttp2_session_upgrade2(client->session, settings, size, is_head, NULL) == 0);
    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0);
    return client;
}

void http2_client_close(Http2Client *client)
{
    close(client->fd);
    nghttp2_session_del(client->session);
    for (size_t i = 0; i < HTTP2_CLIENT_ANSWERS; i++)
        free(client->answers[i].body);
    free(client);
}

static int32_t ask(Http2Client *client, const char *method, const char *path, const char *fields,
                   nghttp2_data_provider *provider)
{
    enum { MOST = 400 };
    nghttp2_nv list[MOST];
    size_t count = 0;
    char *copy = strdup(fields == NULL ? "" : fields);
    const char *pseudo[4][2] = {{":method", method}, {":scheme", "http"}, {":authority", "example"}, {":path", path}};
    for (size_t i = 0; i < 4; i++)
        if (pseudo[i][1] != NULL && (i != 2 || fields == NULL || strncmp(fields, "host:", 5) != 0))
            list[count++] = (nghttp2_nv){(uint8_t *)(uintptr_t)pseudo[i][0], (uint8_t *)(uintptr_t)pseudo[i][1],
                                         strlen(pseudo[i][0]), strlen(pseudo[i][1]), 0};
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char *colon = strchr(line + 1, ':');
        ASSERT(colon != NULL && count < MOST);
        char *value = colon[1] == ' ' ? colon + 2 : colon + 1;
        list[count++] = (nghttp2_nv){(uint8_t *)line, (uint8_t *)value, (size_t)(colon - line), strlen(value), 0};
    }
    int32_t id = nghttp2_submit_request(client->session, NULL, list, count, provider, NULL);
    ASSERT(id > 0);
    free(copy);
    return id;
}

int32_t http2_client_ask(Http2Client *client, const char *method, const char *path, const char *fields)
{
    return ask(client, method, path, fields, NULL);
}

int32_t http2_client_post(Http2Client *client, const char *path, const char *fields, const char *body, size_t size,
                          bool hold)
{
    int32_t next = (int32_t)nghttp2_session_get_next_stream_id(client->session);
    Http2Answer *answer = http2_client_answer(client, next);
    answer->sending = body;
    answer->sending_size = size;
    answer->hold = hold;
    nghttp2_data_provider provider = {.source = {.ptr = answer}, .read_callback = on_read};
    return ask(client, "POST", path, fields, &provider);
}

void http2_client_flush(Http2Client *client)
{
    if (nghttp2_session_send(client->session) != 0)
        client->gone = true;
}

bool http2_client_turn(Http2Client *client)
{
    uint8_t bytes[65536];
    http2_client_flush(client);
    ssize_t size = recv(client->fd, bytes, sizeof bytes, 0);
    if (size <= 0) {
        client->gone = size == 0 || errno == ECONNRESET;
        return false;
    }
    ASSERT(nghttp2_session_mem_recv(client->session, bytes, (size_t)size) == size);
    http2_client_flush(client);
    return true;
}

Http2Answer *http2_client_await(Http2Client *client, int32_t id)
{
    Http2Answer *answer = http2_client_answer(client, id);
    while (!answer->closed && http2_client_turn(client))
        continue;
    return answer;
}

/* ---- Raw frames ---- */

size_t raw_put(char *at, uint8_t type, uint8_t flags, uint32_t id, const void *payload, size_t size)
{
    unsigned char *head = (unsigned char *)at;
    head[0] = (unsigned char)(size >> 16);
    head[1] = (unsigned char)(size >> 8);
    head[2] = (unsigned char)size;
    head[3] = type;
    head[4] = flags;
    for (int i = 0; i < 4; i++)
        head[5 + i] = (unsigned char)(id >> (24 - 8 * i));
    if (size > 0)
        memcpy(at + 9, payload, size);
    return 9 + size;
}

void raw_send(int fd, uint8_t type, uint8_t flags, uint32_t id, const void *payload, size_t size)
{
    char *frame = malloc(9 + size);
    ASSERT(frame != NULL);
    client_send(fd, frame, raw_put(frame, type, flags, id, payload, size));
    free(frame);
}

size_t raw_put_get(char *at, uint32_t id, const char *path, bool end)
{
    /* GET, http, :authority "example", :path (RFC 7541, appendix A) */
    char block[128] = "\x82\x86\x41\x07"
                      "example\x04";
    size_t size = strlen(block);
    block[size++] = (char)strlen(path);
    memcpy(block + size, path, strlen(path));
    size += strlen(path);
    uint8_t flags = NGHTTP2_FLAG_END_HEADERS | (end ? NGHTTP2_FLAG_END_STREAM : 0);
    return raw_put(at, NGHTTP2_HEADERS, flags, id, block, size);
}

void raw_get(int fd, uint32_t id, const char *path, bool end)
{
    char frame[160];
    client_send(fd, frame, raw_put_get(frame, id, path, end));
}

int raw_open(const HttpFixture *fixture)
{
    int fd = client_connect(fixture);
    client_say(fd, NGHTTP2_CLIENT_MAGIC);
    raw_send(fd, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    return fd;
}

static bool read_frame(int fd, unsigned char head[9], char **payload)
{
    if (recv(fd, head, 9, MSG_WAITALL) != 9)
        return false;
    size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    *payload = malloc(size + 1);
    ASSERT(*payload != NULL);
    if (size == 0 || recv(fd, *payload, size, MSG_WAITALL) == (ssize_t)size)
        return true;
    free(*payload);
    return false;
}

static uint32_t number_at(const void *at)
{
    const unsigned char *bytes = at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool raw_await(int fd, uint8_t type, uint32_t *id, uint32_t *number)
{
    unsigned char head[9];
    char *payload;
    while (read_frame(fd, head, &payload)) {
        bool found = head[3] == type;
        if (found && id != NULL)
            *id = number_at(head + 5);
        if (found && number != NULL)
            *number = number_at(payload + (type == NGHTTP2_GOAWAY ? 4 : 0));
        free(payload);
        if (found)
            return true;
    }
    return false;
}

int64_t raw_await_goaway(int fd)
{
    uint32_t code;
    return raw_await(fd, NGHTTP2_GOAWAY, NULL, &code) ? (int64_t)code : -1;
}
