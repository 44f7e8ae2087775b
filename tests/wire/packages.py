"""Deployment packages for tests: zips made in memory, with any entry that one may wish for."""

import base64
import hashlib
import io
import os
import stat
import zipfile

HANDLER = "def handler(event, context):\n    return event\n"
ROLE = "arn:aws:iam::{account}:role/worker"


def make_zip(files, links=(), modes=(), mode=0o644, level=None):
    """`files`: name: text, bytes or a file of this machine (a name that ends in a slash is a folder); `links`: name: target;
    `modes`: name: mode, of those that have another than `mode`. The same files always give the same bytes."""
    modes = dict(modes)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in dict(files).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (modes.get(name, stat.S_IFREG | mode)) << 16
            content = content.read_bytes() if isinstance(content, os.PathLike) else content
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, level)
        for name, target in dict(links).items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, target)
    return out.getvalue()


def digest(package):
    return base64.b64encode(hashlib.sha256(package).digest()).decode()


def function_arguments(name, package=None, account="123456789012", **more):
    """What CreateFunction needs."""
    return {
        "FunctionName": name, "Runtime": "python3.11", "Handler": "index.handler", "Role": ROLE.format(account=account),
        "Code": {"ZipFile": make_zip({"index.py": HANDLER}) if package is None else package}, **more}
