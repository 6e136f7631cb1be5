// Callbacks of a C++ program that throw.
#include <stdexcept>

#include "swarmlib/swarm_extend.h"

extern "C" {

swarm_code throw_in_rules(void*, const swarm_spec*, swarm_rules*, swarm_failure*);
swarm_code throw_in_rank(void*, const swarm_node_usage*, int*, int64_t*, swarm_failure*);
swarm_code throw_in_predicate(void*, const swarm_node_view*, int*, swarm_failure*);
swarm_code throw_in_open(void*, const char*, swarm_discovery*, void**, swarm_failure*);
void throw_in_log(void*, swarm_log_level, const char*, const swarm_field*, size_t);
void throw_in_destroy(void*);

swarm_code throw_in_rules(void*, const swarm_spec*, swarm_rules*, swarm_failure*) {
  throw std::runtime_error("thrown on purpose");
}
swarm_code throw_in_rank(void*, const swarm_node_usage*, int*, int64_t*, swarm_failure*) {
  throw 7;
}
swarm_code throw_in_predicate(void*, const swarm_node_view*, int*, swarm_failure*) {
  throw std::runtime_error("thrown on purpose");
}
swarm_code throw_in_open(void*, const char*, swarm_discovery*, void**, swarm_failure*) {
  throw std::runtime_error("thrown on purpose");
}
void throw_in_log(void*, swarm_log_level, const char*, const swarm_field*, size_t) { throw 8; }
void throw_in_destroy(void*) { throw 9; }
}
