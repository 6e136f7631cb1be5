#!/usr/bin/env python3
"""swarmd killed under load, and engines killed, frozen and cut off: nothing is lost, and the rest answers.

usage: faults.py [--swarmd PATH]
"""

import http.client
import re
import threading
import time
import urllib.request

import harness

TEST_SECONDS = 540
ANSWER_SECONDS = 1.0
NOTICED_SECONDS = 20
HEALED_SECONDS = 40
FLAGS = ["--engine-timeout", "2s", "--engine-refresh-min-interval", "1s", "--engine-refresh-max-interval", "2s",
         "--engine-failure-retry", "2"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Load:
  """Clients that list, create and remove until they are stopped; errors while swarmd is dead are expected."""

  def __init__(self, api, workers=4):
    self._stop, self.done, self.created = threading.Event(), [0] * workers, []
    self._threads = [threading.Thread(target=self._work, args=(api, index), daemon=True) for index in range(workers)]

  def __enter__(self):
    for thread in self._threads:
      thread.start()
    return self

  def __exit__(self, *_):
    self._stop.set()
    for thread in self._threads:
      thread.join(harness.COMMAND_SECONDS)

  def _work(self, api, index):
    turn = 0
    while not self._stop.is_set():
      turn += 1
      name = "load%d_%d" % (index, turn)
      try:
        api.call("GET", "/containers/json?all=1", seconds=10)
        made = api.call("POST", "/containers/create?name=" + name, {"Image": "busybox", "Cmd": ["true"]}, seconds=20)
        if made.status == 201:
          if turn % 2 == 0:  # not counted: when the answer is lost, nobody knows whether it is gone
            api.call("DELETE", "/containers/" + made.json()["Id"], seconds=20)
          else:
            self.created.append(made.json()["Id"])
        self.done[index] += 1
      except (OSError, http.client.HTTPException):
        time.sleep(0.05)





def names_on_engines(hosts):
  """{id: name} of all containers, asked of the engines themselves."""
  found = {}
  for number in hosts.numbers():
    for container in hosts.engine(number).get("/containers/json?all=1"):
      found[container["Id"]] = container["Names"][0]
  return found


def fetch(address):
  try:
    with OPENER.open("http://%s/" % address, timeout=2) as reply:
      return reply.read().decode()
  except OSError as error:
    return "no answer: %s" % error


def check_killed_under_load(report, hosts, swarmd, docker):
  """kill -9 in the middle of creates."""
  ports = {}
  for number in hosts.numbers():
    done = docker.run("run", "-d", "--name", "web%d" % number, "-e", "constraint:node==" + hosts.name(number), "-p",
                      "8081:80", "nginx")
    report.check("a server on %s" % hosts.name(number), done.code == 0, done)
    ports[number] = "%s:8081" % hosts.address(number)
  for number, address in ports.items():
    harness.wait_for(lambda: fetch(address).startswith("hello"), 10, "%s answers" % address)
  for round_number in (1, 2):
    with Load(swarmd.api()) as load:
      harness.wait_for(lambda: sum(load.done) > 20 * round_number, 40, "the load runs")
      swarmd.kill()
      for number, address in ports.items():
        report.matches("round %d: %s answers while swarmd is dead" % (round_number, address), fetch(address), "^hello")
      swarmd.start()
      swarmd.wait_healthy()
      after = sum(load.done)
      harness.wait_for(lambda: sum(load.done) > after + 10, 40, "the load goes on")
    compare_with_engines(report, hosts, swarmd, load, "round %d" % round_number)
  hosts.remove_containers()


def compare_with_engines(report, hosts, swarmd, load, what):
  """What swarmd lists is what the engines have, each name once, and nothing that was acknowledged is missing."""
  real = names_on_engines(hosts)
  harness.wait_for(lambda: len(swarmd.api().get("/containers/json?all=1")) == len(real), 10,
                   "%s: swarmd lists as many containers as the engines" % what)
  listed = {container["Id"] for container in swarmd.api().get("/containers/json?all=1")}
  report.equal("%s: swarmd lists what the engines have" % what, listed ^ set(real), set())
  names = sorted(real.values())
  report.equal("%s: no name twice" % what, [name for name in names if names.count(name) > 1], [])
  lost = [identity for identity in load.created if identity not in real]
  report.equal("%s: no acknowledged container is lost (of %d)" % (what, len(load.created)), lost, [])


class Prober:
  """Asks for what must answer at all times, every 50 ms; remembers the slowest and every failure."""

  def __init__(self, api, paths):
    self._api, self._paths, self._stop = api, paths, threading.Event()
    self.slowest, self.failures, self.count = (0.0, ""), [], 0
    self._thread = threading.Thread(target=self._work, daemon=True)

  def __enter__(self):
    self._thread.start()
    return self

  def __exit__(self, *_):
    self._stop.set()
    self._thread.join(30)

  def _work(self):
    while not self._stop.wait(0.05):
      for path in self._paths:
        begin = time.monotonic()
        try:
          answer = self._api.call("GET", path, seconds=10)
          if answer.status != 200:
            self.failures.append("%s: %r" % (path, answer))
        except (OSError, http.client.HTTPException) as error:
          self.failures.append("%s: %s" % (path, error))
        self.slowest = max(self.slowest, (time.monotonic() - begin, path))
        self.count += 1


# (what, command that does it, command that undoes it, words that its error may have)
FAULTS = [
    ("killed", "kill", "restart", r"refused|reset|closed|connect"),
    ("frozen", "freeze", "thaw", r"time|answer|respond"),
    ("cut off", "cut", "heal", r"time|answer|respond|route|unreachable"),
]


def check_fault(report, hosts, swarmd, docker, fault, number):
  what, begin_command, end_command, words = fault
  node, others = hosts.name(number), [other for other in hosts.numbers() if other != number]
  for other in hosts.numbers():
    done = docker.run("run", "-d", "--name", "stay%d" % other, "-e", "constraint:node==" + hosts.name(other), "busybox",
                      "sleep", "600")
    report.check("%s: a container on %s" % (what, hosts.name(other)), done.code == 0, done)
  paths = ["/containers/json", "/containers/json?all=1", "/info", "/_ping"]
  paths += ["/containers/stay%d/json" % other for other in others]
  paths += ["/containers/stay%d/top" % other for other in others]
  with Prober(swarmd.api(), paths) as prober:
    hosts.command(begin_command, "%02d" % number)
    report.eventually("%s: docker info shows the state" % what,
                      lambda: swarmd.statuses().get(node, "Healthy") != "Healthy", NOTICED_SECONDS, swarmd.statuses)
    found = docker.run("info").out
    report.check("%s: the node's row tells why" % what, re.search(r"Unhealthy(?s:.*)%s" % words, found),
                 "\n".join(line for line in found.splitlines() if "Error" in line or "Status" in line))
    done = docker.run("ps", "-a", "--filter", "name=stay%d" % number, "--format", "{{.Names}} {{.Status}}")
    report.matches("%s: its container is listed as on a host that is down" % what, done.out, "Host Down")
    begin = time.monotonic()
    done = docker.run("inspect", "--type", "container", "stay%d" % number, seconds=20)
    report.check("%s: a call to its container fails within 5 s and names the node" % what,
                 done.code == 1 and node in done.err and time.monotonic() - begin < 5, done)
    done = docker.run("run", "-d", "--name", "other", "busybox", "sleep", "600")
    report.check("%s: a new container lands elsewhere" % what, done.code == 0, done)
    done = docker.run("run", "--rm", "-e", "constraint:node==" + node, "busybox", "true")
    report.check("%s: a container for this node is refused" % what, done.code == 125, done)
    hosts.command(end_command, "%02d" % number)
    report.eventually("%s: it heals" % what, lambda: swarmd.statuses().get(node) == "Healthy", HEALED_SECONDS,
                      swarmd.log)
  report.check("%s: the rest answers within 1 s all the time" % what,
               prober.slowest[0] < ANSWER_SECONDS and not prober.failures,
               "slowest of %d: %.3f s %s; failures: %s" % (prober.count, *prober.slowest, prober.failures[:2]))
  print("       slowest of %d answers: %.0f ms (%s)" % (prober.count, prober.slowest[0] * 1000, prober.slowest[1]))
  done = docker.run("run", "--rm", "-e", "constraint:node==" + node, "busybox", "echo", "back")
  report.check("%s: it takes containers again" % what, done.out == "back\n", done)
  compare_ids(report, hosts, swarmd, what)
  docker.run("rm", "-f", *["stay%d" % other for other in hosts.numbers()], "other")


def compare_ids(report, hosts, swarmd, what):
  def same():
    return {container["Id"] for container in swarmd.api().get("/containers/json?all=1")} == set(names_on_engines(hosts))

  report.eventually("%s: afterwards swarmd lists what the engines have" % what, same, 10,
                    lambda: {container["Id"] for container in swarmd.api().get("/containers/json?all=1")} ^
                    set(names_on_engines(hosts)))


def run(options, report):
  program = harness.swarmd_program(options)
  with harness.Hosts() as hosts:
    with harness.Swarmd(program, hosts, FLAGS) as swarmd:
      swarmd.wait_healthy()
      docker = harness.Docker(harness.part("cli-20.10"), swarmd.host)
      check_killed_under_load(report, hosts, swarmd, docker)
      for number, fault in enumerate(FAULTS, 1):
        check_fault(report, hosts, swarmd, docker, fault, 1 + number % hosts.count)


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
