"""The manager, for programs that block."""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Optional, TypeVar, Union

from . import _core
from ._callbacks import adapted, discovery_adapter, filter_adapter, log_adapter, strategy_adapter, to_stderr
from ._errors import FailedPrecondition
from ._paths import Filters, filters_text, path
from ._response import FOREVER, MOST_BODY, Body, Events, Response, pieces_of, split_body, write_all
from ._threads import start as start_thread
from ._values import Explanation, Node, explanation_of, node_of

Log = Callable[[str, str, dict[str, str]], object]
Self = TypeVar("Self", bound="Manager")
# How long run() waits before it looks for signals.
_SLICE = 0.1

# Waits end and threads of managers stop before the interpreter does.
atexit.register(_core.close_all)
os.register_at_fork(after_in_child=_core.after_fork)


class Manager:
  """A whole cluster manager in this process: discovery, engines, scheduler and Docker's API.

  Opening it starts its threads; the first request or placement is better made after wait_ready(). A context
  manager: leaving it closes. Thread-safe; waits let other Python threads run. After fork() the child can do nothing
  with it (FailedPrecondition). When the interpreter ends, managers that are open are closed. One that is
  dropped open is closed as well, with a ResourceWarning; so is one that only its own callables still know.

  Args:
    discovery: the URL of where the engines are: "nodes://10.0.0.1:2375,10.0.0.2:2375", "file:///etc/swarm/cluster",
      "sim://3?seed=7" (simulated engines), or a scheme of `custom_discovery`.
    strategy: "spread", "binpack", "random", or a name of `custom_strategies`.
    listen: addresses that serve() listens on: "tcp://127.0.0.1:0", "unix:///run/swarm.sock".
    filters: the filters to use, in order; None = all built-in ones, then the custom ones.
    custom_filters: name -> an object with rules_for(spec), or that function itself. It gets the container's wishes as
      a dict (name, image, labels, constraints, affinities, whitelists, nano_cpus, memory, ports, host_network, exposed,
      volumes_from, links, joined, platform) and gives a list of Rule. When it raises, the placement fails with its
      exception's message.
    custom_strategies: name -> an object with rank(usage, request), or that function: a NodeUsage and the Resources
      asked for give an int, the lowest is taken, or None: does not fit. When it raises, the node does not fit, the
      error is logged, and plan() raises it.
    custom_discovery: scheme -> one of: an object with watch(changed), which is called on a thread of its own and calls
      changed(addresses) with the whole set at first and after each change, or changed(exception), from any thread, and may
      return a function that ends it (else its close() is called, if it has one); a callable that takes what follows
      "scheme://" and gives such an object or an iterable, and in that case is called again after each `heartbeat`; an
      iterable of addresses; an iterable of lists, each the whole set from then on.
    simulation: with a custom discovery, the URL of simulated engines ("sim://3?seed=7": sim-0001:2375 to sim-0003:2375)
      that its addresses mean.
    tls, tls_verify, tls_ca, tls_cert, tls_key: TLS to clients and engines; with tls_verify both sides are verified. The
      last three are PEM files.
    insecure: listening beyond loopback without TLS is wanted.
    names: how container names are shown: "both", "node" (/node/web) or "plain" (/web).
    overcommit: share of memory and processors above what a node has.
    create_retry: further tries after a failed create.
    cpu_shares_as_cores, pull_on_create, cors, experimental: as swarmd's flags.
    relay_ports: "off", "label" or "all": carry published ports from here to their nodes.
    heartbeat, refresh_min, refresh_max, engine_timeout: seconds, as swarmd's flags.
    failure_retry: failures in a row until an engine is unhealthy.
    threads: of the manager, 1,024 at most; 0 = one a processor. Custom filters run on up to 8 further ones.
    caller_threads: the manager runs on `threads` threads that call run(), not on its own.
    max_connections: of clients at once, on all addresses; 0 = half of what the limit of descriptors leaves free. When
      they are all there, the one that has been idle longest is closed for the next.
    max_connections_per_client: those of one address or user; 0 = half of max_connections.
    client_memory: bytes, 1 MiB at least, that request bodies in memory and answers that their clients have not read may
      take together. While it is used up, new requests get 503 with Retry-After; what was accepted goes on.
    event_memory: bytes, 1 MiB at least, of the event history that `since` of events reads.
    event_listeners: clients that follow events at once, at least 1; further ones get 503 with Retry-After.
    seed: of names, jitter and the strategy random; 0 = from the operating system.
    log: called with a level (debug, info, warning, error), a message and its fields; on any thread; it must not call
      the manager.

  Raises:
    InvalidArgument: names the argument that is wrong.
    TypeError: an argument is of a wrong type.
  """

  def __init__(
    self,
    discovery: str,
    *,
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
    caller_threads: bool = False,
    max_connections: int = 0,
    max_connections_per_client: int = 0,
    client_memory: int = 64 << 20,
    event_memory: int = 32 << 20,
    event_listeners: int = 16_384,
    seed: int = 0,
    log: Optional[Log] = None,
  ) -> None:
    report = log if log is not None else to_stderr
    self._core = _core.Manager({
      "discovery": discovery, "strategy": strategy, "listen": _names(listen, "listen"),
      "filters": _names(filters or (), "filters"),
      "custom_filters": adapted(custom_filters, filter_adapter, report),
      "custom_strategies": adapted(custom_strategies, strategy_adapter, report),
      "custom_discovery": adapted(custom_discovery, discovery_adapter),
      "simulation": simulation, "tls": tls, "tls_verify": tls_verify, "tls_ca": os.fspath(tls_ca),
      "tls_cert": os.fspath(tls_cert), "tls_key": os.fspath(tls_key), "insecure": insecure, "names": names,
      "overcommit": overcommit, "create_retry": create_retry, "cpu_shares_as_cores": cpu_shares_as_cores,
      "pull_on_create": pull_on_create, "relay_ports": relay_ports, "cors": cors, "experimental": experimental,
      "heartbeat": heartbeat, "refresh_min": refresh_min, "refresh_max": refresh_max,
      "failure_retry": failure_retry, "engine_timeout": engine_timeout, "threads": threads,
      "caller_threads": caller_threads, "max_connections": max_connections,
      "max_connections_per_client": max_connections_per_client, "client_memory": client_memory,
      "event_memory": event_memory, "event_listeners": event_listeners, "seed": seed,
      "log": log_adapter(log) if log is not None else None,
    })

  def serve(self) -> list[str]:
    """Listens on the addresses of `listen` and gives those really bound: port 0 is resolved. Either every
    address is bound or none, and then it may be tried again. Returns at once; requests are answered until close(). A
    manager serves once: FailedPrecondition after that."""
    self._core.serve()
    return self._core.addresses()

  @property
  def addresses(self) -> list[str]:
    """The addresses that serve() bound: ["tcp://127.0.0.1:49153"]."""
    return self._core.addresses()

  @property
  def closed(self) -> bool:
    """close() was called."""
    return self._core.closed

  def wait_ready(self, timeout: float = 30.0) -> None:
    """Waits until every engine of the first answer of discovery was tried once. DeadlineExceeded after
    `timeout` seconds."""
    self._core.wait_ready(timeout)

  def run(self) -> None:
    """With caller_threads: runs the manager on this thread until close(). The main thread, which has signals to hear,
    waits beside a thread that does it: Ctrl-C raises KeyboardInterrupt there, and the manager runs on until it is
    closed."""
    if threading.current_thread() is not threading.main_thread():
      self._core.run()
      return
    core, failed = self._core, []

    def carry() -> None:
      try:
        core.run()
      except BaseException as error:
        failed.append(error)

    thread = start_thread(carry, "pyswarm.run")
    while thread.is_alive():
      thread.join(_SLICE)
    if failed:
      raise failed[0]

  def close(self, grace: float = 10.0) -> None:
    """Ends everything: stops accepting, lets served requests end for at most `grace` seconds, then cuts them; clients
    that follow events, logs or statistics are not waited for. Whoever waits in a call of this manager gets Cancelled.
    Returns when nothing of the manager runs any more, on each thread that calls it. May be repeated."""
    self._core.close(grace)

  # True: pyswarm.aio has said already that it was not closed.
  is_dropped = False

  def __del__(self) -> None:
    core = self.__dict__.get("_core")
    if core is not None and not self.is_dropped and core.is_open:
      warn_unclosed(self, 1)

  def __enter__(self: Self) -> Self:
    return self

  def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
               trace: Optional[TracebackType]) -> None:
    self.close()

  def request(
    self,
    method: str,
    path: str,
    body: Body = None,
    headers: Optional[Mapping[str, str]] = None,
    *,
    stream: bool = False,
    upgrade: bool = False,
    timeout: Optional[float] = 60.0,
    max_body: int = MOST_BODY,
  ) -> Response:
    """A request of Docker's API, carried out in this process without a socket.

    Args:
      method: "GET", "POST", ...
      path: with the query, percent-encoded: "/v1.41/containers/json?all=1"; the version may be left out.
      body: bytes; a str, JSON in text; a dict or list, sent as JSON; an iterable of bytes or a binary file, sent as they come. Its
        pieces wait until the engine takes them, which goes on as long as something is taken within each `timeout`.
      headers: further header fields.
      stream: the answer's body comes as it is read (logs, events, pull, archives). Else it is read whole.
      upgrade: asks for a two-way stream (attach, exec); Response.tunnel says whether it became one.
      timeout: seconds until the head of the answer, and without `stream` and `upgrade` until its end; None = as long
        as it takes. Of a streamed `body` only the time counts in which nothing of it is taken.
      max_body: bytes of a body that is read whole.

    Returns:
      The answer, of any status: see Response.raise_for_status().

    Raises:
      DeadlineExceeded: after `timeout`; the request is given up.
      ResourceExhausted: the answer is longer than `max_body`.
      Cancelled: the manager was closed meanwhile, or is closed.
    """
    data, fields, streamed = split_body(body, headers)
    exchange = self._core.begin(method.upper(), path, fields, data, streamed, upgrade)
    try:
      seconds = FOREVER if timeout is None else timeout
      if streamed:
        send_pieces(exchange, body, seconds)
      end = time.monotonic() + seconds
      exchange.wait_head(seconds)
      if stream or upgrade:
        return Response(exchange, None)
      if exchange.tunnel:
        # Nobody could write to it.
        exchange.close_write()
      return Response(exchange, exchange.read_all(max_body, max(end - time.monotonic(), 0.0)))
    except BaseException:
      exchange.abort()
      raise

  def plan(self, body: Mapping[str, Any], name: str = "", platform: str = "") -> Explanation:
    """Where a container would go, and why not elsewhere. Changes nothing.

    Args:
      body: of POST /containers/create: {"Image": "nginx", "Env": ["constraint:zone==east"], ...}
      name: of the container.
      platform: "linux/arm64"; empty = any.

    Raises:
      InvalidArgument: the body or an expression in it cannot be read.
      SwarmError: what a custom filter, predicate or strategy raised.
    """
    return explanation_of(self._core.plan(json.dumps(dict(body)), name, platform))

  def create_container(
    self,
    body: Mapping[str, Any],
    name: Optional[str] = None,
    platform: Optional[str] = None,
    start: bool = False,
    timeout: Optional[float] = 60.0,
  ) -> str:
    """Places and creates a container, and starts it with `start`. Gives its id.

    Raises:
      AlreadyExists: the name is taken.
      FailedPrecondition: no node fits; the message says why for each.
      InvalidArgument, NotFound: the body cannot be read; no node has the image.
    """
    target = path_of("containers", "create", name=name, platform=platform)
    answer = self.request("POST", target, dict(body), timeout=timeout)
    made = str(answer.raise_for_status().json()["Id"])
    if start:
      self.start(made, timeout=timeout)
    return made

  def containers(self, all: bool = True, filters: Optional[Filters] = None,
                 max_body: int = MOST_BODY) -> list[dict[str, Any]]:
    """The containers of the cluster as GET /containers/json shows them, newest first; only those that run when
    `all` is False. `filters`: {"label": ["app=web"], "node": "host1"}. ResourceExhausted: the list is longer than
    `max_body` bytes."""
    answer = self.request("GET", path_of("containers", "json", all=all, filters=filters_text(filters)),
                          max_body=max_body)
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found

  def inspect(self, ref: str, max_body: int = MOST_BODY) -> dict[str, Any]:
    """All of a container, by name, node/name, id or the start of an id. NotFound when there is none.
    ResourceExhausted: it is longer than `max_body` bytes."""
    answer = self.request("GET", path_of("containers", ref, "json"), max_body=max_body)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found

  def start(self, ref: str, timeout: Optional[float] = 60.0) -> None:
    """Starts a container; one that runs is left as it is."""
    self.request("POST", path_of("containers", ref, "start"), timeout=timeout).raise_for_status()

  def stop(self, ref: str, seconds: Optional[int] = None, timeout: Optional[float] = 60.0) -> None:
    """Stops a container, which gets `seconds` to end by itself; one that does not run is left as it is."""
    target = path_of("containers", ref, "stop", t=seconds)
    self.request("POST", target, timeout=timeout).raise_for_status()

  def remove(self, ref: str, force: bool = False, volumes: bool = False, timeout: Optional[float] = 60.0) -> None:
    """Removes a container: with `force` also one that runs, with `volumes` its anonymous volumes too."""
    target = path_of("containers", ref, force=force, v=volumes)
    self.request("DELETE", target, timeout=timeout).raise_for_status()

  def nodes(self) -> list[Node]:
    """The engines as they are known now, by name."""
    return [node_of(facts) for facts in self._core.nodes()]

  def events(
    self,
    filters: Optional[Filters] = None,
    since: Union[None, int, float, str] = None,
    until: Union[None, int, float, str] = None,
  ) -> Events:
    """What happens in the cluster from now on (or from `since`, seconds since 1970), until the iterator is closed
    (or until `until`): dicts in the form of GET /events. `filters`: {"type": "container", "event": ["create"]}."""
    target = path_of("events", filters=filters_text(filters), since=since, until=until)
    answer = self.request("GET", target, stream=True)
    return Events(answer.raise_for_status())


path_of = path


def _names(given: Sequence[str], what: str) -> list[str]:
  if isinstance(given, str):
    raise TypeError("%s must be a list of str" % what)
  return list(given)


def warn_unclosed(manager: object, level: int) -> None:
  """ResourceWarning: a manager goes without close() or `with`."""
  warnings.warn("unclosed manager %r" % manager, ResourceWarning, stacklevel=level + 1, source=manager)


def send_pieces(exchange: _core.Exchange, body: object, timeout: float) -> None:
  """Sends a streamed body until its end, or until the other side has answered without wanting the rest."""
  for piece in pieces_of(body):
    try:
      write_all(exchange, piece, timeout)
    except FailedPrecondition:
      return
  try:
    exchange.close_write()
  except FailedPrecondition:
    return
