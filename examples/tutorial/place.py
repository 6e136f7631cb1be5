"""Places a container: place.py [DISCOVERY]. Without an argument on three simulated engines."""

import sys

import pyswarm


def main(discovery):
  with pyswarm.Manager(discovery) as manager:
    manager.wait_ready(timeout=30)
    for node in manager.nodes():
      print("%s is %s" % (node.name, node.state))

    body = {"Image": "nginx", "Env": ["constraint:zone==external"], "HostConfig": {"Memory": 67108864}}
    print("web goes to %s" % manager.plan(body, name="web").node)
    manager.create_container(body, name="web", start=True)
    print("web was started")

    nowhere = manager.plan({"Image": "nginx", "Env": ["constraint:zone==moon"]})
    print(nowhere.first_line)
    for node, reason in nowhere.reasons.items():
      print("not %s: %s" % (node, reason))


if __name__ == "__main__":
  try:
    main(sys.argv[1] if len(sys.argv) > 1 else "sim://3")
  except pyswarm.SwarmError as error:
    sys.exit("place: %s" % error)
