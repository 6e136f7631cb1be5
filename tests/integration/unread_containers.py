#!/usr/bin/env python3
"""Containers that their engines cannot describe: only they are affected, not their nodes.

On each engine one container's layer is gone (its inspect answers 500), and one is held in its start (its inspect does
not answer). Then swarmd is started; then each engine's containerd is stopped for a while.

usage: unread_containers.py [--swarmd PATH]
"""

import threading

import harness

TEST_SECONDS = 200
HEALTHY_SECONDS = 15
FLAGS = ["--engine-timeout", "2s", "--engine-refresh-min-interval", "1s",
         "--engine-refresh-max-interval", "2s"]
# A runtime that makes no container while the file /run/hold is there. Its start holds the container's lock.
RUNTIME = """#!/bin/sh
case " $* " in *" create "*) while [ -e /run/hold ]; do sleep 0.1; done ;; esac
exec runc "$@"
"""


class Engine:
  """One host's engine, asked directly."""

  def __init__(self, hosts, number):
    self.hosts, self.number, self.api = hosts, number, hosts.engine(number)
    self.node = hosts.name(number)
    self._start = None

  def shell(self, text):
    return self.hosts.command("run", "%02d" % self.number, "sh", "-c", text)

  def create(self, name, **host_config):
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": host_config}
    return self.api.call("POST", "/containers/create?name=" + name, body).json()["Id"]

  def make_without_layer(self, name):
    identity = self.create(name)
    root = self.api.get("/info")["DockerRootDir"]
    self.shell('cd "%s" && rm -rf "overlay2/$(cat image/overlay2/layerdb/mounts/%s/mount-id)"' % (root, identity))
    return identity

  def make_held_in_start(self, name):
    self.shell("cat >/run/held-runtime <<'END'\n%sEND\nchmod +x /run/held-runtime; touch /run/hold" % RUNTIME)
    self.shell("""echo '{"runtimes":{"held":{"path":"/run/held-runtime"}}}' >/etc/docker/daemon.json; """
               "kill -HUP $(pidof dockerd)")
    harness.wait_for(lambda: "held" in self.api.get("/info")["Runtimes"], 10, "the engine knows the runtime")
    identity = self.create(name, Runtime="held")
    self._start = threading.Thread(target=self.api.call, args=("POST", "/containers/%s/start" % identity),
                                   kwargs={"seconds": TEST_SECONDS}, daemon=True)
    self._start.start()
    harness.wait_for(lambda: not self.describes(identity), 20, "the container is held in its start")
    return identity

  def release(self):
    self.shell("rm /run/hold")
    self._start.join(20)

  def describes(self, identity):
    try:
      return self.api.call("GET", "/containers/%s/json" % identity, seconds=1).status == 200
    except OSError:
      return False

  def ids(self):
    return {container["Id"] for container in self.api.get("/containers/json?all=1")}


def listed(swarmd):
  return {container["Id"]: container for container in swarmd.api().get("/containers/json?all=1")}


def check_all_listed(report, what, swarmd, engines, seconds=5):
  wanted = set().union(*(engine.ids() for engine in engines))
  report.eventually("%s: every container of every engine is listed" % what, lambda: set(listed(swarmd)) == wanted,
                    seconds, lambda: set(listed(swarmd)) ^ wanted)


def check_place(report, what, swarmd, engine, name):
  body = {"Image": "busybox", "Cmd": ["true"], "Env": ["constraint:node==" + engine.node]}
  made = swarmd.api().call("POST", "/containers/create?name=" + name, body)
  report.check("%s: a create is placed on %s" % (what, engine.node),
               made.status == 201 and made.json()["Id"] in engine.ids(), made)


def make_unread(report, engines):
  """Two on each engine that it cannot describe, and one that it can. The ids of the first."""
  unread = []
  for engine in engines:
    unread.append(engine.make_without_layer("bare%d" % engine.number))
    unread.append(engine.make_held_in_start("held%d" % engine.number))
    engine.create("good%d" % engine.number)
    answer = engine.api.call("GET", "/containers/bare%d/json" % engine.number)
    report.check("%s cannot describe the one without its layer" % engine.node, answer.status == 500, answer)
  return unread


def check_started_beside(report, swarmd, engines, unread):
  report.eventually("all nodes are healthy", lambda: list(swarmd.statuses().values()) == ["Healthy"] * len(engines),
                    HEALTHY_SECONDS, swarmd.statuses)
  check_all_listed(report, "beside them", swarmd, engines)
  for engine in engines:
    check_place(report, "beside them", swarmd, engine, "new%d" % engine.number)
    engine.create("behind%d" % engine.number)
  check_all_listed(report, "made behind the manager's back", swarmd, engines)
  for identity in unread:
    lines = [line for line in swarmd.log().splitlines() if identity in line]
    report.equal("%s is logged once" % identity[:12], len(lines), 1)
  report.check("no node shows 1970", "1970-" not in swarmd.api().call("GET", "/info").text, swarmd.api().get("/info"))


def check_released(report, swarmd, engines):
  for engine in engines:
    engine.release()
    name = "/held%d" % engine.number
    report.eventually("%s runs when it is not held any more" % name, lambda: any(
        container["State"] == "running" and name in container["Names"] for container in listed(swarmd).values()),
                      20, lambda: listed(swarmd))


def updated(swarmd):
  return [value for key, value in swarmd.api().get("/info")["SystemStatus"] if key.endswith("UpdatedAt")]


def check_without_containerd(report, swarmd, engines):
  """The engines tell nobody who they are meanwhile, but what they hold."""
  for engine in engines:
    engine.shell("kill -STOP $(pidof containerd)")
  before = updated(swarmd)
  for engine in engines:
    check_place(report, "without containerd", swarmd, engine, "silent%d" % engine.number)
    engine.create("silentbehind%d" % engine.number)
  check_all_listed(report, "without containerd", swarmd, engines)
  for _ in range(2):  # the first may have begun before
    report.eventually("without containerd: the nodes are read whole",
                      lambda: all(new > old for new, old in zip(updated(swarmd), before)), 20, swarmd.log)
    before = updated(swarmd)
  report.equal("without containerd: the nodes stay healthy", set(swarmd.statuses().values()), {"Healthy"})
  for engine in engines:
    engine.shell("kill -CONT $(pidof containerd)")


def run(options, report):
  program = harness.swarmd_program(options)
  versions = [version for version in harness.engine_versions() if version in ("20.10", "28.5")]
  with harness.Hosts(count=len(versions), engines=versions) as hosts:
    engines = [Engine(hosts, number) for number in hosts.numbers()]
    unread = make_unread(report, engines)
    with harness.Swarmd(program, hosts, FLAGS) as swarmd:
      check_started_beside(report, swarmd, engines, unread)
      check_released(report, swarmd, engines)
      check_without_containerd(report, swarmd, engines)


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
