#!/usr/bin/env python3
"""swarmd node: nodes of a running manager looked at and steered, over simulated engines.

usage: node_command.py [--swarmd PATH]

Needs no root and no engines.
"""

import json
import os
import re
import tempfile

import harness

TEST_SECONDS = 120
FIRST, SECOND = "sim-0001", "sim-0002"

# (words after `swarmd node`, words that the one line must have)
REFUSED = [
    ([], r"node|[Ss]ubcommand"),
    (["nosuch"], r"subcommand"),
    (["inspect"], r"NODE"),
    (["drain", "--policy", "shift", FIRST], r"--policy"),
    (["drain", "-t", "soon", FIRST], r"soon"),
    (["ls", "--timeout", "never"], r"--timeout never"),
    (["ls", "-H", "nosuch://x"], r"nosuch"),
    (["ls", "--tlscert", "/nosuch/cert.pem"], r"--tls"),
]


class Node:
  """`swarmd node` towards one manager."""

  def __init__(self, program, host):
    self.program, self.host = program, host

  def __call__(self, *words, env=None):
    flags = ["-H", self.host] if self.host else []
    return harness.run_program([self.program, "node", *words, *flags], seconds=30, env=harness.clean_environment(env))


def one_line(done):
  return len([line for line in done.err.splitlines() if line.strip()]) == 1 and not done.out


def check_refused(report, program):
  for words, pattern in REFUSED:
    done = Node(program, None)(*words)
    report.check("swarmd node %s: one line, exit code 2" % " ".join(words),
                 done.code == 2 and one_line(done) and re.search(pattern, done.err), done)
  done = Node(program, "127.0.9.9:1")("ls")
  report.check("a manager that is not there: one line, exit code 1", done.code == 1 and one_line(done) and
               "127.0.9.9:1" in done.err, done)
  done = harness.run_program([program, "help", "node"], seconds=15, env=harness.clean_environment())
  report.check("swarmd help node", done.code == 0 and all(word in done.out for word in ("cordon", "drain", "--host")),
               done)


def check_looking(report, node, api):
  done = node("ls")
  lines = done.out.splitlines()
  report.check("ls: a header and a line each", done.code == 0 and len(lines) == 4 and lines[0].startswith("NAME "), done)
  report.check("ls: what stands there", re.match(
      r"sim-0001 +sim-0001:2375 +healthy +0 \(0 running\) +0 / 4 +0 B / 8\.4 GiB +20\.10\.24$", lines[1]), lines)
  done = node("inspect", "sim-0002:2375")
  report.check("inspect by address", done.code == 0 and json.loads(done.out)["Name"] == SECOND, done)
  report.equal("the same over HTTP", api.get("/swarmd/v1/nodes/" + SECOND)["Name"], SECOND)
  done = node("inspect", "nosuch")
  report.check("inspect of nothing: one line, exit code 1", done.code == 1 and one_line(done) and "nosuch" in done.err,
               done)
  done = Node(node.program, None)("ls", env={"SWARM_HOST": node.host})
  report.check("SWARM_HOST", done.code == 0 and FIRST in done.out, done)


def create(api, name, constraint=None):
  body = {"Image": "busybox", "Cmd": ["sleep", "600"], "Env": ["constraint:" + constraint] if constraint else []}
  return api.call("POST", "/v1.41/containers/create?name=" + name, body)


def node_of(api, name):
  return api.get("/containers/%s/json" % name)["Node"]["Name"]


def check_cordon(report, node, api):
  done = node("cordon", FIRST)
  report.check("cordon", done.code == 0 and done.out == FIRST + " is cordoned: it gets no new containers\n", done)
  report.check("ls shows it", re.search(FIRST + r" .* healthy, cordoned ", node("ls").out))
  for index in range(4):
    create(api, "off%d" % index)
  report.check("nothing is placed there", all(node_of(api, "off%d" % index) != FIRST for index in range(4)))
  answer = create(api, "there", "node==" + FIRST)
  report.check("a create that must go there is refused, and told why", answer.status == 409 and
               FIRST + ": cordoned: the node takes no new containers" in answer.text, answer)
  report.check("docker info shows it", api.get("/info") and "Healthy (cordoned)" in str(api.get("/info")))
  done = node("uncordon", FIRST)
  report.check("uncordon", done.code == 0 and done.out == FIRST + " gets new containers again\n", done)
  report.equal("and it does", create(api, "there", "node==" + FIRST).status, 201)


def check_drain(report, node, api):
  api.call("POST", "/containers/there/start")
  create(api, "idle", "node==" + FIRST)
  done = node("drain", "--plan", FIRST)
  report.check("drain --plan: what would be done", done.code == 0 and
               re.search(r"^stop there \(running, [0-9a-f]{12}\)$", done.out, re.M) and
               re.search(r"^leave idle \(created, [0-9a-f]{12}\): it does not run$", done.out, re.M) and
               "nothing was done" in done.out, done)
  report.equal("and nothing was done", (api.get("/swarmd/v1/nodes/" + FIRST)["Cordoned"],
                                        api.get("/containers/there/json")["State"]["Running"]), (False, True))
  done = node("drain", "--policy", "leave", FIRST)
  report.check("drain --policy leave", done.code == 0 and "0 stopped, 2 left, 0 failed" in done.out, done)
  report.equal("what runs goes on", api.get("/containers/there/json")["State"]["Running"], True)
  done = node("drain", "-t", "0", FIRST)
  report.check("drain", done.code == 0 and re.search(r"^stopped there \(running, ", done.out, re.M) and
               re.search(r"^left idle \(created, .*\): it does not run$", done.out, re.M) and
               FIRST + " is cordoned: it gets no new containers; 1 stopped, 1 left, 0 failed" in done.out, done)
  report.equal("it is stopped", api.get("/containers/there/json")["State"]["Running"], False)
  report.equal("it may be started all the same", api.call("POST", "/containers/there/start").status, 204)


def check_move(report, node, api):
  node("uncordon", FIRST)
  api.call("POST", "/v1.41/containers/create?name=mover", {
      "Image": "busybox", "Cmd": ["sleep", "600"], "Env": ["constraint:node==~" + FIRST],
      "Labels": {"com.docker.swarm.movable": "true"}})
  api.call("POST", "/containers/mover/start")
  done = node("drain", "--policy", "move", "--plan", FIRST)
  report.check("drain --policy move --plan", done.code == 0 and
               re.search(r"^move mover \(running, [0-9a-f]{12}\)$", done.out, re.M) and
               re.search(r"^leave there \(running, [0-9a-f]{12}\): it is not declared movable$", done.out, re.M), done)
  done = node("drain", "--policy", "move", FIRST)
  report.check("drain --policy move", done.code == 0 and "0 stopped, 1 moved, 2 left, 0 failed" in done.out and
               re.search(r"^moved mover \(running, [0-9a-f]{12}\): it is on sim-\d+ now$", done.out, re.M), done)
  mover = api.get("/containers/mover/json")
  report.check("it runs elsewhere", mover["State"]["Running"] and mover["Node"]["Name"] != FIRST, mover)


def run(options, report):
  program = harness.swarmd_program(options)
  check_refused(report, program)
  with harness.Swarmd(program, discovery="sim://3") as swarmd:
    swarmd.wait_healthy(3)
    node = Node(program, swarmd.host)
    check_looking(report, node, swarmd.api())
    check_cordon(report, node, swarmd.api())
    check_drain(report, node, swarmd.api())
    check_move(report, node, swarmd.api())
  with tempfile.TemporaryDirectory() as folder:
    path = "unix://" + os.path.join(folder, "swarm.sock")
    with harness.Swarmd(program, discovery="sim://1", flags=["-H", path]):
      done = Node(program, path)("ls")
      report.check("over a unix socket", done.code == 0 and len(done.out.splitlines()) == 2, done)


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
