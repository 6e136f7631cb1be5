#include <stdio.h>  // clang-format off
#include <string.h>
#include <swarmlib/swarm.h>
int main(void) { swarm_manager* manager; char *id, *json;
  swarm_options options = SWARM_OPTIONS_INIT; options.discovery = "sim://3"; options.simulation = 1;
  if (swarm_manager_open(&options, &manager, NULL)) return 1;
  if (swarm_container_create(manager, "{\"Image\":\"busybox\"}", 19, "web", NULL, 30000, &id, NULL)) return 1;
  if (swarm_container_inspect(manager, id, 30000, &json, NULL)) return 1;
  printf("%.8s\n", strstr(strstr(json, "\"Node\":"), "\"Name\":") + 8);
  swarm_string_free(id); swarm_string_free(json); swarm_manager_free(manager); }
