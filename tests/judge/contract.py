"""Recorded requests held against a service's own description, by openapi-core."""

import copy
import json
import re
from collections import namedtuple
from pathlib import Path
from urllib.parse import parse_qsl

from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest
from openapi_core.templating.paths.exceptions import PathNotFound
from requests import Request

# The practice cloud keeps as much of an answer.
ANSWER_KEPT = 64 * 1024
Answer = namedtuple("Answer", "data status_code headers content_type")
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
        errors = list(self.openapi.iter_request_errors(self.request(call)))
        if any(isinstance(error, PathNotFound) for error in errors):
            return None
        return [worded(error) for error in errors] + self.unknown_parameters(call)

    def judge_answer(self, call):
        """What is wrong with a recorded answer; None when the record may not have all of it."""
        if call["status"] == 0 or len(call["answer"].encode()) >= ANSWER_KEPT:
            return None
        answer = Answer(call["answer"].encode(), call["status"], {}, "application/json")
        return [worded(error) for error in self.openapi.iter_response_errors(self.request(call), answer)]

    def request(self, call):
        """The call as it would have gone to the real service."""
        url = self.server + call["path"].removeprefix(self.base)
        if call["query"]:
            url += "?" + call["query"]
        body = call["body"].encode() or None
        return RequestsOpenAPIRequest(Request(call["method"], url, headers=call["headers"], data=body))

    def unknown_parameters(self, call):
        """openapi-core lets these pass; a misspelt filter would list everything."""
        path = call["path"].removeprefix(self.base)
        for template in sorted(self.document["paths"], key=lambda it: it.count("{")):
            operation = self.document["paths"][template].get(call["method"].lower())
            if operation and re.fullmatch(re.sub(r"\\{.*?\\}", "[^/]+", re.escape(template)), path):
                known = set().union(*(names(it) for it in operation.get("parameters", [])))
                asked = {name for name, _ in parse_qsl(call["query"], keep_blank_values=True)}
                return [f"query parameter {name} is not described" for name in sorted(asked - known)]
        return ["no operation was found for its parameters"]


def names(parameter):
    """The names in a query that a described parameter stands for."""
    if parameter["in"] != "query":
        return set()
    if parameter.get("style") == "deepObject":
        return {f"{parameter['name']}[{key}]" for key in parameter["schema"]["properties"]}
    return {parameter["name"]}


def worded(error):
    """The error in a line: what the schema says of it, where there is a schema."""
    schema = getattr(error.__cause__, "schema_errors", [])
    return "; ".join([it.message for it in schema]) or f"{error}: {error.__cause__ or type(error).__name__}"


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
