"""What a step of the CLI scenario is, and how results of two endpoints are made comparable."""

import re

from programs import Done


class Step:
  """One thing that a user does with the docker client, and what must come of it.

  do(session) returns Done. code (None: whatever one engine gives), out, err: what must hold at every endpoint, one engine or a cluster (out and err are
  regular expressions). compare: which parts of the normalised results must be the same at both. by_design: why the
  cluster differs; then nothing is compared, and cluster (a function of Done, session) says whether its result is right.
  """

  def __init__(self, name, do, code=0, out=None, err=None, compare="code out err", by_design=None, cluster=None):
    self.name, self.do, self.code, self.out, self.err = name, do, code, out, err
    self.compare, self.by_design, self.cluster = compare.split(), by_design, cluster

  def fault(self, done):
    """What is wrong with a result at any endpoint; empty when it is right."""
    if self.code is not None and done.code != self.code:
      return "exit code %s, not %s" % (done.code, self.code)
    for part, pattern in (("out", self.out), ("err", self.err)):
      if pattern is not None and not re.search(pattern, getattr(done, part), re.S | re.M):
        return "std%s has no /%s/" % (part, pattern)
    return ""


def command(*arguments, stdin=b"", seconds=60):
  """A step that is one run of the client."""
  return lambda session: session.docker.run(*arguments, stdin=stdin, seconds=seconds)


def commands(*lines):
  """A step that is several runs of the client; their outputs follow one another, the first failure ends them."""

  def do(session):
    out, err = "", ""
    for line in lines:
      done = session.docker.run(*line)
      out, err = out + done.out, err + done.err
      if done.code != 0:
        return Done(done.code, out, err)
    return Done(0, out, err)

  return do


class Session:
  """A scenario under way at one endpoint."""

  def __init__(self, docker, api, is_cluster):
    self.docker, self.api, self.is_cluster = docker, api, is_cluster
    self.kept = {}  # what later steps need of earlier ones

  def identify(self, name):
    """The full id of a container."""
    done = self.docker.run("inspect", "--type", "container", "--format", "{{.Id}}", name)
    if done.code != 0:
      raise RuntimeError("inspect %s: %r" % (name, done))
    return done.out.strip()


# How a call to one container is refused differs only in how the container is called: swarmd asks the engine by id.
ASKED_BY_ID = "the engine is asked by id, so its text has the id where the client gave a name"

PATTERNS = [(re.compile(pattern, re.M), text) for pattern, text in (
    (r"\r\n", "\n"),
    # Written or not: the client's own race between a failed start and the end of its wait.
    (r"^(time=\S+ level=error msg=\")?error waiting for container: (context canceled)?\"?\n?", ""),
    (r"dockerhost\d\d/", ""),
    (r"\b[0-9a-f]{64}\b", "<id>"),
    (r"\b[0-9a-f]{12}\b", "<id>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d( [A-Z]+)?)?", "<time>"),
    (r"\b\d{10}\.\d{9}\b", "<time>"),
    (r"(Less than a second|About an? \w+|\d+ (seconds?|minutes?|hours?|days?|weeks?|months?|years?))( ago)?", "<age>"),
    (r"\b10\.\d+\.\d+\.\d+\b", "<address>"),
    (r"<address>:\d+\b", "<address>:<port>"),
    (r"[ \t]{2,}", " "),
    (r"[ \t]+$", ""),
)]


def normalise(text):
  """Removes what differs between two runs at the same endpoint: ids, times, addresses, and names of nodes."""
  for pattern, replacement in PATTERNS:
    text = pattern.sub(replacement, text)
  return text


def difference(step, found, reference):
  """How a result differs from the reference in what the step compares; empty when it does not."""
  for part in step.compare:
    one, other = getattr(found, part), getattr(reference, part)
    if part != "code":
      one, other = normalise(one), normalise(other)
    if one != other:
      return "%s: %r\n  one engine: %r" % (part, one, other)
  return ""
