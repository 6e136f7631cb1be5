"""Checks 1 to 11: ping, version, info, errors; and clients of every age against engines of every age."""

import re
import time

import harness
from check import LATE, check
from wire import UPGRADE, frames

HOLD_SECONDS = 60  # before Api-Version rises
VOLATILE = ("SystemTime", "NFd", "NGoroutines", "NEventsListener", "SystemStatus")
OWN_NEWEST = "1.51"


@check(1, "HEAD and GET /_ping: OK, the manager's headers, no body for HEAD")
def ping(world, facts):
  with world.wire() as wire:
    for method, body in (("HEAD", b""), ("GET", b"OK"), ("HEAD", b"")):
      wire.send(method, "/_ping")
      reply = wire.head()
      facts.equal("%s: status" % method, reply.status, 200)
      facts.equal("%s: body" % method, wire.exactly(int(reply.headers["content-length"])), body)
      for name, pattern in (("api-version", r"^1\.\d\d$"), ("ostype", "^linux$"), ("docker-experimental", "^false$"),
                            ("server", "^swarmd/"), ("cache-control", "no-cache"), ("swarm", "^inactive$")):
        facts.matches("%s: %s" % (method, name), reply.headers.get(name, ""), pattern)


@check(2, "docker version of the newest client: Server swarm/..., also with 0 nodes")
def version(world, facts):
  empty = harness.Docker(world.docker.program, world.offer.swarmd.host)
  facts.equal("the second manager has no node", world.offer.swarmd.api().get("/info")["NCPU"], 0)
  for what, docker in (("3 nodes", world.docker), ("0 nodes", empty)):
    done = docker.run("version")
    facts.that(what, done.code == 0 and re.search(r"Server:.*Version: +swarm/\S+.*API version: +1\.\d\d", done.out, re.S),
               done)
  world.offer.begin()


@check(3, "docker version of client 20.10, and of API 1.16")
def old_version(world, facts):
  done = world.old.run("version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}")
  facts.matches("client 20.10", done.out, r"^swarm/\S+ 1\.\d\d\n$")
  answer = world.api.call("GET", "/v1.16/version")
  facts.status("API 1.16", answer, 200, "swarm/")
  facts.that("API 1.16: what client 1.4 prints", all(name in answer.json() for name in
                                                     ("GoVersion", "GitCommit", "Os", "Arch", "ApiVersion")), answer)


@check(4, "client 29 accepts the version, or says why not")
def client_29(world, facts):
  raise harness.Skipped("Debian has no docker client 29 (scripts/parts.sh); what it asks, an Api-Version of 1.44 when all "
                        "engines have it, is check 7")


@check(5, "a version too new is refused with the maximum, one older than an engine's minimum is served")
def bounds(world, facts):
  facts.status("1.99", world.api.call("GET", "/v1.99/info"), 400, "1.99 is too new. Maximum supported API version is 1")
  facts.status("1.11", world.api.call("GET", "/v1.11/info"), 400, "1.11 is too old. Minimum supported API version is 1.12")
  for old in ("/v1.12", "/v1.16"):
    facts.status(old, world.api.call("GET", old + "/info"), 200)
    facts.status(old, world.api.call("GET", old + "/containers/json"), 200)


@check(6, "/info without a version is that of the advertised version")
def versionless(world, facts):
  advertised = world.api.call("GET", "/_ping").headers["api-version"]
  plain, exact = world.api.get("/info"), world.api.get("/v%s/info" % advertised)
  for info in (plain, exact):
    for name in VOLATILE:
      info.pop(name, None)
  facts.equal("all but the time of it", plain, exact)


@check(7, "Api-Version is the lowest of the engines: falls at once, rises after a minute", stage=LATE)
def offer(world, facts):
  world.need_mixed()
  world.offer.begin()
  facts.equal("26.1 and 28.5; then 20.10 too; then it has left", world.offer.versions, ["1.45", "1.41", "1.41"])
  left = HOLD_SECONDS + 15 - (time.monotonic() - world.offer.fallen_at)
  facts.eventually("it rises again", lambda: world.offer.version() == "1.45", max(left, 1), world.offer.version)
  facts.that("not before its time", time.monotonic() - world.offer.fallen_at > HOLD_SECONDS - 5)


@check(8, "docker-py: version='auto' and version='1.24' connect")
def docker_py(world, facts):
  try:
    import docker  # Debian's python3-docker; without it this check alone is skipped
  except ImportError:
    raise harness.Skipped("python3-docker is not installed")
  for wanted in ("auto", "1.24"):
    client = docker.DockerClient(base_url=world.swarmd.host, version=wanted, timeout=20)
    facts.that("version=%r: ping" % wanted, client.ping())
    facts.matches("version=%r: version" % wanted, client.version()["Version"], "^swarm/")
    facts.equal("version=%r: list" % wanted, client.containers.list(all=True), [])
    client.close()


@check(9, "docker info: strategy, filters, nodes, sums, Swarm inactive")
def info(world, facts):
  done = world.docker.run("info")
  for pattern in (r"Strategy: spread", r"Filters: \S+", r"Nodes: 3\b", r"Swarm: inactive",
                  *(r"%s: %s:\d+" % (world.hosts.name(number), re.escape(world.hosts.address(number)))
                    for number in world.hosts.numbers())):
    facts.matches(pattern, done.out, pattern)
  facts.equal("exit code", done.code, 0)
  total, found = [answer.json() for answer in world.on_engines("/info")], world.api.get("/info")
  for name in ("NCPU", "MemTotal"):
    facts.equal(name, found[name], sum(one[name] for one in total))


@check(10, "API 1.16 /info: the first row of DriverStatus is the number of nodes")
def old_info(world, facts):
  facts.equal("row", world.api.get("/v1.16/info")["DriverStatus"][0], ["\bNodes", "3"])


@check(11, "errors: JSON from API 1.24 on, text before")
def errors(world, facts):
  for path, pattern in (("/v1.24", r'^\{"message":"[^"]+"\}\s*$'), ("", r'^\{"message":"[^"]+"\}\s*$'),
                        ("/v1.23", r"^[^{]+$"), ("/v1.16", r"^[^{]+$")):
    kind = "application/json" if "{" in pattern[:3] else "text/plain"
    for what in ("/containers/nosuch/json", "/nosuch", "/images/nosuch/json"):
      answer = world.api.call("GET", path + what)
      facts.status(path + what, answer, 404, pattern)
      facts.matches(path + what, answer.headers.get("content-type", ""), kind)


def life(world, facts, version, node):
  """A container's life as a client pinned to `version` leads it, on one node."""
  where = "API %s on %s" % (version, world.hosts.name(node))
  api = harness.Api(world.swarmd.host, version="/v" + version)
  answer = world.create("ck_%s" % version, node, api=api, Cmd=["sh", "-c", "echo out; echo err >&2; exec sleep 600"],
                        HostConfig={"Memory": 64 << 20}, Labels={"ck": "life"})
  if not facts.status(where + ": create", answer, 201):
    return
  path = "/containers/" + answer.json()["Id"]
  facts.status(where + ": start", api.call("POST", path + "/start"), 204)
  rows = [row for row in api.get("/containers/json") if row["Id"] == answer.json()["Id"]]
  facts.that(where + ": ps", len(rows) == 1 and rows[0]["Labels"]["ck"] == "life", rows)
  found = api.get(path + "/json")
  facts.equal(where + ": inspect", (found["HostConfig"]["Memory"], found["State"]["Running"]), (64 << 20, True))
  facts.eventually(where + ": logs", lambda: frames(api.call("GET", path + "/logs?stdout=1&stderr=1").body) ==
                   {1: b"out\n", 2: b"err\n"}, 5)
  facts.that(where + ": top", "sleep" in str(api.get(path + "/top")["Processes"]))
  facts.that(where + ": stats", "memory_stats" in api.get(path + "/stats?stream=false"))
  made = api.call("POST", path + "/exec", {"AttachStdout": True, "Cmd": ["echo", "in there"]})
  if facts.status(where + ": exec create", made, 201):
    with world.wire() as wire:
      wire.send("POST", "/v%s/exec/%s/start" % (version, made.json()["Id"]), {"Detach": False}, headers=UPGRADE)
      reply = wire.head()
      facts.that(where + ": exec start", reply.status in (101, 200), reply)
      facts.equal(where + ": exec", frames(wire.to_end())[1], b"in there\n")
    facts.equal(where + ": exec inspect", api.get("/exec/%s/json" % made.json()["Id"])["ExitCode"], 0)
  facts.status(where + ": changes", api.call("GET", path + "/changes"), 200)
  facts.status(where + ": images", api.call("GET", "/images/json"), 200, "busybox")
  facts.status(where + ": image inspect", api.call("GET", "/images/busybox/json"), 200)
  facts.status(where + ": kill", api.call("POST", path + "/kill"), 204)
  facts.equal(where + ": wait", api.call("POST", path + "/wait").json()["StatusCode"], 137)
  facts.status(where + ": rm", api.call("DELETE", path), 204)


@check(None, "a client of API 1.12 on the newest engine, and one of 1.51 on the oldest")
def every_age(world, facts):
  world.need_mixed()
  for version, node in (("1.12", 3), ("1.24", 2), (OWN_NEWEST, 1), (OWN_NEWEST, 2)):
    life(world, facts, version, node)


@check(None, "lists and inspects have the shape of the client's version, whatever engine they come from")
def shapes(world, facts):
  world.need_mixed()
  for version, has_virtual in (("1.43", True), ("1.44", False), (OWN_NEWEST, False)):
    api = harness.Api(world.swarmd.host, version="/v" + version)
    rows = api.get("/images/json")
    facts.equal("API %s: VirtualSize in the rows of images" % version, {"VirtualSize" in row for row in rows},
                {has_virtual})
    if has_virtual:
      facts.that("API %s: VirtualSize in inspect" % version, "VirtualSize" in api.get("/images/busybox/json"))
  # /events: API below 1.52 has status, id and from beside the newer fields.
  begin = time.time()
  world.made("ck_shape")
  for version in ("1.21", "1.41", OWN_NEWEST):
    api = harness.Api(world.swarmd.host, version="/v" + version)
    text = api.call("GET", "/events?since=%.6f&until=%.6f" % (begin - 1, time.time())).text
    facts.matches("API %s: events" % version, text, r'"status":"create".*"id":"[0-9a-f]{64}".*"from":"busybox')


@check(None, "CORS headers stand on every reply with --api-enable-cors and on none without; OPTIONS is 200")
def cors(world, facts):
  for api, allowed in ((world.offer.swarmd.api(), "*"), (world.api, None)):
    for method, path, status in (("OPTIONS", "/v1.41/containers/json", 200), ("OPTIONS", "/anything", 200),
                                 ("GET", "/_ping", 200), ("GET", "/nosuch", 404), ("GET", "/containers/json", 200),
                                 ("GET", "/containers/nosuch/json", 404), ("GET", "/events?until=1", 200)):
      answer = api.call(method, path)
      facts.equal("%s %s: status" % (method, path), answer.status, status)
      facts.equal("%s %s: origin" % (method, path), answer.headers.get("access-control-allow-origin"), allowed)
  asked = world.offer.swarmd.api().call("OPTIONS", "/v1.41/containers/create").headers
  facts.matches("methods", asked.get("access-control-allow-methods", ""), "HEAD.*GET.*POST.*DELETE.*PUT.*OPTIONS")
  facts.matches("fields", asked.get("access-control-allow-headers", ""), "Content-Type.*X-Registry-Auth")
