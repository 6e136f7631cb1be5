"""What the steps of docker-py share: checks, containers, archives and streams."""

import io
import tarfile

import docker.utils

HERE = {"here": "docker-py"}  # the label of everything that this makes
FILTER = {"label": "here=docker-py"}
SLEEP = ["sleep", "600"]
READ_SECONDS = 30


def check(holds, found=""):
  if not holds:
    raise AssertionError(found)


def equal(found, wanted):
  check(found == wanted, "%r, not %r" % (found, wanted))


def refused(error, call, *arguments, status=None, text="", **named):
  """That call must raise `error` with this status and text."""
  try:
    result = call(*arguments, **named)
  except error as found:
    check(status is None or found.response.status_code == status, repr(found))
    check(text in str(found), repr(found))
    return
  check(False, "no error: %r" % (result,))


def old(client):
  """Before API 1.25, which the library does not give everything."""
  return docker.utils.version_lt(client.api.api_version, "1.25")


def sleeper(client, name=None, **named):
  return client.containers.run("busybox", SLEEP, name=name, labels=HERE, detach=True, **named)


def archive(name, data):
  stream = io.BytesIO()
  with tarfile.open(fileobj=stream, mode="w") as tar:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
  return stream.getvalue()


def raw(wrapper):
  """The socket below what exec_run(socket=True) and attach_socket give."""
  found = getattr(wrapper, "_sock", wrapper)
  found.settimeout(READ_SECONDS)
  return found


def read_all(stream):
  data = b""
  while True:
    piece = stream.recv(65536)
    if not piece:
      return data
    data += piece


def frames(data):
  """{stream: bytes} of a multiplexed stream."""
  streams = {1: b"", 2: b""}
  while len(data) >= 8:
    length = int.from_bytes(data[4:8], "big")
    streams[data[0]] += data[8:8 + length]
    data = data[8 + length:]
  return streams
