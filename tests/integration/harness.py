"""What the integration tests share: hosts with real engines, swarmd, docker clients, and waits with bounds.

A test is a program: `if __name__ == "__main__": harness.main(run, seconds)`. run(options, report) makes what it needs
with `with Hosts(...)` and `with Swarmd(...)`, and states what it finds by report.check(...). Exit code 0: every check
held; 1: one did not; 77: SKIPPED, with the reason. Whatever a test started is ended by its process id, also when the
test is ended by a signal or its time is over.

Environment: SWARMD           the program to test (or --swarmd PATH)
             SWARM_ENGINES    engine versions of the hosts, e.g. 20.10,26.1,28.5; default: those three where available
"""

import argparse
import atexit
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

# Tests use these through `harness`.
from hosts import (Answer, Api, Hosts, engine_versions, http_reply, part, script,  # noqa: F401
                   tls_context)
from programs import (COMMAND_SECONDS, ENDINGS, STOP_SECONDS, Background, Docker, Done, OutOfTime,  # noqa: F401
                      Skipped, clean_environment, end_everything, parallel, run_program, tls_flags, wait_for)

SKIP_CODE = 77
HEALTHY_SECONDS = 30


class Report:
  """Counts checks and prints each one that does not hold, with what was found."""

  def __init__(self):
    self.held = 0
    self.failures = []

  def check(self, name, holds, found=""):
    """States one fact. `found` is shown when it does not hold. Returns `holds`."""
    if holds:
      self.held += 1
      print("ok     %s" % name, flush=True)
    else:
      self.failures.append(name)
      print("FAILED %s\n       found: %s" % (name, str(found).replace("\n", "\n       ")), flush=True)
    return bool(holds)

  def eventually(self, name, condition, seconds, found=lambda: ""):
    """States that `condition` becomes true within `seconds`."""
    try:
      wait_for(condition, seconds, name)
    except TimeoutError:
      return self.check(name, False, "not within %g s; %s" % (seconds, found()))
    return self.check(name, True)

  def equal(self, name, found, wanted):
    return self.check(name, found == wanted, "%r, not %r" % (found, wanted))

  def matches(self, name, text, pattern):
    return self.check(name, re.search(pattern, text, re.S) is not None, "%r has no /%s/" % (text, pattern))


def swarmd_program(options):
  path = getattr(options, "swarmd", None) or os.environ.get("SWARMD")
  if not path:
    raise Skipped("no swarmd given: set SWARMD, or --swarmd PATH")
  path = os.path.abspath(path)
  if not os.access(path, os.X_OK):
    raise Skipped("%s is no program" % path)
  return path


class Swarmd:
  """`swarmd manage`, on the manager's host of a set (port 2375, or 2376 with TLS), or on loopback without a set."""

  def __init__(self, program, hosts=None, flags=(), discovery=None, holder="swarm", host=None, listen=True,
               environment=None):
    """`host`: the address to listen on instead. listen=False: the environment tells it, and the log."""
    self.program, self.hosts, self.flags = program, hosts, list(flags)
    self.holder = holder  # whose certificates it uses when the hosts have TLS
    self.process, self.log_path = None, None
    self.discovery = discovery or "nodes://" + ",".join(hosts.endpoints())
    self.host = "tcp://%s:%d" % (hosts.address(0), hosts.port) if hosts else host
    self.listen, self.environment = listen, environment or {}

  def __enter__(self):
    self.start()
    return self

  def __exit__(self, *_):
    self.stop()
    if sys.exc_info()[0] is not None:
      print("the end of swarmd's log:\n%s" % "\n".join(self.log().splitlines()[-30:]))
    os.unlink(self.log_path)

  def start(self):
    """Starts it and waits until it answers."""
    if self.log_path is None:
      handle, self.log_path = tempfile.mkstemp(prefix="swarmd-", suffix=".log")
      os.close(handle)
    line = [self.program, "manage", *self.flags]
    if self.hosts:
      certificates = self.hosts.certificates(self.holder)
      line += tls_flags(certificates) if certificates else ["--insecure"]
    line += (["-H", self.host or "tcp://127.0.0.1:0"] if self.listen else []) + [self.discovery]
    begin = len(self.log())
    with open(self.log_path, "ab") as log:
      self.process = subprocess.Popen(self.hosts.in_manager(*line) if self.hosts else line, stdin=subprocess.DEVNULL,
                                      stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                      env=clean_environment({**_hosts_folder(), **self.environment}))
    ENDINGS.append(self.kill)
    wait_for(lambda: self._listens(begin), HEALTHY_SECONDS, "swarmd answers")

  def _listens(self, begin):
    if self.process.poll() is not None:
      raise RuntimeError("swarmd ended with %d: %s" % (self.process.returncode, self.log()[begin:]))
    if self.host is None:
      found = re.search(r"tcp://127\.0\.0\.1:([1-9]\d*)", self.log()[begin:])
      if not found:
        return False
      self.host = found.group()
    return self.api().answers()

  def api(self, version=""):
    return Api(self.host, self.hosts.certificates("client") if self.hosts else None, version,
               verify=self.holder == "swarm")

  def log(self):
    if self.log_path is None:
      return ""
    with open(self.log_path, encoding="utf-8", errors="replace") as log:
      return log.read()

  def statuses(self):
    """{node name: status} as `docker info` shows it."""
    return node_statuses(self.api().get("/info"))

  def wait_healthy(self, count=None, seconds=HEALTHY_SECONDS):
    count = count or self.hosts.count
    wait_for(lambda: list(self.statuses().values()).count("Healthy") == count, seconds,
             "swarmd reports %d healthy nodes" % count)

  def kill(self):
    """SIGKILL, and waits until it is gone."""
    if self.process and self.process.poll() is None:
      self.process.kill()
    if self.process:
      self.process.wait(timeout=STOP_SECONDS)
    if self.kill in ENDINGS:
      ENDINGS.remove(self.kill)

  def stop(self):
    """SIGTERM; returns the exit code, or kills it and returns None when it takes longer than 15 s."""
    if self.process.poll() is None:
      self.process.terminate()
    try:
      return self.process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
      return None
    finally:
      self.kill()


def _hosts_folder():
  return {name: os.environ[name] for name in ("SWARM_HOSTS_DIR",) if name in os.environ}


def node_statuses(info):
  """{node name: status} from the pairs of /info, wherever they stand (SystemStatus or DriverStatus)."""
  statuses, node = {}, None
  for key, value in info.get("SystemStatus") or info.get("DriverStatus") or ():
    if re.match(r"\s*\W*\s*Status$", key):
      statuses[node] = value
    elif re.match(r" \S+$", key):
      node = key.strip()
  return statuses


def _stop(number, _frame):
  signal.signal(signal.SIGALRM, signal.SIG_IGN)
  raise OutOfTime("its time is over" if number == signal.SIGALRM else "ended by signal %d" % number)


def main(run, seconds, add_options=None):
  """The main function of a test that may take `seconds`. run(options, report)."""
  parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--swarmd", help="the program to test (default: $SWARMD)")
  if add_options:
    add_options(parser)
  options = parser.parse_args()
  for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
    signal.signal(number, _stop)
  atexit.register(end_everything)
  signal.alarm(seconds)
  report, begin = Report(), time.monotonic()
  try:
    run(options, report)
  except Skipped as reason:
    print("SKIPPED: %s" % reason)
    sys.exit(SKIP_CODE)
  except OutOfTime as reason:
    print("FAILED: %s after %.0f s; %d checks held before" % (reason, time.monotonic() - begin, report.held))
    sys.exit(1)
  signal.alarm(0)
  print("%d checks held, %d failed, %.1f s" % (report.held, len(report.failures), time.monotonic() - begin))
  for name in report.failures:
    print("FAILED %s" % name)
  sys.exit(1 if report.failures or report.held == 0 else 0)
