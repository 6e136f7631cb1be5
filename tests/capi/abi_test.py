#!/usr/bin/env python3
"""The binary interface of libswarm.so is the released one, and a library that breaks it is found out.

usage: abi_test.py --source ROOT --build FOLDER. The broken copies are the built library with one file compiled anew
from changed sources. Exit 77: no abidw, or a build without Ninja.
"""
import argparse
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
PATIENCE = 240  # seconds for a compiler or abidiff

# What is done to the sources of one file, and what the report must name.
BREAKS = [
  ("a field has another type", "request.cc", [("swarm.h", "int32_t upgrade;", "int64_t upgrade;")], "swarm_request"),
  ("a function gives another type", "plan.cc",
   [("swarm.h", "size_t swarm_explanation_candidate_count(", "int16_t swarm_explanation_candidate_count("),
    ("plan.cc", "size_t swarm_explanation_candidate_count(", "int16_t swarm_explanation_candidate_count("),
    ("plan.cc", "explanation->explanation.candidates.size()", "(int16_t)explanation->explanation.candidates.size()"),
    ("plan.cc", ": 0;", ": int16_t{0};")],
   "swarm_explanation_candidate_count"),
]


def run(command, **options):
  return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)


def check(source, library):
  return run([source / "scripts/abi.sh", "check", library])


def changed(path, changes):
  text = path.read_text()
  for name, before, after in changes:
    if name != path.name:
      continue
    if before not in text:
      sys.exit(f"{path.name} does not hold {before!r} any more: this test must follow it")
    text = text.replace(before, after)
  return text


def commands_of(build):
  listed = run(["ninja", "-C", build, "-t", "commands", "swarm_c"])
  return [line for line in listed.stdout.splitlines() if "swarm_c.dir" in line or "libswarm.so" in line]


def broken_copy(source, build, work, name, changes):
  """Compiles the file from changed sources and links the library with it."""
  headers = work / "include/swarmlib"
  shutil.copytree(source / "include/swarmlib", headers)
  for header in ("swarm.h", "swarm_extend.h"):
    (headers / header).write_text(changed(source / "include/swarmlib" / header, changes))
  unit = work / name
  unit.write_text(changed(source / "bindings/c" / name, changes))
  compiled, library = work / "unit.o", work / "libbroken.so"
  commands = commands_of(build)
  compile_line = next(line for line in commands if line.endswith(f"bindings/c/{name}"))
  words = shlex.split(compile_line)
  original = words[words.index("-o") + 1]
  words[words.index("-o") + 1] = str(compiled)
  for option in ("-MT", "-MF"):
    place = words.index(option)
    del words[place:place + 2]
  words.remove("-MD")
  words[-1] = str(unit)
  first_include = next(i for i, word in enumerate(words) if word.startswith("-I"))
  words.insert(first_include, f"-I{headers.parent}")
  made = run(words, cwd=build)
  if made.returncode != 0:
    sys.exit(f"{name} with its changes does not compile:\n{made.stderr}")
  link_line = next(line for line in commands if "-shared" in line and "libswarm.so" in line)
  words = shlex.split(link_line.removeprefix(": && ").removesuffix(" && :"))
  words[words.index("-o") + 1] = str(library)
  words[words.index(original)] = str(compiled)
  made = run(words, cwd=build)
  if made.returncode != 0:
    sys.exit(f"the broken copy does not link:\n{made.stderr}")
  return library


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument("--source", type=pathlib.Path, required=True)
  parser.add_argument("--build", type=pathlib.Path, required=True)
  arguments = parser.parse_args()
  now = check(arguments.source, arguments.build / "bindings/c/libswarm.so")
  print(now.stdout + now.stderr, end="")
  if now.returncode != 0:
    return now.returncode
  if not (arguments.build / "build.ninja").exists():
    print("SKIPPED: the broken copies are made by the commands of a build with Ninja")
    return SKIPPED
  for what, name, changes, word in BREAKS:
    with tempfile.TemporaryDirectory() as work:
      library = broken_copy(arguments.source, arguments.build, pathlib.Path(work), name, changes)
      report = check(arguments.source, library)
    if report.returncode != 1 or word not in report.stdout:
      print(f"{what}: not found out (exit code {report.returncode})\n{report.stdout}{report.stderr}")
      return 1
    print(f"{what}: found out")
  return 0


if __name__ == "__main__":
  sys.exit(main())
