"""pyswarm.aio: the same, and nothing blocks the loop."""

import asyncio
import gc
import threading
import time

import pyswarm
import pyswarm.aio
import pytest
from aio_tools import run, until, with_manager
from conftest import SLEEPER
from pyswarm import _workers


def test_a_container_from_plan_to_remove():
  async def body(manager):
    assert (await manager.plan(SLEEPER)).node == "sim-0001"
    made = await manager.create_container(SLEEPER, name="web", start=True)
    assert (await manager.inspect("web"))["Id"] == made
    assert [one["Id"] for one in await manager.containers()] == [made]
    with pytest.raises(pyswarm.AlreadyExists):
      await manager.create_container(SLEEPER, name="web")
    # A name that nobody has but that an id begins with: no node fits, that is all.
    with pytest.raises(pyswarm.FailedPrecondition):
      await manager.create_container(dict(SLEEPER, Env=["constraint:node==moon"]), name=made[:12])
    await manager.stop("web", seconds=1)
    await manager.start("web")
    await manager.remove("web", force=True)
    with pytest.raises(pyswarm.NotFound):
      await manager.inspect("web")
    assert len(await manager.nodes()) == 3 and not manager.closed
    return manager

  manager = with_manager(body)
  assert manager.closed and manager.blocking.closed


def test_it_is_opened_first():
  manager = pyswarm.aio.Manager("sim://1")
  with pytest.raises(pyswarm.FailedPrecondition, match="async with"):
    run(manager.nodes())
  with pytest.raises(pyswarm.InvalidArgument, match="moon"):
    run(pyswarm.aio.Manager("moon://").open())
  with pytest.raises(pyswarm.DeadlineExceeded, match="within 0.3 s"):
    run(late())


async def late():
  async with pyswarm.aio.Manager("file:///nowhere/at/all") as manager:
    await manager.wait_ready(0.3)


def test_over_a_blocking_manager(swarm_manager):
  async def main():
    async with pyswarm.aio.Manager(blocking=swarm_manager) as manager:
      assert (await (await manager.request("GET", "/_ping")).read()) == b"OK"
      return await manager.serve(), manager.addresses

  served, addresses = run(main())
  assert served == addresses == swarm_manager.addresses and not swarm_manager.closed


async def pieces():
  yield b'{"Image":'
  await asyncio.sleep(0)
  yield b'"busybox"}'


@pytest.mark.parametrize("body", [{"Image": "busybox"}, '{"Image":"busybox"}', lambda: iter([b'{"Image":', b'"busybox"}']),
                                  pieces], ids=["dict", "str", "iterator", "async generator"])
def test_bodies(body):
  async def main(manager):
    answer = await manager.request("POST", "/containers/create?name=web", body() if callable(body) else body,
                                   {"Content-Type": "application/json"})
    await answer.raise_for_status()
    assert (await answer.json())["Id"] == (await manager.inspect("web"))["Id"]

  with_manager(main)


def test_streams_and_lines():
  async def main(manager):
    async with await manager.request("GET", "/version", stream=True) as answer:
      assert answer.status == 200 and answer.headers["content-type"].startswith("application/json")
      assert b"".join([piece async for piece in answer]).startswith(b"{")
    lines = [line async for line in (await manager.request("GET", "/swarmd/v1/metrics", stream=True)).lines()]
    assert len(lines) > 10 and all(b"\n" not in line for line in lines)
    async with await manager.request("GET", "/version", stream=True) as answer:
      head = await answer.read(5)
      assert len(head) <= 5 and (head + await answer.read()).startswith(b"{") and await answer.read() == b""
    with pytest.raises(pyswarm.NotFound, match="nobody"):
      await (await manager.request("GET", "/containers/nobody/json", stream=True)).raise_for_status()
    with pytest.raises(pyswarm.DeadlineExceeded, match="GET /events"):
      await manager.request("GET", "/events", timeout=0.1)

  with_manager(main)


def test_exec():
  async def main(manager):
    await manager.create_container(SLEEPER, name="web", start=True)
    made = await manager.request("POST", "/containers/web/exec",
                                 {"AttachStdin": True, "AttachStdout": True, "Cmd": ["cat"]})
    target = "/exec/%s/start" % (await made.json())["Id"]
    async with await manager.request("POST", target, {}, upgrade=True) as tunnel:
      assert tunnel.tunnel
      await tunnel.write(b"hello\n")
      await tunnel.close_write()
      assert (await tunnel.read())[8:] == b"hello\n"

  with_manager(main)


def test_events_and_a_read_that_is_cancelled_loses_nothing():
  async def main(manager):
    async with await manager.events({"type": "container", "event": ["create", "kill"]}) as events:
      with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(events.__anext__(), 0.05)
      await manager.create_container(SLEEPER, name="web", start=True)
      await manager.request("POST", "/containers/web/kill")
      seen = []
      async for event in events:
        seen.append(event["Action"])
        if len(seen) == 2:
          break
      waiting = asyncio.ensure_future(events.__anext__())
      await asyncio.sleep(0.01)
      events.close()
      with pytest.raises(pyswarm.Cancelled):
        await waiting
    return seen

  assert with_manager(main) == ["create", "kill"]


def test_a_wait_on_a_thread_lasts_as_long_as_it_was_told_in_turns():
  slices = []

  def wait(seconds):
    slices.append(seconds)
    time.sleep(seconds)
    raise pyswarm.DeadlineExceeded(504, "DEADLINE_EXCEEDED", "nothing came")

  begin = time.monotonic()
  with pytest.raises(pyswarm.DeadlineExceeded, match="wait_ready: no answer within 0.25 s"):
    run(_workers.in_turns("wait_ready", 0.25, wait))
  assert time.monotonic() - begin >= 0.25 and max(slices) <= 0.2


class Opened:
  """What the manager of the next tests opens: counts, and remembers where it was closed."""

  def __init__(self, begun, go_on):
    self.closed_on = None
    self.closed = False
    self.deleted = []
    begun.append(self)
    assert go_on.wait(20)

  def close(self, grace):
    self.closed, self.closed_on = True, threading.current_thread()

  def __del__(self):
    self.deleted.append(threading.current_thread())


def unopened(begun, go_on):
  manager = pyswarm.aio.Manager("sim://1")
  manager._make = lambda: Opened(begun, go_on)
  return manager


def test_tasks_that_open_at_once_open_one():
  async def main():
    begun, go_on = [], threading.Event()
    manager = unopened(begun, go_on)
    opening = [asyncio.ensure_future(manager.open()) for _ in range(3)]
    await until(lambda: begun)
    opening[0].cancel()
    await asyncio.sleep(0)
    go_on.set()
    answers = await asyncio.gather(*opening, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError) and answers[1:] == [manager, manager]
    assert len(begun) == 1 and manager.blocking is begun[0] and not begun[0].closed
    await manager.close()

  run(main())


def test_what_nobody_waits_for_any_more_is_closed_beside_the_loop():
  async def main():
    for cancel_late in (False, True):
      begun, go_on = [], threading.Event()
      manager = unopened(begun, go_on)
      opening = asyncio.ensure_future(manager.open())
      await until(lambda: begun)
      if cancel_late:
        manager._opening.add_done_callback(lambda _: opening.cancel())
      else:
        opening.cancel()
        await asyncio.sleep(0)
      go_on.set()
      with pytest.raises(asyncio.CancelledError):
        await opening
      await until(lambda: begun[0].closed)
      assert begun[0].closed_on is not threading.current_thread()
      with pytest.raises(pyswarm.FailedPrecondition):
        manager.blocking
      # And it may be opened after all.
      assert await manager.open() is manager and len(begun) == 2
      await manager.close()

  run(main())


def test_a_manager_that_is_dropped_ends_beside_the_loop():
  async def main():
    begun, go_on = [], threading.Event()
    go_on.set()
    manager = await unopened(begun, go_on).open()
    deleted = begun.pop().deleted
    del manager
    gc.collect()
    await until(lambda: deleted)
    assert deleted[0] is not threading.current_thread()

  run(main())


def test_a_cancelled_request_is_given_up():
  async def main(manager):
    request = asyncio.ensure_future(manager.request("GET", "/events", timeout=None))
    await asyncio.sleep(0.05)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
      await request
    # What was given up keeps no close from its end.
    begin = time.monotonic()
    await manager.close(grace=10)
    assert time.monotonic() - begin < 5

  with_manager(main)


def test_many_waits_keep_neither_the_loop_nor_each_other():
  async def main(manager):
    streams = [await manager.events({"event": ["create"]}) for _ in range(100)]
    waits = [asyncio.ensure_future(stream.__anext__()) for stream in streams]
    longest, ticks = 0.0, 0

    async def watch():
      nonlocal longest, ticks
      last = time.monotonic()
      while True:
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        ticks += 1

    watching = asyncio.ensure_future(watch())
    await until(lambda: ticks >= 5)
    await asyncio.wait_for(manager.create_container(SLEEPER), 10)
    events = await asyncio.gather(*waits)
    watching.cancel()
    for stream in streams:
      stream.close()
    return longest, len(events)

  longest, events = with_manager(main)
  # A wait on the loop's own thread would end only with the event; the rest is what the machine does besides.
  assert events == 100 and 0 < longest < 5


def test_closing_ends_what_waits():
  async def main(manager):
    stream = await manager.events()
    waiting = asyncio.ensure_future(stream.__anext__())
    await asyncio.sleep(0.02)
    await asyncio.gather(manager.close(0), manager.close(0))
    with pytest.raises(pyswarm.Cancelled):
      await waiting
    with pytest.raises(pyswarm.Cancelled):
      await manager.nodes()

  with_manager(main)


def test_errors_of_callables_come_through():
  def boom(spec):
    raise RuntimeError("it is broken")

  async def main(manager):
    with pytest.raises(pyswarm.Internal, match="boom raised RuntimeError: it is broken"):
      await manager.plan({"Image": "busybox"})

  with_manager(main, custom_filters={"own": boom})
