"""One HTTP connection on which a test writes and reads every byte itself."""

import json
import re
import socket


class Reply:
  def __init__(self, status, headers):
    self.status, self.headers = status, headers  # names in lower case

  def __repr__(self):
    return "%d %r" % (self.status, self.headers)


class Wire:
  """A connection to an endpoint, tcp://ADDRESS:PORT. Use as a context manager."""

  def __init__(self, api, seconds=30):
    address, port = re.fullmatch(r"tcp://(.+):(\d+)", api.host).groups()
    self.socket = socket.create_connection((address, int(port)), timeout=seconds)
    self.rest = b""  # read and not yet taken

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self.socket.close()

  def send(self, method, path, body=None, headers=()):
    """One request. A body that is no bytes is sent as JSON. headers: (name, value) pairs."""
    fields = [("Host", "docker"), *headers]
    if body is not None and not isinstance(body, bytes):
      body = json.dumps(body).encode()
      fields.append(("Content-Type", "application/json"))
    if body is not None and "Transfer-Encoding" not in dict(headers):
      fields.append(("Content-Length", len(body)))
    head = "%s %s HTTP/1.1\r\n" % (method, path) + "".join("%s: %s\r\n" % field for field in fields) + "\r\n"
    self.socket.sendall(head.encode() + (body or b""))

  def more(self):
    """Reads what is there; False at the end."""
    data = self.socket.recv(65536)
    self.rest += data
    return bool(data)

  def until(self, mark):
    """What comes up to and with `mark` (bytes)."""
    while mark not in self.rest:
      if not self.more():
        raise EOFError("the connection ended before %r, after %r" % (mark, self.rest[-300:]))
    at = self.rest.index(mark) + len(mark)
    found, self.rest = self.rest[:at], self.rest[at:]
    return found

  def exactly(self, count):
    while len(self.rest) < count:
      if not self.more():
        raise EOFError("the connection ended after %d of %d bytes" % (len(self.rest), count))
    found, self.rest = self.rest[:count], self.rest[count:]
    return found

  def head(self):
    lines = self.until(b"\r\n\r\n").decode().split("\r\n")
    fields = dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in lines[1:] if line)
    return Reply(int(lines[0].split()[1]), {name.lower(): value for name, value in fields.items()})

  def chunk(self):
    """The next chunk of a chunked body; b"" is the last."""
    size = int(self.until(b"\r\n"), 16)
    data = self.exactly(size)
    self.until(b"\r\n")
    return data

  def to_end(self):
    while self.more():
      pass
    found, self.rest = self.rest, b""
    return found

  def body(self, reply):
    """The whole body of a reply, delimited as its head says."""
    if reply.status in (101, 204, 304):
      return b""
    if "content-length" in reply.headers:
      return self.exactly(int(reply.headers["content-length"]))
    if reply.headers.get("transfer-encoding") == "chunked":
      return b"".join(iter(self.chunk, b""))
    return self.to_end()

  def call(self, *arguments, **named):
    """(Reply, body) of one request on a connection that stays open."""
    self.send(*arguments, **named)
    reply = self.head()
    return reply, self.body(reply)


def frames(data):
  """{stream number: bytes} of the frames that attach, exec and logs send for containers without a terminal."""
  streams = {1: b"", 2: b""}
  while len(data) >= 8:
    length = int.from_bytes(data[4:8], "big")
    streams[data[0]] += data[8:8 + length]
    data = data[8 + length:]
  return streams


UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "tcp"))
CHUNKED = (("Transfer-Encoding", "chunked"),)


def chunked(data, size=30000):
  """`data` as a chunked body."""
  pieces = [data[at:at + size] for at in range(0, len(data), size)]
  return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
