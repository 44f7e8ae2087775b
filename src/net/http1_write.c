#include "net/http_internal.h"

#include "base/bug.h"

#include <stdio.h>

/* Phrases of statuses (RFC 9110, section 15, and the registry behind it). */
static const char *const phrases[] = {
    [100] = "Continue",
    [101] = "Switching Protocols",
    [200] = "OK",
    [201] = "Created",
    [202] = "Accepted",
    [204] = "No Content",
    [206] = "Partial Content",
    [301] = "Moved Permanently",
    [302] = "Found",
    [303] = "See Other",
    [304] = "Not Modified",
    [307] = "Temporary Redirect",
    [308] = "Permanent Redirect",
    [400] = "Bad Request",
    [401] = "Unauthorized",
    [403] = "Forbidden",
    [404] = "Not Found",
    [405] = "Method Not Allowed",
    [406] = "Not Acceptable",
    [408] = "Request Timeout",
    [409] = "Conflict",
    [410] = "Gone",
    [411] = "Length Required",
    [412] = "Precondition Failed",
    [413] = "Content Too Large",
    [414] = "URI Too Long",
    [415] = "Unsupported Media Type",
    [416] = "Range Not Satisfiable",
    [417] = "Expectation Failed",
    [424] = "Failed Dependency",
    [429] = "Too Many Requests",
    [431] = "Request Header Fields Too Large",
    [500] = "Internal Server Error",
    [501] = "Not Implemented",
    [502] = "Bad Gateway",
    [503] = "Service Unavailable",
    [504] = "Gateway Timeout",
    [505] = "HTTP Version Not Supported",
    [507] = "Insufficient Storage",
};

static Slice status_phrase(int status)
{
    bool known = (size_t)status < sizeof phrases / sizeof *phrases && phrases[status] != NULL;
    return slice_of_string(known ? phrases[status] : "");
}

Slice http_date_line(HttpServerLoop *on)
{
    enum { LINE_BYTES = 37, US_A_SECOND = 1000000, SECONDS_A_DAY = 86400 };
    static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* from 1970-01-01 */
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    uint64_t now_ms = uv_now(on->uv);
    if (on->date_checked_ms == now_ms && on->date[0] != '\0')
        return slice_make(on->date, LINE_BYTES);
    on->date_checked_ms = now_ms;
    uint64_t second = os_wall_us(loop_os(on->loop)) / US_A_SECOND;
    if (on->date_second == second && on->date[0] != '\0')
        return slice_make(on->date, LINE_BYTES);
    on->date_second = second;
    time_t wall = (time_t)second;
    struct tm utc;
    gmtime_r(&wall, &utc);
    char line[80];
    int size =
        snprintf(line, sizeof line, "date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[second / SECONDS_A_DAY % 7],
                 utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    ASSERT(size == LINE_BYTES);
    memcpy(on->date, line, LINE_BYTES);
    return slice_make(on->date, LINE_BYTES);
}

static char *put(char *at, Slice bytes)
{
    if (bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

#define PUT(at, literal) put((at), SLICE(literal))

/* Bytes that would end a field must not come from a value: they are made spaces (RFC 9110, 5.5). */
static char *put_value(char *at, Slice value)
{
    char *end = put(at, value);
    for (; at < end; at++)
        if (*at == '\r' || *at == '\n' || *at == '\0')
            *at = ' ';
    return end;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(at, slice_make(digits + first, sizeof digits - first));
}

static char *put_status(char *at, int status)
{
    ASSERT(status >= 100 && status <= 999);
    at = PUT(at, "HTTP/1.1 ");
    at = put_number(at, (uint64_t)status);
    at = PUT(at, " ");
    at = put(at, status_phrase(status));
    return PUT(at, "\r\n");
}

enum { FIXED_BYTES = 256 }; /* status line, date, connection and framing take less */

void http1_write_head(HttpExchange *exchange, const HttpResponse *response, Http1Framing framing, uint64_t length)
{
    HttpConnection *connection = exchange->connection;
    bool has_date = false;
    size_t size = FIXED_BYTES;
    for (size_t i = 0; i < response->header_count; i++)
        size += response->headers[i].name.size + response->headers[i].value.size + 4;
    char *at = put_status(http_output_reserve(connection, size), response->status);
    for (size_t i = 0; i < response->header_count; i++) {
        const HttpHeader *header = &response->headers[i];
        if (slice_equal_ignore_case(header->name, SLICE("connection")))
            continue; /* the connection is the server's business */
        if (slice_equal_ignore_case(header->name, SLICE("content-length")) && framing == HTTP1_FRAMING_LENGTH)
            continue;
        has_date = has_date || slice_equal_ignore_case(header->name, SLICE("date"));
        at = put_value(at, header->name);
        at = PUT(at, ": ");
        at = put_value(at, header->value);
        at = PUT(at, "\r\n");
    }
    if (!has_date)
        at = put(at, http_date_line(connection->on));
    if (exchange->close)
        at = PUT(at, "connection: close\r\n");
    else if (exchange->http10)
        at = PUT(at, "connection: keep-alive\r\n");
    if (framing == HTTP1_FRAMING_LENGTH) {
        at = PUT(at, "content-length: ");
        at = put_number(at, length);
        at = PUT(at, "\r\n");
    } else if (framing == HTTP1_FRAMING_CHUNKED) {
        at = PUT(at, "transfer-encoding: chunked\r\n");
    }
    http_output_commit(connection, PUT(at, "\r\n"));
}

void http1_write_refusal(HttpConnection *connection, HttpRefusal refusal)
{
    Slice why = slice_of_string(refusal.why);
    char *at = put_status(http_output_reserve(connection, FIXED_BYTES + why.size), refusal.status);
    at = put(at, http_date_line(connection->on));
    at = PUT(at, "connection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ");
    at = put_number(at, why.size + 1);
    at = PUT(at, "\r\n\r\n");
    at = put(at, why);
    http_output_commit(connection, PUT(at, "\n"));
}
