// What flows between a client that builds and the node that does it.
#pragma once

#include <memory>
#include <vector>

#include "api/build_hold.h"
#include "api/build_sessions.h"
#include "api/context.h"
#include "api/image_upload.h"

namespace swarm {

// Bytes of one object that an engine tells, as a BuildKit build tells whole outputs of its steps.
inline constexpr std::size_t kMostBuildObject = 16U << 20U;
// What a slow client may be behind, in bytes. Beyond, the engine waits.
inline constexpr std::size_t kMostBuildAhead = 256U << 10U;

// A build under way on its node: it ends when the client goes or the node stops being healthy.
struct BuildRun {
  ContextPointer context;
  std::shared_ptr<ClientRun> watched;
  std::vector<std::shared_ptr<BuildSessions::Hold>> holds;  // given up at its end
  std::shared_ptr<BuildReservation> place;                  // given up at its end; may be null

  const NodePointer& node() const { return watched->run()->node; }
};

// The engine's answer as the client gets it: whole objects, and behind them, when the node failed,
// an error that names it. Ends when the images of the node were read again, so that the next
// request finds what was built.
Reply RelayBuild(std::shared_ptr<BuildRun> build, Reply answer);

// The engine's end of a tunnel. When the client leaves, the images of the node are read again.
std::unique_ptr<Stream> RelayTunnel(std::shared_ptr<BuildRun> build,
                                    std::unique_ptr<Stream> tunnel);

}  // namespace swarm
