// Every bound of the transport, with its unit. Those of heads and chunks stand in http_head.h and
// chunked.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "swarmlib/clock.h"

namespace swarm::net {

// Buffers, in bytes. They start small, since an idle connection keeps its own, and grow while they
// are filled.
inline constexpr std::size_t kFirstBuffer = 4U << 10U;
inline constexpr std::size_t kKeptBuffer = 16U << 10U;  // of a connection that waits in a pool
inline constexpr std::size_t kStreamBuffer =
    64U << 10U;  // of one direction of a streamed body or tunnel
inline constexpr std::size_t kMaxPipelined = 8U
                                             << 10U;  // taken in behind a request that still runs
inline constexpr std::size_t kMaxDrained = 256U << 10U;  // of a body that the handler left unread
inline constexpr std::size_t kMaxEditedBody = 4U
                                              << 20U;  // of an answer that is rewritten on its way
inline constexpr std::size_t kMaxIoVectors = 64;       // of one gather write
inline constexpr std::size_t kMaxSpliced =
    1U << 20U;  // of one splice call; the pipe holds 64 KiB anyway

// Waits of a server.
inline constexpr Duration kHeadDeadline =
    std::chrono::seconds(10);                                       // from the first byte of a head
inline constexpr Duration kIdleDeadline = std::chrono::minutes(5);  // between requests
// For the head of a relayed answer, again and again while its node is healthy. Then the handler
// answers.
inline constexpr Duration kRelayDeadline = std::chrono::seconds(3);
inline constexpr Duration kRelayPause =
    std::chrono::minutes(2);  // between two pieces of a relayed answer
// Without progress, of a write whose bytes this process holds (lists, inspects, events), and of one
// that passes on what an engine sends.
inline constexpr Duration kHeldWritePause = std::chrono::seconds(60);
inline constexpr Duration kStreamWritePause = std::chrono::minutes(10);
// A streaming client that has taken nothing for so long may go when memory is used up.
inline constexpr Duration kStreamStall = std::chrono::seconds(5);
inline constexpr Duration kBodyPause =
    std::chrono::minutes(10);  // between two pieces of a request's body
inline constexpr Duration kDrainDeadline =
    std::chrono::seconds(10);  // for the rest of a body that nobody wants
inline constexpr Duration kLingerDeadline =
    std::chrono::seconds(2);  // for a client to read our last answer
inline constexpr Duration kAcceptPause =
    std::chrono::milliseconds(100);  // when descriptors have run out
inline constexpr Duration kMadeRoomPause =
    std::chrono::milliseconds(5);  // the same when an idle connection closes for it

// Waits of a client.
inline constexpr Duration kConnectDeadline = std::chrono::seconds(5);
inline constexpr Duration kHandshakeDeadline = std::chrono::seconds(10);  // both roles
inline constexpr Duration kPoolIdleDeadline = std::chrono::seconds(60);

// Counts.
inline constexpr std::size_t kMaxPooled = 64;       // idle connections of one loop to one endpoint
inline constexpr std::size_t kMaxInterimHeads = 8;  // 1xx heads before an answer
inline constexpr std::size_t kMaxResolvedAddresses = 8;  // tried for one name
inline constexpr std::size_t kReactorBatch = 256;        // events told in one turn of the loop
inline constexpr std::size_t kAcceptBatch = 4;  // connections taken in one turn of the loop
inline constexpr std::size_t kMaxClosing = 64;  // idle ones that were told to make room, at once
inline constexpr Duration kRoomReportPause =
    std::chrono::minutes(1);  // between two warnings that there is no room
inline constexpr std::size_t kReservedDescriptors = 256;  // never used for clients' connections
inline constexpr int kListenBacklog = 4096;
inline constexpr int kMaxSparePipes = 16;  // kept for the next splice, one loop

// TCP keep-alive probes, in seconds: first after 30 s of silence, then every 10 s, dead after 3.
inline constexpr int kKeepAliveIdleSeconds = 30;
inline constexpr int kKeepAliveIntervalSeconds = 10;
inline constexpr int kKeepAliveProbes = 3;

}  // namespace swarm::net
