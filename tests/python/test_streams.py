"""Bodies that come as they are read, tunnels, and events."""

import struct
import time

import pyswarm
import pytest
from conftest import SLEEPER, eventually, in_thread
from pyswarm._manager import send_pieces


def frames(data):
  """[(stream, bytes)] of Docker's multiplexed output."""
  found = []
  while data:
    stream, length = struct.unpack(">BxxxL", data[:8])
    found.append((stream, data[8:8 + length]))
    data = data[8 + length:]
  return found


def read_frame(tunnel):
  head = b""
  while len(head) < 8:
    head += tunnel.read(8 - len(head), timeout=10)
  length = struct.unpack(">BxxxL", head)[1]
  body = b""
  while len(body) < length:
    body += tunnel.read(length - len(body), timeout=10)
  return body


def exec_of(manager, ref, command):
  made = manager.request("POST", "/containers/%s/exec" % ref,
                         {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True, "Cmd": command})
  return made.raise_for_status().json()["Id"]


def test_exec_is_a_tunnel_with_an_end_of_its_own(swarm_manager):
  swarm_manager.create_container(SLEEPER, name="web", start=True)
  target = "/exec/%s/start" % exec_of(swarm_manager, "web", ["cat"])
  with swarm_manager.request("POST", target, {}, upgrade=True) as tunnel:
    assert tunnel.status == 101 or tunnel.status == 200
    assert tunnel.tunnel
    with pytest.raises(pyswarm.DeadlineExceeded):
      tunnel.read(1, timeout=0.05)
    for word in (b"one\n", b"two\n"):
      tunnel.write(word)
      assert read_frame(tunnel) == word
    tunnel.close_write()
    assert tunnel.read() == b""


def test_exec_without_an_upgrade_gives_its_output(swarm_manager):
  swarm_manager.create_container(SLEEPER, name="web", start=True)
  made = exec_of(swarm_manager, "web", ["echo", "hello"])
  answer = swarm_manager.request("POST", "/exec/%s/start" % made, {})
  assert frames(answer.raise_for_status().read()) == [(1, b"hello\n")] and not answer.tunnel


def test_attach(swarm_manager):
  swarm_manager.create_container({"Image": "busybox", "Cmd": ["cat"], "OpenStdin": True}, name="cat", start=True)
  target = "/containers/cat/attach?stream=1&stdin=1&stdout=1&stderr=1"
  with swarm_manager.request("POST", target, upgrade=True) as tunnel:
    assert tunnel.tunnel
    tunnel.write(b"hello\n")
    assert read_frame(tunnel) == b"hello\n"


def test_logs_are_followed_until_the_container_ends(swarm_manager):
  swarm_manager.create_container({"Image": "busybox", "Cmd": ["cat"], "OpenStdin": True}, name="cat", start=True)
  with swarm_manager.request("GET", "/containers/cat/logs?follow=1&stdout=1", stream=True) as logs:
    with swarm_manager.request("POST", "/containers/cat/attach?stream=1&stdin=1&stdout=1", upgrade=True) as tunnel:
      tunnel.write(b"a line\n")
      assert read_frame(logs) == b"a line\n"
    end = in_thread(lambda: b"".join(logs))
    swarm_manager.request("POST", "/containers/cat/kill").raise_for_status()
    assert end() == (b"", None)


def test_lines(swarm_manager):
  swarm_manager.create_container(SLEEPER, name="web", start=True)

  def lines():
    target = "/events?since=1&until=%.6f&filters=%%7B%%22type%%22%%3A%%5B%%22container%%22%%5D%%7D" % time.time()
    return list(swarm_manager.request("GET", target, stream=True).lines())

  eventually(lambda: len(lines()) == 2)
  assert all(line.startswith(b"{") and line.endswith(b"}") for line in lines())


def test_who_stops_in_the_middle_of_lines_goes_on_behind_the_last_one(swarm_manager):
  for stream in (False, True):
    whole = swarm_manager.request("GET", "/swarmd/v1/metrics").read().splitlines()
    answer = swarm_manager.request("GET", "/swarmd/v1/metrics", stream=stream)
    first = next(answer.lines())
    second = next(iter(answer.lines()))
    rest = answer.read(5) + answer.read()
    # Some counters have moved on.
    assert [first, second] == whole[:2] and rest.startswith(whole[2][:5]) and len(rest.splitlines()) > 10
    assert list(answer.lines()) == []


class Deaf:
  """An exchange that takes a little of each write, and from then on nothing."""

  def __init__(self, little):
    self.little, self.taken, self.closed = little, b"", False

  def write(self, data, timeout):
    if not self.little:
      raise pyswarm.DeadlineExceeded(504, "DEADLINE_EXCEEDED", "nothing was taken within %g s" % timeout)
    size = min(self.little.pop(), len(data))
    self.taken += data[:size]
    return size

  def close_write(self):
    self.closed = True


def test_a_streamed_body_waits_only_while_something_of_it_is_taken():
  body = [b"one ", b"two ", b"three"]
  deaf = Deaf([2, 1, 2, 3])
  with pytest.raises(pyswarm.DeadlineExceeded, match="within 0.5 s"):
    send_pieces(deaf, body, 0.5)
  assert deaf.taken == b"one two" and not deaf.closed
  taker = Deaf([3] * 10)
  send_pieces(taker, body, 0.5)
  assert taker.taken == b"one two three" and taker.closed


def test_a_write_into_a_tunnel_tells_how_much_was_taken(swarm_manager):
  swarm_manager.create_container(SLEEPER, name="web", start=True)
  target = "/exec/%s/start" % exec_of(swarm_manager, "web", ["wc", "-c"])
  with swarm_manager.request("POST", target, {}, upgrade=True) as tunnel:
    assert tunnel.write(b"taken\n", timeout=10) == 6
    assert tunnel.write(b"", timeout=0) == 0
    assert tunnel.write(bytes(300_000), timeout=10) == 300_000
    tunnel.close_write()
    assert read_frame(tunnel) == b"300006\n"


def test_events_are_followed(swarm_manager):
  with swarm_manager.events({"type": "container", "event": ["create", "start"]}) as events:
    made = swarm_manager.create_container(SLEEPER, name="web", start=True)
    seen = [next(events), next(events)]
  assert [(event["Action"], event["Actor"]["ID"]) for event in seen] == [("create", made), ("start", made)]
  assert seen[0]["Actor"]["Attributes"]["node.name"] == "sim-0001"
  with pytest.raises(pyswarm.Cancelled):
    next(events)
  past = list(swarm_manager.events({"type": "container"}, since=0, until=time.time()))
  assert [event["Action"] for event in past] == ["create", "start"]


def test_closing_ends_a_wait_in_another_thread(swarm_manager):
  events = swarm_manager.events()
  end = in_thread(lambda: next(events))
  events.close()
  assert isinstance(end()[1], pyswarm.Cancelled)
  events.close()


def test_a_time_out_loses_nothing(swarm_manager):
  answer = swarm_manager.request("GET", "/events", stream=True)
  with pytest.raises(TimeoutError, match="GET /events: nothing came within 0.05 s"):
    answer.read(10, timeout=0.05)
  with pytest.raises(TimeoutError):
    answer.read(timeout=0.05)
  swarm_manager.create_container(SLEEPER)
  eventually(lambda: b"{" in answer.read(1, timeout=10))
  answer.close()
  assert answer.closed


def test_a_request_that_is_late_is_given_up(swarm_manager):
  with pytest.raises(pyswarm.DeadlineExceeded, match="GET /events"):
    swarm_manager.request("GET", "/events", timeout=0.1)
