#!/usr/bin/env python3
"""Where containers land, on real engines: races for a port and for a name, affinities, dependencies, constraints.

usage: placement.py [--swarmd PATH]
"""

import json
import re
import time
import urllib.parse
import urllib.request

import harness

RACERS = 60
TEST_SECONDS = 540
ABSENT = "Unable to find a node that satisfies"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the tests' own network, never a proxy


class Placing:
  """docker run against the cluster, and where the container landed."""

  def __init__(self, docker, api, hosts):
    self.docker, self.api, self.hosts = docker, api, hosts

  def run(self, *arguments):
    """(node name, Done) of `docker run -d ARGUMENTS`; the node is None when it was refused."""
    done = self.docker.run("run", "-d", *arguments)
    return (self.node_of(done.out.strip()) if done.code == 0 else None), done

  def node_of(self, container):
    return self.api.get("/containers/%s/json" % container)["Node"]["Name"]

  def clear(self):
    ids = self.docker.run("ps", "-aq").out.split()
    if ids:
      self.docker.run("rm", "-f", *ids)


def creates_seen(hosts, number, begin):
  """How many containers an engine made since `begin`, by its own events."""
  filters = urllib.parse.quote(json.dumps({"type": ["container"], "event": ["create"]}))
  answer = hosts.engine(number).call("GET", "/events?since=%.6f&until=%.6f&filters=%s" % (begin, time.time(), filters))
  return len(answer.text.splitlines())


def refused_by_engines(hosts):
  """Lines of the engines' logs about create or start calls that they had to refuse."""
  pattern = r"Handler for POST .*/(create|start)\S* returned error.*|.*port is already allocated.*"
  return [found.group() for number in hosts.numbers() for found in re.finditer(pattern, hosts.engine_log(number))]


def check_port_race(report, placing, hosts):
  begin = time.time()
  jobs = [lambda: placing.docker.run("run", "-d", "-p", "8080:80", "nginx", seconds=120)] * RACERS
  results = harness.parallel(jobs)
  started = [done for done in results if getattr(done, "code", None) == 0]
  refused = [done for done in results if getattr(done, "code", None) == 125]
  report.equal("port race: one container a node starts", len(started), hosts.count)
  if not report.equal("port race: the others are refused, exit code 125", len(refused), RACERS - hosts.count):
    print([repr(done) for done in results if getattr(done, "code", None) not in (0, 125)][:3])
  unnamed = [done.err for done in refused if ABSENT not in done.err or "8080" not in done.err or
             not all(hosts.name(number) in done.err for number in hosts.numbers())]
  report.check("port race: every refusal names the port and the reason of each node", not unnamed, unnamed[:1])
  report.equal("port race: no engine made more than its one container",
               [creates_seen(hosts, number, begin) for number in hosts.numbers()], [1] * hosts.count)
  report.equal("port race: no engine was asked in vain", refused_by_engines(hosts), [])
  nodes = sorted(placing.node_of(done.out.strip()) for done in started)
  report.equal("port race: on every node one", nodes, [hosts.name(number) for number in hosts.numbers()])
  placing.clear()


def check_name_race(report, placing, hosts):
  begin = time.time()
  body = {"Image": "busybox", "Cmd": ["sleep", "600"]}
  results = harness.parallel([lambda: placing.api.call("POST", "/containers/create?name=the_one", body)] * RACERS)
  statuses = [getattr(answer, "status", repr(answer)) for answer in results]
  report.equal("name race: one wins", statuses.count(201), 1)
  if not report.equal("name race: the others get 409", statuses.count(409), RACERS - 1):
    print(statuses)
  texts = [answer.text for answer in results if getattr(answer, "status", 0) == 409]
  report.check("name race: the refusals name it", all("the_one" in text for text in texts), texts[:1])
  report.equal("name race: the engines made one container",
               sum(creates_seen(hosts, number, begin) for number in hosts.numbers()), 1)
  report.equal("name race: no engine was asked in vain", refused_by_engines(hosts), [])
  placing.clear()


def check_spread(report, placing, hosts):
  nodes = [placing.run("--name", "spread%d" % index, "busybox", "sleep", "600")[0] for index in range(6)]
  report.equal("spread: two on each node after six", sorted(nodes),
               sorted([hosts.name(number) for number in hosts.numbers()] * 2))
  placing.clear()


# (what, environment of the container, nodes that are right, or the text of the refusal)
CONSTRAINTS = [
    ("==", ["constraint:zone==internal"], {1}),
    ("single =", ["constraint:zone=internal"], {1}),
    ("single =, other case", ["constraint:zone=INTERNAL"], {1}),
    ("two of them", ["constraint:zone==external", "constraint:status==master"], {3}),
    ("!=", ["constraint:zone!=external"], {1}),
    ("glob", ["constraint:zone==ext*", "constraint:status==non-*"], {2}),
    ("regular expression", ["constraint:status==/^non-m.ster$/"], {2}),
    ("!= regular expression", ["constraint:status!=/^master$/"], {2}),
    ("node by name", ["constraint:node==dockerhost02"], {2}),
    ("node by glob", ["constraint:node==*03"], {3}),
    ("standard label", ["constraint:ostype==linux", "constraint:node!=dockerhost01", "constraint:status==master"], {3}),
    ("soft, cannot be held", ["constraint:zone==~nowhere", "constraint:node==dockerhost02"], {2}),
    ("soft, can be held", ["constraint:status==~non-master"], {2}),
    ("nothing fits", ["constraint:zone==nowhere"], r"zone==nowhere"),
    ("a bad expression", ["constraint:zone"], r"zone"),
]


def check_constraints(report, placing, hosts):
  for what, expressions, wanted in CONSTRAINTS:
    node, done = placing.run(*[word for text in expressions for word in ("-e", text)], "busybox", "sleep", "600")
    name = "constraint: %s" % what
    if isinstance(wanted, set):
      report.check(name, node in {hosts.name(number) for number in wanted}, "%s, %r" % (node, done))
    else:
      report.check(name, done.code == 125 and re.search(wanted, done.err), "%s, %r" % (node, done))
  done = placing.docker.run("run", "--rm", "-e", "constraint:zone==internal", "-e", "KEPT=1", "busybox", "env")
  report.check("constraint: is not left in the environment", "KEPT=1" in done.out and "constraint" not in done.out, done)
  placing.clear()


def check_labels(report, placing):
  """The same by labels, as compose files give them; and what is written back."""
  label = "com.docker.swarm.constraints=[\"node==dockerhost03\"]"
  node, done = placing.run("--name", "labelled", "--label", label, "busybox", "sleep", "600")
  report.check("constraint in a label", node == "dockerhost03", done)
  node, done = placing.run("--name", "written", "-e", "constraint:node==dockerhost02", "busybox", "sleep", "600")
  labels = placing.api.get("/containers/written/json")["Config"]["Labels"]
  report.check("a constraint is written back as a label",
               "node==dockerhost02" in labels.get("com.docker.swarm.constraints", ""), labels)
  report.check("every container has a swarm id", re.fullmatch(r"[0-9a-f]{64}", labels.get("com.docker.swarm.id", "")),
               labels)
  placing.clear()


# (what, arguments after those that keep it from landing there by chance)
NEAR_ANCHOR = [
    ("affinity:container by name", ["-e", "affinity:container==anchor"]),
    ("affinity:container, single =", ["-e", "affinity:container=anchor"]),
    ("affinity by container label", ["-e", "affinity:role==anchor"]),
    ("--link", ["--link", "anchor:alias"]),
    ("--volumes-from", ["--volumes-from", "anchor"]),
    ("--network container:", ["--network", "container:anchor"]),
    ("soft affinity that can be held", ["-e", "affinity:container==~anchor"]),
]


def check_affinities(report, placing):
  """The anchor's node is made the fullest, so that spread alone would never choose it."""
  for host in ("dockerhost01", "dockerhost02", "dockerhost03"):
    on_host = ["-e", "constraint:node==" + host]
    _, anchor = placing.run(*on_host, "--name", "anchor", "--label", "role=anchor", "-v", "/data", "busybox", "sleep",
                            "600")
    placing.run(*on_host, "busybox", "sleep", "600")
    for what, arguments in NEAR_ANCHOR:
      node, done = placing.run(*arguments, "busybox", "sleep", "600")
      report.check("%s: lands on %s" % (what, host), node == host, "%s, %r" % (node, done))
    node, done = placing.run("-e", "affinity:container==%s" % anchor.out.strip()[:12], "busybox", "sleep", "600")
    report.check("affinity:container by id: lands on %s" % host, node == host, "%s, %r" % (node, done))
    node, done = placing.run("-e", "affinity:container!=anchor", "busybox", "sleep", "600")
    report.check("affinity:container!=: not on %s" % host, node not in (None, host), "%s, %r" % (node, done))
    placing.clear()


def check_affinity_refusals(report, placing):
  node, done = placing.run("-e", "affinity:container==nobody", "busybox", "sleep", "600")
  report.check("affinity to nothing: refused", done.code == 125 and "container==nobody" in done.err, (node, done))
  node, done = placing.run("-e", "affinity:container==~nobody", "busybox", "sleep", "600")
  report.check("soft affinity to nothing: yields", done.code == 0, (node, done))
  placing.run("-e", "constraint:node==dockerhost01", "--name", "left", "busybox", "sleep", "600")
  placing.run("-e", "constraint:node==dockerhost02", "--name", "right", "busybox", "sleep", "600")
  node, done = placing.run("--link", "left:l", "--link", "right:r", "busybox", "sleep", "600")
  report.check("--link to two nodes: refused with both named",
               done.code == 125 and "left" in done.err and "right" in done.err, (node, done))
  placing.clear()


def check_image_affinity(report, placing, hosts):
  """An image that only one engine has."""
  engine = hosts.engine(2)
  engine.call("POST", "/images/busybox/tag?repo=only/here&tag=1")
  harness.wait_for(lambda: "only/here:1" in placing.docker.run("images", "--format", "{{.Repository}}:{{.Tag}}").out,
                   30, "swarmd knows the new image")
  for what in ("affinity:image==only/here:1", "affinity:image=only/here", "affinity:image==~only/here:1"):
    node, done = placing.run("-e", what, "only/here:1", "sleep", "600")
    report.check("%s: lands on its node" % what, node == hosts.name(2), "%s, %r" % (node, done))
  node, done = placing.run("-e", "affinity:image!=only/here:1", "busybox", "sleep", "600")
  report.check("affinity:image!=: elsewhere", node not in (None, hosts.name(2)), "%s, %r" % (node, done))
  placing.clear()
  engine.call("DELETE", "/images/only/here:1")


def check_stopped_port(report, placing):
  """A stopped container holds no port; starting it when the port is taken is refused and names the holder."""
  on_host = ["-e", "constraint:node==dockerhost01", "-p", "8088:80"]
  placing.run(*on_host, "--name", "holder", "nginx")
  placing.docker.run("stop", "-t", "0", "holder")
  node, done = placing.run(*on_host, "--name", "taker", "nginx")
  report.check("a stopped container holds no port", node == "dockerhost01", done)
  done = placing.docker.run("start", "holder")
  report.check("starting it when the port is taken names the holder",
               done.code == 1 and "8088" in done.err and "taker" in done.err, done)
  placing.clear()


def check_strategy(report, program, hosts, strategy, wanted):
  with harness.Swarmd(program, hosts, ["--strategy", strategy]) as swarmd:
    swarmd.wait_healthy()
    docker = harness.Docker(harness.part("cli-20.10"), swarmd.host)
    placing = Placing(docker, swarmd.api(), hosts)
    nodes = [placing.run("-m", "64m", "busybox", "sleep", "600")[0] for _ in range(4)]
    report.check("%s: %s" % (strategy, wanted.__doc__), wanted(nodes), nodes)
    placing.clear()


def all_on_one(nodes):
  """four small containers share one node"""
  return None not in nodes and len(set(nodes)) == 1


def all_somewhere(nodes):
  """four containers start"""
  return None not in nodes


def fetch(address):
  try:
    with OPENER.open("http://%s/" % address, timeout=5) as reply:
      return reply.read().decode()
  except OSError as error:
    return "no answer: %s" % error


def check_relay(report, program, hosts):
  """--relay-ports: published ports answer on the manager's host, whatever node they are on."""
  manager = hosts.address(0)
  with harness.Swarmd(program, hosts, ["--relay-ports", "all"]) as swarmd:
    swarmd.wait_healthy()
    placing = Placing(harness.Docker(harness.part("cli-20.10"), swarmd.host), swarmd.api(), hosts)

    def on(number, name, *arguments):
      placing.run("-e", "constraint:node==" + hosts.name(number), "--name", name, *arguments)

    def told(name):
      return placing.api.get("/containers/%s/json" % name)["PortRelay"][0]

    on(1, "free1", "-p", "80", "nginx")
    on(2, "free2", "-p", "80", "nginx")
    shown = [placing.docker.run("port", name, "80/tcp").out.strip() for name in ("free1", "free2")]
    report.check("relay: docker port shows the manager's address, and two ports", len(set(shown)) == 2 and
                 all(re.fullmatch(re.escape(manager) + r":\d+", address) for address in shown), shown)
    report.check("relay: both answer there", all(fetch(address).startswith("hello") for address in shown),
                 [fetch(address) for address in shown])
    on(1, "fixed1", "-p", "8090:80", "nginx")
    on(2, "fixed2", "-p", "8090:80", "nginx")
    report.equal("relay: the first holds the number", told("fixed1")["HostPort"], "8090")
    report.check("relay: the other is told", told("fixed2")["Error"] == "port 8090 is relayed for container fixed1 on node " +
                 hosts.name(1) and placing.api.get("/containers/fixed2/json")["NetworkSettings"]["Ports"]["80/tcp"] ==
                 [{"HostIp": hosts.address(2), "HostPort": "8090"}], told("fixed2"))
    placing.docker.run("rm", "-f", "fixed1")
    report.equal("relay: then the number is free for it", told("fixed2")["HostPort"], "8090")
    report.check("relay: and answers", fetch(manager + ":8090").startswith("hello"), fetch(manager + ":8090"))
    placing.docker.run("stop", "-t", "0", "free1")
    report.check("relay: stopped is closed", fetch(shown[0]).startswith("no answer"), fetch(shown[0]))
    hosts.engine(2).call("POST", "/containers/free2/kill")
    report.eventually("relay: also what ends without swarmd", lambda: fetch(shown[1]).startswith("no answer"), 5)
    swarmd.stop()
    swarmd.start()
    swarmd.wait_healthy()
    report.eventually("relay: swarmd started anew relays what runs", lambda: fetch(manager + ":8090").startswith("hello"), 5)
    placing.clear()


def check_move(report, program, hosts, placing):
  """`drain --policy move` from engines of every age: the same container elsewhere, once; what is not movable stays."""

  def node(*arguments):
    return harness.run_program([program, "node", "--host", placing.docker.host, *arguments], seconds=90)

  for number in hosts.numbers():
    source, others = hosts.name(number), [hosts.name(other) for other in hosts.numbers() if other != number]
    for other in others:
      node("cordon", other)
    placing.run("--name", "mover", "-e", "COLOUR=blue", "-l", "com.docker.swarm.movable=true", "-p", "8095:80",
                "--restart", "always", "nginx")
    placing.run("--name", "stays", "busybox", "sleep", "600")
    for other in others:
      node("uncordon", other)
    before = placing.api.get("/containers/mover/json")
    done = node("drain", source, "--policy", "move")
    after = placing.api.get("/containers/mover/json")
    report.check("move: from %s to another node" % source,
                 before["Node"]["Name"] == source and done.code == 0 and after["Node"]["Name"] in others, (done, after["Node"]))
    report.equal("move: it runs, with what it had", [after["State"]["Running"], "COLOUR=blue" in after["Config"]["Env"],
                                                     after["HostConfig"]["RestartPolicy"]["Name"], after["Name"]],
                 [True, True, "always", before["Name"]])
    address = after["Node"]["IP"] + ":8095"
    report.eventually("move: it serves there", lambda: fetch(address).startswith("hello"), 5, lambda: fetch(address))
    left = [row["Names"][0] for row in hosts.engine(number).get("/containers/json?all=1")]
    report.check("move: only what is not movable is left there", left == ["/stays"], left)
    placing.clear()
    node("uncordon", source)


def run(options, report):
  program = harness.swarmd_program(options)
  client = harness.part("cli-20.10")
  with harness.Hosts() as hosts:
    with harness.Swarmd(program, hosts) as swarmd:
      swarmd.wait_healthy()
      placing = Placing(harness.Docker(client, swarmd.host), swarmd.api(), hosts)
      check_port_race(report, placing, hosts)
      check_name_race(report, placing, hosts)
      check_spread(report, placing, hosts)
      check_constraints(report, placing, hosts)
      check_labels(report, placing)
      check_affinities(report, placing)
      check_affinity_refusals(report, placing)
      check_image_affinity(report, placing, hosts)
      check_stopped_port(report, placing)
      check_move(report, program, hosts, placing)
    check_relay(report, program, hosts)
    check_strategy(report, program, hosts, "binpack", all_on_one)
    check_strategy(report, program, hosts, "random", all_somewhere)


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
