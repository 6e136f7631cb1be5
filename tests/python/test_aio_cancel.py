"""pyswarm.aio: reads and writes that are cancelled, fail or are left lose nothing."""

import asyncio
import collections
import gc
import threading

import pyswarm
import pyswarm.aio
import pytest
from aio_tools import run, until
from pyswarm import _ready


class Exchanged:
  """An exchange that has what the test puts there."""

  status, headers, tunnel = 200, [], False

  def __init__(self):
    self.pieces, self.room, self.waiters, self.aborted = collections.deque(), 0, {}, threading.Event()

  def put(self, *pieces):
    """Bytes to be read, b"" for their end, or the exception that ends them."""
    self.pieces.extend(pieces)
    self.tell("read")

  def tell(self, what):
    waiter = _ready._waits._waiters.get(self.waiters.pop(what, None))
    if waiter is not None:
      waiter[0].call_soon(_ready._end, [waiter[1]])

  def when_ready(self, what, number):
    assert number in _ready._waits._waiters
    if self.aborted.is_set() or (self.pieces if what == "read" else self.room):
      return True
    self.waiters[what] = number
    return False

  def take(self, most):
    piece = self.pieces.popleft()
    if isinstance(piece, Exception):
      raise piece
    return piece

  def abort(self):
    self.aborted.set()


@pytest.mark.parametrize("late", [False, True], ids=["before its task hears", "when its task is to go on"])
def test_a_read_that_ends_in_the_turn_of_its_cancel_loses_nothing(late):
  async def main():
    exchange = Exchanged()
    answer = pyswarm.aio.Response(exchange, None)
    reader = asyncio.ensure_future(answer.read(64))
    await until(lambda: exchange.waiters)
    exchange.put(b"what came")
    if late:
      asyncio.get_running_loop().call_soon(reader.cancel)
    else:
      reader.cancel()
    with pytest.raises(asyncio.CancelledError):
      await reader
    assert not _ready._waits._waiters
    return await answer.read(64)

  assert run(main()) == b"what came"


def test_a_read_that_fails_is_begun_anew_by_the_next():
  async def main():
    exchange = Exchanged()
    answer = pyswarm.aio.Response(exchange, None)
    exchange.put(pyswarm.Unavailable(503, "UNAVAILABLE", "broke off"), b"more", b"")
    with pytest.raises(pyswarm.Unavailable):
      await answer.read(64)
    return await answer.read()

  assert run(main()) == b"more"


@pytest.mark.parametrize("how", ["cancelled", "stopped"])
def test_lines_that_are_left_in_the_middle_lose_nothing(how):
  async def main():
    exchange = Exchanged()
    answer = pyswarm.aio.Response(exchange, None)
    seen = []

    async def follow():
      async for line in answer.lines():
        seen.append(line)
        if how == "stopped":
          return

    exchange.put(b"one\r\ntwo\nthr")
    following = asyncio.ensure_future(follow())
    if how == "cancelled":
      await until(lambda: len(seen) == 2 and exchange.waiters)
      following.cancel()
      with pytest.raises(asyncio.CancelledError):
        await following
    else:
      await following
    exchange.put(b"ee\nfour\nlast", b"")
    seen += [line async for line in answer.lines()]
    return seen

  assert run(main()) == [b"one", b"two", b"three", b"four", b"last"]


def test_what_lines_left_is_what_read_gives():
  async def main():
    exchange = Exchanged()
    answer = pyswarm.aio.Response(exchange, None)
    exchange.put(b"one\ntw", b"o\nthree", b"")
    async for line in answer.lines():
      break
    return line, await answer.read(1), await answer.read()

  assert run(main()) == (b"one", b"t", b"wo\nthree")


def test_a_write_that_nobody_takes_ends_in_its_time():
  class Deaf(Exchanged):
    left = 3
    begun = b""

    def when_ready(self, what, number):
      return not self.begun and super().when_ready(what, number)

    def start_write(self, data):
      self.begun = data
      return len(data)

    def finish_write(self):
      taken, self.left, self.begun = min(self.left, len(self.begun)), 0, b""
      if not taken:
        raise pyswarm.DeadlineExceeded(504, "DEADLINE_EXCEEDED", "nothing was taken")
      return taken

  async def main():
    exchange = Deaf()
    exchange.room = 1
    answer = pyswarm.aio.Response(exchange, None)
    assert await answer.write(b"hello", 0.05) == 3
    with pytest.raises(pyswarm.DeadlineExceeded):
      await answer.write(b"lo", 0.05)

  run(main())


@pytest.mark.parametrize("finish", ["in time", "late"])
def test_a_write_that_is_cancelled_leaves_no_piece_unfinished(finish):
  class Full(Exchanged):
    """As the exchange of a manager whose other side does not read yet."""
    begun, is_full = b"", True

    def when_ready(self, what, number):
      return not self.is_full if self.begun else super().when_ready(what, number)

    def start_write(self, data):
      if self.begun:
        raise pyswarm.FailedPrecondition(412, "FAILED_PRECONDITION", "the piece before is not finished")
      self.begun = data
      return len(data)

    def finish_write(self):
      taken, self.begun = len(self.begun), b""
      if finish == "late" and self.is_full:
        raise pyswarm.DeadlineExceeded(504, "DEADLINE_EXCEEDED", "nothing was taken")
      return taken

  async def main():
    exchange = Full()
    exchange.room = 1
    with pytest.raises(asyncio.TimeoutError):
      await asyncio.wait_for(_ready.write(exchange, b"hello", 30), 0.05)
    assert not _ready._waits._waiters
    exchange.is_full = False
    return await _ready.write(exchange, b"more", 10)

  assert run(main()) == 4


def test_a_follower_that_is_cancelled_and_dropped_gives_the_stream_up():
  async def main():
    exchange = Exchanged()

    async def follow():
      async for _ in pyswarm.aio.Response(exchange, None):
        pass

    following = asyncio.ensure_future(follow())
    await until(lambda: exchange.waiters)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
      await following
    del following
    await until(lambda: gc.collect() >= 0 and exchange.aborted.is_set())
    await until(lambda: len(asyncio.all_tasks()) <= 2)  # this one and that of run()

  run(main())
