#!/usr/bin/env python3
"""Runs tests of this folder by pytest; exit code 77 with the reason where they cannot be.

usage: run.py [PYTEST ARGUMENTS...]     PYTHONPATH: a folder with pyswarm, such as <build>/bindings/python
"""

import os
import sys

SKIP_CODE = 77


def main(arguments):
  try:
    import pytest
  except ImportError:
    print("SKIPPED: pytest is not installed (scripts/setup.sh test)")
    return SKIP_CODE
  here = os.path.dirname(os.path.abspath(__file__))
  # A sanitizer's report goes to standard error itself, and the signals of a crash to the sanitizer.
  plain = ["--capture", "sys", "-p", "no:faulthandler"] if os.environ.get("SWARM_SANITIZE") else []
  code = pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", here, "--import-mode", "prepend", "--durations", "5",
                      *plain, *[os.path.join(here, word) if word.endswith(".py") else word for word in arguments]])
  return int(code)


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
