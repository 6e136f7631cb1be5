"""Checks 44 to 51 and 63 to 69: images on many nodes, build, registries, and what needs swarm mode."""

import contextlib
import hashlib
import http.server
import json
import os
import re
import signal
import tempfile
import threading

import harness
from check import check, held
from images import archive_of, ids_on_engines
from programs import run_bytes
from registry import PASSWORD, forms_of


@check(44, "a missing image is pulled, runs, and is on the chosen node")
def missing_image(world, facts):
  image = world.registry().address + "/team/app:v1"
  done = world.docker.run("run", "-d", "--name", "ck_pulled", image, "sleep", "600")
  facts.equal("run", done.code, 0)
  if done.code != 0:
    facts.that("why", False, done)
    return
  node = world.node_of("ck_pulled")
  held_by = [world.hosts.name(number) for number, identity in
             zip(world.hosts.numbers(), ids_on_engines(world.hosts, image)) if identity]
  facts.that("on the chosen node", node in held_by, (node, held_by))
  world.docker.run("rm", "-f", "ck_pulled")
  facts.equal("rmi", world.docker.run("rmi", image).code, 0)
  done = world.docker.run("run", "--rm", world.registry().address + "/team/nosuch:v1")
  facts.that("one that is nowhere", done.code == 125 and "nosuch" in done.err, done)


@check(45, "pull: a line a node; one node that fails: exit 1 and its name")
def pull(world, facts):
  registry = world.registry()
  image = registry.address + "/team/app:v1"
  done = world.docker.run("pull", image)
  facts.equal("exit code", done.code, 0)
  for number in world.hosts.numbers():
    facts.matches("a line of node %d" % number, done.out, "^%s: " % world.hosts.name(number))
  world.docker.run("rmi", image)
  rule = ("OUTPUT", "-p", "tcp", "--dport", registry.address.split(":")[1], "-j", "REJECT", "--reject-with", "tcp-reset")
  world.hosts.command("run", "02", "iptables", "-w", "-I", *rule)
  try:
    done = world.docker.run("pull", image)
  finally:
    world.hosts.command("run", "02", "iptables", "-w", "-D", *rule)
  facts.that("one fails", done.code == 1 and re.search(r"2 of 3 nodes.*dockerhost02: ", done.err), done)
  found = ids_on_engines(world.hosts, image)
  facts.that("the others have it", found[0] and found[2] and not found[1], found)
  world.docker.run("rmi", image)


def digest_of(data):
  return "sha256:" + hashlib.sha256(data).hexdigest()


class SlowRegistry:
  """A registry with one image, whose layer takes a day; tells how many wait for it at the moment."""

  LAYER_BYTES = 100 * 1000 * 1000

  def __init__(self, address):
    layer = digest_of(b"never complete")
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "history": [{"created_by": "x"}],
                         "rootfs": {"type": "layers", "diff_ids": [layer]}}).encode()
    kind = "application/vnd.docker.%s"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind % "distribution.manifest.v2+json",
                           "config": {"mediaType": kind % "container.image.v1+json", "size": len(config),
                                      "digest": digest_of(config)},
                           "layers": [{"mediaType": kind % "image.rootfs.diff.tar.gzip", "size": self.LAYER_BYTES,
                                       "digest": layer}]}).encode()
    outer = self
    self.waiting, self.closed, self._lock = 0, threading.Event(), threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
      def do_GET(self):
        if layer in self.path:
          self.answer("application/octet-stream", b"begin", outer.LAYER_BYTES)
          outer.count(1)
          with contextlib.suppress(OSError):  # when the engine hangs up
            while not outer.closed.wait(0.1):  # an engine notices its own cancel only when something comes
              self.wfile.write(b"x" * 100)
          outer.count(-1)
          self.close_connection = True
        elif "/blobs/" in self.path:
          self.answer("application/octet-stream", config)
        elif "/manifests/" in self.path:
          self.answer(kind % "distribution.manifest.v2+json", manifest)
        else:
          self.answer("application/json", b"{}")

      do_HEAD = do_GET

      def answer(self, content_type, body, length=None):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("Docker-Content-Digest", digest_of(body))
        self.end_headers()
        if self.command != "HEAD":
          self.wfile.write(body)

      def log_message(self, *_):
        pass

    self._server = http.server.ThreadingHTTPServer((address, 0), Handler)
    self._server.daemon_threads = True
    self.address = "%s:%d" % self._server.server_address
    threading.Thread(target=self._server.serve_forever, daemon=True).start()

  def count(self, difference):
    with self._lock:
      self.waiting += difference

  def close(self):
    self.closed.set()
    self._server.shutdown()
    self._server.server_close()


@check(46, "Ctrl-C on a pull ends it on every node")
def interrupted_pull(world, facts):
  registry = SlowRegistry(world.hosts.net + ".254")
  try:
    client = world.docker.start("pull", registry.address + "/team/slow:v1")
    facts.eventually("every node waits for the layer", lambda: registry.waiting == world.hosts.count, 20, lambda: registry.waiting)
    client.process.send_signal(signal.SIGINT)
    client.finish(10)
    facts.eventually("no node waits any more", lambda: registry.waiting == 0, 10, lambda: registry.waiting)
    facts.eventually("nothing is open at swarmd", lambda: world.metric("swarmd_open_streams") == 0, 5)
  finally:
    registry.close()


@check(47, "images: one row for an image of all nodes; filters node, dangling, reference")
def image_list(world, facts):
  rows = [row for row in world.api.get("/images/json") if "busybox:latest" in (row["RepoTags"] or ())]
  facts.equal("one row of all nodes", [sorted(row["Nodes"]) for row in rows],
              [[world.hosts.name(number) for number in world.hosts.numbers()]])
  world.hosts.engine(1).call("POST", "/images/busybox/tag?repo=ck_one&tag=v1")
  harness.wait_for(lambda: "ck_one:v1" in str(world.api.get("/images/json")), 15, "swarmd knows the new tag")
  show = ("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter")
  for node, there in ((1, True), (2, False)):
    out = world.docker.run(*show, "node=" + world.hosts.name(node)).out.split()
    facts.equal("--filter node=%d" % node, "ck_one:v1" in out, there)
    facts.that("--filter node=%d: the others" % node, "nginx:latest" in out, out)
  facts.equal("--filter dangling=true", world.docker.run(*show, "dangling=true").out, "")
  facts.equal("--filter reference=", world.docker.run(*show, "reference=ck_*").out, "ck_one:v1\n")


@check(48, "rmi removes everywhere; in use on one node names it; again: 404")
def remove_image(world, facts):
  world.docker.run("import", "-", "ck_rm:v1", stdin=archive_of(x=b"48"))
  world.made("ck_user", 1, Image="ck_rm:v1")
  done = world.docker.run("rmi", "ck_rm:v1")
  facts.that("in use", done.code == 1 and "dockerhost01" in done.err, done)
  world.docker.run("rm", "ck_user")
  facts.equal("then", world.docker.run("rmi", "ck_rm:v1").code, 0)
  facts.equal("on the engines", ids_on_engines(world.hosts, "ck_rm:v1"), [None] * world.hosts.count)
  facts.status("again", world.api.call("DELETE", "/images/ck_rm:v1"), 404, "No such image: ck_rm:v1")


@check(49, "tag on all nodes; history, inspect and push find the node that has it")
def tags(world, facts):
  facts.equal("tag", world.docker.run("tag", "busybox", "ck_tag:v1").code, 0)
  facts.that("everywhere", None not in ids_on_engines(world.hosts, "ck_tag:v1"))
  registry = world.registry()
  only = registry.address + "/ck_only:v1"
  world.hosts.engine(2).call("POST", "/images/create?fromSrc=-&repo=%s/ck_only&tag=v1" % registry.address,
                             archive_of(only=b"49"))
  harness.wait_for(lambda: only in str(world.api.get("/images/json")), 15, "swarmd knows the new image")
  facts.equal("inspect", world.docker.run("image", "inspect", "--format", "{{.RepoTags}}", only).out, "[%s]\n" % only)
  facts.matches("history", world.docker.run("history", only).out, "IMAGE.*ago")
  done = world.docker.run("push", only)
  facts.that("push", done.code == 0 and "node dockerhost02" in done.out, done)


@check(50, "save of images that no node has together: 404 and where each is")
def save_apart(world, facts):
  for number in (1, 2):
    world.hosts.engine(number).call("POST", "/images/create?fromSrc=-&repo=ck_apart%d&tag=v1" % number,
                                    archive_of(n=b"%d" % number))
  harness.wait_for(lambda: len(re.findall("ck_apart", str(world.api.get("/images/json")))) >= 2, 15, "swarmd knows them")
  answer = world.api.call("GET", "/images/get?names=ck_apart1:v1&names=ck_apart2:v1")
  facts.status("both", answer, 404, "ck_apart1:v1 is on dockerhost01.*ck_apart2:v1 is on dockerhost02")


@check(51, "commit puts the image on the container's node, and it runs")
def commit(world, facts):
  for node in (1, 3):
    world.up("ck_commit%d" % node, node)
    done = world.docker.run("commit", "ck_commit%d" % node, "ck_made%d:v1" % node)
    facts.matches("commit", done.out, r"^sha256:[0-9a-f]{64}\n$")
    found = ids_on_engines(world.hosts, "ck_made%d:v1" % node)
    facts.equal("on node %d alone" % node, [at for at, identity in enumerate(found, 1) if identity], [node])
    facts.equal("it runs", world.docker.run("run", "--rm", "ck_made%d:v1" % node, "echo", "hi").out, "hi\n")


class Builder(harness.Docker):
  """A client that builds with, or without, BuildKit."""

  def __init__(self, docker, buildkit):
    super().__init__(docker.program, docker.host)
    self._buildkit = buildkit

  def environment(self):
    return {**super().environment(), "DOCKER_BUILDKIT": self._buildkit}


def need_build(world):
  if world.post("/build/cancel?id=none").status == 501:
    raise harness.Skipped("build is not served by this version")


def build_folder(text):
  folder = tempfile.TemporaryDirectory()
  with open(os.path.join(folder.name, "Dockerfile"), "w", encoding="ascii") as file:
    file.write(text)
  return folder


@check(63, "docker build with the classic builder; run finds the result")
def classic_build(world, facts):
  need_build(world)
  with build_folder("FROM busybox\nRUN echo made > /made\nCMD [\"cat\", \"/made\"]\n") as folder:
    done = Builder(world.old, "0").run("build", "-t", "ck_built:v1", folder)
  facts.that("build", done.code == 0 and "Successfully tagged ck_built:v1" in done.out, done)
  facts.equal("run", world.docker.run("run", "--rm", "ck_built:v1").out, "made\n")


@check(64, "BuildKit of client 20.10, 20 times: build and session meet on one node")
def buildkit(world, facts):
  need_build(world)
  docker, nodes = Builder(world.old, "1"), set()
  for turn in range(20):
    with build_folder("FROM busybox\nRUN echo %d > /made\n" % turn) as folder:
      done = docker.run("build", "-t", "ck_kit%d" % turn, folder)
    if not facts.that("turn %d" % turn, done.code == 0, done):
      return
    found = ids_on_engines(world.hosts, "ck_kit%d" % turn)
    nodes |= {at for at, identity in enumerate(found, 1) if identity}
  facts.that("the images are somewhere", nodes, nodes)


held(65, "buildx build with the drivers docker and docker-container", "no test program holds it: buildx is not tested yet")


@check(66, "a build that is interrupted ends on its node")
def interrupted_build(world, facts):
  need_build(world)
  with build_folder("FROM busybox\nRUN echo ck_begun; sleep 612\n") as folder:
    client = Builder(world.old, "0").start("build", folder)
    client.wait_output("ck_begun", 40)
    client.process.send_signal(signal.SIGINT)
    client.finish(20)

  def running():
    return [row for answer in world.on_engines("/containers/json") for row in answer.json() if "612" in row["Command"]]

  facts.eventually("no step runs any more", lambda: not running(), 15, running)


@check(67, "login: success and failure; a private pull; no secret in the log")
def login(world, facts):
  registry = world.registry()
  docker = harness.Docker(world.docker.program, world.swarmd.host)
  image = registry.address + "/team/app:v1"
  done = docker.run("pull", image)
  facts.that("a pull without a login", done.code == 1 and
             re.search("no basic auth credentials|unauthorized|denied", done.err), done)
  done = docker.run("login", "-u", "somebody", "--password-stdin", registry.address, stdin=b"wrong")
  facts.that("a wrong password", done.code == 1 and "unauthorized" in done.err.lower(), done)
  done = docker.run("login", "-u", "somebody", "--password-stdin", registry.address, stdin=PASSWORD.encode())
  facts.that("the right one", done.code == 0 and "Login Succeeded" in done.out, done)
  facts.equal("a pull", docker.run("pull", image).code, 0)
  docker.run("rmi", image)
  facts.equal("the log", [form for form in forms_of(PASSWORD) if form in world.swarmd.log()], [])


@check(68, "swarm mode: exit code not 0, one clear sentence, no engine is changed")
def swarm_mode(world, facts):
  for line in (("service", "ls"), ("node", "ls"), ("swarm", "init"), ("secret", "ls"), ("stack", "ls"), ("config", "ls"),
               ("swarm", "leave", "--force"), ("service", "create", "busybox")):
    done = world.docker.run(*line)
    facts.that(" ".join(line), done.code != 0 and "not a swarm manager. swarmd is" in done.err, done)
  facts.equal("engines", [answer.json()["Swarm"]["LocalNodeState"] for answer in world.on_engines("/info")],
              ["inactive"] * world.hosts.count)


class Index(http.server.BaseHTTPRequestHandler):
  """An index server that knows one image."""

  def do_GET(self):
    found = {"query": "thing", "num_results": 1, "results": [
        {"name": "team/thing", "description": "found it", "star_count": 7, "is_official": False, "is_automated": False}]}
    body = json.dumps(found if "/search" in self.path else True).encode()
    self.send_response(200)
    self.send_header("Content-Type", "application/json")
    self.send_header("Content-Length", str(len(body)))
    self.end_headers()
    self.wfile.write(body)

  def log_message(self, *_):
    pass


@check(69, "plugin ls; search asks an index server")
def search(world, facts):
  done = world.docker.run("plugin", "ls")
  facts.equal("plugin ls", (done.code, len(done.out.splitlines())), (0, 1))
  server = http.server.ThreadingHTTPServer((world.hosts.net + ".254", 0), Index)
  threading.Thread(target=server.serve_forever, daemon=True).start()
  try:
    done = world.docker.run("search", "--format", "{{.Name}} {{.StarCount}} {{.Description}}",
                            "%s:%d/thing" % server.server_address)
    facts.that("search", done.code == 0 and re.search(r"team/thing 7 found it", done.out), done)
  finally:
    server.shutdown()
    server.server_close()
