/* command.h: what `brume COMMAND …` is: tables of commands and options, and what was typed.
 *
 * Help and parsing are made from the tables. Commands run on the main thread and may block; they print what they have to
 * say and give the process's exit code. */
#ifndef BRUME_CLI_COMMAND_H
#define BRUME_CLI_COMMAND_H

#include "base/arena.h"

#define BRUME_VERSION "0.1.0"
#define BRUME_DATE "2026-11-25" /* the day of that version */

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* it was tried and did not work */
    EXIT_USAGE = 2,  /* what was typed makes no sense */
};

enum { GIVEN_MAX = 128, WORDS_MAX = 4 };

/* One option: --NAME ARGUMENT, or --NAME alone. For `start` it is a key of the configuration file too. */
typedef struct Option {
    const char *name;
    const char *argument;    /* NULL: a switch */
    const char *environment; /* the variable that sets it too; NULL: none */
    const char *fallback;    /* what holds when nobody says otherwise, as help shows it; NULL: nothing */
    const char *help;
    /* Reads the value ("true" for a switch) into the command's settings; false when it makes no sense. NULL: the
     * command looks at the text itself. */
    bool (*read)(void *settings, const char *value);
    const char *expects; /* what `read` takes, for the message */
} Option;

/* One option that was typed. */
typedef struct Given {
    const Option *option;
    const char *value;
} Given;

typedef struct Command Command;

typedef struct CommandLine {
    const Command *command;
    Arena *arena; /* lives as long as the process */
    Given given[GIVEN_MAX];
    size_t given_count;
    const char *words[WORDS_MAX];
    size_t word_count;
} CommandLine;

struct Command {
    const char *name;
    const char *words; /* what may follow the name, for help: "now | advance DURATION | set TIME" */
    const char *summary;
    const char *details;   /* NULL: none */
    const Option *options; /* ended by a row without a name */
    size_t words_min;
    size_t words_max;
    int (*run)(const CommandLine *invocation);
    void (*print_more)(void); /* what help shows behind the options; NULL: nothing */
};

extern const Command command_start;
extern const Command command_clock;
extern const Command command_backup;
extern const Command command_restore;
extern const Command command_account;
extern const Command command_key;
extern const Command command_tls;
extern const Command command_runtime;
extern const Command command_doctor;
extern const Command command_completion;
extern const Command command_mappings;
extern const Command command_queues;
extern const Command command_breakers;
extern const Command command_functions;
extern const Command command_function;
extern const Command command_invoke;
extern const Command command_logs;
extern const Command command_version;
extern const Command command_help;

/* All of them, in help's order, ended by NULL. */
extern const Command *const commands[];

/* The command of that name; NULL when there is none. */
const Command *command_find(const char *name);

/* Reads what was typed and runs it. */
int command_main(int count, char **words);

/* The value that was typed (the last one), else the environment's, else NULL. */
const char *invocation_value(const CommandLine *invocation, const char *option);

/* Prints "brume: …" and a newline on standard error; gives EXIT_FAILED. */
__attribute__((format(printf, 1, 2))) int command_fail(const char *format, ...);
/* The same for what makes no sense as typed, with a pointer to the command's help; gives EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int command_misused(const Command *command, const char *format, ...);

/* Prints a command's help on standard output. */
void command_print_help(const Command *command);

#endif
