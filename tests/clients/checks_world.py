"""The cluster that the numbered checks share, and what they do with it in one line."""

import contextlib
import json
import os
import socket
import tempfile
import threading
import time
import urllib.parse

import harness
from registry import PASSWORD, USER, Registry
from steps import Session
from wire import Wire

FLAGS = ["--engine-refresh-min-interval", "1s", "--engine-refresh-max-interval", "2s"]
# While engines are killed and frozen, so that it is noticed in seconds.
FAULT_FLAGS = [*FLAGS, "--engine-timeout", "2s", "--engine-failure-retry", "2"]
HEALED_SECONDS = 40
MIXED = ["20.10", "26.1", "28.5"]


def newest_cli():
  try:
    return harness.part("cli-28")
  except harness.Skipped as reason:
    print("client: 20.10 instead of 28: %s" % reason)
    return harness.part("cli-20.10")


class World:
  """Three engines, swarmd over them, and clients. Names of what a check makes begin with ck_."""

  def __init__(self, program, hosts, swarmd, stack):
    self.program, self.hosts, self.swarmd, self._stack = program, hosts, swarmd, stack
    self.api = swarmd.api()
    self.docker = harness.Docker(newest_cli(), swarmd.host)
    self.old = harness.Docker(harness.part("cli-20.10"), swarmd.host)
    self.session = Session(self.docker, self.api, True)
    self.offer = OfferWorld(program, hosts, stack)
    self._registry, self._spied = None, None

  def need_mixed(self):
    if self.hosts.engines != MIXED:
      raise harness.Skipped("needs engines %s; here are %s" % (", ".join(MIXED), ", ".join(self.hosts.engines)))

  def wire(self, seconds=30):
    return Wire(self.api, seconds)

  def post(self, path, body=None, **named):
    return self.api.call("POST", path, {} if body is None else body, **named)

  def create(self, name="", node=0, api=None, **config):
    """The answer to a create on the node of that number (0: any). `config`: fields of the body."""
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], **config}
    if node:
      body["Env"] = [*body.get("Env", ()), "constraint:node==" + self.hosts.name(node)]
    return (api or self.api).call("POST", "/containers/create" + ("?name=" + name if name else ""), body)

  def made(self, name="", node=0, **config):
    """The id of a container that is created and not started."""
    answer = self.create(name, node, **config)
    if answer.status != 201:
      raise RuntimeError("create %s: %r" % (name, answer))
    return answer.json()["Id"]

  def up(self, name="", node=0, **config):
    """The id of a running container."""
    identity = self.made(name, node, **config)
    answer = self.post("/containers/%s/start" % identity)
    if answer.status != 204:
      raise RuntimeError("start %s: %r" % (name, answer))
    return identity

  def node_of(self, container):
    return self.api.get("/containers/%s/json" % container)["Node"]["Name"]

  def remove(self, container):
    return self.api.call("DELETE", "/containers/%s?force=1&v=1" % container)

  def rows(self, filters=None, query="all=1"):
    """Rows of /containers/json."""
    text = "&filters=" + urllib.parse.quote(json.dumps(filters)) if filters else ""
    return self.api.get("/containers/json?%s%s" % (query, text))

  def names(self, *arguments):
    """Plain names that `docker ps ARGUMENTS` shows, in its order."""
    done = self.docker.run("ps", "--format", "{{.Names}}", *arguments)
    if done.code != 0:
      raise RuntimeError("ps %s: %r" % (arguments, done))
    return [line.split(",")[0].split("/")[-1] for line in done.out.splitlines()]

  def on_engines(self, path):
    """Answers of all engines, asked directly."""
    return [self.hosts.engine(number).call("GET", path) for number in self.hosts.numbers()]

  def containers_on_engines(self):
    return [row["Id"] for answer in self.on_engines("/containers/json?all=1") for row in answer.json()]

  def metric(self, name):
    for line in self.api.call("GET", "/swarmd/v1/metrics").text.splitlines():
      if line.startswith(name + " "):
        return int(line.split()[1])
    return 0

  def memory(self):
    """The most memory that swarmd has held, in bytes."""
    with open("/proc/%d/status" % self.swarmd.process.pid, encoding="ascii") as status:
      return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024

  def with_node(self, what, undo, number):
    """Does something to a node; whatever happens, undoes it and waits until the cluster is whole."""

    @contextlib.contextmanager
    def whole():
      self.hosts.command(what, "%02d" % number)
      try:
        yield
      finally:
        self.hosts.command(undo, "%02d" % number)
        self.swarmd.wait_healthy(seconds=HEALED_SECONDS)

    return whole()

  def expect_faults(self):
    """Starts swarmd anew with FAULT_FLAGS, the first time."""
    if self.swarmd.flags != FAULT_FLAGS:
      self.swarmd.kill()
      self.swarmd.flags = FAULT_FLAGS
      self.swarmd.start()
      self.swarmd.wait_healthy()

  def registry(self):
    """A private registry, in which the clients are logged in and which holds team/app:v1."""
    if self._registry is None:
      registry = self._stack.enter_context(Registry(self.hosts))
      for docker in (self.docker, self.old):
        docker.run("login", "-u", USER, "--password-stdin", registry.address, stdin=PASSWORD.encode())
      image = registry.address + "/team/app:v1"
      for line in (("tag", "busybox", image), ("push", image), ("rmi", image)):
        done = self.docker.run(*line)
        if done.code != 0:
          raise RuntimeError("%s: %r" % (" ".join(line), done))
      self._registry = registry
    return self._registry

  def spied(self):
    """A second swarmd, whose one engine (the newest) it reaches through a Recorder: (its Api, the Recorder)."""
    if self._spied is None:
      recorder = Recorder(self.hosts.net + ".254", (self.hosts.address(self.hosts.count), self.hosts.port))
      swarmd = harness.Swarmd(self.program, self.hosts, FLAGS, discovery="nodes://" + recorder.address)
      swarmd.host = "tcp://%s:%d" % (self.hosts.address(0), self.hosts.port + 2)
      self._stack.enter_context(swarmd)
      swarmd.wait_healthy(1)
      self._spied = swarmd.api(), recorder
    return self._spied

  def clear(self):
    """Removes what a check has left."""
    ids = [row["Id"] for row in self.rows()]
    if ids:
      harness.parallel([lambda identity=identity: self.remove(identity) for identity in ids[:60]])
    for network in self.api.get("/networks"):
      if "ck_" in network["Name"]:
        self.api.call("DELETE", "/networks/" + network["Id"])
    for volume in self.api.get("/volumes")["Volumes"]:
      if "ck_" in volume["Name"]:
        self.api.call("DELETE", "/volumes/%s?force=1" % volume["Name"])
    for image in self.api.get("/images/json"):
      for tag in image["RepoTags"] or ():
        if "ck_" in tag:
          self.api.call("DELETE", "/images/%s?force=1" % tag)


class OfferWorld:
  """A swarmd that starts with no node, answers pages of every origin, and gets nodes from a file."""

  def __init__(self, program, hosts, stack):
    self.hosts = hosts
    handle, self.path = tempfile.mkstemp(prefix="swarmd-nodes-")
    os.close(handle)
    stack.callback(os.unlink, self.path)
    self.swarmd = harness.Swarmd(program, hosts, [*FLAGS, "--api-enable-cors"], discovery="file://" + self.path)
    self.swarmd.host = "tcp://%s:%d" % (hosts.address(0), hosts.port + 1)
    stack.enter_context(self.swarmd)
    self.fallen_at = None

  def nodes(self, *numbers):
    with open(self.path, "w", encoding="ascii") as file:
      file.write("".join("%s:%d\n" % (self.hosts.address(number), self.hosts.port) for number in numbers))

  def version(self):
    return self.swarmd.api().call("GET", "/_ping").headers["api-version"]

  def healthy(self):
    return list(self.swarmd.statuses().values()).count("Healthy")

  def begin(self):
    """Newest two engines, then the oldest beside them; then it leaves, and a minute of check 7 begins."""
    if self.fallen_at is not None:
      return
    self.versions = []
    for numbers in ((2, 3), (1, 2, 3), (2, 3)):
      self.nodes(*numbers)
      harness.wait_for(lambda: self.healthy() == len(numbers), harness.HEALTHY_SECONDS, "%d nodes" % len(numbers))
      self.versions.append(self.version())
    self.fallen_at = time.monotonic()


class Recorder:
  """Relays connections to one engine and keeps the bytes that were sent to it."""

  def __init__(self, address, engine):
    self.engine, self._sent, self._lock = engine, [], threading.Lock()
    self._listener = socket.create_server((address, 0))
    self.address = "%s:%d" % self._listener.getsockname()
    threading.Thread(target=self._accept, daemon=True).start()

  def _accept(self):
    while True:
      client, _ = self._listener.accept()
      engine = socket.create_connection(self.engine)
      sent = bytearray()
      with self._lock:
        self._sent.append(sent)
      for source, target, kept in ((client, engine, sent), (engine, client, None)):
        threading.Thread(target=self._copy, args=(source, target, kept), daemon=True).start()

  def _copy(self, source, target, kept):
    with contextlib.suppress(OSError):
      while True:
        data = source.recv(65536)
        if not data:
          break
        if kept is not None:
          with self._lock:
            kept += data
        target.sendall(data)
    with contextlib.suppress(OSError):
      target.shutdown(socket.SHUT_WR)

  def request(self, words):
    """(head, body) of the newest request whose first line holds `words`; the body by its Content-Length."""
    with self._lock:
      sent = [bytes(one) for one in self._sent]
    for data in reversed(sent):
      at = data.rfind(words.encode())
      if at < 0:
        continue
      data = data[data.rfind(b"\r\n", 0, at) + 2 if b"\r\n" in data[:at] else 0:]
      head, body = data.split(b"\r\n\r\n", 1)
      length = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
      return head.decode(), body[:int(length[0])] if length else body
    raise RuntimeError("no request with %s was seen" % words)
