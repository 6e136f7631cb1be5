#!/usr/bin/env python3
"""`cmake --install` of a build: what it installs runs, and what it installs can be built against.

usage: install_test.py --build FOLDER [--cmake PATH]

Installs into a folder of its own (DESTDIR), calls the program by both of its names, and builds programs in C++ and C
with find_package(swarm) and with pkg-config, each header alone, and the orchestrator of examples/; holds the man page
and the completions to what swarmd says of itself. Needs no root and no engines.
"""

import os
import re
import shutil
import stat
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "integration"), os.path.join(ROOT, "tools")]
import harness  # noqa: E402
import consumers  # noqa: E402
import surroundings  # noqa: E402

TEST_SECONDS = 400


call = consumers.call


def check_programs(report, prefix):
  swarmd, swarm = os.path.join(prefix, "bin/swarmd"), os.path.join(prefix, "bin/swarm")
  report.check("swarmd is a program", os.access(swarmd, os.X_OK) and not os.path.islink(swarmd))
  report.check("swarm is a link to swarmd", os.path.islink(swarm) and os.readlink(swarm) == "swarmd")
  done = call(swarm, "--version")
  report.matches("swarm --version", done.out, r"^swarm version \d+\.\d+\.\d+\n$")
  with harness.Swarmd(swarm, discovery="sim://1", flags=["-H=0.0.0.0:0"]) as running:
    report.matches("swarm manage: as the old command lines say", running.log(), r"(?i)warn.*--tlsverify")
    running.wait_healthy(1)
    report.equal("swarm manage: serves", list(running.statuses().values()), ["Healthy"])


def check_files(report, prefix, library):
  for path in ("include/swarmlib/manager.h", "include/swarmlib/version.h", library + "/libswarm.a",
               library + "/cmake/swarm/swarm-config.cmake", library + "/pkgconfig/swarm.pc"):
    report.check(path, os.path.isfile(os.path.join(prefix, path)), os.listdir(prefix))
  writable = [os.path.join(folder, name) for folder, _, names in os.walk(prefix) for name in names
              if not os.path.islink(os.path.join(folder, name))
              and os.stat(os.path.join(folder, name)).st_mode & (stat.S_IWGRP | stat.S_IWOTH)]
  report.equal("nobody else may write to what is installed", writable, [])


def check_settings(report, options, root):
  """A second installation keeps what the machine's owner wrote."""
  path = os.path.join(root, "etc/default/swarmd")
  report.check("etc/default/swarmd", os.path.isfile(path))
  with open(path, "a", encoding="utf-8") as settings:
    settings.write("SWARM_DISCOVERY=sim://3\n")
  done = call(options.cmake, "--install", options.build, "--prefix", "/usr", "--component", "daemon",
              env={"DESTDIR": root})
  with open(path, encoding="utf-8") as settings:
    kept = settings.read()
  report.check("installed again, settings stay", done.code == 0 and kept.endswith("sim://3\n"), (done, kept))
  # surroundings.check_unit holds that the unit reads both.
  done = call(options.cmake, "--install", options.build, "--prefix", "/usr/local", "--component", "daemon",
              env={"DESTDIR": root})
  local = os.path.join(root, "usr/local")
  report.check("under /usr/local the unit and its settings lie where they are looked for", done.code == 0 and all(
      os.path.isfile(os.path.join(local, path)) for path in ("etc/default/swarmd", "lib/systemd/system/swarmd.service")),
               done)
  shutil.rmtree(local, ignore_errors=True)


def run(options, report):
  with tempfile.TemporaryDirectory(prefix="swarm-install-") as work:
    root = os.path.join(work, "root")
    done = call(options.cmake, "--install", options.build, "--prefix", "/usr", env={"DESTDIR": root})
    if not report.check("cmake --install", done.code == 0, done):
      return
    library = re.search(r"/usr/(\S+)/libswarm\.a", done.out).group(1)
    check_files(report, os.path.join(root, "usr"), library)
    check_programs(report, os.path.join(root, "usr"))
    surroundings.check(report, os.path.join(root, "usr"))
    check_settings(report, options, root)
    # Everything is found from where it lies, so what is built here is built against a tree that was moved.
    prefix = os.path.join(work, "moved")
    os.rename(os.path.join(root, "usr"), prefix)
    consumers.check_headers(report, prefix)
    consumers.check_cxx(report, options.cmake, prefix, library, work)
    consumers.check_c(report, options.cmake, prefix, library, work)


def add_options(parser):
  parser.add_argument("--build", required=True, help="the folder of the build to install")
  parser.add_argument("--cmake", default="cmake")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
