import pyswarm

with pyswarm.Manager("sim://3") as manager:
  made = manager.create_container({"Image": "busybox"}, name="web")
  print(manager.inspect(made)["Node"]["Name"])
