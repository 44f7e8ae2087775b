"""Fixtures of the bootstraps' tests: workers without a sandbox."""

import pytest

import worker
from worker import NODE, PYTHON


@pytest.fixture
def workers():
    """Starts workers, and ends them with the test."""
    started = []

    def start(command, task, environment=None, **more):
        started.append(worker.Worker([str(word) for word in command], task, environment, **more))
        return started[-1]

    yield start
    for one in started:
        one.close()


# The bootstrap without the imports ahead, which take a third of a second.
SERVE = f"import sys; sys.path.insert(0, {str(worker.RUNTIMES / 'python')!r}); import bootstrap; bootstrap.serve()"


@pytest.fixture
def python(workers):
    def start(task=worker.HANDLERS / "python", environment=None, ahead=False, **more):
        command = [PYTHON, worker.RUNTIMES / "python" / "bootstrap.py"] if ahead else [PYTHON, "-c", SERVE]
        return workers(command, task, environment, **more)

    return start


@pytest.fixture
def node(workers):
    def start(task=worker.HANDLERS / "nodejs", environment=None, **more):
        return workers([NODE, worker.RUNTIMES / "nodejs" / "bootstrap.mjs"], task, environment, **more)

    return start
