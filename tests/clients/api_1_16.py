#!/usr/bin/env python3
"""The requests of a docker client 1.4 (API 1.16, December 2014), written out, against swarmd over three engines.

usage: api_1_16.py [--swarmd PATH]

No such client runs on today's systems, so this speaks its requests byte for byte: old paths, HostConfig at start,
attach without Upgrade headers, answers that are read by an old client's rules.
"""

import json
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness
from wire import frames

TEST_SECONDS = 300
VERSION = "/v1.16"


class OldClient:
  """Sends requests as docker 1.4 did, one connection each."""

  def __init__(self, api):
    self.address = re.match(r"tcp://(.+):(\d+)", api.host).groups()

  def connect(self, method, path, body=None):
    stream = socket.create_connection((self.address[0], int(self.address[1])), timeout=30)
    head = ["%s %s%s HTTP/1.1" % (method, VERSION, path), "Host: %s:%s" % self.address,
            "User-Agent: Docker-Client/1.4.1"]
    data = b""
    if body is not None:
      data = json.dumps(body).encode()
      head.append("Content-Type: application/json")
    if method in ("POST", "PUT"):
      head.append("Content-Length: %d" % len(data))
      if body is None:
        head.append("Content-Type: text/plain")
    stream.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + data)
    return stream

  def call(self, method, path, body=None):
    with self.connect(method, path, body) as stream:
      reply = harness.http_reply(stream)
      return harness.Answer(reply.status, dict((name.lower(), value) for name, value in reply.getheaders()),
                            reply.read())


def check_facts(report, client):
  answer = client.call("GET", "/version")
  version = answer.json()
  report.check("version: 200, swarm/..., its own API version",
               answer.status == 200 and version["Version"].startswith("swarm/") and version["ApiVersion"], answer)
  report.check("version: what client 1.4 prints is there",
               all(name in version for name in ("GoVersion", "GitCommit", "Os", "Arch")), version)
  answer = client.call("GET", "/info")
  rows = answer.json().get("DriverStatus") or [["", ""]]
  report.equal("info: the first row is the number of nodes", rows[0], ["\bNodes", "3"])
  nodes = [value for key, value in rows if re.fullmatch(r"\s*dockerhost0[123]", key)]
  report.check("info: a row for each node with its address",
               sorted(re.sub(r".*\.", "", value) for value in nodes) == ["201:2375", "202:2375", "203:2375"], rows)
  report.check("info: no rows of newer clients", not answer.json().get("SystemStatus"), answer)
  answer = client.call("GET", "/_ping")
  report.check("ping", answer.status == 200 and answer.text == "OK", answer)


def create(client, name, config):
  query = "?name=" + name if name else ""
  return client.call("POST", "/containers/create" + query, config)


def check_life(report, client):
  """create with a constraint, start with HostConfig, ps, inspect, logs, wait, rm."""
  config = {"Hostname": "", "AttachStdout": True, "AttachStderr": True, "Tty": False, "Image": "busybox",
            "Env": ["constraint:storage=ssd", "constraint:zone=external", "A=1"], "Cmd":
            ["sh", "-c", "echo out $A; echo err >&2; exit 3"], "Memory": 67108864,
            "CpuShares": 0, "Entrypoint": None, "NetworkDisabled": False}
  answer = create(client, "old_one", config)
  report.check("create: 201 with the id", answer.status == 201 and re.fullmatch(r"[0-9a-f]{64}", answer.json()["Id"]),
               answer)
  identity = answer.json()["Id"]
  answer = client.call("POST", "/containers/%s/start" % identity, {"Binds": None, "PortBindings": {}, "Links": None})
  report.check("start with a body: 204", answer.status == 204, answer)
  answer = client.call("POST", "/containers/%s/wait" % identity)
  report.check("wait: the exit code", answer.status == 200 and answer.json()["StatusCode"] == 3, answer)
  answer = client.call("GET", "/containers/%s/logs?stdout=1&stderr=1&follow=0&tail=all&timestamps=0" % identity)
  streams = frames(answer.body)
  report.equal("logs: standard output", streams[1], b"out 1\n")
  report.equal("logs: standard error", streams[2], b"err\n")
  answer = client.call("GET", "/containers/%s/json" % identity)
  found = answer.json()
  report.check("inspect: state, node and memory", found["State"]["ExitCode"] == 3 and found["Name"] == "/old_one" and
               found["Node"]["Name"] in ("dockerhost02", "dockerhost03") and
               found["HostConfig"]["Memory"] == 67108864, answer)
  report.check("inspect: the expressions are not in the environment",
               "A=1" in found["Config"]["Env"] and "constraint" not in str(found["Config"]["Env"]), found["Config"])
  listed = [item for item in client.call("GET", "/containers/json?all=1").json() if item["Id"] == identity]
  report.check("ps -a: it is listed once, with its node in a name", len(listed) == 1 and
               re.fullmatch(r"/dockerhost0[23]/old_one", [name for name in listed[0]["Names"] if name.count("/") == 2][0]),
               listed)
  by_node_name = "%s/old_one" % found["Node"]["Name"]
  report.check("inspect by node/name", client.call("GET", "/containers/%s/json" % by_node_name).status == 200)
  answer = client.call("DELETE", "/containers/old_one?v=0&link=0&force=0")
  report.check("rm: 204", answer.status == 204, answer)
  answer = client.call("GET", "/containers/old_one/json")
  report.check("inspect after rm: 404", answer.status == 404, answer)


def check_attach(report, client):
  """attach as client 1.4: no Upgrade header, 200, and the stream until it ends."""
  identity = create(client, "old_attach", {"Image": "busybox", "AttachStdin": True, "AttachStdout": True,
                                           "AttachStderr": True, "OpenStdin": True, "StdinOnce": True,
                                           "Cmd": ["sh", "-c", "cat; echo end >&2"]}).json()["Id"]
  with client.connect("POST", "/containers/%s/attach?stdin=1&stdout=1&stderr=1&stream=1" % identity) as stream:
    head = b""
    while b"\r\n\r\n" not in head:
      head += stream.recv(1)
    report.check("attach: 200 or 101, then the raw stream", re.match(rb"HTTP/1.1 (200|101) ", head), head)
    client.call("POST", "/containers/%s/start" % identity)
    stream.sendall(b"typed\n")
    stream.shutdown(socket.SHUT_WR)
    data = b""
    while True:
      piece = stream.recv(65536)
      if not piece:
        break
      data += piece
  report.equal("attach: input goes in, both outputs come out, and it ends", frames(data),
               {1: b"typed\n", 2: b"end\n"})
  client.call("DELETE", "/containers/%s?force=1" % identity)


def check_ports(report, client):
  """Port bindings at create (HostConfig inside the body, since API 1.15)."""
  config = {"Image": "nginx", "ExposedPorts": {"80/tcp": {}}, "Env": ["constraint:zone==internal"],
            "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8085"}]}}}
  identity = create(client, "old_web", config).json()["Id"]
  client.call("POST", "/containers/%s/start" % identity)
  rows = [item for item in client.call("GET", "/containers/json").json() if item["Id"] == identity]
  report.check("ps: the published port at the node's address",
               any(port.get("PublicPort") == 8085 and re.fullmatch(r"10\.[\d.]+\.201", port["IP"])
                   for port in rows[0]["Ports"]), rows)
  answer = create(client, "old_web2", config)
  report.check("a taken port: 500 in text/plain, with the node and its reason", answer.status == 500 and
               answer.headers["content-type"].startswith("text/plain") and "8085" in answer.text and
               "dockerhost01" in answer.text, (answer, answer.headers))
  client.call("DELETE", "/containers/%s?force=1" % identity)


def check_errors(report, client):
  for what, method, path, body, status, text in (
      ("inspect of nothing", "GET", "/containers/nosuch/json", None, 404, "(?i)no such container"),
      ("start of nothing", "POST", "/containers/nosuch/start", None, 404, "(?i)no such container"),
      ("rm of nothing", "DELETE", "/containers/nosuch", None, 404, "(?i)no such container"),
      ("logs of nothing", "GET", "/containers/nosuch/logs?stdout=1", None, 404, "(?i)no such container"),
      ("no node fits", "POST", "/containers/create", {"Image": "busybox", "Env": ["constraint:zone==nowhere"]}, 500,
       "zone==nowhere"),
      ("a bad expression", "POST", "/containers/create", {"Image": "busybox", "Env": ["constraint:zone"]}, 400, "zone"),
      ("no such image", "POST", "/containers/create", {"Image": "nosuch:1", "Cmd": ["true"]}, 404,
       "(?i)no such image"),
      ("an unknown path", "GET", "/nosuch", None, 404, "not found")):
    answer = client.call(method, path, body)
    report.check("%s: %d in text/plain" % (what, status), answer.status == status and
                 re.search(text, answer.text) and answer.headers.get("content-type", "").startswith("text/plain") and
                 not answer.text.startswith("{"), (answer, answer.headers))
  with client.connect("POST", "/containers/create", None) as stream:
    status = harness.http_reply(stream).status
  report.check("create without a body: 400", status == 400, status)


def run(options, report):
  program = harness.swarmd_program(options)
  with harness.Hosts() as hosts, harness.Swarmd(program, hosts) as swarmd:
    swarmd.wait_healthy()
    client = OldClient(swarmd.api())
    check_facts(report, client)
    check_life(report, client)
    check_attach(report, client)
    check_ports(report, client)
    check_errors(report, client)


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS)
