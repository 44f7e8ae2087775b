#include "cli/reference.h"

static int run_completion(const CommandLine *invocation)
{
    const char *shell = invocation->words[0];
    if (reference_print_completion(shell))
        return EXIT_OK;
    return command_misused(&command_completion, "there is no completion for '%s', but for bash, zsh and fish", shell);
}

static const Option no_options[] = {{0}};

const Command command_completion = {
    .name = "completion",
    .words = "bash | zsh | fish",
    .summary = "Prints what a shell needs to complete commands and options.",
    .details = "For bash: `source <(brume completion bash)`. For zsh, into a folder of $fpath: `brume completion zsh > "
               "_brume`. For fish: `brume completion fish | source`. Packages install all three.",
    .options = no_options,
    .words_min = 1,
    .words_max = 1,
    .run = run_completion,
};
