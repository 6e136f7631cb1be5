"""Checks 79 and 80: how bodies and heads may come, and that they arrive unchanged."""

import json
import shutil
import time
import urllib.parse

import harness
from check import check
from images import archive_of
from wire import CHUNKED, Wire, chunked

UNICODE = "Grüße, 世界 \U0001f433 \u2028 \\ \" \t"


@check(79, "chunked uploads, Expect: 100-continue, one connection used again after errors")
def uploads(world, facts):
  world.up("ck_up")
  archive = archive_of(chunked=b"x" * 200000)
  with world.wire() as wire:
    for what, request, status in (
        ("an error", ("GET", "/containers/nosuch/json"), 404),
        ("a bad body", ("POST", "/containers/create", b"{\"Image\":"), 400),
        ("a refused upload", ("POST", "/plugins/create?name=x", chunked(archive), CHUNKED), 501),
        ("a chunked archive", ("PUT", "/containers/ck_up/archive?path=/tmp", chunked(archive),
                               (*CHUNKED, ("Content-Type", "application/x-tar"))), 200),
        ("a chunked create", ("POST", "/containers/create?name=ck_chunked", chunked(b'{"Image":"busybox"}', 3),
                              (*CHUNKED, ("Content-Type", "application/json"))), 201),
        ("a chunked load", ("POST", "/images/load?quiet=1", chunked(b"no archive"), CHUNKED), None),
        ("an unknown path with a body", ("POST", "/nosuch", b"x" * 1000), 404),
        ("the last", ("GET", "/_ping"), 200)):
      reply, body = wire.call(*request[:3], **({"headers": request[3]} if len(request) > 3 else {}))
      facts.that(what, reply.status == status or (status is None and reply.status >= 200), (reply, body[:300]))
      facts.that(what + ": the connection stays", reply.headers.get("connection", "") != "close", reply)
  done = world.docker.run("exec", "ck_up", "stat", "-c", "%s", "/tmp/chunked")
  facts.equal("the archive", done.out, "200000\n")
  with world.wire() as wire:
    body = json.dumps({"Image": "busybox"}).encode()
    head = ("POST /containers/create?name=ck_expect HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
    wire.socket.sendall(head.encode())
    facts.equal("Expect: the interim head", wire.head().status, 100)
    wire.socket.sendall(body)
    reply = wire.head()
    facts.equal("Expect: the answer", (reply.status, b"Id" in wire.body(reply)), (201, True))
  curl = shutil.which("curl", path="/usr/local/bin:/usr/bin:/bin")
  if not curl:
    raise harness.Skipped("no curl")
  address = world.swarmd.host.replace("tcp://", "http://")
  for what, flags in (("a length", ()), ("Expect", ("-H", "Expect: 100-continue")), ("chunks", (
      "-H", "Transfer-Encoding: chunked"))):
    done = harness.run_program([curl, "-sS", "--max-time", "20", "-X", "PUT", *flags, "-H", "Content-Type: application/x-tar",
                                "--data-binary", "@-", "-w", "%{http_code}",
                                address + "/containers/ck_up/archive?path=/tmp"], stdin=archive)
    facts.equal("curl with " + what, (done.code, done.out), (0, "200"))


@check(80, "64 KiB of headers, %2F in names, unicode labels and 1 MiB create bodies arrive as they were sent")
def heads(world, facts):
  methods = ["/moby.filesync.v1.FileSync/Method%04d" % number for number in range(1000)]
  fields = [("X-Docker-Expose-Session-Grpc-Method", method) for method in methods]
  facts.that("64 KiB of them", sum(len(name) + len(value) + 4 for name, value in fields) > 64 * 1024)
  with world.wire() as wire:
    fields = fields[:64 * 1024 // (len(fields[0][0]) + len(fields[0][1]) + 4)]
    reply, body = wire.call("GET", "/_ping", headers=fields)
    facts.equal("heads of 64 KiB", (reply.status, body), (200, b"OK"))
  with world.wire() as wire:
    wire.send("GET", "/_ping", headers=fields * 2)
    facts.equal("heads of 128 KiB", wire.head().status, 431)

  identity = world.made("ck_name", 1)
  for reference in ("dockerhost01/ck_name", "dockerhost01%2Fck_name", "%63k_name", "ck%5Fname"):
    answer = world.api.call("GET", "/containers/%s/json" % reference)
    facts.that(reference, answer.status == 200 and answer.json()["Id"] == identity, answer)
  facts.status("an image", world.api.call("GET", "/images/%s/json" % urllib.parse.quote("busybox:latest", "")), 200)
  facts.status("a bad escape", world.api.call("GET", "/containers/%zz/json"), 400)

  api, recorder = world.spied()
  begin = time.time()
  labels = {"ck_%05d %s" % (number, UNICODE): UNICODE * 2 for number in range(10000)}
  body = {"Image": "busybox", "Cmd": ["echo", UNICODE], "Labels": labels, "Env": ["A=" + UNICODE, "B=", "C"],
          "HostConfig": {"Memory": 67108864, "NanoCpus": 1500000000, "ShmSize": 2 ** 40 + 1, "CpuShares": 0,
                         "ExtraHosts": ["a:10.0.0.1"], "Ulimits": [], "Nested": [[[{"deep": [1e-7, -0.5, 2 ** 53 + 1]}]]]}}
  text = json.dumps(body, ensure_ascii=False).encode()
  facts.that("more than 1 MiB", len(text) > 1 << 20, len(text))
  with Wire(api) as wire:
    reply, answer = wire.call("POST", "/containers/create?name=ck_big", text, headers=(("Content-Type", "application/json"),))
  facts.that("create", reply.status == 201, (reply, answer[:300]))
  _, sent = recorder.request("/containers/create?name=ck_big")
  seen = json.loads(sent)
  for field in ("Image", "Cmd", "Env", "HostConfig"):
    facts.equal(field, seen.get(field), body[field])
  facts.that("labels", all(seen["Labels"].get(name) == value for name, value in labels.items()),
             {name: seen["Labels"].get(name) for name in list(labels)[:1]})
  found = api.get("/containers/ck_big/json")["Config"]
  api.call("POST", "/containers/create?name=ck_after", {"Image": "busybox"})
  filters = urllib.parse.quote(json.dumps({"type": ["container"], "event": ["create"]}))

  def told():
    text = api.call("GET", "/events?since=%.6f&until=%.6f&filters=%s" % (begin, time.time(), filters)).text
    return [json.loads(line)["Actor"]["Attributes"]["name"] for line in text.split("\n") if line]

  facts.eventually("events: it and the next", lambda: [name for name in told() if name in ("ck_big", "ck_after")] ==
                   ["ck_big", "ck_after"], 10, told)
  facts.that("inspect", all(found["Labels"].get(name) == value for name, value in labels.items()) and
             found["Cmd"] == body["Cmd"])
