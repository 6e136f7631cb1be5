"""How pyswarm.aio waits: the manager says when something is ready, and no thread waits for it meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
from typing import TYPE_CHECKING, Union

from . import _core
from ._errors import DeadlineExceeded, SwarmError
from ._response import FOREVER
from ._threads import start

if TYPE_CHECKING:
  from ._core import Exchange

# What one write copies for the manager, as much as it takes at once.
_WRITE_BYTES = 256 * 1024
_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[bool]"]


class _Waits:
  """The waits of all event loops of the process, and the one thread that ends them."""

  def __init__(self) -> None:
    self.reset()

  def reset(self) -> None:
    """In the child of a fork nothing is waited for, and the thread is not there."""
    self._numbers = itertools.count(1)
    self._waiters: dict[int, _Waiter] = {}
    self._lock = threading.Lock()
    self._runs = False

  def add(self, waiter: _Waiter) -> int:
    number = next(self._numbers)
    self._waiters[number] = waiter
    if not self._runs:
      with self._lock:
        if not self._runs:
          start(self._pass_on, "pyswarm.aio")
          self._runs = True
    return number

  def drop(self, number: int) -> None:
    self._waiters.pop(number, None)

  def _pass_on(self) -> None:
    while True:
      numbers = _core.take_ready()
      if not numbers:
        return  # the interpreter ends
      by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[bool]]] = {}
      for number in numbers:
        waiter = self._waiters.pop(number, None)
        if waiter is not None:
          by_loop.setdefault(waiter[0], []).append(waiter[1])
        del waiter
      for loop, ended in by_loop.items():
        try:
          loop.call_soon_threadsafe(_end, ended)
        except RuntimeError:
          pass  # the loop is closed: nobody waits
      by_loop.clear()


def _end(ended: list[asyncio.Future[bool]]) -> None:
  for future in ended:
    _settle(future, True)


def _settle(future: asyncio.Future[bool], is_ready: bool) -> None:
  if not future.done():
    future.set_result(is_ready)


_waits = _Waits()


def _after_fork() -> None:
  _core.forget_ready()
  _waits.reset()


os.register_at_fork(after_in_child=_after_fork)


async def ready(exchange: Exchange, what: str, seconds: float = FOREVER) -> bool:
  """Waits until the head of the answer ("head"), bytes of it ("read") or room for bytes to send ("write") are there;
  False after `seconds`. One wait of a kind at a time; one that is cancelled loses nothing."""
  loop = asyncio.get_running_loop()
  future: asyncio.Future[bool] = loop.create_future()
  number = _waits.add((loop, future))
  timer = None
  try:
    if exchange.when_ready(what, number):
      return True
    if seconds != FOREVER:
      timer = loop.call_later(seconds, _settle, future, False)
    return await future
  finally:
    _waits.drop(number)
    if timer is not None:
      timer.cancel()


async def read(exchange: Exchange, most: int) -> bytes:
  """The next bytes, b"" at their end."""
  await ready(exchange, "read")
  return exchange.take(most)


async def write(exchange: Exchange, data: Union[bytes, memoryview], seconds: float) -> int:
  """As pyswarm.Response.write()."""
  loop = asyncio.get_running_loop()
  end = loop.time() + seconds
  whole = memoryview(data)
  taken = 0
  while taken < len(whole):
    late = not await ready(exchange, "write", max(end - loop.time(), 0.0))
    if not late:
      exchange.start_write(bytes(whole[taken:taken + _WRITE_BYTES]))
      try:
        late = not await ready(exchange, "write", max(end - loop.time(), 0.0))
      except BaseException:
        # Nobody else finishes the piece, and the exchange takes no other one before.
        with contextlib.suppress(SwarmError):
          exchange.finish_write()
        raise
      try:
        taken += exchange.finish_write()
      except DeadlineExceeded:
        if not late:
          raise
    if late and taken:
      return taken
    if late:
      raise DeadlineExceeded(504, "DEADLINE_EXCEEDED", "nothing was taken within %g s" % seconds)
  return taken


async def write_all(exchange: Exchange, data: bytes, seconds: float) -> None:
  """Writes `data` for as long as something of it is taken within each `seconds`."""
  left = memoryview(data)
  while left:
    left = left[await write(exchange, left, seconds):]
