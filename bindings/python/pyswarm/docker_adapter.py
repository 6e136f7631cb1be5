"""docker-py in process on a Manager: no socket is opened and nothing is served.

>>> import pyswarm, pyswarm.docker_adapter
>>> with pyswarm.Manager("sim://3") as manager:
...   client = pyswarm.docker_adapter.client(manager)
...   client.containers.run("busybox", ["echo", "hello"])
b'hello\n'

Every request of the client becomes a `Manager.request()`; answers stream, and exec and attach are tunnels, so
`exec_run(socket=True)`, `attach_socket()` and `logs(follow=True, stream=True)` behave as they do over a connection. The
one thing that is missing is `attach_socket(ws=True)`, which raises docker.errors.DockerException.

docker-py (`docker` 5 or newer) is imported when it is first asked for, so this module can be imported without it.
"""

from __future__ import annotations

import atexit
import functools
import http.client
import importlib
import os
import select
import socket
import sys
import threading
import types
import weakref
from types import ModuleType
from typing import TYPE_CHECKING, Any, Optional

from ._errors import SwarmError
from ._manager import Manager
from ._response import Response

if TYPE_CHECKING:
  import docker

__all__ = ["api_client", "client"]

_READ_BYTES = 65536
# How long a tunnel whose local end was closed may still deliver what was written into it.
_LINGER_SECONDS = 2.0
_EXIT_SECONDS = 1.0
# Between the manager's transport and us, not of the request itself.
_HOP_FIELDS = frozenset(("accept-encoding", "connection", "content-length", "host", "keep-alive", "te", "trailer",
                         "transfer-encoding", "upgrade"))


def client(manager: Manager, version: Optional[str] = None, timeout: Optional[float] = 60) -> docker.DockerClient:
  """A docker.DockerClient whose requests `manager` (a pyswarm.Manager) answers in this process.

  version: the API version to speak, "1.41"; None or "auto": the newest of the manager's.
  timeout: seconds until the head of an answer, and between two pieces of its body; None: no bound.

  The client may be used on several threads, as docker-py allows. It does not own the manager: close both, the client
  first. Requests of a closed manager raise requests.exceptions.ConnectionError. Raises ImportError without docker-py.
  """
  return _classes().Client(manager, version=version, timeout=timeout)


def api_client(manager: Manager, version: Optional[str] = None, timeout: Optional[float] = 60) -> docker.APIClient:
  """The same as docker.APIClient, the low-level client."""
  return _classes().APIClient(manager, version=version, timeout=timeout)


def _import_docker() -> tuple[ModuleType, ModuleType, ModuleType]:
  try:
    docker, requests, urllib3 = (importlib.import_module(name) for name in ("docker", "requests", "urllib3"))
  except ImportError as error:
    raise ImportError("pyswarm.docker_adapter needs docker-py: install the package docker "
                      "(on Debian python3-docker); %s" % error) from error
  return docker, requests, urllib3


def _read(answer: Response, timeout: Optional[float]) -> bytes:
  """The next bytes of an answer or a tunnel, b"" at its end."""
  return answer.read(_READ_BYTES, timeout=timeout)


def _translated(error: SwarmError) -> Exception:
  """What requests raises in place of an error of the library."""
  _, requests, _ = _import_docker()
  if isinstance(error, TimeoutError):
    late: Exception = requests.exceptions.ReadTimeout(error)
    return late
  broken: Exception = requests.exceptions.ConnectionError(error)
  return broken


class _Body:
  """The body of an answer, with what docker-py and urllib3 look for in http.client.HTTPResponse."""

  def __init__(self, response: Response, timeout: Optional[float], chunked: bool) -> None:
    self._answer = response
    self._timeout = timeout
    self._buffer = b""
    self._closed = False
    self._response: object = None  # docker-py keeps its own there
    self.chunked = chunked  # docker-py takes an answer that is not for an error and reads it whole

  # docker-py reaches for `_fp.fp.raw` and `_fp.fp.raw._sock` to find the socket. It is this object.
  @property
  def fp(self) -> _Body:
    return self

  raw = _sock = fp

  @property
  def chunk_left(self) -> int:
    """Bytes that are there already."""
    return len(self._buffer)

  def read(self, size: Optional[int] = None) -> bytes:
    """`size` bytes, fewer only at the end; everything without a size."""
    pieces: list[bytes] = []
    missing = sys.maxsize if size is None or size < 0 else size
    while missing > 0 and not self._closed:
      if not self._buffer:
        self._buffer = self._next()
        if not self._buffer:
          self.close()
          break
      piece = self._buffer if missing >= len(self._buffer) else self._buffer[:missing]
      self._buffer = self._buffer[len(piece):]
      pieces.append(piece)
      missing -= len(piece)
    return b"".join(pieces)

  def _next(self) -> bytes:
    try:
      return _read(self._answer, self._timeout)
    except SwarmError as error:
      if self._closed:  # by another thread: a stream that was closed has ended
        return b""
      # As a socket says it: urllib3 and requests make their own errors of these.
      if isinstance(error, TimeoutError):
        raise socket.timeout(str(error)) from error
      raise ConnectionResetError(str(error)) from error

  def isclosed(self) -> bool:
    return self._closed

  @property
  def closed(self) -> bool:
    return self.isclosed()

  def flush(self) -> None:
    pass

  def close(self) -> None:
    self._closed = True
    self._answer.close()

  def shutdown(self, _how: int) -> None:
    self.close()

  def gettimeout(self) -> Optional[float]:
    return self._timeout

  def settimeout(self, seconds: Optional[float]) -> None:
    self._timeout = seconds


class _Tunnel:
  """A tunnel as a connected socket of this process: docker-py hands it to its users, who select, send and shut down."""

  chunked = False
  chunk_left = 0

  def __init__(self, response: Response) -> None:
    mine, theirs = socket.socketpair()
    self.fp = theirs.makefile("rb")
    theirs.close()  # what makefile gave keeps it open
    self._pumps = _Pumps(mine, response)

  def read(self, size: Optional[int] = None) -> bytes:
    return self.fp.read(-1 if size is None else size)

  def isclosed(self) -> bool:
    return self.fp.closed

  @property
  def closed(self) -> bool:
    return self.isclosed()

  def flush(self) -> None:
    pass

  def close(self) -> None:
    self.fp.close()


class _Pumps:
  """Carries bytes between a tunnel and our end of a pair of sockets until both directions have ended."""

  _all: weakref.WeakSet[_Pumps] = weakref.WeakSet()

  def __init__(self, sock: socket.socket, answer: Response) -> None:
    self._sock, self._answer = sock, answer
    self._down = threading.Thread(target=self._carry_down, name="pyswarm-tunnel-down", daemon=True)
    self._up = threading.Thread(target=self._carry_up, name="pyswarm-tunnel-up", daemon=True)
    _Pumps._all.add(self)
    self._down.start()
    self._up.start()

  def _carry_down(self) -> None:
    try:
      while True:
        data = _read(self._answer, None)
        if not data:
          break
        self._sock.sendall(data)
    except (OSError, SwarmError):
      pass  # seen below as the end of the stream, which is all that a connection would show
    try:
      self._sock.shutdown(socket.SHUT_WR)
    except OSError:
      pass

  def _carry_up(self) -> None:
    try:
      while True:
        data = self._sock.recv(_READ_BYTES)
        if not data:
          break
        self._answer.write(data)
      self._answer.close_write()
      gone = select.poll()
      gone.register(self._sock, 0)  # told without being asked for: the other end is closed, not only half
      gone.poll()
    except (OSError, SwarmError):
      pass
    self._down.join(_LINGER_SECONDS)
    self._answer.close()
    try:
      self._sock.shutdown(socket.SHUT_RDWR)
    except OSError:
      pass
    self._down.join()
    self._sock.close()

  def end(self) -> None:
    """Cuts both directions."""
    self._answer.close()
    try:
      self._sock.shutdown(socket.SHUT_RDWR)
    except OSError:
      pass

  @staticmethod
  def end_all() -> None:
    """At the interpreter's end: no thread of ours may be inside the library when it is torn down."""
    pumps = list(_Pumps._all)
    for pump in pumps:
      pump.end()
    for pump in pumps:
      pump._up.join(_EXIT_SECONDS)


  @staticmethod
  def forget_all() -> None:
    """In the child of a fork: the tunnels go on in the parent, and a shutdown here would be theirs too."""
    _Pumps._all = weakref.WeakSet()


atexit.register(_Pumps.end_all)
os.register_at_fork(after_in_child=_Pumps.forget_all)


@functools.lru_cache(maxsize=None)
def _classes() -> types.SimpleNamespace:
  """The classes that extend docker-py's, made when it is first needed."""
  docker, requests, urllib3 = _import_docker()

  class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc,name-defined]
    """Sends the requests of a requests.Session to a manager."""

    def __init__(self, manager: Manager) -> None:
      super().__init__()
      self._manager = manager

    def send(self, request: Any, stream: bool = False, timeout: Any = None, verify: Any = True, cert: Any = None,
             proxies: Any = None) -> Any:
      wait = timeout[1] if isinstance(timeout, tuple) else timeout
      headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_FIELDS}
      upgrade = "upgrade" in request.headers
      try:
        answer = self._manager.request(request.method, request.path_url, body=request.body, headers=headers,
                                       stream=True, upgrade=upgrade, timeout=wait)
      except SwarmError as error:
        raise _translated(error) from error
      body = _Tunnel(answer) if answer.tunnel else _Body(answer, wait, chunked=answer.status < 400)
      raw = urllib3.HTTPResponse(body=body, headers=list(answer.headers.items()), status=answer.status,
                                 reason=http.client.responses.get(answer.status, ""), preload_content=False,
                                 decode_content=False, request_method=request.method)
      return self.build_response(request, raw)

  class APIClient(docker.APIClient):  # type: ignore[misc,name-defined]
    """docker.APIClient on a manager of this process."""

    def __init__(self, manager: Manager, version: Optional[str] = None, timeout: Optional[float] = 60) -> None:
      if version is None or version.lower() == "auto":
        with manager.request("GET", "/version", timeout=timeout) as answer:
          answer.raise_for_status()
          version = answer.json()["ApiVersion"]
      # The constructor opens no connection when it is told the version.
      super().__init__(base_url="tcp://in-process:1", version=version, timeout=timeout)
      self._custom_adapter = Adapter(manager)
      self._unmount("http://", "https://")
      self.mount("http+docker://", self._custom_adapter)
      self.base_url = "http+docker://localhost"  # as docker-py has it for a unix socket: never resolved

    def _create_websocket_connection(self, url: str) -> Any:
      raise docker.errors.DockerException("attach by websocket needs a manager that serves: use attach_socket() "
                                          "without ws=True, or docker.DockerClient on one of manager.addresses")

  class Client(docker.DockerClient):  # type: ignore[misc,name-defined]
    """docker.DockerClient on a manager of this process."""

    def __init__(self, manager: Manager, version: Optional[str] = None, timeout: Optional[float] = 60) -> None:
      self.api = APIClient(manager, version=version, timeout=timeout)

  return types.SimpleNamespace(APIClient=APIClient, Client=Client)
