// Own filters, strategies and discovery, and what becomes of callbacks that fail or throw.
#include <pthread.h>
#include <time.h>

#include "check.h"
#include "swarmlib/swarm_extend.h"

// throwing.cc
swarm_code throw_in_rules(void*, const swarm_spec*, swarm_rules*, swarm_failure*);
swarm_code throw_in_rank(void*, const swarm_node_usage*, int*, int64_t*, swarm_failure*);
swarm_code throw_in_predicate(void*, const swarm_node_view*, int*, swarm_failure*);
swarm_code throw_in_open(void*, const char*, swarm_discovery*, void**, swarm_failure*);
void throw_in_log(void*, swarm_log_level, const char*, const swarm_field*, size_t);
void throw_in_destroy(void*);

static const char kPlain[] = "{\"Image\":\"busybox\",\"Labels\":{\"tier\":\"web\"}}";

static swarm_explanation* plan(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_explanation* explanation = NULL;
  CHECK_OK(swarm_manager_plan(manager, kPlain, strlen(kPlain), "web", "", &explanation, &error));
  return explanation;
}

static void count(void* user_data) { ++*(int*)user_data; }

// ---- filters ----

static int bad_expression_was_refused = 0;

static swarm_code only_two(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                           swarm_failure* failure) {
  swarm_error* error = NULL;
  const char* const names[] = {"sim-0002", "sim-0003"};
  (void)user_data;
  (void)failure;
  CHECK_TEXT("web", swarm_spec_name(spec));
  CHECK_TEXT("busybox", swarm_spec_image(spec));
  CHECK_TEXT("web", swarm_spec_label(spec, "tier"));
  CHECK(swarm_spec_label(spec, "nosuch") == NULL);
  CHECK(strstr(swarm_spec_json(spec), "\"Labels\":{\"tier\":\"web\"}") != NULL);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "", swarm_rules_add_label(rules, "no expression", &error));
  bad_expression_was_refused = 1;
  CHECK_OK(swarm_rules_add_label(rules, "node!=sim-0002", &error));
  return swarm_rules_add_nodes(rules, "two of them", names, 2, 0, NULL);
}

static swarm_code sees_the_node(void* user_data, const swarm_node_view* view, int* holds,
                                swarm_failure* failure) {
  (void)failure;
  CHECK(swarm_node_view_container_count(view) == 1);
  const swarm_container* const held = swarm_node_view_container(view, 0);
  CHECK(strncmp(swarm_container_name(held), "held", 4) == 0);
  CHECK_TEXT("created", swarm_container_state(held));
  CHECK_TEXT("busybox", swarm_container_image(held));
  CHECK_TEXT("b", swarm_container_label(held, "a"));
  CHECK(strlen(swarm_container_id(held)) == 64);
  CHECK(swarm_node_view_container(view, 1) == NULL);
  CHECK(swarm_node_view_reserved_memory(view) == 1048576 * 64);
  CHECK(swarm_node_view_reserved_nano_cpus(view) == 0);
  CHECK(swarm_node_view_has_image(view, "busybox:latest"));
  CHECK(!swarm_node_view_has_image(view, "nosuch"));
  *holds = strcmp(swarm_node_name(swarm_node_view_node(view)), user_data) == 0;
  return SWARM_OK;
}

static swarm_code wanted_node(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                              swarm_failure* failure) {
  (void)failure;
  if (strcmp(swarm_spec_name(spec), "web") != 0) return SWARM_OK;
  return swarm_rules_add_predicate(rules, "the wanted node", 0, sees_the_node, user_data, NULL,
                                   NULL);
}

static void hold_one_each(swarm_manager* manager, int nodes) {
  static const char held[] =
      "{\"Image\":\"busybox\",\"Labels\":{\"a\":\"b\"},\"HostConfig\":{\"Memory\":67108864}}";
  swarm_error* error = NULL;
  for (int i = 0; i < nodes; ++i) {
    char name[16];
    char* id = NULL;
    snprintf(name, sizeof name, "held%d", i);
    CHECK_OK(
        swarm_container_create(manager, held, strlen(held), name, NULL, PATIENCE, &id, &error));
    swarm_string_free(id);
  }
}

static void filters_choose(void) {
  swarm_filter filter = SWARM_FILTER_INIT;
  const swarm_filter* filters[] = {&filter};
  swarm_options options = simulated("sim://4");
  options.own_filters = filters;
  options.own_filter_count = 1;
  filter.name = "only-two";
  filter.rules = only_two;
  swarm_manager* manager = open_ready(&options);
  swarm_explanation* explanation = plan(manager);
  CHECK(bad_expression_was_refused);
  CHECK_TEXT("sim-0003", swarm_explanation_node(explanation));
  CHECK_TEXT("sim-0003:2375", swarm_explanation_address(explanation));
  CHECK(swarm_explanation_candidate_count(explanation) == 1);
  int64_t weight = -1;
  CHECK_TEXT("sim-0003", swarm_explanation_candidate(explanation, 0, &weight));
  CHECK(!swarm_explanation_soft_dropped(explanation));
  CHECK_TEXT("", swarm_explanation_summary(explanation));
  swarm_explanation_free(explanation);
  swarm_manager_free(manager);

  filter.name = "wanted-node";
  filter.rules = wanted_node;
  filter.user_data = (void*)"sim-0002";
  manager = open_ready(&options);
  hold_one_each(manager, 4);
  explanation = plan(manager);
  CHECK_TEXT("sim-0002", swarm_explanation_node(explanation));
  const char* reason = NULL;
  CHECK_TEXT("sim-0001", swarm_explanation_refused(explanation, 0, &reason));
  CHECK(strstr(reason, "the wanted node") != NULL);
  swarm_explanation_free(explanation);
  swarm_manager_free(manager);
}

// ---- strategies ----

static swarm_code by_memory(void* user_data, const swarm_node_usage* usage, int* fits,
                            int64_t* rank, swarm_failure* failure) {
  (void)user_data;
  (void)failure;
  CHECK(usage->struct_size >= sizeof *usage);
  CHECK(usage->total_memory > 0 && usage->health == 100);
  // The fullest of those with less than two containers.
  *fits = usage->containers < 2;
  *rank = -usage->containers;
  return SWARM_OK;
}

static void strategies_rank(void) {
  int destroyed = 0;
  swarm_strategy strategy = SWARM_STRATEGY_INIT;
  const swarm_strategy* strategies[] = {&strategy};
  swarm_options options = simulated("sim://2");
  options.own_strategies = strategies;
  options.own_strategy_count = 1;
  options.strategy = "two-each";
  strategy.name = "two-each";
  strategy.rank = by_memory;
  strategy.user_data = &destroyed;
  strategy.destroy = count;
  swarm_manager* const manager = open_ready(&options);
  hold_one_each(manager, 3);
  swarm_explanation* explanation = plan(manager);
  CHECK_TEXT("sim-0002", swarm_explanation_node(explanation));
  swarm_explanation_free(explanation);
  swarm_error* error = NULL;
  char* id = NULL;
  CHECK_OK(
      swarm_container_create(manager, kPlain, strlen(kPlain), "xx", NULL, PATIENCE, &id, &error));
  swarm_string_free(id);
  CHECK(swarm_container_create(manager, kPlain, strlen(kPlain), "yy", NULL, PATIENCE, &id,
                               &error) == SWARM_FAILED_PRECONDITION);
  swarm_error_free(error);
  CHECK(destroyed == 0);
  swarm_manager_free(manager);
  CHECK(destroyed == 1);
}

// ---- discovery ----

typedef struct source {
  pthread_t thread;
  swarm_discovery* discovery;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int stop;
  int opened, closed, destroyed;
} source;

static void* tell(void* user_data) {
  static const char* const sets[][2] = {{"127.0.0.1:1", "127.0.0.1:1"},
                                        {"127.0.0.1:2", "127.0.0.1:1"}};
  source* const from = user_data;
  swarm_error* error = NULL;
  const char* const bad[] = {""};
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "empty",
              swarm_discovery_update(from->discovery, bad, 1, &error));
  CHECK_OK(swarm_discovery_update(from->discovery, sets[0], 2, &error));
  CHECK_OK(swarm_discovery_update(from->discovery, sets[1], 2, &error));
  pthread_mutex_lock(&from->mutex);
  while (!from->stop) pthread_cond_wait(&from->changed, &from->mutex);
  pthread_mutex_unlock(&from->mutex);
  swarm_discovery_fail(from->discovery, SWARM_UNAVAILABLE, "the source goes");
  return NULL;
}

static swarm_code open_source(void* user_data, const char* rest, swarm_discovery* discovery,
                              void** opened, swarm_failure* failure) {
  source* const from = user_data;
  if (strcmp(rest, "two") != 0) {
    swarm_failure_message(failure, "only own://two is known");
    return SWARM_NOT_FOUND;
  }
  from->discovery = discovery;
  ++from->opened;
  *opened = from;
  CHECK(pthread_create(&from->thread, NULL, tell, from) == 0);
  return SWARM_OK;
}

static void close_source(void* user_data, void* opened) {
  source* const from = opened;
  CHECK(user_data == opened);
  pthread_mutex_lock(&from->mutex);
  from->stop = 1;
  pthread_cond_signal(&from->changed);
  pthread_mutex_unlock(&from->mutex);
  CHECK(pthread_join(from->thread, NULL) == 0);
  from->stop = 0;
  ++from->closed;
}

static void destroy_source(void* user_data) { ++((source*)user_data)->destroyed; }

static void schemes_discover(void) {
  swarm_error* error = NULL;
  source from;
  memset(&from, 0, sizeof from);
  CHECK(pthread_mutex_init(&from.mutex, NULL) == 0 && pthread_cond_init(&from.changed, NULL) == 0);
  swarm_scheme scheme = SWARM_SCHEME_INIT;
  scheme.name = "own";
  scheme.open = open_source;
  scheme.close = close_source;
  scheme.user_data = &from;
  scheme.destroy = destroy_source;
  const swarm_scheme* schemes[] = {&scheme};
  swarm_options options = SWARM_OPTIONS_INIT;
  options.discovery = "own://three";
  options.own_schemes = schemes;
  options.own_scheme_count = 1;
  swarm_manager* manager = NULL;
  CHECK_FAILS(SWARM_NOT_FOUND, "discovery own: only own://two is known",
              swarm_manager_open(&options, &manager, &error));
  CHECK(from.opened == 0 && from.destroyed == 0);
  options.discovery = "own://two";
  CHECK_OK(swarm_manager_open(&options, &manager, &error));
  // Nobody listens there: the nodes are known by their addresses.
  swarm_nodes* nodes = NULL;
  size_t found = 0;
  CHECK_OK(swarm_manager_wait_ready(manager, PATIENCE, &error));
  const struct timespec moment = {0, 1000000};
  for (int i = 0; i < PATIENCE && found != 2; ++i) {
    CHECK_OK(swarm_manager_nodes(manager, &nodes, &error));
    found = swarm_nodes_count(nodes);
    if (found == 2) {
      CHECK_TEXT("127.0.0.1:1", swarm_node_address(swarm_nodes_at(nodes, 0)));
      CHECK_TEXT("Pending", swarm_node_state(swarm_nodes_at(nodes, 0)));
      CHECK(strlen(swarm_node_error(swarm_nodes_at(nodes, 0))) > 0);
    }
    swarm_nodes_free(nodes);
    nanosleep(&moment, NULL);
  }
  CHECK(found == 2);
  CHECK(from.opened == 1 && from.closed == 0);
  swarm_manager_free(manager);
  CHECK(from.closed == 1 && from.destroyed == 1);

  swarm_strings* addresses = NULL;
  CHECK_OK(swarm_discovery_list(&options, PATIENCE, &addresses, &error));
  CHECK(swarm_strings_count(addresses) > 0);
  CHECK_TEXT("127.0.0.1:1", swarm_strings_at(addresses, 0));
  swarm_strings_free(addresses);
  CHECK(from.opened == 2 && from.closed == 2 && from.destroyed == 1);
  options.discovery = "nodes://a:1,b:2";
  CHECK_OK(swarm_discovery_list(&options, PATIENCE, &addresses, &error));
  CHECK(swarm_strings_count(addresses) == 2);
  CHECK_TEXT("b:2", swarm_strings_at(addresses, 1));
  swarm_strings_free(addresses);
  pthread_mutex_destroy(&from.mutex);
  pthread_cond_destroy(&from.changed);
}

// ---- who owns the log's user_data ----

static void silent(void* user_data, swarm_log_level level, const char* message,
                   const swarm_field* fields, size_t field_count) {
  (void)user_data;
  (void)level;
  (void)message;
  (void)fields;
  (void)field_count;
}

static void log_is_taken_over(swarm_log log) {
  swarm_error* error = NULL;
  int destroyed = 0;
  swarm_options options = simulated("nosuch://1");
  options.log = log;
  options.log_user_data = &destroyed;
  options.log_destroy = count;
  swarm_manager* manager = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "nosuch", swarm_manager_open(&options, &manager, &error));
  CHECK(destroyed == 0);
  options.discovery = "sim://1";
  manager = open_ready(&options);
  CHECK(destroyed == 0);
  CHECK_OK(swarm_manager_close(manager, 0, &error));
  swarm_manager_free(manager);
  CHECK(destroyed == 1);
}

// ---- callbacks that fail ----

// Counts the lines of the log with the words that it is given.
typedef struct heard {
  pthread_mutex_t mutex;
  const char* words;
  int times;
} heard;

static void hear(void* user_data, swarm_log_level level, const char* message,
                 const swarm_field* fields, size_t field_count) {
  heard* const ear = user_data;
  CHECK(level >= SWARM_LOG_DEBUG && level <= SWARM_LOG_ERROR && message != NULL);
  pthread_mutex_lock(&ear->mutex);
  for (size_t i = 0; i < field_count; ++i) {
    if (strstr(fields[i].value, ear->words) != NULL) ++ear->times;
  }
  pthread_mutex_unlock(&ear->mutex);
}

static swarm_manager* the_manager = NULL;

static swarm_code fail_with_words(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                                  swarm_failure* failure) {
  swarm_error* error = NULL;
  (void)user_data;
  (void)spec;
  (void)rules;
  // What waits is refused here, and a manager is not freed here.
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "callback",
              swarm_manager_wait_ready(the_manager, 0, &error));
  swarm_manager_free(the_manager);
  swarm_failure_message(failure, "the moon is wrong");
  return SWARM_UNAVAILABLE;
}

static swarm_code fail_without_words(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                                     swarm_failure* failure) {
  (void)user_data;
  (void)spec;
  (void)rules;
  (void)failure;
  return SWARM_NOT_FOUND;
}

static swarm_code fail_in_predicate(void* user_data, const swarm_node_view* view, int* holds,
                                    swarm_failure* failure) {
  (void)user_data;
  (void)view;
  *holds = 1;
  swarm_failure_message(failure, "cannot look");
  return SWARM_INTERNAL;
}

static swarm_code add_predicate(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                                swarm_failure* failure) {
  (void)spec;
  (void)failure;
  return swarm_rules_add_predicate(rules, "looks", 0,
                                   user_data == NULL ? fail_in_predicate : throw_in_predicate, NULL,
                                   throw_in_destroy, NULL);
}

static void failing_filter(swarm_code (*rules)(void*, const swarm_spec*, swarm_rules*,
                                               swarm_failure*),
                           swarm_code code, const char* words) {
  swarm_error* error = NULL;
  swarm_filter filter = SWARM_FILTER_INIT;
  const swarm_filter* filters[] = {&filter};
  swarm_options options = simulated("sim://1");
  options.own_filters = filters;
  options.own_filter_count = 1;
  options.log = throw_in_log;
  filter.name = "failing";
  filter.rules = rules;
  filter.destroy = throw_in_destroy;
  the_manager = open_ready(&options);
  char* id = NULL;
  // A create answers as Docker does: by an HTTP status, to which several codes belong.
  CHECK(swarm_container_create(the_manager, kPlain, strlen(kPlain), NULL, NULL, PATIENCE, &id,
                               &error) != SWARM_OK);
  CHECK(strstr(swarm_error_message(error), words) != NULL);
  swarm_error_free(error);
  swarm_explanation* explanation = NULL;
  CHECK_FAILS(
      code, words,
      swarm_manager_plan(the_manager, kPlain, strlen(kPlain), NULL, NULL, &explanation, &error));
  swarm_manager_free(the_manager);
}

static void failing_predicate(void* user_data, const char* words) {
  heard ear;
  memset(&ear, 0, sizeof ear);
  ear.words = words;
  CHECK(pthread_mutex_init(&ear.mutex, NULL) == 0);
  swarm_filter filter = SWARM_FILTER_INIT;
  const swarm_filter* filters[] = {&filter};
  swarm_options options = simulated("sim://1");
  options.own_filters = filters;
  options.own_filter_count = 1;
  options.log = hear;
  options.log_user_data = &ear;
  filter.name = "failing";
  filter.rules = add_predicate;
  filter.user_data = user_data;
  swarm_manager* const manager = open_ready(&options);
  swarm_explanation* const explanation = plan(manager);
  CHECK(!swarm_explanation_fits(explanation));
  swarm_explanation_free(explanation);
  swarm_manager_free(manager);
  CHECK(ear.times > 0);
  pthread_mutex_destroy(&ear.mutex);
}

static void failing_others(void) {
  swarm_error* error = NULL;
  int destroyed = 0;
  swarm_strategy strategy = SWARM_STRATEGY_INIT;
  const swarm_strategy* strategies[] = {&strategy};
  swarm_options options = simulated("sim://1");
  options.own_strategies = strategies;
  options.own_strategy_count = 1;
  options.strategy = "failing";
  strategy.name = "failing";
  strategy.rank = throw_in_rank;
  strategy.user_data = &destroyed;
  strategy.destroy = count;
  swarm_manager* manager = open_ready(&options);
  swarm_explanation* const explanation = plan(manager);
  CHECK(!swarm_explanation_fits(explanation));
  swarm_explanation_free(explanation);
  swarm_manager_free(manager);
  CHECK(destroyed == 1);

  // A failed open has taken nothing over.
  options.discovery = "throwing://x";
  swarm_scheme scheme = SWARM_SCHEME_INIT;
  const swarm_scheme* schemes[] = {&scheme};
  scheme.name = "throwing";
  scheme.open = throw_in_open;
  scheme.close = close_source;
  options.own_schemes = schemes;
  options.own_scheme_count = 1;
  manager = NULL;
  CHECK_FAILS(SWARM_INTERNAL, "its callback threw an exception: thrown on purpose",
              swarm_manager_open(&options, &manager, &error));
  CHECK(manager == NULL && destroyed == 1);
  strategy.name = "Failing";
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "\"Failing\"",
              swarm_manager_open(&options, &manager, &error));
  strategy.name = "spread";
  CHECK_FAILS(SWARM_ALREADY_EXISTS, "spread", swarm_manager_open(&options, &manager, &error));
  strategy.name = "failing";
  strategy.rank = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "rank is NULL",
              swarm_manager_open(&options, &manager, &error));
  CHECK(destroyed == 1);
}

int main(void) {
  filters_choose();
  strategies_rank();
  schemes_discover();
  log_is_taken_over(silent);
  log_is_taken_over(NULL);
  failing_filter(fail_with_words, SWARM_UNAVAILABLE, "filter failing: the moon is wrong");
  failing_filter(fail_without_words, SWARM_NOT_FOUND, "failed with NOT_FOUND");
  failing_filter(throw_in_rules, SWARM_INTERNAL, "thrown on purpose");
  failing_predicate(NULL, "cannot look");
  failing_predicate(&the_manager, "thrown on purpose");
  failing_others();
  return 0;
}
