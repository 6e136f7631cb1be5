#!/usr/bin/env python3
"""Everything a user does with the docker client, against swarmd over three engines and against one plain engine.

usage: cli_scenario.py [--cli cli-20.10|cli-28] [--swarmd PATH] [--only WORD]     compares both, step by step
       cli_scenario.py --reference HOST [--cli ...]                               only one plain engine

Each step gives exit code, standard output and standard error. What differs between any two runs (ids, times,
addresses, names of nodes) is removed; the rest must be the same. The engines are of several ages and differ among
themselves, so a step that differs from the oldest one is held against the same step at the others. Steps where the
cluster differs by design say why, and what must hold instead.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness
import steps_change
import steps_look
import steps_run
from programs import Done
from steps import Session, difference

STEPS = steps_run.STEPS + steps_look.STEPS + steps_change.STEPS
SCENARIO_SECONDS = 420
SLOW_SECONDS = 2


def play(steps, docker, api, is_cluster):
  """Runs all steps in order; returns their results. A step that cannot be run gives no exit code and the reason."""
  session, results = Session(docker, api, is_cluster), []
  for step in steps:
    begin = time.monotonic()
    try:
      results.append(step.do(session))
    except Exception as error:
      results.append(Done(None, "", "%s: %s" % (type(error).__name__, error)))
    if time.monotonic() - begin > SLOW_SECONDS:
      print("(slow: %s, %.1f s)" % (step.name, time.monotonic() - begin))
  return results, session


def chosen(word):
  return [step for step in STEPS if word in step.name] if word else STEPS


class References:
  """The scenario at plain engines, each played when it is first asked for."""

  def __init__(self, hosts, program, steps):
    self._hosts, self._program, self._steps, self._results = hosts, program, steps, {}

  def numbers(self):
    """One host for each engine version, oldest first."""
    versions = [self._hosts.engines[min(number, len(self._hosts.engines)) - 1] for number in self._hosts.numbers()]
    return [versions.index(version) + 1 for version in dict.fromkeys(versions)]

  def results(self, number):
    if number not in self._results:
      api = self._hosts.engine(number)
      docker = harness.Docker(self._program, api.host, api.certificates)
      begin = time.monotonic()
      self._results[number], _ = play(self._steps, docker, api, False)
      self._hosts.remove_containers()
      print("(the scenario at one engine, %s: %.0f s)" % (self._hosts.name(number), time.monotonic() - begin))
    return self._results[number]


def compare(report, steps, results, session, references):
  """Prints step x {same, by design, FAILED}."""
  numbers = references.numbers()
  for index, (step, found) in enumerate(zip(steps, results)):
    fault, first = step.fault(found), None
    for tried, number in enumerate(numbers):
      reference = references.results(number)[index]
      reference_fault = step.fault(reference)
      differs = difference(step, found, reference)
      first = first or differs
      if not differs and not reference_fault:
        break
    if fault:
      report.check(step.name, False, "%s\n%r" % (fault, found))
    elif reference_fault:
      report.check("%s, at one engine" % step.name, False, "%s\n%r" % (reference_fault, reference))
    elif differs:
      report.check(step.name, False, first)
    elif step.by_design:
      report.check("%-42s by design: %s" % (step.name, step.by_design), step.cluster(found, session), repr(found))
    else:
      report.check("%-42s same%s" % (step.name, " as " + references._hosts.name(numbers[tried]) if tried else ""), True)


def play_reference(report, program, host):
  """One plain engine alone: what every endpoint must do holds there."""
  begin = time.monotonic()
  results, _ = play(STEPS, harness.Docker(program, host), harness.Api(host), False)
  for step, done in zip(STEPS, results):
    report.check(step.name, not step.fault(done), "%s\n%r" % (step.fault(done), done))
  print("%.0f s" % (time.monotonic() - begin))


def play_cluster(report, hosts, swarmd_program, client, steps):
  references = References(hosts, client, steps)
  references.results(references.numbers()[0])
  with harness.Swarmd(swarmd_program, hosts) as swarmd:
    swarmd.wait_healthy()
    docker = harness.Docker(client, swarmd.host, hosts.certificates("client"))
    begin = time.monotonic()
    results, session = play(steps, docker, swarmd.api(), True)
    print("(the scenario at swarmd: %.0f s)" % (time.monotonic() - begin))
    hosts.remove_containers()
    compare(report, steps, results, session, references)


def run(options, report):
  client = harness.part(options.cli)
  if options.reference:
    play_reference(report, client, options.reference)
    return
  program = harness.swarmd_program(options)
  with harness.Hosts() as hosts:
    play_cluster(report, hosts, program, client, chosen(options.only))


def add_options(parser):
  parser.add_argument("--cli", default="cli-20.10", help="the docker client, a part of scripts/parts.sh")
  parser.add_argument("--reference", metavar="HOST", help="play only at this plain engine, tcp://ADDRESS:PORT")
  parser.add_argument("--only", default="", help="only the steps with this word in their names")


if __name__ == "__main__":
  harness.main(run, SCENARIO_SECONDS, add_options)
