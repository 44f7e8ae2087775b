"""The process that Python workers are forked from: it has imported what handlers commonly need, and runs none of theirs.

File 3 is the socket to the spawner. For each order the interpreter is forked into fresh namespaces by zygote.so, puts up
the worker's walls, and serves events from file 3, which is the worker's channel by then."""

import ctypes
import gc
import sys

HOME = "/var/brume"


def main():
    gc.disable()
    sys.path[0] = HOME + "/python"
    import bootstrap

    walls = ctypes.PyDLL(HOME + "/zygote.so")
    python = ctypes.pythonapi
    bootstrap.prepare()
    # What is there now stays in pages that workers share: the collector must not write into it.
    gc.collect()
    gc.freeze()
    walls.zygote_ready()
    while walls.zygote_receive():
        python.PyOS_BeforeFork()
        process = walls.zygote_fork()
        if process == 0:
            python.PyOS_AfterFork_Child()
            walls.zygote_enter()
            gc.enable()
            bootstrap.serve(3)
            return
        python.PyOS_AfterFork_Parent()


main()
