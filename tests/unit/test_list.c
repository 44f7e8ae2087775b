#include "base/list.h"
#include "base/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

typedef struct Item {
    int number;
    ListNode node;
} Item;

static Item *item_of(ListNode *node)
{
    return CONTAINER_OF(node, Item, node);
}

static void assert_holds(List *list, const int *numbers, size_t count)
{
    size_t seen = 0;
    LIST_FOR_EACH(list, node)
    {
        assert_true(seen < count);
        assert_int_equal(item_of(node)->number, numbers[seen]);
        assert_ptr_equal(node->next->previous, node);
        seen++;
    }
    assert_int_equal(seen, count);
    assert_int_equal(list_is_empty(list), count == 0);
    assert_true(count == 0 ? list_first(list) == NULL : item_of(list_first(list))->number == numbers[0]);
}

/* The model: an array, and memmove. */
static void random_use_agrees_with_an_array(void **state)
{
    (void)state;
    enum { ITEMS = 40 };
    List list;
    list_init(&list);
    Item items[ITEMS];
    int model[ITEMS];
    size_t count = 0;
    for (int i = 0; i < ITEMS; i++) {
        items[i].number = i;
        list_init(&items[i].node);
    }
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        seed = seed * 1664525u + 1013904223u;
        Item *item = &items[(seed >> 8) % ITEMS];
        size_t place = 0;
        while (place < count && model[place] != item->number)
            place++;
        bool linked = place < count;
        assert_int_equal(list_is_linked(&item->node), linked);
        if (linked) {
            list_remove(&item->node);
            list_remove(&item->node);
            memmove(&model[place], &model[place + 1], (--count - place) * sizeof *model);
        } else if (seed >> 31 != 0) {
            list_push_back(&list, &item->node);
            model[count++] = item->number;
        } else {
            list_push_front(&list, &item->node);
            memmove(&model[1], &model[0], count++ * sizeof *model);
            model[0] = item->number;
        }
        if (round % 7 == 0 && count > 0) {
            assert_int_equal(item_of(list_pop_front(&list))->number, model[0]);
            memmove(&model[0], &model[1], --count * sizeof *model);
        }
        assert_holds(&list, model, count);
    }
}

static void walking_may_remove_the_current_node(void **state)
{
    (void)state;
    List list;
    list_init(&list);
    assert_null(list_pop_front(&list));
    Item items[6] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}, {.number = 5}};
    for (int i = 0; i < 6; i++)
        list_push_back(&list, &items[i].node);
    LIST_FOR_EACH(&list, node)
    {
        if (item_of(node)->number % 2 == 0)
            list_remove(node);
    }
    assert_holds(&list, (const int[]){1, 3, 5}, 3);
    Item between = {.number = 2};
    list_insert_before(&items[3].node, &between.node);
    assert_holds(&list, (const int[]){1, 2, 3, 5}, 4);
    assert_false(list_is_linked(&(ListNode){0}));
}

static void tasks_come_out_as_they_went_in(void **state)
{
    (void)state;
    TaskChain chain = {0};
    Task tasks[3] = {0};
    assert_null(task_chain_pop(&chain));
    task_chain_push(&chain, &tasks[0]);
    assert_ptr_equal(task_chain_pop(&chain), &tasks[0]);
    assert_null(task_chain_pop(&chain));
    for (int i = 0; i < 3; i++)
        task_chain_push(&chain, &tasks[i]);
    assert_ptr_equal(task_chain_pop(&chain), &tasks[0]);
    task_chain_push(&chain, &tasks[0]);
    assert_ptr_equal(task_chain_pop(&chain), &tasks[1]);
    assert_ptr_equal(task_chain_pop(&chain), &tasks[2]);
    assert_ptr_equal(task_chain_pop(&chain), &tasks[0]);
    assert_null(task_chain_pop(&chain));
    assert_null(tasks[2].next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_use_agrees_with_an_array),
        cmocka_unit_test(walking_may_remove_the_current_node),
        cmocka_unit_test(tasks_come_out_as_they_went_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
