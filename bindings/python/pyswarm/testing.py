"""Fixtures for pytest: clusters of simulated engines that are there in milliseconds, without Docker.

The plugin is found by pytest when pyswarm is installed (else: pytest -p pyswarm.testing).

  def test_my_tool(swarm_manager):
    swarm_manager.create_container({"Image": "busybox"}, name="web", start=True)
    assert my_tool.list_names(swarm_manager) == ["web"]

  def test_my_client(swarm_address):  # "tcp://127.0.0.1:49153", for any Docker client
    client = docker.DockerClient(base_url=swarm_address)

  def test_big(swarm_factory):
    manager = swarm_factory(engines=50, strategy="binpack")

The engines are sim-0001, sim-0002, ...; odd ones have the labels zone=external and storage=ssd, even ones
zone=internal and storage=disk. Each has the image busybox and takes any other by a pull. Same seed and same calls, same
placements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Optional, Protocol
from urllib.parse import quote

import pytest

from ._manager import Manager

__all__ = ["Factory", "open_simulated", "swarm_address", "swarm_factory", "swarm_manager"]

_READY_SECONDS = 30.0
_Labels = Optional[Sequence[Mapping[str, str]]]


class Factory(Protocol):
  """What the fixture swarm_factory is."""

  def __call__(self, engines: int = 3, *, seed: int = 7, latency: str = "", labels: _Labels = None,
               **options: Any) -> Manager:
    """See open_simulated()."""
    ...


def open_simulated(engines: int = 3, *, seed: int = 7, latency: str = "", labels: _Labels = None,
                   **options: Any) -> Manager:
  """A manager over simulated engines, ready for placements; the caller closes it.

  Args:
    engines: how many, 1 to 100,000.
    seed: of the engines and of the manager.
    latency: of each call to an engine, "5ms".
    labels: of each engine, [{"zone": "east"}, {"zone": "west", "disk": "ssd"}]; behind the last one they begin anew.
      Keys and values are without "," and ";".
    options: of pyswarm.Manager. With another `discovery` its addresses mean the simulated engines.
  """
  url = "sim://%d?seed=%d" % (engines, seed) + ("&latency=" + latency if latency else "")
  if labels is not None:
    url += "&labels=" + quote(";".join(",".join("%s=%s" % item for item in one.items()) for one in labels), safe="")
  discovery = options.pop("discovery", url)
  settings: dict[str, Any] = {"listen": ["tcp://127.0.0.1:0"], "seed": seed, "threads": 1}
  if discovery != url:
    settings["simulation"] = url
  settings.update(options)
  manager = Manager(discovery, **settings)
  try:
    manager.wait_ready(_READY_SECONDS)
  except BaseException:
    manager.close(0)
    raise
  return manager


@pytest.fixture
def swarm_factory() -> Iterator[Callable[..., Manager]]:
  """A function that makes managers over simulated engines: see open_simulated(). They are closed after the test."""
  made: list[Manager] = []

  def make(engines: int = 3, *, seed: int = 7, latency: str = "", labels: _Labels = None, **options: Any) -> Manager:
    manager = open_simulated(engines, seed=seed, latency=latency, labels=labels, **options)
    made.append(manager)
    return manager

  yield make
  for manager in reversed(made):
    manager.close(0)


@pytest.fixture
def swarm_manager(swarm_factory: Factory) -> Manager:
  """A manager over three simulated engines."""
  return swarm_factory()


@pytest.fixture
def swarm_address(swarm_manager: Manager) -> str:
  """The address on loopback at which swarm_manager answers Docker clients: "tcp://127.0.0.1:49153"."""
  return (swarm_manager.addresses or swarm_manager.serve())[0]
