"""swarmd's command line: `python -m pyswarm manage sim://3`, and list, explain, node, version, help.

The same flags, environment and exit codes as swarmd's, since it is the same program: 0; 1, it failed while running; 2, it
was asked wrongly. `manage` serves until SIGTERM or SIGINT, and then lets running requests end for at most 10 s.
"""

from __future__ import annotations

import sys
from typing import Optional

from . import _core


def main(words: Optional[list[str]] = None) -> int:
  """Runs the command line `words` (None: the process's own) and gives the exit code. Only on the main thread, and as the
  last that the program does: `manage` leaves SIGTERM and SIGINT blocked."""
  sys.stdout.flush()
  return _core.run_program("swarmd", sys.argv[1:] if words is None else words)


if __name__ == "__main__":
  sys.exit(main())
