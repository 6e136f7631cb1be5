// A Docker engine as one object in memory, with faults on request.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "swarmlib/backend.h"

namespace swarm {

class FakeStream;

// Thread-safe. Answers come on the loop of the caller.
class FakeEngine {
 public:
  enum class Mode { kWell, kRefusing, kFrozen, kHtml };
  // What happens to the answer of the next create.
  enum class Loss { kNone, kBeforeItIsMade, kAfterItIsMade, kUntilMadeLate, kWrongId };
  // What is wrong with an answer: it is a 500, never comes, breaks off, or is no JSON.
  enum class Fault { kNone, kStatus500, kSilence, kCut, kMalformed };

  struct Box {
    std::string id, name, image, swarm_id, state = "created";
    std::string host_port;  // of 80/tcp
    std::int64_t memory = 0;
  };

  FakeEngine(Clock& clock, std::string address, std::string id, std::string name);

  std::unique_ptr<BackendClient> MakeClient();

  void SetMode(Mode mode);
  void SetLoss(Loss loss, absl::Status error);
  // Carries out the create that was kept for later.
  void MakeLate();
  void SetId(std::string id);
  void AddImage(const std::string& image);
  void SetLatency(Duration latency);
  // Made by somebody else, on the engine itself. Its id.
  std::string Run(const std::string& name, const std::string& state);
  void Remove(const std::string& name);
  void SetState(const std::string& name, const std::string& state, bool say_so);
  // Who inspects that container finds the fault.
  void SpoilInspect(const std::string& name, Fault fault);
  // Who asks for that path does: "/images/json".
  void Spoil(const std::string& path, Fault fault);
  // Who asks for that container's description gets no answer, until Unlock.
  void Lock(const std::string& name) { SpoilInspect(name, Fault::kSilence); }
  void Unlock();
  // Ends every event stream, as a restart of a proxy between would.
  void BreakStreams();
  // Nothing comes through the open event streams any more, not even their end.
  void ForgetStreams();
  // Forgets what happened, as a restart of the engine does.
  void ForgetEvents();
  // Sends a kept event once more.
  void RepeatLastEvent();
  // Something that is no event.
  void SendBytes(const std::string& bytes);
  // Calls so far whose "METHOD path" (without version and query) begins so.
  int Calls(std::string_view start) const;
  std::vector<Box> boxes() const;
  std::size_t streams() const;
  const std::string& address() const { return address_; }

 private:
  friend class FakeClient;

  struct Answer {
    absl::StatusOr<Reply> reply;
    Duration after{};
    bool never = false;
  };
  Answer Handle(const Request& request);
  Answer Spoiled(Fault fault) const;
  std::unique_ptr<Stream> OpenEvents(std::string_view query, Loop* loop);
  Reply Route(const Request& request, std::string path, std::string query);
  Reply Create(const std::string& sent, const std::string& query);
  Reply Operate(const std::string& method, const std::string& id, const std::string& verb,
                const std::string& query);
  Box* Find(std::string_view id_or_name);
  void Emit(const std::string& type, const std::string& action, const std::string& actor);
  std::string Row(const Box& box) const;
  std::string Inspect(const Box& box) const;

  Clock& clock_;
  const std::string address_;
  mutable std::recursive_mutex mutex_;
  std::string id_, name_;
  Mode mode_ = Mode::kWell;
  Loss loss_ = Loss::kNone;
  std::map<std::string, Fault> spoiled_;  // by path
  absl::Status loss_error_;
  std::string late_body_, late_query_;
  Duration latency_{};
  std::vector<Box> boxes_;
  std::set<std::string> images_{"busybox:latest"};
  std::vector<std::pair<std::int64_t, std::string>> events_;
  std::vector<std::weak_ptr<FakeStream>> streams_;
  std::int64_t last_time_ = 0;
  int made_ = 0;
  std::vector<std::string> calls_;
};

}  // namespace swarm
