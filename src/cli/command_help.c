#include "cli/reference.h"

#include <stdio.h>

/* Prints a text behind a margin, broken at 80 columns. */
static void print_wrapped(const char *text, int margin)
{
    int column = margin;
    while (*text != '\0') {
        int word = (int)strcspn(text, " \n");
        if (column > margin && column + 1 + word > 80) {
            printf("\n%*s", margin, "");
            column = margin;
        } else if (column > margin) {
            putchar(' ');
            column++;
        }
        printf("%.*s", word, text);
        column += word;
        text += word;
        if (*text == '\n') {
            printf("\n%*s", margin, "");
            column = margin;
        }
        if (*text != '\0')
            text++;
    }
    putchar('\n');
}

static void print_option(const Option *option)
{
    char head[64];
    snprintf(head, sizeof head, "--%s%s%s", option->name, option->argument == NULL ? "" : " ",
             option->argument == NULL ? "" : option->argument);
    printf("  %-26s", head);
    if (strlen(head) >= 26)
        printf("\n%28s", "");
    char fallback[128] = "";
    char environment[64] = "";
    char text[512];
    if (option->fallback != NULL)
        snprintf(fallback, sizeof fallback, " Default: %s.", option->fallback);
    if (option->environment != NULL)
        snprintf(environment, sizeof environment, " Variable: %s.", option->environment);
    snprintf(text, sizeof text, "%s%s%s", option->help, fallback, environment);
    print_wrapped(text, 28);
}

void command_print_help(const Command *command)
{
    bool has_options = command->options->name != NULL;
    printf("brume %s%s%s%s\n\n", command->name, command->words[0] == '\0' ? "" : " ", command->words,
           has_options ? " [OPTIONS]" : "");
    print_wrapped(command->summary, 0);
    if (command->details != NULL) {
        putchar('\n');
        print_wrapped(command->details, 0);
    }
    if (has_options)
        printf("\nOptions:\n");
    for (const Option *option = command->options; option->name != NULL; option++)
        print_option(option);
    if (command->print_more != NULL)
        command->print_more();
}

static int print_overview(void)
{
    printf("Brume: a serverless platform in one program, speaking the AWS APIs.\n\n"
           "  brume COMMAND [WORDS] [OPTIONS]\n\nCommands:\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n`brume help COMMAND` tells more. To begin: `brume start`.\n");
    return EXIT_OK;
}

/* A page for other readers, and the words behind `brume help` that it belongs to. */
typedef struct Page {
    const char *format;
    const char *command; /* NULL: none, the page is of all */
    void (*print)(void);
} Page;

static const Page pages[] = {
    {"man", NULL, reference_print_manual},
    {"markdown", "start", reference_print_configuration},
    {"config", "start", reference_print_example},
};

static int print_page(const char *format, const Command *command)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const Page *page = &pages[i];
        if (strcmp(page->format, format) != 0)
            continue;
        if (command != (page->command == NULL ? NULL : command_find(page->command)))
            return command_misused(&command_help, "--format %s is for `brume help%s%s`", format,
                                   page->command == NULL ? "" : " ", page->command == NULL ? "" : page->command);
        page->print();
        return EXIT_OK;
    }
    return command_misused(&command_help, "--format: '%s' is not text, man, markdown or config", format);
}

static int run_help(const CommandLine *invocation)
{
    const Command *command = NULL;
    const char *format = invocation_value(invocation, "format");
    if (invocation->word_count > 0) {
        command = command_find(invocation->words[0]);
        if (command == NULL)
            return command_misused(NULL, "there is no command '%s'", invocation->words[0]);
    }
    if (format != NULL && strcmp(format, "text") != 0)
        return print_page(format, command);
    if (command == NULL)
        return print_overview();
    command_print_help(command);
    return EXIT_OK;
}

static const Option help_options[] = {
    {.name = "format",
     .argument = "text|man|markdown|config",
     .fallback = "text",
     .help = "The form. man: the manual page of all commands. Of `brume help start` alone: markdown, the page on "
             "configuration; config, a configuration file with every setting in it."},
    {0},
};

const Command command_help = {
    .name = "help",
    .words = "[COMMAND]",
    .summary = "Shows the commands, or one command's options.",
    .options = help_options,
    .words_max = 1,
    .run = run_help,
};
