"""Checks 30 to 43: operations, names and ports in races, placement, and what reaches the engine unchanged."""

import json
import re

import harness
from check import check
from placement import CONSTRAINTS

RACERS = 20


def in_parallel(jobs):
  results = harness.parallel(jobs)
  for result in results:
    if isinstance(result, Exception):
      raise result
  return results


def published(port, address="", protocol="tcp", inside=80):
  inner = "%d/%s" % (inside, protocol)
  return {"ExposedPorts": {inner: {}}, "HostConfig": {"PortBindings": {inner: [{"HostIp": address, "HostPort": port}]}}}


@check(30, "top, diff, port, pause, unpause, kill -s, restart, update, rename by name and by id prefix")
def operations(world, facts):
  identity = world.up("ck_op", **published("0"))
  docker = world.docker
  for arguments, pattern in ((("top", "ck_op"), "sleep 600"), (("exec", "ck_op", "touch", "/new"), "^$"),
                             (("diff", "ck_op"), "A /new"), (("port", "ck_op"), r"80/tcp -> 10\.[\d.]+:\d+"),
                             (("pause", "ck_op"), "ck_op"), (("unpause", identity[:10]), identity[:10]),
                             (("update", "--memory", "64m", "--memory-swap", "64m", "ck_op"), "ck_op"),
                             (("restart", "-t", "0", "ck_op"), "ck_op"), (("rename", "ck_op", "ck_other"), "^$"),
                             (("rename", identity[:9], "ck_op"), "^$"), (("kill", "-s", "KILL", "ck_op"), "ck_op")):
    done = docker.run(*arguments)
    facts.that(" ".join(arguments), done.code == 0 and re.search(pattern, done.out), done)
  facts.eventually("killed", lambda: world.names("-a", "--filter", "status=exited") == ["ck_op"], 10)
  facts.equal("memory", world.api.get("/containers/ck_op/json")["HostConfig"]["Memory"], 64 << 20)


@check(31, "a name that another node holds: 409, and nothing is made")
def name_taken(world, facts):
  world.made("ck_name", 1)
  before = len(world.containers_on_engines())
  for node in (1, 2, 3):
    facts.status("on node %d" % node, world.create("ck_name", node), 409, 'name \\\\"/ck_name\\\\" is already in use')
  facts.equal("on the engines", len(world.containers_on_engines()), before)


@check(32, "20 concurrent creates of one name: one 201, nineteen 409")
def name_race(world, facts):
  answers = in_parallel([lambda: world.create("ck_race")] * RACERS)
  statuses = sorted(answer.status for answer in answers)
  facts.equal("statuses", statuses, [201] + [409] * (RACERS - 1))
  facts.equal("on the engines", len(world.containers_on_engines()), 1)


@check(33, "10 concurrent creates of one port: one a node, the others a clear refusal, nothing half-made")
def port_race(world, facts):
  answers = in_parallel([lambda: world.create("", **published("8080"))] * 10)
  made = [answer.json()["Id"] for answer in answers if answer.status == 201]
  refused = [answer for answer in answers if answer.status != 201]
  facts.equal("made", len(made), world.hosts.count)
  facts.that("refusals", all(answer.status == 409 and "Unable to find a node" in answer.text and "8080" in answer.text
                             for answer in refused), refused[:1])
  facts.equal("on the engines", sorted(world.containers_on_engines()), sorted(made))
  facts.equal("each starts", {world.post("/containers/%s/start" % identity).status for identity in made}, {204})


@check(34, "names and ports are free right after rm -f")
def freed(world, facts):
  for turn in range(5):
    identity = world.up("ck_freed", 1 + turn % 2, **published("8081"))
    facts.status("rm, turn %d" % turn, world.remove(identity), 204)


@check(35, "one port at two addresses, or of udp and tcp, is no conflict; at 0.0.0.0 it is")
def addresses(world, facts):
  own = world.hosts.address(1)
  for what, config, status in (("127.0.0.1", published("8082", "127.0.0.1"), 201), ("own", published("8082", own), 201),
                               ("0.0.0.0", published("8082", "0.0.0.0"), 409), ("any", published("8082"), 409),
                               ("udp", published("8082", protocol="udp"), 201), ("own again", published("8082", own), 409)):
    answer = world.create("", 1, **config)
    facts.status(what, answer, status)
    if answer.status == 201:
      facts.status(what + ": start", world.post("/containers/%s/start" % answer.json()["Id"]), 204)


@check(36, "-p 80 is always placed; ps shows the node's address")
def ephemeral(world, facts):
  for turn in range(4):
    world.up("ck_port%d" % turn, 2, **published(""))
  done = world.docker.run("ps", "--format", "{{.Ports}}")
  lines = done.out.splitlines()
  facts.that("addresses", len(lines) == 4 and all(re.match(re.escape(world.hosts.address(2)) + r":\d+->80/tcp", line)
                                                  for line in lines), done)


def labels_of(world, container):
  return world.api.get("/containers/%s/json" % container)["Config"]["Labels"]


@check(37, "-e constraint: places, is taken out of Env and written to a label")
def constraint(world, facts):
  done = world.docker.run("create", "--name", "ck_c", "-e", "constraint:zone==internal", "-e", "KEPT=1", "busybox")
  facts.equal("create", done.code, 0)
  facts.equal("node", world.node_of("ck_c"), world.hosts.name(1))
  environment = world.api.get("/containers/ck_c/json")["Config"]["Env"]
  facts.that("Env", "KEPT=1" in environment and "constraint" not in str(environment), environment)
  facts.equal("label", json.loads(labels_of(world, "ck_c")["com.docker.swarm.constraints"]), ["zone==internal"])


@check(38, "every form of a constraint; what is none is 400")
def constraint_forms(world, facts):
  for what, expressions, wanted in CONSTRAINTS:
    answer = world.create("", Env=expressions)
    if isinstance(wanted, set):
      node = world.node_of(answer.json()["Id"]) if answer.status == 201 else answer
      facts.that(what, node in {world.hosts.name(number) for number in wanted}, node)
    else:
      facts.status(what, answer, 400 if "bad" in what else 409, wanted)


@check(39, "a constraint in a label is as good as in Env")
def constraint_label(world, facts):
  for label in ('["zone==internal"]', '["zone==external", "status==master"]'):
    identity = world.made("", Labels={"com.docker.swarm.constraints": label})
    facts.equal(label, world.node_of(identity), world.hosts.name(1 if "internal" in label else 3))
  facts.status("junk", world.create("", Labels={"com.docker.swarm.constraints": "zone==x"}), 400)


@check(40, "--link, --volumes-from, --network and --ipc container:X land on X's node; X unknown is no missing image")
def dependencies(world, facts):
  forms = (("Links", lambda name: [name + ":alias"]), ("VolumesFrom", lambda name: [name + ":ro"]),
           ("NetworkMode", lambda name: "container:" + name), ("IpcMode", lambda name: "container:" + name),
           ("PidMode", lambda name: "container:" + name))
  for node in world.hosts.numbers():
    world.up("ck_anchor", node, Volumes={"/data": {}}, HostConfig={"IpcMode": "shareable"})
    world.made("ck_weight", node)  # the anchor's node is the fullest, so that chance does not choose it
    for field, value in forms:
      identity = world.made("", HostConfig={field: value("ck_anchor")})
      facts.equal("%s on %d" % (field, node), world.node_of(identity), world.hosts.name(node))
    facts.status("it starts", world.post("/containers/%s/start" % identity), 204)
    world.clear()
  for field, value in forms:
    answer = world.create("", HostConfig={field: value("ck_nobody")})
    facts.that("%s of nothing" % field, answer.status not in (201, 404) and "ck_nobody" in answer.text, answer)


@check(41, "affinity: to a container, an image, a label")
def affinities(world, facts):
  for node in world.hosts.numbers():
    anchor = world.made("ck_anchor", node, Labels={"role": "anchor"})
    world.made("", node)
    for expression in ("container==ck_anchor", "container==" + anchor[:12], "role==anchor", "container==~ck_anchor"):
      identity = world.made("", Env=["affinity:" + expression])
      facts.equal("%s on %d" % (expression, node), world.node_of(identity), world.hosts.name(node))
    facts.that("!= on %d" % node, world.node_of(world.made("", Env=["affinity:container!=ck_anchor"])) !=
               world.hosts.name(node))
    world.clear()
  world.hosts.engine(2).call("POST", "/images/busybox/tag?repo=ck_here&tag=v1")
  harness.wait_for(lambda: "ck_here:v1" in str(world.api.get("/images/json")), 15, "swarmd knows the new tag")
  facts.equal("image", world.node_of(world.made("", Image="ck_here:v1", Env=["affinity:image==ck_here:v1"])),
              world.hosts.name(2))
  facts.status("of nothing", world.create("", Env=["affinity:container==ck_nobody"]), 409, "ck_nobody")


@check(42, "--gpus, --cpus, -m and --platform reach the engine; a node that has not enough is left out")
def resources(world, facts):
  machine = world.api.get("/version")["Arch"]
  for node in world.hosts.numbers():
    done = world.docker.run("create", "--gpus", "all", "--cpus", "1.5", "-m", "64m", "--platform", "linux/" + machine,
                            "--label", "com.docker.swarm.constraints=[\"node==%s\"]" % world.hosts.name(node), "busybox")
    facts.equal("create on %d" % node, done.code, 0)
    if done.code != 0:
      facts.that("why", False, done)
      continue
    config = world.hosts.engine(node).get("/containers/%s/json" % done.out.strip())["HostConfig"]
    facts.equal("cpus, memory on %d" % node, (config["NanoCpus"], config["Memory"]), (1500000000, 64 << 20))
    gpus = config["DeviceRequests"][0]
    facts.equal("gpus on %d" % node, (gpus["Count"], gpus["Capabilities"]), (-1, [["gpu"]]))
  facts.status("memory that no node has", world.create("", HostConfig={"Memory": 1 << 50}), 409, "memory")
  facts.status("processors that no node has", world.create("", HostConfig={"NanoCpus": 10 ** 15}), 409)
  done = world.docker.run("create", "--platform", "linux/s390x", "busybox")
  facts.that("a platform that no node has", done.code != 0 and "s390x" in done.err, done)


@check(43, "unknown fields of a create arrive at the engine")
def unknown_fields(world, facts):
  api, recorder = world.spied()
  body = {"Image": "busybox", "Cmd": ["true"], "Foo": {"Bar": [1, 2.5, None, "ü"]},
          "HostConfig": {"Foo": 12345678901234567890, "Memory": 64 << 20, "Baz": {"a": []}}}
  answer = api.call("POST", "/containers/create?name=ck_foo", body)
  facts.status("create", answer, 201)
  _, sent = recorder.request("/containers/create")
  seen = json.loads(sent)
  facts.equal("Foo", seen.get("Foo"), body["Foo"])
  facts.equal("HostConfig", seen.get("HostConfig"), body["HostConfig"])
