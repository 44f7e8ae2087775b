/* The manual page, in the macros of man(7), without a word that mandoc(1) would object to. */
#include "base/limits.h"
#include "cli/reference.h"

#include <assert.h>
#include <stdio.h>

/* Lines of the page are at most this long, as far as words allow. */
enum { COLUMNS = 72, PARAGRAPH_MAX = 4096 };

/* The character as troff reads it; gives its width in the page. */
static int print_character(char c, bool *bold)
{
    static const struct {
        char c;
        const char *escape;
    } escapes[] = {{'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'~', "\\(ti"}, {'^', "\\(ha"}};
    if (c == '`') {
        *bold = !*bold;
        return printf(*bold ? "\\fB" : "\\fR");
    }
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (escapes[i].c == c)
            return printf("%s", escapes[i].escape);
    return printf("%c", c);
}

/* Text within a line: `words in backquotes` become bold. */
static void print_text(const char *text)
{
    bool bold = false;
    for (; *text != '\0'; text++)
        print_character(*text, &bold);
}

/* Lines of text. A word that begins one must not look like a request, which begins with a dot (man(7)). */
static void print_paragraph(const char *text)
{
    bool bold = false;
    int column = 0;
    while (*text != '\0') {
        int word = (int)strcspn(text, " \n");
        if (column > 0 && column + 1 + word > COLUMNS)
            column = printf("\n") - 1;
        else if (column > 0)
            column += printf(" ");
        if (column == 0 && *text == '.')
            column += printf("\\&");
        for (int i = 0; i < word; i++)
            column += print_character(text[i], &bold);
        text += word;
        if (*text == '\n')
            column = printf("\n.PP\n") - 5;
        if (*text != '\0')
            text++;
    }
    putchar('\n');
}

static void print_option(const Option *option)
{
    char text[PARAGRAPH_MAX];
    printf(".TP\n\\fB\\-\\-");
    print_text(option->name);
    printf("\\fR");
    if (option->argument != NULL) {
        printf(" \\fI");
        print_text(option->argument);
        printf("\\fR");
    }
    putchar('\n');
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s", option->help,
             option->fallback == NULL ? "" : " Default: ", option->fallback == NULL ? "" : option->fallback,
             option->fallback == NULL ? "" : ".", option->environment == NULL ? "" : " Variable: `",
             option->environment == NULL ? "" : option->environment, option->environment == NULL ? "" : "`.");
    print_paragraph(text);
}

static void print_command(const Command *command)
{
    printf(".SS \"brume %s", command->name);
    if (command->words[0] != '\0') {
        putchar(' ');
        print_text(command->words);
    }
    printf("\"\n");
    print_paragraph(command->summary);
    if (command->details != NULL) {
        printf(".PP\n");
        print_paragraph(command->details);
    }
    for (const Option *option = command->options; option->name != NULL; option++)
        print_option(option);
}

static void print_limits(void)
{
    printf(".SH LIMITS\nFor \\fBbrume start \\-\\-limit\\fR \\fINAME\\fR=\\fIVALUE\\fR, with their defaults.\n");
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        printf(".TP\n\\fB%s\\fR %llu %s\n", limit_rows[i].name, (unsigned long long)limit_rows[i].value,
               limit_rows[i].unit);
        print_paragraph(limit_rows[i].source);
    }
}

static void print_item(const char *head, const char *text)
{
    printf(".TP\n");
    print_text(head);
    putchar('\n');
    print_paragraph(text);
}

static void print_rest(void)
{
    static_assert(EXIT_OK == 0 && EXIT_FAILED == 1 && EXIT_USAGE == 2, "the page says so");
    printf(".SH EXIT STATUS\n");
    print_item("0", "It was done.");
    print_item("1", "It was tried and did not work; one line on standard error says why, and what to do.");
    print_item("2", "What was typed makes no sense.");
    printf(".SH SIGNALS\n");
    print_item("SIGTERM, SIGINT",
               "The server takes no more connections, finishes what it was asked, and ends; a second "
               "one ends it at once.");
    print_item("SIGHUP", "The server opens its log file anew. One that was started from a terminal that is gone ends.");
    printf(".SH FILES\n");
    print_item("/etc/brume/brume.conf", "The configuration of the service that packages install.");
    print_item("/var/lib/brume", "Its data.");
}

void reference_print_manual(void)
{
    printf(".TH BRUME 1 %s \"brume %s\" \"User commands\"\n"
           ".SH NAME\nbrume \\- a serverless platform in one program, speaking the AWS APIs\n"
           ".SH SYNOPSIS\n.B brume\n.I COMMAND\n.RI [ WORDS ]\n.RI [ OPTIONS ]\n"
           ".SH DESCRIPTION\n",
           BRUME_DATE, BRUME_VERSION);
    print_paragraph(
        "One process serves the AWS APIs over HTTP from a data directory. What it has acknowledged is on the "
        "disk: it may be killed at any moment.");
    printf(".SH COMMANDS\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        print_command(commands[i]);
    print_limits();
    print_rest();
}
