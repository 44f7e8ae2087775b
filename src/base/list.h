/* list.h: intrusive, circular, doubly linked lists.
 *
 * The list's head is a node like the others; an element embeds its node and is found again with CONTAINER_OF. */
#ifndef BRUME_BASE_LIST_H
#define BRUME_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ListNode {
    struct ListNode *previous;
    struct ListNode *next;
} ListNode;

typedef ListNode List;

#define CONTAINER_OF(pointer, Type, member) ((Type *)(void *)((char *)(pointer)-offsetof(Type, member)))

static inline void list_init(List *list)
{
    list->previous = list->next = list;
}

static inline bool list_is_empty(const List *list)
{
    return list->next == list;
}

/* Whether a node that list_init or list_remove left alone is in a list. */
static inline bool list_is_linked(const ListNode *node)
{
    return node->next != NULL && node->next != node;
}

static inline void list_insert_before(ListNode *place, ListNode *node)
{
    node->previous = place->previous;
    node->next = place;
    place->previous->next = node;
    place->previous = node;
}

static inline void list_push_back(List *list, ListNode *node)
{
    list_insert_before(list, node);
}

static inline void list_push_front(List *list, ListNode *node)
{
    list_insert_before(list->next, node);
}

/* Takes the node out; it is alone afterwards, and removing it again does nothing. */
static inline void list_remove(ListNode *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->previous = node->next = node;
}

/* NULL when the list is empty. */
static inline ListNode *list_first(const List *list)
{
    return list_is_empty(list) ? NULL : list->next;
}

static inline ListNode *list_pop_front(List *list)
{
    ListNode *first = list_first(list);
    if (first != NULL)
        list_remove(first);
    return first;
}

/* Walks the list; the current node may be removed. */
#define LIST_FOR_EACH(list, node)                                                                                      \
    for (ListNode *node = (list)->next, *node##_next = node->next; node != (list);                                     \
         node = node##_next, node##_next = node->next)

#endif
