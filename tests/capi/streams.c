// Logs that are followed, exec and attach through an exchange, and a body in pieces.
#include "check.h"

static swarm_exchange* begin(swarm_manager* manager, const char* method, const char* target,
                             const char* body, int upgrade) {
  swarm_error* error = NULL;
  const swarm_field json = {"Content-Type", "application/json"};
  swarm_request request = SWARM_REQUEST_INIT;
  request.method = method;
  request.target = target;
  request.headers = &json;
  request.header_count = body == NULL ? 0 : 1;
  request.body = body;
  request.body_length = body == NULL ? 0 : strlen(body);
  request.upgrade = upgrade;
  swarm_exchange* exchange = NULL;
  CHECK_OK(swarm_manager_begin(manager, &request, &exchange, &error));
  return exchange;
}

static void run(swarm_manager* manager, const char* name, const char* body) {
  swarm_error* error = NULL;
  char* id = NULL;
  CHECK_OK(swarm_container_create(manager, body, strlen(body), name, NULL, PATIENCE, &id, &error));
  swarm_string_free(id);
  CHECK_OK(swarm_container_start(manager, name, PATIENCE, &error));
}

// Reads until `wanted` has come or, when it is NULL, to the end. A multiplexed stream holds zero
// bytes, which become dots. Returns what has come, in a buffer that the next call uses again.
static const char* read_until(swarm_exchange* exchange, const char* wanted) {
  static char all[8192];
  swarm_error* error = NULL;
  size_t length = 0;
  all[0] = '\0';
  for (;;) {
    size_t got = 0;
    CHECK_OK(swarm_exchange_read(exchange, all + length, 100, PATIENCE, &got, &error));
    if (got == 0) return all;
    for (size_t i = 0; i < got; ++i) {
      if (all[length + i] == '\0') all[length + i] = '.';
    }
    length += got;
    CHECK(length + 200 < sizeof all);
    all[length] = '\0';
    if (wanted != NULL && strstr(all, wanted) != NULL) return all;
  }
}

static void follow_logs(swarm_manager* manager) {
  swarm_error* error = NULL;
  run(manager, "talker",
      "{\"Image\":\"busybox\",\"Cmd\":[\"sh\",\"-c\",\"echo one; sleep 0.2; echo two\"]}");
  swarm_exchange* const logs =
      begin(manager, "GET", "/containers/talker/logs?stdout=1&follow=1", NULL, 0);
  CHECK(swarm_exchange_status(logs) == 0);
  CHECK_OK(swarm_exchange_wait_head(logs, PATIENCE, &error));
  CHECK(swarm_exchange_status(logs) == 200);
  CHECK(!swarm_exchange_is_tunnel(logs));
  CHECK(swarm_exchange_header(logs, "content-type") != NULL);
  CHECK(swarm_exchange_header(logs, "X-None") == NULL);
  const char* const all = read_until(logs, NULL);
  CHECK(strstr(all, "one\n") != NULL && strstr(all, "two\n") != NULL);
  swarm_exchange_free(logs);
}

static void write_all(swarm_exchange* exchange, const char* text) {
  swarm_error* error = NULL;
  size_t taken = 0;
  CHECK_OK(swarm_exchange_write(exchange, text, strlen(text), PATIENCE, &taken, &error));
  CHECK(taken == strlen(text));
}

static void attach(swarm_manager* manager) {
  swarm_error* error = NULL;
  run(manager, "cat",
      "{\"Image\":\"busybox\",\"OpenStdin\":true,\"StdinOnce\":true,\"Cmd\":[\"cat\"]}");
  swarm_exchange* const tunnel =
      begin(manager, "POST", "/containers/cat/attach?stream=1&stdin=1&stdout=1&stderr=1", NULL, 1);
  CHECK_OK(swarm_exchange_wait_head(tunnel, PATIENCE, &error));
  CHECK(swarm_exchange_status(tunnel) == 101);
  CHECK(swarm_exchange_is_tunnel(tunnel));
  write_all(tunnel, "hello\n");
  CHECK(strstr(read_until(tunnel, "hello\n"), "hello\n") != NULL);
  char byte;
  size_t got = 1;
  CHECK_FAILS(SWARM_DEADLINE_EXCEEDED, "", swarm_exchange_read(tunnel, &byte, 1, 10, &got, &error));
  CHECK(got == 0);
  write_all(tunnel, "and more\n");
  CHECK_OK(swarm_exchange_close_write(tunnel, &error));
  CHECK(strstr(read_until(tunnel, NULL), "and more\n") != NULL);
  swarm_exchange_free(tunnel);
}

static void exec(swarm_manager* manager) {
  swarm_error* error = NULL;
  run(manager, "host", "{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"1000\"]}");
  const char body[] = "{\"AttachStdin\":true,\"AttachStdout\":true,\"Cmd\":[\"wc\",\"-c\"]}";
  const swarm_field json = {"Content-Type", "application/json"};
  swarm_request request = SWARM_REQUEST_INIT;
  request.method = "POST";
  request.target = "/containers/host/exec";
  request.headers = &json;
  request.header_count = 1;
  request.body = body;
  request.body_length = strlen(body);
  swarm_reply* reply = NULL;
  CHECK_OK(swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  CHECK(swarm_reply_status(reply) == 201);
  size_t length = 0;
  const char* const answer = swarm_reply_body(reply, &length);
  CHECK(length == strlen(answer));
  const char* const id = strstr(answer, "\"Id\":\"");
  CHECK(id != NULL);
  char target[160];
  snprintf(target, sizeof target, "/exec/%.*s/start", (int)strcspn(id + 6, "\""), id + 6);
  swarm_reply_free(reply);

  swarm_exchange* const tunnel =
      begin(manager, "POST", target, "{\"Detach\":false,\"Tty\":false}", 1);
  CHECK_OK(swarm_exchange_wait_head(tunnel, PATIENCE, &error));
  CHECK(swarm_exchange_is_tunnel(tunnel));
  write_all(tunnel, "12345");
  CHECK_OK(swarm_exchange_close_write(tunnel, &error));
  CHECK(strstr(read_until(tunnel, NULL), "5\n") != NULL);
  swarm_exchange_free(tunnel);

  // A whole call takes no tunnel.
  request.target = "/containers/host/attach?stream=1&stdout=1";
  request.body = NULL;
  request.body_length = 0;
  request.header_count = 0;
  request.upgrade = 1;
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "tunnel",
              swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  CHECK(reply == NULL);
}

static void body_in_pieces(swarm_manager* manager) {
  swarm_error* error = NULL;
  const swarm_field json = {"Content-Type", "application/json"};
  swarm_request request = SWARM_REQUEST_INIT;
  request.method = "POST";
  request.target = "/containers/create?name=piecemeal";
  request.headers = &json;
  request.header_count = 1;
  request.streamed = 1;
  swarm_exchange* create = NULL;
  CHECK_OK(swarm_manager_begin(manager, &request, &create, &error));
  write_all(create, "{\"Image\":");
  CHECK_FAILS(SWARM_DEADLINE_EXCEEDED, "", swarm_exchange_wait_head(create, 10, &error));
  write_all(create, "\"busybox\"}");
  CHECK_OK(swarm_exchange_close_write(create, &error));
  CHECK_OK(swarm_exchange_wait_head(create, PATIENCE, &error));
  CHECK(swarm_exchange_status(create) == 201);
  size_t taken = 1;
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "",
              swarm_exchange_write(create, "x", 1, PATIENCE, &taken, &error));
  CHECK(taken == 0);
  swarm_exchange_abort(create);
  swarm_exchange_abort(create);
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_exchange_wait_head(create, PATIENCE, &error));
  swarm_exchange_free(create);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "streamed",
              swarm_manager_call(manager, &request, PATIENCE, (swarm_reply*[]){NULL}, &error));
}

static void short_forms(swarm_manager* manager) {
  swarm_error* error = NULL;
  char* json = NULL;
  const char plain[] = "{\"Image\":\"busybox\"}";
  CHECK_FAILS(SWARM_ALREADY_EXISTS, "talker",
              swarm_container_create(manager, plain, strlen(plain), "talker", NULL, PATIENCE, &json,
                                     &error));
  CHECK(json == NULL);
  const char moon[] = "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==moon\"]}";
  CHECK_FAILS(
      SWARM_FAILED_PRECONDITION, "moon",
      swarm_container_create(manager, moon, strlen(moon), NULL, NULL, PATIENCE, &json, &error));
  CHECK_OK(swarm_container_list(manager, 1, "{\"name\":[\"talker\"]}", PATIENCE, &json, &error));
  CHECK(strstr(json, "talker") != NULL && strstr(json, "\"/host\"") == NULL);
  swarm_string_free(json);
  CHECK_OK(swarm_container_list(manager, 0, NULL, PATIENCE, &json, &error));
  CHECK(strstr(json, "talker") == NULL && strstr(json, "host") != NULL);
  swarm_string_free(json);
  CHECK_OK(swarm_container_start(manager, "host", PATIENCE, &error));
  CHECK_OK(swarm_container_stop(manager, "host", 0, PATIENCE, &error));
  CHECK_OK(swarm_container_stop(manager, "host", -1, PATIENCE, &error));
  CHECK_OK(swarm_container_start(manager, "host", PATIENCE, &error));
  CHECK(swarm_container_remove(manager, "host", 0, 0, PATIENCE, &error) != SWARM_OK);
  CHECK(swarm_error_http_status(error) == 409);
  swarm_error_free(error);
  CHECK_OK(swarm_container_remove(manager, "host", 1, 1, PATIENCE, &error));
  CHECK_FAILS(SWARM_NOT_FOUND, "host",
              swarm_container_inspect(manager, "host", PATIENCE, &json, &error));
  CHECK(json == NULL);
  CHECK_FAILS(SWARM_NOT_FOUND, "no such",
              swarm_container_inspect(manager, "no such/one?", PATIENCE, &json, &error));
}

static void see_nodes(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_nodes* nodes = NULL;
  CHECK_OK(swarm_manager_nodes(manager, &nodes, &error));
  CHECK(swarm_nodes_count(nodes) == 3);
  const swarm_node* const node = swarm_nodes_at(nodes, 1);
  CHECK_TEXT("sim-0002", swarm_node_name(node));
  CHECK_TEXT("sim-0002:2375", swarm_node_address(node));
  CHECK_TEXT("Healthy", swarm_node_state(node));
  CHECK_TEXT("", swarm_node_error(node));
  CHECK(strlen(swarm_node_id(node)) > 0);
  CHECK(!swarm_node_is_cordoned(node));
  CHECK_TEXT("linux", swarm_node_label(node, "ostype"));
  CHECK(swarm_node_label(node, "nosuch") == NULL);
  CHECK(swarm_node_nano_cpus(node) > 0 && swarm_node_memory(node) > 0);
  CHECK(swarm_nodes_at(nodes, 3) == NULL);
  swarm_nodes_free(nodes);
}

int main(void) {
  swarm_error* error = NULL;
  swarm_options options = simulated("sim://3");
  const char* const listen[] = {"tcp://127.0.0.1:0"};
  options.listen = listen;
  options.listen_count = 1;
  swarm_manager* const manager = open_ready(&options);
  swarm_strings* addresses = NULL;
  CHECK_OK(swarm_manager_serve(manager, &error));
  CHECK_OK(swarm_manager_addresses(manager, &addresses, &error));
  CHECK(swarm_strings_count(addresses) == 1);
  CHECK(strncmp(swarm_strings_at(addresses, 0), "tcp://127.0.0.1:", 16) == 0);
  CHECK(strcmp(swarm_strings_at(addresses, 0), "tcp://127.0.0.1:0") != 0);
  CHECK(swarm_strings_at(addresses, 1) == NULL);
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, swarm_strings_at(addresses, 0),
              swarm_manager_serve(manager, &error));
  swarm_strings_free(addresses);
  follow_logs(manager);
  attach(manager);
  exec(manager);
  body_in_pieces(manager);
  short_forms(manager);
  see_nodes(manager);
  // What has ended may be freed after the manager.
  swarm_exchange* const open = begin(manager, "GET", "/events", NULL, 0);
  swarm_manager_free(manager);
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_exchange_wait_head(open, PATIENCE, &error));
  swarm_exchange_free(open);
  return 0;
}
