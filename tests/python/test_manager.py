"""The blocking manager: placing, asking, errors."""

import inspect
import io
import json
import pickle
import pydoc

import pyswarm
import pyswarm.aio
import pytest
from conftest import SLEEPER, run_python

CODES = [
  (pyswarm.InvalidArgument, ValueError, 400), (pyswarm.NotFound, KeyError, 404), (pyswarm.AlreadyExists, None, 409),
  (pyswarm.FailedPrecondition, None, 409), (pyswarm.ResourceExhausted, None, 429),
  (pyswarm.DeadlineExceeded, TimeoutError, 504), (pyswarm.Unavailable, ConnectionError, 503),
  (pyswarm.Unimplemented, NotImplementedError, 501), (pyswarm.Internal, None, 500), (pyswarm.Cancelled, None, 499),
]


@pytest.mark.parametrize("kind, also, status", CODES)
def test_each_exception_is_a_swarm_error_and_what_python_calls_it(kind, also, status):
  error = kind(status, "A_CODE", "what is wrong")
  assert isinstance(error, pyswarm.SwarmError)
  assert also is None or isinstance(error, also)
  assert (str(error), error.status, error.code, error.message) == ("what is wrong", status, "A_CODE", "what is wrong")
  again = pickle.loads(pickle.dumps(error))
  assert (type(again), str(again), again.status, again.code) == (kind, "what is wrong", status, "A_CODE")


def test_a_container_from_plan_to_remove(swarm_manager):
  plan = swarm_manager.plan(SLEEPER)
  assert (plan.fits, plan.node, plan.first_line) == (True, "sim-0001", "goes to sim-0001")
  assert [one.node for one in plan.candidates] == ["sim-0001", "sim-0002", "sim-0003"]
  made = swarm_manager.create_container(SLEEPER, name="web", start=True)
  assert len(made) == 64
  seen = swarm_manager.inspect("web")
  assert (seen["Id"], seen["Node"]["Name"], seen["State"]["Running"]) == (made, "sim-0001", True)
  assert [one["Id"] for one in swarm_manager.containers()] == [made]
  assert swarm_manager.containers(filters={"name": "other"}) == []
  swarm_manager.stop(made, seconds=1)
  assert swarm_manager.containers(all=False) == []
  swarm_manager.start(made)
  with pytest.raises(pyswarm.SwarmError):
    swarm_manager.remove("web")
  swarm_manager.remove("web", force=True, volumes=True)
  with pytest.raises(KeyError) as caught:
    swarm_manager.inspect("web")
  assert type(caught.value) is pyswarm.NotFound and caught.value.status == 404 and "web" in str(caught.value)


def test_a_plan_that_fits_nowhere_says_why(swarm_manager):
  body = {"Image": "busybox", "Env": ["constraint:zone==nowhere"]}
  plan = swarm_manager.plan(body)
  assert not plan.fits and plan.node is None and plan.chosen is None
  assert plan.reasons == {"sim-0001": "zone==nowhere: label zone is external",
                          "sim-0002": "zone==nowhere: label zone is internal",
                          "sim-0003": "zone==nowhere: label zone is external"}
  assert plan.text.startswith("Unable to find a node") and plan.text.endswith("\nsim-0003: " + plan.reasons["sim-0003"])
  with pytest.raises(pyswarm.FailedPrecondition, match="zone==nowhere"):
    swarm_manager.create_container(body, name="web")
  with pytest.raises(pyswarm.InvalidArgument):
    swarm_manager.plan({"Image": "busybox", "Env": ["constraint:zone"]})


def test_a_taken_name_and_a_node_that_does_not_fit_are_told_apart(swarm_manager):
  swarm_manager.create_container(SLEEPER, name="web")
  with pytest.raises(pyswarm.AlreadyExists, match="web") as caught:
    swarm_manager.create_container(SLEEPER, name="web")
  assert caught.value.status == 409
  # A name that nobody has but that an id begins with.
  made = swarm_manager.inspect("web")["Id"]
  with pytest.raises(pyswarm.FailedPrecondition):
    swarm_manager.create_container(dict(SLEEPER, Env=["constraint:node==moon"]), name=made[:12])


@pytest.mark.parametrize("strategy", ["spread", "random"])
def test_a_plan_says_when_soft_expressions_are_dropped(swarm_factory, strategy):
  manager = swarm_factory(3, strategy=strategy)
  for value, dropped in (("external", False), ("moon", True)):
    plan = manager.plan(dict(SLEEPER, Env=["constraint:zone==~" + value]))
    assert plan.fits and plan.soft_dropped is dropped
    assert all(one.soft_dropped is dropped for one in plan.candidates)
  assert not manager.plan(dict(SLEEPER, Env=["constraint:zone==moon"])).soft_dropped


def test_a_manager_serves_once(swarm_manager, swarm_address):
  with pytest.raises(pyswarm.FailedPrecondition, match=swarm_address):
    swarm_manager.serve()
  assert swarm_manager.addresses == [swarm_address]


def test_a_plan_whose_node_is_drawn_at_the_create_fits(swarm_factory):
  manager = swarm_factory(3, strategy="random")
  plan = manager.plan(SLEEPER)
  assert plan.fits and plan.chosen is None and plan.node is None and not plan.reasons
  assert {one.node for one in plan.candidates} == {"sim-0001", "sim-0002", "sim-0003"}
  assert plan.first_line.startswith("goes to one of these") and "sim-0002" in plan.first_line
  assert plan.text == plan.first_line
  nowhere = manager.plan(dict(SLEEPER, Env=["constraint:node==moon"]))
  assert not nowhere.fits and nowhere.first_line.startswith("Unable to find a node")


def test_nodes(swarm_manager):
  swarm_manager.create_container(dict(SLEEPER, HostConfig={"Memory": 1 << 20}), name="web", start=True)
  one, two, _ = swarm_manager.nodes()
  assert (one.name, one.address, one.state, one.healthy) == ("sim-0001", "sim-0001:2375", "Healthy", True)
  assert (one.labels["zone"], two.labels["zone"]) == ("external", "internal")
  assert (one.containers, one.running, one.reserved.memory, two.containers) == (1, 1, 1 << 20, 0)
  assert one.usable.memory > one.total.memory > 0 and not one.cordoned and one.error == ""


@pytest.mark.parametrize("body", [
  b'{"Image":"busybox"}', bytearray(b'{"Image":"busybox"}'), '{"Image":"busybox"}', {"Image": "busybox"},
  [b'{"Image":', b"", b'"busybox"}'], io.BytesIO(b'{"Image":"busybox"}'), (piece for piece in [b'{"Image":"busybox"}']),
], ids=["bytes", "bytearray", "str", "dict", "list of bytes", "file", "generator"])
def test_every_kind_of_body(swarm_manager, body):
  if isinstance(body, list):  # a list is JSON; an iterable of bytes is not
    body = iter(body)
  answer = swarm_manager.request("post", "/v1.41/containers/create?name=web", body,
                                 {"Content-Type": "application/json"})
  assert answer.status == 201 and answer.raise_for_status() is answer
  assert swarm_manager.inspect("web")["Id"] == answer.json()["Id"]


def test_answers(swarm_manager):
  answer = swarm_manager.request("GET", "/_ping")
  assert (answer.status, answer.read(1), answer.read(), answer.read(), answer.tunnel) == (200, b"O", b"K", b"", False)
  headers = swarm_manager.request("HEAD", "/_ping").headers
  assert headers["api-version"] == headers["API-VERSION"] and "Api-Version" in headers
  assert headers.get_all("Nothing") == [] and headers.get("Nothing") is None and len(headers) == len(list(headers))
  version = swarm_manager.request("GET", "/version", stream=True)
  assert json.loads(b"".join(version))["Version"] == "swarm/" + pyswarm.__version__
  with pytest.raises(pyswarm.NotFound, match="No such container: nobody"):
    swarm_manager.request("GET", "/containers/nobody/json").raise_for_status()
  with swarm_manager.request("GET", "/containers/nobody/json", stream=True) as answer:
    with pytest.raises(pyswarm.NotFound, match="No such container: nobody"):
      answer.raise_for_status()
  with pytest.raises(pyswarm.ResourceExhausted, match="stream=True"):
    swarm_manager.request("GET", "/version", max_body=10)
  with swarm_manager.request("GET", "/version", stream=True) as answer:
    with pytest.raises(pyswarm.FailedPrecondition):
      answer.write(b"no tunnel")


def test_a_body_that_raises_gives_the_request_up(swarm_manager):
  def pieces():
    yield b'{"Image":'
    raise RuntimeError("the file is gone")

  with pytest.raises(RuntimeError, match="the file is gone"):
    swarm_manager.request("POST", "/containers/create?name=web", pieces(), {"Content-Type": "application/json"})
  assert swarm_manager.containers() == []


def test_serving(swarm_manager, swarm_address):
  import http.client

  host, port = swarm_address[len("tcp://"):].split(":")
  assert swarm_manager.addresses == [swarm_address] and host == "127.0.0.1" and int(port) > 0
  connection = http.client.HTTPConnection(host, int(port), timeout=10)
  connection.request("GET", "/_ping")
  assert connection.getresponse().read() == b"OK"
  connection.close()


@pytest.mark.parametrize("options, raised, text", [
  ({"discovery": ""}, pyswarm.InvalidArgument, "no discovery URL"),
  ({"discovery": "moon://1"}, pyswarm.InvalidArgument, "moon"),
  ({"strategy": "lucky"}, pyswarm.InvalidArgument, "strategy lucky is not supported"),
  ({"filters": ["lucky"]}, pyswarm.InvalidArgument, "filter lucky is not supported"),
  ({"names": "short"}, pyswarm.InvalidArgument, 'names "short" is not known; there are both, node, plain'),
  ({"relay_ports": "some"}, pyswarm.InvalidArgument, "relay_ports"),
  ({"overcommit": -2.0}, pyswarm.InvalidArgument, "overcommit"),
  ({"max_connections": -1}, pyswarm.InvalidArgument, "max_connections must not be negative"),
  ({"max_connections_per_client": -1}, pyswarm.InvalidArgument, "max_connections_per_client must not be negative"),
  ({"client_memory": (1 << 20) - 1}, pyswarm.InvalidArgument, "client_memory must be at least 1 MiB"),
  ({"event_memory": 0}, pyswarm.InvalidArgument, "event_memory must be at least 1 MiB"),
  ({"event_listeners": 0}, pyswarm.InvalidArgument, "event_listeners must be at least 1"),
  ({"client_memory": -1}, TypeError, "client_memory is of a wrong type: -1"),
  ({"event_listeners": 1 << 40}, TypeError, "event_listeners is of a wrong type"),
  ({"engine_timeout": 0.0}, pyswarm.InvalidArgument, "engine_timeout"),
  ({"simulation": "3"}, pyswarm.InvalidArgument, "simulation"),
  ({"listen": ["tcp://0.0.0.0:0"]}, pyswarm.InvalidArgument, "tlsverify"),
  ({"tls": True, "tls_cert": "/nowhere.pem", "tls_key": "/nowhere.pem"}, pyswarm.InvalidArgument, "nowhere.pem"),
  ({"listen": "tcp://127.0.0.1:0"}, TypeError, "listen must be a list of str"),
  ({"filters": [1]}, TypeError, "filters must be a list of str"),
  ({"threads": "two"}, TypeError, "threads is of a wrong type: 'two'"),
  ({"seed": -1}, TypeError, "seed"),
  ({"custom_filters": {"own": 7}}, TypeError, 'filter "own"'),
  ({"custom_filters": {"health": lambda spec: []}}, pyswarm.AlreadyExists, "health"),
  ({"custom_strategies": {"spread": lambda usage, request: 0}}, pyswarm.AlreadyExists, "spread"),
  ({"custom_discovery": {"own": 7}}, TypeError, 'discovery "own"'),
  ({"custom_discovery": {"sim": lambda rest: []}}, pyswarm.AlreadyExists, "sim"),
])
def test_a_wrong_option_is_named(options, raised, text):
  with pytest.raises(raised, match=text):
    pyswarm.Manager(**{"discovery": "sim://1", **options})


def test_every_option_is_taken():
  with pyswarm.Manager(
      "sim://2?latency=1ms", strategy="binpack", listen=("tcp://localhost:0",), filters=["health", "constraint"],
      names="plain", overcommit=0.5, create_retry=1, cpu_shares_as_cores=True, pull_on_create=True, relay_ports="off",
      cors=True, experimental=True, heartbeat=30, refresh_min=1, refresh_max=2.5, failure_retry=2, engine_timeout=5,
      threads=2, max_connections=20, max_connections_per_client=5, client_memory=1 << 20, event_memory=1 << 20,
      event_listeners=1, seed=(1 << 64) - 1, insecure=True) as manager:
    manager.wait_ready(10)
    info = manager.request("GET", "/info").json()
    assert ["Strategy", "binpack"] in [[key.strip(), value] for key, value in info["SystemStatus"]]
    assert ["Filters", "health, constraint"] in [[key.strip(), value] for key, value in info["SystemStatus"]]
    assert info["ExperimentalBuild"] is True
    metrics = manager.request("GET", "/swarmd/v1/metrics").read().decode()
    assert "\nswarmd_client_memory_limit_bytes 1048576\n" in metrics
    with manager.events():
      with pytest.raises(pyswarm.Unavailable):
        manager.events()


def test_waiting_for_engines_that_nobody_names_ends(swarm_factory):
  with pyswarm.Manager("file:///nowhere/at/all") as manager:
    with pytest.raises(pyswarm.DeadlineExceeded, match=r"file:///nowhere/at/all was tried within 0.3 s: .*nowhere"):
      manager.wait_ready(0.3)


def test_log():
  lines = []
  with pyswarm.Manager("sim://1", log=lambda *line: lines.append(line)) as manager:
    manager.wait_ready()
  assert ("info", "an engine is healthy", {"node": "sim-0001 (sim-0001:2375)"}) in lines


def test_a_log_that_raises_harms_nothing(capfd):
  def log(level, message, fields):
    raise RuntimeError("the disk is full")

  with pyswarm.Manager("sim://1", log=log) as manager:
    manager.wait_ready()
  assert "log: " in capfd.readouterr().err


def test_caller_threads():
  from conftest import in_thread

  manager = pyswarm.Manager("sim://2", threads=2, caller_threads=True)
  ends = [in_thread(manager.run) for _ in range(2)]
  manager.wait_ready()
  assert len(manager.nodes()) == 2
  manager.close(0)
  assert [end() for end in ends] == [(None, None)] * 2
  with pyswarm.Manager("sim://1") as other:
    with pytest.raises(pyswarm.FailedPrecondition):
      other.run()


def test_what_is_exported_is_documented():
  for name in pyswarm.__all__:
    assert name == "__version__" or getattr(pyswarm, name).__doc__, name


def test_the_example_of_the_module_runs():
  code = "\n".join(line[2:] for line in pyswarm.__doc__.splitlines() if line.startswith("  "))
  done = run_python(code)
  assert (done.returncode, done.stderr) == (0, "") and done.stdout.strip() in ("sim-0001", "sim-0003")


OPTIONS = dict(inspect.signature(pyswarm.Manager).parameters)


def test_both_managers_take_the_same_options():
  parameters = dict(inspect.signature(pyswarm.aio.Manager).parameters)
  del parameters["blocking"]
  assert parameters.keys() == OPTIONS.keys() - {"caller_threads"}
  for name, parameter in parameters.items():
    assert parameter.annotation == OPTIONS[name].annotation.replace("Log", "_manager.Log"), name
    assert parameter.default == OPTIONS[name].default or name == "discovery"


@pytest.mark.parametrize("manager", [pyswarm.Manager, pyswarm.aio.Manager], ids=["pyswarm", "pyswarm.aio"])
def test_help_shows_each_option_with_its_type_and_what_it_is(manager):
  text = pydoc.plain(pydoc.render_doc(manager))
  options = dict(inspect.signature(manager).parameters)
  options.pop("blocking", None)
  described = text[text.index("Args:"):text.index("Raises:")].replace(",", " ").replace(":", " ").split()
  for name, option in options.items():
    assert option.annotation is not inspect.Parameter.empty and option.kind is not inspect.Parameter.VAR_KEYWORD
    assert "%s: %r" % (name, option.annotation) in text or "%s: %s" % (name, option.annotation) in text, name
    assert name in described, name
