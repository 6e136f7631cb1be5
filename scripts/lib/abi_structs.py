"""Structs that may grow at their end: those that begin with struct_size.

usage: abi_structs.py OLD NEW: two descriptions of abidw. Each such struct of OLD must be in NEW with its members by the
same names, in the same places, and what is new must lie beyond what the old struct covered, its padding included:
callers do not clear that. Members that are so are taken out of the file NEW, with the size they added, for abidiff
to compare the rest: the types of the members, and all else.

Exit codes: 0 grown at most, 1 changed otherwise: what and where is printed.
"""
import sys
import xml.etree.ElementTree


def structs_of(root):
  """Name to elements; a struct may be described once a source file."""
  found = {}
  for struct in root.iter("class-decl"):
    if struct.find("data-member") is not None:
      found.setdefault(struct.get("name"), []).append(struct)
  return found


def members_of(struct):
  """(name, offset in bits) of each, as they follow one another."""
  return [(member.find("var-decl").get("name"), int(member.get("layout-offset-in-bits")))
          for member in struct.findall("data-member")]


def change(name, old, new):
  """What is wrong with `new`, or nothing."""
  was, now = members_of(old), members_of(new)
  for place, member in enumerate(was):
    if place >= len(now) or now[place] != member:
      found = "%s at bit %d" % now[place] if place < len(now) else "nothing"
      return "%s: where %s was at bit %d there is %s" % (name, *member, found)
  for member in now[len(was):]:
    if member[1] < int(old.get("size-in-bits")):
      return "%s: the new %s at bit %d lies in the padding of the old struct" % (name, *member)
  return None


def cut(name, old, new):
  kept = len(members_of(old))
  added = new.findall("data-member")[kept:]
  if not added:
    return
  print("%s has grown by %s" % (name, ", ".join(member.find("var-decl").get("name") for member in added)))
  for member in added:
    new.remove(member)
  new.set("size-in-bits", old.get("size-in-bits"))


def main(old_file, new_file):
  old = structs_of(xml.etree.ElementTree.parse(old_file).getroot())
  new_tree = xml.etree.ElementTree.parse(new_file)
  new = structs_of(new_tree.getroot())
  changed = 0
  for name, (was, *_) in sorted(old.items()):
    if members_of(was)[0] != ("struct_size", 0):
      continue
    if name not in new:
      print("%s: is gone" % name)
      changed = 1
    for now in new.get(name, []):
      what = change(name, was, now)
      if what is None:
        cut(name, was, now)
      else:
        print(what)
        changed = 1
  new_tree.write(new_file)
  return changed


if __name__ == "__main__":
  sys.exit(main(*sys.argv[1:]))
