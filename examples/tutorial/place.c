/* Places a container: place [DISCOVERY]. Without an argument on three simulated engines. */
#include <stdio.h>
#include <string.h>

#include "swarmlib/swarm.h"

static const char kWeb[] =
    "{\"Image\": \"nginx\", \"Env\": [\"constraint:zone==external\"],"
    " \"HostConfig\": {\"Memory\": 67108864}}";
static const char kNowhere[] = "{\"Image\": \"nginx\", \"Env\": [\"constraint:zone==moon\"]}";

static swarm_code place(swarm_manager* manager, swarm_error** error) {
  swarm_nodes* nodes;
  swarm_explanation* plan;
  char* id;
  size_t i;
  const char* reason;
  swarm_code code = swarm_manager_wait_ready(manager, 30000, error);
  if (code == SWARM_OK) code = swarm_manager_nodes(manager, &nodes, error);
  if (code != SWARM_OK) return code;
  for (i = 0; i < swarm_nodes_count(nodes); ++i)
    printf("%s is %s\n", swarm_node_name(swarm_nodes_at(nodes, i)),
           swarm_node_state(swarm_nodes_at(nodes, i)));
  swarm_nodes_free(nodes);

  code = swarm_manager_plan(manager, kWeb, strlen(kWeb), "web", NULL, &plan, error);
  if (code != SWARM_OK) return code;
  if (swarm_explanation_fits(plan)) printf("web goes to %s\n", swarm_explanation_node(plan));
  swarm_explanation_free(plan);
  code = swarm_container_create(manager, kWeb, strlen(kWeb), "web", NULL, 30000, &id, error);
  if (code != SWARM_OK) return code;
  code = swarm_container_start(manager, id, 30000, error);
  swarm_string_free(id);
  if (code != SWARM_OK) return code;
  printf("web was started\n");

  code = swarm_manager_plan(manager, kNowhere, strlen(kNowhere), NULL, NULL, &plan, error);
  if (code != SWARM_OK) return code;
  printf("%s\n", swarm_explanation_summary(plan));
  for (i = 0; i < swarm_explanation_refused_count(plan); ++i) {
    const char* node = swarm_explanation_refused(plan, i, &reason);
    printf("not %s: %s\n", node, reason);
  }
  swarm_explanation_free(plan);
  return SWARM_OK;
}

int main(int argc, char** argv) {
  swarm_options options = SWARM_OPTIONS_INIT;
  swarm_manager* manager = NULL;
  swarm_error* error = NULL;
  swarm_code code;
  options.discovery = argc > 1 ? argv[1] : "sim://3";
  options.simulation = 1;
  code = swarm_manager_open(&options, &manager, &error);
  if (code == SWARM_OK) code = place(manager, &error);
  if (code != SWARM_OK) fprintf(stderr, "place: %s\n", swarm_error_message(error));
  swarm_error_free(error);
  swarm_manager_free(manager);
  return code == SWARM_OK ? 0 : 1;
}
