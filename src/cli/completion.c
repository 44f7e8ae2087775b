/* Completion for shells. What may stand at a place is read off the tables: an argument "a|b" is a choice, "FILE" and "DIR"
 * are names on the disk, "NAME=VALUE" is a limit; of a command's words those in lower case are typed as they stand. */
#include "base/limits.h"
#include "cli/reference.h"

#include <stdio.h>

typedef enum Kind { KIND_NONE, KIND_CHOICE, KIND_FILE, KIND_DIRECTORY, KIND_LIMIT } Kind;

static Kind kind_of(const Option *option)
{
    const char *argument = option->argument;
    return strchr(argument, '|') != NULL         ? KIND_CHOICE
           : strcmp(argument, "FILE") == 0       ? KIND_FILE
           : strcmp(argument, "DIR") == 0        ? KIND_DIRECTORY
           : strcmp(argument, "NAME=VALUE") == 0 ? KIND_LIMIT
                                                 : KIND_NONE;
}

static bool takes_files(const Command *command)
{
    return strstr(command->words, "FILE") != NULL;
}

/* "a|b|c" as "a b c" */
static void print_choices(const char *argument)
{
    for (; *argument != '\0'; argument++)
        putchar(*argument == '|' ? ' ' : *argument);
}

static void print_limit_names(void)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        printf("%s%s=", i == 0 ? "" : " ", limit_rows[i].name);
}

static void print_command_names(void)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        printf("%s%s", i == 0 ? "" : " ", commands[i]->name);
}

/* What may be typed right behind the command's name. */
static void print_words(const Command *command)
{
    if (command == &command_help) {
        print_command_names();
        return;
    }
    const char *separator = "";
    for (const char *at = command->words; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (*at >= 'a' && *at <= 'z') {
            printf("%s%.*s", separator, (int)size, at);
            separator = " ";
        }
        at += size;
        at += strspn(at, " ");
    }
}

/* ---- bash ---- */

static void print_bash_argument(const Command *command, const Option *option)
{
    Kind kind = kind_of(option);
    if (kind == KIND_NONE)
        return;
    printf("    %s:--%s) ", command->name, option->name);
    if (kind == KIND_FILE || kind == KIND_DIRECTORY) {
        printf("_brume_files %s; return ;;\n", kind == KIND_FILE ? "-f" : "-d");
        return;
    }
    printf(kind == KIND_LIMIT ? "_brume_nospace; _brume_words \"" : "_brume_words \"");
    if (kind == KIND_LIMIT)
        print_limit_names();
    else
        print_choices(option->argument);
    printf("\"; return ;;\n");
}

static void print_bash_command(const Command *command)
{
    bool has_words = command->words_max > 0;
    printf("    %s:%s) _brume_words \"--help", command->name, has_words ? "-*" : "*");
    for (const Option *option = command->options; option->name != NULL; option++)
        printf(" --%s", option->name);
    printf("\" ;;\n");
    if (!has_words)
        return;
    printf("    %s:*) ", command->name);
    if (takes_files(command)) {
        printf("_brume_files -f ;;\n");
        return;
    }
    printf("[ \"$COMP_CWORD\" -ne 2 ] || _brume_words \"");
    print_words(command);
    printf("\" ;;\n");
}

static void print_bash(void)
{
    printf("# Completion of brume for bash; `brume completion bash` prints it.\n"
           "_brume_words() { COMPREPLY+=($(compgen -W \"$1\" -- \"$word\")); }\n"
           "_brume_files() {\n"
           "    local name\n"
           "    while IFS= read -r name; do COMPREPLY+=(\"$name\"); done < <(compgen \"$1\" -- \"$word\")\n"
           "    compopt -o filenames 2>/dev/null\n"
           "}\n"
           "_brume_nospace() { compopt -o nospace 2>/dev/null; }\n"
           "_brume() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        _brume_words \"");
    print_command_names();
    printf("\"\n        return\n    fi\n    case $command:$previous in\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        for (const Option *option = commands[i]->options; option->name != NULL; option++)
            if (option->argument != NULL)
                print_bash_argument(commands[i], option);
    printf("    esac\n    case $command:$word in\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        print_bash_command(commands[i]);
    printf("    esac\n}\ncomplete -F _brume brume\n");
}

/* ---- zsh ---- */

/* Inside single quotes, in an argument of _arguments or _describe. */
static void print_zsh_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text) != NULL)
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void print_zsh_option(const Option *option)
{
    printf(" \\\n            '*--%s[", option->name);
    print_zsh_text(option->help);
    putchar(']');
    if (option->argument != NULL) {
        Kind kind = kind_of(option);
        printf(": :");
        if (kind == KIND_CHOICE || kind == KIND_LIMIT)
            putchar('(');
        if (kind == KIND_CHOICE)
            print_choices(option->argument);
        if (kind == KIND_LIMIT)
            print_limit_names();
        if (kind == KIND_CHOICE || kind == KIND_LIMIT)
            putchar(')');
        if (kind == KIND_FILE || kind == KIND_DIRECTORY)
            printf(kind == KIND_FILE ? "_files" : "_files -/");
    }
    putchar('\'');
}

static void print_zsh_command(const Command *command)
{
    printf("        %s)\n            _arguments", command->name);
    for (const Option *option = command->options; option->name != NULL; option++)
        print_zsh_option(option);
    if (takes_files(command)) {
        printf(" \\\n            '1: :_files'");
    } else if (command->words_max > 0) {
        printf(" \\\n            '1: :(");
        print_words(command);
        printf(")'");
    }
    printf(" \\\n            '--help[Shows this command]'\n            ;;\n");
}

static void print_zsh(void)
{
    printf("#compdef brume\n# Completion of brume for zsh; `brume completion zsh` prints it.\n"
           "_brume() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        printf("        '%s:", commands[i]->name);
        print_zsh_text(commands[i]->summary);
        printf("'\n");
    }
    printf("    )\n"
           "    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"
           "    shift words\n    (( CURRENT-- ))\n    case $words[1] in\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        print_zsh_command(commands[i]);
    printf("    esac\n}\n"
           "if [ \"$funcstack[1]\" = _brume ]; then\n    _brume \"$@\"\nelse\n    compdef _brume brume\nfi\n");
}

/* ---- fish ---- */

static void print_fish_text(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++)
        printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    putchar('\'');
}

static void print_fish_option(const Command *command, const Option *option)
{
    printf("complete -c brume -n '__fish_seen_subcommand_from %s' -l %s -d ", command->name, option->name);
    print_fish_text(option->help);
    if (option->argument != NULL) {
        Kind kind = kind_of(option);
        printf(kind == KIND_FILE        ? " -r -F"
               : kind == KIND_DIRECTORY ? " -x -a '(__fish_complete_directories)'"
                                        : " -x");
        if (kind == KIND_CHOICE) {
            printf(" -a '");
            print_choices(option->argument);
            putchar('\'');
        }
        if (kind == KIND_LIMIT) {
            printf(" -a '");
            print_limit_names();
            putchar('\'');
        }
    }
    putchar('\n');
}

static void print_fish_command(const Command *command)
{
    printf("complete -c brume -n __fish_use_subcommand -a %s -d ", command->name);
    print_fish_text(command->summary);
    putchar('\n');
    if (takes_files(command)) {
        printf("complete -c brume -n '__fish_seen_subcommand_from %s' -F\n", command->name);
    } else if (command->words_max > 0) {
        printf("complete -c brume -n '__fish_seen_subcommand_from %s; and test (count (commandline -opc)) -eq 2' -a '",
               command->name);
        print_words(command);
        printf("'\n");
    }
    for (const Option *option = command->options; option->name != NULL; option++)
        print_fish_option(command, option);
}

static void print_fish(void)
{
    printf("# Completion of brume for fish; `brume completion fish` prints it.\ncomplete -c brume -f\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        print_fish_command(commands[i]);
}

bool reference_print_completion(const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return false;
    return true;
}
