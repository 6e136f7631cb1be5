"""Hosts with real engines (scripts/hosts.sh), and the Docker API spoken by plain HTTP requests."""

import http.client
import json
import os
import re
import ssl
import subprocess

from programs import ENDINGS, Skipped, clean_environment

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = os.path.join(ROOT, "scripts")
HOSTS_UP_SECONDS = 150
HOSTS_COMMAND_SECONDS = 90
REQUEST_SECONDS = 30


def script(name, *arguments, seconds=HOSTS_COMMAND_SECONDS, check=True):
  """Runs scripts/NAME and returns its standard output."""
  environment = clean_environment({name: value for name, value in os.environ.items() if name.startswith("SWARM_")})
  done = subprocess.run([os.path.join(SCRIPTS, name), *arguments], capture_output=True, text=True, timeout=seconds,
                        stdin=subprocess.DEVNULL, env=environment, check=False)
  if check and done.returncode == 3:
    raise Skipped(done.stderr.strip() or "%s %s ended with 3" % (name, " ".join(arguments)))
  if check and done.returncode != 0:
    raise RuntimeError("%s %s ended with %d: %s%s" % (name, " ".join(arguments), done.returncode, done.stdout,
                                                     done.stderr))
  return done.stdout


def part(name):
  """The path of a part of scripts/parts.sh; Skipped when this machine does not have it."""
  return script("parts.sh", "path", name).strip()


def engine_versions():
  """What SWARM_ENGINES says, or one engine of each age when all are here, or Debian 12's own."""
  wanted = os.environ.get("SWARM_ENGINES")
  if wanted:
    return wanted.split(",")
  versions = ["20.10", "26.1", "28.5"]
  try:
    for version in versions:
      part("engine-" + version)
  except Skipped as reason:
    print("engines: only 20.10: %s" % reason)
    return ["20.10"]
  return versions


def _base36(number):
  digits = ""
  while number:
    number, digit = divmod(number, 36)
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
  return digits or "0"


def _remove_left_behind():
  """Takes down the sets of tests that were killed before they could do it; their names hold the test's pid."""
  folder = os.environ.get("SWARM_HOSTS_DIR", "/var/lib/swarm-hosts")
  for name in os.listdir(folder) if os.path.isdir(folder) else ():
    if re.fullmatch(r"t[0-9a-z]{1,5}", name) and not os.path.exists("/proc/%d" % int(name[1:], 36)):
      script("hosts.sh", "--prefix", name, "down", check=False)


class Hosts:
  """Some hosts with real engines, of scripts/hosts.sh, beside all other sets of this machine."""

  def __init__(self, count=3, engines=None, tls=False, options=()):
    self.count, self.tls, self.options = count, tls, list(options)
    self.engines = list(engines or engine_versions())
    self.prefix = "t" + _base36(os.getpid())
    self.net = None
    self.port = 2376 if tls else 2375

  def __enter__(self):
    if os.geteuid() != 0:
      raise Skipped("hosts in network namespaces need root")
    _remove_left_behind()
    self.net = self._free_network()
    ENDINGS.append(self.down)
    arguments = ["up", "--prefix", self.prefix, "--net", self.net, "--engines", ",".join(self.engines)]
    script("hosts.sh", *arguments, *(["--tls"] if self.tls else []), *self.options, str(self.count),
           seconds=HOSTS_UP_SECONDS)
    return self

  def __exit__(self, *_):
    ENDINGS.remove(self.down)
    self.down()

  def down(self):
    script("hosts.sh", "--prefix", self.prefix, "down")

  def command(self, *arguments):
    """hosts.sh ARGUMENTS on this set: freeze 02, thaw 02, kill 03, restart 03, cut 01, heal 01 ..."""
    return script("hosts.sh", "--prefix", self.prefix, *arguments)

  def in_manager(self, *command):
    """The command line that runs `command` as the manager's host, without a process between."""
    return [os.path.join(SCRIPTS, "hosts.sh"), "--prefix", self.prefix, "exec", *command]

  def numbers(self):
    return range(1, self.count + 1)

  def name(self, number):
    return "dockerhost%02d" % number

  def address(self, number):
    """Of a host; number 0 is the manager."""
    return "%s.%d" % (self.net, 200 + number)

  def engine(self, number):
    """The API of one engine, spoken to directly."""
    return Api("tcp://%s:%d" % (self.address(number), self.port), self.certificates("client"))

  def endpoints(self):
    return ["%s:%d" % (self.address(number), self.port) for number in self.numbers()]

  def certificates(self, holder):
    """A folder with ca.pem, cert.pem and key.pem of `holder` (swarm, client, rogue), or None without TLS."""
    return os.path.join(self.folder(), "certs", holder) if self.tls else None

  def folder(self):
    return os.path.join(os.environ.get("SWARM_HOSTS_DIR", "/var/lib/swarm-hosts"), self.prefix)

  def engine_log(self, number):
    with open(os.path.join(self.folder(), "host%02d" % number, "engine.log"), encoding="utf-8", errors="replace") as log:
      return log.read()

  def remove_containers(self):
    """Empties every engine, directly."""
    for number in self.numbers():
      engine = self.engine(number)
      for container in engine.get("/containers/json?all=1"):
        engine.call("DELETE", "/containers/%s?force=1&v=1" % container["Id"])

  def _free_network(self):
    used = subprocess.run(["ip", "-o", "addr", "show"], capture_output=True, text=True, check=True).stdout
    for number in range(os.getpid() % 80, os.getpid() % 80 + 80):
      net = "10.100.%d" % (100 + number % 80)
      if " %s." % net not in used:
        return net
    raise Skipped("no free network among 10.100.100 to 10.100.179")


class Answer:
  def __init__(self, status, headers, body):
    self.status, self.headers, self.body = status, headers, body

  @property
  def text(self):
    return self.body.decode(errors="replace")

  def json(self):
    return json.loads(self.body)

  def __repr__(self):
    return "%d %s" % (self.status, self.text[:600])


def tls_context(certificates, verify=True):
  context = ssl.create_default_context(cafile=os.path.join(certificates, "ca.pem"))
  if not verify:
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
  context.load_cert_chain(os.path.join(certificates, "cert.pem"), os.path.join(certificates, "key.pem"))
  return context


class Api:
  """One Docker endpoint, by plain HTTP requests."""

  def __init__(self, host, certificates=None, version="", verify=True):
    self.host, self.certificates, self.version, self.verify = host, certificates, version, verify

  def connect(self, seconds=REQUEST_SECONDS):
    address, port = re.fullmatch(r"tcp://(.+):(\d+)", self.host).groups()
    if self.certificates:
      return http.client.HTTPSConnection(address, int(port), timeout=seconds,
                                         context=tls_context(self.certificates, self.verify))
    return http.client.HTTPConnection(address, int(port), timeout=seconds)

  def call(self, method, path, body=None, seconds=REQUEST_SECONDS):
    connection = self.connect(seconds)
    try:
      headers = {}
      if body is not None and not isinstance(body, (bytes, str)):
        body, headers["Content-Type"] = json.dumps(body), "application/json"
      connection.request(method, self.version + path, body, headers)
      reply = connection.getresponse()
      return Answer(reply.status, dict((name.lower(), value) for name, value in reply.getheaders()), reply.read())
    finally:
      connection.close()

  def get(self, path, seconds=REQUEST_SECONDS):
    """The JSON of a GET that must answer 200."""
    answer = self.call("GET", path, seconds=seconds)
    if answer.status != 200:
      raise RuntimeError("GET %s%s: %r" % (self.host, path, answer))
    return answer.json()

  def answers(self, seconds=2):
    try:
      return self.call("GET", "/_ping", seconds=seconds).status == 200
    except (OSError, http.client.HTTPException):
      return False


def http_reply(stream):
  """Reads the head of a reply from a socket; the body can be read from what is returned."""
  reply = http.client.HTTPResponse(stream)
  reply.begin()
  return reply
