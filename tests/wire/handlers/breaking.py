"""Does with a circuit breaker what the event says."""

from brume import CircuitBreaker, CircuitOpenError


def fall(_event):
    raise ValueError("fallen")


def guarded(breaker, event):
    @breaker
    def answer(fails):
        if fails:
            fall(event)
        return "called"

    try:
        return answer(event["fails"])
    except CircuitOpenError as error:
        return f"open: {error}, {error.retry_at is not None}"
    except ValueError as error:
        return str(error)


def handler(event, context):
    breaker = CircuitBreaker(event["name"], failure_threshold=event.get("threshold", 3), recovery_timeout=60,
                             endpoint_url=event.get("endpoint"), timeout=2)
    action = event["do"]
    if action == "guarded":
        return guarded(breaker, event)
    return getattr(breaker, action)()
