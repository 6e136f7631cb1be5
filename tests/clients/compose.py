#!/usr/bin/env python3
"""Compose 1.29 (Debian's package) and 2 (a part) against swarmd over three engines and against one plain engine.

usage: compose.py [--swarmd PATH] [--only v1|v2]

The life of a project of three services with a network and a volume, by each of them, at both endpoints (the checks 70
and 71 of the API's list). One that this machine does not have is SKIPPED with the reason.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness

TEST_SECONDS = 600
LABEL = "com.docker.compose."
COMPOSE_FILE = """
version: "2.4"
services:
  db:
    image: busybox
    command: sh -c 'sleep 0.5; touch /d/there; sleep 600'
    stop_grace_period: 0s
    volumes: ["data:/d"]
    healthcheck: {test: ["CMD", "test", "-e", "/d/there"], interval: 1s, retries: 30}
  web:
    image: busybox
    command: sh -c 'echo web is here; sleep 600'
    stop_grace_period: 0s
    depends_on: {db: {condition: service_healthy}}
  apart:
    image: busybox
    command: sleep 600
    stop_grace_period: 0s
    network_mode: none
volumes:
  data: {}
"""
# What only compose 2 knows: a service that must have ended well, two networks with aliases, a published port.
COMPOSE_2_FILE = """
services:
  prepare:
    image: busybox
    command: sh -c 'echo prepared > /d/page'
    volumes: ["pages:/d"]
  server:
    image: nginx
    stop_grace_period: 0s
    depends_on: {prepare: {condition: service_completed_successfully}}
    volumes: ["pages:/usr/share/nginx/html:ro"]
    ports: ["80"]
    networks: {front: {aliases: [pages]}, back: {}}
  client:
    image: busybox
    command: sleep 600
    stop_grace_period: 0s
    environment: {COLOUR: "${COLOUR:-blue}"}
    networks: [front]
    labels: {role: client}
networks:
  front: {driver: bridge}
  back: {driver: bridge, internal: true}
volumes:
  pages: {labels: {role: pages}}
"""


class Compose:
  """A project at one endpoint."""

  def __init__(self, program, major, api, where):
    self.program, self.major, self.api = program, major, api
    self.title = "%s compose %d, %s" % ({1: "check 70", 2: "check 71"}[major], major, where)
    self.folder = tempfile.mkdtemp(prefix="swarm-compose-")
    self.write(COMPOSE_FILE)

  def __enter__(self):
    return self

  def __exit__(self, *_):
    shutil.rmtree(self.folder, True)

  def write(self, text):
    with open(os.path.join(self.folder, "docker-compose.yml"), "w", encoding="utf-8") as file:
      file.write(text)

  def run(self, *arguments, **environment):
    environment = {"DOCKER_HOST": self.api.host, "COMPOSE_HTTP_TIMEOUT": "60", "COMPOSE_INTERACTIVE_NO_CLI": "1",
                   "DOCKER_CONFIG": self.folder, **environment}
    return harness.run_program([self.program, "-p", "cs", *arguments], seconds=120, cwd=self.folder,
                               env=harness.clean_environment(environment))

  def containers(self):
    return {row["Id"]: row for row in self.api.get("/containers/json?all=1")
            if row["Labels"].get(LABEL + "project") == "cs"}

  def service(self, name):
    return {identity: row for identity, row in self.containers().items() if row["Labels"][LABEL + "service"] == name}


def play(report, compose):
  """The whole life of a project."""

  def check(name, done, holds=True):
    return report.check("%s: %s" % (compose.title, name), done.code == 0 and holds, done)

  done = compose.run("up", "-d")
  first = compose.containers()
  check("up -d", done, len(first) == 3)
  report.equal("%s: all run" % compose.title, sorted(row["State"] for row in first.values()), ["running"] * 3)
  check("names of services resolve in the default network", compose.run("exec", "-T", "web", "ping", "-c", "1", "db"))
  again = compose.run("up", "-d")
  check("up -d again recreates nothing", again, compose.containers().keys() == first.keys() and
        "Recreat" not in again.err)
  if compose.major == 1:
    scaled = compose.run("up", "-d", "--scale", "web=3")
  else:
    scaled = compose.run("scale", "web=3")
  check("scale web=3", scaled, len(compose.service("web")) == 3 and first.keys() <= compose.containers().keys())
  check("each replica reaches db", compose.run("exec", "-T", "--index=3", "web", "ping", "-c", "1", "db"))
  logs = compose.run("logs", "--no-color", "web")
  check("logs of all replicas", logs, logs.out.count("web is here") == 3)
  shown = compose.run("ps")
  check("ps shows all", shown, len(re.findall(r"\bUp\b", shown.out)) == 5)
  check("data is written", compose.run("exec", "-T", "db", "sh", "-c", "echo kept > /d/file"))
  down = compose.run("down")
  check("down", down, not compose.containers())
  compose.run("up", "-d")
  read = compose.run("exec", "-T", "db", "cat", "/d/file")
  check("the volume outlives down, and its service comes back to it", read, "kept" in read.out)
  check("down -v", compose.run("down", "-v"), not compose.containers())


def play_2(report, compose):
  """What compose 2 does besides: conditions, networks, ports, changes, and its other commands."""

  def check(name, done, holds=True):
    return report.check("%s: %s" % (compose.title, name), done.code == 0 and holds, done)

  compose.write(COMPOSE_2_FILE)
  check("up -d --wait", compose.run("up", "-d", "--wait", "--wait-timeout", "60", "server", "client"))
  first = compose.containers()
  page = compose.run("exec", "-T", "client", "wget", "-q", "-O", "-", "http://pages/page")
  check("what a service that ended left is served under an alias", page, page.out == "prepared\n")
  port = compose.run("port", "server", "80")
  check("port", port, port.out.strip().rpartition(":")[2].isdigit())
  again = compose.run("up", "-d")
  running = {name: compose.service(name).keys() for name in ("server", "client")}
  check("up -d again recreates nothing", again, all(ids <= first.keys() for ids in running.values()))
  changed = compose.run("up", "-d", COLOUR="red")
  check("up -d recreates the service that changed, and no other", changed,
        compose.service("server").keys() == running["server"] and compose.service("client").keys() != running["client"])
  told = compose.run("exec", "-T", "client", "sh", "-c", "echo $COLOUR")
  check("the new container has what changed", told, told.out == "red\n")
  rows = compose.run("ps", "-a", "--format", "json")
  check("ps -a --format json", rows, sorted((row["Service"], row["State"]) for row in map(
      json.loads, rows.out.splitlines())) == [("client", "running"), ("prepare", "exited"), ("server", "running")])
  filtered = compose.run("ps", "-a", "-q", "--status", "exited")
  check("ps --status exited", filtered, filtered.out.split() == list(compose.service("prepare")))
  once = compose.run("run", "--rm", "-T", "--no-deps", "client", "sh", "-c", "echo once; exit 3")
  report.check("%s: run --rm: output, exit code" % compose.title, once.code == 3 and once.out == "once\n", once)
  listed = compose.run("ls", "--format", "json")
  check("ls", listed, [row["Name"] for row in json.loads(listed.out)] == ["cs"])
  with open(os.path.join(compose.folder, "file"), "w", encoding="utf-8") as file:
    file.write("copied")
  check("cp in", compose.run("cp", "file", "client:/tmp/file"))
  check("cp out", compose.run("cp", "client:/tmp/file", "back"))
  with open(os.path.join(compose.folder, "back"), encoding="utf-8") as file:
    report.equal("%s: cp: the same file" % compose.title, file.read(), "copied")
  for line in (("top",), ("images",), ("pause", "client"), ("unpause", "client"), ("restart", "-t", "0", "client"),
               ("kill", "client"), ("start", "client"), ("stop", "-t", "0", "client"), ("rm", "-f", "client")):
    check(" ".join(line), compose.run(*line))
  report.equal("%s: rm -f removed the service's container" % compose.title, compose.service("client"), {})
  check("up of an orphan's project: --remove-orphans", compose.run("up", "-d", "--remove-orphans"))
  down = compose.run("down", "-v", "--remove-orphans", "-t", "0")
  check("down -v", down, not compose.containers())


def leftovers(engine):
  """What the project left on an engine."""
  networks = [row["Name"] for row in engine.get("/networks") if row["Name"].startswith("cs_")]
  volumes = [row["Name"] for row in engine.get("/volumes")["Volumes"] or () if row["Name"].startswith("cs_")]
  return networks + volumes + [row["Names"][0] for row in engine.get("/containers/json?all=1")]


def programs(only):
  """{major: program} of what this machine has."""
  found, lacks = {}, {}
  compose = shutil.which("docker-compose", path="/usr/local/bin:/usr/bin")
  if compose:
    found[1] = compose
  else:
    lacks[1] = "docker-compose is not installed (Debian's package docker-compose)"
  try:
    found[2] = harness.part("compose-2")
  except harness.Skipped as reason:
    lacks[2] = reason
  for major, reason in lacks.items():
    print("SKIPPED compose %d: %s" % (major, reason))
  found = {major: program for major, program in found.items() if only in ("", "v%d" % major)}
  if not found:
    raise harness.Skipped("no compose: %s" % "; ".join(map(str, lacks.values())))
  return found


def play_all(report, found, api, where):
  for major, program in found.items():
    begin = time.monotonic()
    with Compose(program, major, api, where) as compose:
      play(report, compose)
      if major == 2:
        play_2(report, compose)
      print("(%s: %.0f s)" % (compose.title, time.monotonic() - begin), flush=True)


def run(options, report):
  found = programs(options.only)
  program = harness.swarmd_program(options)
  with harness.Hosts() as hosts:
    play_all(report, found, hosts.engine(1), "one engine")
    report.equal("one engine: nothing is left", leftovers(hosts.engine(1)), [])
    with harness.Swarmd(program, hosts) as swarmd:
      swarmd.wait_healthy()
      play_all(report, found, swarmd.api(), "swarmd")
    for number in hosts.numbers():
      report.equal("%s: nothing is left" % hosts.name(number), leftovers(hosts.engine(number)), [])


def add_options(parser):
  parser.add_argument("--only", default="", choices=("", "v1", "v2"), help="only this one")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
