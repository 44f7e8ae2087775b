"""What functions on Brume can import besides AWS's own: circuit breakers that all workers of the account share (docs/breakers.md).

    from brume import CircuitBreaker, CircuitOpenError

Speaks to the server at AWS_ENDPOINT_URL, signed with the function's credentials (AWS Signature Version 4: IAM user guide,
"Create a signed AWS API request"), with the language's own library alone. Runs on Python 3.9 and later."""

import functools
import hashlib
import hmac
import http.client
import inspect
import json
import os
import ssl
import time
import urllib.parse

__all__ = ["CircuitBreaker", "CircuitOpenError", "BrumeError", "BrumeRefusedError", "BrumeUnavailableError"]


class BrumeError(Exception):
    """What this module raises."""


class BrumeUnavailableError(BrumeError):
    """The server could not be reached, or did not answer."""


class BrumeRefusedError(BrumeError):
    """The server refused the call; `code` says why."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class CircuitOpenError(BrumeError):
    """The circuit breaker is open: the call was not made. `retry_at`: seconds since 1970, on the platform's clock; None: as soon
    as the probe that is under way has ended."""

    def __init__(self, name, retry_at=None):
        super().__init__(f"circuit breaker {name!r} is open")
        self.name = name
        self.retry_at = retry_at


class CircuitBreaker:
    """A circuit breaker of the account, by its name. After `failure_threshold` failures in a row it is open for
    `recovery_timeout` seconds; then one caller is let through, whose outcome closes it or opens it anew."""

    def __init__(self, name, failure_threshold=5, recovery_timeout=60, *, endpoint_url=None, region_name=None, timeout=5):
        self.name = name
        self.failure_threshold = failure_threshold
        self.recovery_timeout = recovery_timeout
        self._client = _Client(endpoint_url, region_name, timeout)

    def is_open(self):
        """Whether the call should not be made. When False, tell its outcome by record_success or record_failure: it may be the
        one probe that decides."""
        return not self._enter()["Allowed"]

    def record_success(self):
        self._record(True)

    def record_failure(self):
        self._record(False)

    def call(self, function, *arguments, **named):
        """What the function returns; an exception of it is a failure. CircuitOpenError: it was not called."""
        entered = self._enter()
        if not entered["Allowed"]:
            retry_at = entered["Breaker"].get("RetryAt")
            raise CircuitOpenError(self.name, None if retry_at is None else retry_at / 1000)
        try:
            result = function(*arguments, **named)
        except Exception:
            self.record_failure()
            raise
        self.record_success()
        return result

    def __call__(self, function):
        """As a decorator: every call goes through `call`."""
        if inspect.iscoroutinefunction(function):
            raise TypeError("CircuitBreaker decorates functions, not coroutines: use is_open, record_success and record_failure")

        @functools.wraps(function)
        def guarded(*arguments, **named):
            return self.call(function, *arguments, **named)

        return guarded

    def _enter(self):
        return self._client.call("EnterCircuitBreaker", self._settings())

    def _record(self, success):
        self._client.call("RecordCircuitBreaker", {**self._settings(), "Success": success})

    def _settings(self):
        return {"Name": self.name, "FailureThreshold": self.failure_threshold,
                "RecoveryMilliseconds": round(self.recovery_timeout * 1000)}


class _Client:
    """Calls operations of the service "brume". A connection for each call: none to grow stale while a worker is frozen."""

    def __init__(self, endpoint_url, region_name, timeout):
        self.endpoint_url = endpoint_url
        self.region_name = region_name
        self.timeout = timeout

    def call(self, operation, document):
        endpoint = self.endpoint_url or os.environ.get("AWS_ENDPOINT_URL_BRUME") or os.environ.get("AWS_ENDPOINT_URL")
        if not endpoint:
            raise BrumeUnavailableError("there is no AWS_ENDPOINT_URL: circuit breakers are kept by the Brume server that runs "
                                        "the function")
        place = urllib.parse.urlsplit(endpoint)
        body = json.dumps(document).encode()
        region = self.region_name or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        headers = _sign(place.netloc.rpartition("@")[2], f"Brume.{operation}", region, body)
        try:
            status, answer = self._post(place, headers, body)
        except (OSError, http.client.HTTPException) as error:
            raise BrumeUnavailableError(f"{operation}: the Brume server at {endpoint} did not answer: {error!r}") from error
        return _read(operation, endpoint, status, answer)

    def _post(self, place, headers, body):
        if place.scheme == "https":
            context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
            connection = http.client.HTTPSConnection(place.hostname, place.port, timeout=self.timeout, context=context)
        else:
            connection = http.client.HTTPConnection(place.hostname, place.port, timeout=self.timeout)
        try:
            connection.request("POST", "/", body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _read(operation, endpoint, status, answer):
    try:
        document = json.loads(answer or b"{}")
    except ValueError:
        raise BrumeUnavailableError(f"{operation}: what answers at {endpoint} is no Brume server") from None
    if status != 200:
        code = str(document.get("__type", status)).rpartition("#")[2]
        raise BrumeRefusedError(code, document.get("message") or document.get("Message") or "no reason was given")
    return document


def _sign(host, target, region, body):
    """The request's headers, with its signature."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {"content-type": "application/x-amz-json-1.1", "host": host, "x-amz-date": stamp, "x-amz-target": target}
    token = os.environ.get("AWS_SESSION_TOKEN")
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/brume/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + os.environ.get("AWS_SECRET_ACCESS_KEY", "").encode()
    for part in (stamp[:8], region, "brume", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{os.environ.get('AWS_ACCESS_KEY_ID', '')}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return headers
