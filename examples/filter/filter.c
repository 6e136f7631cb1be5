/* A filter of one's own: a container with the labels "tier" and "most-per-node" goes only to nodes
   that hold fewer than that many containers of its tier. And a strategy: of the nodes that are left
   the fullest is taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarmlib/swarm_extend.h"

typedef struct limit {
  char* tier;
  long most;
} limit;

static void forget_limit(void* user_data) {
  limit* asked = user_data;
  free(asked->tier);
  free(asked);
}

static swarm_code has_room(void* user_data, const swarm_node_view* view, int* holds,
                           swarm_failure* failure) {
  const limit* asked = user_data;
  long found = 0;
  size_t i;
  (void)failure;
  for (i = 0; i < swarm_node_view_container_count(view); ++i) {
    const char* tier = swarm_container_label(swarm_node_view_container(view, i), "tier");
    if (tier != NULL && strcmp(tier, asked->tier) == 0) ++found;
  }
  *holds = found < asked->most;
  return SWARM_OK;
}

static swarm_code tier_limit(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                             swarm_failure* failure) {
  const char* tier = swarm_spec_label(spec, "tier");
  const char* most = swarm_spec_label(spec, "most-per-node");
  char text[128];
  char* end;
  limit* asked;
  swarm_code code;
  (void)user_data;
  if (tier == NULL || most == NULL) return SWARM_OK;
  asked = calloc(1, sizeof *asked);
  if (asked == NULL) return SWARM_RESOURCE_EXHAUSTED;
  asked->most = strtol(most, &end, 10);
  if (*most == '\0' || *end != '\0' || asked->most < 1) {
    snprintf(text, sizeof text, "most-per-node=%s: a number above 0 is wanted", most);
    swarm_failure_message(failure, text);
    free(asked);
    return SWARM_INVALID_ARGUMENT;
  }
  asked->tier = malloc(strlen(tier) + 1);
  if (asked->tier == NULL) {
    free(asked);
    return SWARM_RESOURCE_EXHAUSTED;
  }
  strcpy(asked->tier, tier);
  snprintf(text, sizeof text, "fewer than %s of tier %s", most, tier);
  code = swarm_rules_add_predicate(rules, text, 0, has_room, asked, forget_limit, NULL);
  if (code != SWARM_OK) forget_limit(asked);
  return code;
}

static swarm_code fullest(void* user_data, const swarm_node_usage* usage, int* fits, int64_t* rank,
                          swarm_failure* failure) {
  (void)user_data;
  (void)failure;
  *fits = usage->reserved_memory + usage->asked_memory <= usage->total_memory;
  *rank = -usage->containers; /* the lowest is taken */
  return SWARM_OK;
}

static void create(swarm_manager* manager, const char* most) {
  char body[128];
  swarm_explanation* plan;
  swarm_error* error;
  char* id;
  const char* reason;
  size_t i;
  snprintf(body, sizeof body,
           "{\"Image\": \"nginx\", \"Labels\": {\"tier\": \"web\", \"most-per-node\": \"%s\"}}",
           most);
  if (swarm_manager_plan(manager, body, strlen(body), NULL, NULL, &plan, &error) != SWARM_OK) {
    printf("%d: %s\n", swarm_error_http_status(error), swarm_error_message(error));
    swarm_error_free(error);
    return;
  }
  if (swarm_container_create(manager, body, strlen(body), NULL, NULL, 30000, &id, &error) ==
      SWARM_OK) {
    printf("201: on %s\n", swarm_explanation_node(plan));
    swarm_string_free(id);
  } else {
    printf("%d: nowhere\n", swarm_error_http_status(error));
    swarm_error_free(error);
    for (i = 0; i < swarm_explanation_refused_count(plan); ++i) {
      const char* node = swarm_explanation_refused(plan, i, &reason);
      printf("  not %s: %s\n", node, reason);
    }
  }
  swarm_explanation_free(plan);
}

int main(void) {
  swarm_filter filter = SWARM_FILTER_INIT;
  swarm_strategy strategy = SWARM_STRATEGY_INIT;
  const swarm_filter* filters[1];
  const swarm_strategy* strategies[1];
  swarm_options options = SWARM_OPTIONS_INIT;
  swarm_manager* manager;
  int i;
  filter.name = "tierlimit";
  filter.rules = tier_limit;
  filters[0] = &filter;
  strategy.name = "fullest";
  strategy.rank = fullest;
  strategies[0] = &strategy;
  options.discovery = "sim://2";
  options.simulation = 1;
  options.strategy = "fullest";
  options.own_filters = filters;
  options.own_filter_count = 1;
  options.own_strategies = strategies;
  options.own_strategy_count = 1;
  if (swarm_manager_open(&options, &manager, NULL) != SWARM_OK) return 1;
  if (swarm_manager_wait_ready(manager, 30000, NULL) == SWARM_OK) {
    for (i = 0; i < 5; ++i) create(manager, "2");
    create(manager, "many");
  }
  swarm_manager_free(manager);
  return 0;
}
