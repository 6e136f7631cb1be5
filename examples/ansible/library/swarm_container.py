#!/usr/bin/python
# A minimal Ansible module on pyswarm: it places, creates, starts, inspects and removes one container of a cluster in its
# own process. No swarmd runs and nothing listens; the engines are asked directly.
"""Ansible module swarm_container; see DOCUMENTATION."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: swarm_container
short_description: Places and keeps a container on one of many Docker engines
description:
  - Chooses an engine by constraints, affinities, ports and resources, and creates the container there.
  - Works in the process of the module by the Python package pyswarm. No manager needs to run.
  - A container of that name that is as described, on whichever node, is left as it is.
options:
  discovery:
    description:
      - Where the engines are. A list of addresses, C(nodes://HOST:PORT,HOST:PORT), or C(file:///PATH).
    type: str
    required: true
  name:
    description: The container's name, unique in the whole cluster. The start of an ID means no container here.
    type: str
    required: true
  state:
    description:
      - C(started) and C(present) make the container when there is none, and make it anew when its image, command or
        one of the given labels, constraints and affinities is another one.
      - C(started) starts it, C(present) does not. C(absent) removes it, running or not.
    type: str
    choices: [absent, present, started]
    default: started
  image:
    description: The image, needed unless I(state=absent).
    type: str
  command:
    description: The command and its arguments. Without it the image's own, which is then not compared.
    type: list
    elements: str
  labels:
    description: Labels of the container. Others that it has are not compared.
    type: dict
    default: {}
  constraints:
    description: What the node must be, such as C(zone==external) or C(node!=host1).
    type: list
    elements: str
    default: []
  affinities:
    description: What the node must hold, such as C(container==db) or C(image==nginx).
    type: list
    elements: str
    default: []
  strategy:
    description: How the nodes that fit are ranked.
    type: str
    choices: [spread, binpack, random]
    default: spread
  ca_file:
    description: The CA's certificate (PEM). With it, engines are reached by TLS and verified.
    type: path
  certificate_file:
    description: Our certificate (PEM).
    type: path
  key_file:
    description: Its key (PEM).
    type: path
  allow_unhealthy:
    description:
      - When no container of that name is found, engines that do not answer may still hold one, so the module fails and
        names them. With C(true) it goes on with the engines that answer.
    type: bool
    default: false
  timeout:
    description:
      - Seconds until the engines must have been read, and that each request after it may take (a first start of a large
        image may need more).
    type: float
    default: 30
requirements:
  - pyswarm for the Python of the host on which the module runs
notes:
  - Supports C(check_mode); the node on which the container would be placed is told then, too.
author:
  - libswarm (@libswarm)
"""

EXAMPLES = r"""
- name: A web server somewhere outside
  swarm_container:
    discovery: nodes://10.0.0.1:2375,10.0.0.2:2375,10.0.0.3:2375
    name: web
    image: nginx:latest
    constraints: [zone==external]

- name: Gone again
  swarm_container:
    discovery: file:///etc/swarm/cluster
    name: web
    state: absent
"""

RETURN = r"""
container:
  description: What the engine tells of the container, as C(docker inspect) shows it. Not with I(state=absent).
  returned: when there is a container
  type: dict
node:
  description: The name of its node. In check mode, of the node on which it would be placed.
  returned: when there is a container, or would be
  type: str
differences:
  description: What was another one than described.
  returned: always
  type: list
  elements: str
"""

import json
import re
import traceback

from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
  import pyswarm
  PYSWARM_ERROR = None
except ImportError:
  pyswarm = None
  PYSWARM_ERROR = traceback.format_exc()

CONSTRAINTS = "com.docker.swarm.constraints"
AFFINITIES = "com.docker.swarm.affinities"
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")  # what Docker takes


def options():
  return dict(
      discovery=dict(type="str", required=True),
      name=dict(type="str", required=True),
      state=dict(type="str", choices=["absent", "present", "started"], default="started"),
      image=dict(type="str"),
      command=dict(type="list", elements="str"),
      labels=dict(type="dict", default={}),
      constraints=dict(type="list", elements="str", default=[]),
      affinities=dict(type="list", elements="str", default=[]),
      strategy=dict(type="str", choices=["spread", "binpack", "random"], default="spread"),
      ca_file=dict(type="path"),
      certificate_file=dict(type="path"),
      key_file=dict(type="path", no_log=False),
      allow_unhealthy=dict(type="bool", default=False),
      timeout=dict(type="float", default=30.0))


def create_body(wanted):
  labels = dict((key, str(value)) for key, value in wanted["labels"].items())
  for label, expressions in ((CONSTRAINTS, wanted["constraints"]), (AFFINITIES, wanted["affinities"])):
    if expressions:
      labels[label] = json.dumps(expressions)
  body = {"Image": wanted["image"], "Labels": labels}
  if wanted["command"]:
    body["Cmd"] = wanted["command"]
  return body


def expressions_of(labels, key):
  try:
    return sorted(json.loads(labels.get(key) or "[]"))
  except ValueError:
    return [labels[key]]


def differences(found, wanted):
  """What of the container is not as described, in words; none: it may stay."""
  config, different = found["Config"], []
  labels = config.get("Labels") or {}
  if config["Image"] != wanted["image"]:
    different.append("image: %s, not %s" % (config["Image"], wanted["image"]))
  if wanted["command"] and (config.get("Cmd") or []) != wanted["command"]:
    different.append("command: %s, not %s" % (config.get("Cmd"), wanted["command"]))
  for key, value in sorted(wanted["labels"].items()):
    if labels.get(key) != str(value):
      different.append("label %s: %s, not %s" % (key, labels.get(key), value))
  for key, name in ((CONSTRAINTS, "constraints"), (AFFINITIES, "affinities")):
    if expressions_of(labels, key) != sorted(wanted[name]):
      different.append("%s: %s, not %s" % (name, expressions_of(labels, key), wanted[name]))
  return different


def inspect(manager, container_id, wanted):
  answer = manager.request("GET", "/containers/%s/json" % container_id, timeout=wanted["timeout"])
  return answer.raise_for_status().json()


def find(manager, wanted):
  """The container of exactly that name, or None when no engine has one. By the list, as what inspects a container also
  takes the start of an ID, which may be somebody else's."""
  name = wanted["name"]
  filters = quote(json.dumps({"name": ["^/%s$" % re.escape(name)]}), safe="")
  answer = manager.request("GET", "/containers/json?all=1&filters=" + filters, timeout=wanted["timeout"])
  found = [row["Id"] for row in answer.raise_for_status().json() if "/" + name in row["Names"]]
  if len(found) > 1:
    raise pyswarm.AlreadyExists(409, "ALREADY_EXISTS", "several nodes have a container of that name: " + ", ".join(found))
  if found:
    return inspect(manager, found[0], wanted)
  unread = ["%s (%s)" % (node.name or node.address, node.error or node.state)
            for node in manager.nodes() if not node.healthy]
  if unread and not wanted["allow_unhealthy"]:
    raise pyswarm.Unavailable(503, "UNAVAILABLE", "not found, but it may be on a node that does not answer: %s. "
                              "allow_unhealthy: true goes on without" % ", ".join(unread))
  return None


def shown(found, **result):
  return dict(result, container=found, node=found["Node"]["Name"])


def keep(manager, wanted, check_mode):
  """Brings the container into its state, or tells what would be done; returns what the module returns."""
  patience = wanted["timeout"]
  found = find(manager, wanted)
  if wanted["state"] == "absent":
    if found and not check_mode:
      manager.remove(found["Id"], force=True, timeout=patience)
    return dict(changed=found is not None, differences=[])
  different = differences(found, wanted) if found else []
  body, starts = create_body(wanted), wanted["state"] == "started"
  if not found or different:
    # Asked before the old one is removed: it stays when there is no place for the new one.
    plan = manager.plan(body, platform="", name="" if found else wanted["name"])
    if not plan.fits:
      raise pyswarm.FailedPrecondition(409, "FAILED_PRECONDITION", plan.text)
    if check_mode:
      return dict(changed=True, differences=different, node=plan.node)
    if found:
      manager.remove(found["Id"], force=True, timeout=patience)
    made = manager.create_container(body, name=wanted["name"], start=starts, timeout=patience)
    return shown(inspect(manager, made, wanted), changed=True, differences=different)
  if starts and not found["State"]["Running"]:
    if not check_mode:
      manager.start(found["Id"], timeout=patience)
      found = inspect(manager, found["Id"], wanted)
    return shown(found, changed=True, differences=["state: not running"])
  return shown(found, changed=False, differences=[])


def open_manager(wanted):
  tls = {}
  if wanted["ca_file"]:
    tls = dict(tls=True, tls_verify=True, tls_ca=wanted["ca_file"],
               tls_cert=wanted["certificate_file"], tls_key=wanted["key_file"])
  return pyswarm.Manager(wanted["discovery"], strategy=wanted["strategy"], engine_timeout=wanted["timeout"], **tls)


def main():
  module = AnsibleModule(argument_spec=options(), supports_check_mode=True,
                         required_if=[("state", "present", ["image"]), ("state", "started", ["image"])],
                         required_together=[("ca_file", "certificate_file", "key_file")])
  if pyswarm is None:
    module.fail_json(msg=missing_required_lib("pyswarm"), exception=PYSWARM_ERROR)
  if not NAME.fullmatch(module.params["name"]):
    module.fail_json(msg="name: %r is no name of a container: %s" % (module.params["name"], NAME.pattern))
  try:
    with open_manager(module.params) as manager:
      manager.wait_ready(timeout=module.params["timeout"])
      result = keep(manager, module.params, module.check_mode)
  except pyswarm.SwarmError as error:
    module.fail_json(msg="%s: %s" % (module.params["name"], error), exception=traceback.format_exc())
  module.exit_json(**result)


if __name__ == "__main__":
  main()
