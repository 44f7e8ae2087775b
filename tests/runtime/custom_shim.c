/* Serves the Runtime API over files 3 and 4 without a sandbox: custom_shim TASK_DIRECTORY LAYER_DIRECTORY. */
#include "runtime/channel.h"
#include "runtime/runtime_api.h"

#include <stdio.h>

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: custom_shim TASK_DIRECTORY LAYER_DIRECTORY\n");
        return 2;
    }
    RuntimeApiOptions options = {.events = CHANNEL_EVENTS_FILE,
                                 .answers = CHANNEL_ANSWERS_FILE,
                                 .task_directory = arguments[1],
                                 .layer_directory = arguments[2]};
    return runtime_api_serve(&options);
}
