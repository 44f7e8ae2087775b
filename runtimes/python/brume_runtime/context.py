"""The context object that a handler is given (AWS Lambda developer guide, "Using the Lambda context object to retrieve Python
function information")."""

import os
import time


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, document):
        document = document or {}
        self.cognito_identity_id = document.get("cognitoIdentityId")
        self.cognito_identity_pool_id = document.get("cognitoIdentityPoolId")

    def __repr__(self):
        return _describe(self, self.__slots__)


class Client:
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    def __init__(self, document):
        for name in self.__slots__:
            setattr(self, name, document.get(name))

    def __repr__(self):
        return _describe(self, self.__slots__)


class ClientContext:
    __slots__ = ("custom", "env", "client")

    def __init__(self, document):
        self.custom = document.get("custom")
        self.env = document.get("env")
        client = document.get("client")
        self.client = Client(client) if client else None

    def __repr__(self):
        return _describe(self, self.__slots__)


class LambdaContext:
    def __init__(self, head, output):
        """`head`: the JSON that came with the event (FRAME_INVOKE); `output`: where context.log writes."""
        environment = os.environ
        self.aws_request_id = head["requestId"]
        self.log_group_name = environment.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environment.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = head["functionArn"]
        self.tenant_id = head.get("tenantId")
        client_context = head.get("clientContext")
        self.client_context = ClientContext(client_context) if client_context else None
        self.identity = CognitoIdentity(head.get("identity"))
        self._deadline_ms = head["deadlineMs"]
        self._output = output

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, message):
        self._output.write(str(message))

    def __repr__(self):
        return _describe(self, ("aws_request_id", "log_group_name", "log_stream_name", "function_name",
                                "memory_limit_in_mb", "function_version", "invoked_function_arn", "client_context",
                                "identity", "tenant_id"))


def _describe(thing, names):
    return f"{type(thing).__name__}([{','.join(f'{name}={getattr(thing, name)}' for name in names)}])"
