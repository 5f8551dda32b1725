"""The services' usual clients, written by others, driving the practice cloud."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import cloudflare
import gitlab
import yaml

ZONE = "gigadb.org"


def cloudflares_own(cloud):
    """Cloudflare's own Python client: token, zones, records, a batch and back, typed errors."""
    address, token = cloud.env["CLOUDFLARE_BASE_URL"], cloud.env["CLOUDFLARE_API_TOKEN"]
    client = cloudflare.Cloudflare(base_url=address, api_token=token, max_retries=0)
    assert client.user.tokens.verify().status == "active"
    assert ZONE in {zone.name for zone in client.zones.list()}
    [zone] = client.zones.list(name=ZONE)

    def records():
        return {it.id: (it.type, it.name, it.content, it.ttl) for it in client.dns.records.list(zone_id=zone.id)}

    def ttl(to):
        patch = {"id": record.id, "type": "A", "name": record.name, "content": record.content, "ttl": to}
        done = client.dns.records.batch(zone_id=zone.id, patches=[patch])
        assert [it.ttl for it in done.patches] == [to], done
        assert client.dns.records.get(record.id, zone_id=zone.id).ttl == to

    before = records()
    [record] = client.dns.records.list(zone_id=zone.id, type="A", name={"exact": ZONE})
    ttl(300)
    ttl(int(record.ttl))  # a float here; the description wants a whole number
    assert records() == before, "the zone is not as it was"
    expect(cloudflare.NotFoundError, lambda: client.dns.records.get("0" * 32, zone_id=zone.id))
    same = {"type": "A", "name": record.name, "content": record.content, "ttl": 60}
    expect(cloudflare.BadRequestError, lambda: client.dns.records.batch(zone_id=zone.id, posts=[same]))
    stranger = client.with_options(api_token="not-the-token")
    expect(cloudflare.AuthenticationError, lambda: list(stranger.zones.list()))
    return f"{len(before)} records"


def octodns(cloud):
    """octodns: dumps the zone, plans and applies a change, sees no more of it, takes it back."""
    folder = cloud.folder / "octodns"
    folder.mkdir()
    provider = {
        "class": "octodns_cloudflare.CloudflareProvider",
        "token": "env/CLOUDFLARE_API_TOKEN",
        "api_url": cloud.env["CLOUDFLARE_BASE_URL"],
        "pagerules": False,
        "min_ttl": 60,
    }
    here = {"class": "octodns.provider.yaml.YamlProvider", "directory": str(folder), "default_ttl": 60}
    config = folder / "config.yaml"
    zones = {f"{ZONE}.": {"sources": ["here"], "targets": ["there"]}}
    config.write_text(yaml.safe_dump({"providers": {"here": here, "there": provider}, "zones": zones}))

    def run(program, *words):
        command = [Path(sys.executable).with_name(program), "--config-file", config, *words]
        env = os.environ | {"CLOUDFLARE_API_TOKEN": cloud.env["CLOUDFLARE_API_TOKEN"]}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def changes(*words):
        """How many creates, updates and deletes the plan has."""
        said = run("octodns-sync", *words)
        if "No changes were planned" in said:
            return (0, 0, 0)
        found = re.search(r"Creates=(\d+), Updates=(\d+), Deletes=(\d+)", said)
        assert found, said
        return tuple(int(it) for it in found.groups())

    def written(content):
        records.write_text(content)
        assert changes() == (0, 1, 0)
        assert changes("--doit") == (0, 1, 0)
        assert changes() == (0, 0, 0), "what was applied is still planned"

    before = cloud.control("world")["records"]
    run("octodns-dump", "--output-dir", folder, f"{ZONE}.", "there")
    records = folder / f"{ZONE}.yaml"
    dumped = records.read_text()
    assert changes() == (0, 0, 0), "the dumped zone differs from itself"
    changed = yaml.safe_load(dumped)
    changed[""]["value"] = "192.0.2.7"
    written(yaml.safe_dump(changed))
    assert cloud.control("world")["records"] != before
    written(dumped)
    assert cloud.control("world")["records"] == before, "the zone is not as it was"
    return "1 update and back"


def python_gitlab(cloud):
    """python-gitlab: tags, runners, variables, pipelines, a job played to its end, its log, deployments."""
    client = gitlab.Gitlab(cloud.env["CI_SERVER_URL"], private_token=cloud.env["GITLAB_TOKEN"])
    client.auth()
    project = client.projects.list(get_all=True)[0]
    tags = project.tags.list(get_all=True)
    tag = project.tags.get("v4.3.5")
    assert tag.commit["id"] in {it.commit["id"] for it in tags}
    [runner] = project.runners.list(get_all=True)
    assert client.runners.get(runner.id).id == runner.id
    project = client.projects.get(project.id)
    level = project.permissions["project_access"]["access_level"]
    allowed = [it["access_level"] for it in project.protectedtags.list(get_all=True)[0].create_access_levels]
    assert level >= min(allowed), f"{level} may not push tags, {allowed} may"
    # It has no method of its own for this one.
    signature = f"/projects/{project.id}/repository/tags/{tag.name}/signature"
    expect(gitlab.GitlabHttpError, lambda: client.http_get(signature), code=404)

    live = {"filter": {"environment_scope": "live"}}
    key = next(it.key for it in project.variables.list(get_all=True) if it.environment_scope == "live")
    before = project.variables.get(key, **live).value
    for value in (before + ".practice", before):
        project.variables.update(key, {"value": value}, **live)
        assert project.variables.get(key, **live).value == value

    pipeline = project.pipelines.list(ref=tag.name, sha=tag.commit["id"], get_all=True)[0]
    job = next(it for it in project.pipelines.get(pipeline.id).jobs.list(get_all=True) if it.status == "manual")
    played = project.jobs.get(job.id)
    played.play()
    until = time.monotonic() + 20
    while (played := project.jobs.get(job.id)).status != "success":
        assert time.monotonic() < until, f"{played.name} is {played.status}"
        time.sleep(0.05)
    assert job.name.encode() in played.trace()
    assert played.pipeline["id"] == pipeline.id
    deployments = project.deployments.list(environment="live", status="success", get_all=True)
    assert project.deployments.get(deployments[0].id).sha == deployments[0].sha
    expect(gitlab.GitlabGetError, lambda: project.tags.get("v0.0.0"), code=404)
    expect(gitlab.GitlabAuthenticationError, gitlab.Gitlab(client.url, private_token="no").auth)
    return f"{len(tags)} tags, {len(deployments)} deployments, job {job.name}"


def expect(kind, action, code=None):
    """The action must fail with this type of error."""
    try:
        action()
    except kind as error:
        assert code is None or code == error.response_code, error
    else:
        raise AssertionError(f"{kind.__name__} was expected")
