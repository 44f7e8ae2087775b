/* reference.h: the tables of commands, options and limits, written for other readers than a terminal.
 *
 * `make` and the packages take the pages from here, so that none of them says anything that the program does not. All
 * print on standard output. */
#ifndef BRUME_CLI_REFERENCE_H
#define BRUME_CLI_REFERENCE_H

#include "cli/command.h"

/* brume.1: every command, option and limit, in the macros of man(7). */
void reference_print_manual(void);

/* docs/configuration.md: what `brume start` can be told. */
void reference_print_configuration(void);

/* brume.conf.example: a configuration file with every setting in it, as comments. */
void reference_print_example(void);

/* Completion of words and options for a shell: bash, zsh or fish; false for another. */
bool reference_print_completion(const char *shell);

/* ---- What an option takes and what it has when nothing is said, for those above ---- */

/* The option's default where it can be written down as a value, else the name of its argument. */
const char *option_sample(const Option *option);

#endif
