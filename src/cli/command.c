#include "cli/command.h"

#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

const Command *const commands[] = {
    &command_start,   &command_functions,  &command_function, &command_invoke,   &command_logs,
    &command_runtime, &command_queues,     &command_breakers, &command_mappings, &command_clock,
    &command_backup,  &command_restore,    &command_account,  &command_key,      &command_tls,
    &command_doctor,  &command_completion, &command_help,     &command_version,  NULL,
};

const Command *command_find(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static const Option *find_option(const Command *command, Slice name)
{
    for (const Option *option = command->options; option->name != NULL; option++)
        if (slice_equal(name, slice_of_string(option->name)))
            return option;
    return NULL;
}

/* One line: what a file or a server put into it moves no cursor and ends no line. */
static void print_problem(const char *format, va_list arguments)
{
    char text[4096];
    vsnprintf(text, sizeof text, format, arguments);
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    fprintf(stderr, "brume: %s", text);
}

int command_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_problem(format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_FAILED;
}

int command_misused(const Command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_problem(format, arguments);
    fprintf(stderr, "; see `brume help%s%s`\n", command == NULL ? "" : " ", command == NULL ? "" : command->name);
    va_end(arguments);
    return EXIT_USAGE;
}

const char *invocation_value(const CommandLine *invocation, const char *option)
{
    const Option *wanted = find_option(invocation->command, slice_of_string(option));
    ASSERT(wanted != NULL);
    for (size_t i = invocation->given_count; i > 0; i--)
        if (invocation->given[i - 1].option == wanted)
            return invocation->given[i - 1].value;
    const char *value = wanted->environment == NULL ? NULL : getenv(wanted->environment);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Reads the option at words[*at]; moves past the argument that it takes. Gives EXIT_OK or prints what is wrong. */
static int read_option(CommandLine *invocation, int count, char **words, int *at)
{
    Slice name = slice_of_string(words[*at] + 2);
    const char *value = NULL;
    size_t equal_sign = slice_find(name, '=');
    if (equal_sign < name.size) {
        value = name.data + equal_sign + 1;
        name.size = equal_sign;
    }
    const Option *option = find_option(invocation->command, name);
    if (option == NULL)
        return command_misused(invocation->command, "`brume %s` has no option --%.*s", invocation->command->name,
                               SLICE_PRINT(name));
    if (option->argument == NULL && value != NULL)
        return command_misused(invocation->command, "--%s takes no value", option->name);
    if (option->argument == NULL)
        value = "true";
    if (value == NULL && *at + 1 < count)
        value = words[++*at];
    if (value == NULL)
        return command_misused(invocation->command, "--%s needs %s behind it", option->name, option->argument);
    if (invocation->given_count == GIVEN_MAX)
        return command_misused(invocation->command, "too many options (at most %d)", GIVEN_MAX);
    invocation->given[invocation->given_count++] = (Given){option, value};
    return EXIT_OK;
}

static int run_command(CommandLine *invocation, int count, char **words)
{
    const Command *command = invocation->command;
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            command_print_help(command);
            return EXIT_OK;
        }
        /* The one letter besides -h that hands type without thinking. */
        static char follow[] = "--follow";
        if (strcmp(words[i], "-f") == 0 && find_option(command, SLICE("follow")) != NULL)
            words[i] = follow;
        if (words[i][0] == '-' && words[i][1] == '-') {
            int failed = read_option(invocation, count, words, &i);
            if (failed != EXIT_OK)
                return failed;
        } else if (invocation->word_count == command->words_max) {
            return command_misused(command, "`brume %s` has no use for '%s'", command->name, words[i]);
        } else {
            invocation->words[invocation->word_count++] = words[i];
        }
    }
    if (invocation->word_count < command->words_min)
        return command_misused(command, "`brume %s` needs %s behind it", command->name, command->words);
    return command->run(invocation);
}

int command_main(int count, char **words)
{
    const char *name = count < 2 ? "help" : words[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    const Command *command = command_find(name);
    if (command == NULL && name[0] == '-')
        return command_misused(
            NULL, "%s stands before the command: options come behind it, as in `brume start --data DIR`", name);
    if (command == NULL)
        return command_misused(NULL, "there is no command '%s'", name);
    Arena arena = arena_make();
    CommandLine invocation = {.command = command, .arena = &arena};
    int code = run_command(&invocation, count < 2 ? 0 : count - 2, words + 2);
    arena_free(&arena);
    return code;
}

static int run_version(const CommandLine *invocation)
{
    (void)invocation;
    printf("brume %s\n", BRUME_VERSION);
    return EXIT_OK;
}

static const Option no_options[] = {{0}};

const Command command_version = {
    .name = "version",
    .words = "",
    .summary = "Shows this program's version.",
    .options = no_options,
    .run = run_version,
};
