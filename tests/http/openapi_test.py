"""The description of the API against the program: every path and method in docs/openapi.yaml is
asked for, well and badly, and each answer has to be one that is described: its status, its type,
and its JSON by the schema.

usage: openapi_test.py PROGRAM OPENAPI_YAML
"""

import hashlib
import http.client
import json
import re
import signal
import subprocess
import sys

import jsonschema
import yaml

PROGRAM, DESCRIPTION = sys.argv[1:3]
DEADLINE_S = 60


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(k) + bencode(v) for k, v in sorted(value.items())) + b"e"


INFO = {b"name": b"film", b"piece length": 65536, b"pieces": bytes(20 * 16),
        b"files": [{b"length": 1 << 20, b"path": [b"film.mkv"]},
                   {b"length": 0, b"path": [b"empty.srt"]}]}
TORRENT = bencode({b"info": INFO})
ID = hashlib.sha1(bencode(INFO)).hexdigest()
SILENT = "b" * 40  # nobody has its metadata


class Api:
    def __init__(self, description, port):
        self.doc = description
        self.port = port
        self.seen = set()

    def resolve(self, thing):
        while "$ref" in thing:
            found = self.doc
            for part in thing["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            thing = found
        return thing

    def request(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            endless = answer.getheader("Content-Type") == "text/event-stream"
            return answer, answer.readline() if endless else answer.read()
        finally:
            connection.close()

    def ask(self, method, pattern, expected, body=None, headers=None, **values):
        """Asks, and compares with what the description of `pattern` says."""
        target = re.sub(r"{(\w+)}", lambda name: str(values[name[1]]), pattern)
        what = f"{method} {target}"
        answer, content = self.request(method, target, body, headers)
        assert answer.status == expected, f"{what}: {answer.status}, not {expected}: {content!r}"
        operation = self.resolve(self.doc["paths"][pattern][method.lower()])
        assert str(expected) in operation["responses"], f"{what}: {expected} is not described"
        self.seen.add((pattern, method.lower()))
        self.check(what, method, self.resolve(operation["responses"][str(expected)]), answer, content)
        return content

    def check(self, what, method, described, answer, content):
        kinds = described.get("content", {})
        kind = (answer.getheader("Content-Type") or "").split(";")[0]
        if method == "HEAD" or not kinds:
            assert not content, f"{what}: a body that is not described: {content!r}"
            return
        assert kind in kinds or "*/*" in kinds, f"{what}: {kind} is not described"
        if kind.endswith("json"):
            schema = {**kinds[kind]["schema"], "components": self.doc["components"]}
            jsonschema.validate(json.loads(content), schema, jsonschema.Draft202012Validator)


def ask_everything(api):
    torrents, one = "/api/v1/torrents", "/api/v1/torrents/{id}"
    raw = {"Content-Type": "application/x-bittorrent"}
    as_json = {"Content-Type": "application/json"}
    api.ask("POST", torrents, 201, TORRENT, raw)
    api.ask("POST", torrents, 200, TORRENT, raw)
    api.ask("POST", torrents, 201, json.dumps({"uri": f"magnet:?xt=urn:btih:{SILENT}"}), as_json)
    api.ask("POST", torrents, 400, "{}", as_json)
    api.ask("POST", torrents, 400, b"nonsense", raw)
    api.ask("POST", torrents, 413, b" " * 70_000, as_json)
    for pattern in ("/", "/page.css", "/page.js", "/healthz", "/metrics", "/openapi.yaml", "/playlist.m3u", torrents, "/api/v1/readers",
                    "/api/v1/memory", "/api/v1/settings"):
        api.ask("GET", pattern, 200)
        api.ask("HEAD", pattern, 200)
    api.ask("GET", "/api/v1/events", 200)
    for method in ("GET", "HEAD"):
        for pattern in (one, "/playlist/{id}.m3u"):
            api.ask(method, pattern, 200, id=ID)
            api.ask(method, pattern, 404, id="a" * 40)
        api.ask(method, one, 200, id=SILENT)
        api.ask(method, "/playlist/{id}.m3u", 504, id=SILENT)
        for pattern in ("/stream/{id}/{index}", "/stream/{id}/{index}/{name}"):
            api.ask(method, pattern, 200, id=ID, index=1, name="empty.srt")
            api.ask(method, pattern, 404, id=ID, index=7, name="x")
            api.ask(method, pattern, 404, id="a" * 40, index=0, name="x")
            api.ask(method, pattern, 504, id=SILENT, index=0, name="x")
            tag = {"If-None-Match": f'"{ID}-0"'}
            api.ask(method, pattern, 304, None, tag, id=ID, index=0, name="x")
            api.ask(method, pattern, 412, None, {"If-Match": '"x"'}, id=ID, index=0, name="x")
    api.ask("GET", "/stream/{id}/{index}", 416, None, {"Range": "bytes=2000000-"}, id=ID, index=0)
    api.ask("GET", "/stream/{id}/{index}", 504, id=ID, index=0)
    for action in ("pause", "resume"):
        api.ask("POST", one + "/" + action, 200, id=ID)
        api.ask("POST", one + "/" + action, 404, id="a" * 40)
        api.ask("POST", one + "/" + action, 400, "body", id=ID)
    api.ask("PATCH", "/api/v1/settings", 200, json.dumps({"capacity_bytes": 64 << 20}), as_json)
    windows = {"lookbehind": "30s", "read_ahead": "1MiB"}
    set_to = json.loads(api.ask("PATCH", "/api/v1/settings", 200, json.dumps(windows), as_json))
    assert {name: set_to[name] for name in windows} == windows
    api.ask("PATCH", "/api/v1/settings", 400, json.dumps({"capacity_bytes": 1}), as_json)
    api.ask("PATCH", "/api/v1/settings", 413, b" " * 70_000, as_json)
    assert json.loads(api.ask("GET", "/api/v1/settings", 200))["capacity_bytes"] == 64 << 20
    for pattern in api.doc["paths"]:
        api.ask("OPTIONS", pattern, 204, id=ID, index=0, name="x")
    api.ask("DELETE", one, 204, id=ID)
    api.ask("DELETE", one, 404, id=ID)


def main():
    with open(DESCRIPTION, encoding="utf-8") as text:
        description = yaml.safe_load(text)
    server = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0"
                               , "--offline", "--metadata-timeout", "0.2", "--read-timeout", "0.2"
                               , "--log-level", "off"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline().rstrip().rstrip("/").rpartition(":")[2])
        api = Api(description, port)
        ask_everything(api)
        _, served = api.request("GET", "/openapi.yaml")
        assert yaml.safe_load(served) == description, "another description is served"
        methods = {(path, method) for path, item in description["paths"].items()
                   for method in item if method != "parameters"}
        assert api.seen == methods, f"never asked for: {methods - api.seen}"
        server.send_signal(signal.SIGTERM)
        assert server.wait(DEADLINE_S) == 0
    finally:
        server.kill()
        server.wait()
    print(f"{len(methods)} operations answer as described")


if __name__ == "__main__":
    main()
