#include "cluster/calling_out.h"

namespace swarm {
namespace {

thread_local int calls_out = 0;

}  // namespace

CallingOut::CallingOut() { ++calls_out; }
CallingOut::~CallingOut() { --calls_out; }
bool CallingOut::Now() { return calls_out > 0; }

}  // namespace swarm
