#!/usr/bin/env python3
"""The programs that the documentation shows do the same in every language, and print what it says.

usage: shown_programs.py --program NAME PATH [--program NAME PATH ...]

Of each NAME all programs are run, those that end in .py by this interpreter. Each must print NAME.txt, which lies
beside its source; a line may have more behind its status (who says it).
"""

import importlib.util
import os
import subprocess
import sys

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
FOLDERS = {"place": "tutorial", "docker_client": "tutorial", "filter": "filter"}
NEEDS = {"docker_client": "docker"}  # modules of Python
SECONDS = 60


def same(found, wanted):
  """One line: equal, or `STATUS: ... what is wanted`, since each language tells in its own words whose error it is."""
  if found == wanted:
    return True
  status, colon, text = wanted.partition(": ")
  return bool(colon) and found.startswith(status + ": ") and found.endswith(" " + text)


def check(name, path):
  with open(os.path.join(EXAMPLES, FOLDERS[name], name + ".txt"), encoding="utf-8") as wanted:
    lines = wanted.read().splitlines()
  line = [sys.executable, "-B", path] if path.endswith(".py") else [path]
  done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
  found = done.stdout.splitlines()
  holds = (done.returncode == 0 and not done.stderr and len(found) == len(lines) and
           all(same(*pair) for pair in zip(found, lines)))
  print("%s %s" % ("ok    " if holds else "FAILED", path))
  if not holds:
    print("exit code %d\n%s\n%s\nwanted:\n%s" % (done.returncode, done.stdout, done.stderr, "\n".join(lines)))
  return holds


def main():
  words = sys.argv[1:]
  if len(words) % 3 or any(word != "--program" for word in words[::3]) or not words:
    sys.exit(__doc__)
  programs = list(zip(words[1::3], words[2::3]))
  missing = set(FOLDERS) - set(NEEDS) - {name for name, _ in programs}
  results = []
  for name, path in programs:
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
      print("SKIPPED %s: this Python has no module %s" % (path, NEEDS[name]))
    else:
      results.append(check(name, path))
  for name in missing:
    print("FAILED nothing was given for %s" % name)
  sys.exit(0 if all(results) and not missing else 1)


if __name__ == "__main__":
  main()
