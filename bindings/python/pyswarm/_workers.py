"""The threads on which pyswarm.aio does what may take its time."""

from __future__ import annotations

import asyncio
import functools
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Optional, TypeVar

from ._errors import DeadlineExceeded
from ._threads import start

Result = TypeVar("Result")

# How long a wait keeps its thread before others get their turn.
_SLICE = 0.2
_IDLE_SECONDS = 5.0


class Workers:
  """Threads that run jobs; made when they are needed, at most `most`, gone when they were idle."""

  def __init__(self, most: int) -> None:
    self._most = most
    self.reset()

  def reset(self) -> None:
    """Forgets threads and jobs: in the child of a fork there are none, and the lock may be that of a thread which is
    not there."""
    self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    self._lock = threading.Lock()
    self._threads = 0
    self._busy = 0

  def submit(self, job: Callable[[], None]) -> None:
    with self._lock:
      self._busy += 1
      more = self._busy > self._threads and self._threads < self._most
      if more:
        self._threads += 1
    self._jobs.put(job)
    if more:
      start(self._run, "pyswarm.aio")

  def _run(self) -> None:
    while True:
      try:
        job = self._jobs.get(timeout=_IDLE_SECONDS)
      except queue.Empty:
        with self._lock:
          if self._busy < self._threads:
            self._threads -= 1
            return
        continue
      try:
        job()
      finally:
        del job  # and with it what it was given
        with self._lock:
          self._busy -= 1


# What is over soon, what waits for managers to be ready, and what reads the files and iterables that are sent: none may
# keep the others from their threads. Requests and streams take none (_ready.py).
calls = Workers(8)
waits = Workers(8)
bodies = Workers(16)


def _after_fork() -> None:
  for workers in (calls, waits, bodies):
    workers.reset()


os.register_at_fork(after_in_child=_after_fork)


def begin(workers: Workers, function: Callable[..., Result], *arguments: Any,
          drop: Optional[Callable[[Result], None]] = None) -> asyncio.Future[Result]:
  """Runs it on a thread. When the future is cancelled its result is dropped, by drop(result) on a thread."""
  loop = asyncio.get_running_loop()
  done: asyncio.Future[Result] = loop.create_future()

  def settle(result: Any, error: Optional[BaseException]) -> None:
    if done.done():
      if error is None and drop is not None:
        Workers(1).submit(functools.partial(drop, result))
      return
    if error is None:
      done.set_result(result)
    else:
      done.set_exception(error)

  def job() -> None:
    result, failed = None, None
    try:
      result = function(*arguments)
    except BaseException as error:
      failed = error
    try:
      loop.call_soon_threadsafe(settle, result, failed)
    except RuntimeError:  # the loop is closed: nobody waits
      if failed is None and drop is not None:
        drop(result)  # type: ignore[arg-type]

  workers.submit(job)
  return done


async def run(workers: Workers, function: Callable[..., Result], *arguments: Any) -> Result:
  """Runs it on a thread. When the task is cancelled its result is dropped."""
  return await begin(workers, function, *arguments)


def _one_turn(wait: Callable[[float], Result], left: float) -> Result:
  return wait(min(_SLICE, left))


async def in_turns(what: str, timeout: float, wait: Callable[[float], Result]) -> Result:
  """wait(seconds) again and again until it ends otherwise than by DeadlineExceeded."""
  end = time.monotonic() + timeout
  while True:
    left = max(end - time.monotonic(), 0.0)
    try:
      return await run(waits, _one_turn, wait, left)
    except DeadlineExceeded as error:
      if time.monotonic() < end:
        continue
      raise DeadlineExceeded(error.status, error.code, "%s: no answer within %g s" % (what, timeout)) from None
