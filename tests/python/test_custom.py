"""Filters, strategies and discovery written in Python, those that fail among them."""

import gc
import threading
import weakref

import pyswarm
import pytest
from conftest import SLEEPER, eventually


class EvenName:
  """As in the scenario: tier=even wants a node whose name ends in an even digit."""

  def rules_for(self, spec):
    if spec["labels"].get("tier") != "even":
      return []
    return [pyswarm.Rule("tier==even", predicate=lambda node: node.name[-1] in "02468")]


def even(**more):
  return {"Image": "busybox", "Labels": {"tier": "even"}, **more}


def test_a_filter_with_a_predicate(swarm_factory):
  manager = swarm_factory(4, custom_filters={"evenname": EvenName()})
  plan = manager.plan(even())
  assert [one.node for one in plan.candidates] == ["sim-0002", "sim-0004"]
  assert plan.reasons == {"sim-0001": "tier==even", "sim-0003": "tier==even"}
  assert len(manager.plan({"Image": "busybox"}).candidates) == 4
  manager.create_container(even(), name="web")
  assert manager.inspect("web")["Node"]["Name"] == "sim-0002"


@pytest.mark.parametrize("rule, nodes", [
  (pyswarm.Rule("r", label="zone==external"), [1, 3]),
  (pyswarm.Rule("r", label="zone!=external"), [2, 4]),
  (pyswarm.Rule("r", label="zone==/^ex/"), [1, 3]),
  (pyswarm.Rule("r", label="zone==in*"), [2, 4]),
  (pyswarm.Rule("r", label="zone=EXTERNAL"), [1, 3]),
  (pyswarm.Rule("r", label="zone=!EXTERNAL"), [2, 4]),
  (pyswarm.Rule("r", label="node==sim-0004"), [4]),
  (pyswarm.Rule("r", node="sim-0003"), [3]),
  (pyswarm.Rule("r", node=("sim-0001", "sim-0004")), [1, 4]),
  (pyswarm.Rule("r", node="nowhere", soft=True), [1, 2, 3, 4]),
  (pyswarm.Rule("r", node="nowhere"), []),
  (pyswarm.Rule("r", label="zone==~nowhere"), [1, 2, 3, 4]),
])
def test_rules(swarm_factory, rule, nodes):
  manager = swarm_factory(4, custom_filters={"own": lambda spec: [rule]})
  plan = manager.plan({"Image": "busybox"})
  assert [one.node for one in plan.candidates] == ["sim-%04d" % number for number in nodes]


@pytest.mark.parametrize("arguments, text", [
  ({}, "exactly one"), ({"label": "a==b", "node": "c"}, "exactly one"),
  ({"label": "zone"}, "One of operator"), ({"label": "9==b"}, "Key"), ({"label": "zone=="}, "Value"),
  ({"label": "zone==/(/"}, "regular expression"),
  ({"label": "zone==" + "x" * 5000}, "longer"),
])
def test_a_rule_that_cannot_be_read_is_refused(arguments, text):
  with pytest.raises(pyswarm.InvalidArgument, match=text):
    pyswarm.Rule("r", **arguments)


def test_what_a_filter_and_a_predicate_see(swarm_factory):
  seen = []

  def look(node):
    seen.append((node.name, node.address, node.labels["zone"], node.total.memory > 0, node.reserved.memory,
                 [one["names"] for one in node.containers], [one["tags"] for one in node.images], node.facts["state"]))
    seen.append(node)
    return True

  def rules_for(spec):
    seen.append(spec)
    return [pyswarm.Rule("r", predicate=look)]

  manager = swarm_factory(1, custom_filters={"own": rules_for})
  manager.create_container(dict(SLEEPER, HostConfig={"Memory": 4096}), name="web")
  del seen[:]
  manager.plan({"Image": "busybox", "Labels": {"a": "b"}, "Env": ["constraint:zone==external", "affinity:container==web"],
                "HostConfig": {"Memory": 1 << 20, "PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}}, name="next",
               platform="linux/amd64")
  spec, facts, node = seen
  assert (spec["name"], spec["image"], spec["labels"]["a"], spec["memory"]) == ("next", "busybox", "b", 1 << 20)
  assert (spec["constraints"], spec["affinities"]) == (["zone==external"], ["container==web"])
  assert (spec["ports"][0]["host_first"], spec["ports"][0]["container_port"]) == (8080, 80)
  assert (spec["platform"], spec["host_network"], spec["links"]) == ("linux/amd64", False, [])
  assert facts[:6] == ("sim-0001", "sim-0001:2375", "external", True, 4096, [["web"]])
  assert ["busybox:latest"] in facts[6] and facts[7] == "Healthy"
  with pytest.raises(pyswarm.FailedPrecondition, match="only while the predicate"):
    node.containers  # noqa: B018 the look is what raises


def boom(*_):
  raise RuntimeError("it is broken")


def refuse(*_):
  raise pyswarm.InvalidArgument(400, "INVALID_ARGUMENT", "tier must be even or odd")


@pytest.mark.parametrize("given, kind, status, text", [
  (boom, pyswarm.Internal, 500, 'filter "own": test_custom.boom raised RuntimeError: it is broken'),
  (refuse, pyswarm.InvalidArgument, 400, "tier must be even or odd"),
  (lambda spec: [7], pyswarm.Internal, 500, "TypeError: a list of pyswarm.Rule is wanted, not 7"),
  (lambda spec: 7, pyswarm.Internal, 500, "TypeError"),
  (lambda spec: [pyswarm.Rule(None, node="x")], pyswarm.Internal, 500, 'filter "own"'),
])
def test_a_filter_that_fails_is_named(swarm_factory, given, kind, status, text):
  manager = swarm_factory(2, custom_filters={"own": given})
  for ask in (manager.plan, manager.create_container):
    with pytest.raises(kind) as caught:
      ask({"Image": "busybox"})
    assert text in str(caught.value) and caught.value.status == status
  assert manager.containers() == [] and len(manager.nodes()) == 2


def test_a_callable_that_asks_the_manager_is_refused(swarm_factory):
  held = []
  ask = [lambda: held[0].nodes(), lambda: held[0].close(), lambda: held[0].request("GET", "/_ping")]
  told = []

  def look(node):
    for one in ask:
      try:
        one()
      except pyswarm.FailedPrecondition as error:
        told.append("inside of a callable" in str(error))
    # Its end waits for threads, of which this may be one.
    dropped = pyswarm.Manager("sim://1")
    del dropped
    return True

  manager = swarm_factory(1, custom_filters={"own": lambda spec: [pyswarm.Rule("r", predicate=look)]})
  held.append(manager)
  assert manager.plan({"Image": "busybox"}).fits
  manager.create_container({"Image": "busybox"})
  assert told == [True] * len(told) and len(told) >= 6
  held.clear()


def test_a_predicate_that_raises(swarm_factory):
  lines = []
  manager = swarm_factory(2, custom_filters={"own": lambda spec: [pyswarm.Rule("mine", predicate=boom)]},
                          log=lambda level, message, fields: lines.append((level, message)))
  with pytest.raises(pyswarm.Internal, match='rule "mine": test_custom.boom raised RuntimeError: it is broken'):
    manager.plan({"Image": "busybox"})
  with pytest.raises(pyswarm.FailedPrecondition, match="mine"):
    manager.create_container({"Image": "busybox"})
  assert ("error", 'filter "own", rule "mine": test_custom.boom raised RuntimeError: it is broken') in lines


class Fewest:
  def rank(self, usage, request):
    assert isinstance(usage, pyswarm.NodeUsage) and isinstance(request, pyswarm.Resources)
    return None if usage.reserved.memory + request.memory > usage.total.memory else -usage.containers


def test_a_strategy(swarm_factory):
  manager = swarm_factory(3, strategy="fullest", custom_strategies={"fullest": Fewest()})
  for name in ("one", "two"):
    manager.create_container(SLEEPER, name=name)
  assert [manager.inspect(name)["Node"]["Name"] for name in ("one", "two")] == ["sim-0001"] * 2
  assert manager.plan(SLEEPER).chosen.weight == -2
  assert not manager.plan(dict(SLEEPER, HostConfig={"Memory": 1 << 40})).fits


@pytest.mark.parametrize("rank, text", [(boom, "test_custom.boom raised RuntimeError: it is broken"),
                                        (lambda usage, request: "first", "TypeError: an int or None is wanted"),
                                        (lambda usage, request: 1 << 80, 'strategy "own"')])
def test_a_strategy_that_fails_is_named(swarm_factory, capfd, rank, text):
  manager = swarm_factory(2, strategy="own", custom_strategies={"own": rank})
  with pytest.raises(pyswarm.Internal) as caught:
    manager.plan({"Image": "busybox"})
  assert text in str(caught.value)
  with pytest.raises(pyswarm.FailedPrecondition):
    manager.create_container({"Image": "busybox"})


def names_of(manager):
  return [node.name for node in manager.nodes() if node.healthy]


ADDRESSES = ["sim-0003:2375", "sim-0001:2375"]


class Watched:
  """A source that tells changes."""

  def __init__(self):
    self.changed = None
    self.ended = threading.Event()

  def watch(self, changed):
    self.changed = changed
    changed(ADDRESSES[:1])
    return self.ended.set


def forever():
  yield ADDRESSES
  threading.Event().wait(0.01)
  yield ADDRESSES[:1]


@pytest.mark.parametrize("given, names", [
  (ADDRESSES, ["sim-0001", "sim-0003"]), (tuple(ADDRESSES), ["sim-0001", "sim-0003"]),
  (lambda rest: [rest], ["sim-0002"]), (lambda rest: iter(ADDRESSES), ["sim-0001", "sim-0003"]),
  (lambda rest: Watched(), ["sim-0003"]), (Watched(), ["sim-0003"]), (lambda rest: forever(), ["sim-0003"]),
], ids=["list", "tuple", "callable", "iterator", "factory", "object", "generator of lists"])
def test_discovery(swarm_factory, given, names):
  manager = swarm_factory(3, discovery="own://sim-0002:2375", custom_discovery={"own": given})
  eventually(lambda: names_of(manager) == names)


def test_discovery_that_changes_and_ends(swarm_factory):
  source = Watched()
  lines = []
  manager = swarm_factory(3, discovery="own://", custom_discovery={"own": source},
                          log=lambda level, message, fields: lines.append(fields.get("reason", "")))
  assert names_of(manager) == ["sim-0003"]
  source.changed(ADDRESSES)
  eventually(lambda: names_of(manager) == ["sim-0001", "sim-0003"])
  source.changed(RuntimeError("the source is away"))
  eventually(lambda: any('discovery "own": RuntimeError: the source is away' in line for line in lines))
  source.changed("sim-0001:2375")
  eventually(lambda: any("a list of addresses is wanted" in line for line in lines))
  assert names_of(manager) == ["sim-0001", "sim-0003"]
  manager.close(0)
  assert source.ended.wait(10)
  source.changed(ADDRESSES)


def test_discovery_that_raises_is_asked_again(swarm_factory):
  calls = []

  def addresses(rest):
    calls.append(rest)
    if len(calls) == 1:
      raise RuntimeError("not yet")
    return ADDRESSES

  lines = []
  manager = pyswarm.Manager("own://x", simulation="sim://3", heartbeat=1, custom_discovery={"own": addresses},
                            log=lambda level, message, fields: lines.append(fields.get("reason", "")))
  with manager:
    with pytest.raises(pyswarm.DeadlineExceeded, match="test_custom|not yet"):
      manager.wait_ready(0.2)
    eventually(lambda: names_of(manager) == ["sim-0001", "sim-0003"])
  assert calls[:2] == ["x", "x"] and any("RuntimeError: not yet" in line for line in lines)


def test_what_a_closed_manager_was_given_is_let_go():
  class Filter:
    def __init__(self):
      self.manager = None

    def rules_for(self, spec):
      return []

  one = Filter()
  manager = pyswarm.Manager("sim://1", custom_filters={"own": one}, log=lambda *line: one)
  one.manager = manager  # a ring through C++, which Python's collector cannot see
  gone = weakref.ref(one)
  manager.close(0)
  del manager, one
  gc.collect()
  assert gone() is None
