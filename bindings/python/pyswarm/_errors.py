"""The exceptions of pyswarm: one class for each status code of the library."""

from __future__ import annotations


class SwarmError(Exception):
  """An error of the library.

  Attributes:
    status: the HTTP status that a Docker client sees for it, 400..599.
    code: the name of the status code, "NOT_FOUND".
    message: what was asked, what was found, on which node, and what to do next.
  """

  status: int
  code: str
  message: str

  def __init__(self, status: int, code: str, message: str) -> None:
    super().__init__(message)
    self.status = status
    self.code = code
    self.message = message

  def __str__(self) -> str:
    return self.message

  def __reduce__(self) -> tuple[type[SwarmError], tuple[int, str, str]]:
    return type(self), (self.status, self.code, self.message)


class InvalidArgument(SwarmError, ValueError):
  """What was asked cannot be read: an option, a body, an expression."""


class NotFound(SwarmError, KeyError):
  """There is no such container, node, image, path."""


class AlreadyExists(SwarmError):
  """The name is taken."""


class FailedPrecondition(SwarmError):
  """It cannot be done as things are: no node fits, the container runs, the process was forked."""


class ResourceExhausted(SwarmError):
  """A bound was reached: too many requests, an answer that is too long."""


class DeadlineExceeded(SwarmError, TimeoutError):
  """No answer within the time given."""


class Unavailable(SwarmError, ConnectionError):
  """An engine was not reached."""


class Unimplemented(SwarmError, NotImplementedError):
  """The library does not do this."""


class Internal(SwarmError):
  """A fault of an engine, of a callable given to the manager, or of the library."""


class Cancelled(SwarmError):
  """Given up: the manager is closed, or the request was aborted."""


class PermissionDenied(SwarmError, PermissionError):
  """Refused: the registry or the engine does not let this client do it (402, 403)."""


class Unauthenticated(SwarmError):
  """Nobody has said who asks, or the credentials are wrong (401)."""


class Aborted(SwarmError):
  """Given up because of what others did at the same time; it may be tried again."""


class OutOfRange(SwarmError, ValueError):
  """A value lies outside of what there is."""


class DataLoss(SwarmError):
  """Something that was kept is lost or broken."""


class Unknown(SwarmError):
  """An error of which nothing more is known."""


# By the number of the canonical code.
_BY_CODE: dict[int, tuple[str, type[SwarmError]]] = {
  1: ("CANCELLED", Cancelled),
  2: ("UNKNOWN", Unknown),
  3: ("INVALID_ARGUMENT", InvalidArgument),
  4: ("DEADLINE_EXCEEDED", DeadlineExceeded),
  5: ("NOT_FOUND", NotFound),
  6: ("ALREADY_EXISTS", AlreadyExists),
  7: ("PERMISSION_DENIED", PermissionDenied),
  8: ("RESOURCE_EXHAUSTED", ResourceExhausted),
  9: ("FAILED_PRECONDITION", FailedPrecondition),
  10: ("ABORTED", Aborted),
  11: ("OUT_OF_RANGE", OutOfRange),
  12: ("UNIMPLEMENTED", Unimplemented),
  13: ("INTERNAL", Internal),
  14: ("UNAVAILABLE", Unavailable),
  15: ("DATA_LOSS", DataLoss),
  16: ("UNAUTHENTICATED", Unauthenticated),
}
_INTERNAL = 13
_NUMBERS = {made: number for number, (_, made) in _BY_CODE.items()}


def from_status(code: int, http_status: int, message: str) -> SwarmError:
  """The exception of a canonical code (absl::StatusCode)."""
  if code not in _BY_CODE:
    code = 3 if http_status < 500 else _INTERNAL
  name, made = _BY_CODE[code]
  return made(http_status, name, message)


def code_number(error: BaseException) -> int:
  """The canonical code that stands for an exception of a callable: that of its class, or INTERNAL."""
  for kind in type(error).__mro__:
    if kind in _NUMBERS:
      return _NUMBERS[kind]
  return _INTERNAL
