#!/usr/bin/python3
"""docker-py (Debian's python3-docker) at the endpoint of DOCKER_HOST: everything that its users do.

usage: DOCKER_HOST=tcp://ADDRESS:PORT scenario.py        started by libraries.py, once for each endpoint
       IN_PROCESS=nodes://ADDRESS:PORT,... scenario.py   on a pyswarm.Manager of this process, without a socket;
                                                         started by tests/embedding/real_engines.py

Prints `ok NAME` or `FAILED NAME: what was found` for each step; both endpoints must hold all of them. Started by the
system's own Python, to which the package belongs.
"""

import functools
import os
import sys
import time
import traceback

import docker

import containers
import objects
import streams
from base import FILTER

OLD = [objects.versions, containers.run, containers.run_fails, containers.lists, containers.copies, containers.life,
       streams.executes, streams.attaches, streams.logs, objects.volumes]
EVERYTHING = OLD + [containers.run_detached, streams.stats, streams.events, objects.images, objects.networks,
                    objects.prunes]
# What depends on the way to the endpoint; the rest is the endpoint's own matter.
TRANSPORT = [objects.versions, containers.run, containers.run_fails, containers.copies, streams.executes, streams.attaches,
             streams.logs, streams.stats, streams.events, objects.images]


def clean(client):
  for container in client.containers.list(all=True, filters=FILTER):
    container.remove(force=True, v=True)
  for network in client.networks.list(filters=FILTER):
    network.remove()
  for volume in client.volumes.list(filters=FILTER):
    volume.remove(force=True)


def clients():
  """What makes a client for a version, and the versions with their steps."""
  if "IN_PROCESS" not in os.environ:
    return (lambda version: docker.DockerClient(base_url=os.environ["DOCKER_HOST"], version=version, timeout=60),
            (("auto", EVERYTHING), ("1.24", OLD)))
  import pyswarm
  import pyswarm.docker_adapter
  manager = pyswarm.Manager(os.environ["IN_PROCESS"])
  manager.wait_ready()
  return functools.partial(pyswarm.docker_adapter.client, manager, timeout=60), (
      ("auto", EVERYTHING if os.environ.get("SWARM_LONG") else TRANSPORT),)


def main():
  failed = 0
  connect, versions = clients()
  for version, steps in versions:
    client = connect(version=version)
    for step in steps:
      name = "%s, version=%s" % (step.__name__, version)
      begin = time.monotonic()
      try:
        step(client)
        print("ok %s (%.1f s)" % (name, time.monotonic() - begin), flush=True)
      except Exception as error:
        failed += 1
        where = traceback.extract_tb(error.__traceback__)
        lines = ["%d" % frame.lineno for frame in where if frame.filename.startswith(os.path.dirname(os.path.abspath(__file__)))]
        print("FAILED %s: %s, at line %s" % (name, repr(error)[:1500], " of ".join(reversed(lines))), flush=True)
        clean(client)
    client.close()
  sys.exit(1 if failed else 0)


if __name__ == "__main__":
  main()
