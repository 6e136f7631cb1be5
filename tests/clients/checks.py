#!/usr/bin/env python3
"""The acceptance checks 1 to 80 of the whole API, in turn, against swarmd over engines 20.10, 26.1 and 28.5.

usage: checks.py [--swarmd PATH] [--only NUMBER ...]

A line for each check: ok, FAILED, SKIPPED with the reason, or held by another test program that has a step with its
number. A number that nothing is registered for is a failure. SWARM_LONG=1: check 26 takes its ten minutes.
"""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness
import check
import checks_containers  # noqa: F401  each registers its checks
import checks_faults  # noqa: F401
import checks_http  # noqa: F401
import checks_images  # noqa: F401
import checks_look  # noqa: F401
import checks_operations  # noqa: F401
import checks_streams  # noqa: F401
import checks_versions  # noqa: F401
from checks_world import FLAGS, World

TEST_SECONDS = 1500 if os.environ.get("SWARM_LONG") else 780


def run(options, report):
  program = harness.swarmd_program(options)
  report.equal("every number of 1 to 80 has one check", check.missing_numbers(), [])
  with harness.Hosts() as hosts, harness.Swarmd(program, hosts, FLAGS) as swarmd, contextlib.ExitStack() as stack:
    swarmd.wait_healthy()
    check.play_all(report, World(program, hosts, swarmd, stack), options.only)


def add_options(parser):
  parser.add_argument("--only", nargs="*", default=(), metavar="NUMBER", help="only these checks; more: those that have no number")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
