"""Recorded requests held against a service's own description, by openapi-core."""

import copy
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest
from openapi_core.templating.paths.exceptions import PathNotFound
from requests import Request

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"


class Contract:
    """One description; `base` is the path on the practice cloud that its server's address stands for."""

    def __init__(self, file, base):
        self.document = json.loads((CONTRACTS / file).read_text())
        self.openapi = OpenAPI.from_dict(self.document)  # refuses a document that is no OpenAPI
        self.base = base
        self.server = self.document["servers"][0]["url"]

    def judge(self, call):
        """What is wrong with a recorded request, in words; nothing when it is as described.

        None when the description has no such path.
        """
        if len(call["body"].encode()) != call["body_bytes"]:
            return [f"the record has not the whole body of {call['body_bytes']} bytes"]
        if not call["path"].startswith(self.base):
            return [f"the path does not begin with {self.base}"]
        url = self.server + call["path"].removeprefix(self.base)
        if call["query"]:
            url += "?" + call["query"]
        request = Request(call["method"], url, headers=call["headers"], data=call["body"].encode() or None)
        errors = list(self.openapi.iter_request_errors(RequestsOpenAPIRequest(request)))
        if any(isinstance(error, PathNotFound) for error in errors):
            return None
        return [worded(error) for error in errors] + self.unknown_parameters(call)

    def unknown_parameters(self, call):
        """openapi-core lets these pass; a misspelt filter would list everything."""
        path = call["path"].removeprefix(self.base)
        for template in sorted(self.document["paths"], key=lambda it: it.count("{")):
            operation = self.document["paths"][template].get(call["method"].lower())
            if operation and re.fullmatch(re.sub(r"\\{.*?\\}", "[^/]+", re.escape(template)), path):
                known = {it["name"] for it in operation.get("parameters", []) if it["in"] == "query"}
                asked = {name for name, _ in parse_qsl(call["query"], keep_blank_values=True)}
                return [f"query parameter {name} is not described" for name in sorted(asked - known)]
        return ["no operation was found for its parameters"]


def worded(error):
    """The error and what caused it, on one line."""
    parts = []
    while error is not None:
        parts.append(str(error))
        parts += [it.message for it in getattr(error, "schema_errors", [])]
        error = error.__cause__
    return ": ".join(dict.fromkeys(parts))


def altered(call, **changes):
    """A copy of a recorded call; `body` may be a function that changes the parsed body in place."""
    call = copy.deepcopy(call)
    for key, value in changes.items():
        call[key] = value(call[key]) if callable(value) else value
    if "body" in changes:
        call["body_bytes"] = len(call["body"].encode())
    return call


def in_json(change):
    """For `altered`: parses a body, lets `change` work on it, writes it back."""

    def changed(text):
        body = json.loads(text)
        change(body)
        return json.dumps(body)

    return changed
