"""The site of one region: HTTPS on its addresses, version and role as GitLab deployed them, data from its PostgreSQL.

usage: web.py SITE LAB_URL CERTIFICATE KEY LOG PORT ADDRESS...     the variables PG* name the database
"""

import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

PRODUCTION = {"gigadb.org", "portainer.gigadb.org", "files.gigadb.org", "bastion.gigadb.host"}
STANDBY = {"alt-live.gigadb.host", "portainer.alt-live.gigadb.host", "files.alt-live.gigadb.host", "bastion.alt-live.gigadb.host"}
NEWEST = "select identifier, title, publication_date from dataset where publication_date is not null order by publication_date desc, identifier desc limit 10"


KEPT = {"until": 0.0, "state": None}


def deployed(site, lab):
    """What the practice GitLab deployed last at this site: version and variables; kept for a moment."""
    if KEPT["until"] < time.monotonic():
        with urllib.request.urlopen(f"{lab}/_lab/world", timeout=20) as answer:
            KEPT.update(state=json.load(answer)["sites"][site], until=time.monotonic() + 0.3)
    return KEPT["state"]


def sql(statement, **values):
    """Rows of a statement; `:'name'` in it stands for a value."""
    options = [f"--set={name}={value}" for name, value in values.items()]
    done = subprocess.run(["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", *options], input=statement, capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise OSError(done.stderr.strip())
    return [line.split("\t") for line in done.stdout.splitlines()]


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    site = lab = log = None

    def do_GET(self):
        self.answer(self.page)

    def do_POST(self):
        self.answer(self.write)

    def answer(self, make):
        try:
            state = deployed(self.site, self.lab)
            host = self.headers.get("host", "").split(":")[0].lower()
            # As nginx with $host first: what `site_requests` counts.
            with open(self.log, "a", encoding="utf-8") as log:
                log.write(f"{host} {self.command} {self.path}\n")
            names = STANDBY | (PRODUCTION if state["configuration"]["REMOTE_HOSTNAME"] == "gigadb.org" else set())
            status, text = make(state) if host in names else (404, "no such host here\n")
        except OSError as error:
            status, text = 503, f"{error}\n"
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-practice-site", self.site)
        self.end_headers()
        self.wfile.write(body)

    def page(self, state):
        if self.path == "/":
            [[datasets]] = sql("select count(*) from dataset")
            return 200, f"<h1>GigaDB</h1>\n<p>Datasets: {datasets}</p>\n<footer>Version: {state['version']}</footer>\n"
        if self.path == "/.well-known/changeover":
            return 200, f"gigadb-{self.site}\n"
        if self.path == "/rss/latest":
            home = state["configuration"]["HOME_URL"]
            items = [f"<item><title>{title}</title><link>{home}/dataset/{name}</link><pubDate>{day}</pubDate></item>\n" for name, title, day in sql(NEWEST)]
            return 200, f"<rss version=\"2.0\"><channel><link>{home}</link>\n{''.join(items)}</channel></rss>\n"
        if self.path.startswith("/dataset/"):
            rows = sql("select title from dataset where identifier = :'id'", id=self.path.removeprefix("/dataset/"))
            return (200, f"<h1>{rows[0][0]}</h1>\n") if rows else (404, "not found\n")
        return 404, "not found\n"

    def write(self, _):
        url = urllib.parse.urlsplit(self.path)
        [key] = urllib.parse.parse_qs(url.query)["key"]
        sql("insert into dataset (identifier, title) values (:'key', 'Written by a user')", key=key)
        return 201, "written\n"

    def log_message(self, *_):
        pass


def main(site, lab, certificate, key, log, port, *addresses):
    Page.site, Page.lab, Page.log = site, lab, log
    os.environ["no_proxy"] = "127.0.0.1"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for address in addresses:
        server = http.server.ThreadingHTTPServer((address, int(port)), Page)
        # The handshake belongs to the thread of the connection, not to the one that accepts.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever).start()
    print("ready", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
