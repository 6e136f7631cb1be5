#include "cluster/engine.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "cluster/engine_calls.h"
#include "cluster/guarded_client.h"
#include "cluster/hub.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

std::string HostOf(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return std::string(host);
}

}  // namespace

bool IsEngineFailure(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kResourceExhausted: return false;
    default: return true;
  }
}

Engine::Engine(std::shared_ptr<Hub> hub, std::string address, Loop* home,
               std::unique_ptr<BackendClient> client, std::uint64_t seed)
    : hub_(std::move(hub)),
      address_(std::move(address)),
      host_(HostOf(address_)),
      home_(home),
      client_(std::move(client)),
      guard_(std::make_unique<GuardedClient>(*this)),
      shown_error_("it was not reached yet"),
      random_(seed) {
  node_.address = address_;
  node_.ip = host_;
  node_.error = shown_error_;
  node_.cordoned = hub_->cordons.Has(address_);
}

Engine::~Engine() = default;

std::shared_ptr<BackendClient> Engine::guard() { return {shared_from_this(), guard_.get()}; }

absl::Status Engine::Refusal() const {
  std::string text = "node " + Label() + " is not healthy";
  const std::lock_guard lock(shown_mutex_);
  if (!shown_error_.empty()) text.append(": ").append(shown_error_);
  return Unavailable(text);
}

std::string Engine::Label() const {
  const std::lock_guard lock(shown_mutex_);
  return shown_name_.empty() ? address_ : shown_name_ + " (" + address_ + ")";
}

std::string Engine::version_prefix() const {
  const std::lock_guard lock(shown_mutex_);
  return version_prefix_;
}

std::stop_token Engine::health_token() const {
  const std::lock_guard lock(shown_mutex_);
  return health_stop_.get_token();
}

void Engine::NoteOutcome(const absl::Status& outcome, TimePoint began) {
  const bool failed = IsEngineFailure(outcome);
  const bool heals = outcome.ok() && failures_.load(std::memory_order_relaxed) > 0;
  if (!failed && !heals) return;
  home_->Post([self = shared_from_this(), outcome, began, failed] {
    if (absl::IsDeadlineExceeded(outcome)) {
      self->NoteSilence(outcome, began);
    } else if (failed) {
      self->NoteFailure(outcome, began);
    } else {
      self->NoteSuccess();
    }
  });
}

void Engine::NoteSilence(const absl::Status& failure, TimePoint began) {
  if (stopping_ || began <= last_counted_) return;
  if (node_.state != NodeState::kHealthy) return NoteFailure(failure, began);
  if (std::exchange(pings_beside_, true)) return;
  CallOptions options;
  options.timeout = std::min(hub_->options.engine_timeout, kPingPatience);
  options.max_body = kMostPingBytes;
  options.stop = stop_token();
  client_->Call(MakeRequest("GET", version_prefix() + "/_ping"), std::move(options),
                [self = shared_from_this(), failure, began](absl::StatusOr<Reply> reply) {
                  self->pings_beside_ = false;
                  if (!CheckAnswer(reply, "GET /_ping").ok())
                    return self->NoteFailure(failure, began);
                  Log(self->hub_->options.log, LogLevel::kWarning,
                      "a call was not answered in time, by an engine that answers others",
                      {{"node", self->Label()}, {"reason", std::string(MessageOf(failure))}});
                  self->NoteSuccess();
                });
}

void Engine::Describe(Node node) {
  node.address = address_;
  node.state = node_.state;
  node.error = node_.error;
  node.failures = node_.failures;
  node.cordoned = node_.cordoned;
  node.updated_at = node_.updated_at;
  node_ = std::move(node);
  const std::lock_guard lock(shown_mutex_);
  shown_name_ = node_.name;
  version_prefix_ = VersionPrefix(node_, {});
}

void Engine::NoteDroppedLabels(std::vector<std::string> quoted) {
  if (quoted == dropped_labels_) return;
  dropped_labels_ = std::move(quoted);
  if (dropped_labels_.empty()) return;
  Log(hub_->options.log, LogLevel::kWarning,
      "an engine has labels that hold control bytes; they are left out",
      {{"node", Label()},
       {"first", dropped_labels_.front()},
       {"count", std::to_string(dropped_labels_.size())}});
}

void Engine::NoteSuccess() {
  if (node_.state != NodeState::kHealthy) {
    // Something answered it: look now, not when the pause is over.
    if (node_.state == NodeState::kUnhealthy) pause_.Interrupt();
    return;
  }
  if (node_.failures == 0) return;
  node_.failures = 0;
  node_.error.clear();
  PublishNode();
}

void Engine::NoteFailure(const absl::Status& failure, TimePoint began) {
  if (stopping_ || !IsEngineFailure(failure) || began <= last_counted_) return;
  last_counted_ = home_->clock().Now();
  const int retry = hub_->options.state.failure_retry;
  const int failures = std::min(node_.failures + 1, retry);
  const std::string reason(MessageOf(failure));
  const bool known = failures == node_.failures && reason == node_.error;
  if (known && node_.state != NodeState::kHealthy) return;
  node_.failures = failures;
  if (node_.state == NodeState::kHealthy && node_.failures >= retry) {
    BecomeUnhealthy(reason);
    return;
  }
  if (reason != node_.error) {
    Log(hub_->options.log, LogLevel::kWarning, "an engine does not answer as it should",
        {{"node", Label()}, {"reason", reason}});
  }
  node_.error = reason;
  PublishNode();
}

void Engine::Refuse(const absl::Status& reason) {
  const bool was_known = node_.state == NodeState::kHealthy || node_.state == NodeState::kUnhealthy;
  const std::string text(MessageOf(reason));
  if (node_.error != text || was_known) {
    Log(hub_->options.log, LogLevel::kWarning, "an engine is refused",
        {{"node", Label()}, {"reason", text}});
  }
  if (node_.state == NodeState::kHealthy) BecomeUnhealthy(text);
  hub_->state.ReleaseId(member_);
  Node refused;
  refused.address = address_;
  refused.ip = node_.ip;
  refused.cordoned = node_.cordoned;
  refused.error = text;
  node_ = std::move(refused);
  was_healthy_ = false;
  PublishNode();
  if (was_known) hub_->state.Empty(member_);
}

void Engine::PublishHealthy(std::uint64_t read, TimePoint began, EngineContents contents) {
  const bool healed = node_.state != NodeState::kHealthy;
  node_.state = NodeState::kHealthy;
  node_.error.clear();
  node_.failures = 0;
  node_.updated_at = home_->clock().Wall();
  failures_.store(0, std::memory_order_relaxed);
  attempts_ = 0;
  if (healed) {
    const std::lock_guard lock(shown_mutex_);
    health_stop_ = std::stop_source();
  }
  // Calls are let through before the scheduler can choose the node.
  SetHealthy(true);
  hub_->state.PublishAll(member_, read, began, node_, std::move(contents));
  hub_->LogClashes();
  {
    const std::lock_guard lock(shown_mutex_);
    shown_error_.clear();
  }
  if (!healed) return;
  Log(hub_->options.log, LogLevel::kInfo, "an engine is healthy", {{"node", Label()}});
  PublishNodeEvent(std::exchange(was_healthy_, true) ? "engine_reconnect" : "engine_connect");
}

void Engine::NoteImages(const absl::Status& outcome) {
  if (std::exchange(misses_images_, !outcome.ok()) || outcome.ok()) return;
  Log(hub_->options.log, LogLevel::kWarning,
      "an engine's images cannot be read; those that are known stay, and it is tried again",
      {{"node", Label()}, {"reason", std::string(MessageOf(outcome))}});
}

void Engine::NoteAttempt() {
  if (node_.state != NodeState::kHealthy) ++attempts_;
  hub_->readiness.Tried(address_);
}

void Engine::SetCordoned(bool cordoned) {
  hub_->cordons.Set(address_, cordoned);
  if (std::exchange(node_.cordoned, cordoned) == cordoned) return;
  Log(hub_->options.log, LogLevel::kInfo,
      cordoned ? "a node is cordoned" : "a node is not cordoned any more", {{"node", Label()}});
  PublishNode();
}

void Engine::Stop(bool left) {
  if (std::exchange(stopping_, true)) return;
  const bool was_healthy = node_.state == NodeState::kHealthy;
  node_.state = NodeState::kDisconnected;
  node_.error = left ? "it left discovery" : "the manager is closing";
  {
    const std::lock_guard lock(shown_mutex_);
    shown_error_ = node_.error;
  }
  SetHealthy(false);
  if (left && was_healthy) PublishNodeEvent("engine_disconnect");
  hub_->readiness.Tried(address_);
  stop_.request_stop();
  pause_.Interrupt();
}

void Engine::PublishNode() {
  failures_.store(node_.failures, std::memory_order_relaxed);
  {
    const std::lock_guard lock(shown_mutex_);
    shown_name_ = node_.name;
    shown_error_ = node_.error;
  }
  hub_->state.SetNode(member_, node_);
}

void Engine::BecomeUnhealthy(const std::string& reason) {
  node_.state = NodeState::kUnhealthy;
  node_.error = reason;
  PublishNode();
  SetHealthy(false);
  Log(hub_->options.log, LogLevel::kWarning, "an engine is unhealthy",
      {{"node", Label()}, {"reason", reason}});
  PublishNodeEvent("engine_disconnect");
}

void Engine::SetHealthy(bool healthy) {
  healthy_.store(healthy, std::memory_order_release);
  if (healthy) return;
  std::stop_source source;
  {
    const std::lock_guard lock(shown_mutex_);
    source = health_stop_;
  }
  source.request_stop();
  hub_->put_off.ForgetAll(*this);
}

void Engine::PublishNodeEvent(const char* action) {
  ClusterEvent event;
  event.type = "node";
  event.action = action;
  event.actor_id = node_.id;
  event.attributes = {{"name", node_.name},
                      {"node.name", node_.name},
                      {"node.id", node_.id},
                      {"node.addr", node_.address},
                      {"node.ip", node_.ip}};
  event.scope = "swarm";
  event.time_nano = home_->clock().Wall().time_since_epoch().count();
  event.node = address_;
  hub_->bus.Publish(std::move(event));
}

}  // namespace swarm
