"""People who write all the time: some follow DNS, some never look again."""

import http.client
import importlib.machinery
import importlib.util
import socket
import ssl
import threading

from hosts import HERE

loader = importlib.machinery.SourceFileLoader("ask", str(HERE / "host/ask"))
ask = importlib.util.module_from_spec(importlib.util.spec_from_loader("ask", loader))
loader.exec_module(ask)


class Writer:
    """Writes until it is stopped: at the address that DNS gives, or always at the same one."""

    def __init__(self, world, name, address=None):
        self.world, self.name, self.address = world, name, address
        self.taken, self.refused = [], 0
        self.trust = ssl.create_default_context(cafile=world.env["SSL_CERT_FILE"])
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self):
        server, number = self.world.cloud.env["CHANGEOVER_AUTHORITY"].split(",")[0], 0
        while not self.done.wait(0.4):
            number += 1
            key = f"{self.name}-{number}"
            try:
                if self.once(self.address or ask.address(server, "gigadb.org"), key) == 201:
                    self.taken.append(key)
                else:
                    self.refused += 1
            except OSError:
                self.refused += 1

    def once(self, address, key):
        """One write; the status. Only what was acknowledged counts."""
        connection = http.client.HTTPSConnection("gigadb.org", self.world.web_port, timeout=10, context=self.trust)
        connection._create_connection = lambda *_: socket.create_connection((address, self.world.web_port), timeout=10)
        try:
            connection.request("POST", f"/write?key={key}")
            return connection.getresponse().status
        finally:
            connection.close()

    def stop(self):
        self.done.set()
        self.thread.join()
        return self
