/* spawner_relay.h: what carries the connections of workers with a network of their own to where they may go.
 *
 * In such a worker's network each door (sandbox.h) is a socket that listens on the door's own address, on the loopback. The
 * relay, a process of the spawner's with the host's network and no other power, accepts what connects there, connects to
 * the same address outside, and passes the bytes on. So the program inside connects to what it always does. */
#ifndef BRUME_RUNTIME_SPAWNER_RELAY_H
#define BRUME_RUNTIME_SPAWNER_RELAY_H

#include "runtime/sandbox.h"

/* Opens a door: the listening socket stays the caller's. The relay lets it go when nobody in the network is left: the
 * caller keeps the other end of `life`, a file that it gives away too, and closes it then. False with errno. */
bool relay_open(int relay, int listener, int life, const SandboxDoor *door);

/* The relay itself, which takes doors from the socket until its other end is closed. */
__attribute__((noreturn)) void relay_main(int orders);

#endif
