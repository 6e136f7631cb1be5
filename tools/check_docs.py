#!/usr/bin/env python3
"""Holds the documentation to the tree: links lead somewhere, and shown programs are the files that tests run.

usage: check_docs.py ROOT FILE_OR_FOLDER...

Links: the target of a relative link exists, and so does the heading that its anchor names. Programs: a fenced block
behind the line `<!-- file: PATH -->` is that file of the tree, byte for byte; behind `<!-- part of: PATH -->` its lines
stand in that file in a row, the whole block perhaps indented there. Prints what is wrong; exit 1 if anything is.
"""
import pathlib
import re
import sys
import textwrap

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
SHOWN = re.compile(r"^<!-- (file|part of): (\S+) -->\n```\w*\n(.*?)^```$", re.M | re.S)
FENCE = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)


def anchors_of(text):
  """As GitHub makes them of headings."""
  found, anchors = {}, set()
  for title in re.findall(r"^#+ +(.+?) *$", FENCE.sub("", text), re.M):
    title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    count = found.get(slug, 0)
    found[slug] = count + 1
    anchors.add("%s-%d" % (slug, count) if count else slug)
  return anchors


def link_faults(page, text):
  for target in LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))):
    if re.match(r"[a-z]+:", target):
      continue
    path, _, anchor = target.partition("#")
    aim = (page.parent / path) if path else page
    if not aim.exists():
      yield "%s: the link %s leads nowhere" % (page, target)
    elif anchor and aim.suffix == ".md" and anchor not in anchors_of(aim.read_text()):
      yield "%s: no heading for the link %s" % (page, target)


def shown_faults(root, page, text):
  if len(re.findall(r"^<!-- (?:file|part of): ", text, re.M)) != len(SHOWN.findall(text)):
    yield "%s: a line <!-- file: ... --> without a block behind it" % page
  for kind, path, block in SHOWN.findall(text):
    source = root / path
    if not source.exists():
      yield "%s: shows %s, which does not exist" % (page, path)
      continue
    content = source.read_text()
    if kind == "file":
      holds = block == content
    else:
      wanted, lines = block.splitlines(), content.splitlines()
      holds = any(textwrap.dedent("\n".join(lines[at:at + len(wanted)])).splitlines() == wanted
                  for at in range(len(lines) - len(wanted) + 1))
    if not holds:
      yield "%s: what is shown of %s is not what stands there" % (page, path)


def main():
  root, pages = pathlib.Path(sys.argv[1]), []
  for name in sys.argv[2:]:
    pages += sorted((root / name).rglob("*.md")) if (root / name).is_dir() else [root / name]
  faults, links, shown = [], 0, 0
  for page in pages:
    text = page.read_text()
    links += len(LINK.findall(text))
    shown += len(SHOWN.findall(text))
    faults += [*link_faults(page, text), *shown_faults(root, page, text)]
  print("\n".join(faults) or "%d pages, %d links, %d programs shown as they are" % (len(pages), links, shown))
  sys.exit(1 if faults or not pages else 0)


if __name__ == "__main__":
  main()
