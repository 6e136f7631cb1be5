"""Programs that are built against an installed tree, as its users would. Used by install_test.py and deb_test.py."""

import glob
import os
import shutil

import harness

BUILD_SECONDS = 180
HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "examples")
PLACED = "sim-0001\n"  # what the programs of examples/embed print


def call(*words, env=None, cwd=None):
  return harness.run_program(list(words), seconds=BUILD_SECONDS, env=harness.clean_environment(env), cwd=cwd)


def cxx():
  return os.environ.get("CXX", "g++")


def cc():
  return os.environ.get("CC", "gcc")


def has_c(prefix):
  return os.path.exists(os.path.join(prefix, "include/swarmlib/swarm.h"))


def c_headers(prefix):
  return [path for path in (os.path.join(prefix, "include/swarmlib", name) for name in ("swarm.h", "swarm_extend.h"))
          if os.path.exists(path)]


def check_headers(report, prefix):
  """The installed headers have all that they need. (tools_headers compiles each alone, from the same list.)"""
  include = ["-I" + os.path.join(prefix, "include")]
  headers = sorted(glob.glob(os.path.join(prefix, "include/swarmlib/*.h")), reverse=True)
  report.check("headers are installed", len(headers) >= 20, headers)
  alone = [[header] for header in headers] if os.environ.get("SWARM_LONG") else []
  for chosen in [headers, *alone]:
    done = call(cxx(), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c++", *include,
                *[word for header in chosen for word in ("-include", header)], os.devnull)
    report.check("%s compile" % ("headers" if len(chosen) > 1 else chosen[0]), done.code == 0, done)
  for header in c_headers(prefix):
    done = call(cc(), "-std=c99", "-pedantic", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c", *include,
                "-include", header, os.devnull)
    report.check("%s is strict C99" % os.path.basename(header), done.code == 0, done)


def built_by_cmake(report, cmake, prefix, source, build, *options):
  """True when the project of that folder builds with find_package(swarm)."""
  done = call(cmake, "-S", source, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix, *options)
  if not report.check("find_package(swarm) in %s" % os.path.basename(source), done.code == 0, done):
    return False
  done = call(cmake, "--build", build)
  return report.check("%s builds" % os.path.basename(source), done.code == 0, done)


def pkg_config(report, prefix, library, name):
  """The words for the compiler, or None."""
  if shutil.which("pkg-config") is None:
    print("left out: there is no pkg-config")
    return None
  done = call("pkg-config", "--cflags", "--libs", name, env={"PKG_CONFIG_PATH": os.path.join(prefix, library,
                                                                                         "pkgconfig")})
  return done.out.split() if report.check("pkg-config " + name, done.code == 0, done) else None


def runs(report, name, program, wanted, env=None):
  done = call(program, env=env)
  return report.equal(name, (done.code, done.out, done.err), (0, wanted, ""))


def check_cxx(report, cmake, prefix, library, work):
  build = os.path.join(work, "orchestrator")
  if built_by_cmake(report, cmake, prefix, os.path.join(EXAMPLES, "orchestrator"), build,
                    "-DCMAKE_UNITY_BUILD=ON"):
    done = call(os.path.join(build, "orchestrator"))
    report.equal("a foreign orchestrator places on its own machines", (done.code, done.out, done.err),
                 (0, read(os.path.join(HERE, "orchestrator.txt")), ""))
  words = pkg_config(report, prefix, library, "swarm")
  if words is not None:
    program = os.path.join(work, "by_pkg_config")
    done = call(cxx(), os.path.join(EXAMPLES, "embed/embed.cc"), "-o", program, *words)
    if report.check("a program builds with what pkg-config says", done.code == 0, done):
      runs(report, "and runs, too", program, PLACED)


def check_c(report, cmake, prefix, library, work):
  if not has_c(prefix):
    print("left out: the C library is not installed")
    return
  shared = {"LD_LIBRARY_PATH": os.path.join(prefix, library)}
  build = os.path.join(work, "consumer_c")
  # No package of the C++ library may be asked for by a project in C.
  if cmake and built_by_cmake(report, cmake, prefix, os.path.join(HERE, "consumer_c"), build, "-DCMAKE_DISABLE_FIND_PACKAGE_absl=ON",
                    "-DCMAKE_DISABLE_FIND_PACKAGE_spdlog=ON"):
    runs(report, "a C program of swarm::c runs", os.path.join(build, "consumer_c"), PLACED)
  words = pkg_config(report, prefix, library, "libswarm")
  if words is not None:
    program = os.path.join(work, "c_by_pkg_config")
    done = call(cc(), "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", os.path.join(EXAMPLES, "embed/embed.c"),
                "-o", program, *words)
    if report.check("a C program builds with what pkg-config says", done.code == 0, done):
      runs(report, "and runs with libswarm.so", program, PLACED, shared)
      report.check("libswarm.so.1 is wanted by it", "libswarm.so.1" in call("ldd", program, env=shared).out)


def read(path):
  with open(path, encoding="utf-8") as file:
    return file.read()
