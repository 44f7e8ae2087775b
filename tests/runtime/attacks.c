/* What a worker tries, as the variable ATTACK says. It prints what it got, and exits with 0 when the wall held. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int hello(void)
{
    printf("hello from %d, user %d\n", getpid(), getuid());
    return 0;
}

static int channel(void)
{
    char text[64];
    ssize_t size = read(3, text, sizeof text);
    return size > 0 && write(3, text, (size_t)size) == size ? 0 : 1;
}

static int leave(void)
{
    return 42;
}

static int eat_memory(void)
{
    for (;;) {
        char *piece = malloc(1 << 20);
        if (piece == NULL)
            return 0;
        memset(piece, 1, 1 << 20);
    }
}

__attribute__((noreturn)) static int hang(void)
{
    for (;;)
        pause();
}

static const struct {
    const char *name;
    int (*run)(void);
} attacks[] = {
    {"hello", hello}, {"channel", channel}, {"leave", leave}, {"eat_memory", eat_memory}, {"hang", hang},
};

int main(void)
{
    const char *name = getenv("ATTACK");
    for (size_t i = 0; name != NULL && i < sizeof attacks / sizeof *attacks; i++)
        if (strcmp(attacks[i].name, name) == 0)
            return attacks[i].run();
    fprintf(stderr, "no attack %s\n", name == NULL ? "" : name);
    return 99;
}
