/* admin_list.h: everything of one kind that an account has on a running server, asked page by page, and region by region
 * when none was named. Blocks, as commands do. */
#ifndef BRUME_CLI_ADMIN_LIST_H
#define BRUME_CLI_ADMIN_LIST_H

#include "cli/command.h"

#include "base/error.h"

typedef struct AdminList {
    const char *path; /* "/queue/list" */
    Slice members;    /* what the answer calls them: "queues" */
    Slice account;
    Slice region; /* absent: all, in their order */
    /* Takes one of them, its JSON: ERROR_MALFORMED when it cannot be read. */
    Error (*take)(void *user, Slice document);
    void *user;
} AdminList;

/* Gives EXIT_OK, or prints why not and gives the exit code. */
int admin_list_all(const CommandLine *invocation, const char *data_directory, const AdminList *list);

/* Fills in account and region of what was typed and takes the data directory from it; false when they make no sense, with
 * the exit code in `code`. */
bool admin_list_options(const CommandLine *invocation, AdminList *list, const char **data_directory, int *code);

#endif
