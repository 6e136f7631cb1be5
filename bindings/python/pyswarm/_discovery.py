"""A custom discovery source, followed on a thread of its own so that it may block."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Optional, Union

from ._errors import code_number
from ._threads import start

if TYPE_CHECKING:
  from ._core import Changes

Addresses = Union[Iterable[str], BaseException]


class Source:
  """Follows what the user gave and passes each set of addresses on."""

  def __init__(self, what: str, given: Any, rest: str, changes: Changes, heartbeat: float) -> None:
    self.what = what
    self._given = given
    self._rest = rest
    self._changes = changes
    self._heartbeat = heartbeat
    self._ended = threading.Event()
    self._end: Optional[Any] = None

  def start(self) -> None:
    """Begins on a new thread."""
    start(self._run, "pyswarm " + self.what)

  def stop(self) -> None:
    """Nothing is passed on any more; tells the source when it has a way to be told."""
    self._ended.set()
    if callable(self._end):
      self._end()

  def changed(self, addresses: Addresses) -> None:
    """Given to watch(): takes the whole set now, or the exception that says why there is none; then
    the set known so far stays. Any thread, any number of times."""
    if self._ended.is_set():
      return
    if isinstance(addresses, BaseException):
      self._fail(addresses)
    elif isinstance(addresses, str):
      self._fail(TypeError("a list of addresses is wanted, not the str %r" % addresses))
    else:
      try:
        self._changes.put(sorted(set(addresses)))
      except Exception as error:
        self._fail(error)

  def _fail(self, error: BaseException) -> None:
    self._changes.fail(
      code_number(error), "%s: %s: %s" % (self.what, type(error).__name__, error)
    )

  def _run(self) -> None:
    try:
      while not self._ended.is_set():
        try:
          again = self._round()
        except BaseException as error:
          self._fail(error)
          again = True
        if not again:
          return
        self._ended.wait(self._heartbeat)
    finally:
      # It may hold the manager.
      self._given = None

  def _round(self) -> bool:
    """One look at the source; True when it is to be looked at again."""
    given = self._given
    if not callable(getattr(given, "watch", None)) and callable(given):
      found = given(self._rest)
      again = not callable(getattr(found, "watch", None))
      self._follow(found)
      return again
    self._follow(given)
    return False

  def _follow(self, source: Any) -> None:
    if callable(getattr(source, "watch", None)):
      end = source.watch(self.changed)
      self._end = end if callable(end) else getattr(source, "close", None)
      if self._ended.is_set() and callable(self._end):
        self._end()
      return
    plain: list[str] = []
    gives_sets = False
    for item in source:
      if self._ended.is_set():
        return
      if isinstance(item, str):
        plain.append(item)
      else:
        gives_sets = True
        self.changed(item)
    if not gives_sets:
      self.changed(plain)
