#!/usr/bin/env python3
"""A private registry behind a cluster: login, push, pull and what a registry tells of an image, with credentials that stay secret.

usage: registry.py [--swarmd PATH]
"""

import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import harness

TEST_SECONDS = 270
FLAGS = ["--log-level", "debug", "--engine-timeout", "2s", "--engine-refresh-min-interval", "1s",
         "--engine-refresh-max-interval", "2s", "--engine-failure-retry", "2"]
USER, PASSWORD = "somebody", "a-secret-of-the-test"
PASSWORD_HASH = "$2b$05$EBQcmXShO7NGvrnLfQGYwujjrF/YiV6gV7umr.82FzH817oPSdM7a"  # bcrypt, the one form that a registry takes
CONFIGURATION = """version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: %(folder)s/data
http:
  addr: %(address)s
auth:
  htpasswd:
    realm: tests
    path: %(folder)s/htpasswd
"""


class Registry:
  """Debian's docker-registry on the manager's host of a set, with one user."""

  def __init__(self, hosts):
    program = shutil.which("docker-registry")
    if program is None:
      raise harness.Skipped("no docker-registry: scripts/setup.sh test installs it")
    self.address = "%s:5000" % hosts.address(0)
    self.folder = tempfile.mkdtemp(prefix="swarm-registry-", dir="/var/tmp")
    with open(os.path.join(self.folder, "htpasswd"), "w", encoding="ascii") as file:
      file.write("%s:%s\n" % (USER, PASSWORD_HASH))
    path = os.path.join(self.folder, "config.yml")
    with open(path, "w", encoding="ascii") as file:
      file.write(CONFIGURATION % {"folder": self.folder, "address": self.address})
    self.process = subprocess.Popen(hosts.in_manager(program, "serve", path), stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                    env=harness.clean_environment())

  def __enter__(self):
    harness.ENDINGS.append(self.stop)
    harness.wait_for(self._answers, 20, "the registry answers")
    return self

  def __exit__(self, *_):
    harness.ENDINGS.remove(self.stop)
    self.stop()

  def _answers(self):
    connection = http.client.HTTPConnection(*self.address.split(":"), timeout=2)
    try:
      connection.request("GET", "/v2/")
      return connection.getresponse().status == 401
    except OSError:
      return False
    finally:
      connection.close()

  def stop(self):
    self.process.kill()
    self.process.wait(harness.STOP_SECONDS)
    shutil.rmtree(self.folder, True)


def holders(hosts, image):
  """[id or None] of an image, asked of the engines themselves."""
  found = []
  for number in hosts.numbers():
    answer = hosts.engine(number).call("GET", "/images/%s/json" % image)
    found.append(answer.json()["Id"] if answer.status == 200 else None)
  return found


def forms_of(secret):
  """A secret as it is, and what it looks like somewhere within base64."""
  forms = [secret]
  for shift in range(3):
    forms.append(base64.b64encode(b"x" * shift + secret.encode()).decode()[4:-4])
  return forms


def ask(swarmd, address, method, path, body=None, credentials=True):
  """(status, JSON) of a request with the registry's credentials."""
  secret = json.dumps({"username": USER, "password": PASSWORD, "serveraddress": address})
  headers = {"Content-Type": "application/json"} if body else {}
  if credentials:
    headers["X-Registry-Auth"] = base64.urlsafe_b64encode(secret.encode()).decode()
  connection = swarmd.api().connect(60)
  try:
    connection.request(method, "/v1.41" + path, body=json.dumps(body) if body else None, headers=headers)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())
  finally:
    connection.close()


def distribution(swarmd, image, address):
  """What the registry tells of an image, through swarmd."""
  return ask(swarmd, address, "GET", "/distribution/%s/json" % image)


def check_create(report, hosts, swarmd, docker, registry):
  """Creates of an image that the chosen node does not have."""
  app = registry.address + "/team/app:v1"

  def create(name, number, credentials):
    body = {"Image": app, "Cmd": ["true"], "Env": ["constraint:node==" + hosts.name(number)]}
    return ask(swarmd, registry.address, "POST", "/containers/create?name=" + name, body, credentials)

  docker.run("rmi", app)
  status, told = create("rg_none", 1, False)
  report.check("check 44: a create of what no node has is a 404, as one engine's",
               status == 404 and told["message"] == "No such image: " + app, told)
  done = docker.run("run", "--rm", app, "echo", "hi")
  report.check("check 44: the CLI pulls and runs", done.code == 0 and done.out == "hi\n" and
               "Unable to find image" in done.err and None not in holders(hosts, app), done)
  docker.run("rmi", app)
  status, told = create("rg_first", 1, True)
  report.check("with X-Registry-Auth it is pulled on the chosen node alone", status == 201 and
               [found is not None for found in holders(hosts, app)] == [True] + [False] * (hosts.count - 1), told)
  status, told = create("rg_denied", 2, False)
  report.check("without credentials the pull where it must be fails, and says so", status == 404 and
               re.match(r"No such image: %s \(node %s .* its pull failed: " % (re.escape(app), hosts.name(2)), told["message"]),
               told)
  status, told = create("rg_second", 2, True)
  report.check("with them it is pulled there too", status == 201 and holders(hosts, app)[1] is not None, told)
  docker.run("rm", "rg_first", "rg_second")
  docker.run("pull", app)


def check(report, hosts, swarmd, docker, registry):
  app = registry.address + "/team/app:v1"
  identity = holders(hosts, "busybox")[0]
  docker.run("tag", "busybox", app)
  done = docker.run("push", app)
  report.check("a push without a login is refused", done.code == 1 and
               any(words in done.out + done.err for words in ("no basic auth credentials", "unauthorized", "denied")), done)
  done = docker.run("login", "-u", USER, "--password-stdin", registry.address, stdin=b"wrong")
  report.check("a wrong password is refused", done.code == 1 and "unauthorized" in done.err.lower(), done)
  done = docker.run("login", "-u", USER, "--password-stdin", registry.address, stdin=PASSWORD.encode())
  report.check("the right one is not", done.code == 0 and "Login Succeeded" in done.out, done)

  done = docker.run("push", app)
  report.check("then it is pushed, from one node", done.code == 0 and "v1: digest: sha256:" in done.out and
               done.out.count("Pushing from node dockerhost") == 1, done)
  report.equal("rmi of it", docker.run("rmi", app).code, 0)
  done = docker.run("pull", app)
  report.check("it is pulled by every node", done.code == 0 and "Pulled on 3/3 nodes" in done.out, done)
  report.equal("all have the same image", holders(hosts, app), [identity] * hosts.count)
  status, told = distribution(swarmd, app, registry.address)
  report.check("any node tells of it", status == 200 and told["Descriptor"]["digest"].startswith("sha256:"), told)
  status, told = distribution(swarmd, registry.address + "/team/nosuch:v1", registry.address)
  report.check("and of what is not there", status in (401, 403, 404), (status, told))

  docker.run("run", "--name", "rg_made", "busybox", "touch", "/made")
  one = registry.address + "/team/made:v1"
  report.equal("commit on one node", docker.run("commit", "rg_made", one).code, 0)
  report.equal("it is on that node only", holders(hosts, one).count(None), hosts.count - 1)
  done = docker.run("push", one)
  report.check("it is pushed from there", done.code == 0 and "v1: digest: sha256:" in done.out, done)
  docker.run("pull", one)
  report.equal("a pull brings it to all", holders(hosts, one).count(None), 0)
  done = docker.run("pull", registry.address + "/team/nosuch:v1")
  report.check("what the registry has not fails on every node", done.code == 1 and
               all(hosts.name(number) in done.err for number in hosts.numbers()), done)

  check_create(report, hosts, swarmd, docker, registry)
  log = swarmd.log()
  shown = [form for form in forms_of(PASSWORD) if form in log]
  report.check("swarmd's log has no secret", len(log) > 0 and not shown, shown)


def check_frozen(report, hosts, swarmd, docker, registry):
  """A node that is frozen is named, in bounded time, and the others pull."""
  app = registry.address + "/team/app:v1"
  docker.run("rmi", app)
  hosts.command("freeze", "02")
  begin = time.monotonic()
  done = docker.run("pull", app)
  report.check("a pull with a frozen node ends after %.1f s" % (time.monotonic() - begin), done.code == 1, done)
  report.check("it names that node alone", "was pulled on 2 of 3 nodes: dockerhost02: " in done.err, done)
  hosts.command("thaw", "02")
  swarmd.wait_healthy()
  done = docker.run("pull", app)
  report.check("thawed, it pulls too", done.code == 0 and None not in holders(hosts, app), done)


def run(options, report):
  program = harness.swarmd_program(options)
  with harness.Hosts() as hosts, Registry(hosts) as registry:
    with harness.Swarmd(program, hosts, FLAGS) as swarmd:
      swarmd.wait_healthy()
      docker = harness.Docker(harness.part("cli-20.10"), swarmd.host)
      check(report, hosts, swarmd, docker, registry)
      check_frozen(report, hosts, swarmd, docker, registry)


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
