// What is NULL, wrong in size, freed already or nonsense.
#include "check.h"
#include "swarmlib/swarm_extend.h"

// A struct of a caller that was compiled for a newer library.
typedef struct newer_options {
  swarm_options known;
  size_t unknown;
} newer_options;

static void nulls(void) {
  swarm_error* error = NULL;
  swarm_manager* manager = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager_open: the swarm_options is NULL",
              swarm_manager_open(NULL, &manager, &error));
  const swarm_options options = simulated("sim://1");
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "manager is NULL",
              swarm_manager_open(&options, NULL, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL", swarm_manager_serve(NULL, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL",
              swarm_manager_wait_ready(NULL, 0, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL", swarm_manager_run(NULL, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL",
              swarm_manager_close(NULL, 0, &error));
  swarm_strings* strings = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL",
              swarm_manager_addresses(NULL, &strings, &error));
  swarm_reply* reply = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL",
              swarm_manager_call(NULL, NULL, 0, &reply, &error));
  swarm_exchange* exchange = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL",
              swarm_manager_begin(NULL, NULL, &exchange, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_exchange is NULL",
              swarm_exchange_wait_head(NULL, 0, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_exchange is NULL",
              swarm_exchange_write(NULL, "", 0, 0, NULL, &error));
  const char* event = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_events is NULL",
              swarm_events_next(NULL, 0, &event, &error));
  swarm_explanation* explanation = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL",
              swarm_manager_plan(NULL, "{}", 2, NULL, NULL, &explanation, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_options is NULL",
              swarm_discovery_list(NULL, 0, &strings, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "rules is NULL",
              swarm_rules_add_label(NULL, "zone==a", &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_discovery is NULL",
              swarm_discovery_update(NULL, NULL, 0, &error));
  // Without a place for the error the code says it.
  CHECK(swarm_manager_serve(NULL, NULL) == SWARM_INVALID_ARGUMENT);
}

static void getters_of_null(void) {
  int64_t weight = 1;
  size_t length = 1;
  const char* reason = "";
  CHECK(swarm_error_code(NULL) == SWARM_OK && swarm_error_http_status(NULL) == 200);
  CHECK_TEXT("", swarm_error_message(NULL));
  CHECK(swarm_strings_count(NULL) == 0 && swarm_strings_at(NULL, 0) == NULL);
  CHECK(swarm_reply_status(NULL) == 0 && swarm_reply_header(NULL, "a") == NULL);
  CHECK(swarm_reply_header_count(NULL) == 0 && swarm_reply_header_at(NULL, 0).name == NULL);
  CHECK_TEXT("", swarm_reply_body(NULL, &length));
  CHECK(length == 0);
  CHECK(swarm_exchange_status(NULL) == 0 && swarm_exchange_header(NULL, "a") == NULL);
  CHECK(!swarm_exchange_is_tunnel(NULL));
  CHECK(!swarm_explanation_fits(NULL) && swarm_explanation_node(NULL) == NULL);
  CHECK(swarm_explanation_address(NULL) == NULL && !swarm_explanation_soft_dropped(NULL));
  CHECK_TEXT("", swarm_explanation_summary(NULL));
  CHECK_TEXT("", swarm_explanation_json(NULL));
  CHECK(swarm_explanation_candidate_count(NULL) == 0);
  CHECK(swarm_explanation_candidate(NULL, 0, &weight) == NULL && weight == 0);
  CHECK(swarm_explanation_refused_count(NULL) == 0);
  CHECK(swarm_explanation_refused(NULL, 0, &reason) == NULL && reason == NULL);
  CHECK(swarm_nodes_count(NULL) == 0 && swarm_nodes_at(NULL, 0) == NULL);
  CHECK_TEXT("", swarm_node_name(NULL));
  CHECK_TEXT("", swarm_node_state(NULL));
  CHECK(swarm_node_label(NULL, "a") == NULL && swarm_node_memory(NULL) == 0);
  CHECK_TEXT("", swarm_spec_name(NULL));
  CHECK_TEXT("", swarm_spec_json(NULL));
  CHECK(swarm_node_view_node(NULL) == NULL && swarm_node_view_container_count(NULL) == 0);
  CHECK(swarm_node_view_container(NULL, 0) == NULL && !swarm_node_view_has_image(NULL, "a"));
  CHECK_TEXT("", swarm_container_name(NULL));
  swarm_failure_message(NULL, "nobody hears it");
  swarm_exchange_abort(NULL);
  swarm_events_cancel(NULL);
  swarm_discovery_fail(NULL, SWARM_INTERNAL, "");
}

static void frees_of_null(void) {
  swarm_error_free(NULL);
  swarm_string_free(NULL);
  swarm_strings_free(NULL);
  swarm_manager_free(NULL);
  swarm_reply_free(NULL);
  swarm_exchange_free(NULL);
  swarm_explanation_free(NULL);
  swarm_events_free(NULL);
  swarm_nodes_free(NULL);
}

static void sizes(void) {
  swarm_error* error = NULL;
  swarm_manager* manager = NULL;
  const size_t wrong[] = {0, 4, 12, 1u << 20};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    swarm_options options = simulated("sim://1");
    options.struct_size = wrong[i];
    CHECK_FAILS(SWARM_INVALID_ARGUMENT, "which is no size of it",
                swarm_manager_open(&options, &manager, &error));
    CHECK(manager == NULL);
  }
  // Of an older caller: what it does not know is as by default.
  swarm_options older = simulated("nodes://127.0.0.1:1");
  older.struct_size = offsetof(swarm_options, strategy);
  older.strategy = "nonsense beyond the end";
  older.heartbeat_ms = -5;
  CHECK_OK(swarm_manager_open(&older, &manager, &error));
  swarm_manager_free(manager);

  newer_options newer;
  memset(&newer, 0, sizeof newer);
  newer.known = simulated("sim://1");
  newer.known.struct_size = sizeof newer;
  CHECK_OK(swarm_manager_open(&newer.known, &manager, &error));
  swarm_manager_free(manager);
  newer.unknown = 1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "does not know",
              swarm_manager_open(&newer.known, &manager, &error));

  swarm_filter filter = SWARM_FILTER_INIT;
  const swarm_filter* filters[] = {&filter};
  swarm_options options = simulated("sim://1");
  options.own_filters = filters;
  options.own_filter_count = 1;
  filter.struct_size = 3;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options.own_filters[0]: swarm_filter.struct_size is 3",
              swarm_manager_open(&options, &manager, &error));
}

// What clients may take together: each bound is held, and named when it is wrong.
static void bounds_of_clients(void) {
  swarm_error* error = NULL;
  swarm_manager* manager = NULL;
  swarm_options options = simulated("sim://1");
  options.max_connections = -1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "max_connections must not be negative",
              swarm_manager_open(&options, &manager, &error));
  options = simulated("sim://1");
  options.max_connections_per_client = -1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "max_connections_per_client must not be negative",
              swarm_manager_open(&options, &manager, &error));
  const int64_t wrong[] = {-1, 0, (int64_t)INT32_MAX + 1};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    options = simulated("sim://1");
    options.event_listeners = wrong[i];
    CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options.event_listeners is",
                swarm_manager_open(&options, &manager, &error));
  }
  options = simulated("sim://1");
  options.client_memory = (1u << 20) - 1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "client_memory must be at least 1 MiB",
              swarm_manager_open(&options, &manager, &error));
  options = simulated("sim://1");
  options.event_memory = 0;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "event_memory must be at least 1 MiB",
              swarm_manager_open(&options, &manager, &error));

  options = simulated("sim://1");
  options.max_connections = 20;
  options.max_connections_per_client = 5;
  options.event_listeners = 1;
  options.client_memory = options.event_memory = 1u << 20;
  CHECK_OK(swarm_manager_open(&options, &manager, &error));
  swarm_reply* reply = NULL;
  swarm_request request = SWARM_REQUEST_INIT;
  request.target = "/swarmd/v1/metrics";
  CHECK_OK(swarm_manager_call(manager, &request, 10000, &reply, &error));
  CHECK(strstr(swarm_reply_body(reply, NULL), "\nswarmd_client_memory_limit_bytes 1048576\n") !=
        NULL);
  swarm_reply_free(reply);
  swarm_events *first = NULL, *second = NULL;
  CHECK_OK(swarm_events_open(manager, NULL, NULL, NULL, &first, &error));
  CHECK_FAILS(SWARM_UNAVAILABLE, "1 event listeners already",
              swarm_events_open(manager, NULL, NULL, NULL, &second, &error));
  swarm_events_free(first);
  swarm_manager_free(manager);
}

static void fields(void) {
  swarm_error* error = NULL;
  swarm_manager* manager = NULL;
  swarm_options options = simulated("sim://1");
  options.tls = 2;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options.tls is 2",
              swarm_manager_open(&options, &manager, &error));
  options = simulated("sim://1");
  options.names = 3;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options.names is 3",
              swarm_manager_open(&options, &manager, &error));
  options = simulated("sim://1");
  options.heartbeat_ms = -1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options.heartbeat_ms",
              swarm_manager_open(&options, &manager, &error));
  options = simulated("sim://1");
  options.listen_count = 1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options.listen is NULL",
              swarm_manager_open(&options, &manager, &error));
  const char* const listen[] = {NULL};
  options.listen = listen;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options.listen[0] is NULL",
              swarm_manager_open(&options, &manager, &error));
  options = simulated(NULL);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "no discovery URL",
              swarm_manager_open(&options, &manager, &error));
  options = simulated("sim://1");
  options.simulation = 0;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "\"sim\"", swarm_manager_open(&options, &manager, &error));
  options = simulated("sim://1");
  options.strategy = "nosuch";
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "nosuch", swarm_manager_open(&options, &manager, &error));
}

static void requests(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_reply* reply = NULL;
  swarm_request request = SWARM_REQUEST_INIT;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "request.target is missing",
              swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  request.target = "version";
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "version",
              swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  request.target = "/version";
  request.body_length = 1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "request.body is NULL",
              swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  request.body_length = 0;
  request.header_count = 1;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "request.headers is NULL",
              swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  const swarm_field headers[] = {{"X-Split", "a\r\nb"}};
  request.headers = headers;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "",
              swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  request.header_count = 0;
  request.most_reply = 3;
  CHECK_FAILS(SWARM_RESOURCE_EXHAUSTED, "",
              swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  char* id = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "",
              swarm_container_create(manager, "{", 1, NULL, NULL, PATIENCE, &id, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "no container is named",
              swarm_container_start(manager, "", PATIENCE, &error));
  swarm_explanation* explanation = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "",
              swarm_manager_plan(manager, "[]", 2, NULL, NULL, &explanation, &error));
  swarm_events* events = NULL;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "",
              swarm_events_open(manager, "{", NULL, NULL, &events, &error));
  CHECK(reply == NULL && id == NULL && explanation == NULL && events == NULL);
}

// A request that was set to zero is one with the defaults.
static void zeroed_requests(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_reply* reply = NULL;
  swarm_request request;
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  request.target = "/version";
  CHECK_OK(swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  CHECK(swarm_reply_status(reply) == 200);
  swarm_reply_free(reply);
  request.method = "POST";
  request.target = "/containers/create?name=zeroed";
  const swarm_field json = {"Content-Type", "application/json"};
  request.headers = &json;
  request.header_count = 1;
  request.streamed = 1;
  swarm_exchange* exchange = NULL;
  size_t taken = 0;
  CHECK_OK(swarm_manager_begin(manager, &request, &exchange, &error));
  CHECK_OK(swarm_exchange_write(exchange, "{\"Image\":\"busybox\"}", 19, PATIENCE, &taken, &error));
  CHECK_OK(swarm_exchange_close_write(exchange, &error));
  CHECK_OK(swarm_exchange_wait_head(exchange, PATIENCE, &error));
  CHECK(taken == 19 && swarm_exchange_status(exchange) == 201);
  swarm_exchange_free(exchange);

  swarm_request written;
  memset(&written, 1, sizeof written);
  CHECK_OK(swarm_request_init(&written, sizeof written, &error));
  CHECK(written.struct_size == sizeof written && written.target == NULL && written.upgrade == 0);
  CHECK_TEXT("GET", written.method);
  CHECK(written.streamed_length == -1 && written.most_reply == (uint64_t)64 * 1024 * 1024);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "struct_size is 4", swarm_request_init(&written, 4, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "request is NULL", swarm_request_init(NULL, 16, &error));
}

static void bounded_answers(swarm_manager* manager) {
  swarm_error* error = NULL;
  char* json = NULL;
  CHECK_OK(swarm_manager_set_most_reply(manager, 1, &error));
  CHECK_FAILS(SWARM_RESOURCE_EXHAUSTED, "",
              swarm_container_list(manager, 1, NULL, PATIENCE, &json, &error));
  CHECK_OK(swarm_manager_set_most_reply(manager, 0, &error));
  CHECK_OK(swarm_container_list(manager, 1, NULL, PATIENCE, &json, &error));
  swarm_string_free(json);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager is NULL",
              swarm_manager_set_most_reply(NULL, 1, &error));
}

// U+FFFD stands for what is no UTF-8.
static void bad_bytes(swarm_manager* manager) {
  static const char kBody[] =
      "{\"Image\":\"busybox\",\"Labels\":{\"a\":\"x\xffy\xc3\xa9\xe2\x82\"}}";
  static const char kMended[] = "x\xef\xbf\xbdy\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"";
  swarm_error* error = NULL;
  char* id = NULL;
  char* json = NULL;
  CHECK_OK(swarm_container_create(manager, kBody, sizeof kBody - 1, "latin", NULL, PATIENCE, &id,
                                  &error));
  CHECK_OK(swarm_container_inspect(manager, id, PATIENCE, &json, &error));
  CHECK(strstr(json, kMended) != NULL && strchr(json, 0xff) == NULL);
  swarm_string_free(json);
  CHECK_OK(swarm_container_list(manager, 1, NULL, PATIENCE, &json, &error));
  CHECK(strstr(json, kMended) != NULL && strchr(json, 0xff) == NULL);
  swarm_string_free(json);
  swarm_string_free(id);
  CHECK_FAILS(SWARM_NOT_FOUND, "caf\xef\xbf\xbd",
              swarm_container_start(manager, "caf\xe9", PATIENCE, &error));
}

#ifdef SWARM_CHECK_HANDLES
static void freed_handles(swarm_manager* living) {
  swarm_error* error = NULL;
  const swarm_options options = simulated("sim://1");
  swarm_manager* freed = NULL;
  CHECK_OK(swarm_manager_open(&options, &freed, &error));
  swarm_manager_free(freed);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "swarm_manager_serve: the swarm_manager was freed already",
              swarm_manager_serve(freed, &error));
  swarm_manager_free(freed);  // says it on standard error
  swarm_nodes* nodes = NULL;
  CHECK_OK(swarm_manager_nodes(living, &nodes, &error));
  swarm_nodes_free(nodes);
  CHECK(swarm_nodes_count(nodes) == 0);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "the swarm_exchange is a swarm_manager",
              swarm_exchange_wait_head((swarm_exchange*)(void*)living, 0, &error));
  int nothing = 0;
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "is no handle of this library",
              swarm_manager_serve((swarm_manager*)(void*)&nothing, &error));
}
#endif

int main(void) {
  nulls();
  getters_of_null();
  frees_of_null();
  sizes();
  fields();
  bounds_of_clients();
  const swarm_options options = simulated("sim://1");
  swarm_manager* const manager = open_ready(&options);
  requests(manager);
  zeroed_requests(manager);
  bounded_answers(manager);
  bad_bytes(manager);
#ifdef SWARM_CHECK_HANDLES
  freed_handles(manager);
#endif
  swarm_manager_free(manager);
  return 0;
}
