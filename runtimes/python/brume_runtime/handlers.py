"""Finds a function's handler: "file.function", "folder/file.function", "package.module.function" (AWS Lambda developer guide,
"Define Lambda function handler in Python")."""

import importlib
import os
import site
import sys

from brume_runtime.faults import Fault


def set_path(task_root, layers):
    """What a handler's imports are looked up in, first to last (AWS Lambda developer guide, "Runtime search path in Python"):
    its own code, PYTHONPATH, layers, then the SDK and the language's own library; last, what Brume brings itself."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = os.path.join(layers, "python", "lib", version, "site-packages")
    # AWS's own value of PYTHONPATH is where the SDK is, which comes last.
    sdk = os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")
    folders = [task_root]
    folders += [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder not in ("", sdk)]
    folders += [packages, os.path.join(layers, "python")]
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    modules = os.path.join(own, "modules")
    others = [entry for entry in sys.path if entry not in folders and entry not in ("", own, modules)]
    sys.path[:] = [*folders, *others, modules]
    if os.path.isdir(packages):
        site.addsitedir(packages)  # for its .pth files
    for folder in folders:
        sys.path_importer_cache.pop(folder, None)  # it was another folder, or none, before this worker had its code
    return folders


def load(handler):
    """The function that `handler` names. Faults say what is wrong with it; what its module raises comes through."""
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}") from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        line = (error.text or "").rstrip("\n")
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {line}\n']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'") from None
