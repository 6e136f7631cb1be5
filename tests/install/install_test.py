#!/usr/bin/env python3
"""`cmake --install` of a build: what it installs runs, and what it installs can be built against.

usage: install_test.py --build FOLDER [--cmake PATH]

Installs into a folder of its own (DESTDIR), calls the program by both of its names, and builds a small program with
find_package(swarm) and with pkg-config. Needs no root and no engines.
"""

import os
import re
import shutil
import stat
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness  # noqa: E402

TEST_SECONDS = 400
BUILD_SECONDS = 180
HERE = os.path.dirname(os.path.abspath(__file__))


def call(*words, env=None, cwd=None):
  return harness.run_program(list(words), seconds=BUILD_SECONDS, env=harness.clean_environment(env), cwd=cwd)


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


def check_find_package(report, cmake, prefix, work):
  build = os.path.join(work, "consumer")
  done = call(cmake, "-S", os.path.join(HERE, "consumer"), "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix)
  if not report.check("find_package(swarm)", done.code == 0, done):
    return
  done = call(cmake, "--build", build)
  if report.check("a consumer builds", done.code == 0, done):
    report.matches("and runs", call(os.path.join(build, "consumer")).out, r"^\d+\.\d+\.\d+ places on one of 3\n$")


def check_pkg_config(report, prefix, library, work):
  if shutil.which("pkg-config") is None:
    print("left out: there is no pkg-config")
    return
  env = {"PKG_CONFIG_PATH": os.path.join(prefix, library, "pkgconfig")}
  done = call("pkg-config", "--cflags", "--libs", "swarm", env=env)
  if not report.check("pkg-config swarm", done.code == 0, done):
    return
  program = os.path.join(work, "by_pkg_config")
  done = call(os.environ.get("CXX", "g++"), os.path.join(HERE, "consumer/main.cc"), "-o", program, *done.out.split())
  if report.check("a program builds with what pkg-config says", done.code == 0, done):
    report.matches("and runs, too", call(program).out, r"places on one of 3\n$")


def run(options, report):
  with tempfile.TemporaryDirectory(prefix="swarm-install-") as work:
    root = os.path.join(work, "root")
    done = call(options.cmake, "--install", options.build, "--prefix", "/usr", env={"DESTDIR": root})
    if not report.check("cmake --install", done.code == 0, done):
      return
    prefix = os.path.join(root, "usr")
    library = re.search(r"/usr/(\S+)/libswarm\.a", done.out).group(1)
    check_files(report, prefix, library)
    check_programs(report, prefix)
    check_find_package(report, options.cmake, prefix, work)
    check_pkg_config(report, prefix, library, work)


def add_options(parser):
  parser.add_argument("--build", required=True, help="the folder of the build to install")
  parser.add_argument("--cmake", default="cmake")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
