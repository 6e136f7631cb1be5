"""What the tests of pyswarm share. The fixtures swarm_manager, swarm_address and swarm_factory are pyswarm's own plugin,
which pytest finds by the build tree's dist-info."""

import os
import subprocess
import sys
import threading
import time

import pytest

LONG = os.environ.get("SWARM_LONG", "") not in ("", "0")
SANITIZED = os.environ.get("SWARM_SANITIZE", "") != ""
SLEEPER = {"Image": "busybox", "Cmd": ["sleep", "1000"], "StopSignal": "SIGKILL"}


def eventually(condition, seconds=10.0):
  """Waits until condition() is true; fails after `seconds`."""
  end = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < end, "not within %g s" % seconds
    time.sleep(0.005)


def in_thread(function):
  """Runs it beside the test. Returns a function that waits for its end and gives (result, exception)."""
  outcome = []

  def run():
    try:
      outcome.append((function(), None))
    except BaseException as error:
      outcome.append((None, error))

  thread = threading.Thread(target=run, daemon=True)
  thread.start()

  def join(seconds=20.0):
    thread.join(seconds)
    assert not thread.is_alive(), "it goes on after %g s" % seconds
    return outcome[0]

  return join


def run_python(code, seconds=60):
  """A Python program of its own; gives its CompletedProcess."""
  return subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=seconds)


@pytest.fixture(autouse=True)
def no_thread_is_left():
  """What a test opened has ended with it; threads of pyswarm.aio stay some seconds for the next call."""
  before = set(threading.enumerate())
  yield
  eventually(lambda: not [thread for thread in threading.enumerate()
                          if thread not in before and thread.name != "pyswarm.aio"])
