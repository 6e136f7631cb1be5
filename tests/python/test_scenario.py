"""The scenario in both faces, beside the placements that the C program has."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "capi", "scenario_placements.txt")


def placements_of(program):
  done = subprocess.run([sys.executable, "-B", os.path.join(HERE, program)], capture_output=True, text=True, timeout=60)
  assert (done.returncode, done.stderr) == (0, "")
  return done.stdout


def test_the_placements_are_the_same_in_every_language():
  blocking = placements_of("scenario.py")
  lines = [line.split() for line in blocking.splitlines()]
  assert [name for name, _ in lines] == ["c%d" % number for number in range(100)]
  assert all(node[-1] in "02468" for number, (_, node) in enumerate(lines) if number % 3 == 0)
  assert placements_of("scenario_aio.py") == blocking
  with open(GOLDEN) as golden:
    assert golden.read() == blocking
