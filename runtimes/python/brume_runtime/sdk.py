"""boto3 in a worker: imported before the worker is forked, so that a handler has a client in a few milliseconds, and led to
Brume however old it is.

Versions before botocore 1.31 do not know AWS_ENDPOINT_URL, and none knows AWS_DISABLE_HOST_PREFIX_INJECTION; for them, Brume
looks them up (AWS SDKs and tools reference guide, "Service-specific endpoints", "Host prefix injection"), whether they come
from the host or in the function's own package."""

import importlib
import importlib.abc
import importlib.machinery
import os
import random
import sys

# Imported ahead, because handlers import them.
_LANGUAGE = ("json", "logging", "logging.handlers", "datetime", "decimal", "urllib.request", "urllib.parse", "uuid", "base64",
             "hashlib", "hmac", "re", "random", "collections", "dataclasses", "enum", "functools", "itertools", "typing",
             "asyncio", "concurrent.futures", "contextlib", "csv", "copy", "math", "string", "struct", "tempfile", "shutil",
             "subprocess", "zlib", "gzip", "http.client", "ssl", "socket", "statistics")

# Whose models are read ahead, too: those that handlers call most.
_SERVICES = ("sqs", "sts", "lambda", "dynamodb", "s3", "sns", "events", "stepfunctions", "secretsmanager", "ssm", "kinesis")

# Variables that a session looks at when a client is made, and not before.
_SETTLED_LATER = ("AWS_LAMBDA_", "AWS_XRAY_", "AWS_ENDPOINT_URL", "AWS_DISABLE_HOST_PREFIX_INJECTION", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
                  "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

_FIRST_WITH_ENDPOINT_URL = (1, 31)

_ahead = set()  # top-level packages that were imported ahead and are no part of the language


def prepare(library):
    """Imports everything, once, in the process that workers are forked from. `library`: the folder of the SDK."""
    for name in _LANGUAGE:
        importlib.import_module(name)
    if library and os.path.isdir(library) and library not in sys.path:
        # Before what the host has installed besides, which may be another version of the same.
        sys.path.insert(next((at for at, entry in enumerate(sys.path) if "-packages" in entry), len(sys.path)), library)
    _install_hook()
    before = set(sys.modules)
    own = {name: os.environ.pop(name) for name in list(os.environ) if _says_otherwise(name)}
    try:
        _read_ahead()
    except Exception:
        return  # a host without it, or with a broken one: a handler that imports it is told so
    finally:
        os.environ.update(own)
        _ahead.update(_packages(set(sys.modules) - before))


def _packages(names):
    """The top-level packages among module names that come from a folder of packages, not from the language's library."""
    language = os.path.dirname(os.__file__)
    for name in {name.partition(".")[0] for name in names}:
        file = getattr(sys.modules.get(name), "__file__", None) or language
        if not name.startswith("__") and ("-packages" in file or not file.startswith(language)):
            yield name


def _read_ahead():
    # The common runtime keeps a file open that its random numbers come from, which no worker has: whatever asks for one
    # there would wait for ever. botocore goes without it; a handler that imports it gets it.
    missing = "awscrt" not in sys.modules
    if missing:
        sys.modules["awscrt"] = None
    try:
        _read_sdk_ahead()
    finally:
        if missing:
            del sys.modules["awscrt"]


def _read_sdk_ahead():
    boto3 = importlib.import_module("boto3")
    botocore_session = importlib.import_module("botocore.session")
    loaders = importlib.import_module("botocore.loaders")
    _keep_files(loaders)
    known = {"region_name": "us-east-1", "aws_access_key_id": "-", "aws_secret_access_key": "-"}
    for service in _SERVICES:
        # Not through boto3's default session, which would stay. What a client needs is imported and read on the way.
        boto3.session.Session(botocore_session.Session()).client(service, endpoint_url="http://127.0.0.1:9", **known)
    _keep_a_session(botocore_session)
    _keep_a_default_session(boto3, botocore_session)


def _keep_files(loaders):
    """Sessions read the models of services from disk, each for itself: here they share what was read."""
    read, contents = loaders.JSONFileLoader.load_file, {}
    find, found = loaders.Loader.list_available_services, {}

    def load_file(self, path):
        if path not in contents:
            content = read(self, path)
            if content is None or not path.startswith(loaders.Loader.BUILTIN_DATA_PATH):
                return content
            contents[path] = content
        return contents[path]

    def list_available_services(self, type_name):
        key = (type_name, *self.search_paths)
        if key not in found:
            found[key] = find(self, type_name)
        return list(found[key])

    loaders.JSONFileLoader.load_file = load_file
    loaders.Loader.list_available_services = list_available_services


def _keep_a_session(module):
    """The first session of a worker is made ahead, too. It has read nothing of the environment, which it looks at through
    os.environ when it is asked for something."""
    make, spare = module.get_session, [module.Session()]

    def get_session(env_vars=None):
        if env_vars is None and spare:
            return spare.pop()
        return make(env_vars)

    module.get_session = get_session


def _keep_a_default_session(boto3, botocore_session):
    """The same of boto3's default session, which `boto3.client` uses. This one has settled where configuration and credentials
    are looked for, so that it serves only where nobody says otherwise."""
    inner = botocore_session.Session()
    inner.get_component("credential_provider")
    inner.get_component("endpoint_resolver")
    make, spare = boto3.setup_default_session, [boto3.session.Session(botocore_session=inner)]

    def setup_default_session(**named):
        if named or not spare or any(_says_otherwise(name) for name in os.environ):
            make(**named)
        else:
            boto3.DEFAULT_SESSION = spare.pop()

    boto3.setup_default_session = setup_default_session


def _says_otherwise(variable):
    """Whether a variable of the environment may change what an SDK's session settles when it is made."""
    if variable == "HOME":
        return True
    return variable.startswith(("AWS_", "BOTO_")) and not variable.startswith(_SETTLED_LATER)


# ---- In a worker ----

def give_way(folders):
    """A function that brings packages of its own gets those, not the ones that were imported ahead: all of them go, since
    they belong together."""
    files = _ahead | {name + ".py" for name in _ahead}
    for folder in folders:
        try:
            is_there = not files.isdisjoint(os.listdir(folder))
        except OSError:
            continue
        if is_there:
            for module in [module for module in sys.modules if module.partition(".")[0] in _ahead]:
                del sys.modules[module]
            return


def reseed():
    """Copies of one process must not draw the same numbers. OpenSSL knows a copy by its process id, which is the same in
    each one's namespace."""
    random.seed()
    if "ssl" in sys.modules:
        sys.modules["ssl"].RAND_add(os.urandom(48), 48.0)


# ---- Clients are told what they do not look up ----

class _Hook(importlib.abc.MetaPathFinder):
    """Changes botocore.session when it is imported, wherever from."""

    def find_spec(self, name, path, _target=None):
        if name != "botocore.session":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _lead_home(module)

            spec.loader.exec_module = exec_module
        return spec


def _install_hook():
    if not any(isinstance(finder, _Hook) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Hook())


def _lead_home(module):
    version = tuple(int(part) for part in sys.modules["botocore"].__version__.split(".")[:2])
    create = module.Session.create_client

    def create_client(self, service_name, *arguments, **named):
        # The endpoint is the fifth argument after the service's name, the configuration the ninth.
        url = arguments[4] if len(arguments) > 4 else named.get("endpoint_url")
        if url is None:
            url = _endpoint(self, service_name)
            if url and len(arguments) < 5 and version < _FIRST_WITH_ENDPOINT_URL:
                named["endpoint_url"] = url
        if len(arguments) < 9 and _takes_no_prefix(url):
            named["config"] = _without_prefix(named.get("config"))
        return create(self, service_name, *arguments, **named)

    module.Session.create_client = create_client


def _endpoint(session, service_name):
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    everywhere = os.environ.get("AWS_ENDPOINT_URL")
    if not any(name.startswith("AWS_ENDPOINT_URL_") for name in os.environ):
        return everywhere
    model = session.get_service_model(service_name)
    variable = "AWS_ENDPOINT_URL_" + model.service_id.upper().replace(" ", "_").replace("-", "_")
    return os.environ.get(variable) or everywhere


def _takes_no_prefix(url):
    """Brume is at an address, in front of which no name can be; other endpoints are as the function says."""
    disabled = os.environ.get("AWS_DISABLE_HOST_PREFIX_INJECTION", "").lower() == "true"
    return disabled and url is not None and url == os.environ.get("AWS_ENDPOINT_URL")


def _without_prefix(config):
    """A configuration; what the function's own says comes first."""
    plain = importlib.import_module("botocore.config").Config(inject_host_prefix=False)
    return plain if config is None else plain.merge(config)
