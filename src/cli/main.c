#include "cli/command.h"
#include "runtime/runtime_api.h"
#include "runtime/spawner.h"

int main(int count, char **words)
{
    spawner_keep_if_asked(count, words, runtime_api_main);
    return command_main(count, words);
}
