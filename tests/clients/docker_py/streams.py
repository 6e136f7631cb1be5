"""Steps of docker-py: exec, attach, logs, stats and events."""

import socket
import threading
import time

import docker.errors

from base import HERE, FILTER, READ_SECONDS, check, equal, refused, old, sleeper, raw, read_all, frames


def executes(client):
  container = sleeper(client, "dp_exec")
  result = container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True)
  equal((result.exit_code, result.output), (4, (b"out\n", b"err\n")))
  equal(container.exec_run(["id", "-un"], user="nobody").output, b"nobody\n")
  if not old(client):
    done = container.exec_run(["sh", "-c", "echo $E; pwd"], environment={"E": "5"}, workdir="/tmp")
    equal(done.output, b"5\n/tmp\n")
  equal(list(container.exec_run(["sh", "-c", "echo 1; sleep 0.2; echo 2"], stream=True).output), [b"1\n", b"2\n"])
  check(not container.exec_run(["true"], detach=True).output, "a detached exec writes")
  result = container.exec_run(["sh", "-c", "read word; echo got $word; cat; echo end"], stdin=True, socket=True)
  stream = raw(result.output)
  stream.sendall(b"first\nsecond\n")
  stream.shutdown(socket.SHUT_WR)
  equal(frames(read_all(stream))[1], b"got first\nsecond\nend\n")
  result.output.close()
  made = client.api.exec_create(container.id, ["sh", "-c", "stty size; read word; stty size"], tty=True, stdin=True)
  result = client.api.exec_start(made["Id"], tty=True, socket=True)
  stream = raw(result)
  stream.recv(1)
  client.api.exec_resize(made["Id"], height=33, width=77)
  stream.sendall(b"go\n")
  check(b"33 77" in read_all(stream), "no new size")
  result.close()
  found = client.api.exec_inspect(made["Id"])
  equal((found["ExitCode"], found["Running"], found["ContainerID"]), (0, False, container.id))
  refused(docker.errors.NotFound, client.api.exec_create, "dp_nosuch", ["true"], status=404)
  container.remove(force=True)


def attaches(client):
  made = client.api.create_container("busybox", ["sh", "-c", "cat; echo late >&2"], stdin_open=True, labels=HERE)
  wrapper = client.api.attach_socket(made["Id"], params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
  client.api.start(made["Id"])
  stream = raw(wrapper)
  stream.sendall(b"typed\n")
  stream.shutdown(socket.SHUT_WR)
  deadline, data = time.monotonic() + READ_SECONDS, b""
  while b"typed\n" not in data and time.monotonic() < deadline:
    data += stream.recv(65536)
  check(b"typed\n" in data, data)
  wrapper.close()
  client.api.remove_container(made["Id"], force=True)
  container = client.containers.run("busybox", ["sh", "-c", "read word; echo $word"], stdin_open=True, detach=True,
                                    labels=HERE)
  output = container.attach(stream=True, logs=True)
  stream = raw(container.attach_socket(params={"stdin": 1, "stream": 1}))
  stream.sendall(b"word\n")
  equal(b"".join(output), b"word\n")
  stream.close()
  container.remove(force=True)


def logs(client):
  container = client.containers.run("busybox", ["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done; echo e >&2"],
                                    detach=True, labels=HERE)
  equal(b"".join(container.logs(stream=True, follow=True)), b"1\n2\n3\ne\n")
  equal(sorted(container.logs(tail=4).split()), [b"1", b"2", b"3", b"e"])
  equal(container.logs(stderr=False), b"1\n2\n3\n")
  equal(container.logs(stdout=False), b"e\n")
  check(container.logs(timestamps=True, tail=1).split(b" ")[0].startswith(b"20"), container.logs(timestamps=True))
  equal(container.logs(since=int(time.time()) + 100), b"")
  equal(container.wait()["StatusCode"], 0)
  container.remove()


def stats(client):
  container = sleeper(client, "dp_stats")
  found = container.stats(stream=False)
  check(found["memory_stats"]["usage"] > 0 and found["cpu_stats"]["cpu_usage"]["total_usage"] > 0 and
        found["precpu_stats"] is not None, found)
  stream = container.stats(decode=True)
  equal([next(stream)["read"] != "" for _ in range(2)], [True, True])
  stream.close()
  container.remove(force=True)


def events(client):
  begin = int(time.time())
  live = client.events(decode=True, filters=FILTER)
  seen = []

  def read():
    for event in live:
      seen.append(event)
      # Of a cluster, what an engine tells late of the step before may come first.
      if event["Action"] == "destroy" and event["Actor"]["Attributes"]["name"] == "dp_event":
        return

  reader = threading.Thread(target=read, daemon=True)
  reader.start()
  # A client cannot tell when its stream begins: containers come until one was seen.
  deadline = time.monotonic() + READ_SECONDS
  while reader.is_alive() and time.monotonic() < deadline:
    client.containers.run("busybox", ["true"], remove=True, labels=HERE, name="dp_event")
    reader.join(0.5)
  live.close()
  check(not reader.is_alive(), "nothing was heard")
  last = seen[-1]
  equal((last["Type"], last["Actor"]["Attributes"]["name"], last["Actor"]["Attributes"]["here"], last["status"],
         last["from"].split(" ")[0]), ("container", "dp_event", "docker-py", "destroy", "busybox"))
  check(last["id"] == last["Actor"]["ID"] and last["timeNano"] > last["time"] * 10**9 - 1, last)
  end = int(time.time()) + 1
  while time.time() < end:
    time.sleep(0.05)
  past = list(client.events(decode=True, since=begin, until=end, filters=dict(FILTER, container="dp_event")))
  actions = [event["Action"] for event in past]
  equal(actions[:2] + actions[-2:], ["create", "attach" if "attach" in actions[:2] else "start", "die", "destroy"])
  check([event["timeNano"] for event in past] == sorted(event["timeNano"] for event in past), past)
  equal(list(client.events(decode=True, since=begin, until=end, filters={"event": "nosuch"})), [])
