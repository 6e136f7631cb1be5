"""Every documented operation: served, or refused by design; none unrouted."""

import json
import os

from check import check
from wire import Wire

OPERATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "operations.txt")
ANSWER_SECONDS = 40


def operations():
  """(wanted, method, path, body or None) of each line."""
  found = []
  with open(OPERATIONS, encoding="ascii") as file:
    for line in file:
      if line.strip() and not line.startswith("#"):
        wanted, method, path, *rest = line.split(None, 3)
        found.append((wanted, method, path, rest[0].strip() if rest else None))
  return found


def ask(api, method, path, body):
  """(status, text) of one operation; the text is what an error says."""
  headers = ()
  if body is not None and body[0] in "{[":
    headers = (("Content-Type", "application/json"),)
  data = b"" if body is None and method in ("POST", "PUT") else body.encode() if body else None
  with Wire(api, ANSWER_SECONDS) as wire:
    wire.send(method, path, data, headers=headers)
    reply = wire.head()
    if method == "HEAD" or reply.status < 400:  # also 101, whose body would not end
      return reply.status, ""
    text = wire.body(reply).decode(errors="replace").strip()
  try:
    return reply.status, json.loads(text)["message"]
  except (ValueError, KeyError, TypeError):
    return reply.status, text


def verdict(method, path, status, text):
  """served | refused | unrouted"""
  if status == 404 and text == "page not found":
    gone = path.startswith("/debug/") or path.endswith("/insert")  # engines have them no more either
    return "refused" if gone else "unrouted"
  if status == 503 and "not a swarm manager" in text:
    return "refused"
  if status == 501 and ("is not offered by" in text or "clustering mode" in text):
    return "refused"
  return "served"


@check(None, "every documented operation is served or refused by design, none unrouted")
def every_operation(world, facts):
  counts = {}
  print("%-8s %-46s %-9s %s" % ("method", "operation", "verdict", "answer"))
  for wanted, method, path, body in operations():
    status, text = ask(world.api, method, path, body)
    found = verdict(method, path, status, text)
    counts[found] = counts.get(found, 0) + 1
    shown = path.split("?")[0].replace("0" * 64, "ID").replace("/op-none", "/NAME")
    print("%-8s %-46s %-9s %d %s" % (method, shown, found, status, text.replace("\n", " ")[:90]))
    facts.that("%s %s is %s" % (method, path, wanted), found == wanted or wanted == "open" and found != "unrouted",
               "%s: %d %s" % (found, status, text))
  print("operations: " + ", ".join("%d %s" % (count, found) for found, count in sorted(counts.items())) +
        ("" if "unrouted" in counts else ", 0 unrouted"))
