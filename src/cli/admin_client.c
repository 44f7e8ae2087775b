#include "cli/admin_client.h"

#include "base/buffer.h"
#include "base/json.h"
#include "cli/data_directory.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD_MAX = 16 * 1024, ANSWER_MAX = 16 * 1024 * 1024, PIECE_SIZE = 256 * 1024, SIZE_LINE_MAX = 64 };

/* One exchange. Input is read ahead into `bytes`. */
typedef struct Exchange {
    int socket;
    Arena *arena;
    Slice *message;
    char *bytes;
    size_t at;
    size_t end;
    int status;
    bool chunked;
    uint64_t length;
} Exchange;

static bool fail(Exchange *exchange, Slice message)
{
    *exchange->message = message;
    return false;
}

static bool fail_cut(Exchange *exchange)
{
    return fail(exchange, SLICE("the server broke off its answer; see its log"));
}

static bool connect_to(Exchange *exchange, const char *data_directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = data_path(exchange->arena, data_directory, DATA_SOCKET);
    if (strlen(path) >= sizeof address.sun_path)
        return fail(exchange, arena_format(exchange->arena, "the path %s is too long for a socket", path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    exchange->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (exchange->socket < 0)
        return fail(exchange, arena_format(exchange->arena, "cannot make a socket: %s", strerror(errno)));
    if (connect(exchange->socket, (const struct sockaddr *)&address, sizeof address) == 0)
        return true;
    if (errno == EACCES)
        return fail(exchange,
                    arena_format(exchange->arena, "the server in %s belongs to another user", data_directory));
    return fail(exchange, arena_format(exchange->arena,
                                       "no server runs on %s: start it with `brume start --data %s`, or name another "
                                       "directory with --data",
                                       data_directory, data_directory));
}

static bool send_all(Exchange *exchange, Slice bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(exchange->socket, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return fail_cut(exchange);
        bytes = slice_skip(bytes, (size_t)sent);
    }
    return true;
}

/* Reads more behind what is there. */
static bool fill(Exchange *exchange)
{
    if (exchange->at == exchange->end)
        exchange->at = exchange->end = 0;
    if (exchange->end == PIECE_SIZE)
        return fail_cut(exchange);
    ssize_t got;
    do
        got = recv(exchange->socket, exchange->bytes + exchange->end, PIECE_SIZE - exchange->end, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return fail_cut(exchange);
    exchange->end += (size_t)got;
    return true;
}

/* The next line without its CR LF; a view that lives until the next read. */
static bool read_line(Exchange *exchange, size_t limit, Slice *line)
{
    for (;;) {
        Slice rest = {exchange->bytes + exchange->at, exchange->end - exchange->at};
        size_t size = slice_find(rest, '\n');
        if (size > limit)
            return fail_cut(exchange);
        if (size < rest.size) {
            exchange->at += size + 1;
            *line = (Slice){rest.data, size > 0 && rest.data[size - 1] == '\r' ? size - 1 : size};
            return true;
        }
        /* Room for the rest of the line. */
        memmove(exchange->bytes, rest.data, rest.size);
        exchange->at = 0;
        exchange->end = rest.size;
        if (!fill(exchange))
            return false;
    }
}

static bool read_head(Exchange *exchange)
{
    Slice line;
    uint64_t status;
    if (!read_line(exchange, HEAD_MAX, &line))
        return false;
    if (line.size < 12 || !slice_starts_with(line, SLICE("HTTP/1.1 ")) ||
        !slice_parse_uint64(slice_make(line.data + 9, 3), &status))
        return fail_cut(exchange);
    exchange->status = (int)status;
    for (size_t total = 0; total < HEAD_MAX; total += line.size) {
        if (!read_line(exchange, HEAD_MAX, &line))
            return false;
        if (line.size == 0)
            return true;
        size_t colon = slice_find(line, ':');
        if (colon == line.size)
            return fail_cut(exchange);
        Slice name = {line.data, colon};
        Slice value = slice_skip(line, colon + 1);
        while (value.size > 0 && value.data[0] == ' ')
            value = slice_skip(value, 1);
        if (slice_equal_ignore_case(name, SLICE("content-length")) && !slice_parse_uint64(value, &exchange->length))
            return fail_cut(exchange);
        if (slice_equal_ignore_case(name, SLICE("transfer-encoding")))
            exchange->chunked = slice_equal_ignore_case(value, SLICE("chunked"));
    }
    return fail_cut(exchange);
}

/* Hands `size` bytes of the answer over. */
static bool read_bytes(Exchange *exchange, uint64_t size, AdminWrite write, void *target)
{
    while (size > 0) {
        if (exchange->at == exchange->end && !fill(exchange))
            return false;
        size_t here = exchange->end - exchange->at;
        if (here > size)
            here = (size_t)size;
        if (!write(target, slice_make(exchange->bytes + exchange->at, here), exchange->message))
            return false;
        exchange->at += here;
        size -= here;
    }
    return true;
}

static bool read_hex(Slice text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = text.data[i] == '\0' ? NULL : strchr(digits, text.data[i] | 0x20);
        if (digit == NULL || *number >> 60 != 0)
            return false;
        *number = *number << 4 | (uint64_t)(digit - digits);
    }
    return text.size > 0;
}

/* RFC 9112 section 7.1. */
static bool read_chunks(Exchange *exchange, AdminWrite write, void *target)
{
    for (;;) {
        Slice line;
        uint64_t size;
        if (!read_line(exchange, SIZE_LINE_MAX, &line))
            return false;
        if (!read_hex(slice_make(line.data, slice_find(line, ';')), &size))
            return fail_cut(exchange);
        if (size == 0)
            return read_line(exchange, SIZE_LINE_MAX, &line) && (line.size == 0 || fail_cut(exchange));
        if (!read_bytes(exchange, size, write, target) || !read_line(exchange, SIZE_LINE_MAX, &line))
            return false;
        if (line.size > 0)
            return fail_cut(exchange);
    }
}

static bool read_body(Exchange *exchange, AdminWrite write, void *target)
{
    return exchange->chunked ? read_chunks(exchange, write, target)
                             : read_bytes(exchange, exchange->length, write, target);
}

/* ---- Answers that are kept ---- */

static bool keep_piece(void *target, Slice piece, Slice *message)
{
    Buffer *kept = target;
    if (kept->size + piece.size > ANSWER_MAX) {
        *message = SLICE("the server's answer is too long");
        return false;
    }
    buffer_add(kept, piece);
    return true;
}

/* The "message" of a refusal. */
static Slice message_of(Slice answer, Arena *arena)
{
    JsonReader reader = json_reader(answer, arena);
    Slice name;
    Slice text;
    if (json_begin_object(&reader) != OK)
        return SLICE("the server refused and did not say why; see its log");
    while (json_next_member(&reader, &name) == OK && name.data != NULL) {
        if (slice_equal(name, SLICE("message")) && json_read_string(&reader, &text) == OK)
            return text;
        if (json_read_any(&reader, &text) != OK)
            break;
    }
    return SLICE("the server refused and did not say why; see its log");
}

static bool run(Exchange *exchange, const char *data_directory, const char *path, Slice document, AdminWrite write,
                void *target)
{
    Slice head = arena_format(exchange->arena,
                              "POST %s HTTP/1.1\r\nHost: brume\r\nContent-Type: application/json\r\n"
                              "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                              path, document.size);
    if (!connect_to(exchange, data_directory) || !send_all(exchange, head) || !send_all(exchange, document) ||
        !read_head(exchange))
        return false;
    if (exchange->status == 200)
        return read_body(exchange, write, target);
    Buffer refusal = buffer_make(exchange->arena);
    if (!read_body(exchange, keep_piece, &refusal))
        return false;
    return fail(exchange, message_of(buffer_slice(&refusal), exchange->arena));
}

bool admin_stream(const char *data_directory, const char *path, Arena *arena, AdminWrite write, void *target,
                  Slice *message)
{
    Exchange exchange = {.socket = -1, .arena = arena, .message = message};
    exchange.bytes = arena_alloc(arena, PIECE_SIZE);
    bool whole = run(&exchange, data_directory, path, SLICE("{}"), write, target);
    if (exchange.socket >= 0)
        close(exchange.socket);
    return whole;
}

bool admin_call(const char *data_directory, const char *path, Slice document, Arena *arena, Slice *answer,
                Slice *message)
{
    Exchange exchange = {.socket = -1, .arena = arena, .message = message};
    Buffer kept = buffer_make(arena);
    exchange.bytes = arena_alloc(arena, PIECE_SIZE);
    bool whole = run(&exchange, data_directory, path, document, keep_piece, &kept);
    if (exchange.socket >= 0)
        close(exchange.socket);
    *answer = buffer_slice(&kept);
    return whole;
}
