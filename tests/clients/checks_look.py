"""Checks 52 to 62: ps filters, names, events, networks, volumes, df and prune over all nodes."""

import json
import re
import time
import urllib.parse

import harness
from check import LAST, LATE, check


@check(52, "ps: every filter over all nodes; -n and -l give the newest of the cluster")
def filters(world, facts):
  world.post("/networks/create", {"Name": "ck_net"})
  world.up("ck_web", 1, Labels={"tier": "a"}, HostConfig={"NetworkMode": "ck_net"})
  world.up("ck_web2", 2, Labels={"tier": "b"})
  world.made("ck_made", 3, Image="ubuntu", Labels={"tier": "a"}, HostConfig={"Binds": ["ck_vol:/d"]})
  for filter_, wanted in (("name=^/ck_web$", ["ck_web"]), ("name=ck_web", ["ck_web2", "ck_web"]),
                          ("label=tier=a", ["ck_made", "ck_web"]), ("label=tier", ["ck_made", "ck_web2", "ck_web"]),
                          ("status=created", ["ck_made"]), ("status=running", ["ck_web2", "ck_web"]),
                          ("ancestor=ubuntu", ["ck_made"]), ("network=ck_net", ["ck_web"]), ("volume=ck_vol", ["ck_made"]),
                          ("node=dockerhost02", ["ck_web2"]), ("node=dockerhost0[13]", []), ("name=nosuch", [])):
    facts.equal(filter_, world.names("-a", "--filter", filter_), wanted)
  facts.equal("two filters", world.names("-a", "--filter", "label=tier=a", "--filter", "status=running"), ["ck_web"])
  world.made("ck_last", 1)
  facts.equal("-n 3", world.names("-n", "3"), ["ck_last", "ck_made", "ck_web2"])
  facts.equal("-l", world.names("-l"), ["ck_last"])
  facts.equal("docker-py's limit=-1", len(world.rows(query="all=True&limit=-1&size=False")), 4)


@check(53, "before= and since= with a container of another node")
def before_since(world, facts):
  ids = [world.made("ck_%d" % number, number) for number in (1, 2, 3)]
  facts.equal("since", world.names("-a", "--filter", "since=ck_1"), ["ck_3", "ck_2"])
  facts.equal("before", world.names("-a", "--filter", "before=" + ids[2][:12]), ["ck_2", "ck_1"])
  facts.equal("both", world.names("-a", "--filter", "since=ck_1", "--filter", "before=ck_3"), ["ck_2"])


@check(54, "names: the plain one first, as clients from 29.4 on need it; node/name too")
def names(world, facts):
  world.made("ck_named", 1)
  facts.equal("Names", world.rows()[0]["Names"], ["/ck_named", "/dockerhost01/ck_named"])
  done = world.docker.run("ps", "-a", "--no-trunc", "--format", "{{.Names}}")
  facts.equal("--no-trunc", done.out, "ck_named,dockerhost01/ck_named\n")
  for reference in ("dockerhost01/ck_named", "ck_named"):
    facts.equal(reference, world.docker.run("inspect", "--format", "{{.Name}}", reference).out, "/ck_named\n")
  facts.status("of another node", world.api.call("GET", "/containers/dockerhost02/ck_named/json"), 404)


@check(55, "an id prefix that fits on two nodes: 400 with both; a full id works")
def ambiguous(world, facts):
  seen = {}
  for turn in range(40):
    node = 1 + turn % 2
    identity = world.made("", node)
    for other, other_node in seen.items():
      if other[0] == identity[0] and other_node != node:
        answer = world.api.call("GET", "/containers/%s/json" % identity[0])
        facts.status("prefix " + identity[0], answer, 400, identity[:12])
        facts.that("both are named", other[:12] in answer.text and "dockerhost01" in answer.text and
                   "dockerhost02" in answer.text, answer)
        facts.status("full id", world.api.call("GET", "/containers/%s/json" % identity), 200)
        return
    seen[identity] = node
  facts.that("two ids with the same first digit", False)


@check(56, "inspect of nothing")
def inspect_nothing(world, facts):
  for docker in (world.docker, world.old):
    done = docker.run("inspect", "ck_nosuch")
    facts.that("inspect", done.code == 1 and "No such object: ck_nosuch" in done.err, done)
  for kind in ("containers", "images", "networks", "volumes", "plugins"):
    path = "/%s/ck_nosuch%s" % (kind, "" if kind in ("networks", "volumes") else "/json")
    facts.status(kind, world.api.call("GET", path), 404)


def events(world, since, until, **filters):
  """Objects of the past."""
  query = "/events?since=%.9f&until=%.9f&filters=%s" % (since, until, urllib.parse.quote(json.dumps(filters)))
  return [json.loads(line) for line in world.api.call("GET", query).text.splitlines()]


@check(57, "events: live of all nodes with node.name; since and until in the order of time; filter container")
def all_events(world, facts):
  client = world.docker.start("events", "--format", "{{.Action}} {{.Actor.Attributes.name}} "
                              "{{index .Actor.Attributes \"node.name\"}} end", "--filter", "type=container")
  facts.eventually("the client is connected", lambda: world.made("ck_probe") and world.docker.run("rm", "ck_probe") and
                   "destroy ck_probe" in client.out, 20)
  begin = time.time()
  ids = {number: world.made("ck_e%d" % number, number) for number in world.hosts.numbers()}
  for identity in ids.values():
    world.remove(identity)
  for number in ids:
    for action in ("create", "destroy"):
      line = "%s ck_e%d %s end" % (action, number, world.hosts.name(number))
      facts.eventually(line, lambda line=line: line in client.out, 5, lambda: client.out)
  client.process.terminate()
  client.finish(10)
  found = events(world, begin, time.time(), type=["container"])
  times = [event["timeNano"] for event in found]
  facts.that("in the order of time", times == sorted(times) and len(found) == 6, found)
  facts.equal("each once", len({(event["Actor"]["ID"], event["Action"]) for event in found}), 6)
  for reference in ("ck_e2", "dockerhost02/ck_e2", ids[2]):
    found = events(world, begin, time.time(), container=[reference])
    facts.equal("container=" + reference, [event["Action"] for event in found], ["create", "destroy"])
  facts.equal("node=", {event["Actor"]["Attributes"]["name"] for event in
                        events(world, begin, time.time(), type=["container"], node=["dockerhost03"])}, {"ck_e3"})


@check(58, "a node is lost and comes back: no event is missing or twice", stage=LAST)
def regained(world, facts):
  node, begin = world.hosts.name(2), time.time()
  client = world.docker.start("events", "--filter", "type=container", "--format",
                              "{{.Action}} {{.Actor.Attributes.name}} end")
  facts.eventually("the client is connected", lambda: world.made("ck_probe") and world.docker.run("rm", "ck_probe") and
                   "destroy ck_probe" in client.out, 20)
  with world.with_node("cut", "heal", 2):
    harness.wait_for(lambda: world.swarmd.statuses().get(node) != "Healthy", 20, "the loss is noticed")
    for turn in range(3):
      world.hosts.command("run", "02", "docker", "create", "--name", "ck_lost%d" % turn, "busybox")
    world.made("ck_other", 1)
  names_ = ["create ck_%s end" % name for name in ("lost0", "lost1", "lost2", "other")]
  for line in names_:
    facts.eventually(line, lambda line=line: line in client.out, 15, lambda: client.out)
  client.process.terminate()
  client.finish(10)
  facts.equal("live: each once", [client.out.count(line) for line in names_], [1] * 4)
  past = [event["Actor"]["Attributes"]["name"] for event in events(world, begin, time.time(), event=["create"])]
  facts.equal("past: each once", [past.count(name.split()[1]) for name in names_], [1] * 4)


@check(None, "events of the time before a restart of swarmd are still told, each once", stage=LATE)
def events_after_restart(world, facts):
  begin = time.time()
  ids = [world.made("ck_old%d" % number, number) for number in world.hosts.numbers()]
  world.swarmd.kill()
  world.swarmd.start()
  world.swarmd.wait_healthy()
  ids.append(world.made("ck_new"))
  found = events(world, begin, time.time(), event=["create"])
  facts.equal("creates, in the order of time", [event["Actor"]["ID"] for event in found if event["Type"] == "container"], ids)


@check(59, "a network: one object for containers of all nodes, listed once, removed everywhere; node/name")
def networks(world, facts):
  docker = world.docker
  facts.equal("create", docker.run("network", "create", "ck_foo").code, 0)
  for number in (1, 2):
    world.up("ck_in%d" % number, number, HostConfig={"NetworkMode": "ck_foo"})
  facts.equal("ls", docker.run("network", "ls", "--filter", "name=ck_foo", "--format", "{{.Name}}").out, "ck_foo\n")
  found = world.api.get("/networks/ck_foo")["Containers"].values()
  facts.equal("who is in it", sorted(row["Name"].split("/")[-1] for row in found), ["ck_in1", "ck_in2"])
  docker.run("rm", "-f", "ck_in1", "ck_in2")
  facts.equal("rm", docker.run("network", "rm", "ck_foo").code, 0)
  left = [row["Name"] for answer in world.on_engines("/networks") for row in answer.json() if "ck_" in row["Name"]]
  facts.equal("on the engines", left, [])
  done = docker.run("network", "inspect", "--format", "{{.Driver}}", "dockerhost01/bridge")
  facts.equal("node/name", (done.code, done.out), (0, "bridge\n"))


@check(60, "network connect and disconnect of a container on any node")
def connect(world, facts):
  world.docker.run("network", "create", "ck_foo")
  for number in world.hosts.numbers():
    name = "ck_in%d" % number
    world.up(name, number)
    for word, wanted in (("connect", {"bridge", "ck_foo"}), ("disconnect", {"bridge"})):
      done = world.docker.run("network", word, "ck_foo", name)
      found = set(world.api.get("/containers/%s/json" % name)["NetworkSettings"]["Networks"])
      facts.that("%s on %d" % (word, number), done.code == 0 and found == wanted, (done, found))


@check(61, "a volume: its containers come to its data; listed once; in use: 409")
def volumes(world, facts):
  docker = world.docker
  facts.equal("create", docker.run("volume", "create", "ck_v").out, "ck_v\n")
  docker.run("run", "--rm", "-v", "ck_v:/d", "busybox", "sh", "-c", "echo kept > /d/x")
  for turn in range(3):
    facts.equal("read, turn %d" % turn, docker.run("run", "--rm", "-v", "ck_v:/d", "busybox", "cat", "/d/x").out, "kept\n")
  facts.equal("ls", docker.run("volume", "ls", "-q", "--filter", "name=ck_v").out, "ck_v\n")
  world.made("ck_user", HostConfig={"Binds": ["ck_v:/d"]})
  facts.status("in use", world.api.call("DELETE", "/volumes/ck_v"), 409, "volume is in use")
  docker.run("rm", "ck_user")
  facts.status("then", world.api.call("DELETE", "/volumes/ck_v"), 204)
  facts.status("again", world.api.call("DELETE", "/volumes/ck_v"), 404)


@check(62, "system df and every prune: sums and lists over all nodes")
def prunes(world, facts):
  for number in world.hosts.numbers():
    world.made("ck_p%d" % number, number)
    world.made("ck_v%d" % number, number, HostConfig={"Binds": ["ck_anon%d:/d" % number]})
  done = world.docker.run("system", "df", "--format", "{{.Type}} {{.TotalCount}}")
  facts.matches("df", done.out, r"Containers 6\nLocal Volumes 3\n")
  ids = {row["Id"] for row in world.rows({"name": ["ck_p"]})}
  world.docker.run("network", "create", "ck_unused")
  done = world.docker.run("system", "prune", "-f")
  facts.that("system prune", done.code == 0 and all(identity in done.out for identity in ids) and
             "ck_unused" in done.out and re.search("Total reclaimed space: ", done.out), done)
  facts.equal("containers are gone", world.containers_on_engines(), [])
  done = world.docker.run("volume", "prune", "-f")  # with an engine 20.10 there is no -a: all unused ones go
  facts.that("volume prune", done.code == 0, done)
  for what in ("container", "network", "image", "builder"):
    done = world.docker.run(what, "prune", "-f")
    facts.that(what + " prune", done.code == 0, done)
  left = [row["Name"] for answer in world.on_engines("/volumes") for row in answer.json()["Volumes"] or ()]
  facts.equal("volumes are gone", left, [])
