"""Checks 70 to 78: what other test programs hold, dead and frozen engines, and many streams at once."""

import contextlib
import time

import harness
from check import LAST, check, held
from wire import Wire, frames

ANSWER_SECONDS = 1.0  # for what does not need the sick node
FROZEN_SECONDS = 5.0  # for what does
FOLLOWERS = 500

held(70, "docker-compose 1.29: up -d, ps, scale, logs, down -v; a second up recreates nothing",
     "no test program has a step with this number")
held(71, "compose v2: the same, with a default network and depends_on: service_healthy",
     "no test program has a step with this number")
held(72, "docker-py: run, exec_run with a socket, archives, events, stats, prune",
     "no test program has a step with this number")
held(73, "Ansible's docker_container twice: the second run changes nothing", "no test program has a step with this number")
held(74, "dockerode with and without hijack; ruby docker-api pinned to an old version",
     "no test program has a step with this number")
held(78, "14 and 22 over TLS: half-close as close_notify", "no test program has a step with this number")


def timed(facts, what, bound, play):
  """The result of play(), which must come within `bound` seconds."""
  begin = time.monotonic()
  result = play()
  took = time.monotonic() - begin
  facts.that("%s within %g s" % (what, bound), took < bound, "%.2f s" % took)
  return result


@check(75, "an engine is killed: Host Down in ps -a, the rest answers within 1 s, its containers fail fast", stage=LAST)
def killed(world, facts):
  node = world.hosts.name(2)
  for number in world.hosts.numbers():
    world.up("ck_stay%d" % number, number)
  with world.with_node("kill", "restart", 2):
    facts.eventually("ps -a says so", lambda: any(row["Status"] == "Host Down" for row in world.rows()), 20, world.rows)
    rows = timed(facts, "ps -a", ANSWER_SECONDS, world.rows)
    facts.equal("its row alone", {name for row in rows if row["Status"] == "Host Down" for name in row["Names"]},
                {"/ck_stay2", "/%s/ck_stay2" % node})
    facts.equal("ps", timed(facts, "ps", ANSWER_SECONDS, lambda: len(world.rows(query=""))), 2)
    answer = world.api.call("GET", "/containers/json?all=1")
    facts.equal("the header names it", answer.headers.get("x-swarmd-unreachable"), node)
    for method, path in (("GET", "/containers/ck_stay2/json"), ("POST", "/containers/ck_stay2/start"),
                         ("GET", "/containers/ck_stay2/logs?stdout=1"), ("POST", "/containers/ck_stay2/exec")):
      answer = timed(facts, path, ANSWER_SECONDS, lambda: world.api.call(method, path, {} if method == "POST" else None))
      facts.that("%s names the node" % path, answer.status >= 500 and node in answer.text, answer)
    for number in (1, 3):
      facts.status("the others", timed(facts, "inspect", ANSWER_SECONDS, lambda: world.api.call(
          "GET", "/containers/ck_stay%d/json" % number)), 200)
    answer = timed(facts, "create", ANSWER_SECONDS * 2, lambda: world.create("ck_new"))
    facts.status("create", answer, 201)
    for path in ("/images/json", "/info", "/networks", "/volumes"):
      facts.status(path, timed(facts, path, ANSWER_SECONDS, lambda: world.api.call("GET", path)), 200)


@check(76, "an engine is frozen: lists answer, no client hangs", stage=LAST)
def frozen(world, facts):
  for number in world.hosts.numbers():
    world.up("ck_stay%d" % number, number)
  with world.with_node("freeze", "thaw", 3):
    # At once, before swarmd knows that the engine hangs.
    for path in ("/containers/json?all=1", "/info", "/images/json", "/containers/ck_stay1/json"):
      facts.status(path, timed(facts, path, ANSWER_SECONDS, lambda: world.api.call("GET", path)), 200)
    for path in ("/networks", "/volumes", "/system/df"):
      facts.status(path, timed(facts, path, FROZEN_SECONDS, lambda: world.api.call("GET", path)), 200)
    answer = timed(facts, "inspect", FROZEN_SECONDS * 3, lambda: world.api.call("GET", "/containers/ck_stay3/json"))
    facts.that("a container of the frozen node", answer.status >= 500 and world.hosts.name(3) in answer.text, answer)
    facts.eventually("ps -a says so", lambda: any(row["Status"] == "Host Down" for row in world.rows()), 20, world.rows)
    answer = timed(facts, "a second time", ANSWER_SECONDS, lambda: world.api.call("GET", "/containers/ck_stay3/json"))
    facts.that("it fails fast then", answer.status >= 500 and world.hosts.name(3) in answer.text, answer)
    done = timed(facts, "docker run", FROZEN_SECONDS, lambda: world.docker.run("run", "--rm", "busybox", "echo", "hi"))
    facts.equal("docker run", done.out, "hi\n")


@check(77, "500 clients follow logs, one does not read: the others see their lines, and everything else answers")
def followers(world, facts):
  ids = [world.up("ck_tick%d" % number, number, Cmd=["sh", "-c", "while true; do echo tick; sleep 0.5; done"])
         for number in world.hosts.numbers()]
  flood = world.up("ck_flood", 1, Cmd=["sh", "-c", "yes 0123456789 | head -c 30000000; sleep 600"])
  with contextlib.ExitStack() as stack:
    slow = stack.enter_context(world.wire())
    slow.send("GET", "/containers/%s/logs?follow=1&stdout=1" % flood)
    wires = []
    for turn in range(FOLLOWERS):
      wire = stack.enter_context(Wire(world.api, 40))
      wire.send("GET", "/containers/%s/logs?follow=1&stdout=1&tail=0" % ids[turn % len(ids)])
      wires.append(wire)
    statuses = {wire.head().status for wire in wires}
    facts.equal("heads", statuses, {200})
    facts.equal("lines", {frames(wire.chunk())[1][:4] for wire in wires}, {b"tick"})
    facts.that("streams", world.metric("swarmd_open_streams") > FOLLOWERS, world.metric("swarmd_open_streams"))
    for path in ("/containers/json", "/info", "/containers/ck_tick2/json", "/containers/ck_tick2/top"):
      facts.status(path, timed(facts, path, ANSWER_SECONDS * 2, lambda: world.api.call("GET", path)), 200)
  facts.eventually("all are closed", lambda: world.metric("swarmd_open_streams") == 0, 15,
                   lambda: world.metric("swarmd_open_streams"))
