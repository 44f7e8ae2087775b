/* load.c: signed load over many connections; prints `name value unit` lines.
 *
 *     load MODE --port N --queue NAME [--queues N] [--connections N] [--seconds N] [--count N] [--batch N] [--body N]
 *               [--groups N]
 *
 *     create    makes the queues
 *     send      SendMessage (SendMessageBatch with --batch) until --seconds or --count messages
 *     pipeline  on each connection: send one message, receive one, delete it; until --seconds
 *     receive   ReceiveMessage of one, --count times in all, the queues one after another in equal parts
 *     park      one ReceiveMessage that waits 20 seconds on each connection, the queues in turn; prints `parked` when
 *               all are under way and ends after --seconds
 *
 * With --groups N, messages have the N groups in turn. A queue whose name ends with .fifo is a FIFO queue, and messages
 * have deduplication ids of their own.
 *
 * The key is that of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BODY_MAX = 1024, BATCH_MAX = 10, GROUP_MAX = 128, REQUEST_MAX = BATCH_MAX * (BODY_MAX + GROUP_MAX + 64) + 256 };
static const uint64_t SECOND_NS = 1000000000;

static Options options = {
    .region = "us-east-1", .queue = "bench", .connections = 64, .queues = 1, .body_bytes = 300, .seconds = 5};

static struct {
    Connection *connections;
    uint64_t asked; /* what has been asked for: messages, receives or queues */
    uint64_t done;
    uint64_t empty; /* receives that gave nothing */
    bool stopping;
    int in_flight;
} run;

static void queue_url(char url[256], uint64_t number)
{
    if (options.queues > 1)
        snprintf(url, 256, "http://127.0.0.1:%d/000000000000/%s-%llu", options.port, options.queue,
                 (unsigned long long)number);
    else
        snprintf(url, 256, "http://127.0.0.1:%d/000000000000/%s", options.port, options.queue);
}

static void ask(Connection *connection, Operation operation, const char *name, const char *body, int size)
{
    run.in_flight++;
    connection_ask(connection, &options, operation, name, body, (size_t)size);
}

/* A body of its own for each message. */
static void message_body(char body[BODY_MAX + 1], uint64_t number)
{
    int size = snprintf(body, BODY_MAX, "message %llu ", (unsigned long long)number);
    for (int i = size; i < options.body_bytes; i++)
        body[i] = (char)('a' + i % 26);
    body[options.body_bytes] = '\0';
}

static bool is_fifo(void)
{
    size_t size = strlen(options.queue);
    return size > 5 && strcmp(options.queue + size - 5, ".fifo") == 0;
}

/* The members of a request that name the message's group and, on FIFO queues, its deduplication id. */
static void group_members(char members[GROUP_MAX], uint64_t number)
{
    members[0] = '\0';
    if (options.groups == 0)
        return;
    int size = snprintf(members, GROUP_MAX, ",\"MessageGroupId\":\"group-%llu\"",
                        (unsigned long long)(number % (uint64_t)options.groups));
    if (is_fifo()) /* another run's ids must not be repeated */
        snprintf(members + size, (size_t)(GROUP_MAX - size), ",\"MessageDeduplicationId\":\"%d-%llu\"", (int)getpid(),
                 (unsigned long long)number);
}

static void ask_create(Connection *connection)
{
    char body[512];
    char url[256];
    queue_url(url, run.asked++);
    ask(connection, SEND, "CreateQueue", body,
        snprintf(body, sizeof(body), "{\"QueueName\":\"%s\"%s}", strrchr(url, '/') + 1,
                 is_fifo() ? ",\"Attributes\":{\"FifoQueue\":\"true\"}" : ""));
}

static void ask_send(Connection *connection)
{
    char body[REQUEST_MAX];
    char url[256];
    char message[BODY_MAX + 1];
    char group[GROUP_MAX];
    queue_url(url, run.asked % (uint64_t)options.queues);
    group_members(group, run.asked);
    message_body(message, run.asked++);
    ask(connection, SEND, "SendMessage", body,
        snprintf(body, sizeof(body), "{\"QueueUrl\":\"%s\",\"MessageBody\":\"%s\"%s}", url, message, group));
}

static void ask_batch(Connection *connection)
{
    char body[REQUEST_MAX];
    char url[256];
    char message[BODY_MAX + 1];
    queue_url(url, run.asked / (uint64_t)options.batch % (uint64_t)options.queues);
    int size = snprintf(body, sizeof(body), "{\"QueueUrl\":\"%s\",\"Entries\":[", url);
    for (int i = 0; i < options.batch; i++) {
        char group[GROUP_MAX];
        group_members(group, run.asked);
        message_body(message, run.asked++);
        size += snprintf(body + size, sizeof(body) - (size_t)size, "%s{\"Id\":\"%d\",\"MessageBody\":\"%s\"%s}",
                         i == 0 ? "" : ",", i, message, group);
    }
    size += snprintf(body + size, sizeof(body) - (size_t)size, "]}");
    ask(connection, SEND, "SendMessageBatch", body, size);
}

static void ask_receive(Connection *connection, uint64_t queue, int wait_seconds)
{
    char body[512];
    char url[256];
    queue_url(url, queue);
    ask(connection, RECEIVE, "ReceiveMessage", body,
        snprintf(body, sizeof(body),
                 "{\"QueueUrl\":\"%s\",\"MaxNumberOfMessages\":1,\"VisibilityTimeout\":600,\"WaitTimeSeconds\":%d}",
                 url, wait_seconds));
}

static void ask_delete(Connection *connection)
{
    char body[2048];
    char url[256];
    queue_url(url, 0);
    ask(connection, DELETE, "DeleteMessage", body,
        snprintf(body, sizeof(body), "{\"QueueUrl\":\"%s\",\"ReceiptHandle\":\"%s\"}", url, connection->receipt));
}

/* Keeps the receipt of an answer; false when it holds no message. */
static bool take_receipt(Connection *connection, const char *body)
{
    static const char name[] = "\"ReceiptHandle\":\"";
    const char *start = strstr(body, name);
    if (start == NULL)
        return false;
    start += sizeof(name) - 1;
    size_t size = strcspn(start, "\"");
    if (size >= sizeof(connection->receipt))
        fail("a receipt of %zu bytes", size);
    memcpy(connection->receipt, start, size);
    connection->receipt[size] = '\0';
    return true;
}

/* ---- What each mode does next on a connection that is free ---- */

static void next_send(Connection *connection)
{
    if (options.count != 0 && run.asked >= options.count)
        return;
    if (options.batch > 0)
        ask_batch(connection);
    else
        ask_send(connection);
}

static void next_create(Connection *connection)
{
    if (run.asked < (uint64_t)options.queues)
        ask_create(connection);
}

static void next_receive(Connection *connection)
{
    if (run.asked < options.count)
        ask_receive(connection, run.asked++ * (uint64_t)options.queues / options.count, 0);
}

static void next_pipeline(Connection *connection)
{
    switch (connection->operation) {
    case SEND:
        ask_receive(connection, 0, 0);
        return;
    case RECEIVE:
        ask_delete(connection);
        return;
    default:
        ask_send(connection);
    }
}

static void next_park(Connection *connection)
{
    if (run.asked < (uint64_t)options.connections)
        ask_receive(connection, run.asked++ % (uint64_t)options.queues, 20);
}

static const struct Mode {
    const char *name;
    void (*next)(Connection *connection);
} modes[] = {
    {"create", next_create},   {"send", next_send}, {"pipeline", next_pipeline},
    {"receive", next_receive}, {"park", next_park},
};
static const struct Mode *mode;

static void answered(Connection *connection, const char *body, size_t size)
{
    run.in_flight--;
    if (connection->operation == SEND && options.batch > 0 && strstr(body, "\"Failed\":[{") != NULL)
        fail("an entry of a batch failed: %.*s", (int)size, body);
    bool got = connection->operation != RECEIVE || take_receipt(connection, body);
    if (!got) {
        run.empty++;
        if (mode->next == next_pipeline) {
            ask_receive(connection, 0, 0);
            return;
        }
    }
    if (mode->next != next_pipeline)
        run.done += options.batch > 0 ? (uint64_t)options.batch : 1;
    else if (connection->operation == DELETE)
        run.done++;
    if (!run.stopping)
        mode->next(connection);
}

/* ---- Running ---- */

static void serve_until(uint64_t end_ns)
{
    while (run.in_flight > 0 && now_ns() < end_ns)
        connections_serve(100);
}

/* All requests are under way when their bytes are sent; a moment later the server has read them. */
static void hold_parked(void)
{
    serve_until(now_ns() + 2 * SECOND_NS);
    printf("parked\n");
    fflush(stdout);
    serve_until(now_ns() + (uint64_t)options.seconds * SECOND_NS);
    printf("left_early %llu requests\n", (unsigned long long)run.done);
}

static void run_load(void)
{
    run.connections = connections_open(&options, options.connections, answered);
    uint64_t start_ns = now_ns();
    for (int i = 0; i < options.connections; i++) {
        run.connections[i].operation = DELETE; /* so that a chain starts at its beginning */
        mode->next(&run.connections[i]);
    }
    if (mode->next == next_park) {
        hold_parked();
        return;
    }
    serve_until(options.count != 0 || mode->next == next_create ? UINT64_MAX
                                                                : start_ns + (uint64_t)options.seconds * SECOND_NS);
    double seconds = (double)(now_ns() - start_ns) / 1e9;
    printf("rate %.0f per_second\nseconds %.3f s\n", (double)run.done / seconds, seconds);
    printf("empty %llu receives\n", (unsigned long long)run.empty);
    stats_print();
    /* What is in flight is answered before the connections close. */
    run.stopping = true;
    serve_until(now_ns() + 2 * SECOND_NS);
}

static bool take_number(const char *name, const char *value, int *number, const char *option)
{
    if (strcmp(name, option) == 0)
        *number = atoi(value);
    return strcmp(name, option) == 0;
}

static void take_option(const char *name, const char *value)
{
    if (strcmp(name, "--queue") == 0)
        options.queue = value;
    else if (strcmp(name, "--count") == 0)
        options.count = strtoull(value, NULL, 10);
    else if (!take_number(name, value, &options.port, "--port") &&
             !take_number(name, value, &options.connections, "--connections") &&
             !take_number(name, value, &options.queues, "--queues") &&
             !take_number(name, value, &options.batch, "--batch") &&
             !take_number(name, value, &options.groups, "--groups") &&
             !take_number(name, value, &options.body_bytes, "--body") &&
             !take_number(name, value, &options.seconds, "--seconds"))
        fail("no option %s", name);
}

int main(int count, char **arguments)
{
    for (size_t i = 0; count > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, arguments[1]) == 0)
            mode = &modes[i];
    if (mode == NULL)
        fail("usage: load create|send|pipeline|receive|park --port N --queue NAME …");
    for (int i = 2; i + 1 < count; i += 2)
        take_option(arguments[i], arguments[i + 1]);
    options.key_id = getenv("AWS_ACCESS_KEY_ID");
    options.secret = getenv("AWS_SECRET_ACCESS_KEY");
    if (options.port == 0 || options.key_id == NULL || options.secret == NULL)
        fail("--port, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed");
    if (options.body_bytes > BODY_MAX || options.batch > BATCH_MAX || options.queues < 1 || options.groups < 0)
        fail("--body, --batch, --queues or --groups is out of range");
    struct rlimit files = {.rlim_cur = 65536, .rlim_max = 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    sign_start(&options);
    run_load();
    return 0;
}
