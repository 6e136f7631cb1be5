#!/usr/bin/env python3
"""The binary interface of libswarm.so is the released one, and a change of it is found out.

usage: abi_test.py --source ROOT --library FILE. Each case edits a copy of the two headers and makes a library of them
alone: every function that they declare, with a body that does nothing. Of such a library scripts/abi.sh must find what
the case says. Exit 77: no abidw.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HEADERS = ("swarm.h", "swarm_extend.h")
PATIENCE = 60  # seconds for a compiler or abidiff

UPGRADE = "  int32_t upgrade;"
LAST = "  size_t own_scheme_count;\n"
SWARM_CODE = "SWARM_UNAUTHENTICATED = 16"

# What is done to the headers, what becomes what, and what the report must name: nothing, when it is no change.
CASES = [
  ("nothing is changed", [], None),
  ("a function is added", [("size_t swarm_nodes_count(", "int swarm_new(int);\nSWARM_API size_t swarm_nodes_count(")],
   None),
  ("an enumerator is added", [(SWARM_CODE, SWARM_CODE + ",\n  SWARM_NEW = 17")], None),
  ("options grow at their end", [(LAST, LAST + "  const char* one_more;\n  int64_t and_another;\n")], None),
  ("a filter grows at its end", [("} swarm_filter;", "  void (*added)(void*);\n} swarm_filter;")], None),
  ("a function is gone", [("SWARM_API size_t swarm_nodes_count(const swarm_nodes* nodes);", "")], "swarm_nodes_count"),
  ("a function gives another type", [("size_t swarm_nodes_count(", "int16_t swarm_nodes_count(")],
   "swarm_nodes_count"),
  ("a function takes another type", [("swarm_exchange_status(const swarm_exchange*",
                                      "swarm_exchange_status(const swarm_reply*")], "swarm_exchange_status"),
  ("a function takes one more", [("swarm_code_name(swarm_code code", "swarm_code_name(swarm_code code, int more")],
   "swarm_code_name"),
  ("an enumerator has another number", [("SWARM_NOT_FOUND = 5", "SWARM_NOT_FOUND = 50")], "SWARM_NOT_FOUND"),
  ("a member is retyped and larger", [(UPGRADE, "  int64_t upgrade;")], "swarm_request"),
  ("a member is retyped", [("int64_t heartbeat_ms;", "double heartbeat_ms;")], "heartbeat_ms"),
  ("a member loses its sign", [(UPGRADE, "  uint32_t upgrade;")], "upgrade"),
  ("a callback takes another type", [("swarm_code (*rules)(void* user_data", "swarm_code (*rules)(int user_data")],
   "swarm_filter"),
  ("members are swapped", [("int32_t cors;", "int32_t SWAP;"), ("int32_t experimental;", "int32_t cors;"),
                           ("int32_t SWAP;", "int32_t experimental;")], "swarm_options: where cors was"),
  ("a member is inserted", [("  const char* strategy; ", "  const char* inserted;\n  const char* strategy; ")],
   "swarm_options: where strategy was"),
  ("a member is inserted in a hole", [("  int32_t experimental;", "  int32_t experimental, inserted;")],
   "swarm_options: where failure_retry was"),
  ("a member is gone", [(LAST, "")], "swarm_options: where own_scheme_count was"),
  ("a member is inserted and the end grows", [(LAST, "  size_t inserted;\n" + LAST + "  size_t added;\n")],
   "swarm_options: where own_scheme_count was"),
  ("a member is retyped and the end grows",
   [("int64_t heartbeat_ms;", "double heartbeat_ms;"), (LAST, LAST + "  size_t added;\n")], "heartbeat_ms"),
  ("a struct without struct_size grows", [("  const char* value;\n} swarm_field;",
                                           "  const char* value;\n  size_t length;\n} swarm_field;")], "swarm_field"),
]


# A struct whose 12 bytes of members are padded to 16, and a member in that padding: callers that know the old struct
# pass a struct_size that covers it.
PADDED = """<abi-corpus><class-decl name='padded' size-in-bits='128'>
<data-member layout-offset-in-bits='0'><var-decl name='struct_size'/></data-member>
<data-member layout-offset-in-bits='64'><var-decl name='first'/></data-member>%s</class-decl></abi-corpus>"""
IN_PADDING = "<data-member layout-offset-in-bits='96'><var-decl name='second'/></data-member>"


def run(command):
  return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def write_headers(source, into, changes):
  into.mkdir(parents=True)
  texts = {name: (source / "include/swarmlib" / name).read_text() for name in HEADERS}
  for before, after in changes:
    holding = [name for name in HEADERS if before in texts[name]]
    if len(holding) != 1 or texts[holding[0]].count(before) != 1:
      sys.exit(f"{before!r} is not once in the headers any more: this test must follow them")
    texts[holding[0]] = texts[holding[0]].replace(before, after)
  for name, text in texts.items():
    (into / name).write_text(text)
  return texts.values()


def library_of(source, work, changes):
  """Returns the library and the folder of its headers."""
  headers = work / "include/swarmlib"
  declared = re.findall(r"^SWARM_API ([^;]*\));", "\n".join(write_headers(source, headers, changes)), re.MULTILINE)
  unit, library = work / "every_function.c", work / "libswarm.so"
  unit.write_text("".join(f'#include "swarmlib/{name}"\n' for name in HEADERS) +
                  "".join(f"{function} {{ __builtin_trap(); }}\n" for function in declared))
  made = run([os.environ.get("CC", "cc"), "-g", "-shared", "-fPIC", "-Wl,-soname,libswarm.so.1", f"-I{headers.parent}",
             f"-Wl,--version-script={source}/bindings/c/libswarm.map", "-o", library, unit])
  if made.returncode != 0:
    sys.exit(f"the changed headers do not compile:\n{made.stderr}")
  return library, headers


def failure(source, changes, word):
  """What is wrong with the answer of scripts/abi.sh, or nothing."""
  with tempfile.TemporaryDirectory() as work:
    library, headers = library_of(source, pathlib.Path(work), changes)
    checked = run([source / "scripts/abi.sh", "check", library, headers])
  if checked.returncode == (0 if word is None else 1) and (word or "") in checked.stdout:
    return None
  return f"exit code {checked.returncode}\n{checked.stdout}{checked.stderr}"


def padding_failure(source):
  with tempfile.TemporaryDirectory() as work:
    old, new = pathlib.Path(work, "old.abi"), pathlib.Path(work, "new.abi")
    old.write_text(PADDED % "")
    new.write_text(PADDED % IN_PADDING)
    compared = run([sys.executable, "-B", source / "scripts/lib/abi_structs.py", old, new])
  if compared.returncode == 1 and "second" in compared.stdout:
    return None
  return f"exit code {compared.returncode}\n{compared.stdout}{compared.stderr}"


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument("--source", type=pathlib.Path, required=True)
  parser.add_argument("--library", type=pathlib.Path, required=True)
  arguments = parser.parse_args()
  now = run([arguments.source / "scripts/abi.sh", "check", arguments.library])
  print(now.stdout + now.stderr, end="")
  if now.returncode != 0:
    return now.returncode
  answers = [(what, failure(arguments.source, changes, word)) for what, changes, word in CASES]
  answers.append(("a member is put into padding", padding_failure(arguments.source)))
  failed = 0
  for what, wrong in answers:
    print(f"{what}: {'as it should be' if wrong is None else wrong}")
    failed += wrong is not None
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
