// A manager that ends while others use it, after a fork, on threads of the caller, and a thousand
// times.
#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { kThreads = 4 };

// ---- close ----

static void* close_it(void* manager) {
  swarm_error* error = NULL;
  CHECK_OK(swarm_manager_close(manager, 100, &error));
  return NULL;
}

typedef struct waiter {
  swarm_manager* manager;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int waiting;
} waiter;

static void say_waiting(waiter* of) {
  pthread_mutex_lock(&of->mutex);
  ++of->waiting;
  pthread_cond_signal(&of->changed);
  pthread_mutex_unlock(&of->mutex);
}

static void* wait_for_event(void* user_data) {
  waiter* const of = user_data;
  swarm_error* error = NULL;
  swarm_events* events = NULL;
  // Of volumes nothing happens; that a container was started may be told late.
  CHECK_OK(swarm_events_open(of->manager, "{\"type\":[\"volume\"]}", NULL, NULL, &events, &error));
  say_waiting(of);
  const char* event = NULL;
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_events_next(events, SWARM_FOREVER, &event, &error));
  swarm_events_free(events);
  return NULL;
}

static void* wait_for_exit(void* user_data) {
  waiter* const of = user_data;
  swarm_error* error = NULL;
  swarm_request request = SWARM_REQUEST_INIT;
  swarm_reply* reply = NULL;
  request.method = "POST";
  request.target = "/containers/lasting/wait";
  say_waiting(of);
  CHECK_FAILS(SWARM_CANCELLED, "",
              swarm_manager_call(of->manager, &request, SWARM_FOREVER, &reply, &error));
  return NULL;
}

static void run_lasting(swarm_manager* manager) {
  static const char body[] = "{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"10000\"]}";
  swarm_error* error = NULL;
  char* id = NULL;
  CHECK_OK(
      swarm_container_create(manager, body, strlen(body), "lasting", NULL, PATIENCE, &id, &error));
  swarm_string_free(id);
  CHECK_OK(swarm_container_start(manager, "lasting", PATIENCE, &error));
}

static void calls_after_close(swarm_manager* manager) {
  swarm_error* error = NULL;
  swarm_request request = SWARM_REQUEST_INIT;
  swarm_reply* reply = NULL;
  swarm_exchange* exchange = NULL;
  swarm_events* events = NULL;
  swarm_nodes* nodes = NULL;
  swarm_strings* addresses = NULL;
  swarm_explanation* explanation = NULL;
  request.target = "/version";
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_manager_call(manager, &request, PATIENCE, &reply, &error));
  CHECK_OK(swarm_manager_begin(manager, &request, &exchange, &error));
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_exchange_wait_head(exchange, PATIENCE, &error));
  swarm_exchange_free(exchange);
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_events_open(manager, NULL, NULL, NULL, &events, &error));
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_container_start(manager, "lasting", PATIENCE, &error));
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_manager_wait_ready(manager, PATIENCE, &error));
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_manager_serve(manager, &error));
  CHECK_FAILS(SWARM_CANCELLED, "",
              swarm_manager_plan(manager, "{}", 2, NULL, NULL, &explanation, &error));
  CHECK_OK(swarm_manager_nodes(manager, &nodes, &error));
  CHECK(swarm_nodes_count(nodes) == 2);
  CHECK_TEXT("sim-0001", swarm_node_name(swarm_nodes_at(nodes, 0)));
  swarm_nodes_free(nodes);
  CHECK_OK(swarm_manager_addresses(manager, &addresses, &error));
  CHECK(swarm_strings_count(addresses) == 0);
  swarm_strings_free(addresses);
  CHECK_OK(swarm_manager_close(manager, 0, &error));
}

static void close_while_calls_wait(void) {
  const swarm_options options = simulated("sim://2");
  waiter of;
  memset(&of, 0, sizeof of);
  CHECK(pthread_mutex_init(&of.mutex, NULL) == 0 && pthread_cond_init(&of.changed, NULL) == 0);
  of.manager = open_ready(&options);
  run_lasting(of.manager);
  pthread_t waiting[2], closing[kThreads];
  CHECK(pthread_create(&waiting[0], NULL, wait_for_event, &of) == 0);
  CHECK(pthread_create(&waiting[1], NULL, wait_for_exit, &of) == 0);
  pthread_mutex_lock(&of.mutex);
  while (of.waiting < 2) pthread_cond_wait(&of.changed, &of.mutex);
  pthread_mutex_unlock(&of.mutex);
  for (int i = 0; i < kThreads; ++i)
    CHECK(pthread_create(&closing[i], NULL, close_it, of.manager) == 0);
  for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(closing[i], NULL) == 0);
  for (int i = 0; i < 2; ++i) CHECK(pthread_join(waiting[i], NULL) == 0);
  calls_after_close(of.manager);
  swarm_manager_free(of.manager);
  pthread_mutex_destroy(&of.mutex);
  pthread_cond_destroy(&of.changed);
}

static void* cancel_them(void* events) {
  swarm_events_cancel(events);
  return NULL;
}

static void cancelled_events(void) {
  swarm_error* error = NULL;
  const swarm_options options = simulated("sim://1");
  swarm_manager* const manager = open_ready(&options);
  swarm_events* events = NULL;
  const char* event = NULL;
  pthread_t thread;
  CHECK_OK(swarm_events_open(manager, NULL, NULL, NULL, &events, &error));
  CHECK(pthread_create(&thread, NULL, cancel_them, events) == 0);
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_events_next(events, PATIENCE, &event, &error));
  CHECK(pthread_join(thread, NULL) == 0);
  swarm_events_free(events);
  // What is past ends by itself.
  run_lasting(manager);
  CHECK_OK(
      swarm_events_open(manager, "{\"event\":[\"start\"]}", "0", "4000000000", &events, &error));
  CHECK_OK(swarm_events_next(events, PATIENCE, &event, &error));
  CHECK(strstr(event, "\"start\"") != NULL);
  swarm_events_free(events);
  CHECK_OK(swarm_events_open(manager, NULL, "0", "1", &events, &error));
  CHECK_OK(swarm_events_next(events, PATIENCE, &event, &error));
  CHECK(event == NULL);
  swarm_events_free(events);
  swarm_manager_free(manager);
}

// ---- fork ----

static void in_the_child(swarm_manager* manager, swarm_exchange* exchange, swarm_events* events) {
  swarm_error* error = NULL;
  swarm_nodes* nodes = NULL;
  const char* event = NULL;
  char byte;
  size_t got = 0;
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "fork", swarm_manager_serve(manager, &error));
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "fork", swarm_manager_nodes(manager, &nodes, &error));
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "fork", swarm_manager_close(manager, 0, &error));
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "fork",
              swarm_exchange_read(exchange, &byte, 1, 0, &got, &error));
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "fork", swarm_events_next(events, 0, &event, &error));
  swarm_exchange_abort(exchange);
  swarm_events_cancel(events);
  swarm_exchange_free(exchange);
  swarm_events_free(events);
  swarm_manager_free(manager);
}

static void after_fork(void) {
  swarm_error* error = NULL;
  const swarm_options options = simulated("sim://1");
  swarm_manager* const manager = open_ready(&options);
  swarm_request request = SWARM_REQUEST_INIT;
  swarm_exchange* exchange = NULL;
  swarm_events* events = NULL;
  request.target = "/version";
  CHECK_OK(swarm_manager_begin(manager, &request, &exchange, &error));
  CHECK_OK(swarm_events_open(manager, NULL, NULL, NULL, &events, &error));
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(60);
    in_the_child(manager, exchange, events);
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK_OK(swarm_exchange_wait_head(exchange, PATIENCE, &error));
  CHECK(swarm_exchange_status(exchange) == 200);
  swarm_exchange_free(exchange);
  swarm_events_free(events);
  swarm_manager_free(manager);
}

// ---- threads of the caller ----

static void* run_a_loop(void* manager) {
  swarm_error* error = NULL;
  CHECK_OK(swarm_manager_run(manager, &error));
  return NULL;
}

static void caller_threads(void) {
  swarm_error* error = NULL;
  swarm_options options = simulated("sim://2");
  swarm_manager* manager = open_ready(&options);
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "caller_threads", swarm_manager_run(manager, &error));
  swarm_manager_free(manager);
  options.caller_threads = 1;
  options.threads = 2;
  pthread_t threads[2];
  CHECK_OK(swarm_manager_open(&options, &manager, &error));
  for (int i = 0; i < 2; ++i) CHECK(pthread_create(&threads[i], NULL, run_a_loop, manager) == 0);
  CHECK_OK(swarm_manager_wait_ready(manager, PATIENCE, &error));
  run_lasting(manager);
  CHECK_OK(swarm_manager_close(manager, 0, &error));
  for (int i = 0; i < 2; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK_FAILS(SWARM_CANCELLED, "", swarm_manager_run(manager, &error));
  swarm_manager_free(manager);
}

// ---- again and again ----

typedef struct usage {
  long resident, threads, descriptors;  // kilobytes, and how many
} usage;

static long from_status(const char* key) {
  char line[256];
  long value = -1;
  FILE* const status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, key, strlen(key)) == 0) value = atol(line + strlen(key));
  }
  fclose(status);
  CHECK(value >= 0);
  return value;
}

static usage now(void) {
  usage used = {0, 0, 0};
  used.resident = from_status("VmRSS:");
  used.threads = from_status("Threads:");
  DIR* const folder = opendir("/proc/self/fd");
  CHECK(folder != NULL);
  while (readdir(folder) != NULL) ++used.descriptors;
  closedir(folder);
  return used;
}

static void open_and_close(int times) {
  swarm_error* error = NULL;
  swarm_options options = simulated("sim://2");
  const char* const listen[] = {"tcp://127.0.0.1:0"};
  options.listen = listen;
  options.listen_count = 1;
  for (int i = 0; i < times; ++i) {
    swarm_manager* const manager = open_ready(&options);
    CHECK_OK(swarm_manager_serve(manager, &error));
    swarm_manager_free(manager);
  }
}

// A thread that was joined may be counted for a moment longer, which is waited for.
static usage settled(long threads) {
  const struct timespec moment = {0, 1000000};
  usage used = now();
  for (int i = 0; i < 10000 && used.threads != threads; ++i) {
    nanosleep(&moment, NULL);
    used = now();
  }
  return used;
}

// With so many threads when no manager is open.
static void cycles(long threads) {
  const int times = is_long() ? 1000 : 100;
  // The first ones fill what the libraries keep for good.
  open_and_close(50);
  const usage before = settled(threads);
  open_and_close(times);
  const usage after = settled(threads);
  printf("resident %ld to %ld kB, descriptors %ld to %ld, threads %ld to %ld\n", before.resident,
         after.resident, before.descriptors, after.descriptors, before.threads, after.threads);
  CHECK(before.threads == threads && after.threads == threads);
  CHECK(after.descriptors == before.descriptors);
#ifndef SANITIZED  // which keep freed memory for a while
  // A kilobyte a cycle, and one MiB for what the allocator keeps.
  CHECK(after.resident - before.resident < 1024 + times);
#endif
}

int main(void) {
  const usage alone = now();
  after_fork();
  close_while_calls_wait();
  cancelled_events();
  caller_threads();
  cycles(alone.threads);
  return 0;
}
