"""Many threads, managers that are closed while others use them, and managers again and again."""

import asyncio
import os
import resource
import threading

import pyswarm
import pyswarm.aio
import pytest
from conftest import LONG, SANITIZED, SLEEPER, in_thread

THREADS = 8
CALLS = 10_000 if LONG else 300
TASK_CALLS = 10_000 if LONG else 100
CYCLES = 1_000 if LONG else 20
PATIENCE = 3_000 if LONG else 200  # seconds


class Even:
  def rules_for(self, spec):
    return [pyswarm.Rule("even", predicate=lambda node: node.name[-1] in "02468")]


def test_eight_threads_call_at_once(swarm_factory):
  manager = swarm_factory(4, threads=2, custom_filters={"even": Even()}, log=lambda *line: None)
  manager.create_container(SLEEPER, name="web")

  def calls(number):
    for turn in range(CALLS):
      what = (turn + number) % 6
      if what == 0:
        assert manager.plan({"Image": "busybox"}).node in ("sim-0002", "sim-0004")
      elif what == 1:
        assert manager.request("GET", "/containers/web/json").status == 200
      elif what == 2:
        assert len(manager.nodes()) == 4
      elif what == 3:
        assert manager.request("GET", "/_ping").read() == b"OK"
      elif what == 4:
        with manager.request("GET", "/info", stream=True) as answer, manager.events():
          assert answer.read(1) == b"{"
      elif turn % 12 < 6:
        name = "c-%d-%d" % (number, turn)
        manager.remove(manager.create_container({"Image": "busybox"}, name=name))
      else:
        with pytest.raises(pyswarm.NotFound):
          manager.inspect("nobody")

  ends = [in_thread(lambda number=number: calls(number)) for number in range(THREADS)]
  assert [end(PATIENCE) for end in ends] == [(None, None)] * THREADS
  assert [sorted(one["Names"]) for one in manager.containers()] == [["/sim-0002/web", "/web"]]


def test_eight_tasks_call_at_once(swarm_factory):
  manager = swarm_factory(4, threads=2, custom_filters={"even": Even()})

  async def calls(aio, number):
    for turn in range(TASK_CALLS):
      what = (turn + number) % 4
      if what == 0:
        assert (await aio.plan({"Image": "busybox"})).node in ("sim-0002", "sim-0004")
      elif what == 1:
        assert (await (await aio.request("GET", "/_ping")).read()) == b"OK"
      elif what == 2:
        made = await aio.create_container({"Image": "busybox"}, name="c-%d-%d" % (number, turn))
        await aio.remove(made)
      else:
        with pytest.raises(pyswarm.NotFound):
          await aio.inspect("nobody")

  async def main():
    async with pyswarm.aio.Manager(blocking=manager) as aio:
      await asyncio.wait_for(asyncio.gather(*[calls(aio, number) for number in range(THREADS)]), PATIENCE)

  asyncio.run(main())
  assert manager.containers() == []


def test_closing_tells_everybody_who_waits_cancelled():
  manager = pyswarm.Manager("sim://2")
  manager.wait_ready()
  events = manager.events({"event": "never"})
  logs_of = manager.create_container(SLEEPER, start=True)
  waits = [lambda: next(events), lambda: manager.request("GET", "/events", timeout=None),
           lambda: manager.request("GET", "/containers/%s/logs?follow=1&stdout=1" % logs_of, timeout=None),
           lambda: manager.request("POST", "/containers/%s/wait" % logs_of, timeout=None)]
  ends = [in_thread(wait) for wait in waits]
  threading.Event().wait(0.05)
  closes = [in_thread(lambda: manager.close(0)) for _ in range(2)]
  assert [close() for close in closes] == [(None, None)] * 2
  for end in ends:
    assert isinstance(end()[1], pyswarm.Cancelled)
  for call in (manager.nodes, manager.serve, lambda: manager.plan(SLEEPER), lambda: manager.request("GET", "/_ping"),
               manager.wait_ready, lambda: next(events)):
    with pytest.raises(pyswarm.Cancelled):
      call()
  manager.close()
  assert manager.closed


def test_two_managers_in_one_process_share_nothing(swarm_factory):
  one, two = swarm_factory(1), swarm_factory(2)
  one.create_container(SLEEPER, name="web")
  assert two.containers() == [] and (len(one.nodes()), len(two.nodes())) == (1, 2)
  one.close(0)
  assert len(two.nodes()) == 2


def memory_in_use():
  with open("/proc/self/statm") as file:
    return int(file.read().split()[1]) * resource.getpagesize()


def test_opening_and_closing_again_and_again_does_not_grow():
  def cycle():
    with pyswarm.Manager("sim://3", threads=1, custom_filters={"even": Even()}, listen=["tcp://127.0.0.1:0"],
                         log=lambda *line: None) as manager:
      manager.wait_ready()
      manager.serve()
      manager.create_container({"Image": "busybox"})
      manager.close(0)

  for _ in range(CYCLES // 4 + 5):
    cycle()
  files = len(os.listdir("/proc/self/fd"))
  threads = len(os.listdir("/proc/self/task"))
  memory = memory_in_use()
  for _ in range(CYCLES):
    cycle()
  grown = memory_in_use() - memory
  print("%d cycles: %d KiB more" % (CYCLES, grown // 1024))
  assert len(os.listdir("/proc/self/fd")) <= files
  assert len(os.listdir("/proc/self/task")) <= threads
  # The allocator keeps what it had at its fullest; a manager that stays would be some 300 KiB each time. A sanitizer
  # keeps what was freed, and notes of its own.
  assert SANITIZED or grown < max(8 << 20, CYCLES * 16 * 1024)
