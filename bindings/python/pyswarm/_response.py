"""Requests and answers that both faces of pyswarm, the blocking one and aio, are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Optional, Union

from ._errors import SwarmError, from_http

if TYPE_CHECKING:
  from ._core import Exchange

# What the body of a request may be. A dict or a list is sent as JSON, and a str as JSON in text; an iterable of bytes and a binary file are
# sent as they come.
Body = Union[None, bytes, bytearray, memoryview, str, dict[str, Any], list[Any], Iterable[bytes], BinaryIO]

FOREVER = float("inf")
PIECE = 64 * 1024
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


def error_of(status: int, body: bytes) -> SwarmError:
  """The exception of an answer that is an error, with Docker's {"message": ...} as its message."""
  text = body.decode("utf-8", "replace").strip()
  try:
    decoded = json.loads(text)
  except ValueError:
    decoded = None
  if isinstance(decoded, dict) and isinstance(decoded.get("message"), str):
    text = decoded["message"].strip()
  return from_http(status, text or "HTTP status %d" % status)


class LineSplitter:
  """Cuts a stream of bytes into lines."""

  __slots__ = ("_rest",)

  def __init__(self) -> None:
    self._rest = b""

  def feed(self, piece: bytes) -> list[bytes]:
    """The lines that end in `piece`, without their ends."""
    lines = (self._rest + piece).split(b"\n")
    self._rest = lines.pop()
    return [line.rstrip(b"\r") for line in lines]

  def rest(self) -> list[bytes]:
    """What is left at the end of the stream."""
    last, self._rest = self._rest, b""
    return [last] if last else []


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
    self._body = body
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
    if self._body is not None:
      if size < 0:
        size = len(self._body)
      piece, self._body = self._body[:size], self._body[size:]
      return piece
    seconds = FOREVER if timeout is None else timeout
    if size < 0:
      return self._exchange.read_all(1 << 62, seconds)
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
    """The lines of the body as they come, without their ends."""
    splitter = LineSplitter()
    for piece in self:
      yield from splitter.feed(piece)
    yield from splitter.rest()

  def raise_for_status(self) -> Response:
    """Raises the exception of the status when it is 400 or above (NotFound for 404, ...); else itself.
    Reads the body of the error."""
    if self._status >= 400:
      raise error_of(self._status, self.read())
    return self

  def write(self, data: bytes) -> None:
    """Sends bytes into the tunnel and waits until they are taken. FailedPrecondition: it is none, or
    was closed on our side."""
    self._exchange.write(data)

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
    self._splitter = LineSplitter()
    self._lines: list[bytes] = []

  def __iter__(self) -> Events:
    return self

  def __next__(self) -> dict[str, Any]:
    while True:
      while self._lines:
        line = self._lines.pop(0)
        if line:
          event: dict[str, Any] = json.loads(line)
          return event
      piece = self._response.read(PIECE)
      if not piece:
        raise StopIteration
      self._lines = self._splitter.feed(piece)

  def close(self) -> None:
    """Ends the subscription; whoever waits for an event gets Cancelled. May be repeated."""
    self._response.close()

  def __enter__(self) -> Events:
    return self

  def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
               trace: Optional[TracebackType]) -> None:
    self.close()
