#!/usr/bin/python3
"""What embeds pyswarm, on three real engines; no swarmd runs: the Ansible module, and docker-py in process.

usage: real_engines.py        (PYTHONPATH names where pyswarm is)

docker-py does what depends on the transport, and with SWARM_LONG=1 all that it does at an endpoint over a socket.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
sys.path.insert(0, os.path.join(HERE, "..", "clients"))
import harness
import libraries
from ansible_module import Playbook, needs_ansible, play_everything, take_back

TEST_SECONDS = 300


def run_ansible(report, hosts):
  book = Playbook(report, "ansible", "nodes://" + ",".join(hosts.endpoints()),
                  [hosts.engine(number) for number in hosts.numbers()])
  play_everything(report, book)
  take_back(report, book)


def run_docker_py(report, hosts):
  more = {"SWARM_LONG": "1"} if os.environ.get("SWARM_LONG") else {}
  libraries.program(report, "docker-py in process",
                    [sys.executable, "-B", os.path.join(HERE, "..", "clients", "docker_py", "scenario.py")],
                    harness.clean_environment(dict(more, IN_PROCESS="nodes://" + ",".join(hosts.endpoints()))))


def run(_, report):
  lacks = libraries.needs_docker_py()
  if lacks:
    raise harness.Skipped(lacks)
  needs_ansible()
  with harness.Hosts() as hosts:
    run_docker_py(report, hosts)
    run_ansible(report, hosts)
    for number in hosts.numbers():
      report.equal("nothing is left on %s" % hosts.name(number), libraries.leftovers(hosts.engine(number)), [])


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
