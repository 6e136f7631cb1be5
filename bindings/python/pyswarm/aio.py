"""pyswarm for asyncio: the same manager with coroutines and async iterators.

  async with pyswarm.aio.Manager("sim://3") as manager:
    await manager.wait_ready()
    await manager.create_container({"Image": "busybox"}, name="web", start=True)
    async with await manager.events() as events:
      async for event in events:
        print(event["Action"])

Nothing here blocks the event loop. Requests and streams wait without a thread, any number of them: the manager says
when something is ready. What else may take its time (open, close, plan, files that are sent) runs on threads of bounded
sets. A task that is cancelled in request() gives the request up; one that is cancelled while it reads a stream loses nothing,
the next read goes on.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from . import _manager
from ._errors import DeadlineExceeded, FailedPrecondition, ResourceExhausted
from ._paths import Filters, filters_text, path as _path
from ._response import (FOREVER, MOST_BODY, PIECE, Body, Headers, Pending, Response as _Blocking, error_of, pieces_of,
                        split_body)
from ._values import Explanation, Node
from ._ready import read as _read, ready as _ready, write as _write, write_all as _write_all
from ._workers import Workers as _Workers, begin as _begin, bodies as _bodies, calls as _calls, in_turns as _in_turns
from ._workers import run as _run

if TYPE_CHECKING:
  from ._core import Exchange

__all__ = ["Events", "Manager", "Response"]

# What the body of a request may be here: also an async iterable of bytes.
AsyncBody = Union[Body, AsyncIterable[bytes]]


def _seconds(timeout: Optional[float]) -> float:
  return FOREVER if timeout is None else timeout


def _late(what: str, seconds: float) -> DeadlineExceeded:
  return DeadlineExceeded(504, "DEADLINE_EXCEEDED", "%s: no answer within %g s" % (what, seconds))


async def _read_all(exchange: Exchange, what: str, most: int, seconds: float, end: float) -> bytes:
  """The whole body, until `end`, which is `seconds` behind the beginning."""
  pieces: list[bytes] = []
  size = 0
  while await _ready(exchange, "read", max(end - time.monotonic(), 0.0)):
    piece = exchange.take(PIECE)
    if not piece:
      return b"".join(pieces)
    pieces.append(piece)
    size += len(piece)
    if size > most:
      raise ResourceExhausted(
        429, "RESOURCE_EXHAUSTED", "%s: the answer is longer than %d bytes; allow more by max_body, or ask with "
        "stream=True and read it in pieces" % (what, most))
  raise _late(what, seconds)


class Response:
  """The answer to Manager.request(); see pyswarm.Response. An async context manager; leaving it gives up what is
  not read. One task reads and one writes at a time."""

  def __init__(self, exchange: Exchange, body: Optional[bytes]) -> None:
    """For Manager.request()."""
    self._exchange = exchange
    self._head = _Blocking(exchange, body)
    self._pending = Pending(body or b"")
    self._ended = body is not None
    if body is None:
      # Dropped, it is given up as by close().
      weakref.finalize(self, exchange.abort).atexit = False

  @property
  def status(self) -> int:
    """The HTTP status, 200."""
    return self._head.status

  @property
  def headers(self) -> Headers:
    """The header fields."""
    return self._head.headers

  @property
  def tunnel(self) -> bool:
    """True when the answer is a two-way stream of bytes (attach, exec)."""
    return self._head.tunnel

  async def _piece(self) -> bytes:
    """The next piece of the stream. A task that is cancelled here has taken nothing."""
    if self._ended:
      return b""
    piece = await _read(self._exchange, PIECE)
    self._ended = not piece
    return piece

  async def read(self, size: int = -1) -> bytes:
    """Bytes of the body or of the tunnel, b"" at their end: at most `size`, as soon as there are any; -1 = all up to
    the end. The errors of pyswarm.Response.read(); a bound in time is asyncio.wait_for()."""
    if size >= 0 and not self._pending:
      self._pending.add(await self._piece())
    if size < 0:
      pieces = [self._pending.take()]
      try:
        while True:
          piece = await self._piece()
          if not piece:
            return b"".join(pieces)
          pieces.append(piece)
      except BaseException:
        self._pending.put_back(b"".join(pieces))
        raise
    return self._pending.take(size)

  async def json(self) -> Any:
    """The whole body as JSON. ValueError when it is none."""
    return json.loads(await self.read())

  async def __aiter__(self) -> AsyncIterator[bytes]:
    """The pieces of the body as they come."""
    while True:
      piece = await self.read(PIECE)
      if not piece:
        return
      yield piece

  async def lines(self) -> AsyncIterator[bytes]:
    """The lines of the body as they come, without their ends. A task that stops or is cancelled in the middle loses
    nothing, not even a part of a line: the next call of this or of read() goes on behind the last line given."""
    while True:
      line = await self.next_line()
      if line is None:
        return
      yield line

  async def next_line(self) -> Optional[bytes]:
    """The next of lines(); None at their end."""
    while True:
      line = self._pending.take_line()
      if line is not None:
        return line
      piece = await self._piece()
      if not piece:
        return self._pending.take() or None
      self._pending.add(piece)

  async def raise_for_status(self) -> Response:
    """Raises the exception of the status when it is 400 or above; else itself."""
    if self.status >= 400:
      raise error_of(self.status, self.headers, await self.read())
    return self

  async def write(self, data: bytes, timeout: Optional[float] = None) -> int:
    """As pyswarm.Response.write(). A task that is cancelled in it closes the response: nobody can tell how much was
    taken."""
    try:
      return await _write(self._exchange, data, _seconds(timeout))
    except asyncio.CancelledError:
      self.close()
      raise

  async def close_write(self) -> None:
    """Ends our side of the tunnel; reading goes on."""
    self._exchange.close_write()

  def close(self) -> None:
    """Gives up what is not read. Never waits; may be repeated."""
    self._head.close()

  async def __aenter__(self) -> Response:
    return self

  async def __aexit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                      trace: Optional[TracebackType]) -> None:
    self.close()


class Events:
  """The events of a cluster as dicts, as they happen: an async iterator and an async context manager."""

  def __init__(self, response: Response) -> None:
    """For Manager.events()."""
    self._response = response

  def __aiter__(self) -> Events:
    return self

  async def __anext__(self) -> dict[str, Any]:
    while True:
      line = await self._response.next_line()
      if line is None:
        raise StopAsyncIteration
      if line:
        event: dict[str, Any] = json.loads(line)
        return event

  def close(self) -> None:
    """Ends the subscription; whoever waits for an event gets Cancelled. May be repeated."""
    self._response.close()

  async def __aenter__(self) -> Events:
    return self

  async def __aexit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                      trace: Optional[TracebackType]) -> None:
    self.close()


def _close(made: list[_manager.Manager]) -> None:
  made.pop().close(0)


class Manager:
  """A manager for asyncio, opened by `async with` (or `await manager.open()`) and closed when that is left.

  The arguments are those of pyswarm.Manager, without caller_threads. Alternatively `blocking` is a pyswarm.Manager that
  is open already; leaving the context then leaves it open.
  """

  def __init__(
    self,
    discovery: str = "",
    *,
    blocking: Optional[_manager.Manager] = None,
    strategy: str = "spread",
    listen: Sequence[str] = (),
    filters: Optional[Sequence[str]] = None,
    custom_filters: Optional[Mapping[str, Any]] = None,
    custom_strategies: Optional[Mapping[str, Any]] = None,
    custom_discovery: Optional[Mapping[str, Any]] = None,
    simulation: str = "",
    tls: bool = False,
    tls_verify: bool = False,
    tls_ca: str = "",
    tls_cert: str = "",
    tls_key: str = "",
    insecure: bool = False,
    names: str = "both",
    overcommit: float = 0.05,
    create_retry: int = 0,
    cpu_shares_as_cores: bool = False,
    pull_on_create: bool = False,
    relay_ports: str = "off",
    cors: bool = False,
    experimental: bool = False,
    heartbeat: float = 60.0,
    refresh_min: float = 30.0,
    refresh_max: float = 60.0,
    failure_retry: int = 3,
    engine_timeout: float = 10.0,
    threads: int = 0,
    max_connections: int = 0,
    max_connections_per_client: int = 0,
    client_memory: int = 64 << 20,
    event_memory: int = 32 << 20,
    event_listeners: int = 16_384,
    seed: int = 0,
    log: Optional[_manager.Log] = None,
  ) -> None:
    self._blocking = blocking
    self._is_ours = blocking is None
    self._opening: Optional[asyncio.Future[list[_manager.Manager]]] = None
    self._openers = 0
    self._make: Callable[[], _manager.Manager] = lambda: _manager.Manager(
      discovery, strategy=strategy, listen=listen, filters=filters, custom_filters=custom_filters,
      custom_strategies=custom_strategies, custom_discovery=custom_discovery, simulation=simulation, tls=tls,
      tls_verify=tls_verify, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key, insecure=insecure, names=names,
      overcommit=overcommit, create_retry=create_retry, cpu_shares_as_cores=cpu_shares_as_cores,
      pull_on_create=pull_on_create, relay_ports=relay_ports, cors=cors, experimental=experimental,
      heartbeat=heartbeat, refresh_min=refresh_min, refresh_max=refresh_max, failure_retry=failure_retry,
      engine_timeout=engine_timeout, threads=threads, max_connections=max_connections,
      max_connections_per_client=max_connections_per_client, client_memory=client_memory, event_memory=event_memory,
      event_listeners=event_listeners, seed=seed, log=log)

  @property
  def blocking(self) -> _manager.Manager:
    """The same manager for code that blocks. FailedPrecondition: it is not open yet."""
    if self._blocking is None:
      raise FailedPrecondition(409, "FAILED_PRECONDITION",
                               "the manager is not open: use `async with`, or await open() first")
    return self._blocking

  async def open(self) -> Manager:
    """Opens it; the errors of pyswarm.Manager(). Nothing when it is open. Tasks that open it at once open it once;
    when all of them are cancelled, what was opened is closed."""
    if self._blocking is not None:
      return self
    if self._opening is None:
      # In a list, to be taken out: the loop keeps what futures gave for a while.
      self._opening = _begin(_calls, lambda: [self._make()], drop=_close)
    opening = self._opening
    self._openers += 1
    try:
      made = await asyncio.shield(opening)
      if self._blocking is None:
        self._blocking = made.pop()
    finally:
      self._openers -= 1
      if self._openers == 0:
        self._opening = None
        if self._blocking is None and not opening.cancel() and opening.exception() is None:
          # Opened in the turn of the loop in which the last task was cancelled.
          _Workers(1).submit(functools.partial(_close, opening.result()))
    return self

  def __del__(self) -> None:
    # The end of one that was not closed takes its time: not here, maybe on the event loop.
    blocking = self.__dict__.pop("_blocking", None)
    if self.__dict__.get("_is_ours") and blocking is not None and not blocking.closed:
      _manager.warn_unclosed(self, 1)
      blocking.is_dropped = True
      held = [blocking]
      del blocking
      try:
        _Workers(1).submit(held.clear)
      except RuntimeError:
        pass  # the interpreter ends, and has closed it

  async def __aenter__(self) -> Manager:
    return await self.open()

  async def __aexit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                      trace: Optional[TracebackType]) -> None:
    if self._is_ours:
      await self.close()

  async def close(self, grace: float = 10.0) -> None:
    """As pyswarm.Manager.close()."""
    if self._blocking is not None:
      # On a thread of its own: it waits for what the others do.
      await _run(_Workers(1), self._blocking.close, grace)

  async def serve(self) -> list[str]:
    """As pyswarm.Manager.serve()."""
    return await _run(_calls, self.blocking.serve)

  @property
  def addresses(self) -> list[str]:
    """The addresses that serve() bound."""
    return self.blocking.addresses

  @property
  def closed(self) -> bool:
    """close() was called."""
    return self._blocking is not None and self._blocking.closed

  async def wait_ready(self, timeout: float = 30.0) -> None:
    """As pyswarm.Manager.wait_ready()."""
    await _in_turns("wait_ready", timeout, self.blocking.wait_ready)

  async def request(
    self,
    method: str,
    path: str,
    body: AsyncBody = None,
    headers: Optional[Mapping[str, str]] = None,
    *,
    stream: bool = False,
    upgrade: bool = False,
    timeout: Optional[float] = 60.0,
    max_body: int = MOST_BODY,
  ) -> Response:
    """As pyswarm.Manager.request(); `body` may also be an async iterable of bytes. A task that is cancelled in it gives
    the request up, on the engine too."""
    data, fields, streamed = split_body(body, headers)
    what = "%s %s" % (method.upper(), path.split("?", 1)[0])
    core = self.blocking._core
    exchange = core.begin(method.upper(), path, fields, data, streamed, upgrade)
    try:
      seconds = _seconds(timeout)
      if streamed:
        await self._send(exchange, body, seconds)
      end = time.monotonic() + seconds
      if not await _ready(exchange, "head", seconds):
        raise _late(what, seconds)
      exchange.take_head()
      if stream or upgrade:
        return Response(exchange, None)
      if exchange.tunnel:
        exchange.close_write()
      return Response(exchange, await _read_all(exchange, what, max_body, seconds, end))
    except BaseException:
      exchange.abort()
      raise

  async def _send(self, exchange: Exchange, body: Any, timeout: float) -> None:
    try:
      if hasattr(body, "__aiter__"):
        async for piece in body:
          if piece:
            await _write_all(exchange, bytes(piece), timeout)
      else:
        pieces = pieces_of(body)
        while True:
          # A file or a generator may block.
          following: Optional[bytes] = await _run(_bodies, lambda: next(pieces, None))
          if following is None:
            break
          await _write_all(exchange, following, timeout)
      exchange.close_write()
    except FailedPrecondition:
      return  # answered already, without wanting the rest

  async def plan(self, body: Mapping[str, Any], name: str = "", platform: str = "") -> Explanation:
    """As pyswarm.Manager.plan()."""
    return await _run(_calls, self.blocking.plan, body, name, platform)

  async def create_container(
    self,
    body: Mapping[str, Any],
    name: Optional[str] = None,
    platform: Optional[str] = None,
    start: bool = False,
    timeout: Optional[float] = 60.0,
  ) -> str:
    """As pyswarm.Manager.create_container()."""
    answer = await self.request("POST", _path("containers", "create", name=name, platform=platform), dict(body),
                                timeout=timeout)
    await answer.raise_for_status()
    made = str((await answer.json())["Id"])
    if start:
      await self.start(made, timeout=timeout)
    return made

  async def containers(self, all: bool = True, filters: Optional[Filters] = None,
                       max_body: int = MOST_BODY) -> list[dict[str, Any]]:
    """As pyswarm.Manager.containers()."""
    answer = await self.request("GET", _path("containers", "json", all=all, filters=filters_text(filters)),
                                max_body=max_body)
    found: list[dict[str, Any]] = await (await answer.raise_for_status()).json()
    return found

  async def inspect(self, ref: str, max_body: int = MOST_BODY) -> dict[str, Any]:
    """As pyswarm.Manager.inspect()."""
    answer = await self.request("GET", _path("containers", ref, "json"), max_body=max_body)
    found: dict[str, Any] = await (await answer.raise_for_status()).json()
    return found

  async def start(self, ref: str, timeout: Optional[float] = 60.0) -> None:
    """As pyswarm.Manager.start()."""
    answer = await self.request("POST", _path("containers", ref, "start"), timeout=timeout)
    await answer.raise_for_status()

  async def stop(self, ref: str, seconds: Optional[int] = None, timeout: Optional[float] = 60.0) -> None:
    """As pyswarm.Manager.stop()."""
    answer = await self.request("POST", _path("containers", ref, "stop", t=seconds), timeout=timeout)
    await answer.raise_for_status()

  async def remove(self, ref: str, force: bool = False, volumes: bool = False,
                   timeout: Optional[float] = 60.0) -> None:
    """As pyswarm.Manager.remove()."""
    answer = await self.request("DELETE", _path("containers", ref, force=force, v=volumes), timeout=timeout)
    await answer.raise_for_status()

  async def nodes(self) -> list[Node]:
    """As pyswarm.Manager.nodes()."""
    return await _run(_calls, self.blocking.nodes)

  async def events(
    self,
    filters: Optional[Filters] = None,
    since: Union[None, int, float, str] = None,
    until: Union[None, int, float, str] = None,
  ) -> Events:
    """As pyswarm.Manager.events()."""
    target = _path("events", filters=filters_text(filters), since=since, until=until)
    answer = await self.request("GET", target, stream=True)
    return Events(await answer.raise_for_status())


def _with_arguments(own: Optional[str], blocking: Optional[str]) -> Optional[str]:
  """The docstring `own` with what that of the blocking manager says of each argument; None under -OO."""
  if own is None or blocking is None:
    return own
  arguments = blocking[blocking.index("  Args:\n"):].splitlines(keepends=True)
  return own.rstrip() + "\n\n" + "".join(line for line in arguments if not line.startswith("    caller_threads:"))


# help() tells it all in one place.
Manager.__doc__ = _with_arguments(Manager.__doc__, _manager.Manager.__doc__)
