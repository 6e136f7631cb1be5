"""What a numbered check is: the acceptance checks 1 to 80 of the whole API, each registered with its number.

A check is a function of (world, facts), registered by @check(12, "what must hold"). It states facts; it may raise
harness.Skipped with the reason why it cannot run here. held(70, ...) registers a check that another test program
holds: that one must have a step with "check 70" in its name.
"""

import glob
import os
import re
import time
import traceback

import harness

NUMBERS = range(1, 81)
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Checks run by their stage, then by their number. Late: what restarts swarmd. Last: what kills and freezes engines.
USUAL, LATE, LAST = 0, 1, 2
CHECKS = []


class Check:
  def __init__(self, number, title, play, stage):
    self.number, self.title, self.play, self.stage = number, title, play, stage

  @property
  def name(self):
    return "check %s %s" % (self.number or "--", self.title)


def check(number, title, stage=USUAL):
  """Registers a check. number None: it is none of the 80, but of the same kind."""

  def register(play):
    CHECKS.append(Check(number, title, play, stage))
    return play

  return register


def held(number, title, otherwise):
  """Registers a check that another test program holds. otherwise: why it is SKIPPED while no program does."""

  def play(_world, facts):
    programs = holders(number)
    if not programs:
      raise harness.Skipped(otherwise)
    facts.elsewhere = ", ".join(programs)

  CHECKS.append(Check(number, title, play, USUAL))


def holders(number):
  """Test programs, started by tests/programs.cmake, that have a step named with this number."""
  with open(os.path.join(TESTS, "programs.cmake"), encoding="utf-8") as file:
    started = file.read()
  found = []
  for path in sorted(glob.glob(os.path.join(TESTS, "*", "*"))):
    name = os.path.relpath(path, TESTS)
    if os.path.isdir(path) or re.match(r"clients/checks?\b|clients/check_|clients/checks_", name):
      continue
    with open(path, encoding="utf-8", errors="replace") as file:
      text = file.read()
    if re.search(r"\bcheck %d\b" % number, text) and os.path.basename(path) in started:
      found.append("tests/" + name)
  return found


class Facts:
  """What one check found. A fact that does not hold is kept with what was found."""

  def __init__(self):
    self.count, self.wrong, self.elsewhere = 0, [], ""

  def that(self, what, holds, found=""):
    self.count += 1
    if not holds:
      self.wrong.append("%s; found: %s" % (what, found))
    return bool(holds)

  def equal(self, what, found, wanted):
    return self.that(what, found == wanted, "%r, not %r" % (found, wanted))

  def matches(self, what, text, pattern):
    return self.that(what, re.search(pattern, text, re.S | re.M), "%r has no /%s/" % (text, pattern))

  def status(self, what, answer, status, pattern=""):
    """An HTTP answer has this status, and this pattern in its body."""
    return self.that(what, answer.status == status and re.search(pattern, answer.text, re.S), answer)

  def eventually(self, what, condition, seconds, found=lambda: ""):
    try:
      harness.wait_for(condition, seconds, what)
    except TimeoutError:
      return self.that(what, False, "not within %g s; %s" % (seconds, found()))
    return self.that(what, True)


def missing_numbers():
  """Numbers of 1 to 80 that nothing is registered for, and those that are registered twice."""
  numbers = [one.number for one in CHECKS if one.number]
  return [number for number in NUMBERS if numbers.count(number) != 1]


def play_one(one, world):
  """('ok' | 'HELD' | 'SKIPPED' | 'FAILED', text)"""
  facts = Facts()
  try:
    one.play(world, facts)
  except harness.Skipped as reason:
    return ("FAILED", "\n".join(facts.wrong)) if facts.wrong else ("SKIPPED", str(reason))
  except Exception as error:
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(TESTS)]
    where = ["%s:%d: %s" % (os.path.basename(frame.filename), frame.lineno, frame.line) for frame in own[1:]]
    return "FAILED", "\n".join([*facts.wrong, *where, "%s: %s" % (type(error).__name__, error)])
  if facts.wrong:
    return "FAILED", "\n".join(facts.wrong)
  if facts.elsewhere:
    return "HELD", facts.elsewhere
  return ("ok", "") if facts.count else ("FAILED", "it states no fact")


def play_all(report, world, only=()):
  """Runs every check, or those of the numbers `only` ("more": those without one), and prints a line for each. Tells the counts."""
  counts = {}
  for one in sorted(CHECKS, key=lambda one: (one.stage, one.number or 99)):
    if only and str(one.number or "more") not in only:
      continue
    if one.stage == LAST:
      world.expect_faults()
    begin = time.monotonic()
    outcome, text = play_one(one, world)
    took = time.monotonic() - begin
    world.clear()
    counts[outcome] = counts.get(outcome, 0) + 1
    line = "%s: %s" % (one.name, {"ok": "ok", "HELD": "held by " + text, "SKIPPED": "SKIPPED: " + text}.get(outcome, ""))
    if outcome == "FAILED":
      report.failures.append(one.name)
      line += "FAILED\n       " + text.replace("\n", "\n       ")
    elif outcome != "SKIPPED":
      report.held += 1
    print("%s (%.1f s)" % (line, took) if took > 2 else line, flush=True)
  print("checks: " + ", ".join("%d %s" % (count, outcome) for outcome, count in sorted(counts.items())))
