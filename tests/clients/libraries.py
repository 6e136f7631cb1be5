#!/usr/bin/env python3
"""Libraries and tools that speak to an engine, against swarmd over three engines and against one plain engine.

usage: libraries.py [--swarmd PATH] [--only docker-py|ruby|dockerode|testcontainers|ansible]
       libraries.py --reference HOST [--only ...]       only one plain engine

The checks 72 (docker-py), 73 (community.docker), 74 (dockerode and ruby-docker-api) of the API's list, and
testcontainers. Each client is a program of its own that makes its checks and tells them line by line; the same program
must hold all of them at both endpoints. A client that this machine does not have is SKIPPED with the reason.
"""

import functools
import json
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness
from hosts import ROOT

TEST_SECONDS = 600
CLIENT_SECONDS = 200
HERE = os.path.join(ROOT, "tests", "clients")
SYSTEM_PYTHON = "/usr/bin/python3"  # to which Debian's modules belong
NO_RELAY = "this swarmd does not listen for published ports: --relay-ports"


class Client:
  """One client: name and check number, what it needs, and how it is run."""

  def __init__(self, name, number, needs, play):
    self.name, self.number, self.needs, self.play = name, number, needs, play

  def title(self, where):
    return "%s%s, %s" % (self.number + " " if self.number else "", self.name, where)


class Endpoint:
  """Where a client is sent."""

  def __init__(self, where, api, is_cluster, relays=True):
    self.where, self.api, self.is_cluster, self.relays = where, api, is_cluster, relays

  def environment(self, **more):
    return harness.clean_environment({"DOCKER_HOST": self.api.host, **more})


def tell(report, title, done):
  """Passes on the lines of a client's program; one that was cut off has failed."""
  lines = [line for line in done.out.splitlines() if re.match(r"(ok|FAILED|SKIPPED) ", line)]
  for line in lines:
    word, text = line.split(" ", 1)
    name, _, found = text.partition(": ") if word != "ok" else (text, "", "")
    if word == "SKIPPED":
      print("SKIPPED %s: %s: %s" % (title, name, found), flush=True)
    else:
      report.check("%s: %s" % (title, name), word == "ok", found)
  failed = any(line.startswith("FAILED") for line in lines)
  report.check("%s: its program went to its end" % title, done.code == (1 if failed else 0) and lines, done)


def run_bounded(line, environment):
  """Like run_program, from any thread: what still runs when the test is told to end is ended."""
  return harness.Background(line, environment).finish(CLIENT_SECONDS)


def program(report, title, line, environment):
  tell(report, title, run_bounded(line, environment))


def play_docker_py(report, title, endpoint):
  program(report, title, [SYSTEM_PYTHON, "-B", os.path.join(HERE, "docker_py", "scenario.py")], endpoint.environment())


def play_ruby(report, title, endpoint):
  program(report, title, ["ruby", os.path.join(HERE, "ruby", "scenario.rb")], endpoint.environment())


def play_node(file, report, title, endpoint):
  more = {"NODE_PATH": harness.part("node-clients"), "TESTCONTAINERS_RYUK_DISABLED": "true"}
  if not endpoint.relays:
    more["NO_RELAY"] = NO_RELAY
  program(report, title, ["node", os.path.join(HERE, "node", file)], endpoint.environment(**more))


class Playbooks:
  """Runs files of tests/clients/ansible at an endpoint."""

  def __init__(self, report, title, endpoint):
    self.report, self.title = report, title
    self.environment = endpoint.environment(
        ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_PIPELINING="true",
        ANSIBLE_INVENTORY_UNPARSED_WARNING="false", ANSIBLE_PYTHON_INTERPRETER=SYSTEM_PYTHON, ANSIBLE_NOCOLOR="true",
        LC_ALL="C.UTF-8")

  def run(self, name, file, *arguments, changed=None):
    """All tasks hold, and this many have changed something (None: any number)."""
    line = ["ansible-playbook", os.path.join(HERE, "ansible", file), *arguments]
    done = run_bounded(line, self.environment)
    try:
      told = json.loads(done.out[done.out.index("{"):])
    except ValueError:
      return self.report.check("%s: %s" % (self.title, name), False, done)
    counts, found = told["stats"].get("localhost", {}), []
    for task in (task for play in told["plays"] for task in play["tasks"]):
      result = task["hosts"].get("localhost", {})
      if result.get("failed") or (result.get("changed") and changed is not None):
        found.append("%s: %s %s" % (task["task"]["name"], result.get("msg", "changed"),
                                    json.dumps(result.get("diff") or result.get("exception") or "")[:1500]))
    holds = done.code == 0 and counts.get("failures") == 0 and changed in (None, counts.get("changed"))
    return self.report.check("%s: %s" % (self.title, name), holds, "changed=%s\n%s\n%s" % (
        counts.get("changed"), "\n".join(found), done.err[-500:]))


def play_ansible(report, title, endpoint):
  books = Playbooks(report, title, endpoint)
  books.run("everything is declared", "site.yml")
  books.run("declared again: changed=0", "site.yml", "--diff", changed=0)
  books.run("a constraint in the environment", "environment.yml", changed=1)
  # The engine keeps the environment as it was given; the cluster takes the constraint out of it.
  books.run("a constraint in the environment, again: changed=%d" % endpoint.is_cluster, "environment.yml",
            changed=int(endpoint.is_cluster))
  books.run("a constraint in the environment, not compared: changed=0", "environment.yml", "-e", "ignored=true",
            changed=0)
  if endpoint.is_cluster:
    nodes = {name: endpoint.api.get("/containers/%s/json" % name)["Node"]["Name"] for name in ("an_web", "an_env")}
    report.check("%s: constraints in label and environment are followed" % title,
                 set(nodes.values()) <= {"dockerhost02", "dockerhost03"}, nodes)
  books.run("everything is taken back", "absent.yml")


def needs_program(name, package):
  return lambda: "" if shutil.which(name) else "%s is not installed (Debian's package %s)" % (name, package)


def needs_docker_py():
  done = harness.run_program([SYSTEM_PYTHON, "-c", "import docker"])
  return "" if done.code == 0 else "no docker-py (Debian's package python3-docker): %s" % done.err.strip()[-200:]


def needs_ruby():
  if not shutil.which("ruby"):
    return needs_program("ruby", "ruby-docker-api")()
  done = harness.run_program(["ruby", "-e", "require 'docker'"])
  return "" if done.code == 0 else "no gem docker-api (Debian's package ruby-docker-api)"


def needs_node():
  try:
    harness.part("node-clients")
  except harness.Skipped as reason:
    return str(reason)
  return needs_program("node", "nodejs")()


CLIENTS = [
    Client("docker-py", "check 72", needs_docker_py, play_docker_py),
    Client("ansible", "check 73", needs_program("ansible-playbook", "ansible"), play_ansible),
    Client("ruby", "check 74", needs_ruby, play_ruby),
    Client("dockerode", "check 74", needs_node, functools.partial(play_node, "dockerode.js")),
    Client("testcontainers", None, needs_node, functools.partial(play_node, "testcontainers.js")),
]


def leftovers(engine):
  """What the clients left on an engine."""
  names = [row["Names"][0] for row in engine.get("/containers/json?all=1")]
  names += [row["Name"] for row in engine.get("/networks") if row["Name"] not in ("bridge", "host", "none")]
  return names + [row["Name"] for row in engine.get("/volumes")["Volumes"] or ()]


def play_lane(report, clients, endpoint):
  for client in clients:
    begin = time.monotonic()
    client.play(report, client.title(endpoint.where), endpoint)
    print("(%s: %.0f s)" % (client.title(endpoint.where), time.monotonic() - begin), flush=True)


def play_all(report, clients, endpoint):
  """All clients at an endpoint, two at a time: each looks only at what it has made itself."""
  lanes = [lane for lane in (clients[::2], clients[1::2]) if lane]
  for result in harness.parallel([functools.partial(play_lane, report, lane, endpoint) for lane in lanes]):
    if isinstance(result, Exception):
      raise result


def chosen(word):
  """The clients that this machine has; says which it does not."""
  clients = []
  for client in CLIENTS:
    if word and word != client.name:
      continue
    lacks = client.needs()
    if lacks:
      print("SKIPPED %s: %s" % (client.name, lacks))
    else:
      clients.append(client)
  if not clients:
    raise harness.Skipped("none of these clients is installed: scripts/setup.sh")
  return clients


def run(options, report):
  clients = chosen(options.only)
  if options.reference:
    play_all(report, clients, Endpoint("one engine", harness.Api(options.reference), False))
    return
  swarmd_program = harness.swarmd_program(options)
  relays = "--relay-ports" in harness.run_program([swarmd_program, "manage", "--help"]).out
  with harness.Hosts() as hosts:
    play_all(report, clients, Endpoint("one engine", hosts.engine(1), False))
    report.equal("one engine: nothing is left", leftovers(hosts.engine(1)), [])
    with harness.Swarmd(swarmd_program, hosts, flags=["--relay-ports", "all"] if relays else []) as swarmd:
      swarmd.wait_healthy()
      play_all(report, clients, Endpoint("swarmd", swarmd.api(), True, relays))
    for number in hosts.numbers():
      report.equal("swarmd: nothing is left on %s" % hosts.name(number), leftovers(hosts.engine(number)), [])


def add_options(parser):
  parser.add_argument("--reference", metavar="HOST", help="play only at this plain engine, tcp://ADDRESS:PORT")
  parser.add_argument("--only", default="", help="only this client")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
