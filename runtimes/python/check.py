"""Says whether files are Python, for `brume function watch`: reads paths within the folder that it was given, a line each, and at
an empty line answers with a line "FILE:LINE: what is wrong" for each that is not, then an empty one. Nothing of the files is
run."""

import os
import sys
import warnings


def check(path):
    """The problem of one file; None: it has none, or is gone."""
    try:
        with open(os.path.join(sys.argv[1], path), "rb") as file:
            source = file.read()
    except OSError:
        return None
    try:
        compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{path}:{error.lineno or 1}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{path}:1: {error}"
    return None


def main():
    warnings.simplefilter("ignore")
    problems = []
    for line in sys.stdin:
        path = line.rstrip("\n")
        if path:
            problems.append(check(path))
            continue
        for problem in filter(None, problems):
            print(problem.replace("\n", " "))
        print(flush=True)
        problems = []


main()
