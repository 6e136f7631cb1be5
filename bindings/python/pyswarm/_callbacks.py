"""Wraps what users give a manager to call, so that the compiled part meets one shape only: a callable
that raises nothing and gives (True, value) or (False, code, message, whether it was Ctrl-C)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Optional, Union

from ._errors import code_number
from ._values import NodeUsage, NodeView, Resources, Rule

if TYPE_CHECKING:
  from ._core import Changes, ViewHandle

Answer = Union[tuple[bool, Any], tuple[bool, int, str, bool]]
Report = Callable[[str, str, dict[str, str]], object]


def name_of(given: object) -> str:
  """What a message calls a callable: "rules_for of placing.EvenName"."""
  target = given
  name = getattr(target, "__qualname__", None)
  if name is None:
    target = type(given)
    name = target.__qualname__
  module = getattr(target, "__module__", None)
  return name if module in (None, "builtins", "__main__") else "%s.%s" % (module, name)


def guarded(what: str, given: object, function: Callable[..., Any],
            report: Optional[Report] = None) -> Callable[..., Answer]:
  """`function` as the compiled part wants it. `report` is told of what it raises, when nobody else can
  be."""
  called = name_of(given)

  def call(*arguments: Any) -> Answer:
    try:
      return True, function(*arguments)
    except BaseException as error:  # nothing may pass into a thread of the manager
      message = "%s: %s raised %s: %s" % (what, called, type(error).__name__, error)
      if report is not None:
        report("error", message, {})
      interrupted = isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
      return False, code_number(error), message, interrupted

  return call


def to_stderr(level: str, message: str, fields: dict[str, str]) -> None:
  """Where errors of callables go when the manager was given no log."""
  import sys

  if sys.stderr is not None:
    print("pyswarm: %s: %s" % (level, message), file=sys.stderr)


def log_adapter(given: Callable[[str, str, dict[str, str]], object]) -> Callable[..., Answer]:
  """A log sink that raises is named on standard error, and the line is lost."""
  return guarded("log", given, given, to_stderr)


def method_of(given: object, method: str, what: str) -> Callable[..., Any]:
  """given.method, or `given` itself when it can be called."""
  found = getattr(given, method, None)
  if callable(found):
    return found  # type: ignore[no-any-return]
  if callable(given):
    return given
  raise TypeError("%s: %r has no method %s and cannot be called" % (what, given, method))


def filter_adapter(name: str, given: object, report: Report) -> Callable[..., Answer]:
  """A filter: rules_for(spec) -> list of Rule."""
  what = 'filter "%s"' % name
  rules_for = method_of(given, "rules_for", what)

  def holds(rule: Rule) -> Callable[..., Answer]:
    def ask(handle: ViewHandle) -> bool:
      assert rule.predicate is not None
      return bool(rule.predicate(NodeView(handle)))

    return guarded('%s, rule "%s"' % (what, rule.text), rule.predicate, ask, report)

  def read(rule: Rule) -> tuple[str, bool, str, Any]:
    if not isinstance(rule, Rule):
      raise TypeError("a list of pyswarm.Rule is wanted, not %r" % (rule,))
    if rule.label is not None:
      return rule.text, rule.soft, "label", rule.label
    if rule.node is not None:
      names = [rule.node] if isinstance(rule.node, str) else list(rule.node)
      return rule.text, rule.soft, "node", names
    return rule.text, rule.soft, "predicate", holds(rule)

  def run(spec: dict[str, Any]) -> list[tuple[str, bool, str, Any]]:
    return [read(rule) for rule in rules_for(spec) or ()]

  return guarded(what, given, run)


def strategy_adapter(name: str, given: object, report: Report) -> Callable[..., Answer]:
  """A strategy: rank(usage, request) -> int, the lowest is taken, or None: does not fit."""
  what = 'strategy "%s"' % name
  rank = method_of(given, "rank", what)

  def run(reserved: tuple[int, int], total: tuple[int, int], health: int, containers: int,
          request: tuple[int, int]) -> Optional[int]:
    usage = NodeUsage(Resources(*reserved), Resources(*total), health, containers)
    ranked = rank(usage, Resources(*request))
    if ranked is not None and not isinstance(ranked, int):
      raise TypeError("an int or None is wanted, not %r" % (ranked,))
    return ranked

  return guarded(what, given, run, report)


def discovery_adapter(name: str, given: object) -> Callable[..., Answer]:
  """A source of addresses; see Manager for the shapes that it may have."""
  from ._discovery import Source

  if not (callable(given) or callable(getattr(given, "watch", None)) or isinstance(given, Iterable)):
    raise TypeError('discovery "%s": %r is no source: an object with watch(changed), a callable or an '
                    "iterable of addresses is wanted" % (name, given))

  def start(rest: str, changes: Changes, heartbeat: float) -> Callable[..., Answer]:
    source = Source('discovery "%s"' % name, given, rest, changes, heartbeat)
    source.start()
    return guarded("the end of " + source.what, given, source.stop)

  return guarded('discovery "%s"' % name, given, start)


def adapted(given: Optional[Mapping[str, Any]], adapter: Callable[..., Callable[..., Answer]],
            *more: Any) -> dict[str, Callable[..., Answer]]:
  """The adapters of a mapping name -> what the user gave."""
  return {name: adapter(name, one, *more) for name, one in (given or {}).items()}
