"""One Docker endpoint over many Docker engines, in this process.

  import pyswarm

  with pyswarm.Manager("sim://3") as manager:
    manager.wait_ready()
    made = manager.create_container({"Image": "busybox", "Env": ["constraint:zone==external"]}, name="web")
    print(manager.inspect(made)["Node"]["Name"])

Manager is the blocking face; pyswarm.aio has the same for asyncio, pyswarm.testing fixtures for pytest. Every error
of the library is a SwarmError.
"""

from ._core import __version__, check_interpreter

check_interpreter()  # before anything of this interpreter is registered

from ._errors import (  # noqa: E402
  Aborted,
  AlreadyExists,
  Cancelled,
  DataLoss,
  DeadlineExceeded,
  FailedPrecondition,
  Internal,
  InvalidArgument,
  NotFound,
  OutOfRange,
  PermissionDenied,
  ResourceExhausted,
  SwarmError,
  Unauthenticated,
  Unavailable,
  Unimplemented,
  Unknown,
)
from ._manager import Manager
from ._response import Events, Headers, Response
from ._values import Explanation, Node, NodeUsage, NodeView, Placement, Resources, Rule

__all__ = [
  "Aborted",
  "AlreadyExists",
  "Cancelled",
  "DataLoss",
  "DeadlineExceeded",
  "Events",
  "Explanation",
  "FailedPrecondition",
  "Headers",
  "Internal",
  "InvalidArgument",
  "Manager",
  "Node",
  "NodeUsage",
  "NodeView",
  "NotFound",
  "OutOfRange",
  "PermissionDenied",
  "Placement",
  "ResourceExhausted",
  "Resources",
  "Response",
  "Rule",
  "SwarmError",
  "Unauthenticated",
  "Unavailable",
  "Unimplemented",
  "Unknown",
  "__version__",
]
