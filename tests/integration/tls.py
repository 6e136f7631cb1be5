#!/usr/bin/env python3
"""TLS on both sides of swarmd: the CLI scenario over it, half-close, and everybody who must be refused.

usage: tls.py [--swarmd PATH] [--cli cli-20.10|cli-28]
"""

import contextlib
import json
import os
import re
import socket
import ssl
import sys
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
import harness
import cli_scenario
import steps_run
import steps_change

TEST_SECONDS = 780
# What goes through streams: attach, exec, run, cp; the listing steps are the same bytes as without TLS.
STEPS = steps_run.STEPS + steps_change.STEPS
FINISH_SECONDS = 10


def check_refused(report, hosts, swarmd, client):
  """Nobody without a certificate of the authority gets an answer, and the client is told why."""
  done = harness.Docker(client, swarmd.host).run("version", seconds=20)
  report.check("plain HTTP: refused", done.code == 1 and "This port speaks TLS" in done.err, done)
  ca_only = os.path.join(hosts.certificates("client"), "ca.pem")
  bare = harness.Docker(client, swarmd.host)
  bare.line = lambda *arguments: [client, "-H", swarmd.host, "--tlsverify", "--tlscacert", ca_only, *arguments]
  done = bare.run("version", seconds=20)
  reasons = ("certificate required", "bad certificate", "unknown certificate authority")
  report.check("no certificate: refused, with the reason", done.code == 1 and any(text in done.err for text in reasons),
               done)
  # Go's clients do not even send a certificate that the server's list of authorities does not know; OpenSSL's do.
  done = harness.Docker(client, swarmd.host, hosts.certificates("rogue")).run("version", seconds=20)
  report.check("a foreign certificate: refused, with the reason",
               done.code == 1 and any(text in done.err for text in reasons), done)
  found = connect(swarmd.host, harness.tls_context(hosts.certificates("rogue")))
  report.matches("a foreign certificate that is sent: refused, with the reason", found, "(?i)unknown ca|bad certificate")
  report.eventually("swarmd's log tells of the refused clients",
                    lambda: re.search("(?i)certificate", swarmd.log()), FINISH_SECONDS, swarmd.log)
  old = harness.tls_context(hosts.certificates("client"))
  with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that these versions are old is the point
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
  old.set_ciphers("ALL:@SECLEVEL=0")
  report.matches("TLS 1.1: refused", connect(swarmd.host, old), "(?i)protocol|version")
  for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    report.equal("%s: taken" % version.name, connect(swarmd.host, limited(hosts, version)), "HTTP/1.1 200")


def limited(hosts, version):
  context = harness.tls_context(hosts.certificates("client"))
  context.minimum_version = context.maximum_version = version
  return context


def connect(host, context):
  """What a TLS client of our own gets: the begin of the answer, or the reason why there is none."""
  address, port = host[len("tcp://"):].rsplit(":", 1)
  try:
    with socket.create_connection((address, int(port)), timeout=5) as plain:
      with context.wrap_socket(plain, server_hostname=address) as stream:
        with contextlib.suppress(OSError):  # refused already: the reason is what can still be read
          stream.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return stream.recv(12).decode()
  except OSError as error:
    return str(error)


def check_half_close(report, docker):
  """The end of input goes through as close_notify; the output that follows still comes."""
  docker.run("run", "-d", "--name", "tls_exec", "busybox", "sleep", "600")
  for round_number in range(3):
    begin = time.monotonic()
    done = docker.run("exec", "-i", "tls_exec", "sh", "-c", "wc -c; sleep 0.5; echo after", stdin=b"x" * 3000000,
                      seconds=20)
    report.check("check 78: exec -i: half-close, %d" % round_number, done.code == 0 and done.out == "3000000\nafter\n" and
                 time.monotonic() - begin < FINISH_SECONDS, done)
  done = docker.run("run", "--rm", "-i", "busybox", "sh", "-c", "wc -c; sleep 0.5; echo after", stdin=b"y" * 3000000,
                    seconds=20)
  report.check("check 78: run -i (attach): half-close", done.code == 0 and done.out == "3000000\nafter\n", done)
  docker.run("rm", "-f", "tls_exec")


def check_engines_refuse(report, hosts, program):
  """swarmd with a foreign certificate reaches no engine; the log and docker info say why."""
  words = r"(?i)bad certificate|unknown ca|unknown certificate|certificate required|certificate unknown"
  with harness.Swarmd(program, hosts, ["--engine-failure-retry", "1"], holder="rogue") as swarmd:
    report.eventually("a foreign certificate towards engines: the log says why",
                      lambda: re.search(words, swarmd.log()), 20, swarmd.log)
    info = swarmd.api().get("/info")
    report.check("a foreign certificate towards engines: no node is healthy",
                 "Healthy" not in harness.node_statuses(info).values(), info)
    report.check("a foreign certificate towards engines: docker info says why", re.search(words, json.dumps(info)),
                 info.get("SystemStatus"))


def check_wrong_files(report, program, hosts):
  own = hosts.certificates("swarm")
  files = {name: os.path.join(own, name + ".pem") for name in ("ca", "cert", "key")}
  for what, flags, words in (
      ("no key", ["--tlsverify", "--tlscacert", files["ca"], "--tlscert", files["cert"]], "--tlskey"),
      ("no authority", ["--tlsverify", "--tlscert", files["cert"], "--tlskey", files["key"]], "--tlscacert"),
      ("a file that is not there", ["--tlsverify", "--tlscacert", "/nosuch/ca.pem", "--tlscert", files["cert"],
                                    "--tlskey", files["key"]], "/nosuch/ca.pem"),
      ("a key of another certificate", ["--tlsverify", "--tlscacert", files["ca"], "--tlscert", files["cert"],
                                        "--tlskey", os.path.join(hosts.certificates("client"), "key.pem")], "key"),
      ("a certificate that is none", ["--tlsverify", "--tlscacert", files["ca"], "--tlscert", __file__, "--tlskey",
                                      files["key"]], "tls.py")):
    done = harness.run_program([program, "manage", "-H", "tcp://127.0.0.1:0", *flags, "nodes://127.0.0.1:1"],
                               seconds=10)
    lines = [line for line in (done.out + done.err).splitlines() if line]
    report.check("%s: one line that names it, exit code not 0" % what,
                 done.code in (1, 2) and len(lines) == 1 and words in lines[0], done)


def run(options, report):
  program = harness.swarmd_program(options)
  client = harness.part(options.cli)
  with harness.Hosts(tls=True) as hosts:
    check_wrong_files(report, program, hosts)
    with harness.Swarmd(program, hosts) as swarmd:
      swarmd.wait_healthy()
      check_refused(report, hosts, swarmd, client)
      check_half_close(report, harness.Docker(client, swarmd.host, hosts.certificates("client")))
    check_engines_refuse(report, hosts, program)
    cli_scenario.play_cluster(report, hosts, program, client, STEPS)


def add_options(parser):
  parser.add_argument("--cli", default="cli-20.10", help="the docker client, a part of scripts/parts.sh")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
