"""Requests and answers that both faces of pyswarm, the blocking one and aio, are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Optional, Union

from . import _core
from ._errors import SwarmError, from_status

if TYPE_CHECKING:
  from ._core import Exchange

# What the body of a request may be. A dict or a list is sent as JSON, and a str as JSON in text; an iterable of bytes and a binary file are
# sent as they come.
Body = Union[None, bytes, bytearray, memoryview, str, dict[str, Any], list[Any], Iterable[bytes], BinaryIO]

FOREVER = float("inf")
PIECE = 64 * 1024
# What one write of many copies at once.
WRITE_BYTES = 1 << 20
MOST_BODY = 64 << 20


class Headers(Mapping[str, str]):
  """Header fields by name, in any case. Several fields of one name are joined by ", "; get_all has
  them apart."""

  __slots__ = ("_fields",)

  def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
    self._fields = list(fields)

  def __getitem__(self, name: str) -> str:
    values = self.get_all(name)
    if not values:
      raise KeyError(name)
    return ", ".join(values)

  def __iter__(self) -> Iterator[str]:
    return iter(dict.fromkeys(name.lower() for name, _ in self._fields))

  def __len__(self) -> int:
    return len(set(name.lower() for name, _ in self._fields))

  def __repr__(self) -> str:
    return "Headers(%r)" % (self._fields,)

  @property
  def fields(self) -> list[tuple[str, str]]:
    """All of them, in order."""
    return list(self._fields)

  def get_all(self, name: str) -> list[str]:
    """Every field of that name, in order."""
    wanted = name.lower()
    return [value for field, value in self._fields if field.lower() == wanted]


def split_body(body: object, headers: Optional[Mapping[str, str]]) -> tuple[bytes, list[tuple[str, str]], bool]:
  """The bytes to send at once, the header fields, and whether the body is streamed instead."""
  fields = [(str(name), str(value)) for name, value in (headers or {}).items()]
  if body is None:
    return b"", fields, False
  if isinstance(body, (bytes, bytearray, memoryview)):
    return bytes(body), fields, False
  if isinstance(body, (str, dict, list)):
    if not any(name.lower() == "content-type" for name, _ in fields):
      fields.append(("Content-Type", "application/json"))
    text = body if isinstance(body, str) else json.dumps(body)
    return text.encode(), fields, False
  return b"", fields, True


def pieces_of(body: Any) -> Iterator[bytes]:
  """The pieces of a streamed body: of a file, or of an iterable of bytes."""
  read = getattr(body, "read", None)
  if not callable(read):
    for piece in body:
      if piece:
        yield bytes(piece)
    return
  while True:
    piece = read(PIECE)
    if not piece:
      return
    yield piece


def error_of(status: int, headers: Headers, body: bytes) -> SwarmError:
  """The exception of an answer that is an error, with Docker's {"message": ...} as its message."""
  code, message = _core.error_of_reply(status, headers.fields, body)
  return from_status(code, status, message)


def write_all(exchange: Exchange, data: bytes, timeout: float) -> None:
  """Writes `data` for as long as something of it is taken within each `timeout` seconds."""
  left = memoryview(data)
  while left:
    left = left[exchange.write(bytes(left[:WRITE_BYTES]), timeout):]


class Pending:
  """Bytes that have come and were not asked for yet."""

  __slots__ = ("_bytes", "_at")

  def __init__(self, first: bytes = b"") -> None:
    self._bytes = first
    self._at = 0

  def __bool__(self) -> bool:
    return self._at < len(self._bytes)

  def take(self, size: int = -1) -> bytes:
    """At most `size` of them, -1 = all."""
    end = len(self._bytes) if size < 0 else min(self._at + size, len(self._bytes))
    taken, self._at = self._bytes[self._at:end], end
    if end == len(self._bytes):
      self._bytes, self._at = b"", 0
    return taken

  def take_line(self) -> Optional[bytes]:
    """The next line without its end; None when its end has not come."""
    end = self._bytes.find(b"\n", self._at)
    if end < 0:
      return None
    return self.take(end + 1 - self._at)[:-1].rstrip(b"\r")

  def add(self, piece: bytes) -> None:
    """Further ones, behind these."""
    self._bytes, self._at = self._bytes[self._at:] + piece, 0

  def put_back(self, piece: bytes) -> None:
    """Some that were taken last."""
    self._bytes, self._at = piece + self._bytes[self._at:], 0


class Response:
  """The answer to Manager.request(): its head, and a body that is whole already, or comes as it is read
  (stream=True, upgrade=True). A context manager; leaving it gives up what is not read.

  One thread reads and one writes at a time; any thread may close.
  """

  def __init__(self, exchange: Exchange, body: Optional[bytes]) -> None:
    """For Manager.request(). `body`: None when it is still to come."""
    self._exchange = exchange
    self._status = exchange.status
    self._headers = Headers(exchange.headers)
    self._tunnel = exchange.tunnel and body is None
    self._pending = Pending(body or b"")
    self._whole = body is not None
    self._closed = False

  @property
  def status(self) -> int:
    """The HTTP status, 200."""
    return self._status

  @property
  def headers(self) -> Headers:
    """The header fields."""
    return self._headers

  @property
  def tunnel(self) -> bool:
    """True when the answer is a two-way stream of bytes (attach, exec): write() sends into it."""
    return self._tunnel

  @property
  def closed(self) -> bool:
    """close() was called."""
    return self._closed

  def read(self, size: int = -1, timeout: Optional[float] = None) -> bytes:
    """Bytes of the body or of the tunnel, b"" at their end.

    Args:
      size: of a stream, at most so many bytes, and at least one, as soon as there are any; -1 = all up to
        the end. Of a body that is whole, the next `size` bytes.
      timeout: seconds; None = as long as it takes. What came until then is not lost: ask again.

    Raises:
      DeadlineExceeded: after `timeout`.
      Cancelled: the manager or the response was closed meanwhile.
      SwarmError: the stream broke off.
    """
    if self._whole or (self._pending and size >= 0):
      return self._pending.take(size)
    seconds = FOREVER if timeout is None else timeout
    if size < 0:
      rest = self._exchange.read_all(1 << 62, seconds)
      return self._pending.take() + rest
    return self._exchange.read(size, seconds)

  def json(self) -> Any:
    """The whole body as JSON. ValueError when it is none."""
    return json.loads(self.read())

  def __iter__(self) -> Iterator[bytes]:
    """The pieces of the body as they come."""
    while True:
      piece = self.read(PIECE)
      if not piece:
        return
      yield piece

  def lines(self) -> Iterator[bytes]:
    """The lines of the body as they come, without their ends. Who stops in the middle loses nothing: the next call of
    this or of read() goes on behind the last line that was given."""
    while True:
      line = self.next_line()
      if line is None:
        return
      yield line

  def next_line(self) -> Optional[bytes]:
    """The next of lines(); None at their end."""
    while True:
      line = self._pending.take_line()
      if line is not None:
        return line
      piece = b"" if self._whole else self._exchange.read(PIECE, FOREVER)
      if not piece:
        return self._pending.take() or None
      self._pending.add(piece)

  def raise_for_status(self) -> Response:
    """Raises the exception of the status when it is 400 or above (NotFound for 404, ...); else itself.
    Reads the body of the error."""
    if self._status >= 400:
      raise error_of(self._status, self._headers, self.read())
    return self

  def write(self, data: bytes, timeout: Optional[float] = None) -> int:
    """Sends bytes into the tunnel and waits until they are taken. Gives how many were: all of them, or those that were
    within `timeout` seconds (None = as long as it takes). Up to 65,536 count as taken that are still on their way.

    Raises:
      DeadlineExceeded: none was taken; nothing is lost, ask again.
      FailedPrecondition: it is no tunnel, or was closed on our side.
    """
    return self._exchange.write(data, FOREVER if timeout is None else timeout)

  def close_write(self) -> None:
    """Ends our side of the tunnel, as a closed standard input; reading goes on."""
    self._exchange.close_write()

  def close(self) -> None:
    """Gives up what is not read: the work on the engine is cancelled. Never waits; may be repeated."""
    self._closed = True
    self._exchange.abort()

  def __enter__(self) -> Response:
    return self

  def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
               trace: Optional[TracebackType]) -> None:
    self.close()

  def __repr__(self) -> str:
    return "<pyswarm.Response %d>" % self._status


class Events:
  """The events of a cluster as dicts, in the form of Docker's API, as they happen. An iterator and a
  context manager."""

  def __init__(self, response: Response) -> None:
    """For Manager.events()."""
    self._response = response

  def __iter__(self) -> Events:
    return self

  def __next__(self) -> dict[str, Any]:
    while True:
      line = self._response.next_line()
      if line is None:
        raise StopIteration
      if line:
        event: dict[str, Any] = json.loads(line)
        return event

  def close(self) -> None:
    """Ends the subscription; whoever waits for an event gets Cancelled. May be repeated."""
    self._response.close()

  def __enter__(self) -> Events:
    return self

  def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
               trace: Optional[TracebackType]) -> None:
    self.close()
