"""Programs that tests run: with a clean environment, a bound on their time, and an end by process id."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

STOP_SECONDS = 15
COMMAND_SECONDS = 60

# Variables that would point a client somewhere else, or make it trust somebody else.
FOREIGN_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",
                     "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")


class Skipped(Exception):
  """This machine lacks something that the test needs; the text says what."""


class OutOfTime(BaseException):
  """The whole test took longer than its bound, or was told to end. Not an Exception, so that nothing swallows it."""


def wait_for(condition, seconds, what):
  """Calls `condition` until it returns something true, and returns that; TimeoutError with `what` after `seconds`."""
  deadline = time.monotonic() + seconds
  pause = 0.02
  while True:
    value = condition()
    if value:
      return value
    if time.monotonic() > deadline:
      raise TimeoutError("%s: not within %g s" % (what, seconds))
    time.sleep(pause)
    pause = min(pause * 1.5, 0.25)


def clean_environment(extra=None):
  """The environment for programs under test: nothing in it names an engine, a proxy or an authority."""
  environment = {name: value for name, value in os.environ.items()
                 if not name.startswith(("DOCKER_", "SWARM_")) and name not in FOREIGN_VARIABLES}
  environment["LC_ALL"] = "C"
  environment.update(extra or {})
  return environment


ENDINGS = []  # functions that end what this program started, newest last


def end_everything():
  while ENDINGS:
    try:
      ENDINGS.pop()()
    except Exception as error:  # one that fails must not keep the others from being called
      print("while ending: %s" % error, file=sys.stderr)


class Done:
  """What a program did: exit code, standard output and standard error. code None: it had to be killed."""

  def __init__(self, code, out, err):
    self.code, self.out, self.err = code, out, err

  def __repr__(self):
    return "exit code %s\nout: %s\nerr: %s" % (self.code, self.out[-1500:], self.err[-1500:])


def text_of(data):
  return data.decode(errors="replace") if isinstance(data, bytes) else (data or "")


def run_program(line, stdin=b"", seconds=COMMAND_SECONDS, env=None, cwd=None):
  """Runs a program to its end, or kills it after `seconds`."""
  process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=env or clean_environment(), cwd=cwd)
  try:
    out, err = process.communicate(stdin, timeout=seconds)
    return Done(process.returncode, text_of(out), text_of(err))
  except subprocess.TimeoutExpired:
    process.kill()
    out, err = process.communicate()
    return Done(None, text_of(out), text_of(err) + "\n(killed after %g s)" % seconds)
  except BaseException:
    process.kill()
    process.wait()
    raise


def tls_flags(certificates):
  """The flags by which docker and swarmd take a folder of certificates."""
  return ["--tlsverify", "--tlscacert", os.path.join(certificates, "ca.pem"), "--tlscert",
          os.path.join(certificates, "cert.pem"), "--tlskey", os.path.join(certificates, "key.pem")]


class Docker:
  """A docker client against one endpoint, with a configuration of its own."""

  def __init__(self, program, host, certificates=None):
    self.program, self.host, self.certificates = program, host, certificates
    self.config = tempfile.mkdtemp(prefix="swarm-docker-")
    atexit.register(shutil.rmtree, self.config, True)

  def line(self, *arguments):
    tls = []
    if self.certificates:
      tls = tls_flags(self.certificates)
    return [self.program, "-H", self.host, *tls, *arguments]

  def environment(self):
    return clean_environment({"DOCKER_CONFIG": self.config, "DOCKER_CLI_HINTS": "false"})

  def run(self, *arguments, stdin=b"", seconds=COMMAND_SECONDS):
    return run_program(self.line(*arguments), stdin, seconds, self.environment())

  def start(self, *arguments):
    """Starts a client in the background."""
    return Background(self.line(*arguments), self.environment())


class Background:
  """A running program whose output is collected as it comes."""

  def __init__(self, line, environment=None):
    self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env=environment or clean_environment())
    ENDINGS.append(self.kill)
    self._texts = {"out": b"", "err": b""}
    self._readers = [threading.Thread(target=self._read, args=(name, stream), daemon=True)
                     for name, stream in (("out", self.process.stdout), ("err", self.process.stderr))]
    for reader in self._readers:
      reader.start()

  def _read(self, name, stream):
    while True:
      data = os.read(stream.fileno(), 65536)
      if not data:
        return
      self._texts[name] += data

  @property
  def out(self):
    return text_of(self._texts["out"])

  @property
  def err(self):
    return text_of(self._texts["err"])

  def write(self, data):
    self.process.stdin.write(data)
    self.process.stdin.flush()

  def close_input(self):
    self.process.stdin.close()

  def wait_output(self, text, seconds=COMMAND_SECONDS):
    """Waits until `text` was written to standard output."""
    wait_for(lambda: text in self.out or self.process.poll() is not None, seconds, "output %r" % text)
    if text not in self.out:
      for reader in self._readers:
        reader.join(5)
    if text not in self.out:
      raise RuntimeError("ended without the output %r: %r" % (text, self.finish()))

  def finish(self, seconds=COMMAND_SECONDS, close_input=True):
    """Waits for its end and returns Done."""
    if close_input and not self.process.stdin.closed:
      try:
        self.process.stdin.close()
      except BrokenPipeError:
        pass
    try:
      code = self.process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
      code = None
    self.kill()
    return Done(code, self.out, self.err)

  def kill(self):
    if self.process.poll() is None:
      self.process.kill()
    self.process.wait(timeout=STOP_SECONDS)
    for reader in self._readers:
      reader.join(5)
    if self.kill in ENDINGS:
      ENDINGS.remove(self.kill)


def parallel(jobs):
  """Calls all of `jobs` at once, each in a thread; returns their results in order. An exception becomes a result."""
  results = [None] * len(jobs)
  gate = threading.Barrier(len(jobs))

  def work(index):
    gate.wait()
    try:
      results[index] = jobs[index]()
    except Exception as error:
      results[index] = error

  threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(len(jobs))]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  return results


def run_bytes(line, environment, seconds=COMMAND_SECONDS):
  """Runs a program without input to its end; returns (exit code, standard output as bytes)."""
  done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                        env=environment, timeout=seconds, check=False)
  return done.returncode, done.stdout
