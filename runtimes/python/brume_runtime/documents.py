"""Handlers' JSON: events in, answers out, as AWS's runtime for Python reads and writes them.

Non-ASCII characters are escaped before Python 3.12 and written as they are from 3.12 on; bytes inside an answer are taken as
UTF-8 text; Decimal and datetime are refused."""

import json
import sys


class _Encoder(json.JSONEncoder):
    def default(self, value):
        if isinstance(value, (bytes, bytearray)):
            return value.decode("utf-8")
        return super().default(value)


_encoder = _Encoder(ensure_ascii=sys.version_info < (3, 12))
encode = _encoder.encode
decode = json.loads
