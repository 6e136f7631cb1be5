#!/usr/bin/python3
"""`python -m pyswarm` does what swarmd does: the same answers, exit codes and log, and the same end.

usage: program.py        (SWARMD names the program, PYTHONPATH where pyswarm is)
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import time

SWARMD = [os.environ["SWARMD"]]
PYTHON = [sys.executable, "-m", "pyswarm"]
SECONDS = 60  # for one command on a machine that does other things
STOP_SECONDS = 10

LINES = [
    ["version"], ["help"], ["help", "manage"], ["manage", "--help"], ["list", "sim://3"], ["list", "nodes://h[1:3]:2375"],
    ["explain", "sim://3", "--", "docker", "run", "-e", "constraint:zone==external", "nginx"],
    ["explain", "sim://3", "--", "docker", "run", "-e", "constraint:zone==moon", "nginx"],
    ["explain", "sim://3", "--", "docker", "run"],
    [], ["manage"], ["manage", "--nosuch", "sim://1"], ["manage", "--overcommit", "x", "sim://1"], ["nosuch"],
    ["manage", "nosuch://x"], ["manage", "-H", "tcp://0.0.0.0:0", "sim://1"], ["list", "file:///nonexistent/nodes"],
    ["manage", "--tlsverify", "sim://1"], ["node", "ls", "-H", "tcp://127.0.0.1:1"],
]
ENVIRONMENTS = [({"SWARM_DISCOVERY": "sim://2"}, ["list"])]


def environment(more=None):
  kept = {name: value for name, value in os.environ.items() if not name.startswith(("SWARM_", "DOCKER_"))}
  return dict(kept, LC_ALL="C", **(more or {}))


def answer(program, words, more=None):
  """(exit code, standard output, standard error without its times)."""
  done = subprocess.run(program + words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS,
                        env=environment(more), check=False)
  return done.returncode, done.stdout, re.sub(r"\d{4}-\d\d-\d\dT[0-9:.+]+", "TIME", done.stderr)


def compare():
  failed = 0
  for more, words in [({}, words) for words in LINES] + ENVIRONMENTS:
    wanted, found = answer(SWARMD, words, more), answer(PYTHON, words, more)
    title = " ".join(words) or "(no words)"
    if found == wanted:
      print("ok     %s: exit code %d" % (title, found[0]))
    else:
      failed += 1
      print("FAILED %s\n  swarmd:            %r\n  python -m pyswarm: %r" % (title, wanted, found))
  return failed


def hear_ctrl_c():
  """Whoever runs in the background passes on that SIGINT is ignored."""
  signal.signal(signal.SIGINT, signal.SIG_DFL)


def serve(first):
  """It serves, and ends in order by `first`, also when told a second time meanwhile."""
  process = subprocess.Popen(PYTHON + ["manage", "-H", "tcp://127.0.0.1:0", "sim://3"], stderr=subprocess.PIPE, text=True,
                             env=environment(), preexec_fn=hear_ctrl_c)
  try:
    log = ""
    while "listening" not in log:
      line = process.stderr.readline()
      if not line:
        raise AssertionError("it ended: %s" % log)
      log += line
    port = int(re.search(r"tcp://127\.0\.0\.1:(\d+)", log).group(1))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", "/info")
    status = connection.getresponse().status
    connection.close()
    begin = time.monotonic()
    process.send_signal(first)
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=SECONDS)
    log += process.stderr.read()
    took = time.monotonic() - begin
  finally:
    if process.poll() is None:
      process.kill()
      process.wait()
  holds = (status, code) == (200, 0) and took < STOP_SECONDS and "stopped" in log
  print("%s served, and stopped by %s within %.2f s, exit code %d" % ("ok    " if holds else "FAILED", first.name, took,
                                                                       code))
  return not holds


def main():
  failed = compare() + serve(signal.SIGTERM) + serve(signal.SIGINT)
  sys.exit(1 if failed else 0)


if __name__ == "__main__":
  main()
