#!/usr/bin/env python3
"""Images on several real engines: large uploads in little memory, engines frozen and killed midway, copies that differ.

usage: images.py [--swarmd PATH]
"""

import io
import json
import os
import re
import shutil
import signal
import tarfile
import tempfile
import time

import harness
from programs import run_bytes

TEST_SECONDS = 420
BIG = 120 * 1000 * 1000
MOST_GROWTH = 48 * 1000 * 1000  # bytes of memory that an upload of BIG may cost
NOTICED_SECONDS = 30
FLAGS = ["--engine-timeout", "2s", "--engine-refresh-min-interval", "1s", "--engine-refresh-max-interval", "2s",
         "--engine-failure-retry", "2"]


def archive_of(**files):
  """A tar of files by name."""
  buffer = io.BytesIO()
  with tarfile.open(fileobj=buffer, mode="w") as archive:
    for name, content in files.items():
      entry = tarfile.TarInfo(name)
      entry.size = len(content)
      archive.addfile(entry, io.BytesIO(content))
  return buffer.getvalue()


def ids_on_engines(hosts, image, numbers=None):
  """[id or None] of an image, asked of the engines themselves."""
  found = []
  for number in numbers or hosts.numbers():
    answer = hosts.engine(number).call("GET", "/images/%s/json" % image)
    found.append(answer.json()["Id"] if answer.status == 200 else None)
  return found


def peak_memory(swarmd):
  with open("/proc/%d/status" % swarmd.process.pid, encoding="ascii") as status:
    return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


def check_big(report, hosts, swarmd, docker):
  """import, save, load and rmi of an image that must not be held in memory."""
  before = peak_memory(swarmd)
  done = docker.run("import", "-", "im_big:v1", stdin=archive_of(data=os.urandom(BIG)), seconds=180)
  report.matches("a big import tells one id", done.out, r"^sha256:[0-9a-f]{64}\n$")
  report.equal("it is on every engine under this id", ids_on_engines(hosts, "im_big:v1"), [done.out.strip()] * hosts.count)
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "big.tar")
    saved = docker.run("save", "-o", path, "im_big:v1", seconds=120)
    report.check("save of it: %d bytes" % os.path.getsize(path), saved.code == 0 and os.path.getsize(path) > BIG, saved)
    removed = docker.run("rmi", "im_big:v1")
    report.equal("rmi removes it everywhere", ids_on_engines(hosts, "im_big:v1"), [None] * hosts.count)
    report.equal("rmi tells each line once", removed.out.count("Untagged: im_big:v1"), 1)
    loaded = docker.run("load", "-q", "-i", path, seconds=180)
  report.equal("load tells what one engine tells", loaded.out, "Loaded image: im_big:v1\n")
  report.equal("it is back on every engine", ids_on_engines(hosts, "im_big:v1"), [done.out.strip()] * hosts.count)
  growth = peak_memory(swarmd) - before
  report.check("the manager's memory grew by %d MB at most" % (growth // 1000000), growth < MOST_GROWTH, growth)
  docker.run("rmi", "im_big:v1")


def small_archive(docker, name):
  """An archive of an image that no engine has."""
  docker.run("import", "-", name, stdin=archive_of(name=name.encode()))
  code, archive = run_bytes(docker.line("save", name), docker.environment())
  docker.run("rmi", name)
  return code, archive


def start_load(hosts, docker, image):
  """A load while the second engine is frozen: returns the client when the others have the image."""
  _, archive = small_archive(docker, image)
  hosts.command("freeze", "02")
  client = docker.start("load")
  client.write(archive)
  client.close_input()
  harness.wait_for(lambda: None not in ids_on_engines(hosts, image, [1, 3]), NOTICED_SECONDS, "the others have it")
  return client


def check_load_fault(report, hosts, swarmd, docker, what, midway, undo):
  """The others have it at once; the client learns which node has not, in bounded time."""
  image = "im_%s:v1" % what
  swarmd.wait_healthy()
  client = start_load(hosts, docker, image)
  begin = time.monotonic()
  midway()
  done = client.finish(NOTICED_SECONDS)
  report.check("%s: the load ends after %.1f s" % (what, time.monotonic() - begin), done.code == 1, done)
  report.matches("%s: it names who has it and who has not" % what, done.err,
                 r"loaded on 2 of 3 nodes \(dockerhost01, dockerhost03\): dockerhost02: ")
  undo()
  swarmd.wait_healthy()
  done = docker.run("rmi", image)
  report.check("%s: afterwards it can be removed" % what, done.code == 0, done)


def check_interrupted(report, hosts, swarmd, docker):
  """Ctrl-C on the client ends the work on the node that hangs."""
  swarmd.wait_healthy()
  client = start_load(hosts, docker, "im_ctrl:v1")
  client.process.send_signal(signal.SIGINT)
  client.finish(10)

  def open_streams():
    text = swarmd.api().call("GET", "/swarmd/v1/metrics").text
    return int(re.search(r"^swarmd_open_streams (\d+)", text, re.M).group(1))

  report.eventually("interrupted: nothing goes on at swarmd", lambda: open_streams() == 0, 5, open_streams)
  hosts.command("thaw", "02")
  swarmd.wait_healthy()
  docker.run("rmi", "im_ctrl:v1")


def check_apart(report, hosts, swarmd, docker):
  """Images that are not the same on all nodes."""
  for number in (1, 2):
    hosts.engine(number).call("POST", "/images/busybox/tag?repo=im_only%d&tag=v1" % number)
    hosts.engine(number).call("POST", "/images/create?fromSrc=-&repo=im_apart&tag=v1", archive_of(n=b"%d" % number))
  harness.wait_for(lambda: "im_apart:v1" in json.dumps(swarmd.api().get("/images/json")) and
                   "im_only2:v1" in json.dumps(swarmd.api().get("/images/json")), 10, "swarmd knows them")
  with tempfile.TemporaryDirectory() as folder:
    done = docker.run("save", "-o", os.path.join(folder, "x.tar"), "im_only1:v1", "im_only2:v1")
  report.check("save of what no node has together says where it is",
               done.code == 1 and re.search(r"im_only1:v1 is on dockerhost01.*im_only2:v1 is on dockerhost02", done.err), done)
  done = docker.run("push", "im_apart:v1")
  report.check("push of copies that differ names them",
               done.code == 1 and re.search(r"dockerhost01 \(\w{12}\), dockerhost02 \(\w{12}\)", done.err), done)
  docker.run("create", "--name", "im_user", "-e", "constraint:node==dockerhost01", "im_apart:v1", "x")
  done = docker.run("rmi", "im_apart:v1")
  report.check("rmi of what is in use on one node names it, and removes the rest", done.code == 1 and
               re.search(r"removed on dockerhost02, but not everywhere: dockerhost01: conflict", done.err) and
               ids_on_engines(hosts, "im_apart:v1", [2]) == [None], done)
  docker.run("rm", "im_user")
  done = docker.run("rmi", "im_apart:v1", "im_only1:v1", "im_only2:v1")
  report.check("what is left can be removed", done.code == 0, done)


def run(options, report):
  program = harness.swarmd_program(options)
  folder = tempfile.mkdtemp(prefix="swarmd-uploads-", dir="/var/tmp")
  harness.ENDINGS.append(lambda: shutil.rmtree(folder, True))
  with harness.Hosts() as hosts:
    with harness.Swarmd(program, hosts, FLAGS, environment={"TMPDIR": folder}) as swarmd:
      swarmd.wait_healthy()
      docker = harness.Docker(harness.part("cli-20.10"), swarmd.host)
      check_big(report, hosts, swarmd, docker)
      check_apart(report, hosts, swarmd, docker)
      check_load_fault(report, hosts, swarmd, docker, "frozen", lambda: None, lambda: hosts.command("thaw", "02"))
      check_load_fault(report, hosts, swarmd, docker, "killed", lambda: hosts.command("kill", "02"),
                       lambda: hosts.command("restart", "02"))
      check_interrupted(report, hosts, swarmd, docker)
      report.equal("no upload is left on the disk", os.listdir(folder), [])


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
