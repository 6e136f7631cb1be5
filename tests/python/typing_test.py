#!/usr/bin/env python3
"""The types of pyswarm: mypy --strict over the package, stubtest of the compiled part, and a program that uses them.

usage: typing_test.py --package FOLDER     FOLDER holds pyswarm with its compiled part, as <build>/bindings/python
"""

import argparse
import os
import subprocess
import sys
import tempfile

SKIP_CODE = 77

# What it reveals holds the hand-written types to what they promise.
USER = '''
import asyncio
import pyswarm
import pyswarm.aio
import pyswarm.testing

def rules_for(spec: dict[str, object]) -> list[pyswarm.Rule]:
  return [pyswarm.Rule("even", predicate=lambda node: node.name.endswith("2"))]

with pyswarm.Manager("sim://3", custom_filters={"even": rules_for}) as manager:
  node: pyswarm.Node = manager.nodes()[0]
  memory: int = node.total.memory
  fits: bool = manager.plan({"Image": "busybox"}).fits
  made: str = manager.create_container({"Image": "busybox"}, name="web")
  with manager.events({"type": ["container"]}) as events:
    action: object = next(events)["Action"]
  answer: pyswarm.Response = manager.request("GET", "/version", stream=True).raise_for_status()
  first: bytes = next(answer.lines())
  error: ValueError = pyswarm.InvalidArgument(400, "INVALID_ARGUMENT", "wrong")
  absent: KeyError = pyswarm.NotFound(404, "NOT_FOUND", "none")

async def main() -> None:
  async with pyswarm.aio.Manager("sim://3") as other:
    plan: pyswarm.Explanation = await other.plan({"Image": "busybox"})
    async with await other.request("GET", "/events", stream=True) as reply:
      async for line in reply.lines():
        kept: bytes = line

simulated: pyswarm.Manager = pyswarm.testing.open_simulated(5, strategy="binpack")
asyncio.run(main())
'''

# Each line is a mistake that must be found.
MISTAKES = '''
import pyswarm
pyswarm.Manager("sim://3", stratgy="spread")
pyswarm.Manager(3)
manager = pyswarm.Manager("sim://3")
manager.nodes()[0].colour
manager.request("GET", "/version", timeout="long")
manager.plan({"Image": "busybox"}).node.upper()
'''


# What the adapter of docker-py stands on has no types of its own.
CONFIG = """[mypy]
strict = True
[mypy-docker.*,requests.*,urllib3.*]
ignore_missing_imports = True
"""

# pybind11's classes have a metaclass that no stub can name.
ALLOWED = "".join("pyswarm._core.%s\n" % name for name in ("Changes", "Exchange", "Manager", "ViewHandle"))


def run(name, words, folder, environment):
  done = subprocess.run([sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True,
                        timeout=400)
  print("%s: exit code %d\n%s%s" % (name, done.returncode, done.stdout, done.stderr), flush=True)
  return done


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument("--package", required=True)
  package = os.path.abspath(parser.parse_args().package)
  try:
    import mypy  # noqa: F401
    import pytest  # noqa: F401
  except ImportError as error:
    print("SKIPPED: %s (scripts/setup.sh test)" % error)
    return SKIP_CODE
  with tempfile.TemporaryDirectory(prefix="pyswarm-typing-") as folder:
    environment = dict(os.environ, PYTHONPATH=package, MYPYPATH=package, MYPY_CACHE_DIR=os.path.join(folder, "cache"))
    for name, text in (("user.py", USER), ("mistakes.py", MISTAKES), ("mypy.ini", CONFIG),
                       ("allowed", ALLOWED)):
      with open(os.path.join(folder, name), "w") as file:
        file.write(text)
    strict = ["mypy", "--strict", "--python-executable", sys.executable]
    wrong = []
    done = run("mypy --strict", [*strict, "-p", "pyswarm", "-m", "user"], folder, environment)
    if done.returncode != 0:
      wrong.append("mypy --strict")
    done = run("mypy of mistakes", [*strict, "mistakes.py"], folder, environment)
    found = done.stdout.count("mistakes.py:")
    if done.returncode != 1 or found != MISTAKES.count("\n") - 3:
      wrong.append("mypy finds %d mistakes" % found)
    done = run("stubtest", ["mypy.stubtest", "--allowlist", "allowed", "pyswarm._core"], folder, environment)
    if done.returncode != 0:
      wrong.append("stubtest")
  print("FAILED: " + ", ".join(wrong) if wrong else "the types hold")
  return 1 if wrong else 0


if __name__ == "__main__":
  sys.exit(main())
