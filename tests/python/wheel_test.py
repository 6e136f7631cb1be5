#!/usr/bin/env python3
"""The wheel: `pip wheel .` without an index, and a fresh venv that uses it.

usage: wheel_test.py --build FOLDER

Packs the module that the build tree FOLDER holds (-DSWARM_PREBUILT); with SWARM_LONG=1 the wheel is also built from
nothing but the sources. scikit-build-core is the part python-build of scripts/parts.sh.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

SKIP_CODE = 77
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LONG = os.environ.get("SWARM_LONG", "") not in ("", "0")

USE = """
import importlib.metadata, sys, time
begin = time.perf_counter()
import pyswarm
print("import: %.1f ms" % ((time.perf_counter() - begin) * 1000))
assert pyswarm.__file__.startswith(sys.prefix), pyswarm.__file__
assert importlib.metadata.version("pyswarm") == pyswarm.__version__
plugins = [(one.name, one.value) for one in importlib.metadata.entry_points(group="pytest11")]
assert ("pyswarm", "pyswarm.testing") in plugins, plugins
with pyswarm.Manager("sim://3") as manager:
  manager.wait_ready()
  print("placed on " + manager.inspect(manager.create_container({"Image": "busybox"}))["Node"]["Name"])
"""


class Failed(Exception):
  """A step did not do what it should; holds what it printed."""


def run(words, seconds, **more):
  done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, **more)
  if done.returncode != 0:
    raise Failed("%s: exit code %d\n%s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
  return done.stdout


def part():
  """The folder of scikit-build-core, or the reason why there is none."""
  done = subprocess.run([os.path.join(ROOT, "scripts", "parts.sh"), "path", "python-build"], capture_output=True, text=True)
  return (done.stdout.strip(), "") if done.returncode == 0 else ("", done.stderr.strip())


def make_wheel(folder, scikit_build, seconds, settings):
  environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
  environment.update(PYTHONPATH=scikit_build, PYTHONDONTWRITEBYTECODE="1", PIP_DISABLE_PIP_VERSION_CHECK="1",
                     PIP_ROOT_USER_ACTION="ignore")
  # pip builds in a copy, so that the checkout stays as it is.
  source = os.path.join(folder, "source")
  shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", "build", "__pycache__", "tests", "bench", "docs"))
  words = [sys.executable, "-m", "pip", "wheel", source, "--no-build-isolation", "--no-index", "--no-deps", "--wheel-dir",
           folder]
  for setting in settings:
    words += ["--config-settings", setting]
  run(words, seconds, env=environment, cwd=folder)
  made = [name for name in os.listdir(folder) if name.endswith(".whl")]
  if len(made) != 1:
    raise Failed("one wheel is wanted, not %r" % made)
  return os.path.join(folder, made[0])


def check_contents(wheel):
  with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    version = os.path.basename(wheel).split("-")[1]
    info = "pyswarm-%s.dist-info/" % version
    metadata = archive.read(info + "METADATA").decode()
  wanted = {"pyswarm/__init__.py", "pyswarm/_core.pyi", "pyswarm/py.typed", "pyswarm/aio.py", "pyswarm/testing.py",
            info + "entry_points.txt", info + "METADATA"}
  if not wanted <= set(names):
    raise Failed("the wheel lacks %r" % sorted(wanted - set(names)))
  modules = [name for name in names if name.endswith(".so")]
  strangers = [name for name in names if not name.startswith(("pyswarm/", info))]
  if len(modules) != 1 or not modules[0].startswith("pyswarm/_core.") or strangers or "Name: pyswarm" not in metadata:
    raise Failed("the wheel holds %r" % names)
  print("%s: %d files, %d KiB" % (os.path.basename(wheel), len(names), os.path.getsize(wheel) // 1024))


def check_in_a_venv(folder, wheel):
  venv = os.path.join(folder, "venv")
  run([sys.executable, "-m", "venv", venv], 120)
  python = os.path.join(venv, "bin", "python")
  environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
  run([python, "-m", "pip", "install", "--no-index", "--no-deps", wheel], 120, env=environment, cwd=folder)
  for _ in range(2):
    print(run([python, "-c", USE], 60, env=environment, cwd=folder), end="", flush=True)


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument("--build", required=True)
  options = parser.parse_args()
  scikit_build, reason = part()
  for module in ("pip", "venv", "ensurepip"):
    done = subprocess.run([sys.executable, "-c", "import " + module], capture_output=True)
    reason = reason or ("" if done.returncode == 0 else "python3-%s is not installed" % module)
  if reason:
    print("SKIPPED: " + reason)
    return SKIP_CODE
  prebuilt = "cmake.define.SWARM_PREBUILT=" + os.path.abspath(options.build)
  for seconds, settings in [(120, [prebuilt])] + ([(3000, [])] if LONG else []):
    with tempfile.TemporaryDirectory(prefix="pyswarm-wheel-") as folder:
      try:
        wheel = make_wheel(folder, scikit_build, seconds, settings)
        check_contents(wheel)
        check_in_a_venv(folder, wheel)
      except Failed as failure:
        print("FAILED: %s" % failure)
        return 1
  print("the wheel works")
  return 0


if __name__ == "__main__":
  sys.exit(main())
