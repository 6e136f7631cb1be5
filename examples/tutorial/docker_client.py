"""docker-py on a manager of this process: no socket, and here no Docker either."""

import pyswarm
import pyswarm.docker_adapter

with pyswarm.Manager("sim://3") as manager:
  manager.wait_ready()
  client = pyswarm.docker_adapter.client(manager)
  print(client.containers.run("busybox", ["echo", "hello"], remove=True))
  client.close()
