#!/usr/bin/env python3
"""docker-compose 1.29 (Debian's package) against swarmd over three engines and against one plain engine.

usage: compose_v1.py [--swarmd PATH]

A project of three services with a network and a volume: the same must hold at both. SKIPPED without docker-compose.
"""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness

TEST_SECONDS = 600
COMPOSE_FILE = """
version: "2.4"
services:
  db:
    image: busybox
    command: sh -c 'touch /d/there; sleep 600'
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


class Compose:
  """A project at one endpoint."""

  def __init__(self, program, api, folder):
    self.program, self.api, self.folder = program, api, folder

  def run(self, *arguments):
    environment = {"DOCKER_HOST": self.api.host, "COMPOSE_HTTP_TIMEOUT": "60", "COMPOSE_INTERACTIVE_NO_CLI": "1"}
    return harness.run_program([self.program, "-p", "cs", *arguments], seconds=120, cwd=self.folder,
                               env=harness.clean_environment(environment))

  def containers(self):
    return {row["Id"]: row for row in self.api.get("/containers/json?all=1")
            if row["Labels"].get("com.docker.compose.project") == "cs"}

  def service(self, name):
    return [row for row in self.containers().values() if row["Labels"]["com.docker.compose.service"] == name]


def play(report, where, compose):
  """The whole life of a project."""

  def check(name, done, holds=True):
    return report.check("check 70, %s: %s" % (where, name), done.code == 0 and holds, done)

  done = compose.run("up", "-d")
  first = compose.containers()
  check("up -d", done, len(first) == 3)
  report.equal("%s: all run" % where, sorted(row["State"] for row in first.values()), ["running"] * 3)
  check("names of services resolve in the default network", compose.run("exec", "-T", "web", "ping", "-c", "1", "db"))
  again = compose.run("up", "-d")
  check("up -d again recreates nothing", again, set(compose.containers()) == set(first) and "up-to-date" in again.err)
  scaled = compose.run("up", "-d", "--scale", "web=3")
  check("up --scale web=3", scaled, len(compose.service("web")) == 3 and set(first) <= set(compose.containers()))
  check("each replica reaches db", compose.run("exec", "-T", "--index=3", "web", "ping", "-c", "1", "db"))
  logs = compose.run("logs", "--no-color", "web")
  check("logs of all replicas", logs, logs.out.count("web is here") == 3)
  check("data is written", compose.run("exec", "-T", "db", "sh", "-c", "echo kept > /d/file"))
  down = compose.run("down")
  check("down", down, not compose.containers())
  compose.run("up", "-d")
  read = compose.run("exec", "-T", "db", "cat", "/d/file")
  check("the volume outlives down, and its service comes back to it", read, "kept" in read.out)
  check("down -v", compose.run("down", "-v"), not compose.containers())


def leftovers(engine):
  """What the project left on an engine."""
  networks = [row["Name"] for row in engine.get("/networks") if row["Name"].startswith("cs_")]
  volumes = [row["Name"] for row in engine.get("/volumes")["Volumes"] or () if row["Name"].startswith("cs_")]
  return networks + volumes + [row["Names"][0] for row in engine.get("/containers/json?all=1")]


def run(options, report):
  compose = shutil.which("docker-compose", path="/usr/local/bin:/usr/bin")
  if not compose:
    raise harness.Skipped("docker-compose is not installed (Debian's package docker-compose)")
  program = harness.swarmd_program(options)
  with harness.Hosts() as hosts, tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "docker-compose.yml"), "w", encoding="utf-8") as file:
      file.write(COMPOSE_FILE)
    play(report, "one engine", Compose(compose, hosts.engine(1), folder))
    with harness.Swarmd(program, hosts) as swarmd:
      swarmd.wait_healthy()
      play(report, "swarmd", Compose(compose, swarmd.api(), folder))
    for number in hosts.numbers():
      report.equal("%s: nothing is left" % hosts.name(number), leftovers(hosts.engine(number)), [])


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
