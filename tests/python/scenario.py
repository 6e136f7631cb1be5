#!/usr/bin/env python3
"""The scenario that is written in every language of the project: simulated engines, an own filter, 100 containers, a
refusal explained, events followed, close. Prints where each container went.

usage: scenario.py
"""

import pyswarm

CONTAINERS = 100
PLAIN = {"Image": "busybox"}
EVEN = {"Image": "busybox", "Labels": {"tier": "even"}}
NOWHERE = {"Image": "busybox", "Labels": {"com.docker.swarm.constraints": '["zone==nowhere"]'}}


def even_name(spec):
  """tier=even wants a node whose name ends in an even digit."""
  if spec["labels"].get("tier") != "even":
    return []
  return [pyswarm.Rule("tier even wants an even node", predicate=lambda node: node.name[-1] in "02468")]


def refuse(manager):
  try:
    manager.create_container(NOWHERE, name="refused")
    raise AssertionError("it was not refused")
  except pyswarm.FailedPrecondition as error:
    assert "zone==nowhere" in str(error)
  plan = manager.plan(NOWHERE, name="refused")
  assert not plan.fits and plan.node is None and len(plan.reasons) == 5
  assert "zone==nowhere" in plan.reasons["sim-0001"]


def main():
  placements = []
  with pyswarm.Manager("sim://5?seed=7", seed=7, threads=1, custom_filters={"evenname": even_name}) as manager:
    manager.wait_ready()
    with manager.events({"type": "container", "event": "create"}) as events:
      for number in range(CONTAINERS):
        made = manager.create_container(EVEN if number % 3 == 0 else PLAIN, name="c%d" % number)
        placements.append("c%d %s" % (number, manager.inspect(made)["Node"]["Name"]))
      refuse(manager)
      for _ in range(CONTAINERS):
        assert next(events)["Action"] == "create"
  print("\n".join(placements))


if __name__ == "__main__":
  main()
