// The tier of swarm.h for extending: own filters, strategies and discovery schemes by callbacks.
// The rules of swarm.h hold; see there for what this tier promises of its stability.
//
// A callback that fails returns a code other than SWARM_OK and says why by swarm_failure_message. A
// C++ exception that leaves a callback counts as SWARM_INTERNAL with its text. Callbacks come from
// any thread of the manager, also several at once, and while it decides about a placement: they
// must not wait and must not call the manager. One that takes its time keeps that placement and a
// thread of the manager; a strategy's rank keeps all placements and lists, as it is called while
// the state is locked. What callbacks are given is theirs until they return.
#ifndef SWARMLIB_SWARM_EXTEND_H_
#define SWARMLIB_SWARM_EXTEND_H_

#include "swarmlib/swarm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct swarm_failure swarm_failure;
typedef struct swarm_spec swarm_spec;
typedef struct swarm_rules swarm_rules;
typedef struct swarm_node_view swarm_node_view;
typedef struct swarm_container swarm_container;
typedef struct swarm_discovery swarm_discovery;

// Sets the message of a callback that is about to return a code other than SWARM_OK.
SWARM_API void swarm_failure_message(swarm_failure* failure, const char* message);

// ---- filters: what a container demands of a node ----------------------------------------------

// What is asked for. Names are "" and amounts 0 where nothing is asked.
SWARM_API const char* swarm_spec_name(const swarm_spec* spec);
SWARM_API const char* swarm_spec_image(const swarm_spec* spec);
// "linux/arm64"
SWARM_API const char* swarm_spec_platform(const swarm_spec* spec);
// NULL when the container has no such label.
SWARM_API const char* swarm_spec_label(const swarm_spec* spec, const char* key);
SWARM_API int64_t swarm_spec_nano_cpus(const swarm_spec* spec);
SWARM_API int64_t swarm_spec_memory(const swarm_spec* spec);
// {"Name","Image","Platform","Labels":{},"Memory","NanoCpus","Constraints":["zone==external"],
// "Affinities":[],"Ports":[{"HostIp","HostFirst","HostLast","ContainerPort","Protocol"}]}
SWARM_API const char* swarm_spec_json(const swarm_spec* spec);

// What a predicate may see of a node: a picture that stays whole for the length of the call.
SWARM_API const swarm_node* swarm_node_view_node(const swarm_node_view* view);
// Held by the containers on the node, creates under way included.
SWARM_API int64_t swarm_node_view_reserved_nano_cpus(const swarm_node_view* view);
SWARM_API int64_t swarm_node_view_reserved_memory(const swarm_node_view* view);
// The containers on the node, creates under way included, in no stated order.
SWARM_API size_t swarm_node_view_container_count(const swarm_node_view* view);
// NULL beyond the end.
SWARM_API const swarm_container* swarm_node_view_container(const swarm_node_view* view,
                                                           size_t index);
SWARM_API const char* swarm_container_name(const swarm_container* container);
SWARM_API const char* swarm_container_id(const swarm_container* container);
SWARM_API const char* swarm_container_image(const swarm_container* container);
// "created", "running", "paused", "restarting", "removing", "exited" or "dead".
SWARM_API const char* swarm_container_state(const swarm_container* container);
// NULL when the container has no such label.
SWARM_API const char* swarm_container_label(const swarm_container* container, const char* key);
// 1 when an image of that id, tag ("nginx:latest") or digest is on the node.
SWARM_API int swarm_node_view_has_image(const swarm_node_view* view, const char* reference);

// Sets *holds to 1 when the node will do. Pure: the same node and the same container give the same
// answer. A failure refuses the node, and is logged.
typedef swarm_code (*swarm_predicate)(void* user_data, const swarm_node_view* view, int* holds,
                                      swarm_failure* failure);

// Rules to which a filter adds. `soft` is 1 for one that is dropped when no node fits otherwise.

// A demand on the labels of nodes, in the language of constraints: "zone==external", "disk!=hdd",
// "region==us-*", "node==/web[0-9]+/", "disk==~ssd" (soft). Answered from indexes, however many
// nodes there are. SWARM_INVALID_ARGUMENT: the expression cannot be read.
SWARM_API swarm_code swarm_rules_add_label(swarm_rules* rules, const char* expression,
                                           swarm_error** error);
// The node is one of these, by name. Answered from indexes.
SWARM_API swarm_code swarm_rules_add_nodes(swarm_rules* rules, const char* text,
                                           const char* const* names, size_t name_count, int soft,
                                           swarm_error** error);
// Anything else, asked of each node that the other rules have left. `text` is shown when no node is
// left, as in "no node fits: evenness". When the call succeeds the rule has taken `user_data` over.
SWARM_API swarm_code swarm_rules_add_predicate(swarm_rules* rules, const char* text, int soft,
                                               swarm_predicate holds, void* user_data,
                                               swarm_destroy destroy, swarm_error** error);

// A filter of options.own_filters. Begin with SWARM_FILTER_INIT.
typedef struct swarm_filter {
  size_t struct_size;
  // The word of options.filters: lower case, and none of the filters built in.
  const char* name;
  void* user_data;
  swarm_destroy destroy;
  // Adds the demands of one container. A failure ends the create with its code and message.
  swarm_code (*rules)(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                      swarm_failure* failure);
} swarm_filter;

#define SWARM_FILTER_INIT \
  { sizeof(swarm_filter), NULL, NULL, NULL, NULL }

// ---- strategies: which of the nodes that fit is taken -------------------------------------------

// What a strategy may know of a node, and what is asked of it; equal nodes share one rank. Filled
// by the library: struct_size tells which fields are there.
typedef struct swarm_node_usage {
  size_t struct_size;
  int64_t reserved_nano_cpus;  // by containers of every state and by creates under way
  int64_t reserved_memory;     // bytes
  int64_t total_nano_cpus;     // with overcommit
  int64_t total_memory;
  int64_t health;  // 100 without failures, 0 when not healthy
  int64_t containers;
  int64_t asked_nano_cpus;  // 0 = nothing is asked
  int64_t asked_memory;
} swarm_node_usage;

// A strategy of options.own_strategies. Begin with SWARM_STRATEGY_INIT.
typedef struct swarm_strategy {
  size_t struct_size;
  const char* name;  // the word of options.strategy: lower case, and none of those built in
  void* user_data;
  swarm_destroy destroy;
  // Sets *fits to 1 and *rank to the rank of a node; the lowest is taken, and of equal ones the
  // first by name. Pure. A failure means that the node does not fit, and is logged.
  swarm_code (*rank)(void* user_data, const swarm_node_usage* usage, int* fits, int64_t* rank,
                     swarm_failure* failure);
} swarm_strategy;

#define SWARM_STRATEGY_INIT \
  { sizeof(swarm_strategy), NULL, NULL, NULL, NULL }

// ---- discovery: where the engines are -----------------------------------------------------------

// A scheme of options.own_schemes. Begin with SWARM_SCHEME_INIT.
typedef struct swarm_scheme {
  size_t struct_size;
  const char* name;  // of "name://rest"
  void* user_data;
  swarm_destroy destroy;
  // Begins to watch the source named by `rest`. From now on until `close` returns any thread may
  // call swarm_discovery_update and swarm_discovery_fail with `discovery`, also before `open`
  // returns. *source is what `close` is given. A failure ends swarm_manager_open with it.
  swarm_code (*open)(void* user_data, const char* rest, swarm_discovery* discovery, void** source,
                     swarm_failure* failure);
  // Ends it: when this returns, no thread calls with `discovery` any more. Once for each `open`
  // that succeeded.
  void (*close)(void* user_data, void* source);
} swarm_scheme;

#define SWARM_SCHEME_INIT \
  { sizeof(swarm_scheme), NULL, NULL, NULL, NULL, NULL }

// The whole set of engines as it is now, "host:port" each. Does not wait; may be called in a
// callback. Of several sets that come in a row only the last may be seen. SWARM_INVALID_ARGUMENT:
// an address is empty or NULL.
SWARM_API swarm_code swarm_discovery_update(swarm_discovery* discovery,
                                            const char* const* addresses, size_t address_count,
                                            swarm_error** error);
// The source cannot be read: the set known so far stays, and the reason is logged and told by
// swarm_manager_wait_ready.
SWARM_API void swarm_discovery_fail(swarm_discovery* discovery, swarm_code code,
                                    const char* message);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // SWARMLIB_SWARM_EXTEND_H_
