/* What the spawner is asked for, and where a runtime's program is found in a sandbox. */
#include "runtime/spawner_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static WireMessage message;
static Order order;

static void begin(uint32_t reachable)
{
    wire_begin(&message, WIRE_ORDER, 7);
    message.head.isolated_network = true;
    message.head.reachable_count = reachable;
    for (int i = 0; i < 4; i++)
        wire_add_string(&message, SLICE("x"));
}

static void strings_come_as_they_were_sent(void **state)
{
    (void)state;
    wire_begin(&message, WIRE_ORDER, 7);
    wire_add_string(&message, SLICE(""));
    wire_add_string(&message, SLICE("a\0b"));
    assert_false(message.too_large);
    assert_int_equal(wire_next_string(&message).size, 0);
    assert_true(slice_equal(wire_next_string(&message), SLICE("a\0b")));
    assert_null(wire_next_string(&message).data);
}

static void what_does_not_fit_is_not_sent(void **state)
{
    (void)state;
    static char large[WIRE_MESSAGE_MAX];
    wire_begin(&message, WIRE_ORDER, 7);
    wire_add_string(&message, slice_make(large, sizeof large));
    assert_true(message.too_large);
    assert_int_equal(wire_send(-1, &message), E2BIG);
}

static void doors_are_addresses_and_ports(void **state)
{
    (void)state;
    char failure[160] = "";
    begin(2);
    wire_add_string(&message, SLICE("127.0.0.1:4566"));
    wire_add_string(&message, SLICE("localhost:5432"));
    assert_true(order_read(&message, &order, failure, sizeof failure));
    assert_int_equal(order.door_count, 2);
    assert_int_equal(order.doors[0].address, order.doors[1].address);
    static const char *const refused[] = {"db.example:5432", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "[::1]:80",
                                          "127.0.0.1:80x",   ""};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        begin(1);
        wire_add_string(&message, slice_of_string(refused[i]));
        assert_false(order_read(&message, &order, failure, sizeof failure));
        assert_non_null(strstr(failure, refused[i]));
    }
}

static void too_many_are_refused(void **state)
{
    (void)state;
    char failure[160] = "";
    begin(SANDBOX_DOORS_MAX + 1);
    assert_false(order_read(&message, &order, failure, sizeof failure));
    assert_non_null(strstr(failure, "16 reachable addresses"));
}

static void a_message_that_ends_early_is_refused(void **state)
{
    (void)state;
    char failure[160] = "";
    wire_begin(&message, WIRE_ORDER, 7);
    wire_add_string(&message, SLICE("python3.11"));
    assert_false(order_read(&message, &order, failure, sizeof failure));
    assert_true(failure[0] != '\0');
}

static void programs_are_found_without_showing_what_is_not_theirs(void **state)
{
    (void)state;
    OrderProgram found;
    char folder[] = "/tmp/brume-order-XXXXXX";
    char command[512];
    char path[256];
    assert_true(order_find_program("/usr/bin/env", "/data", &found));
    assert_string_equal(found.tree, "");
    assert_string_equal(found.inside, "/usr/bin/env");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "cd %s && mkdir -p home/bin kit/bin kit/lib && touch home/bin/node kit/bin/node",
             folder);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/kit/bin/node", folder);
    assert_true(order_find_program(path, "/data", &found));
    assert_string_equal(found.inside, "/var/lang/bin/node");
    assert_string_equal(strrchr(found.tree, '/'), "/kit");
    /* Without a lib beside bin the folder above it may be anything, such as somebody's home. */
    snprintf(path, sizeof path, "%s/home/bin/node", folder);
    assert_true(order_find_program(path, "/data", &found));
    assert_string_equal(found.inside, "/var/lang/node");
    assert_string_equal(strrchr(found.tree, '/'), "/bin");
    snprintf(path, sizeof path, "%s/kit/bin/node", folder);
    snprintf(command, sizeof command, "%s/kit/data", folder);
    assert_false(order_find_program(path, command, &found));
    assert_int_equal(errno, EPERM);
    assert_false(order_find_program("/nowhere/node", "/data", &found));
    assert_int_equal(errno, ENOENT);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_come_as_they_were_sent),
        cmocka_unit_test(what_does_not_fit_is_not_sent),
        cmocka_unit_test(doors_are_addresses_and_ports),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(a_message_that_ends_early_is_refused),
        cmocka_unit_test(programs_are_found_without_showing_what_is_not_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
