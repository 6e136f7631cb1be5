"""Steps of docker-py: facts, images, networks, volumes and prune."""

import docker.errors
import docker.types

from base import HERE, FILTER, check, equal, refused, old, sleeper


def versions(client):
  check(client.ping(), "no ping")
  found = client.version()
  check(found["ApiVersion"] and found["Os"] == "linux", found)
  info = client.info()
  check(info["NCPU"] > 0 and info["MemTotal"] > 0 and info["Swarm"]["LocalNodeState"] == "inactive", info)
  for name in ("ID", "Name", "ServerVersion", "OSType", "Architecture", "Containers", "Images", "Plugins"):
    check(info.get(name) not in (None, ""), (name, info.get(name)))


def images(client):
  image = client.images.get("busybox")
  check("busybox:latest" in image.tags and image.id.startswith("sha256:"), image.attrs)
  check(image.attrs["Os"] == "linux" and image.history(), image.attrs)
  check(image.tag("dp/image", "one"), "not tagged")
  listed = client.images.list(name="dp/image")
  equal([(found.id, "dp/image:one" in found.tags) for found in listed], [(image.id, True)])
  check(client.images.list(filters={"reference": "dp/*"}), "no reference")
  data = b"".join(client.images.get("dp/image:one").save(named="dp/image:one"))
  client.images.remove("dp/image:one")
  refused(docker.errors.ImageNotFound, client.images.get, "dp/image:one", status=404)
  loaded = client.images.load(data)
  check("dp/image:one" in loaded[0].tags, loaded)
  client.images.remove("dp/image:one", noprune=True)
  container = sleeper(client, "dp_commit")
  container.exec_run(["touch", "/committed"])
  made = container.commit("dp/committed", "1", message="why", changes="LABEL here=docker-py")
  equal(client.containers.run("dp/committed:1", ["ls", "/committed"], remove=True), b"/committed\n")
  equal(made.labels["here"], "docker-py")
  container.remove(force=True)
  client.images.remove("dp/committed:1", force=True)
  refused(docker.errors.ImageNotFound, client.images.remove, "dp/nosuch", status=404)
  refused(docker.errors.ImageNotFound, client.containers.create, "dp/nosuch", status=404)


def networks(client):
  network = client.networks.create("dp_net", driver="bridge", labels=HERE, check_duplicate=True,
                                   ipam=docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(
                                       subnet="172.30.99.0/24", gateway="172.30.99.1")]))
  equal(client.networks.get("dp_net").id, network.id)
  equal([found.id for found in client.networks.list(names=["dp_net"])], [network.id])
  equal([found.id for found in client.networks.list(ids=[network.id])], [network.id])
  equal([found.id for found in client.networks.list(filters=FILTER, greedy=True)], [network.id])
  network.reload()
  equal((network.name, network.attrs["Driver"], network.attrs["Scope"], network.attrs["IPAM"]["Config"][0]["Subnet"]),
        ("dp_net", "bridge", "local", "172.30.99.0/24"))
  refused(docker.errors.APIError, client.networks.create, "dp_net", check_duplicate=True, status=409, text="dp_net")
  server = sleeper(client, "dp_server", network="dp_net")
  other = client.containers.create("busybox", ["ping", "-c", "1", "-W", "5", "alias"], labels=HERE, network="dp_net")
  network.disconnect(server)
  network.connect(server, aliases=["alias"], ipv4_address="172.30.99.9")
  network.disconnect(other)
  network.connect(other)
  server.reload()
  found = server.attrs["NetworkSettings"]["Networks"]["dp_net"]
  check(found["IPAddress"] == "172.30.99.9" and "alias" in found["Aliases"], found)
  equal(found["NetworkID"], client.networks.get(network.id).id)
  network.reload()
  equal([member.id for member in network.containers], [server.id])
  other.start()
  equal((other.wait()["StatusCode"], b"172.30.99.9" in other.logs()), (0, True))
  other.remove()
  refused(docker.errors.APIError, network.remove, status=403, text="has active endpoints")
  server.remove(force=True)
  network.remove()
  refused(docker.errors.NotFound, client.networks.get, "dp_net", status=404)
  check({"bridge", "host", "none"} <= {found.name.split("/")[-1] for found in client.networks.list()}, "no bridge")


def volumes(client):
  volume = client.volumes.create("dp_volume", labels=HERE, driver="local")
  equal(client.volumes.get("dp_volume").attrs["Labels"], HERE)
  equal([found.name for found in client.volumes.list(filters=FILTER)], ["dp_volume"])
  equal([found.name for found in client.volumes.list(filters={"name": "dp_vol"})], ["dp_volume"])
  uses = {"volumes": ["dp_volume:/data"]} if old(client) else {"mounts": [docker.types.Mount("/data", "dp_volume")]}
  client.containers.run("busybox", ["sh", "-c", "echo kept >/data/file"], remove=True, **uses)
  equal(client.containers.run("busybox", ["cat", "/data/file"], volumes=["dp_volume:/data:ro"], remove=True), b"kept\n")
  container = sleeper(client, "dp_user", **uses)
  equal([row.name for row in client.containers.list(filters={"volume": "dp_volume"})], ["dp_user"])
  refused(docker.errors.APIError, volume.remove, status=409, text="volume is in use")
  container.remove(force=True)
  volume.remove()
  refused(docker.errors.NotFound, client.volumes.get, "dp_volume", status=404)


def prunes(client):
  ended = [client.containers.run("busybox", ["true"], labels=HERE, detach=True) for _ in range(2)]
  for container in ended:
    container.wait()
  pruned = client.containers.prune(filters=FILTER)
  equal(sorted(pruned["ContainersDeleted"]), sorted(container.id for container in ended))
  check(pruned["SpaceReclaimed"] >= 0, pruned)
  client.networks.create("dp_pruned", labels=HERE)
  equal(client.networks.prune(filters=FILTER)["NetworksDeleted"], ["dp_pruned"])
  client.volumes.create("dp_pruned", labels=HERE)
  found = client.volumes.prune(filters=FILTER)
  equal((found["VolumesDeleted"] or [], found["SpaceReclaimed"]), (["dp_pruned"], 0))
  equal(client.images.prune(filters={"label": "here=nobody"})["SpaceReclaimed"], 0)
  usage = client.df()
  check(usage["LayersSize"] > 0 and usage["Images"] and usage["Containers"] is not None, usage)
