#include "node_flags.h"

#include <cstdlib>

#include "arguments.h"

namespace swarmd {

CLI::App* AddNodeCommand(CLI::App& app, NodeCommand& command, std::string& timeout) {
  CLI::App* node = app.add_subcommand("node", "look at and steer the nodes of a running manager");
  node->require_subcommand(1);
  node->add_option("--host,-H", command.manager,
                   "where the manager listens, [tcp://]ADDRESS:PORT or unix://PATH (SWARM_HOST; "
                   "default tcp://127.0.0.1:2375)");
  node->add_flag("--tls", command.tls.enabled, "use TLS");
  node->add_flag("--tlsverify", command.tls.verify, "use TLS and verify the manager");
  node->add_option("--tlscacert", command.tls.ca_file, "the CA's certificate (PEM)");
  node->add_option("--tlscert", command.tls.certificate_file, "our certificate (PEM)");
  node->add_option("--tlskey", command.tls.key_file, "its key (PEM)");
  node->add_option("--timeout", timeout, "how long to wait for the manager");
  node->add_subcommand("ls", "one line a node");
  const auto add = [&](const char* verb, const char* text) {
    CLI::App* part = node->add_subcommand(verb, text);
    part->add_option("NODE", command.node, "its name, id or address")->required();
    return part;
  };
  add("inspect", "all that is known of a node, in JSON");
  add("cordon", "the node gets no new containers");
  add("uncordon", "it gets new containers again");
  CLI::App* drain = add("drain", "cordon the node, and stop what runs there");
  drain
      ->add_option(
          "--policy", command.policy,
          "stop: stop what runs; move: make what is declared movable again elsewhere, and leave "
          "the rest; leave: only cordon")
      ->check(CLI::IsMember({"stop", "move", "leave"}));
  drain->add_flag("--plan", command.plan, "say what would be done, and do nothing");
  drain->add_option("--time,-t", command.stop_time, "seconds that a container gets to stop")
      ->check(CLI::Range(0, 86'400));
  return node;
}

std::string FinishNodeCommand(const CLI::App& node, const std::string& timeout,
                              NodeCommand& command) {
  command.verb = node.get_subcommands().front()->get_name();
  if (command.policy.empty()) command.policy = "stop";
  if (command.tls.verify) command.tls.enabled = true;
  if (command.manager.empty()) {
    const char* const listed = std::getenv("SWARM_HOST");
    if (listed != nullptr)
      command.manager = std::string(listed).substr(0, std::string(listed).find(','));
  }
  if (command.manager.empty()) command.manager = "tcp://127.0.0.1:2375";
  if (command.manager.find("://") == std::string::npos)
    command.manager = "tcp://" + command.manager;
  const std::optional<swarm::Duration> wait = ParseDuration(timeout);
  if (!wait || *wait <= swarm::Duration::zero())
    return "--timeout " + timeout + ": a duration such as 30s or 500ms is wanted";
  command.timeout = *wait;
  return {};
}

}  // namespace swarmd
