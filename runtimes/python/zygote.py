"""The process that Python workers are forked from: it has imported what handlers commonly need, and runs none of theirs.

File 3 is the socket to the spawner. For each order the interpreter is forked into fresh namespaces by zygote.so, puts up
the worker's walls, and serves events from its channel, whose first file is 3 as well."""

import ctypes
import gc
import os
import sys
import threading

HOME = "/var/brume"


def take_copies(walls, python):
    """SnapStart: what is a template from now on makes copies of itself. Returns in each of them; it ends with the spawner."""
    while walls.zygote_receive():
        python.PyOS_BeforeFork()
        process = walls.zygote_copy()
        if process == 0:
            # First the walls: hooks after a fork are the function's.
            walls.zygote_enter_copy()
            python.PyOS_AfterFork_Child()
            return
        python.PyOS_AfterFork_Parent()
    os._exit(0)


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
            threading.main_thread()._set_native_id()  # of the namespace's second process (sandbox_leave_first)
            gc.enable()
            bootstrap.serve(lambda: take_copies(walls, python))
            return
        python.PyOS_AfterFork_Parent()


main()
