"""Steps of docker-py: containers from their making to their end."""

import io
import os
import tarfile
import threading
import time

import docker.errors

from base import HERE, FILTER, SLEEP, READ_SECONDS, check, equal, refused, old, sleeper, archive, raw


def run(client):
  equal(client.containers.run("busybox", ["echo", "hello"], remove=True), b"hello\n")
  both = client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"], stderr=True, remove=True, labels=HERE)
  equal(sorted(both.split()), [b"err", b"out"])
  equal(list(client.containers.run("busybox", ["sh", "-c", "echo one; echo two"], stream=True, remove=True)),
        [b"one\n", b"two\n"])
  equal(client.containers.run("busybox", ["sh", "-c", "echo $COLOUR; pwd; id -u"], environment={"COLOUR": "blue"},
                              working_dir="/tmp", user="nobody", remove=True).split()[:2], [b"blue", b"/tmp"])
  equal(client.containers.list(all=True, filters=FILTER), [])


def run_fails(client):
  try:
    client.containers.run("busybox", ["sh", "-c", "echo wrong >&2; exit 3"], remove=True)
  except docker.errors.ContainerError as error:
    equal(error.exit_status, 3)
    check(b"wrong" in error.stderr, error.stderr)
  else:
    check(False, "no error")
  refused(docker.errors.APIError, client.containers.run, "busybox", ["nosuch-program"], name="dp_failed", remove=True,
          text="nosuch-program")
  client.containers.get("dp_failed").remove()  # the library removes only what has started
  refused(docker.errors.NotFound, client.containers.get, "dp_nosuch", status=404, text="No such container")


def run_detached(client):
  container = client.containers.run(
      "busybox", SLEEP, detach=True, name="dp_all", labels=dict(HERE, role="first"), environment=["A=1", "B=two words"],
      hostname="pyhost", mem_limit="64m", ports={"80/tcp": None, "81/udp": 5381}, tmpfs={"/scratch": "size=1m"},
      restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}, cap_drop=["NET_RAW"], init=True,
      volumes={"dp_data": {"bind": "/data", "mode": "rw"}}, healthcheck={"test": ["CMD", "true"], "interval": 500000000})
  try:
    equal(client.containers.get("dp_all").id, container.id)
    equal(client.containers.get(container.short_id).id, container.id)
    container.reload()
    found = container.attrs
    equal((container.status, container.name, container.labels["role"]), ("running", "dp_all", "first"))
    equal(found["Name"], "/dp_all")
    equal(found["Config"]["Hostname"], "pyhost")
    check({"A=1", "B=two words"} <= set(found["Config"]["Env"]), found["Config"]["Env"])
    host = found["HostConfig"]
    equal((host["Memory"], host["RestartPolicy"]["MaximumRetryCount"], host["CapDrop"], host["Init"], host["Binds"]),
          (64 << 20, 2, ["NET_RAW"], True, ["dp_data:/data:rw"]))
    equal([(mount["Type"], mount["Name"], mount["Destination"]) for mount in found["Mounts"]],
          [("volume", "dp_data", "/data")])
    equal(container.ports["81/udp"][0]["HostPort"], "5381")
    check(int(container.ports["80/tcp"][0]["HostPort"]) > 0, container.ports)
    check("busybox:latest" in container.image.tags, container.image.tags)
    deadline = time.monotonic() + READ_SECONDS
    while container.attrs["State"]["Health"]["Status"] != "healthy":
      check(time.monotonic() < deadline, container.attrs["State"])
      time.sleep(0.1)
      container.reload()
    listed = client.api.containers(filters={"health": "healthy", "label": "here=docker-py"})
    equal([row["Id"] for row in listed], [container.id])
    check("(healthy)" in listed[0]["Status"], listed)
  finally:
    container.remove(force=True, v=True)
  refused(docker.errors.NotFound, container.reload, status=404)
  client.volumes.get("dp_data").remove()


def lists(client):
  first = sleeper(client, "dp_one")
  second = sleeper(client, "dp_two")
  third = client.containers.create("busybox", SLEEP, name="dp_three", labels=HERE)

  def names(**named):
    filters = dict(FILTER, **named.pop("filters", {}))
    return [found.name for found in client.containers.list(filters=filters, **named)]

  equal(names(), ["dp_two", "dp_one"])
  equal(names(all=True), ["dp_three", "dp_two", "dp_one"])
  equal(names(all=True, filters={"status": "created"}), ["dp_three"])
  equal(names(filters={"name": "^/?dp_o"}), ["dp_one"])
  equal(names(all=True, filters={"id": third.id}), ["dp_three"])
  equal(names(all=True, filters={"ancestor": "busybox"}), ["dp_three", "dp_two", "dp_one"])
  equal([row["Names"][0] for row in client.api.containers(limit=1, filters=FILTER)], ["/dp_three"])
  equal([row["Names"][0] for row in client.api.containers(latest=True, filters=FILTER)], ["/dp_three"])
  equal(names(all=True, filters={"since": "dp_one"}), ["dp_three", "dp_two"])
  equal(names(all=True, filters={"before": "dp_two"}), ["dp_one"])
  equal([row["Id"] for row in client.api.containers(quiet=True, filters=FILTER)], [second.id, first.id])
  row = client.api.containers(size=True, filters={"id": first.id})[0]
  equal((row["State"], row["Image"], row["Command"], "SizeRootFs" in row), ("running", "busybox", "sleep 600", True))
  refused(docker.errors.APIError, client.containers.create, "busybox", name="dp_one", status=409,
          text="is already in use by container")
  for container in (first, second, third):
    container.remove(force=True)


def copies(client):
  container = sleeper(client, "dp_copy")
  big = os.urandom(3 << 20)
  check(container.put_archive("/tmp", archive("big", big)), "not put")
  pieces, stat = container.get_archive("/tmp/big")
  equal((stat["name"], stat["size"]), ("big", len(big)))
  with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
    check(tar.extractfile("big").read() == big, "not the same bytes")
  refused(docker.errors.NotFound, container.get_archive, "/nosuch", status=404, text="/nosuch")
  refused(docker.errors.NotFound, container.put_archive, "/nosuch", archive("a", b""), status=404, text="/nosuch")
  check({"Path": "/tmp/big", "Kind": 1} in container.diff(), container.diff())
  with tarfile.open(fileobj=io.BytesIO(b"".join(container.export()))) as tar:
    check("tmp/big" in tar.getnames(), "not exported")
  container.remove(force=True)


def life(client):
  container = client.containers.create("busybox", SLEEP, name="dp_life", labels=HERE)
  container.start()
  check("sleep 600" in str(container.top()["Processes"]), container.top())
  container.pause()
  container.reload()
  equal(container.status, "paused")
  container.unpause()
  container.rename("dp_renamed")
  equal(client.containers.get("dp_renamed").id, container.id)
  container.update(mem_limit="80m", memswap_limit="80m")
  container.reload()
  equal(container.attrs["HostConfig"]["Memory"], 80 << 20)
  container.restart(timeout=0)
  container.kill("KILL")
  equal(container.wait()["StatusCode"], 137)
  container.start()
  container.stop(timeout=0)
  container.reload()
  equal(container.status, "exited")
  refused(docker.errors.APIError, container.exec_run, ["true"], status=409, text="is not running")
  container.remove()
  if old(client):
    return
  gone = client.containers.run("busybox", ["sh", "-c", "read x; exit 5"], detach=True, auto_remove=True, stdin_open=True)
  done = []
  waiter = threading.Thread(target=lambda: done.append(gone.wait(condition="removed")))
  waiter.start()
  stream = raw(gone.attach_socket(params={"stdin": 1, "stream": 1}))
  stream.sendall(b"\n")
  waiter.join(READ_SECONDS)
  equal([answer["StatusCode"] for answer in done], [5])
  stream.close()
