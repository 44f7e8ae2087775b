"""Both bootstraps say hello: the least that a worker does."""

import pytest


@pytest.mark.parametrize("language", ["python", "node"])
def test_a_handler_answers_one_event_after_the_other(request, language):
    worker = request.getfixturevalue(language)()
    assert worker.start("hello.handler").kind == "READY"
    for name in ("world", "wörld", "x" * 200000):
        answer = worker.invoke({"name": name})
        assert (answer.kind, answer.document) == ("RESPONSE", {"hello": name})
        assert answer.logs == []


@pytest.mark.parametrize("language", ["python", "node"])
def test_a_worker_ends_when_the_server_closes_its_channel(request, language):
    worker = request.getfixturevalue(language)()
    assert worker.start("hello.handler").kind == "READY"
    worker.close_channel()
    assert worker.wait() == 0
