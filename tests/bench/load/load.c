/* load.c: signed load over many connections; prints `name value unit` lines.
 *
 *     load MODE --port N --queue NAME [--queues N] [--connections N] [--streams N] [--seconds N] [--count N]
 *               [--batch N] [--body N] [--groups N] [--fifo 1]
 *
 * With --streams each connection speaks HTTP/2 and has that many requests in flight, otherwise HTTP/1.1 and one. With
 * --groups messages get that many message groups in turn, with --fifo a deduplication id each. Modes:
 *
 *     create    makes the queues
 *     send      SendMessage (SendMessageBatch with --batch) until --seconds or --count messages
 *     pipeline  on each connection: send one message, receive one, delete it; until --seconds
 *     receive   ReceiveMessage of one, --count times in all, the queues one after another in equal parts
 *     park      one ReceiveMessage that waits 20 seconds on each connection, the queues in turn; prints `parked` when
 *               all are under way and ends after --seconds
 *     wake      parks as `park` does, then sends --count messages, to the queues in turn, each when the one before has
 *               been received: the time from asking for the send to the receive's answer
 *
 * With --throttled, `send` may be refused with the throttling error, and asks the next at once.
 *
 * The key is that of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BODY_MAX = 1024, BATCH_MAX = 10, REQUEST_MAX = BATCH_MAX * (BODY_MAX + 192) + 256 };
static const uint64_t SECOND_NS = 1000000000;

static Options options = {
    .region = "us-east-1", .queue = "bench", .connections = 64, .queues = 1, .body_bytes = 300, .seconds = 5};

static struct {
    Lane *lanes;
    uint64_t start_ns;
    uint64_t asked; /* what has been asked for: messages, receives or queues */
    uint64_t done;
    uint64_t empty;   /* receives that gave nothing */
    uint64_t sent_ns; /* mode wake: when the send was asked for; 0: its message has been received */
    bool stopping;
    int in_flight;
} run;

static int lane_count(void)
{
    return options.connections * (options.streams > 0 ? options.streams : 1);
}

static void queue_url(char url[256], uint64_t number)
{
    if (options.queues > 1)
        snprintf(url, 256, "http://127.0.0.1:%d/000000000000/%s-%llu", options.port, options.queue,
                 (unsigned long long)number);
    else
        snprintf(url, 256, "http://127.0.0.1:%d/000000000000/%s", options.port, options.queue);
}

static void ask(Lane *lane, Operation operation, const char *name, const char *body, int size)
{
    run.in_flight++;
    lane_ask(lane, &options, operation, name, body, (size_t)size);
}

/* A body of its own for each message. */
static void message_body(char body[BODY_MAX + 1], uint64_t number)
{
    int size = snprintf(body, BODY_MAX, "message %llu ", (unsigned long long)number);
    for (int i = size; i < options.body_bytes; i++)
        body[i] = (char)('a' + i % 26);
    body[options.body_bytes] = '\0';
}

/* The members of a message that name its group and itself. */
static const char *message_names(char names[128], uint64_t number)
{
    int size = 0;
    names[0] = '\0';
    if (options.groups > 0)
        size = snprintf(names, 128, ",\"MessageGroupId\":\"group-%llu\"",
                        (unsigned long long)(number % (uint64_t)options.groups));
    if (options.fifo)
        snprintf(names + size, 128 - (size_t)size, ",\"MessageDeduplicationId\":\"%llx-%llu\"",
                 (unsigned long long)run.start_ns, (unsigned long long)number);
    return names;
}

static void ask_create(Lane *lane)
{
    char body[512];
    char url[256];
    queue_url(url, run.asked++);
    ask(lane, SEND, "CreateQueue", body,
        snprintf(body, sizeof(body), "{\"QueueName\":\"%s\"%s}", strrchr(url, '/') + 1,
                 options.fifo ? ",\"Attributes\":{\"FifoQueue\":\"true\"}" : ""));
}

static void ask_send(Lane *lane)
{
    char body[REQUEST_MAX];
    char url[256];
    char message[BODY_MAX + 1];
    queue_url(url, run.asked % (uint64_t)options.queues);
    char names[128];
    message_body(message, run.asked);
    message_names(names, run.asked++);
    ask(lane, SEND, "SendMessage", body,
        snprintf(body, sizeof(body), "{\"QueueUrl\":\"%s\",\"MessageBody\":\"%s\"%s}", url, message, names));
}

static void ask_batch(Lane *lane)
{
    char body[REQUEST_MAX];
    char url[256];
    char message[BODY_MAX + 1];
    queue_url(url, run.asked / (uint64_t)options.batch % (uint64_t)options.queues);
    int size = snprintf(body, sizeof(body), "{\"QueueUrl\":\"%s\",\"Entries\":[", url);
    for (int i = 0; i < options.batch; i++) {
        char names[128];
        message_body(message, run.asked);
        message_names(names, run.asked++);
        size += snprintf(body + size, sizeof(body) - (size_t)size, "%s{\"Id\":\"%d\",\"MessageBody\":\"%s\"%s}",
                         i == 0 ? "" : ",", i, message, names);
    }
    size += snprintf(body + size, sizeof(body) - (size_t)size, "]}");
    ask(lane, SEND, "SendMessageBatch", body, size);
}

static void ask_receive(Lane *lane, uint64_t queue, int wait_seconds)
{
    char body[512];
    char url[256];
    queue_url(url, queue);
    ask(lane, RECEIVE, "ReceiveMessage", body,
        snprintf(body, sizeof(body),
                 "{\"QueueUrl\":\"%s\",\"MaxNumberOfMessages\":1,\"VisibilityTimeout\":600,\"WaitTimeSeconds\":%d}",
                 url, wait_seconds));
}

static void ask_delete(Lane *lane)
{
    char body[2048];
    char url[256];
    queue_url(url, 0);
    ask(lane, DELETE, "DeleteMessage", body,
        snprintf(body, sizeof(body), "{\"QueueUrl\":\"%s\",\"ReceiptHandle\":\"%s\"}", url, lane->receipt));
}

/* Keeps the receipt of an answer; false when it holds no message. */
static bool take_receipt(Lane *lane, const char *body)
{
    static const char name[] = "\"ReceiptHandle\":\"";
    const char *start = strstr(body, name);
    if (start == NULL)
        return false;
    start += sizeof(name) - 1;
    size_t size = strcspn(start, "\"");
    if (size >= sizeof(lane->receipt))
        fail("a receipt of %zu bytes", size);
    memcpy(lane->receipt, start, size);
    lane->receipt[size] = '\0';
    return true;
}

/* ---- What each mode does next on a connection that is free ---- */

static void next_send(Lane *lane)
{
    if (options.count != 0 && run.asked >= options.count)
        return;
    if (options.batch > 0)
        ask_batch(lane);
    else
        ask_send(lane);
}

static void next_create(Lane *lane)
{
    if (run.asked < (uint64_t)options.queues)
        ask_create(lane);
}

static void next_receive(Lane *lane)
{
    if (run.asked < options.count)
        ask_receive(lane, run.asked++ * (uint64_t)options.queues / options.count, 0);
}

static void next_pipeline(Lane *lane)
{
    switch (lane->operation) {
    case SEND:
        ask_receive(lane, 0, 0);
        return;
    case RECEIVE:
        ask_delete(lane);
        return;
    default:
        ask_send(lane);
    }
}

static void next_park(Lane *lane)
{
    if (run.asked < (uint64_t)lane_count())
        ask_receive(lane, run.asked++ % (uint64_t)options.queues, 20);
}

static void next_wake(Lane *lane)
{
    ask_receive(lane, (uint64_t)(lane->number % options.queues), 20);
}

static const struct Mode {
    const char *name;
    void (*next)(Lane *lane);
} modes[] = {
    {"create", next_create},   {"send", next_send}, {"pipeline", next_pipeline},
    {"receive", next_receive}, {"park", next_park}, {"wake", next_wake},
};
static const struct Mode *mode;

static void answered(Lane *lane, const char *body, size_t size)
{
    run.in_flight--;
    if (lane->operation == SEND && options.batch > 0 && strstr(body, "\"Failed\":[{") != NULL)
        fail("an entry of a batch failed: %.*s", (int)size, body);
    bool got = lane->operation != RECEIVE || take_receipt(lane, body);
    if (mode->next == next_wake && lane->operation == RECEIVE && got && run.sent_ns != 0) {
        stats_add(WAKE, now_ns() - run.sent_ns);
        run.sent_ns = 0;
    }
    if (!got) {
        run.empty++;
        if (mode->next == next_pipeline) {
            ask_receive(lane, 0, 0);
            return;
        }
    }
    if (mode->next != next_pipeline)
        run.done += options.batch > 0 ? (uint64_t)options.batch : 1;
    else if (lane->operation == DELETE)
        run.done++;
    if (!run.stopping && !(mode->next == next_wake && lane->operation == SEND))
        mode->next(lane);
}

/* The worst that a client can do: no pause. */
static void refused(Lane *lane)
{
    run.in_flight--;
    if (!run.stopping)
        mode->next(lane);
}

/* ---- Running ---- */

static void serve_until(uint64_t end_ns)
{
    while (run.in_flight > 0 && now_ns() < end_ns)
        lanes_serve(100);
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

/* Each message once all receives wait: a waiter that was woken waits again before its queue's turn comes back. */
static void wake_in_turn(void)
{
    Options alone = options;
    alone.streams = 0;
    Lane *sender = lanes_open(&alone, 1, answered, refused);
    serve_until(now_ns() + 2 * SECOND_NS);
    for (uint64_t i = 0; i < options.count; i++) {
        run.asked = i;
        run.sent_ns = now_ns();
        ask_send(sender);
        uint64_t end_ns = run.sent_ns + 5 * SECOND_NS;
        while ((run.sent_ns != 0 || sender->busy) && now_ns() < end_ns)
            lanes_serve(100);
        if (run.sent_ns != 0)
            fail("a message woke nobody");
    }
    run.stopping = true;
    stats_print();
}

static void run_load(void)
{
    run.lanes = lanes_open(&options, lane_count(), answered, refused);
    uint64_t start_ns = now_ns();
    for (int i = 0; i < lane_count(); i++) {
        run.lanes[i].operation = DELETE; /* so that a chain starts at its beginning */
        mode->next(&run.lanes[i]);
    }
    if (mode->next == next_park) {
        hold_parked();
        return;
    }
    if (mode->next == next_wake) {
        wake_in_turn();
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
    printf("accepted %llu messages\n", (unsigned long long)run.done);
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
             !take_number(name, value, &options.streams, "--streams") &&
             !take_number(name, value, &options.groups, "--groups") &&
             !take_number(name, value, &options.fifo, "--fifo") &&
             !take_number(name, value, &options.queues, "--queues") &&
             !take_number(name, value, &options.batch, "--batch") &&
             !take_number(name, value, &options.body_bytes, "--body") &&
             !take_number(name, value, &options.throttled, "--throttled") &&
             !take_number(name, value, &options.seconds, "--seconds"))
        fail("no option %s", name);
}

int main(int count, char **arguments)
{
    for (size_t i = 0; count > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, arguments[1]) == 0)
            mode = &modes[i];
    if (mode == NULL)
        fail("usage: load create|send|pipeline|receive|park|wake --port N --queue NAME …");
    for (int i = 2; i + 1 < count; i += 2)
        take_option(arguments[i], arguments[i + 1]);
    options.key_id = getenv("AWS_ACCESS_KEY_ID");
    options.secret = getenv("AWS_SECRET_ACCESS_KEY");
    if (options.port == 0 || options.key_id == NULL || options.secret == NULL)
        fail("--port, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed");
    if (options.body_bytes > BODY_MAX || options.batch > BATCH_MAX || options.queues < 1)
        fail("--body, --batch or --queues is out of range");
    struct rlimit files = {.rlim_cur = 65536, .rlim_max = 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    sign_start(&options);
    run.start_ns = now_ns();
    run_load();
    return 0;
}
