#!/usr/bin/env python3
"""The wheel: `pip wheel .` without an index, and a fresh venv that uses it.

usage: wheel_test.py --build FOLDER

Packs the module that the build tree FOLDER holds (-DSWARM_PREBUILT); with SWARM_LONG=1 the wheel is also built from
nothing but the sources. scikit-build-core is the part python-build of scripts/parts.sh.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

SKIP_CODE = 77
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LONG = os.environ.get("SWARM_LONG", "") not in ("", "0")

IMPORT_TRIES, IMPORT_MS = 7, 50  # processor time of the quickest
IMPORT = "import time; begin = time.process_time(); import pyswarm; print((time.process_time() - begin) * 1000)"
USE = """
import importlib.metadata, sys
import pyswarm
assert pyswarm.__file__.startswith(sys.prefix), pyswarm.__file__
assert importlib.metadata.version("pyswarm") == pyswarm.__version__
plugins = [(one.name, one.value) for one in importlib.metadata.entry_points(group="pytest11")]
assert ("pyswarm", "pyswarm.testing") in plugins, plugins
with pyswarm.Manager("sim://3") as manager:
  manager.wait_ready()
  print("placed on " + manager.inspect(manager.create_container({"Image": "busybox"}))["Node"]["Name"])
"""
PLUGIN = """
import sys
import pyswarm

def test_placement(swarm_manager):
  assert pyswarm.__file__.startswith(sys.prefix), pyswarm.__file__
  made = swarm_manager.create_container({"Image": "busybox"}, name="web")
  assert swarm_manager.inspect(made)["Node"]["Name"].startswith("sim-")
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
  shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", "build", "__pycache__", "tests", "bench"))
  words = [sys.executable, "-m", "pip", "wheel", source, "--no-build-isolation", "--no-index", "--no-deps", "--wheel-dir",
           folder, "--config-settings", "build-dir=" + os.path.join(folder, "build")]
  for setting in settings:
    words += ["--config-settings", setting]
  run(words, seconds, env=environment, cwd=folder)
  made = [name for name in os.listdir(folder) if name.endswith(".whl")]
  if len(made) != 1:
    raise Failed("one wheel is wanted, not %r" % made)
  return os.path.join(folder, made[0])


def check_contents(wheel, folders):
  """`folders`: of this machine, which nothing in it may name."""
  with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    telling = [(name, folder) for name in names for folder in folders if folder.encode() in archive.read(name)]
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
  if telling:
    raise Failed("the wheel names folders of the machine it was made on: %r" % telling)
  print("%s: %d files, %d KiB" % (os.path.basename(wheel), len(names), os.path.getsize(wheel) // 1024))


def check_in_a_venv(folder, wheel):
  venv = os.path.join(folder, "venv")
  run([sys.executable, "-m", "venv", venv], 300)
  python = os.path.join(venv, "bin", "python")
  environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
  run([python, "-m", "pip", "install", "--no-index", "--no-deps", wheel], 300, env=environment, cwd=folder)
  print(run([python, "-c", USE], 60, env=environment, cwd=folder), end="", flush=True)
  best = min(float(run([python, "-c", IMPORT], 60, env=environment, cwd=folder)) for _ in range(IMPORT_TRIES))
  print("import: %.1f ms of processor time, at most %d are wanted" % (best, IMPORT_MS))
  if best > IMPORT_MS:
    raise Failed("the import takes too long")
  told = run([python, "-m", "pyswarm", "--version"], 60, env=environment, cwd=folder)
  if told != "swarmd version %s\n" % os.path.basename(wheel).split("-")[1]:
    raise Failed("python -m pyswarm --version says %r" % told)
  print("python -m pyswarm --version: " + told, end="")
  check_plugin(folder, python, environment)


def check_plugin(folder, python, environment):
  """pytest itself is this machine's, and finds the plugin by what the wheel says of itself."""
  pytest = importlib.util.find_spec("pytest")
  if pytest is None:
    print("left out: the plugin, as python3-pytest is not installed (scripts/setup.sh test)")
    return
  tests = os.path.join(folder, "tests")
  os.mkdir(tests)
  with open(os.path.join(tests, "test_placement.py"), "w", encoding="utf-8") as file:
    file.write(PLUGIN)
  # Behind what the venv has of its own.
  site = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], 60, env=environment).strip()
  with open(os.path.join(site, "pytest.pth"), "w", encoding="utf-8") as file:
    file.write(os.path.dirname(os.path.dirname(pytest.origin)) + "\n")
  told = run([python, "-m", "pytest", "-p", "no:cacheprovider", tests], 120, env=environment, cwd=tests)
  plugins = [line for line in told.splitlines() if line.startswith("plugins:") and "pyswarm-" in line]
  if not plugins or "1 passed" not in told:
    raise Failed("pytest with the plugin: " + told)
  print("pytest: 1 passed, " + plugins[0])


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
  for seconds, settings in [(300, [prebuilt])] + ([(3000, [])] if LONG else []):
    with tempfile.TemporaryDirectory(prefix="pyswarm-wheel-") as folder:
      try:
        wheel = make_wheel(folder, scikit_build, seconds, settings)
        check_contents(wheel, [ROOT + "/", os.path.abspath(options.build) + "/", folder + "/"])
        check_in_a_venv(folder, wheel)
      except Failed as failure:
        print("FAILED: %s" % failure)
        return 1
  print("the wheel works")
  return 0


if __name__ == "__main__":
  sys.exit(main())
