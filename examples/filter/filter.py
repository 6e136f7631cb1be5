"""A filter of one's own: a container with the labels "tier" and "most-per-node" goes only to nodes that hold fewer than
that many containers of its tier. And a strategy: of the nodes that are left the fullest is taken."""

import pyswarm


class TierLimit:

  def rules_for(self, spec):
    tier, most = spec["labels"].get("tier"), spec["labels"].get("most-per-node")
    if tier is None or most is None:
      return []
    if not most.isdigit() or int(most) < 1:
      raise pyswarm.InvalidArgument(400, "INVALID_ARGUMENT", "most-per-node=%s: a number above 0 is wanted" % most)

    def has_room(node):
      return sum(container["labels"].get("tier") == tier for container in node.containers) < int(most)

    return [pyswarm.Rule("fewer than %s of tier %s" % (most, tier), predicate=has_room)]


def fullest(usage, request):
  if usage.reserved.memory + request.memory > usage.total.memory:
    return None
  return -usage.containers  # the lowest is taken


def create(manager, most):
  body = {"Image": "nginx", "Labels": {"tier": "web", "most-per-node": most}}
  try:
    plan = manager.plan(body)
    manager.create_container(body)
    print("201: on %s" % plan.node)
  except pyswarm.FailedPrecondition as error:
    print("%d: nowhere" % error.status)
    for node, reason in plan.reasons.items():
      print("  not %s: %s" % (node, reason))
  except pyswarm.InvalidArgument as error:
    print("%d: %s" % (error.status, error))


def main():
  with pyswarm.Manager("sim://2", strategy="fullest", custom_filters={"tierlimit": TierLimit()},
                       custom_strategies={"fullest": fullest}) as manager:
    manager.wait_ready()
    for _ in range(5):
      create(manager, "2")
    create(manager, "many")


if __name__ == "__main__":
  main()
