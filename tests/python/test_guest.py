"""pyswarm as a guest in another program: its threads, its signals, its collector and its interpreters."""

import asyncio
import gc
import http.client
import os
import threading
import weakref

import pyswarm
import pyswarm.aio
import pytest
from conftest import SLEEPER, eventually, in_thread, run_python


def aio_threads():
  return {thread for thread in threading.enumerate() if thread.name == "pyswarm.aio"}


def test_streams_and_waits_of_asyncio_take_no_threads():
  streams = 200
  before = aio_threads()

  async def main():
    async with pyswarm.aio.Manager("sim://3?seed=7", threads=1) as manager:
      await manager.wait_ready()
      first = await manager.events()
      await manager.create_container(SLEEPER, name="web", start=True)
      while (await first.__anext__())["Action"] != "start":
        pass  # it comes once the container was read, and is no news for the others
      first.close()
      events = [await manager.events() for _ in range(streams)]
      readers = [asyncio.ensure_future(one.__anext__()) for one in events]
      waits = [asyncio.ensure_future(manager.request("POST", "/containers/web/wait")) for _ in range(streams)]
      await asyncio.sleep(0)  # all of them begin: an answer that is there at once lets no other task run
      most = 0
      for _ in range(20):
        assert await (await manager.request("GET", "/_ping")).read() == b"OK"
        most = max(most, len(aio_threads() - before))
      assert not any(reader.done() for reader in readers)
      await manager.remove("web", force=True)
      assert all(event["Type"] == "container" for event in await asyncio.gather(*readers))
      assert {answer.status for answer in await asyncio.gather(*waits)} == {200}
      for one in events:
        one.close()
      return most

  # One that opened the manager, one that waited until it was ready, one that passes on what is ready.
  assert asyncio.run(asyncio.wait_for(main(), 60)) <= 3


def test_a_filter_that_waits_keeps_no_other_call_waiting(swarm_factory):
  let_go, inside = threading.Event(), threading.Semaphore(0)

  def rules_for(spec):
    if spec["name"].startswith("slow"):
      inside.release()
      assert let_go.wait(60)
    return []

  manager = swarm_factory(threads=1, custom_filters={"own": rules_for})
  creates = [in_thread(lambda i=i: manager.create_container(SLEEPER, name="slow%d" % i)) for i in range(4)]
  try:
    assert inside.acquire(timeout=20)
    for _ in range(10):
      assert manager.request("GET", "/containers/json", timeout=5).status == 200
    networks = in_thread(lambda: manager.request("POST", "/networks/create", {"Name": "net"}))
    assert networks(20)[0].status == 201
  finally:
    let_go.set()
  assert all(error is None for _, error in (join() for join in creates))
  assert len(manager.containers()) == 4


def test_what_a_filter_raises_is_what_a_create_raises(swarm_factory):
  raised = []

  def rules_for(spec):
    raise raised[0]

  manager = swarm_factory(custom_filters={"own": rules_for})
  for kind in (pyswarm.Aborted, pyswarm.AlreadyExists, pyswarm.Cancelled, pyswarm.DataLoss, pyswarm.DeadlineExceeded,
               pyswarm.FailedPrecondition, pyswarm.Internal, pyswarm.InvalidArgument, pyswarm.NotFound, pyswarm.OutOfRange,
               pyswarm.PermissionDenied, pyswarm.ResourceExhausted, pyswarm.Unauthenticated, pyswarm.Unavailable,
               pyswarm.Unimplemented, pyswarm.Unknown):
    raised[:] = [kind(500, "WHATEVER", "not today")]
    with pytest.raises(pyswarm.SwarmError, match="not today") as caught:
      manager.create_container(SLEEPER)
    assert type(caught.value) is kind
    with pytest.raises(kind, match="not today"):
      manager.plan(SLEEPER)


def test_every_status_has_a_class():
  from pyswarm._errors import from_status
  from pyswarm._response import Headers, error_of
  names = {type(from_status(code, 500, "m")).__name__ for code in range(1, 17)}
  assert len(names) == 16 and names < set(pyswarm.__all__)
  for status, kind in ((401, pyswarm.Unauthenticated), (402, pyswarm.PermissionDenied), (403, pyswarm.PermissionDenied),
                       (405, pyswarm.InvalidArgument), (404, pyswarm.NotFound)):
    error = error_of(status, Headers([]), b'{"message":"no"}')
    assert type(error) is kind and error.status == status
    assert isinstance(error, ValueError) == (kind is pyswarm.InvalidArgument)


def test_all_signals_are_blocked_on_the_threads_of_managers():
  done = run_python("""
import asyncio, os, signal, threading, time, pyswarm, pyswarm.aio
entered = threading.Event()
leave = threading.Event()
def rules_for(spec):
  entered.set()
  leave.wait(20)
  return []
def watch(rest):
  leave.wait(20)
  return []
first = pyswarm.Manager("sim://2", listen=["tcp://127.0.0.1:0"], custom_filters={"own": rules_for})
second = pyswarm.Manager("own://", custom_discovery={"own": watch})
first.serve()
first.wait_ready()
async def use():
  async with pyswarm.aio.Manager(blocking=first) as manager:
    await manager.nodes()
    async with await manager.events() as events:
      made = asyncio.ensure_future(manager.create_container({"Image": "busybox"}))
      while not entered.is_set():
        await asyncio.sleep(0.005)
      # Filters, discovery, asyncio and loops have their threads now.
      wrong = []
      for task in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/status" % task) as status:
          blocked = int([line for line in status if line.startswith("SigBlk")][0].split()[1], 16)
        if int(task) != os.getpid() and not blocked & (1 << (signal.SIGTERM - 1)):
          wrong.append(task)
      leave.set()
      await made
  return len(wrong)
assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
print(asyncio.run(use()), threading.active_count() > 1)
assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
# And so one that waits for a signal gets it.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
for _ in range(50):
  os.kill(os.getpid(), signal.SIGTERM)
  assert signal.sigwait([signal.SIGTERM]) == signal.SIGTERM
print("heard")
""")
  assert (done.returncode, done.stdout, done.stderr) == (0, "0 True\nheard\n", "")


def threads_of_process():
  return len(os.listdir("/proc/self/task"))


class Host:
  """A program that keeps its manager and is called by it."""

  def __init__(self, **options):
    self.manager = pyswarm.Manager("sim://1", threads=1, **options)

  def on_log(self, level, message, fields):
    pass


class LoggingHost(Host):
  def __init__(self):
    super().__init__(log=self.on_log)


class FilteringHost(Host):
  def __init__(self):
    super().__init__(custom_filters={"own": self.rules_for})

  def rules_for(self, spec):
    return []


class StrategicHost(Host):
  def __init__(self):
    super().__init__(custom_strategies={"own": self}, strategy="own")

  def rank(self, usage, request):
    return 0


@pytest.mark.parametrize("kind", [LoggingHost, FilteringHost, StrategicHost])
def test_a_manager_that_knows_its_owner_is_collected(kind):
  before = threads_of_process()
  hosts = [kind() for _ in range(5)]
  hosts[0].manager.wait_ready()
  hosts[0].manager.create_container(SLEEPER)
  gone = [weakref.ref(one) for one in hosts]
  hosts[4].manager.close(0)
  hosts.clear()
  with pytest.warns(ResourceWarning, match="unclosed") as warned:
    gc.collect()
  assert len(warned) == 4
  warned.clear()  # they hold what they warn of
  gc.collect()
  assert not [one for one in gone if one() is not None]

  eventually(lambda: threads_of_process() <= before)


def test_a_collection_while_a_manager_is_made_finds_nothing_to_visit():
  done = run_python("""
import gc
from pyswarm import _core
gc.set_threshold(1)
for _ in range(100):
  Own = type("Own", (_core.Manager,), {})
  Own.__new__(Own)
gc.set_threshold(700)
print("made")
""")
  assert (done.returncode, done.stdout) == (0, "made\n"), done.stderr


def test_a_manager_that_is_in_use_is_not_collected():
  host = LoggingHost()
  host.manager.wait_ready()
  gc.collect()
  assert host.manager.request("GET", "/_ping").read() == b"OK"
  events = host.manager.events()
  host.manager.close(0)
  events.close()


@pytest.mark.parametrize("first", ["", "import pyswarm; manager = pyswarm.Manager('sim://2'); manager.wait_ready()"])
def test_a_subinterpreter_is_refused(first):
  done = run_python(first + """
import _xxsubinterpreters as interpreters
other = interpreters.create(isolated=False)
for module in ("pyswarm", "pyswarm.aio"):
  try:
    interpreters.run_string(other, "import " + module)
    print("imported")
  except interpreters.RunFailedError as error:
    print("ImportError" in str(error) and "subinterpreter" in str(error) or error)
interpreters.destroy(other)
import pyswarm
manager = globals().get("manager") or pyswarm.Manager("sim://2")
manager.wait_ready()
print(len(manager.nodes()), manager.request("GET", "/_ping").status)
manager.close(0)
""")
  assert (done.returncode, done.stdout, done.stderr) == (0, "True\nTrue\n2 200\n", "")


@pytest.mark.parametrize("threads", [1025, 2**31 - 1])
def test_too_many_threads_are_refused(threads):
  with pytest.raises(pyswarm.InvalidArgument, match="threads"):
    pyswarm.Manager("sim://1", threads=threads)


def test_lists_and_inspects_have_a_bound_that_can_be_moved(swarm_manager):
  swarm_manager.create_container(SLEEPER, name="web")
  with pytest.raises(pyswarm.ResourceExhausted, match="max_body"):
    swarm_manager.containers(max_body=10)
  with pytest.raises(pyswarm.ResourceExhausted, match="max_body"):
    swarm_manager.inspect("web", max_body=10)
  assert swarm_manager.inspect("web", max_body=1 << 40)["Name"] == "/web"

  async def main():
    async with pyswarm.aio.Manager(blocking=swarm_manager) as manager:
      with pytest.raises(pyswarm.ResourceExhausted, match="max_body"):
        await manager.containers(max_body=10)
      with pytest.raises(pyswarm.ResourceExhausted, match="max_body"):
        await manager.inspect("web", max_body=10)
      return await manager.containers(max_body=1 << 40)

  assert len(asyncio.run(main())) == 1


def test_close_waits_for_nobody_who_follows(swarm_factory):
  """What goes on as long as its reader wants is no reason to wait for the whole grace."""
  manager = swarm_factory()
  manager.create_container(dict(SLEEPER, Cmd=["tick", "0.01"]), name="web", start=True)
  host, port = manager.serve()[0][len("tcp://"):].split(":")
  begun = []

  def follow(target):
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request("GET", target)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read(10)
    begun.append(target)
    try:
      answer.read()
    except http.client.IncompleteRead:
      pass
    connection.close()

  joins = [in_thread(lambda target=target: follow(target)) for target in
           ("/events?since=1", "/containers/web/logs?follow=1&stdout=1", "/containers/web/stats")]
  eventually(lambda: len(begun) == 3, 30)
  in_thread(lambda: manager.close(600))(60)
  for join in joins:
    assert join()[1] is None


def test_docker_py_hears_what_an_exec_says(swarm_factory):
  docker = pytest.importorskip("docker")
  manager = swarm_factory(latency="1ms")
  manager.create_container(SLEEPER, name="web", start=True)
  client = docker.APIClient(base_url=manager.serve()[0], version="1.41")
  made = client.exec_create("web", ["echo", "hello"])
  assert client.exec_start(made["Id"]) == b"hello\n"
  client.close()
