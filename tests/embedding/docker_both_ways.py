#!/usr/bin/python3
"""docker-py in process on a pyswarm.Manager and over a socket: the same scenario, the same results.

usage: docker_both_ways.py        (PYTHONPATH names where pyswarm is)

Each way has simulated engines of its own, made alike. Every step states what it must find, and returns what it found,
in which ids and times are replaced by their order of appearance; the two ways must return the same. Exit code 77:
docker-py is not there.
"""

import gc
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import threading
import time

try:
  import docker
  import docker.errors
  import requests
except ImportError as missing:
  print("SKIPPED: no docker-py (Debian's package python3-docker): %s" % missing)
  sys.exit(77)

import pyswarm
import pyswarm.docker_adapter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients", "docker_py"))
from base import archive, equal  # noqa: E402

READ_SECONDS = 20
HERE = {"here": "both-ways"}


class Words:
  """Replaces what differs from run to run by words in order of appearance."""

  PATTERN = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b|\b\d{4}-\d\d-\d\dT[0-9:.]+Z?|\b1[0-9]{9,18}\b"
                       r"|127\.0\.0\.1:\d+")

  def __init__(self):
    self._seen = {}

  def of(self, value):
    def word(found):
      return self._seen.setdefault(found.group()[:12], "<%d>" % len(self._seen))

    return self.PATTERN.sub(word, json.dumps(value, sort_keys=True, default=repr))


def refusal(call, *arguments, **named):
  """What docker-py raised: its class, the status and the text."""
  try:
    result = call(*arguments, **named)
  except docker.errors.APIError as error:
    return type(error).__name__, error.response.status_code, str(error.explanation)
  raise AssertionError("no error: %r" % (result,))


def read_all(sock):
  sock.settimeout(READ_SECONDS)
  data = b""
  while True:
    piece = sock.recv(65536)
    if not piece:
      return data
    data += piece


def facts(client):
  equal(client.ping(), True)
  version, info = client.version(), client.info()
  equal((version["Os"], info["Containers"]), ("linux", 0))
  return [version[name] for name in ("Version", "ApiVersion", "MinAPIVersion", "Os")], info["DriverStatus"]


def runs(client):
  equal(client.containers.run("busybox", ["echo", "hello"], remove=True), b"hello\n")
  equal(client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"], stderr=True, remove=True),
        b"out\nerr\n")
  try:
    client.containers.run("busybox", ["sh", "-c", "echo why >&2; exit 3"], remove=True)
  except docker.errors.ContainerError as error:
    equal((error.exit_status, error.stderr), (3, b"why\n"))
    return str(error)
  raise AssertionError("exit code 3 was no error")


def life(client):
  made = client.containers.create("busybox", ["sleep", "600"], name="life", labels=HERE,
                                  environment=["constraint:zone==external"])
  made.start()
  made.reload()
  equal((made.status, made.name, made.attrs["Config"]["Labels"]["here"]), ("running", "life", "both-ways"))
  listed = [(row.name, row.status) for row in client.containers.list(filters={"label": "here=both-ways"})]
  equal(listed, [("life", "running")])
  made.pause()
  made.unpause()
  made.rename("life2")
  made.restart(timeout=0)
  made.stop(timeout=0)
  made.reload()
  equal(made.status, "exited")
  found = [made.attrs["Node"]["Name"], made.attrs["Config"]["Env"], made.attrs["State"]["ExitCode"]]
  made.remove()
  equal(client.containers.list(all=True, filters={"label": "here=both-ways"}), [])
  return found


def logs(client):
  made = client.containers.run("busybox", ["sh", "-c", "echo 1; sleep 0.2; echo 2; echo 3 >&2"], detach=True,
                               labels=HERE)
  equal(b"".join(made.logs(stream=True, follow=True)), b"1\n2\n3\n")
  equal((made.logs(stderr=False), made.logs(stdout=False), made.logs(tail=1)), (b"1\n2\n", b"3\n", b"3\n"))
  equal(made.wait()["StatusCode"], 0)
  made.remove()
  ticking = client.containers.run("busybox", ["tick", "0.05"], detach=True, labels=HERE)
  stream = ticking.logs(stream=True, follow=True)
  equal([next(stream) for _ in range(3)], [b"tick\n"] * 3)
  stream.close()
  equal(list(stream), [])
  ticking.remove(force=True)
  terminal = client.containers.run("busybox", ["sh", "-c", "echo raw; sleep 0.1; echo tty"], detach=True, tty=True,
                                   labels=HERE)
  found = b"".join(terminal.logs(stream=True, follow=True))
  equal(found.split(), [b"raw", b"tty"])
  terminal.remove(force=True)
  return found.decode()


def late(script):
  """Over a socket docker-py loses what comes together with the head of an upgraded answer; in process it does not."""
  return ["sh", "-c", "sleep 0.1; " + script]


def executes(client):
  made = client.containers.run("busybox", ["sleep", "600"], detach=True, labels=HERE)
  equal(tuple(made.exec_run(late("echo hello"))), (0, b"hello\n"))
  equal(tuple(made.exec_run(late("echo out; echo err >&2; exit 4"), demux=True)), (4, (b"out\n", b"err\n")))
  equal(b"".join(made.exec_run(late("echo a; sleep 0.1; echo b"), stream=True).output), b"a\nb\n")
  equal(list(made.exec_run(late("echo x"), stream=True, demux=True).output), [(b"x\n", None)])
  equal(made.exec_run(late("echo terminal"), tty=True).output.strip(), b"terminal")
  wrapper = made.exec_run(["cat"], stdin=True, socket=True).output
  sock = wrapper._sock
  sock.settimeout(READ_SECONDS)
  sock.sendall(b"typed\n")
  head = b""
  while len(head) < 14:  # a frame: 8 bytes and what was typed
    head += sock.recv(14 - len(head))
  equal(head, b"\x01\x00\x00\x00\x00\x00\x00\x06typed\n")
  sock.sendall(b"more\n")
  sock.shutdown(socket.SHUT_WR)
  equal(read_all(sock), b"\x01\x00\x00\x00\x00\x00\x00\x05more\n")
  wrapper.close()
  started = client.api.exec_create(made.id, ["sleep", "0.01"])["Id"]
  client.api.exec_start(started, detach=True)
  found = client.api.exec_inspect(started)["ProcessConfig"]
  errors = [refusal(client.api.exec_create, "nosuch", ["true"]), refusal(client.api.exec_start, "0" * 64)]
  equal([error[:2] for error in errors], [("NotFound", 404)] * 2)
  made.remove(force=True)
  return found, errors


def attaches(client):
  made = client.containers.create("busybox", ["cat"], stdin_open=True, labels=HERE)
  wrapper = made.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
  made.start()
  sock = wrapper._sock
  sock.sendall(b"x" * 100_000 + b"\n")
  sock.shutdown(socket.SHUT_WR)
  data, received = read_all(sock), b""
  while data:
    length = int.from_bytes(data[4:8], "big")
    received, data = received + data[8:8 + length], data[8 + length:]
  equal(received, b"x" * 100_000 + b"\n")
  wrapper.close()
  made.remove(force=True)
  made = client.containers.run("busybox", late("sleep 0.2; echo late"), detach=True, labels=HERE)
  equal(b"".join(made.attach(stream=True, logs=True)), b"late\n")
  made.remove()
  return len(received)


def copies(client):
  made = client.containers.create("busybox", ["true"], labels=HERE)
  equal(made.put_archive("/tmp", archive("file", b"content" * 50_000)), True)
  equal(client.api.put_archive(made.id, "/tmp", io.BytesIO(archive("other", b"o"))), True)
  pieces, facts_of = made.get_archive("/tmp/file")
  with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
    equal(tar.extractfile("file").read(), b"content" * 50_000)
  error = refusal(made.get_archive, "/nosuch")
  equal(error[:2], ("NotFound", 404))
  made.remove()
  return facts_of["name"], facts_of["size"], error


def objects(client):
  names = sorted(tag for image in client.images.list() for tag in image.tags)
  equal("busybox:latest" in names, True)
  client.images.get("busybox").tag("both/ways", "one")
  equal(client.images.list(name="both/ways")[0].tags[-1:], ["both/ways:one"])
  client.images.remove("both/ways:one")
  volume = client.volumes.create("both_volume", labels=HERE)
  equal([found.name for found in client.volumes.list(filters={"name": "both_volume"})], ["both_volume"])
  network = client.networks.create("both_net", labels=HERE)
  equal([found.name.split("/")[-1] for found in client.networks.list(ids=[network.id])], ["both_net"])
  progress = list(client.api.pull("both/pulled", tag="1", stream=True, decode=True))
  found = [names, volume.attrs["Driver"], network.attrs["Driver"], progress[-1]]
  volume.remove()
  network.remove()
  return found


def events(client):
  live = client.events(decode=True, filters={"label": "here=events"})
  seen, first = [], threading.Event()

  def read():
    for event in live:
      seen.append((event["Type"], event["Action"], event["Actor"]["Attributes"]["name"]))
      first.set()

  reader = threading.Thread(target=read, daemon=True)
  reader.start()
  deadline = time.monotonic() + READ_SECONDS  # a client cannot tell when its stream begins
  while not first.is_set() and time.monotonic() < deadline:
    client.containers.create("busybox", ["true"], labels={"here": "events"}, name="begin").remove()
    first.wait(0.3)
  made = client.containers.run("busybox", ["true"], labels={"here": "events"}, name="seen", detach=True)
  made.wait()
  made.remove()
  while ("container", "destroy", "seen") not in seen and time.monotonic() < deadline:
    time.sleep(0.02)
  live.close()  # from another thread than the one that reads
  reader.join(READ_SECONDS)
  equal(reader.is_alive(), False)
  found = [event for event in seen if event[2] == "seen" and event[1] != "attach"]
  equal([event[1] for event in found], ["create", "start", "die", "destroy"])
  return found


def refusals(client):
  found = [refusal(client.containers.get, "nosuch"), refusal(client.images.get, "no/such"),
           refusal(client.containers.create, "busybox", environment=["constraint:zone==nowhere"]),
           refusal(client.containers.create, "busybox", environment=["constraint:zone"]),
           refusal(client.volumes.get, "nosuch"), refusal(client.networks.get, "nosuch")]
  equal([error[1] for error in found], [404, 404, 409, 400, 404, 404])
  equal("zone==nowhere" in found[2][2], True)
  streamed = refusal(lambda: list(client.api.stats("nosuch", decode=True)))
  equal(streamed[1], 404)
  return found, streamed


STEPS = [facts, runs, life, logs, executes, attaches, copies, objects, events, refusals]


def play(client):
  """{step: what it found}. Raises at the first one that does not hold."""
  words, found = Words(), {}
  for step in STEPS:
    begin = time.monotonic()
    found[step.__name__] = words.of(step(client))
    print("ok     %s (%.2f s)" % (step.__name__, time.monotonic() - begin), flush=True)
  return found


def over_a_socket():
  with pyswarm.Manager("sim://3", seed=7, listen=["tcp://127.0.0.1:0"]) as manager:
    manager.wait_ready()
    client = docker.DockerClient(base_url=manager.serve()[0], version="auto", timeout=READ_SECONDS)
    found = play(client)
    client.close()
    manager.close(grace=0.5)  # docker-py leaves connections open
    return found


def in_process():
  with pyswarm.Manager("sim://3", seed=7) as manager:
    manager.wait_ready()
    client = pyswarm.docker_adapter.client(manager, timeout=READ_SECONDS)
    found = play(client)
    equal(manager.addresses, [])
    client.close()
    return found


def after_the_end():
  """A closed manager, a wrong version and a websocket: errors that docker-py's users know how to catch."""
  manager = pyswarm.Manager("sim://1")
  manager.wait_ready()
  client = pyswarm.docker_adapter.client(manager, version="1.41")
  equal(client.api.api_version, "1.41")
  try:
    client.api.attach_socket("x", ws=True)
  except docker.errors.DockerException as error:
    equal("websocket" in str(error), True)
  else:
    raise AssertionError("a websocket without a socket")
  made = client.containers.run("busybox", ["cat"], stdin_open=True, detach=True)
  wrapper = made.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
  manager.close()
  equal(read_all(wrapper._sock), b"")
  wrapper.close()
  try:
    client.ping()
  except requests.exceptions.ConnectionError as error:
    print("ok     closed: %s" % error)
  else:
    raise AssertionError("a closed manager answered")
  gc.collect()  # docker-py ties an answer and its socket to each other
  left = [thread for thread in threading.enumerate() if "tunnel" in thread.name]
  for thread in left:
    thread.join(READ_SECONDS)
  equal([thread.name for thread in left if thread.is_alive()], [])


def without_docker_py():
  """The adapter can be imported without docker-py, and says what is missing when it is used."""
  script = ("import sys\nimport pyswarm.docker_adapter\nassert 'docker' not in sys.modules\nsys.modules['docker'] = None\n"
            "try:\n  pyswarm.docker_adapter.client(None)\nexcept ImportError as error:\n  print(error)\n")
  done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
  equal((done.returncode, "python3-docker" in done.stdout), (0, True))


def main():
  without_docker_py()
  print("over a socket")
  socket_found = over_a_socket()
  print("in process")
  process_found = in_process()
  failed = [name for name in socket_found if socket_found[name] != process_found[name]]
  for name in failed:
    print("FAILED %s\n  over a socket: %s\n  in process:    %s" % (name, socket_found[name], process_found[name]))
  after_the_end()
  print("%d steps, %d differ" % (len(socket_found), len(failed)))
  sys.exit(1 if failed else 0)


if __name__ == "__main__":
  main()
