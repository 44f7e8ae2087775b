"""apigen: turns api/NAME.smithy into NAME.h and NAME.c.

    python3 tools/apigen FILE.smithy OUTPUT-DIRECTORY

The same input gives the same output. Mistakes end it with FILE:LINE: what is wrong."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from emit import emit  # noqa: E402
from model import DeclarationError  # noqa: E402
from parse import parse  # noqa: E402


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, directory = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    try:
        service = parse(path)
        stem = os.path.splitext(os.path.basename(path))[0]
        if service.name != stem:
            raise DeclarationError(service.place, f"service {service.name} stands in {stem}.smithy")
        emit(service, os.path.relpath(path), directory)
    except DeclarationError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
