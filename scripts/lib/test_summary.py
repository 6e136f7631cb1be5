#!/usr/bin/env python3
"""Sums CTest's JUnit files.

usage: test_summary.py FILE...      prints "PASSED FAILED SKIPPED"; names what failed or was skipped on standard error

Only a test that said so itself (its skip return code or skip expression) or that is disabled counts as skipped; one
whose program or fixture is missing has failed.
"""

import sys
import xml.etree.ElementTree as ElementTree


def verdict(case):
  """(passed, failed or skipped; reason)"""
  status, skipped = case.get("status"), case.find("skipped")
  reason = skipped.get("message", "") if skipped is not None else ""
  if status == "run":
    return "passed", ""
  if status == "disabled":
    return "skipped", "disabled"
  if status == "notrun" and reason.startswith("SKIP_"):
    return "skipped", last_line(case)
  return "failed", reason


def last_line(case):
  output = (case.findtext("system-out") or "").strip()
  return output.splitlines()[-1] if output else "no reason given"


def main(files):
  counts = {"passed": 0, "failed": 0, "skipped": 0}
  for name in files:
    try:
      suite = ElementTree.parse(name).getroot()
    except (OSError, ElementTree.ParseError) as error:
      print("failed: %s: %s" % (name, error), file=sys.stderr)
      counts["failed"] += 1
      continue
    for case in suite.iter("testcase"):
      kind, reason = verdict(case)
      counts[kind] += 1
      if kind != "passed":
        print("%s: %s%s" % (kind, case.get("name"), ": " + reason if reason else ""), file=sys.stderr)
  print(counts["passed"], counts["failed"], counts["skipped"])


if __name__ == "__main__":
  if len(sys.argv) < 2:
    sys.exit(__doc__)
  main(sys.argv[1:])
