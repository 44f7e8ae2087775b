/* The commands as a user meets them: each runs in a process of its own, against a real server on a free port. */
#include "cli/command.h"
#include "runtime/runtime_api.h"
#include "runtime/spawner.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_MAX = 32768, WORDS = 16, PATIENCE_MS = 20000 };

typedef struct Place {
    char directory[64]; /* everything of one test lies here */
    char data[96];
    pid_t server; /* 0: none */
    int port;
    char line[512]; /* what the server said when it was ready */
} Place;

/* What a command printed, both outputs together, and how it ended. */
typedef struct Result {
    int code;
    char text[TEXT_MAX];
} Result;

/* Runs `brume WORDS…` in a child whose output goes into a pipe. */
static pid_t spawn(const char *const *words, int *output)
{
    char *copy[WORDS + 1] = {"brume"};
    int count = 1;
    for (; words[count - 1] != NULL; count++) {
        assert_true(count < WORDS);
        copy[count] = (char *)(uintptr_t)words[count - 1];
    }
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        int code = command_main(count, copy);
        fflush(NULL);
        _exit(code);
    }
    close(ends[1]);
    *output = ends[0];
    return child;
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static Result run_words(const char *const *words)
{
    Result result = {0};
    int output;
    int status;
    size_t size = 0;
    pid_t child = spawn(words, &output);
    for (ssize_t got = 1; got > 0 && size < TEXT_MAX - 1; size += (size_t)(got > 0 ? got : 0))
        got = read(output, result.text + size, TEXT_MAX - 1 - size);
    close(output);
    assert_int_equal(waitpid(child, &status, 0), child);
    result.code = code_of(status);
    return result;
}

#define RUN(...) run_words((const char *const[]){__VA_ARGS__, NULL})

static void expect_failure(Result result, const char *part)
{
    if (result.code != EXIT_FAILED || strstr(result.text, part) == NULL)
        print_error("code %d: %s\n", result.code, result.text);
    assert_int_equal(result.code, EXIT_FAILED);
    assert_non_null(strstr(result.text, part));
    assert_memory_equal(result.text, "brume: ", 7);
    assert_ptr_equal(strchr(result.text, '\n'), result.text + strlen(result.text) - 1); /* one line */
}

/* Starts a server and waits for its line. */
static void start_with(Place *place, const char *option)
{
    int output;
    const char *words[] = {"start", "--data", place->data, "--listen", "127.0.0.1:0", "--threads", "1", option, NULL};
    place->server = spawn(words, &output);
    size_t size = 0;
    while (strchr(place->line, '\n') == NULL || size == 0) {
        ssize_t got = read(output, place->line + size, sizeof place->line - 1 - size);
        assert_true(got > 0);
        size += (size_t)got;
        place->line[size] = '\0';
    }
    close(output);
    const char *address = strstr(place->line, "http://127.0.0.1:");
    assert_non_null(address);
    place->port = (int)strtol(address + 17, NULL, 10);
    assert_true(place->port > 0);
}

static void start(Place *place)
{
    start_with(place, NULL);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits until the server has ended and gives its code. */
static int wait_for_end(Place *place)
{
    int status;
    assert_int_equal(waitpid(place->server, &status, 0), place->server);
    place->server = 0;
    place->line[0] = '\0';
    return code_of(status);
}

static int stop(Place *place)
{
    assert_int_equal(kill(place->server, SIGTERM), 0);
    return wait_for_end(place);
}

static int connect_to(const Place *place)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)place->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(connection >= 0);
    assert_int_equal(connect(connection, (const struct sockaddr *)&address, sizeof address), 0);
    return connection;
}

static void send_text(int connection, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t sent = send(connection, text, left, MSG_NOSIGNAL);
        assert_true(sent > 0);
        text += sent;
        left -= (size_t)sent;
    }
}

/* Reads until the text holds `part`; what comes behind is left in `text` too. */
static void expect_answer(int connection, const char *part, char *text)
{
    size_t size = 0;
    text[0] = '\0';
    while (strstr(text, part) == NULL) {
        struct pollfd ready = {.fd = connection, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        ssize_t got = recv(connection, text + size, TEXT_MAX - 1 - size, 0);
        if (got <= 0)
            print_error("got only: %s\n", text);
        assert_true(got > 0);
        size += (size_t)got;
        text[size] = '\0';
    }
}

static void request(const Place *place, const char *path, const char *part, char *text)
{
    char head[256];
    int connection = connect_to(place);
    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    send_text(connection, head);
    expect_answer(connection, part, text);
    close(connection);
}

/* An SQS call in the AWS JSON protocol, left unanswered. */
static int call_sqs(const Place *place, const char *operation, const char *document)
{
    char head[1024];
    int connection = connect_to(place);
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.%s\r\nContent-Type: application/x-amz-json-1.0\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             operation, strlen(document), document);
    send_text(connection, head);
    return connection;
}

static void make_queue(const Place *place, char *url, size_t size)
{
    char text[TEXT_MAX];
    int connection = call_sqs(place, "CreateQueue", "{\"QueueName\":\"q\"}");
    expect_answer(connection, "\"}", text);
    close(connection);
    char *begin = strstr(text, "http://");
    assert_non_null(begin);
    snprintf(url, size, "%.*s", (int)strcspn(begin, "\""), begin);
}

static int open_place(void **state)
{
    Place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    strcpy(place->directory, "/tmp/brume-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->data, sizeof place->data, "%s/data", place->directory);
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    Place *place = *state;
    char command[128];
    if (place->server > 0) {
        kill(place->server, SIGKILL);
        waitpid(place->server, NULL, 0);
    }
    snprintf(command, sizeof command, "rm -rf '%s'", place->directory);
    int code = system(command);
    free(place);
    return code;
}

static void a_server_says_where_it_is_and_stops_on_sigterm(void **state)
{
    Place *place = *state;
    char text[TEXT_MAX];
    start(place);
    char expected[256];
    snprintf(expected, sizeof expected,
             "brume " BRUME_VERSION " listening on http://127.0.0.1:%d, data in %s, auth open\n", place->port,
             place->data);
    assert_string_equal(place->line, expected);
    request(place, "/_brume/health", "\"ready\":true", text);
    assert_memory_equal(text, "HTTP/1.1 200 ", 13);
    request(place, "/_brume/metrics", "brume_process_resident_bytes ", text);
    request(place, "/_brume/other", "there are /_brume/health and", text);
    assert_memory_equal(text, "HTTP/1.1 404 ", 13);
    assert_int_equal(stop(place), 0);
}

static void what_keeps_a_server_from_starting_is_said_in_one_line(void **state)
{
    Place *place = *state;
    char other[128];
    char address[64];
    start(place);
    snprintf(other, sizeof other, "%s/other", place->directory);
    snprintf(address, sizeof address, "127.0.0.1:%d", place->port);
    expect_failure(RUN("start", "--data", other, "--listen", address), "is in use: stop what listens there");
    expect_failure(RUN("start", "--data", place->data, "--listen", "127.0.0.1:0"), place->data);
    expect_failure(RUN("start", "--data", other, "--listen", "0.0.0.0:0"), "add --insecure-listen and --auth signed");
    expect_failure(RUN("start", "--data", other, "--config", "/nonexistent"), "cannot read the configuration");
    expect_failure(RUN("start", "--data", other, "--threads", "0"), "--threads: '0' is not a number from 1 to 64");
    expect_failure(RUN("start", "--data", "/proc/nowhere"), "choose another by --data");
    expect_failure(RUN("restore", "/dev/null", "--data", place->data), place->data);
    assert_int_equal(stop(place), 0);
    char format[128];
    snprintf(format, sizeof format, "%s/format", place->data);
    FILE *file = fopen(format, "w");
    assert_non_null(file);
    fputs("999\n", file);
    fclose(file);
    expect_failure(RUN("start", "--data", place->data, "--listen", "127.0.0.1:0"), "newer brume");
}

/* Whoever waits for a message is answered, and at once, not after the 20 seconds that he asked for. */
static void a_stopping_server_answers_its_long_polls(void **state)
{
    Place *place = *state;
    char url[256];
    char document[512];
    char text[TEXT_MAX];
    start(place);
    make_queue(place, url, sizeof url);
    snprintf(document, sizeof document, "{\"QueueUrl\":\"%s\",\"WaitTimeSeconds\":20}", url);
    int connection = call_sqs(place, "ReceiveMessage", document);
    for (;;) {
        request(place, "/_brume/metrics", "brume_process_resident_bytes ", text);
        if (strstr(text, "brume_store_waiting 1\n") != NULL)
            break;
    }
    uint64_t begun_ms = now_ms();
    assert_int_equal(kill(place->server, SIGTERM), 0);
    expect_answer(connection, "{}", text);
    assert_memory_equal(text, "HTTP/1.1 200 ", 13);
    assert_int_equal(wait_for_end(place), 0);
    assert_true(now_ms() - begun_ms < 10000);
    close(connection);
}

/* A request that never ends holds the drain up; the second signal does not wait for it. */
static void a_second_signal_ends_it_at_once(void **state)
{
    Place *place = *state;
    char text[TEXT_MAX];
    start(place);
    int connection = connect_to(place);
    send_text(connection,
              "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.CreateQueue\r\n"
              "Content-Type: application/x-amz-json-1.0\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n");
    expect_answer(connection, "100 Continue", text); /* the request is under way */
    assert_int_equal(kill(place->server, SIGTERM), 0);
    /* Draining has begun when no new connection is taken. */
    for (int probe = 0; probe >= 0;) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)place->port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int attempt = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        probe = connect(attempt, (const struct sockaddr *)&address, sizeof address);
        close(attempt);
    }
    assert_int_equal(kill(place->server, SIGTERM), 0);
    assert_int_equal(wait_for_end(place), 128 + SIGTERM);
    close(connection);
}

static void accounts_and_keys_are_made_listed_and_revoked(void **state)
{
    Place *place = *state;
    const char *data = place->data;
    expect_failure(RUN("account", "list", "--data", data), "no server runs on");
    start(place);
    Result made = RUN("account", "create", "--data", data, "--id", "123456789012", "--name", "a team");
    assert_string_equal(made.text, "123456789012\n");
    expect_failure(RUN("account", "create", "--data", data, "--id", "123456789012"),
                   "`brume key create --account DIGITS` makes a key for it");
    expect_failure(RUN("account", "create", "--data", data, "--id", "1234"), "an account id has 12 digits");
    Result listed = RUN("account", "list", "--data", data);
    assert_memory_equal(listed.text, "123456789012  20", 16);
    assert_non_null(strstr(listed.text, "  a team\n"));

    Result key = RUN("key", "create", "--data", data, "--account", "123456789012");
    assert_memory_equal(key.text, "AWS_ACCESS_KEY_ID=AKIA", 22);
    assert_non_null(strstr(key.text, "\nAWS_SECRET_ACCESS_KEY="));
    char id[32];
    snprintf(id, sizeof id, "%.20s", key.text + 18);
    Result keys = RUN("key", "list", "--data", data, "--account", "123456789012");
    assert_memory_equal(keys.text, id, 20);
    char secret[64];
    snprintf(secret, sizeof secret, "%.40s", strstr(key.text, "SECRET_ACCESS_KEY=") + 18);
    assert_null(strstr(keys.text, secret));
    assert_int_equal(RUN("key", "revoke", id, "--data", data).code, EXIT_OK);
    expect_failure(RUN("key", "revoke", id, "--data", data), "`brume key list --account DIGITS` shows");
    assert_string_equal(RUN("key", "list", "--data", data, "--account", "123456789012").text, "");
    expect_failure(RUN("key", "create", "--data", data, "--account", "999999999999"),
                   "`brume account create` makes one");
    assert_int_equal(stop(place), 0);
}

static void only_the_owner_may_open_the_socket(void **state)
{
    Place *place = *state;
    char path[128];
    struct stat info;
    start(place);
    snprintf(path, sizeof path, "%s/admin.sock", place->data);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stop(place), 0);
    assert_int_not_equal(stat(path, &info), 0);
}

/* A limit of one account: kept over a restart, forgotten again by `default`. */
static void an_account_may_have_limits_of_its_own(void **state)
{
    Place *place = *state;
    const char *data = place->data;
    start(place);
    assert_int_equal(RUN("account", "create", "--data", data, "--id", "123456789012").code, EXIT_OK);
    assert_int_equal(RUN("account", "limit", "SQS_BATCH_ENTRIES", "2", "--data", data, "--id", "123456789012").code,
                     EXIT_OK);
    expect_failure(RUN("account", "limit", "NET_CONNECTIONS", "2", "--data", data), "the rows that begin with SQS_");
    expect_failure(RUN("account", "limit", "SQS_BATCH_ENTRIES", "few", "--data", data), "a limit is a whole number");
    expect_failure(RUN("account", "limit", "SQS_BATCH_ENTRIES", "2", "--data", data, "--id", "999999999999"),
                   "there is no such account");
    assert_int_equal(stop(place), 0);
    start(place);
    assert_string_equal(RUN("account", "limits", "--data", data, "--id", "123456789012").text, "SQS_BATCH_ENTRIES 2\n");
    assert_string_equal(RUN("account", "limits", "--data", data).text, "");
    assert_int_equal(
        RUN("account", "limit", "SQS_BATCH_ENTRIES", "default", "--data", data, "--id", "123456789012").code, EXIT_OK);
    assert_string_equal(RUN("account", "limits", "--data", data, "--id", "123456789012").text, "");
    assert_int_equal(stop(place), 0);
}

/* What kill -9 leaves behind does not keep the next server from starting. */
static void a_killed_server_starts_again(void **state)
{
    Place *place = *state;
    start(place);
    assert_int_equal(RUN("account", "create", "--data", place->data, "--id", "123456789012").code, EXIT_OK);
    assert_int_equal(kill(place->server, SIGKILL), 0);
    assert_int_equal(wait_for_end(place), 1000 + SIGKILL);
    start(place);
    assert_non_null(strstr(RUN("account", "list", "--data", place->data).text, "123456789012"));
    assert_int_equal(stop(place), 0);
}

static void the_clock_moves_forward_where_it_may(void **state)
{
    Place *place = *state;
    const char *data = place->data;
    start(place);
    expect_failure(RUN("clock", "advance", "15m", "--data", data), "start it with --virtual-clock");
    assert_int_equal(stop(place), 0);
    start_with(place, "--virtual-clock");
    assert_memory_equal(RUN("clock", "set", "2096-01-01T00:00:00Z", "--data", data).text, "2096-01-01T00:00:0", 18);
    assert_memory_equal(RUN("clock", "advance", "1h30m", "--data", data).text, "2096-01-01T01:30:0", 18);
    assert_memory_equal(RUN("clock", "now", "--data", data).text, "2096-01-01T01:30:0", 18);
    expect_failure(RUN("clock", "set", "2095-01-01T00:00:00Z", "--data", data), "only goes forward");
    assert_int_equal(stop(place), 0);
    start_with(place, "--virtual-clock");
    assert_memory_equal(RUN("clock", "now", "--data", data).text, "2096-01-01T01:3", 15);
    assert_int_equal(stop(place), 0);
}

static void a_backup_restores_to_the_same_data(void **state)
{
    Place *place = *state;
    char backup[160];
    char target[160];
    char from[200];
    start(place);
    assert_int_equal(RUN("account", "create", "--data", place->data, "--id", "123456789012").code, EXIT_OK);
    /* A directory gets a named file. */
    Result named = RUN("backup", place->directory, "--data", place->data);
    assert_int_equal(named.code, EXIT_OK);
    assert_non_null(strstr(named.text, "/brume-20"));
    snprintf(backup, sizeof backup, "%s/a.backup", place->directory);
    Result made = RUN("backup", backup, "--data", place->data);
    snprintf(from, sizeof from, "%s\n", backup);
    assert_string_equal(made.text, from);
    assert_int_equal(stop(place), 0);

    expect_failure(RUN("restore", backup, "--data", place->data), "there is data in");
    snprintf(target, sizeof target, "%s/restored", place->directory);
    assert_int_equal(RUN("restore", backup, "--data", target).code, EXIT_OK);
    snprintf(place->data, sizeof place->data, "%.90s", target);
    start(place);
    assert_non_null(strstr(RUN("account", "list", "--data", place->data).text, "123456789012"));
    assert_int_equal(stop(place), 0);
}

static void a_damaged_backup_is_refused_and_never_served(void **state)
{
    Place *place = *state;
    char backup[160];
    char target[160];
    struct stat info;
    start(place);
    snprintf(backup, sizeof backup, "%s/a.backup", place->directory);
    assert_int_equal(RUN("backup", backup, "--data", place->data).code, EXIT_OK);
    assert_int_equal(stop(place), 0);
    assert_int_equal(stat(backup, &info), 0);
    assert_int_equal(truncate(backup, info.st_size - 1), 0);
    snprintf(target, sizeof target, "%s/restored", place->directory);
    expect_failure(RUN("restore", backup, "--data", target), "this is no whole backup");
    expect_failure(RUN("start", "--data", target, "--listen", "127.0.0.1:0"), target);
    expect_failure(RUN("restore", "/nonexistent", "--data", target),
                   "cannot read /nonexistent: No such file or directory; name a file that `brume backup` wrote");
}

/* Sends messages of 200 000 bytes, so that a backup does not fit into the buffers between server and client. */
static void fill_queue(const Place *place)
{
    enum { MESSAGES = 40, BODY = 200000 };
    char url[256];
    char text[TEXT_MAX];
    make_queue(place, url, sizeof url);
    char *document = malloc(BODY + 512);
    assert_non_null(document);
    int size = snprintf(document, 512, "{\"QueueUrl\":\"%s\",\"MessageBody\":\"", url);
    memset(document + size, 'm', BODY);
    strcpy(document + size + BODY, "\"}");
    char *head = malloc(BODY + 1024);
    assert_non_null(head);
    snprintf(head, BODY + 1024,
             "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
             "Content-Type: application/x-amz-json-1.0\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(document), document);
    int connection = connect_to(place);
    for (int i = 0; i < MESSAGES; i++) {
        send_text(connection, head);
        expect_answer(connection, "\"MessageId\"", text);
    }
    close(connection);
    free(document);
    free(head);
}

static int ask_for_backup(const Place *place, char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/admin.sock", place->data);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(connection, (const struct sockaddr *)&address, sizeof address), 0);
    send_text(connection, "POST /backup HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
    expect_answer(connection, "HTTP/1.1 200 ", text);
    return connection;
}

/* A client that stops reading its backup neither holds the server up nor gets an answer that looks whole. */
static void a_stopping_server_breaks_its_backups_off(void **state)
{
    Place *place = *state;
    char text[TEXT_MAX];
    start(place);
    fill_queue(place);
    int stuck = ask_for_backup(place, text);
    int left = ask_for_backup(place, text);
    close(left); /* one whose client is gone */
    uint64_t begun_ms = now_ms();
    assert_int_equal(stop(place), 0);
    assert_true(now_ms() - begun_ms < 8000);
    char last[5] = "";
    ssize_t got;
    size_t total = 0;
    while ((got = recv(stuck, text, TEXT_MAX, 0)) > 0) {
        total += (size_t)got;
        for (ssize_t i = 0; i < got; i++) {
            memmove(last, last + 1, 4);
            last[4] = text[i];
        }
    }
    assert_memory_not_equal(last, "0\r\n\r\n", 5);
    assert_true(total < 8000000);
    close(stuck);
}

static void a_backup_of_much_data_comes_whole(void **state)
{
    Place *place = *state;
    char backup[160];
    char target[160];
    struct stat info;
    start(place);
    fill_queue(place);
    snprintf(backup, sizeof backup, "%s/a.backup", place->directory);
    assert_int_equal(RUN("backup", backup, "--data", place->data).code, EXIT_OK);
    assert_int_equal(stat(backup, &info), 0);
    assert_true(info.st_size > 8000000);
    assert_int_equal(info.st_mode & 077, 0); /* it holds secrets */
    snprintf(target, sizeof target, "%s/restored", place->directory);
    assert_int_equal(RUN("restore", backup, "--data", target).code, EXIT_OK);
    assert_int_equal(stop(place), 0);
}

static void a_backup_that_cannot_be_written_leaves_nothing(void **state)
{
    Place *place = *state;
    expect_failure(RUN("backup", "/nonexistent/a.backup", "--data", place->data), "in a directory that is there");
    char backup[160];
    char partial[200];
    snprintf(backup, sizeof backup, "%s/a.backup", place->directory);
    snprintf(partial, sizeof partial, "%s.partial", backup);
    expect_failure(RUN("backup", backup, "--data", place->data), "no server runs on");
    assert_int_not_equal(access(backup, F_OK), 0);
    assert_int_not_equal(access(partial, F_OK), 0);
}

static void help_knows_every_command(void **state)
{
    (void)state;
    Result help = RUN("help");
    assert_int_equal(help.code, EXIT_OK);
    for (size_t i = 0; commands[i] != NULL; i++) {
        assert_non_null(strstr(help.text, commands[i]->name));
        Result one = RUN("help", commands[i]->name);
        assert_int_equal(one.code, EXIT_OK);
        for (const Option *option = commands[i]->options; option->name != NULL; option++)
            assert_non_null(strstr(one.text, option->name));
        assert_string_equal(RUN(commands[i]->name, "--help").text, one.text);
    }
    assert_string_equal(RUN("version").text, "brume " BRUME_VERSION "\n");
}

static void what_makes_no_sense_is_refused_with_a_pointer_to_help(void **state)
{
    (void)state;
    static const char *const typed[][4] = {
        {"launch"},
        {"start", "--dta", "x"},
        {"start", "--data"},
        {"start", "now"},
        {"clock"},
        {"clock", "back"},
        {"clock", "advance", "soon"},
        {"clock", "set", "2027-02-30"},
        {"key", "revoke"},
        {"key", "make"},
        {"account", "delete"},
        {"backup"},
        {"version", "again"},
        {"start", "--virtual-clock=1"},
        {"help", "nothing"},
        {"--data", "x", "start"},
    };
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        Result result = run_words(typed[i]);
        assert_int_equal(result.code, EXIT_USAGE);
        assert_non_null(strstr(result.text, "see `brume help"));
        assert_ptr_equal(strchr(result.text, '\n'), result.text + strlen(result.text) - 1);
    }
}

int main(int argc, char **words)
{
    /* Servers are started in forks of this program, which they execute for their keeper as they would the real one. */
    spawner_keep_if_asked(argc, words, runtime_api_main);
#define CLI_TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_server_says_where_it_is_and_stops_on_sigterm),
        CLI_TEST(what_keeps_a_server_from_starting_is_said_in_one_line),
        CLI_TEST(a_stopping_server_answers_its_long_polls),
        CLI_TEST(a_second_signal_ends_it_at_once),
        CLI_TEST(accounts_and_keys_are_made_listed_and_revoked),
        CLI_TEST(an_account_may_have_limits_of_its_own),
        CLI_TEST(only_the_owner_may_open_the_socket),
        CLI_TEST(a_killed_server_starts_again),
        CLI_TEST(the_clock_moves_forward_where_it_may),
        CLI_TEST(a_backup_restores_to_the_same_data),
        CLI_TEST(a_damaged_backup_is_refused_and_never_served),
        CLI_TEST(a_stopping_server_breaks_its_backups_off),
        CLI_TEST(a_backup_of_much_data_comes_whole),
        CLI_TEST(a_backup_that_cannot_be_written_leaves_nothing),
        CLI_TEST(help_knows_every_command),
        CLI_TEST(what_makes_no_sense_is_refused_with_a_pointer_to_help),
    };
    alarm(300);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
