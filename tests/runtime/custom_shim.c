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
    RuntimeApiOptions options = {CHANNEL_EVENTS_FILE, CHANNEL_ANSWERS_FILE, arguments[1], arguments[2]};
    return runtime_api_serve(&options);
}
