"""Checks 12 to 29: run, attach, exec, logs, wait, cp, export, stats."""

import base64
import hashlib
import os
import re
import signal
import struct
import tarfile
import io
import time

import harness
import steps_change
import steps_run
from check import LAST, LATE, check
from images import archive_of, ids_on_engines
from programs import run_bytes
from wire import UPGRADE, frames

MOST_GROWTH = 48 * 1000 * 1000  # bytes that a stream of any size may cost swarmd
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LONG = bool(os.environ.get("SWARM_LONG"))


def shell(text, **more):
  return {"Cmd": ["sh", "-c", text], **more}


@check(12, "run --rm prints and leaves nothing")
def run_prints(world, facts):
  for docker in (world.docker, world.old):
    done = docker.run("run", "--rm", "busybox", "echo", "hi")
    facts.equal("run", (done.code, done.out), (0, "hi\n"))
  facts.equal("on the engines", world.containers_on_engines(), [])


@check(13, "the exit code of run")
def exit_code(world, facts):
  facts.equal("code", world.docker.run("run", "busybox", "sh", "-c", "exit 7").code, 7)


@check(14, "run -i ends when its input ends")
def half_close(world, facts):
  for docker in (world.docker, world.old):
    done = docker.run("run", "-i", "--rm", "busybox", "cat", stdin=b"foo\n", seconds=20)
    facts.equal("run -i cat", (done.code, done.out), (0, "foo\n"))


@check(15, "50 MB through run -i; the manager's memory stays flat")
def big_input(world, facts):
  before = world.memory()
  done = steps_run.piped_big(world.session)
  facts.equal("sum", (done.code, done.out), (0, "same sum\n"))
  facts.that("growth of memory", world.memory() - before < MOST_GROWTH, world.memory() - before)


@check(16, "run -it: prompt, resize, exit code; Ctrl-P Ctrl-Q detaches")
def terminal(world, facts):
  done = steps_run.terminal_session(world.session)
  facts.that("a session", done.code == 5 and "24 80, 40 100" in done.out, done)
  facts.equal("detached", steps_run.detached_by_keys(world.session).out, "running\n")


@check(17, "run -d prints the id; ps shows it right after")
def detached(world, facts):
  done = world.docker.run("run", "-d", "--name", "ck_d", "busybox", "sleep", "600")
  facts.matches("id", done.out, r"^[0-9a-f]{64}\n$")
  facts.that("ps", "ck_d" in world.names(), world.names())
  for turn in range(10):
    identity = world.up("ck_turn%d" % turn)
    facts.that("read what was written, turn %d" % turn, identity in {row["Id"] for row in world.rows(query="all=0")})


@check(18, "attach shows what comes, outputs apart; detach leaves it running")
def attach(world, facts):
  done = steps_run.attach_without_stdin(world.session)
  facts.equal("attach", (done.code, done.out, done.err), (3, "tick\nbye\n", "last\n"))
  world.up("ck_tick", **shell("while true; do echo tick; sleep 0.1; done"))
  client = world.docker.start("attach", "--no-stdin", "--sig-proxy=false", "ck_tick")
  client.wait_output("tick")
  client.process.send_signal(signal.SIGTERM)
  client.finish(10)
  facts.equal("still running", world.names(), ["ck_tick"])


@check(19, "start -ai on a stopped cat")
def start_attached(world, facts):
  world.made("ck_cat", Cmd=["cat"], OpenStdin=True, StdinOnce=True, AttachStdin=True, AttachStdout=True)
  done = world.docker.run("start", "-ai", "ck_cat", stdin=b"through\n", seconds=20)
  facts.equal("echo", (done.code, done.out), (0, "through\n"))


@check(20, "attach: 200 without Upgrade, 101 with; of nothing: 404 and a closed connection")
def attach_heads(world, facts):
  for upgrade, status in (((), 200), (UPGRADE, 101)):
    identity = world.made("", **shell("echo out; echo err >&2", AttachStdout=True, AttachStderr=True))
    with world.wire() as wire:
      wire.send("POST", "/containers/%s/attach?stream=1&stdout=1&stderr=1" % identity, headers=upgrade)
      reply = wire.head()
      facts.equal("status", reply.status, status)
      facts.that("a raw stream", "content-length" not in reply.headers and "transfer-encoding" not in reply.headers and
                 reply.headers.get("content-type", "").startswith("application/vnd.docker."), reply)
      world.post("/containers/%s/start" % identity)
      facts.equal("both outputs", frames(wire.to_end()), {1: b"out\n", 2: b"err\n"})
  with world.wire(10) as wire:
    wire.send("POST", "/containers/nosuch/attach?stream=1&stdout=1", headers=UPGRADE)
    reply = wire.head()
    facts.equal("of nothing", reply.status, 404)
    facts.matches("of nothing", wire.body(reply).decode(), "No such container: nosuch")


def websocket_frame(wire):
  """The payload of the next frame that the server sends."""
  first, length = wire.exactly(2)
  length = {126: lambda: struct.unpack(">H", wire.exactly(2))[0],
            127: lambda: struct.unpack(">Q", wire.exactly(8))[0]}.get(length, lambda: length)()
  return first & 15, wire.exactly(length)


@check(21, "attach/ws: the handshake's key, and frames both ways")
def websocket(world, facts):
  for node in world.hosts.numbers():
    identity = world.up("", node, **shell("read x; echo got $x", OpenStdin=True))
    key = base64.b64encode(os.urandom(16))
    with world.wire() as wire:
      wire.send("GET", "/containers/%s/attach/ws?stream=1&stdin=1&stdout=1" % identity,
                headers=(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Origin", "http://docker"),
                         ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key.decode())))
      reply = wire.head()
      accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest()).decode()
      facts.equal("node %d: handshake" % node, (reply.status, reply.headers.get("sec-websocket-accept")), (101, accept))
      mask, text = os.urandom(4), b"hello\n"
      masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
      wire.socket.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
      data = b""
      while b"got hello" not in data:
        kind, payload = websocket_frame(wire)
        data += payload
        if kind == 8:
          break
      facts.that("node %d: frames" % node, b"got hello" in data, data)


@check(22, "exec: plain, -i with piped input, -it, -d, exit codes")
def execs(world, facts):
  world.up("cs_sleep")
  done = world.docker.run("exec", "cs_sleep", "sh", "-c", "echo x; exit 9")
  facts.equal("plain", (done.code, done.out), (9, "x\n"))
  facts.equal("-i", world.docker.run("exec", "-i", "cs_sleep", "cat", stdin=b"piped\n", seconds=20).out, "piped\n")
  facts.equal("-it", steps_run.exec_terminal(world.session).code, 8)
  facts.equal("-d", steps_run.exec_detached(world.session).code, 0)
  done = steps_run.half_close(world.session)
  facts.equal("half-close", (done.code, done.out), (0, "first\n100000\nafter\nlate\n"))


def new_exec(world, container, *command):
  return world.post("/containers/%s/exec" % container, {"AttachStdout": True, "Cmd": list(command)}).json()["Id"]


@check(23, "exec ids survive a restart of the manager", stage=LATE)
def exec_after_restart(world, facts):
  execs_by_node = {node: new_exec(world, world.up("", node), "sleep", "600") for node in world.hosts.numbers()}
  for identity in execs_by_node.values():
    facts.status("start", world.post("/exec/%s/start" % identity, {"Detach": True}), 200)
  world.swarmd.kill()
  world.swarmd.start()
  for node, identity in execs_by_node.items():
    answer = world.api.call("GET", "/exec/%s/json" % identity)
    facts.that("node %d: it is found" % node, answer.status == 200 and answer.json()["Running"], answer)
  facts.status("one that never was", world.api.call("GET", "/exec/%s/json" % ("0" * 64)), 404, "No such exec instance")
  world.swarmd.wait_healthy()


@check(24, "a second start of an exec: 409; 12 digits of its id: 404")
def exec_twice(world, facts):
  for node in world.hosts.numbers():
    identity = new_exec(world, world.up("", node), "echo", "once")
    with world.wire() as wire:
      wire.send("POST", "/exec/%s/start" % identity, {"Detach": False}, headers=UPGRADE)
      facts.equal("the first", wire.head().status, 101)
      facts.equal("the first", frames(wire.to_end())[1], b"once\n")
    # Without Detach an engine has sent its 200 before it knows.
    facts.status("the second", world.post("/exec/%s/start" % identity, {"Detach": True}), 409, "has already run")
    facts.status("12 digits", world.api.call("GET", "/exec/%s/json" % identity[:12]), 404)


@check(25, "logs: whole, --tail, --since, -f live within 200 ms, with and without a terminal")
def logs(world, facts):
  world.up("ck_logs", **shell("echo one; sleep 1.1; echo two >&2; sleep 600"))
  facts.eventually("both are there", lambda: b"two" in world.api.call("GET", "/containers/ck_logs/logs?stderr=1").body, 10)
  done = world.docker.run("logs", "ck_logs")
  facts.equal("whole", (done.out, done.err), ("one\n", "two\n"))
  done = world.docker.run("logs", "--tail", "1", "ck_logs")
  facts.equal("--tail 1", (done.out, done.err), ("", "two\n"))
  stamp = world.docker.run("logs", "-t", "ck_logs").err.split()[0]
  done = world.docker.run("logs", "--since", stamp, "ck_logs")
  facts.equal("--since", (done.out, done.err), ("", "two\n"))
  for tty in (False, True):
    delay = min(log_delay(world, tty) for _ in range(3))
    facts.that("-f, terminal %s: %.0f ms" % (tty, delay * 1000), delay < 0.2, delay)


def log_delay(world, tty):
  """Seconds from a written line to the line in a followed log."""
  identity = world.up("", **shell("read x; echo got $x; sleep 600", OpenStdin=True, Tty=tty))
  with world.wire(10) as follower, world.wire(10) as writer:
    follower.send("GET", "/containers/%s/logs?follow=1&stdout=1" % identity)
    follower.head()
    writer.send("POST", "/containers/%s/attach?stream=1&stdin=1" % identity, headers=UPGRADE)
    writer.head()
    begin = time.monotonic()
    writer.socket.sendall(b"line\n")
    follower.until(b"got line")
    return time.monotonic() - begin


@check(26, "wait blocks without a drop, returns the code; a client that goes frees the engine's connection")
def waits(world, facts):
  seconds = 610 if LONG else 2
  identity = world.up("ck_wait", **shell("trap 'exit 11' TERM; while true; do sleep 0.1; done"))
  with world.wire(seconds + 20) as wire:
    begin = time.monotonic()
    wire.send("POST", "/containers/%s/wait" % identity)
    reply = wire.head()
    facts.that("the head comes at once", reply.status == 200 and time.monotonic() - begin < 2, reply)
    wire.socket.settimeout(seconds)
    try:
      wire.more()
      facts.that("nothing comes before its end", False, wire.rest)
    except TimeoutError:
      pass
    wire.socket.settimeout(20)
    world.post("/containers/%s/kill?signal=TERM" % identity)
    facts.matches("the code", wire.body(reply).decode(), r'"StatusCode": ?11\b')
  identity = world.up("ck_left")
  facts.eventually("no stream is open", lambda: world.metric("swarmd_open_streams") == 0, 5)
  with world.wire() as wire:
    wire.send("POST", "/containers/%s/wait" % identity)
    wire.head()
    facts.equal("one is open", world.metric("swarmd_open_streams"), 1)
  facts.eventually("it is given up with its client", lambda: world.metric("swarmd_open_streams") == 0, 5)


@check(27, "cp: in, out, a folder, as tar; the stat header; a missing path")
def copies(world, facts):
  world.up("cs_work")
  done = steps_change.copied_in_and_out(world.session)
  facts.that("both ways", done.code == 0 and "same True" in done.out, done)
  facts.equal("as tar", steps_change.copied_as_tar(world.session).out, "data\n")
  answer = world.api.call("HEAD", "/containers/cs_work/archive?path=/etc/passwd")
  stat = base64.b64decode(answer.headers.get("x-docker-container-path-stat", ""))
  facts.that("the stat header", answer.status == 200 and b'"name":"passwd"' in stat, answer.headers)
  answer = world.api.call("GET", "/containers/cs_work/archive?path=/nosuch")
  facts.status("a missing path", answer, 404, "Could not find the file /nosuch in container")
  facts.equal("HEAD of a missing path", world.api.call("HEAD", "/containers/cs_work/archive?path=/nosuch").status, 404)


@check(28, "export and save stream with flat memory; load and import reach all nodes")
def archives(world, facts):
  world.up("ck_big", **shell("head -c 60000000 /dev/urandom > /big; sleep 600"))
  facts.eventually("it is written", lambda: world.docker.run("exec", "ck_big", "stat", "-c", "%s", "/big").out ==
                   "60000000\n", 20)
  before = world.memory()
  code, data = run_bytes(world.docker.line("export", "ck_big"), world.docker.environment())
  with tarfile.open(fileobj=io.BytesIO(data)) as archive:
    facts.equal("export", (code, archive.getmember("big").size), (0, 60000000))
  done = world.docker.run("import", "-", "ck_imported:v1", stdin=archive_of(data=data[:20000000]))
  facts.equal("import", ids_on_engines(world.hosts, "ck_imported:v1"), [done.out.strip()] * world.hosts.count)
  code, data = run_bytes(world.docker.line("save", "ck_imported:v1"), world.docker.environment())
  facts.that("save", code == 0 and len(data) > 20000000, (code, len(data)))
  world.docker.run("rmi", "ck_imported:v1")
  facts.matches("load", world.docker.run("load", "-q", stdin=data).out, "Loaded image: ck_imported:v1")
  facts.that("load: everywhere", None not in ids_on_engines(world.hosts, "ck_imported:v1"))
  facts.that("growth of memory", world.memory() - before < MOST_GROWTH, world.memory() - before)


@check(29, "stats of all nodes; its stream survives the death of one", stage=LAST)
def stats(world, facts):
  for node in world.hosts.numbers():
    world.up("ck_stats%d" % node, node)
  names = {"ck_stats%d" % node for node in world.hosts.numbers()}
  done = world.docker.run("stats", "--no-stream", "--format", "{{.Name}}")
  facts.equal("--no-stream", {line.split("/")[-1] for line in done.out.splitlines()}, names)
  client = world.docker.start("stats", "--format", "row {{.Name}} {{.PIDs}} end")
  client.wait_output("ck_stats1 1 end")
  with world.with_node("kill", "restart", 2):
    harness.wait_for(lambda: world.swarmd.statuses().get(world.hosts.name(2)) != "Healthy", 20, "the loss is noticed")
    before = client.out.count("ck_stats3 1 end")
    facts.eventually("the others go on", lambda: client.out.count("ck_stats3 1 end") > before + 1, 15, lambda: client.out)
    facts.that("the client still runs", client.process.poll() is None, client)
  client.process.send_signal(signal.SIGTERM)
  client.finish(10)
  facts.equal("no dead row is left", re.findall("Traceback|panic", client.err), [])
