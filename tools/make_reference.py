#!/usr/bin/env python3
"""Makes the reference of the public interfaces, as Markdown, from the comments in them.

usage: make_reference.py ROOT FOLDER    writes FOLDER/cpp.md, c.md, python.md and README.md
       make_reference.py ROOT --check   writes nothing; exit 1 when something public has no comment

The C++ and C pages come from include/swarmlib, the Python page from bindings/python/pyswarm (its source, which is read
and not imported).
"""
import pathlib
import re
import sys

import reference_python

C_HEADERS = ("swarm.h", "swarm_extend.h")
# What a header begins with that is no declaration of its own.
FRAME = re.compile(r'\s*(#|namespace |}  // namespace|extern "C"|}  // extern|$)')
# Names, or switches of the compiler: the header's own comment is enough.
SPEAKS_FOR_ITSELF = re.compile(r"using |struct |enum |typedef enum |#define |(inline )?constexpr ")
NAME_OF_TYPE = re.compile(r"\b(?:class|struct|enum class|enum|namespace)\s+(\w+)")
NAME_OF_ALIAS = re.compile(r"\busing\s+(\w+)")
NAME_OF_TYPEDEF = re.compile(r"\(\*(\w+)\)|(\w+);\s*$")
NAME_OF_CALL = re.compile(r"(\w+)\(")


def is_comment(line):
  return line.lstrip().startswith("//") and not line.lstrip().startswith("// clang-format")


def prose(lines):
  """The text of comment lines: a line that is indented or begins like an item stays a line of its own."""
  text = []
  for line in lines:
    line = line.lstrip()[2:]
    line = line[1:] if line.startswith(" ") else line
    if line.startswith("  ") and text and text[-1]:
      text.append("")  # the beginning of a paragraph
    text.append(line.strip())
  return "`".join(part if number % 2 else re.sub(r"[<*_]", lambda mark: "\\" + mark.group(), part)
                  for number, part in enumerate("\n".join(text).strip().split("`")))


def depth_of(line):
  """By how many braces and parentheses a line of code goes deeper."""
  code = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'|//.*', "", line)
  return sum(code.count(mark) for mark in "{(") - sum(code.count(mark) for mark in "})")


def items_of(lines):
  """[(comment lines, code lines)] of the declarations at the outermost level."""
  items, comment, code, depth = [], [], [], 0
  for line in lines + [""]:
    if depth == 0 and not code:
      if is_comment(line):
        comment.append(line)
      elif FRAME.match(line) and not re.match(r"#define \w+\W", line):
        comment = []
      elif line.strip():
        code = [line]
        depth = depth_of(line)
    else:
      code.append(line)
      depth += depth_of(line)
    ends = code and code[-1].split("//")[0].rstrip().endswith((";", "}"))
    if code and code[0].startswith("#define"):
      ends = not code[-1].rstrip().endswith("\\")
    if code and depth == 0 and ends:
      items.append((comment, code))
      comment, code = [], []
  return items


def joined(items):
  """Without what is only named; what has no comment belongs to what stands before it."""
  kept = []
  for comment, code in items:
    if is_forward(code):
      continue
    if kept and not comment and not SPEAKS_FOR_ITSELF.match(code[0]):
      kept[-1][1].append(name_of(code))
      kept[-1][2].extend(code)
    else:
      kept.append((comment, [name_of(code)], list(code)))
  return kept


def name_of(code):
  first = " ".join(line.split("//")[0].strip() for line in code)
  if first.startswith("#define"):
    return re.match(r"#define\s+(\w+)", first).group(1)
  if first.startswith("typedef"):
    found = NAME_OF_TYPEDEF.search(first.split("{")[0] + first.rsplit("}", 1)[-1])
    return (found.group(1) or found.group(2)) if found else first
  head = re.sub(r"^template <[^>]*>\s*", "", re.split(r"[={;]", first)[0])
  for pattern in (NAME_OF_TYPE, NAME_OF_ALIAS, NAME_OF_CALL):
    found = pattern.search(first if pattern is NAME_OF_ALIAS else head)
    if found:
      return found.group(1)
  return head.split()[-1]


def is_forward(code):
  return bool(re.fullmatch(r"(typedef )?(struct|class) \w+( \w+)?;.*", code[0].strip())) and len(code) == 1


def split_header(path):
  """(what the header is for, [(section, [lines])])."""
  lines = path.read_text().splitlines()
  begin = next(number for number, line in enumerate(lines) if not is_comment(line))
  sections, title = [], ""
  body = []
  for line in lines[begin:]:
    found = re.match(r"// -+ (.+?) -+$", line)
    if found:
      sections.append((title, body))
      title, body = found.group(1), []
    else:
      body.append(line)
  sections.append((title, body))
  return lines[:begin], sections


def header_page(path, language, faults):
  """The Markdown of one header."""
  about, sections = split_header(path)
  if not about:
    faults.append("%s: no comment says what the header is for" % path.name)
  page = ["## swarmlib/%s" % path.name, "", prose(about), ""]
  for title, lines in sections:
    if title:
      page += ["### %s" % title.capitalize(), ""]
    for comment, names, code in joined(items_of(lines)):
      name = "`, `".join(dict.fromkeys(names))
      if not comment and not SPEAKS_FOR_ITSELF.match(code[0]):
        faults.append("%s: %s has no comment" % (path.name, name))
      page += ["#### `%s`" % name, "", prose(comment), "", "```%s" % language, *code, "```", ""]
  return "\n".join(page)


def cpp_page(headers, faults):
  text = ["# C++", "", "Everything is in the namespace `swarm`; link `swarm::swarm`. Errors are `absl::Status`.", ""]
  text += ["- [%s](#swarmlib%s)" % (path.name, path.name.replace(".", "")) for path in headers]
  return "\n".join(text) + "\n\n" + "\n".join(header_page(path, "cpp", faults) for path in headers)


def c_page(headers, faults):
  text = ["# C", "", "C99; link `swarm::c`, or `-lswarm`.", ""]
  return "\n".join(text) + "\n" + "\n".join(header_page(path, "c", faults) for path in headers)


def pages(root, faults):
  headers = sorted((root / "include" / "swarmlib").glob("*.h"))
  made = {"cpp.md": cpp_page([path for path in headers if path.name not in C_HEADERS], faults)}
  index = ["# Reference", "", "Made from the comments in the public headers and in pyswarm by `tools/make_reference.py`.",
           "", "- [C++](cpp.md)"]
  c_headers = [path for path in headers if path.name in C_HEADERS]
  if c_headers:
    made["c.md"] = c_page(c_headers, faults)
    index.append("- [C](c.md)")
  package = root / "bindings" / "python" / "pyswarm"
  if (package / "__init__.py").exists():
    made["python.md"] = reference_python.page(package, faults)
    index.append("- [Python](python.md)")
  made["README.md"] = "\n".join(index) + "\n"
  return made


def main():
  if len(sys.argv) != 3:
    sys.exit(__doc__)
  faults = []
  made = pages(pathlib.Path(sys.argv[1]), faults)
  if sys.argv[2] == "--check":
    print("\n".join(faults) or "%d pages, and nothing public is without a comment" % len(made))
    sys.exit(1 if faults else 0)
  folder = pathlib.Path(sys.argv[2])
  folder.mkdir(parents=True, exist_ok=True)
  for name, text in made.items():
    (folder / name).write_text(text.rstrip("\n") + "\n")


if __name__ == "__main__":
  main()
