"""What pyswarm hands out and takes, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

if TYPE_CHECKING:
  from ._core import ViewHandle


class Resources(NamedTuple):
  """An amount of processor time and memory; 0 in a request means that nothing is asked."""

  nano_cpus: int
  """1,000,000,000 = one processor."""
  memory: int
  """Bytes."""


class Node(NamedTuple):
  """One engine of the cluster, as it was when it was asked for."""

  name: str
  """The engine's host name; empty while it is pending."""
  address: str
  """"10.0.0.1:2375", as discovery named it; unique."""
  id: str
  ip: str
  state: str
  """Healthy, Pending, Unhealthy or Disconnected."""
  error: str
  """Why it is pending or unhealthy, in a sentence; empty when all is well."""
  cordoned: bool
  """It gets no new containers."""
  labels: dict[str, str]
  total: Resources
  """As the engine reports."""
  usable: Resources
  """The total with overcommit."""
  reserved: Resources
  """By containers of every state, and by creates under way."""
  containers: int
  running: int
  engine_version: str
  api_version: str
  os: str
  architecture: str
  kernel_version: str
  operating_system: str

  @property
  def healthy(self) -> bool:
    """It answers, and takes containers unless it is cordoned."""
    return self.state == "Healthy"


class Placement(NamedTuple):
  """A node on which a container fits."""

  node: str
  """The node's name."""
  address: str
  weight: int
  """By which the strategy ranked it; the lowest is taken."""
  soft_dropped: bool
  """No node fitted with the soft expressions."""


class Explanation(NamedTuple):
  """Where a container would go, and why not elsewhere."""

  chosen: Optional[Placement]
  """None when no node fits, and when the strategy draws one of `candidates` at the create, as random does."""
  candidates: tuple[Placement, ...]
  """The nodes that fit, best first, 100 at most."""
  reasons: dict[str, str]
  """Why each other node is not taken, by its name (its address while it is pending)."""
  summary: str
  """What is wrong when nothing fits, as Docker Swarm said it; empty otherwise."""

  @property
  def fits(self) -> bool:
    """A node fits."""
    return bool(self.candidates)

  @property
  def node(self) -> Optional[str]:
    """The name of the node that would be taken; None when none fits, and when one is drawn at the create."""
    return self.chosen.node if self.chosen is not None else None

  @property
  def soft_dropped(self) -> bool:
    """A node fits only without the soft expressions; also of one that is still to be drawn."""
    return any(one.soft_dropped for one in self.candidates)

  @property
  def first_line(self) -> str:
    """The whole in a sentence."""
    if self.chosen is not None:
      return "goes to " + self.chosen.node
    if self.candidates:
      return "goes to one of these, drawn when it is created: " + ", ".join(one.node for one in self.candidates)
    return self.summary.split("\n", 1)[0]

  @property
  def text(self) -> str:
    """first_line, then a line for each node that is not taken."""
    head = self.first_line if self.fits else self.summary
    return "\n".join([head, *("%s: %s" % item for item in self.reasons.items())])


class NodeUsage(NamedTuple):
  """What a strategy may know of a node; equal nodes share one rank."""

  reserved: Resources
  total: Resources
  """With overcommit."""
  health: int
  """100 - failures * 100 / failure_retry; 0 when it is not healthy."""
  containers: int


class NodeView:
  """A node as a predicate sees it. Can be asked only while the predicate runs: FailedPrecondition
  afterwards."""

  __slots__ = ("_handle", "_node")

  def __init__(self, handle: ViewHandle) -> None:
    self._handle = handle
    self._node: Optional[dict[str, Any]] = None

  def _get(self, key: str) -> Any:
    if self._node is None:
      self._node = self._handle.node()
    return self._node[key]

  @property
  def name(self) -> str:
    """The engine's host name."""
    return str(self._get("name"))

  @property
  def address(self) -> str:
    """The engine's address as discovery named it."""
    return str(self._get("address"))

  @property
  def labels(self) -> dict[str, str]:
    """The engine's labels, and the standard ones (storagedriver, ostype, ...)."""
    return dict(self._get("labels"))

  @property
  def total(self) -> Resources:
    """As the engine reports."""
    return Resources(*self._get("total"))

  @property
  def reserved(self) -> Resources:
    """By containers of every state, and by creates under way."""
    return Resources(*self._handle.reserved())

  @property
  def facts(self) -> dict[str, Any]:
    """All that is known of the engine, by the names of Node's fields."""
    self._get("name")
    assert self._node is not None
    return dict(self._node)

  @property
  def containers(self) -> list[dict[str, Any]]:
    """The containers on the node, creates under way included, in no stated order. Keys: id, names,
    image, command, state, labels, created (seconds since 1970), nano_cpus, memory."""
    return self._handle.containers()

  @property
  def images(self) -> list[dict[str, Any]]:
    """The images on the node. Keys: id, tags, digests, labels, size (bytes)."""
    return self._handle.images()


class Rule:
  """One demand that a container makes on its node. Give one of label, node and predicate.

  Args:
    text: shown to the user when no node is left, such as "tier==even".
    label: an expression over the labels of nodes, as in constraints: "zone==east", "disk!=hdd",
      "region==us-*", "zone==/^e/", "disk==~ssd" (soft); the key "node" is the node's name or ID.
    node: the name of the node, or of several that are allowed.
    predicate: called with a NodeView, says whether the node will do. It must be pure (same node, same
      answer) and quick; it runs on a thread of the manager and must not call the manager. When it
      raises, the node is not taken and the error is logged; plan() raises it.
    soft: dropped when no node fits with it.

  Raises:
    InvalidArgument: not exactly one of the three is given, or the expression cannot be read.
  """

  __slots__ = ("text", "label", "node", "predicate", "soft")

  def __init__(
    self,
    text: str,
    label: Optional[str] = None,
    node: Union[str, Sequence[str], None] = None,
    predicate: Optional[Callable[[NodeView], bool]] = None,
    soft: bool = False,
  ) -> None:
    from ._core import check_expression
    from ._errors import InvalidArgument

    if sum(given is not None for given in (label, node, predicate)) != 1:
      raise InvalidArgument(
        400, "INVALID_ARGUMENT", "Rule(%r): give exactly one of label, node and predicate" % (text,)
      )
    if label is not None:
      check_expression(label)
    self.text = text
    self.label = label
    self.node = node
    self.predicate = predicate
    self.soft = soft

  def __repr__(self) -> str:
    return "Rule(%r, label=%r, node=%r, predicate=%r, soft=%r)" % (
      self.text, self.label, self.node, self.predicate, self.soft
    )


def node_of(facts: dict[str, Any]) -> Node:
  """The Node of what _core says of one."""
  fields = {name: facts[name] for name in Node._fields}
  for name in ("total", "usable", "reserved"):
    fields[name] = Resources(*fields[name])
  return Node(**fields)


def explanation_of(facts: dict[str, Any]) -> Explanation:
  """The Explanation of what _core says."""
  chosen = facts["chosen"]
  return Explanation(
    chosen=Placement(**chosen) if chosen is not None else None,
    candidates=tuple(Placement(**one) for one in facts["candidates"]),
    reasons=dict(facts["refused"]),
    summary=facts["summary"],
  )
