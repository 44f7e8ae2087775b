/* The page on configuration and the example of a file, both from the table of `brume start` and the table of limits. */
#include "cli/reference.h"
#include "cli/settings.h"

#include <ctype.h>
#include <stdio.h>

/* A line of the example file is at most this long. */
enum { EXAMPLE_COLUMNS = 100 };

/* Defaults that are sentences, or a path that the shell alone understands, are no values. */
const char *option_sample(const Option *option)
{
    if (option->argument == NULL)
        return option->fallback == NULL ? "false" : option->fallback;
    bool is_value = option->fallback != NULL && strchr(option->fallback, ' ') == NULL && option->fallback[0] != '~';
    return is_value ? option->fallback : option->argument;
}

/* ---- Markdown ---- */

/* In a cell of a table '|' ends the cell. */
static void print_cell(const char *text)
{
    for (; *text != '\0'; text++)
        printf(*text == '|' ? "\\%c" : "%c", *text);
}

static void print_option_row(const Option *option)
{
    printf("| `--%s", option->name);
    if (option->argument != NULL) {
        putchar(' ');
        print_cell(option->argument);
    }
    printf(option->environment == NULL ? "` | |" : "` | `%s` |", option->environment);
    if (option->fallback != NULL) {
        bool is_value = strcmp(option_sample(option), option->fallback) == 0 || option->fallback[0] == '~';
        printf(is_value ? " `%s`" : " %s", option->fallback);
    }
    printf(" | ");
    print_cell(option->help);
    printf(" |\n");
}

void reference_print_configuration(void)
{
    printf(
        "# Configuration\n\n"
        "`make docs` writes this page from the program's own tables (`brume help start --format markdown`).\n\n"
        "`brume start` can be told everything in three ways. What the command line says goes before the environment, "
        "that\nbefore the file named by `--config`, that before the default.\n\n"
        "The file has lines of `name = value`; the names are those of the options, without dashes; options that take "
        "nothing\nare `true` or `false` there. Lines that begin with `#` are comments. A name or a value that makes no "
        "sense keeps the\nserver from starting, and the message names the line. An example with every setting in it is "
        "installed beside the\nprogram (`share/doc/brume/brume.conf.example`), and printed by `brume help start "
        "--format config`.\n\n"
        "## Options\n\n"
        "| option | variable | default | what it does |\n|---|---|---|---|\n");
    for (const Option *option = start_options; option->name != NULL; option++)
        print_option_row(option);
    printf(
        "\nIn the environment alone: `BRUME_ACCESS_KEY_ID` and `BRUME_SECRET_ACCESS_KEY`, which together are a key of "
        "account\n000000000000.\n\n"
        "## Limits\n\n"
        "`--limit NAME=VALUE` changes one, and so does `limit.NAME = VALUE` in the file; limits of a service may be "
        "set "
        "for one\naccount too (`brume account limit NAME VALUE`).\n\n"
        "| limit | default | unit | what it bounds |\n|---|---|---|---|\n");
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        printf("| `%s` | %llu | %s | %s |\n", limit_rows[i].name, (unsigned long long)limit_rows[i].value,
               limit_rows[i].unit, limit_rows[i].source);
}

/* ---- The example ---- */

/* The text as comments, broken between words. */
static void print_comment(const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > EXAMPLE_COLUMNS) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf(column == 0 ? "# %.*s" : " %.*s", (int)word, text);
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_setting(const Option *option)
{
    char note[1024];
    const char *sample = option_sample(option);
    bool shows_default = option->fallback != NULL && strcmp(sample, option->fallback) != 0;
    bool shows_choices = option->argument != NULL && strchr(option->argument, '|') != NULL;
    snprintf(note, sizeof note, "%s%s%s%s%s%s%s", option->help, shows_choices ? " One of " : "",
             shows_choices ? option->argument : "", shows_choices ? "." : "", shows_default ? " Default: " : "",
             shows_default ? option->fallback : "", shows_default ? "." : "");
    putchar('\n');
    print_comment(note);
    printf("#%s = %s\n", option->name, sample);
}

static void print_limit(const LimitRow *row)
{
    printf("#limit.%s = %llu\n", row->name, (unsigned long long)row->value);
}

void reference_print_example(void)
{
    printf("# brume.conf: what `brume start --config FILE` reads. Every setting is here, with its default.\n"
           "# To change one, take the # before it away. What the command line or the environment says goes before "
           "this file.\n");
    for (const Option *option = start_options; option->name != NULL; option++)
        if (option->read != NULL && strcmp(option->name, "limit") != 0)
            print_setting(option);
    printf("\n# Limits and quotas; `brume help start` says what each one bounds.\n");
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        print_limit(&limit_rows[i]);
}
