#include <string>
#include <utility>

#include "bindings/c/json.h"
#include "bindings/c/request.h"
#include "swarmlib/status.h"

using namespace swarm::c;

namespace {

// Appends "&key=value", percent-encoded; nothing for a NULL.
void AddQuery(std::string& target, const char* key, const char* value) {
  if (value == nullptr) return;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += key;
  target += '=' + PercentEncode(value);
}

absl::Status CheckContainer(const swarm_manager* manager, const char* container) {
  if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
  if (OrEmpty(container).empty()) return swarm::InvalidArgument("no container is named");
  return absl::OkStatus();
}

std::string PathOf(const char* container) { return "/containers/" + PercentEncode(container); }

}  // namespace

swarm_code swarm_container_create(swarm_manager* manager, const char* body, size_t body_length,
                                  const char* name, const char* platform, int64_t timeout_ms,
                                  char** id, swarm_error** error) {
  if (id != nullptr) *id = nullptr;
  return GuardWait("swarm_container_create", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(id, "id"); !wanted.ok()) return wanted;
    if (absl::Status wanted = Wanted(body, "body"); !wanted.ok()) return wanted;
    std::string target = "/containers/create";
    AddQuery(target, "name", name);
    AddQuery(target, "platform", platform);
    const absl::StatusOr<swarm::Reply> reply =
        Ask(manager, "POST", std::move(target), std::string(body, body_length), timeout_ms);
    if (!reply.ok()) return reply.status();
    const std::optional<std::string> made = StringMember(reply->body, "Id");
    if (!made) return swarm::Internal("the answer names no Id: " + reply->body);
    *id = CopyOut(*made);
    return absl::OkStatus();
  });
}

swarm_code swarm_container_start(swarm_manager* manager, const char* container, int64_t timeout_ms,
                                 swarm_error** error) {
  return GuardWait("swarm_container_start", error, [&]() -> absl::Status {
    if (absl::Status fit = CheckContainer(manager, container); !fit.ok()) return fit;
    return Ask(manager, "POST", PathOf(container) + "/start", {}, timeout_ms).status();
  });
}

swarm_code swarm_container_stop(swarm_manager* manager, const char* container, int wait_seconds,
                                int64_t timeout_ms, swarm_error** error) {
  return GuardWait("swarm_container_stop", error, [&]() -> absl::Status {
    if (absl::Status fit = CheckContainer(manager, container); !fit.ok()) return fit;
    std::string target = PathOf(container) + "/stop";
    if (wait_seconds >= 0) AddQuery(target, "t", std::to_string(wait_seconds).c_str());
    return Ask(manager, "POST", std::move(target), {}, timeout_ms).status();
  });
}

swarm_code swarm_container_remove(swarm_manager* manager, const char* container, int force,
                                  int volumes, int64_t timeout_ms, swarm_error** error) {
  return GuardWait("swarm_container_remove", error, [&]() -> absl::Status {
    if (absl::Status fit = CheckContainer(manager, container); !fit.ok()) return fit;
    std::string target = PathOf(container);
    if (force != 0) AddQuery(target, "force", "1");
    if (volumes != 0) AddQuery(target, "v", "1");
    return Ask(manager, "DELETE", std::move(target), {}, timeout_ms).status();
  });
}

swarm_code swarm_container_inspect(swarm_manager* manager, const char* container,
                                   int64_t timeout_ms, char** json, swarm_error** error) {
  if (json != nullptr) *json = nullptr;
  return GuardWait("swarm_container_inspect", error, [&]() -> absl::Status {
    if (absl::Status fit = CheckContainer(manager, container); !fit.ok()) return fit;
    if (absl::Status wanted = Wanted(json, "json"); !wanted.ok()) return wanted;
    absl::StatusOr<swarm::Reply> reply =
        Ask(manager, "GET", PathOf(container) + "/json", {}, timeout_ms);
    if (!reply.ok()) return reply.status();
    *json = CopyOut(std::move(reply->body));
    return absl::OkStatus();
  });
}

swarm_code swarm_container_list(swarm_manager* manager, int all, const char* filters,
                                int64_t timeout_ms, char** json, swarm_error** error) {
  if (json != nullptr) *json = nullptr;
  return GuardWait("swarm_container_list", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(json, "json"); !wanted.ok()) return wanted;
    std::string target = "/containers/json";
    if (all != 0) AddQuery(target, "all", "1");
    AddQuery(target, "filters", filters);
    absl::StatusOr<swarm::Reply> reply = Ask(manager, "GET", std::move(target), {}, timeout_ms);
    if (!reply.ok()) return reply.status();
    *json = CopyOut(std::move(reply->body));
    return absl::OkStatus();
  });
}
