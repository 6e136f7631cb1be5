#!/usr/bin/env python3
"""Everything a user does with the docker client, against swarmd over three engines and against one plain engine.

usage: cli_scenario.py [--cli cli-20.10|cli-26.1|cli-28] [--swarmd PATH] [--only WORD]   compares both, step by step
       cli_scenario.py --reference HOST [--cli ...]                                      only one plain engine
       --long                                                      SKIPPED unless SWARM_LONG=1

Each step gives exit code, standard output and standard error. What differs between any two runs (ids, times,
addresses, names of nodes) is removed; the rest must be the same. The engines are of several ages and differ among
themselves; the cluster must do as one of them does. Steps where the
cluster differs by design say why, and what must hold instead.
"""

import functools
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness
import steps_change
import steps_images
import steps_look
import steps_networks
import steps_run
import steps_system
from programs import Done
from steps import Session, difference

STEPS = (steps_run.STEPS + steps_look.STEPS + steps_change.STEPS + steps_images.STEPS + steps_networks.STEPS +
         steps_system.STEPS)
SCENARIO_SECONDS = 780
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
  """The scenario at plain engines, one of each version, all at once."""

  def __init__(self, hosts, program, steps):
    self._hosts, self._program, self._steps = hosts, program, steps
    versions = [hosts.engines[min(number, len(hosts.engines)) - 1] for number in hosts.numbers()]
    self.names, self.results = [], []
    numbers = [versions.index(version) + 1 for version in dict.fromkeys(versions)]
    begin = time.monotonic()
    for number, results in zip(numbers, harness.parallel([functools.partial(self._play, number) for number in numbers])):
      if isinstance(results, Exception):
        raise results
      self.names.append("%s (%s)" % (hosts.name(number), versions[number - 1]))
      self.results.append(results)
    hosts.remove_containers()
    print("(the scenario at one engine: %s: %.0f s)" % (", ".join(self.names), time.monotonic() - begin))

  def _play(self, number):
    api = self._hosts.engine(number)
    return play(self._steps, harness.Docker(self._program, api.host, api.certificates), api, False)[0]


def compare(report, steps, results, session, references):
  """Prints step x {same, by design, FAILED}."""
  for index, (step, found) in enumerate(zip(steps, results)):
    plain = [results_there[index] for results_there in references.results]
    faults = [step.fault(done) for done in plain]
    differences = [difference(step, found, done) for done in plain]
    same = [name for name, differs in zip(references.names, differences) if not differs]
    if any(faults):
      report.check("%s, at one engine" % step.name, False, ["%s\n%r" % pair for pair in zip(faults, plain)])
    if step.fault(found):
      report.check(step.name, False, "%s\n%r" % (step.fault(found), found))
    elif not same:
      report.check(step.name, False, differences[0])
    elif step.by_design:
      report.check("%-42s by design: %s" % (step.name, step.by_design), step.cluster(found, session), repr(found))
    else:
      report.check("%-42s same%s" % (step.name, "" if len(same) == len(plain) else " as at " + ", ".join(same)), True)


def play_reference(report, program, host):
  """One plain engine alone: what every endpoint must do holds there."""
  begin = time.monotonic()
  results, _ = play(STEPS, harness.Docker(program, host), harness.Api(host), False)
  for step, done in zip(STEPS, results):
    report.check(step.name, not step.fault(done), "%s\n%r" % (step.fault(done), done))
  print("%.0f s" % (time.monotonic() - begin))


def play_cluster(report, hosts, swarmd_program, client, steps):
  references = References(hosts, client, steps)
  with harness.Swarmd(swarmd_program, hosts) as swarmd:
    swarmd.wait_healthy()
    docker = harness.Docker(client, swarmd.host, hosts.certificates("client"))
    begin = time.monotonic()
    results, session = play(steps, docker, swarmd.api(), True)
    print("(the scenario at swarmd: %.0f s)" % (time.monotonic() - begin))
    hosts.remove_containers()
    compare(report, steps, results, session, references)


def run(options, report):
  if options.long and not os.environ.get("SWARM_LONG"):
    raise harness.Skipped("the client between the oldest and the newest: SWARM_LONG=1 plays it")
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
  parser.add_argument("--long", action="store_true", help="only with SWARM_LONG=1")
  parser.add_argument("--only", default="", help="only the steps with this word in their names")


if __name__ == "__main__":
  harness.main(run, SCENARIO_SECONDS, add_options)
