#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bindings/c/json.h"
#include "bindings/c/nodes.h"
#include "bindings/c/options.h"
#include "bindings/c/structs.h"
#include "bindings/c/utf8.h"
#include "swarmlib/expression.h"
#include "swarmlib/status.h"

// The three that callbacks are lent live for the length of one call.
struct swarm_spec {
  const swarm::ContainerSpec* spec;
  mutable std::string json;  // made when it is asked for
};

struct swarm_rules {
  std::vector<swarm::Rule> rules;
  std::string filter;
  swarm::LogSink log;
};

struct swarm_node_view {
  explicit swarm_node_view(const swarm::NodeView& of) : view(&of), node{&of.node()} {
    if (swarm::c::IsUtf8(of.node())) return;
    mended = swarm::c::ToUtf8(swarm::Node(of.node()));
    node.node = &*mended;
  }

  const swarm::NodeView* view;
  swarm_node node;
  std::optional<swarm::Node> mended;
  mutable std::deque<swarm::Container> mended_containers;
  // Made when they are asked for.
  mutable bool has_containers = false;
  mutable std::vector<swarm_container> containers;
};

namespace swarm::c {
namespace {

std::string JsonList(const std::vector<Expression>& expressions) {
  std::string json = "[";
  for (const Expression& expression : expressions)
    json += (json.size() > 1 ? "," : "") + Quote(expression.text);
  return json + "]";
}

std::string JsonOf(const std::vector<PortBinding>& ports) {
  std::string json = "[";
  for (const PortBinding& port : ports) {
    json += json.size() > 1 ? ",{" : "{";
    json += "\"HostIp\":" + Quote(port.host_ip);
    json += ",\"HostFirst\":" + std::to_string(port.host_first);
    json += ",\"HostLast\":" + std::to_string(port.host_last);
    json += ",\"ContainerPort\":" + std::to_string(port.container_port);
    json += ",\"Protocol\":" + Quote(port.protocol) + "}";
  }
  return json + "]";
}

std::string JsonOf(const ContainerSpec& spec) {
  std::string labels;
  for (const auto& [key, value] : spec.labels)
    labels += (labels.empty() ? "" : ",") + Quote(key) + ":" + Quote(value);
  return "{\"Name\":" + Quote(spec.name) + ",\"Image\":" + Quote(spec.image) +
         ",\"Platform\":" + Quote(spec.platform) + ",\"Labels\":{" + labels +
         "},\"Memory\":" + std::to_string(spec.request.memory) +
         ",\"NanoCpus\":" + std::to_string(spec.request.nano_cpus) +
         ",\"Constraints\":" + JsonList(spec.constraints) +
         ",\"Affinities\":" + JsonList(spec.affinities) + ",\"Ports\":" + JsonOf(spec.ports) + "}";
}

void Warn(const LogSink& log, const std::string& who, const absl::Status& status) {
  if (!log) return;
  log({LogLevel::kWarning,
       "a callback failed; the node is refused",
       {{"callback", who}, {"reason", std::string(MessageOf(status))}}});
}

// One predicate of one rule.
class Predicate {
 public:
  Predicate(const swarm_rules& rules, std::string text, swarm_predicate holds, OwnedPointer owned)
      : who_("filter " + rules.filter + ", rule \"" + text + "\""),
        log_(rules.log),
        holds_(holds),
        owned_(std::move(owned)) {}

  bool operator()(const NodeView& view) const {
    const swarm_node_view lent(view);
    int holds = 0;
    const absl::Status called = CallBack(who_, [&](swarm_failure* failure) {
      return holds_(owned_->user_data(), &lent, &holds, failure);
    });
    if (!called.ok()) Warn(log_, who_, called);
    return called.ok() && holds != 0;
  }

 private:
  std::string who_;
  LogSink log_;
  swarm_predicate holds_;
  OwnedPointer owned_;
};

class CallerFilter final : public Filter {
 public:
  CallerFilter(const swarm_filter& filter, OwnedPointer owned, LogSink log)
      : name_(filter.name), rules_(filter.rules), owned_(std::move(owned)), log_(std::move(log)) {}

  std::string_view name() const override { return name_; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    std::optional<ContainerSpec> mended;
    if (!IsUtf8(spec)) mended = ToUtf8(ContainerSpec(spec));
    const swarm_spec lent{mended ? &*mended : &spec, {}};
    swarm_rules rules{{}, name_, log_};
    const absl::Status called = CallBack("filter " + name_, [&](swarm_failure* failure) {
      return rules_(owned_->user_data(), &lent, &rules, failure);
    });
    if (!called.ok()) return called;
    return std::move(rules.rules);
  }

 private:
  const std::string name_;
  swarm_code (*const rules_)(void*, const swarm_spec*, swarm_rules*, swarm_failure*);
  const OwnedPointer owned_;
  const LogSink log_;
};

}  // namespace

absl::Status AddFilter(const swarm_filter* given, Config& config, OwnedList& owned) {
  swarm_filter filter = SWARM_FILTER_INIT;
  if (absl::Status read = Widen(given, filter, "swarm_filter"); !read.ok()) return read;
  if (absl::Status fit = CheckName(filter.name); !fit.ok()) return fit;
  if (absl::Status wanted = Wanted(reinterpret_cast<const void*>(filter.rules), "rules");
      !wanted.ok())
    return wanted;
  owned.push_back(std::make_shared<Owned>(filter.user_data, filter.destroy));
  return config.filter_registry.Add(filter.name, [name = std::string(filter.name), filter,
                                                  share = owned.back(), log = config.log] {
    swarm_filter named = filter;
    named.name = name.c_str();
    return std::make_unique<CallerFilter>(named, share, log);
  });
}

}  // namespace swarm::c

using namespace swarm::c;

swarm_code swarm_rules_add_label(swarm_rules* rules, const char* expression, swarm_error** error) {
  return Guard("swarm_rules_add_label", error, [&]() -> absl::Status {
    if (absl::Status wanted = Wanted(rules, "rules"); !wanted.ok()) return wanted;
    if (absl::Status wanted = Wanted(expression, "expression"); !wanted.ok()) return wanted;
    absl::StatusOr<swarm::Expression> parsed = swarm::ParseExpression(expression);
    if (!parsed.ok()) return parsed.status();
    swarm::Rule rule;
    rule.text = parsed->text;
    rule.soft = parsed->soft;
    rule.term = swarm::term::Label{*std::move(parsed)};
    rules->rules.push_back(std::move(rule));
    return absl::OkStatus();
  });
}

swarm_code swarm_rules_add_nodes(swarm_rules* rules, const char* text, const char* const* names,
                                 size_t name_count, int soft, swarm_error** error) {
  return Guard("swarm_rules_add_nodes", error, [&]() -> absl::Status {
    if (absl::Status wanted = Wanted(rules, "rules"); !wanted.ok()) return wanted;
    if (absl::Status wanted = Wanted(text, "text"); !wanted.ok()) return wanted;
    swarm::term::NodeIn term;
    if (absl::Status read = ReadStrings(names, name_count, "names", term.names); !read.ok())
      return read;
    rules->rules.push_back({text, soft != 0, std::move(term)});
    return absl::OkStatus();
  });
}

swarm_code swarm_rules_add_predicate(swarm_rules* rules, const char* text, int soft,
                                     swarm_predicate holds, void* user_data, swarm_destroy destroy,
                                     swarm_error** error) {
  return Guard("swarm_rules_add_predicate", error, [&]() -> absl::Status {
    if (absl::Status wanted = Wanted(rules, "rules"); !wanted.ok()) return wanted;
    if (absl::Status wanted = Wanted(text, "text"); !wanted.ok()) return wanted;
    if (absl::Status wanted = Wanted(reinterpret_cast<const void*>(holds), "holds"); !wanted.ok())
      return wanted;
    const auto owned = std::make_shared<Owned>(user_data, destroy);
    swarm::term::Opaque term;
    term.holds = Predicate(*rules, text, holds, owned);
    rules->rules.push_back({text, soft != 0, std::move(term)});
    owned->Take();
    return absl::OkStatus();
  });
}

const char* swarm_spec_name(const swarm_spec* spec) {
  return spec == nullptr ? "" : spec->spec->name.c_str();
}
const char* swarm_spec_image(const swarm_spec* spec) {
  return spec == nullptr ? "" : spec->spec->image.c_str();
}
const char* swarm_spec_platform(const swarm_spec* spec) {
  return spec == nullptr ? "" : spec->spec->platform.c_str();
}
const char* swarm_spec_label(const swarm_spec* spec, const char* key) {
  if (spec == nullptr || key == nullptr) return nullptr;
  const auto found = spec->spec->labels.find(std::string_view(key));
  return found == spec->spec->labels.end() ? nullptr : found->second.c_str();
}
int64_t swarm_spec_nano_cpus(const swarm_spec* spec) {
  return spec == nullptr ? 0 : spec->spec->request.nano_cpus;
}
int64_t swarm_spec_memory(const swarm_spec* spec) {
  return spec == nullptr ? 0 : spec->spec->request.memory;
}
const char* swarm_spec_json(const swarm_spec* spec) {
  if (spec == nullptr) return "";
  return GuardValue("", [spec] {
    if (spec->json.empty()) spec->json = ToUtf8(JsonOf(*spec->spec));
    return spec->json.c_str();
  });
}

const swarm_node* swarm_node_view_node(const swarm_node_view* view) {
  return view == nullptr ? nullptr : &view->node;
}
int64_t swarm_node_view_reserved_nano_cpus(const swarm_node_view* view) {
  return view == nullptr ? 0 : view->view->reserved().nano_cpus;
}
int64_t swarm_node_view_reserved_memory(const swarm_node_view* view) {
  return view == nullptr ? 0 : view->view->reserved().memory;
}
size_t swarm_node_view_container_count(const swarm_node_view* view) {
  if (view == nullptr) return 0;
  return GuardValue(std::size_t{0}, [view] {
    if (!view->has_containers) {
      for (const swarm::Container* container : view->view->containers()) {
        if (!IsUtf8(*container)) {
          view->mended_containers.push_back(ToUtf8(swarm::Container(*container)));
          container = &view->mended_containers.back();
        }
        view->containers.push_back({container});
      }
      view->has_containers = true;
    }
    return view->containers.size();
  });
}
const swarm_container* swarm_node_view_container(const swarm_node_view* view, size_t index) {
  return index < swarm_node_view_container_count(view) ? &view->containers[index] : nullptr;
}
int swarm_node_view_has_image(const swarm_node_view* view, const char* reference) {
  if (view == nullptr || reference == nullptr) return 0;
  return GuardValue(0, [&] {
    for (const swarm::Image* image : view->view->images()) {
      if (image->id == reference) return 1;
      for (const std::string& tag : image->repo_tags) {
        if (tag == reference) return 1;
      }
      for (const std::string& digest : image->repo_digests) {
        if (digest == reference) return 1;
      }
    }
    return 0;
  });
}
