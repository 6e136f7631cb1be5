#!/usr/bin/env python3
"""swarmd's command line: what is refused and how, what old spellings do, trials without Docker, and its end.

usage: swarmd_flags.py [--swarmd PATH]

Needs no root and no engines; the steps with a docker client are left out where there is none.
"""

import json
import os
import re
import resource
import signal
import socket
import tempfile
import time

import harness

TEST_SECONDS = 240
STOP_BOUND = 10.5

# (words after the program, words that the one line must have)
REFUSED = [
    (["manage"], r"SWARM_DISCOVERY"),
    (["manage", "--nosuch", "sim://3"], r"--nosuch"),
    (["manage", "-nosuch", "sim://3"], r"-?nosuch|-n"),
    (["nosuch"], r"nosuch"),
    (["manage", "--strategy", "fastest", "sim://3"], r"fastest"),
    (["manage", "--filter", "nosuch", "sim://3"], r"nosuch"),
    (["manage", "nosuch://1"], r"nosuch"),
    (["manage", "sim://3", "sim://4"], r"sim://4"),
    (["manage", "--heartbeat", "soon", "sim://3"], r"--heartbeat"),
    (["manage", "--heartbeat", "0s", "sim://3"], r"--heartbeat"),
    (["manage", "--engine-refresh-min-interval", "90s", "sim://3"], r"--engine-refresh-m"),
    (["manage", "--engine-failure-retry", "0", "sim://3"], r"--engine-failure-retry"),
    (["manage", "--engine-refresh-retry", "5", "sim://3"], r"--engine-refresh-retry"),
    (["manage", "--cluster-opt", "swarm.overcommit=much", "sim://3"], r"swarm\.overcommit"),
    (["manage", "--cluster-opt", "nosuch=1", "sim://3"], r"nosuch"),
    (["manage", "--cluster-opt", "swarm.overcommit=1e300", "sim://3"], r"at most 1000"),
    (["manage", "--overcommit", "inf", "sim://3"], r"at most 1000"),
    (["manage", "--overcommit=-1", "sim://3"], r"above -1"),
    (["manage", "--replication", "--advertise", "10.0.0.1:2375", "sim://3"], r"consul://.*does not have"),
    (["manage", "--replication", "--replication-ttl", "30s", "--addr", "10.0.0.1:2375", "sim://3"], r"consul://"),
    (["manage", "--replication-ttl", "never", "sim://3"], r"--replication-ttl never"),
    (["manage", "--advertise", "10.0.0.1", "sim://3"], r"HOST:PORT"),
    (["manage", "--advertise", "10.0.0.1:70000", "sim://3"], r"HOST:PORT"),
    (["manage", "--cluster-driver", "mesos-experimental", "sim://3"], r"driver"),
    (["manage", "--names", "short", "sim://3"], r"--names"),
    (["manage", "--relay-ports", "some", "sim://3"], r"--relay-ports"),
    (["manage", "--client-memory", "1000KiB", "sim://3"], r"--client-memory 1000KiB.*at least 1MiB"),
    (["manage", "--event-memory", "much", "sim://3"], r"--event-memory much"),
    (["manage", "--event-listeners", "0", "sim://3"], r"--event-listeners"),
    (["manage", "--tlsverify", "sim://3"], r"--tlsc"),
    (["manage", "--tlscert", "/tmp/cert.pem", "sim://3"], r"--tls"),
    (["manage", "--tls", "sim://3"], r"--tlscert"),
    (["manage", "-tlsverify", "--tlscacert", "/nosuch/ca.pem", "--tlscert", "/nosuch/c.pem", "--tlskey",
      "/nosuch/k.pem", "sim://3"], r"/nosuch/"),
    (["manage", "-H=0.0.0.0:2375", "sim://3"], r"--insecure"),
    (["manage", "-H", "tcp://:2375", "sim://3"], r"--insecure"),
    (["manage", "--host", "127.0.0.1:99999", "sim://3"], r"99999"),
    (["manage", "--host", "127.example.com:0", "sim://3"], r"--insecure"),
    (["manage", "--host", "nosuch://x", "sim://3"], r"nosuch"),
    (["manage", "10.0.0.1"], r"10\.0\.0\.1"),
    (["manage", "nodes://10.0.0.1:0"], r"10\.0\.0\.1"),
    (["list"], r"SWARM_DISCOVERY"),
    (["list", "--timeout", "never", "sim://3"], r"--timeout"),
    (["explain", "sim://3"], r"explain"),
    (["explain", "sim://3", "--", "docker", "run"], r"image"),
    (["help", "nosuch"], r"nosuch"),
]

# (words after the program, lines that it prints)
LISTED = [
    (["list", "nodes://10.0.0.1:2375,10.0.0.2:2375"], ["10.0.0.1:2375", "10.0.0.2:2375"]),
    (["list", "10.0.0.[8:11]:2375"], ["10.0.0.8:2375", "10.0.0.9:2375", "10.0.0.10:2375", "10.0.0.11:2375"]),
    (["list", "nodes://node[1:2].x:2375,10.0.0.9:2375"], ["node1.x:2375", "node2.x:2375", "10.0.0.9:2375"]),
    (["l", "--discovery", "nodes://10.0.0.1:2375"], ["10.0.0.1:2375"]),
    (["list", "-discovery=nodes://10.0.0.1:2375"], ["10.0.0.1:2375"]),
]


def call(program, *words, seconds=15, env=None):
  return harness.run_program([program, *words], seconds=seconds, env=harness.clean_environment(env))


def one_line(done):
  lines = [line for line in done.err.splitlines() if line.strip()]
  return len(lines) == 1 and not done.out.strip()


def check_refused(report, program):
  for words, pattern in REFUSED:
    done = call(program, *words)
    report.check("swarmd %s: one line, exit code 2" % " ".join(words),
                 done.code == 2 and one_line(done) and re.search(pattern, done.err), done)


def check_printed(report, program):
  for words, lines in LISTED:
    done = call(program, *words)
    report.check("swarmd %s" % " ".join(words), done.code == 0 and sorted(done.out.splitlines()) == sorted(lines), done)
  done = call(program, "list", env={"SWARM_DISCOVERY": "nodes://10.0.0.7:2375"})
  report.check("SWARM_DISCOVERY", done.out == "10.0.0.7:2375\n", done)
  with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    file.write("# engines\n10.0.0.1:2375  # the first\n\n10.0.1.[1:2]:2375\n")
    file.flush()
    done = call(program, "list", "file://" + file.name)
    report.check("list file://", done.out.splitlines() == ["10.0.0.1:2375", "10.0.1.1:2375", "10.0.1.2:2375"], done)
  done = call(program, "list", "--timeout", "1s", "file:///nosuch/file")
  report.check("list of a file that is not there: says so", done.code in (1, 2) and "/nosuch/file" in done.err, done)
  for words in (["version"], ["--version"], ["-v"]):
    done = call(program, *words)
    report.check("swarmd %s" % words[0], done.code == 0 and re.search(r"\d+\.\d+\.\d+", done.out), done)
  for words, text in ((["help"], "manage"), (["--help"], "manage"), (["help", "manage"], "--strategy"),
                      (["manage", "--help"], "--tlsverify"), (["h"], "explain")):
    done = call(program, *words)
    report.check("swarmd %s" % " ".join(words), done.code == 0 and text in done.out and not done.err, done)


def check_explain(report, program):
  done = call(program, "explain", "sim://3", "--", "docker", "run", "-d", "-p", "80:80", "nginx")
  report.check("explain: names a node", done.code == 0 and re.search(r"^\S+ \(\S+\)", done.out), done)
  done = call(program, "explain", "sim://3", "--", "docker", "run", "-e", "constraint:zone==nowhere", "nginx")
  report.check("explain: nowhere, with the reason of each node, exit code 1", done.code == 1 and
               "zone==nowhere" in done.out and len(re.findall(r"^  not ", done.out, re.M)) == 3, done)


def check_explain_of_nothing(report, program):
  begin = time.monotonic()
  done = call(program, "explain", "file:///nosuch/file", "--", "docker", "run", "nginx")
  report.check("explain: a source that cannot be read is named, at once", done.code == 1 and one_line(done) and
               "/nosuch/file cannot be read" in done.err and time.monotonic() - begin < 5, done)


def check_end(report, program):
  swarmd = harness.Swarmd(program, discovery="sim://3")
  with swarmd:
    with socket.create_connection(address_of(swarmd), timeout=5):  # an idle client
      begin = time.monotonic()
      code = swarmd.stop()
    report.check("SIGTERM: ends with 0 within 10 s", code == 0 and time.monotonic() - begin < STOP_BOUND,
                 (code, time.monotonic() - begin, swarmd.log()[-2000:]))
    report.check("SIGTERM: at once when nothing runs", time.monotonic() - begin < 3, time.monotonic() - begin)
  with harness.Swarmd(program, discovery="sim://1") as swarmd:
    follower = swarmd.api().connect()
    follower.request("GET", "/events")
    begin = time.monotonic()
    code = swarmd.stop()
    report.check("SIGTERM: with a client that follows events, 0 within 10 s",
                 code == 0 and time.monotonic() - begin < STOP_BOUND, (code, time.monotonic() - begin))
    follower.close()


def address_of(swarmd):
  address, port = re.match(r"tcp://(.+):(\d+)", swarmd.host).groups()
  return address, int(port)


def check_listening(report, program):
  with harness.Swarmd(program, discovery="sim://1") as swarmd:
    done = call(program, "manage", "-H", swarmd.host, "sim://1")
    report.check("a port in use: one line that names it, exit code 1", done.code == 1 and
                 swarmd.host[len("tcp://"):] in done.err and "in use" in done.err.lower(), done)
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "swarm.sock")
    with harness.Swarmd(program, discovery="sim://1", flags=["-H", "unix://" + path]) as swarmd:
      with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(5)
        stream.connect(path)
        stream.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        report.check("unix:// beside tcp://", stream.recv(100).startswith(b"HTTP/1.1 200"))
    report.check("the unix socket is gone afterwards", not os.path.exists(path))


def check_docker_port(report, program):
  """The classic port in use: most likely a Docker engine has it."""
  done = None
  with socket.socket() as holder:
    for number in range(2, 32):  # an address of loopback where this machine has the port free
      address = ("127.0.9.%d" % number, 2375)
      try:
        holder.bind(address)
      except OSError:
        continue
      holder.listen()
      done = call(program, "manage", "-H", "%s:%d" % address, "sim://1")
      break
  report.check("port 2375 in use: a Docker engine is guessed", done is not None and done.code == 1 and
               re.search(r"^swarmd: .*in use.*Docker engine", done.err, re.M), done)


def malformed(swarmd):
  """Sends what makes swarmd log a debug line, and waits for the refusal."""
  with socket.create_connection(address_of(swarmd), timeout=5) as stream:
    stream.sendall(b"no request\r\n\r\n")
    return stream.recv(100)


def check_logging(report, program):
  cases = (  # flags, environment, whether debug lines are logged
      ([], {}, False), (["--debug"], {}, True), ([], {"DEBUG": "1"}, True), ([], {"DEBUG": "true"}, True),
      ([], {"DEBUG": "0"}, False), ([], {"DEBUG": "false"}, False), (["-l", "info"], {"DEBUG": "1"}, False),
      (["--debug", "--log-level", "info"], {}, False), (["-l", "debug"], {"DEBUG": "0"}, True))
  for flags, environment, debug in cases:
    with harness.Swarmd(program, discovery="sim://1", flags=flags, environment=environment) as swarmd:
      malformed(swarmd)
      swarmd.stop()
      report.equal("debug lines with %s %s" % (" ".join(flags), environment), "malformed" in swarmd.log(), debug)
  with harness.Swarmd(program, discovery="sim://1", environment={"DEBUG": "app:*"}) as swarmd:
    report.matches("DEBUG that is no boolean: ignored, and said", swarmd.log(), r"DEBUG=app:\* is neither")
  with harness.Swarmd(program, discovery="sim://1", flags=["--log-format", "json"]) as swarmd:
    swarmd.stop()
    lines = [json.loads(line) for line in swarmd.log().splitlines()]
    report.check("JSON lines carry an RFC 3339 time", lines and all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", line["time"]) and line["level"]
        and line["message"] for line in lines), lines)


def check_accepted(report, program):
  """Old flags and variables that start, with what they are told."""
  flags = ["--replication-ttl", "30s", "--advertise", "10.0.0.1:2375", "--rootdir", "/nosuch", "--experimental"]
  with harness.Swarmd(program, discovery="sim://1", flags=flags) as swarmd:
    for words in ("--advertise 10.0.0.1:2375 changes nothing", "--rootdir changes nothing"):
      report.check("notice: " + words, words in swarmd.log(), swarmd.log())
    report.equal("--experimental in /info", swarmd.api().get("/info")["ExperimentalBuild"], True)
    report.equal("--experimental in /version", swarmd.api().get("/version")["Experimental"], True)
  with harness.Swarmd(program, discovery="sim://1", environment={"SWARM_ADVERTISE": "10.0.0.2:2375"}) as swarmd:
    report.check("SWARM_ADVERTISE", "--advertise 10.0.0.2:2375 changes nothing" in swarmd.log(), swarmd.log())
    report.equal("not experimental in /info", swarmd.api().get("/info")["ExperimentalBuild"], False)
  done = call(program, "manage", "sim://1", env={"SWARM_ADVERTISE": "nowhere"})
  report.check("SWARM_ADVERTISE that is none", done.code == 2 and one_line(done) and "HOST:PORT" in done.err, done)
  with tempfile.TemporaryDirectory() as folder:
    hosts = "tcp://127.0.0.1:0, unix://%s/one.sock,,unix://%s/two.sock" % (folder, folder)
    with harness.Swarmd(program, discovery="sim://1", listen=False, environment={"SWARM_HOST": hosts}):
      report.equal("SWARM_HOST: each of a list", sorted(os.listdir(folder)), ["one.sock", "two.sock"])


def check_called_swarm(report, program):
  """By the old name, the posts' command lines start as printed, and say loudly what that means."""
  with tempfile.TemporaryDirectory() as folder:
    link = os.path.join(folder, "swarm")
    os.symlink(program, link)
    with harness.Swarmd(link, discovery="sim://2", flags=["-H=0.0.0.0:0"]) as swarmd:
      report.matches("called swarm: starts beyond loopback, and warns", swarmd.log(), r"(?i)warn.*--tlsverify")
    with socket.socket() as free:  # with -l error nothing tells the port
      free.bind(("127.0.0.1", 0))
      port = free.getsockname()[1]
    with harness.Swarmd(link, discovery="sim://1", flags=["-l", "error", "-H=0.0.0.0:0"],
                        host="tcp://127.0.0.1:%d" % port) as swarmd:
      report.matches("called swarm with -l error: warns all the same", swarmd.log(), r"(?i)warn.*--tlsverify")
    done = call(link, "--version")
    report.check("called swarm: its name in its version", done.out.startswith("swarm version "), done)


def check_trial(report, program):
  """sim://3: a cluster without any Docker."""
  with harness.Swarmd(program, discovery="sim://3") as swarmd:
    swarmd.wait_healthy(3)
    report.equal("sim://3: three healthy nodes", list(swarmd.statuses().values()), ["Healthy"] * 3)
    try:
      docker = harness.Docker(harness.part("cli-20.10"), swarmd.host)
    except harness.Skipped as reason:
      print("left out: the trial with a docker client: %s" % reason)
      return
    done = docker.run("info")
    report.check("sim://3: docker info lists three nodes", re.search(r"Nodes: 3", done.out) and
                 len(re.findall(r"Status: Healthy", done.out)) == 3, done)
    for index in range(3):
      done = docker.run("run", "-d", "--name", "trial%d" % index, "nginx")
      report.check("sim://3: docker run -d, %d" % index, done.code == 0 and re.match(r"[0-9a-f]{64}\n$", done.out), done)
    done = docker.run("ps", "--no-trunc", "--format", "{{.Names}}")
    report.equal("sim://3: spread over the three", len(set(re.findall(r"(\S+)/trial\d", done.out.replace(",", " ")))), 3)
    done = docker.run("rm", "-f", "trial0", "trial1", "trial2")
    report.check("sim://3: docker rm -f", done.code == 0, done)


def check_no_core_dump(report, program):
  """Credentials pass through its memory."""
  _, most = resource.getrlimit(resource.RLIMIT_CORE)
  resource.setrlimit(resource.RLIMIT_CORE, (most, most))
  with harness.Swarmd(program, discovery="sim://1") as swarmd:
    with open("/proc/%d/limits" % swarmd.process.pid, encoding="ascii") as limits:
      report.matches("no core file", limits.read(), r"Max core file size +0 +0 ")
    os.kill(swarmd.process.pid, signal.SIGSEGV)
    ended = os.waitid(os.P_PID, swarmd.process.pid, os.WEXITED | os.WNOWAIT)
    report.equal("a crash dumps no core", ended.si_code, os.CLD_KILLED)


def run(options, report):
  program = harness.swarmd_program(options)
  check_refused(report, program)
  check_printed(report, program)
  check_explain(report, program)
  check_listening(report, program)
  check_explain_of_nothing(report, program)
  check_docker_port(report, program)
  check_logging(report, program)
  check_accepted(report, program)
  check_end(report, program)
  check_no_core_dump(report, program)
  check_called_swarm(report, program)
  check_trial(report, program)


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
