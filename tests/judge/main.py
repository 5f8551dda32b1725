"""Judges by others. Usage: main.py FOLDER-OF-PROGRAMS MOTO_SERVER; scripts/suites/judge calls it."""

import json
import os
import sys
import tempfile
import traceback
import urllib.error
import urllib.request
from collections import Counter

import clients
from cloud import Cloud
from contract import Contract, altered, in_json
from verdicts import Verdicts

# Calls of the program that gitlab-bg.openapi.json lacks; anything else without a path is a violation.
# `GET ` is the project itself, a tag's second `:id` its signature.
LACKING = {"GET repository/tags", "GET repository/tags/:id", "GET repository/tags/:id/:id", "GET protected_tags"}
LACKING |= {"GET runners", "GET jobs/:id/trace", "GET user", "GET "}

# Calls of python-gitlab that it lacks besides.
LACKING_TOO = {"GET projects", "GET runners/91"}


def send(cloud, path, body):
    """Sends a request to the practice Cloudflare as anybody could; gives the status."""
    headers = {"authorization": "Bearer " + cloud.env["CLOUDFLARE_API_TOKEN"], "content-type": "application/json"}
    request = urllib.request.Request(cloud.env["CLOUDFLARE_BASE_URL"] + path, json.dumps(body).encode(), headers)
    try:
        return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as refused:
        return refused.code


def judged(cloud, service, contract, lacking=frozenset()):
    """Judges all that was recorded; gives the violations by number and how often each lacking call was made."""
    calls = cloud.calls(service)
    counted, applied = cloud.counted(service)
    assert len(calls) == counted > 0, f"{len(calls)} requests are recorded, {counted} were counted"
    assert sum(it["applied"] for it in calls) == applied > 0, f"not all of {applied} changes are recorded"
    found, without, violations, answers = 0, Counter(), {}, 0
    for call in calls:
        wrong = contract.judge(call)
        if wrong is None and call["operation"] in lacking:
            without[call["operation"]] += 1
            continue
        found += 1
        answer = [] if wrong is None else contract.judge_answer(call)
        answers += answer is not None
        if wrong is None or wrong or answer:
            violations[call["n"]] = f"{call['method']} {call['path']}: {wrong or answer or 'no such path for ' + call['operation']}"
    assert found + without.total() == counted, f"{found} of {counted} were judged"
    said = f"{found} judged = {counted} counted" + (f" - {without.total()} without a path" if without else "")
    return f"{said}, {applied} changes among them, and {answers} answers", violations, without


def refused(contract, alterations):
    """Every alteration of a recorded request must be refused, and the request itself must not be."""
    for name, call, changes in alterations:
        assert contract.judge(call) == [], f"{name}: the recorded request itself is refused"
        assert contract.judge(altered(call, **changes)) != [], f"{name}: the altered request passes"
    return f"{len(alterations)} alterations refused"


def refused_answers(contract, alterations):
    """The same of answers: what judges them must be able to refuse one."""
    for name, call, change in alterations:
        assert contract.judge_answer(call) == [], f"{name}: the recorded answer itself is refused"
        assert contract.judge_answer(altered(call, answer=in_json(change))) != [], f"{name}: the altered answer passes"
    return f"{len(alterations)} alterations refused"


def first(calls, operation, part=""):
    """The first accepted call of an operation with this text in its body."""
    return next(it for it in calls if it["operation"] == operation and it["status"] == 200 and part in it["body"])


def cloudflare_alterations(calls):
    batch, zones = first(calls, "POST dns_records/batch", '"type":"A"'), first(calls, "GET zones")
    listed = first(calls, "GET dns_records")
    address = lambda body: next(it for it in body["patches"] if it["type"] == "A")
    one = lambda **change: {"body": in_json(lambda body: address(body).update(change))}
    bare = lambda headers: {k: v for k, v in headers.items() if k != "authorization"}
    return [
        ("patch for patches", batch, {"body": in_json(lambda body: body.update(patch=body.pop("patches")))}),
        ("ttl 5", batch, one(ttl=5)),
        ("ttl as text", batch, one(ttl="60")),
        ("empty content", batch, one(content="")),
        ("unknown type", batch, one(type="B")),
        ("unknown key", batch, one(priorty=1)),
        ("no id", batch, {"body": in_json(lambda body: address(body).pop("id"))}),
        ("cut body", batch, {"body": lambda body: body[:-1]}),
        ("no body", batch, {"body": ""}),
        ("no token", batch, {"headers": bare}),
        ("no such path", batch, {"path": lambda path: path.replace("/batch", "/batches/all")}),
        ("wrong method", batch, {"method": "PATCH"}),
        ("zone's name for its id", listed, {"path": "/client/v4/zones/gigadb.org/dns_records"}),
        ("page 0", zones, {"query": "page=0"}),
        ("too many a page", zones, {"query": "per_page=100"}),
        ("misspelt filter", zones, {"query": "nmae=gigadb.org"}),
    ]


def gitlab_alterations(calls):
    play, put = first(calls, "POST jobs/:id/play"), first(calls, "PUT variables/:id")
    listed = first(calls, "GET pipelines")
    bare = lambda headers: {k: v for k, v in headers.items() if k not in ("private-token", "authorization")}
    return [
        ("unknown key", put, {"body": in_json(lambda body: body.update(vaule="x"))}),
        ("value as number", put, {"body": in_json(lambda body: body.update(value=1))}),
        ("no token", put, {"headers": bare}),
        ("misspelt filter", put, {"query": "filter%5Bscope%5D=live"}),
        ("wrong method", play, {"method": "PUT"}),
        ("page 0", listed, {"query": "page=0"}),
    ]


def gitlab_answers(calls):
    play, listed, put = first(calls, "POST jobs/:id/play"), first(calls, "GET pipelines"), first(calls, "PUT variables/:id")
    return [
        ("unknown status", play, lambda body: body.update(status="succeeded")),
        ("number as text", play, lambda body: body.update(id="17")),
        ("one for a list", listed, lambda body: body.__setitem__(0, "main")),
        ("unknown type", put, lambda body: body.update(variable_type="secret")),
    ]


def wrong_request(cloud, contract):
    """A wrong request on purpose: the practice cloud and the judge must both refuse it."""
    batch = first(cloud.calls("cloudflare"), "POST dns_records/batch")
    before = cloud.control("world")["records"]
    body = {"patch": [{"id": "0" * 32, "type": "A", "name": "gigadb.org", "content": "192.0.2.1", "ttl": 5}]}
    status = send(cloud, batch["path"].removeprefix("/client/v4"), body)
    call = cloud.calls("cloudflare")[-1]
    assert json.loads(call["body"]) == body, "the last recorded request is another one"
    assert status == 400 and not call["applied"], f"the practice cloud answered {status}"
    assert cloud.control("world")["records"] == before, "the records have changed"
    wrong = contract.judge(call)
    assert wrong, "the judge lets it pass"
    return call["n"], wrong


def run(cloud, verdicts):
    cloudflare = Contract("cloudflare-dns.openapi.json", "/client/v4")
    gitlab = Contract("gitlab-bg.openapi.json", "")
    lacking, wrong = Counter(), []

    def release():
        assert (trouble := cloud.release()) is None, trouble
        return "v4.3.4 out, v4.3.5 out and back, the journal verified"

    def of_cloudflare():
        said, violations, _ = judged(cloud, "cloudflare", cloudflare)
        [n] = wrong
        violations.pop(n)
        assert not violations, "\n".join(violations.values())
        return f"{said}; 0 violations besides the wrong request"

    def of_gitlab(*more):
        said, violations, without = judged(cloud, "gitlab", gitlab, LACKING.union(*more))
        assert not violations, "\n".join(violations.values())
        lacking.update(without)
        listed = ", ".join(f"{name} {count}" for name, count in sorted(without.items()))
        return f"{said}; 0 violations; no path for: {listed or 'none'}"

    def wrong_one():
        n, said = wrong_request(cloud, cloudflare)
        wrong.append(n)
        return f"refused by both: {said[0]}"

    def driven_gitlab():
        last = cloud.control("calls")[-1]["n"]
        said = clients.python_gitlab(cloud)
        missing = set(lacking) - {it["operation"] for it in cloud.calls("gitlab", since=last)}
        assert not missing, f"python-gitlab never made {sorted(missing)}"
        return f"{said}; it makes all {len(lacking)} kinds of calls that the contract lacks"

    verdicts.check("a whole release", release)
    if verdicts.failed:
        return
    verdicts.check("a wrong request", wrong_one)
    verdicts.check("the release's requests to Cloudflare", of_cloudflare)
    verdicts.check("the release's requests to GitLab", of_gitlab)
    for name, contract, alterations in [
        ("cloudflare", cloudflare, cloudflare_alterations),
        ("gitlab", gitlab, gitlab_alterations),
    ]:
        calls = cloud.calls(name)
        verdicts.check(f"altered {name} requests", lambda: refused(contract, alterations(calls)))
    verdicts.check("altered gitlab answers", lambda: refused_answers(gitlab, gitlab_answers(cloud.calls("gitlab"))))
    verdicts.check("client cloudflare", lambda: clients.cloudflares_own(cloud))
    verdicts.check("client octodns", lambda: clients.octodns(cloud))
    verdicts.check("client python-gitlab", driven_gitlab)
    verdicts.check("all requests to Cloudflare, those of the clients too", of_cloudflare)
    verdicts.check("all requests to GitLab, those of the client too", lambda: of_gitlab(LACKING_TOO))


def main(programs, moto):
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory(prefix="changeover-judge.") as folder:
        try:
            with Cloud(folder, programs, moto) as cloud:
                run(cloud, verdicts)
        except Exception as error:
            verdicts.failed += 1
            print(f"FAILED the suite: {error}")
            traceback.print_exc()
    print(f"judge: {verdicts.passed} passed, {verdicts.failed} failed, 0 skipped")
    return 1 if verdicts.failed or not verdicts.passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
