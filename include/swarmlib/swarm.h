// The C interface of libswarm: one Docker endpoint over many Docker engines. C99, also C++.
//
// Ownership. A handle (swarm_manager, swarm_error, ...) is made by the library and given back with
// swarm_KIND_free(handle), which takes NULL; a char* that the library gave is given back with
// swarm_string_free. Everything `const` that a getter returns belongs to the handle it was asked
// of and lives as long as that. What a call is given it copies before it returns, unless it says
// otherwise. Strings end with a zero byte and are UTF-8; bytes come with their length. What an
// engine says that is no UTF-8 is given with U+FFFD in place of each byte that is none.
//
// Errors. A call that can fail returns a swarm_code, and takes its outputs and then, last, a
// swarm_error** which may be NULL. Success: SWARM_OK, and *error is NULL. Failure: the outputs are
// NULL or 0, and *error is an error object to be freed. What *error held before is overwritten, not
// freed. A call that fails has taken nothing over. Getters never fail: of NULL they give 0, NULL or
// "". No C++ exception leaves the library, and one that leaves a callback ends in it.
//
// Threads. Every call may be made by any thread, also for one handle at once, except where it says
// otherwise; freeing a handle must be the last call of it. Calls that wait do so on the calling
// thread, and refuse with SWARM_FAILED_PRECONDITION to be made in a callback of the library. After
// fork() the child may use no handle that is older: calls say SWARM_FAILED_PRECONDITION, and
// swarm_manager_free only forgets the manager. A thread that waits here must not be cancelled by
// pthread_cancel.
//
// Handles of a debug build (CMAKE_BUILD_TYPE=Debug) are looked up in a list of the living: one that
// was freed, or is of another kind, is SWARM_INVALID_ARGUMENT with a message that names the call
// and the handle; getters and frees say it on standard error and do nothing. In other builds a
// handle that was freed is undefined behaviour, as in any C library; NULL never is.
//
// Versions. Structs that the caller fills begin with struct_size, which their _INIT macro sets. A
// library that knows more fields takes the defaults for those it was not given; one that knows
// fewer refuses the call unless the fields that it does not know are zero. Numbers of enumerations
// never change; new ones may come, so a switch wants a default.
//   This header is the stable tier: no function of it changes or goes while the library is
// libswarm.so.1; functions, enumerators and fields at the end of structs are added. The tier for
// extending, swarm_extend.h (own filters, strategies and discovery), may change with a minor
// version; if its binary interface does, the number after ".so" rises.
//
// Times are milliseconds. A timeout_ms of 0 asks without waiting, and SWARM_FOREVER waits without
// a bound.
#ifndef SWARMLIB_SWARM_H_
#define SWARMLIB_SWARM_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SWARM_API __attribute__((visibility("default")))
#else
#define SWARM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SWARM_FOREVER ((int64_t)-1)

typedef struct swarm_manager swarm_manager;
typedef struct swarm_error swarm_error;
typedef struct swarm_strings swarm_strings;
typedef struct swarm_reply swarm_reply;
typedef struct swarm_exchange swarm_exchange;
typedef struct swarm_explanation swarm_explanation;
typedef struct swarm_events swarm_events;
typedef struct swarm_nodes swarm_nodes;
typedef struct swarm_node swarm_node;

// Gives back what belongs to a `user_data`; called once, by any thread, when no callback will be
// called with it any more. NULL where there is nothing to give back.
typedef void (*swarm_destroy)(void* user_data);

// A name and a value: a field of a request's head, or a fact of a log line.
typedef struct swarm_field {
  const char* name;
  const char* value;
} swarm_field;

// ---- version --------------------------------------------------------------------------------

// "0.1.0", of the library that runs.
SWARM_API const char* swarm_version(void);
// The newest and the oldest version of Docker's API that clients may speak: "1.51", "1.12".
SWARM_API const char* swarm_newest_api_version(void);
SWARM_API const char* swarm_oldest_api_version(void);

// ---- errors and strings ---------------------------------------------------------------------

// The canonical codes.
typedef enum swarm_code {
  SWARM_OK = 0,
  SWARM_CANCELLED = 1,
  SWARM_UNKNOWN = 2,
  SWARM_INVALID_ARGUMENT = 3,
  SWARM_DEADLINE_EXCEEDED = 4,
  SWARM_NOT_FOUND = 5,
  SWARM_ALREADY_EXISTS = 6,
  SWARM_PERMISSION_DENIED = 7,
  SWARM_RESOURCE_EXHAUSTED = 8,
  SWARM_FAILED_PRECONDITION = 9,
  SWARM_ABORTED = 10,
  SWARM_OUT_OF_RANGE = 11,
  SWARM_UNIMPLEMENTED = 12,
  SWARM_INTERNAL = 13,
  SWARM_UNAVAILABLE = 14,
  SWARM_DATA_LOSS = 15,
  SWARM_UNAUTHENTICATED = 16
} swarm_code;

// "NOT_FOUND"; "UNKNOWN" for a number that is none.
SWARM_API const char* swarm_code_name(swarm_code code);

// SWARM_OK of NULL.
SWARM_API swarm_code swarm_error_code(const swarm_error* error);
// What a client of Docker's API would get: 400 to 599; 200 of NULL.
SWARM_API int swarm_error_http_status(const swarm_error* error);
// A sentence; "" of NULL.
SWARM_API const char* swarm_error_message(const swarm_error* error);
SWARM_API void swarm_error_free(swarm_error* error);

SWARM_API void swarm_string_free(char* string);

// A list of strings.
SWARM_API size_t swarm_strings_count(const swarm_strings* strings);
// NULL beyond the end.
SWARM_API const char* swarm_strings_at(const swarm_strings* strings, size_t index);
SWARM_API void swarm_strings_free(swarm_strings* strings);

// ---- options --------------------------------------------------------------------------------

typedef enum swarm_log_level {
  SWARM_LOG_DEBUG = 0,
  SWARM_LOG_INFO = 1,
  SWARM_LOG_WARNING = 2,
  SWARM_LOG_ERROR = 3
} swarm_log_level;

// One line of the log: a message in plain words, and facts. Called by any thread, also by several
// at once; must not call the library. Nothing of the arguments outlives the call.
typedef void (*swarm_log)(void* user_data, swarm_log_level level, const char* message,
                          const swarm_field* fields, size_t field_count);

// How names of containers are shown: "/web" and "/node/web", only "/node/web", or only "/web".
enum { SWARM_NAMES_BOTH = 0, SWARM_NAMES_NODE = 1, SWARM_NAMES_PLAIN = 2 };

// Whose published ports the manager listens on too and carries to their node.
enum { SWARM_RELAY_PORTS_OFF = 0, SWARM_RELAY_PORTS_LABEL = 1, SWARM_RELAY_PORTS_ALL = 2 };

struct swarm_filter;    // swarm_extend.h
struct swarm_strategy;  // swarm_extend.h
struct swarm_scheme;    // swarm_extend.h

// How a manager is to be. Begin with SWARM_OPTIONS_INIT, which holds the defaults. Switches are 0
// or 1. A list may be NULL when its count is 0.
typedef struct swarm_options {
  size_t struct_size;
  const char* discovery;      // "nodes://10.0.0.1:2375,10.0.0.2:2375", "file:///path", ...
  const char* const* listen;  // "tcp://127.0.0.1:2375", "unix:///run/swarm.sock"
  size_t listen_count;
  const char* strategy;        // NULL = "spread"
  const char* const* filters;  // none = all there are, own ones after those built in
  size_t filter_count;
  int32_t tls;         // use it, with the files below
  int32_t tls_verify;  // use it, and both sides show a certificate of the CA
  const char* tls_ca_file;
  const char* tls_certificate_file;
  const char* tls_key_file;
  int32_t insecure;      // plain TCP beyond loopback is wanted
  int32_t simulation;    // adds the scheme sim: "sim://5?seed=7", engines that need no Docker
  double overcommit;     // share of memory and processors above what a node has
  int32_t names;         // SWARM_NAMES_*
  int32_t create_retry;  // further tries after a failed create
  int32_t cpu_shares_as_cores;
  int32_t pull_on_create;
  int32_t relay_ports;  // SWARM_RELAY_PORTS_*
  int32_t cors;
  int32_t experimental;
  int32_t failure_retry;  // failures in a row until an engine is unhealthy
  int64_t heartbeat_ms;
  int64_t refresh_min_ms;
  int64_t refresh_max_ms;
  int64_t engine_timeout_ms;
  int32_t threads;         // loops; 0 = one a processor
  int32_t caller_threads;  // the loops run on threads that call swarm_manager_run
  // Connections of clients at once; 0 = half of what the limit of descriptors leaves free. When
  // they are all there, the one that has been idle longest is closed for the next.
  int32_t max_connections;
  int32_t max_connections_per_client;  // of one address or user; 0 = half of max_connections
  // Clients that follow /events at once: 16384, or 1 to 2147483647. Further ones get 503.
  int64_t event_listeners;
  // What request bodies in memory and answers that their clients have not read may take together,
  // in bytes: 64 MiB, or 1048576 and more. While it is used up, new requests get 503 with
  // Retry-After; what was accepted goes on.
  uint64_t client_memory;
  // Of the event history, which `since` reads, in bytes: 32 MiB, or 1048576 and more.
  uint64_t event_memory;
  uint64_t seed;  // of names, jitter and the strategy `random`; 0 = from the system
  swarm_log log;  // NULL = nothing is logged
  void* log_user_data;
  swarm_destroy log_destroy;
  const struct swarm_filter* const* own_filters;
  size_t own_filter_count;
  const struct swarm_strategy* const* own_strategies;
  size_t own_strategy_count;
  const struct swarm_scheme* const* own_schemes;
  size_t own_scheme_count;
} swarm_options;

#define SWARM_OPTIONS_INIT                                                                         \
  {                                                                                                \
    sizeof(swarm_options), NULL, NULL, 0, "spread", NULL, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0.05,   \
        0, 0, 0, 0, 0, 0, 0, 3, 60000, 30000, 60000, 10000, 0, 0, 0, 0, 16384, 67108864, 33554432, \
        0, NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, 0                                             \
  }

// Writes the defaults into the first `struct_size` bytes, for languages that have no macros.
// SWARM_INVALID_ARGUMENT: fewer bytes than one size_t, or more than this library knows.
SWARM_API swarm_code swarm_options_init(swarm_options* options, size_t struct_size,
                                        swarm_error** error);

// ---- manager --------------------------------------------------------------------------------

// Checks the options and starts discovery and the loops. SWARM_INVALID_ARGUMENT names the field
// that is wrong. On success the manager has taken over each `user_data` of the options and will
// `destroy` it when it is freed; on failure it has not.
SWARM_API swarm_code swarm_manager_open(const swarm_options* options, swarm_manager** manager,
                                        swarm_error** error);

// Listens on the addresses of the options: all of them, or none and an error, and then it may be
// tried again. Once it was SWARM_OK, SWARM_FAILED_PRECONDITION: a manager listens once.
SWARM_API swarm_code swarm_manager_serve(swarm_manager* manager, swarm_error** error);

// The addresses really bound, "tcp://127.0.0.1:49153": port 0 is resolved.
SWARM_API swarm_code swarm_manager_addresses(swarm_manager* manager, swarm_strings** addresses,
                                             swarm_error** error);

// Waits until every engine that discovery named first was tried once. SWARM_DEADLINE_EXCEEDED.
SWARM_API swarm_code swarm_manager_wait_ready(swarm_manager* manager, int64_t timeout_ms,
                                              swarm_error** error);

// With options.caller_threads: runs one loop on the calling thread until swarm_manager_close. Wants
// as many threads as options.threads. SWARM_FAILED_PRECONDITION: there is no loop left to run.
SWARM_API swarm_code swarm_manager_run(swarm_manager* manager, swarm_error** error);

// Stops accepting, lets running requests end, at most `grace_ms`, cuts the others, and returns when
// nothing of the manager runs any more, also to other threads that call it meanwhile. Who waits in
// another call of the manager, its exchanges and events is told SWARM_CANCELLED; an answer that has
// come whole can still be read. Later calls that need a running manager say SWARM_CANCELLED, too:
// requests, events, swarm_manager_plan, _wait_ready, _serve and, with options.caller_threads, _run.
// swarm_manager_begin still gives an exchange, whose swarm_exchange_wait_head says it.
// swarm_manager_nodes and _addresses tell the last state. Closing again is SWARM_OK.
SWARM_API swarm_code swarm_manager_close(swarm_manager* manager, int64_t grace_ms,
                                         swarm_error** error);

// Closes with no grace, if that was not done. Not while another call of the manager runs; its
// exchanges, events, replies and explanations may be freed later. In a callback it does nothing but
// say so on standard error.
SWARM_API void swarm_manager_free(swarm_manager* manager);

// ---- requests -------------------------------------------------------------------------------

// A request of Docker's API. Begin with SWARM_REQUEST_INIT; fields that are zero mean the same as
// those of it.
typedef struct swarm_request {
  size_t struct_size;
  const char* method;          // NULL = "GET"
  const char* target;          // "/containers/json?all=1", percent-encoded
  const swarm_field* headers;  // without framing (Content-Length, Connection, ...)
  size_t header_count;
  const void* body;
  size_t body_length;
  int32_t upgrade;          // the client would send "Connection: Upgrade"
  int32_t streamed;         // for swarm_manager_begin: more body comes by swarm_exchange_write
  int64_t streamed_length;  // of all that comes so, in bytes; 0 and less = not known
  uint64_t most_reply;  // for swarm_manager_call: bytes of the answer that are taken; 0 = 64 MiB
} swarm_request;

#define SWARM_REQUEST_INIT \
  { sizeof(swarm_request), "GET", NULL, NULL, 0, NULL, 0, 0, 0, -1, (uint64_t)64 * 1024 * 1024 }

// Writes SWARM_REQUEST_INIT into the first `struct_size` bytes, for languages that have no macros.
// SWARM_INVALID_ARGUMENT: fewer bytes than one size_t, or more than this library knows.
SWARM_API swarm_code swarm_request_init(swarm_request* request, size_t struct_size,
                                        swarm_error** error);

// The whole exchange, without a socket. An answer of any HTTP status is SWARM_OK. An answer that
// becomes a tunnel is SWARM_FAILED_PRECONDITION, one above most_reply SWARM_RESOURCE_EXHAUSTED.
SWARM_API swarm_code swarm_manager_call(swarm_manager* manager, const swarm_request* request,
                                        int64_t timeout_ms, swarm_reply** reply,
                                        swarm_error** error);

SWARM_API int swarm_reply_status(const swarm_reply* reply);
// The first field of that name, in any case; NULL when there is none.
SWARM_API const char* swarm_reply_header(const swarm_reply* reply, const char* name);
SWARM_API size_t swarm_reply_header_count(const swarm_reply* reply);
// {NULL, NULL} beyond the end.
SWARM_API swarm_field swarm_reply_header_at(const swarm_reply* reply, size_t index);
// A zero byte follows the body. `length` may be NULL.
SWARM_API const char* swarm_reply_body(const swarm_reply* reply, size_t* length);
SWARM_API void swarm_reply_free(swarm_reply* reply);

// Begins a request whose bodies are streams, or which becomes a tunnel (attach, exec). Does not
// wait. The exchange may outlive the manager.
SWARM_API swarm_code swarm_manager_begin(swarm_manager* manager, const swarm_request* request,
                                         swarm_exchange** exchange, swarm_error** error);

// Of one exchange at most one thread reads and one writes at a time; any may abort it. After
// SWARM_DEADLINE_EXCEEDED nothing is lost: ask again.

// Waits for the head of the answer.
SWARM_API swarm_code swarm_exchange_wait_head(swarm_exchange* exchange, int64_t timeout_ms,
                                              swarm_error** error);
// After swarm_exchange_wait_head was SWARM_OK; before, 0 and NULL.
SWARM_API int swarm_exchange_status(const swarm_exchange* exchange);
SWARM_API const char* swarm_exchange_header(const swarm_exchange* exchange, const char* name);
// 1 when the answer is a tunnel: what is written goes to the other end.
SWARM_API int swarm_exchange_is_tunnel(const swarm_exchange* exchange);
// The next bytes of the answer or of the tunnel, at least one, at most `size` (above 0) of them;
// *got = 0 when they have ended in order.
SWARM_API swarm_code swarm_exchange_read(swarm_exchange* exchange, void* into, size_t size,
                                         int64_t timeout_ms, size_t* got, swarm_error** error);
// Sends bytes of a streamed body, or into the tunnel, and waits until they are taken. *taken says
// how many were: all of them, or those that were within the time; SWARM_DEADLINE_EXCEEDED when none
// was. Go on with the others. Up to 65,536 bytes count as taken by a tunnel that are still on their
// way. SWARM_FAILED_PRECONDITION: nobody reads them (any more); see the answer, then.
SWARM_API swarm_code swarm_exchange_write(swarm_exchange* exchange, const void* bytes,
                                          size_t length, int64_t timeout_ms, size_t* taken,
                                          swarm_error** error);
// Ends the streamed body, or our side of the tunnel; the answer goes on. Does not wait.
SWARM_API swarm_code swarm_exchange_close_write(swarm_exchange* exchange, swarm_error** error);
// Gives the work up; who waits in another call of the exchange is told SWARM_CANCELLED.
SWARM_API void swarm_exchange_abort(swarm_exchange* exchange);
// Aborts, too.
SWARM_API void swarm_exchange_free(swarm_exchange* exchange);

// ---- where a container would go ---------------------------------------------------------------

// Asks for the body of a create (JSON) without changing anything. `name` and `platform` ("linux/
// arm64") may be NULL. SWARM_INVALID_ARGUMENT: the body or an expression in it cannot be read. That
// no node fits is not an error.
SWARM_API swarm_code swarm_manager_plan(swarm_manager* manager, const char* body,
                                        size_t body_length, const char* name, const char* platform,
                                        swarm_explanation** explanation, swarm_error** error);

// 1 when there is a node to take. The strategy random draws it at the create: then there are
// candidates and no node.
SWARM_API int swarm_explanation_fits(const swarm_explanation* explanation);
// The node to take, by name and by address; NULL when there is none, or it is still to be drawn.
SWARM_API const char* swarm_explanation_node(const swarm_explanation* explanation);
SWARM_API const char* swarm_explanation_address(const swarm_explanation* explanation);
// 1 when a node was found only without the soft expressions, also one that is still to be drawn.
SWARM_API int swarm_explanation_soft_dropped(const swarm_explanation* explanation);
// Why nothing fits, in a line; "" when something does.
SWARM_API const char* swarm_explanation_summary(const swarm_explanation* explanation);
// The nodes that fit, best first, 100 at most. `weight` is the strategy's rank and may be NULL.
SWARM_API size_t swarm_explanation_candidate_count(const swarm_explanation* explanation);
SWARM_API const char* swarm_explanation_candidate(const swarm_explanation* explanation,
                                                  size_t index, int64_t* weight);
// The others by name, with the reason of each (`reason` may be NULL).
SWARM_API size_t swarm_explanation_refused_count(const swarm_explanation* explanation);
SWARM_API const char* swarm_explanation_refused(const swarm_explanation* explanation, size_t index,
                                                const char** reason);
// All of it: {"Node","Address","SoftDropped","Summary","Candidates":[{"Node","Address","Weight"}],
// "Refused":[{"Node","Reason"}]}; Node and Address are null when none is chosen.
SWARM_API const char* swarm_explanation_json(const swarm_explanation* explanation);
SWARM_API void swarm_explanation_free(swarm_explanation* explanation);

// ---- containers -----------------------------------------------------------------------------
//
// Requests in short. An answer of 400 or above is an error with its status and message. A container
// is named as Docker names it: by name, id or the beginning of an id.

// Makes a container of the body of a create (JSON); *id is to be freed. `name` and `platform` may
// be NULL. SWARM_ALREADY_EXISTS: the name is taken. SWARM_FAILED_PRECONDITION: no node fits, or
// another conflict.
SWARM_API swarm_code swarm_container_create(swarm_manager* manager, const char* body,
                                            size_t body_length, const char* name,
                                            const char* platform, int64_t timeout_ms, char** id,
                                            swarm_error** error);
// SWARM_OK, too, when it runs already.
SWARM_API swarm_code swarm_container_start(swarm_manager* manager, const char* container,
                                           int64_t timeout_ms, swarm_error** error);
// Waits `wait_seconds` until it is killed; below 0 the engine's default. SWARM_OK, too, when it is
// stopped already.
SWARM_API swarm_code swarm_container_stop(swarm_manager* manager, const char* container,
                                          int wait_seconds, int64_t timeout_ms,
                                          swarm_error** error);
// `force`: also one that runs. `volumes`: with its anonymous volumes.
SWARM_API swarm_code swarm_container_remove(swarm_manager* manager, const char* container,
                                            int force, int volumes, int64_t timeout_ms,
                                            swarm_error** error);
// How many bytes of an answer the two calls below take, of this manager from now on; 0 = 64 MiB. A
// longer one is SWARM_RESOURCE_EXHAUSTED.
SWARM_API swarm_code swarm_manager_set_most_reply(swarm_manager* manager, uint64_t bytes,
                                                  swarm_error** error);
// The object of GET /containers/NAME/json.
SWARM_API swarm_code swarm_container_inspect(swarm_manager* manager, const char* container,
                                             int64_t timeout_ms, char** json, swarm_error** error);
// The array of GET /containers/json. `all`: also those that do not run. `filters`: as Docker's,
// {"label":["tier=web"]}, or NULL.
SWARM_API swarm_code swarm_container_list(swarm_manager* manager, int all, const char* filters,
                                          int64_t timeout_ms, char** json, swarm_error** error);

// ---- nodes ----------------------------------------------------------------------------------

// The engines as they are now, by name, then address.
SWARM_API swarm_code swarm_manager_nodes(swarm_manager* manager, swarm_nodes** nodes,
                                         swarm_error** error);
SWARM_API size_t swarm_nodes_count(const swarm_nodes* nodes);
// NULL beyond the end.
SWARM_API const swarm_node* swarm_nodes_at(const swarm_nodes* nodes, size_t index);
SWARM_API void swarm_nodes_free(swarm_nodes* nodes);

// The engine's host name; "" while it was not reached.
SWARM_API const char* swarm_node_name(const swarm_node* node);
// "10.0.0.1:2375", as discovery named it.
SWARM_API const char* swarm_node_address(const swarm_node* node);
SWARM_API const char* swarm_node_id(const swarm_node* node);
// "Pending", "Healthy", "Unhealthy" or "Disconnected".
SWARM_API const char* swarm_node_state(const swarm_node* node);
// Why it is pending or unhealthy; "" when all is well.
SWARM_API const char* swarm_node_error(const swarm_node* node);
// 1 when it gets no new containers.
SWARM_API int swarm_node_is_cordoned(const swarm_node* node);
// NULL when the engine has no such label.
SWARM_API const char* swarm_node_label(const swarm_node* node, const char* key);
// What the engine has: billionths of a processor, and bytes.
SWARM_API int64_t swarm_node_nano_cpus(const swarm_node* node);
SWARM_API int64_t swarm_node_memory(const swarm_node* node);

// ---- events ---------------------------------------------------------------------------------

// Follows the events of all engines. `filters`: as Docker's, {"type":["container"]}, or NULL.
// `since` and `until`: times as Docker takes them ("1700000000"), or NULL; with `until` the events
// end. What happens after this call has returned is not missed.
SWARM_API swarm_code swarm_events_open(swarm_manager* manager, const char* filters,
                                       const char* since, const char* until, swarm_events** events,
                                       swarm_error** error);
// The next event as JSON, valid until the next call of these events; *event = NULL when they have
// ended. One thread at a time. SWARM_DEADLINE_EXCEEDED: none came; ask again.
SWARM_API swarm_code swarm_events_next(swarm_events* events, int64_t timeout_ms, const char** event,
                                       swarm_error** error);
// Any thread: who waits in swarm_events_next is told SWARM_CANCELLED.
SWARM_API void swarm_events_cancel(swarm_events* events);
SWARM_API void swarm_events_free(swarm_events* events);

// ---- discovery ------------------------------------------------------------------------------

// Asks options->discovery once for its engines, "host:port" each; nothing is opened. Only
// discovery, simulation and own_schemes of the options count, whose `destroy` is not called.
SWARM_API swarm_code swarm_discovery_list(const swarm_options* options, int64_t timeout_ms,
                                          swarm_strings** addresses, swarm_error** error);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // SWARMLIB_SWARM_H_
