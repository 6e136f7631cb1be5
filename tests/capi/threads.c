// Eight threads that call one manager in every way at once. 500 calls each; in the long form
// (SWARM_LONG=1) 10,000.
#include <pthread.h>

#include "check.h"
#include "swarmlib/swarm_extend.h"

enum { kThreads = 8 };

typedef struct worker {
  pthread_t thread;
  swarm_manager* manager;
  int number;
  int calls;
} worker;

static const char kBody[] = "{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"1000\"]}";

static swarm_code any_node(void* user_data, const swarm_node_view* view, int* holds,
                           swarm_failure* failure) {
  (void)user_data;
  (void)failure;
  *holds = swarm_node_view_container_count(view) < 100000;
  return SWARM_OK;
}

static swarm_code any_rules(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                            swarm_failure* failure) {
  (void)user_data;
  (void)failure;
  if (strlen(swarm_spec_image(spec)) == 0) return SWARM_INVALID_ARGUMENT;
  return swarm_rules_add_predicate(rules, "any", 0, any_node, NULL, NULL, NULL);
}

static void make_and_remove(swarm_manager* manager, int number, int turn) {
  swarm_error* error = NULL;
  char name[32];
  char* id = NULL;
  char* json = NULL;
  snprintf(name, sizeof name, "t%d-%d", number, turn);
  CHECK_OK(
      swarm_container_create(manager, kBody, strlen(kBody), name, NULL, PATIENCE, &id, &error));
  CHECK_OK(swarm_container_start(manager, name, PATIENCE, &error));
  CHECK_OK(swarm_container_inspect(manager, id, PATIENCE, &json, &error));
  CHECK(strstr(json, name) != NULL);
  CHECK_OK(swarm_container_remove(manager, id, 1, 1, PATIENCE, &error));
  swarm_string_free(json);
  swarm_string_free(id);
}

static void look(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_nodes* nodes = NULL;
  swarm_explanation* explanation = NULL;
  char* json = NULL;
  CHECK_OK(swarm_manager_nodes(manager, &nodes, &error));
  CHECK(swarm_nodes_count(nodes) == 4);
  swarm_nodes_free(nodes);
  CHECK_OK(swarm_manager_plan(manager, kBody, strlen(kBody), NULL, NULL, &explanation, &error));
  CHECK(swarm_explanation_fits(explanation));
  swarm_explanation_free(explanation);
  CHECK_OK(swarm_container_list(manager, 1, NULL, PATIENCE, &json, &error));
  swarm_string_free(json);
}

static void* await_head(void* user_data) {
  swarm_error* error = NULL;
  CHECK_OK(swarm_exchange_wait_head(user_data, PATIENCE, &error));
  return (void*)swarm_exchange_header(user_data, "Content-Type");
}

// The thread that reads and the one that writes may both want the head first.
static void await_head_twice(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_request request = SWARM_REQUEST_INIT;
  swarm_exchange* exchange = NULL;
  pthread_t other;
  void* found = NULL;
  request.target = "/info";
  CHECK_OK(swarm_manager_begin(manager, &request, &exchange, &error));
  CHECK(pthread_create(&other, NULL, await_head, exchange) == 0);
  const void* const own = await_head(exchange);
  CHECK(pthread_join(other, &found) == 0);
  CHECK(own != NULL && own == found);
  CHECK(own == swarm_exchange_header(exchange, "Content-Type"));
  swarm_exchange_free(exchange);
}

static void stream(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_request request = SWARM_REQUEST_INIT;
  swarm_exchange* exchange = NULL;
  char bytes[64];
  size_t got = 1;
  request.target = "/info";
  CHECK_OK(swarm_manager_begin(manager, &request, &exchange, &error));
  while (got > 0)
    CHECK_OK(swarm_exchange_read(exchange, bytes, sizeof bytes, PATIENCE, &got, &error));
  swarm_exchange_free(exchange);
  // And one that is given up at once.
  request.target = "/events";
  CHECK_OK(swarm_manager_begin(manager, &request, &exchange, &error));
  swarm_exchange_free(exchange);
  CHECK_FAILS(SWARM_NOT_FOUND, "nosuch",
              swarm_container_start(manager, "nosuch", PATIENCE, &error));
}

static void* work(void* user_data) {
  worker* const self = user_data;
  int turn = 0;
  for (int calls = 0; calls < self->calls; ++turn) {
    switch ((turn + self->number) % 3) {
      case 0:
        make_and_remove(self->manager, self->number, turn);
        calls += 4;
        break;
      case 1:
        look(self->manager);
        calls += 3;
        break;
      default:
        stream(self->manager);
        await_head_twice(self->manager);
        calls += 4;
        break;
    }
  }
  return NULL;
}

int main(void) {
  swarm_filter filter = SWARM_FILTER_INIT;
  const swarm_filter* filters[] = {&filter};
  filter.name = "any";
  filter.rules = any_rules;
  swarm_options options = simulated("sim://4");
  options.threads = 2;
  options.own_filters = filters;
  options.own_filter_count = 1;
  swarm_manager* const manager = open_ready(&options);
  worker workers[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    workers[i].manager = manager;
    workers[i].number = i;
    workers[i].calls = is_long() ? 10000 : 500;
    CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
  for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(workers[i].thread, NULL) == 0);
  swarm_manager_free(manager);
  return 0;
}
