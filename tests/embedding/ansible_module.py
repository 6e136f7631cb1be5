#!/usr/bin/python3
"""The Ansible module of examples/ansible on simulated engines; no swarmd runs.

usage: ansible_module.py --sim-engines PROGRAM        (PYTHONPATH names where pyswarm is)

real_engines.py runs the same playbook on real ones.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import harness
from hosts import ROOT, Api

TEST_SECONDS = 300
PLAY_SECONDS = 60
EXAMPLE = os.path.join(ROOT, "examples", "ansible")


def needs_ansible():
  if not shutil.which("ansible-playbook"):
    raise harness.Skipped("ansible-playbook is not installed (Debian's package ansible)")


class Playbook:
  """Runs examples/ansible/site.yml on one cluster."""

  def __init__(self, report, title, discovery, engines):
    self.report, self.title, self.discovery, self.engines = report, title, discovery, engines

  def environment(self, **more):
    return harness.clean_environment(dict({
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_NOCOLOR": "true", "LC_ALL": "C.UTF-8"}, **more))

  def play(self, *arguments, **environment):
    """What ansible-playbook told: (counts of the host, {task: result}, what it did)."""
    done = harness.run_program(["ansible-playbook", os.path.join(EXAMPLE, "site.yml"), "-e",
                                "discovery=" + self.discovery, *arguments], seconds=PLAY_SECONDS,
                               env=self.environment(**environment))
    try:
      told = json.loads(done.out[done.out.index("{"):])
    except ValueError:
      return {}, {}, done
    tasks = {task["task"]["name"]: task["hosts"].get("localhost", {}) for play in told["plays"]
             for task in play["tasks"]}
    return told["stats"].get("localhost", {}), tasks, done

  def module(self, **arguments):
    """Runs the module alone, as Ansible does, and returns its result; without a result, what it printed as `msg`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
      json.dump({"ANSIBLE_MODULE_ARGS": dict({"discovery": self.discovery}, **arguments)}, file)
      file.flush()
      done = harness.run_program([sys.executable, "-B", os.path.join(EXAMPLE, "library", "swarm_container.py"), file.name],
                                 seconds=PLAY_SECONDS, env=self.environment())
    try:
      return json.loads(done.out)
    except ValueError:
      return {"failed": True, "msg": str(done)}

  def changes(self, name, changed, *arguments):
    """All tasks hold, and this many changed something."""
    counts, tasks, done = self.play(*arguments)
    holds = done.code == 0 and counts.get("failures") == 0 and counts.get("changed") == changed
    self.report.check("%s: %s: changed=%d" % (self.title, name, changed), holds, "%s %s\n%s" % (
        counts, [(task, result.get("msg"), result.get("differences")) for task, result in tasks.items()], done))
    return tasks

  def containers(self):
    """{name: engine number} of what is really there."""
    return {row["Names"][0].lstrip("/"): number for number, engine in enumerate(self.engines)
            for row in engine.get("/containers/json?all=1")}


def play_everything(report, book):
  tasks = book.changes("check mode on an empty cluster", 2, "--check")
  report.equal("%s: check mode has made nothing" % book.title, book.containers(), {})
  planned = tasks.get("A web server outside", {}).get("node")
  tasks = book.changes("first run", 2)
  report.equal("%s: it went where check mode had told" % book.title, tasks["A web server outside"].get("node"), planned)
  found = book.containers()
  report.check("%s: two containers on two engines" % book.title,
               sorted(found) == ["site_helper", "site_web"] and len(set(found.values())) == 2, found)
  book.changes("second run", 0)
  report.equal("%s: the second run has moved nothing" % book.title, book.containers(), found)


def play_more(report, book):
  """What needs no real engine."""
  found = book.containers()
  engine = book.engines[found["site_web"]]
  before = engine.get("/containers/site_web/json")["Id"]
  tasks = book.changes("check mode with another command", 1, "--check", "-e", "seconds=601")
  report.equal("%s: check mode tells the difference" % book.title,
               tasks["A web server outside"].get("differences"), ["command: ['sleep', '600'], not ['sleep', '601']"])
  report.equal("%s: and leaves the container" % book.title, engine.get("/containers/site_web/json")["Id"], before)
  book.changes("another command", 1, "-e", "seconds=601")
  ids = {row["Names"][0]: row["Id"] for each in book.engines for row in each.get("/containers/json?all=1")}
  report.check("%s: it was made anew" % book.title, ids.get("/site_web") not in (None, before), ids)
  for each in book.engines:
    for row in each.get("/containers/json?all=1"):
      if row["Names"] == ["/site_web"]:
        each.call("POST", "/containers/site_web/stop?t=0")
  book.changes("a container that was stopped is started", 1, "-e", "seconds=601")
  _, tasks, done = book.play(PYTHONPATH="/nonexistent")
  message = tasks.get("A web server outside", {}).get("msg", "")
  report.check("%s: without pyswarm it says what is missing" % book.title,
               done.code == 2 and "pyswarm" in message and "Python library" in message, done)
  _, tasks, done = book.play("-e", "discovery=nosuch://x")
  report.check("%s: a wrong URL is one message" % book.title,
               done.code == 2 and "nosuch" in tasks.get("A web server outside", {}).get("msg", ""), done)


def take_back(report, book):
  book.changes("taken away", 2, "-e", "state=absent")
  report.equal("%s: nothing is left" % book.title, book.containers(), {})
  book.changes("taken away again", 0, "-e", "state=absent")


def play_names(report, book):
  """A name is a name: the start of an ID finds nobody's container, and a name that may be elsewhere is not made twice."""
  engine = book.engines[0]
  stranger = engine.call("POST", "/containers/create?name=stranger", {"Image": "busybox"}).json()["Id"]
  start = stranger[:2]
  result = book.module(name=start, state="absent")
  report.equal("absent, and the name is the start of a stranger's ID", (result.get("changed"), result.get("msg")),
               (False, None))
  report.equal("the stranger's container stays", book.containers(), {"stranger": 0})
  result = book.module(name=start, image="busybox", command=["sleep", "600"])
  report.check("started: one of that name is made", result.get("changed") is True and
               result["container"]["Id"] != stranger and sorted(book.containers()) == sorted([start, "stranger"]), result)
  result = book.module(name=start, image="busybox", command=["sleep", "600"])
  report.check("started again: nothing to do", result.get("changed") is False, result)
  result = book.module(name=start, image="busybox", labels={"a": "b"})
  report.check("with a label it is made anew", result.get("differences") == ["label a: None, not b"], result)
  result = book.module(name=start, state="absent")
  report.check("and is removed, the stranger's is not", result.get("changed") is True and
               book.containers() == {"stranger": 0}, (result, book.containers()))
  for number in (0, 1):
    book.engines[number].call("POST", "/containers/create?name=twice", {"Image": "busybox"})
  result = book.module(name="twice", state="absent")
  report.check("a name on two nodes: nothing is chosen", "several nodes" in result.get("msg", ""), result)
  for number in (0, 1):
    removed = book.engines[number].call("DELETE", "/containers/twice")
    report.equal("it was still on both", removed.status, 204)
  result = book.module(name="", image="busybox")
  report.check("an empty name is none", "is no name" in result.get("msg", ""), result)

  silent = "127.0.0.1:1"
  some = dict(discovery="%s,%s" % (book.discovery, silent), image="busybox", timeout=10)
  result = book.module(name="sought", **some)
  report.check("it may be on an engine that does not answer: none is made, the engine is named",
               result.get("failed") is True and silent in result.get("msg", ""), result)
  result = book.module(name="sought", state="absent", **some)
  report.check("nor is it told to be absent", result.get("failed") is True and silent in result.get("msg", ""), result)
  result = book.module(name="sought", allow_unhealthy=True, **some)
  report.check("allow_unhealthy goes on without that engine", result.get("changed") is True, result)
  result = book.module(name="sought", state="absent", **some)
  report.check("what is found needs no other engine", result.get("changed") is True, result)
  report.equal("only the stranger's is left", book.containers(), {"stranger": 0})
  engine.call("DELETE", "/containers/stranger?force=1")


def run(options, report):
  needs_ansible()
  documented = harness.run_program(["ansible-doc", "-M", os.path.join(EXAMPLE, "library"), "-t", "module",
                                    "swarm_container"], env=harness.clean_environment({"LC_ALL": "C.UTF-8"}))
  report.check("ansible-doc reads its documentation", documented.code == 0 and "discovery" in documented.out, documented)
  engines = subprocess.Popen([options.sim_engines, "3"], stdout=subprocess.PIPE, text=True)
  harness.ENDINGS.append(engines.kill)
  try:
    addresses = [engines.stdout.readline().strip() for _ in range(3)]
    book = Playbook(report, "simulated", "nodes://" + ",".join(addresses),
                    [Api("tcp://" + address) for address in addresses])
    play_everything(report, book)
    play_more(report, book)
    take_back(report, book)
    play_names(report, book)
  finally:
    engines.terminate()
    engines.wait(timeout=harness.STOP_SECONDS)
    harness.ENDINGS.remove(engines.kill)


def add_options(parser):
  parser.add_argument("--sim-engines", required=True, help="the program that serves simulated engines")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
