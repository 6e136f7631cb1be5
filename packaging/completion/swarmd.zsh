#compdef swarmd swarm
# Completion of zsh for swarmd. Made by tools/make_completion.py from the program's help; do not edit.
_swarmd_nodes() { compadd -- ${(f)"$(swarmd node --timeout 1s ls 2>/dev/null | sed -n '2,$s/ .*//p')"} }
_swarmd_node_drain() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*--policy[stop\: stop what runs; move\: make what is declared movable again elsewhere, and leave the rest; leave\: only cordon]:value:(stop move leave)' \
    '*--plan[say what would be done, and do nothing]' \
    '*-t[seconds that a container gets to stop]:value: ' \
    '*--time[seconds that a container gets to stop]:value: ' \
    '*:node:_swarmd_nodes'
}
_swarmd_node_uncordon() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*:node:_swarmd_nodes'
}
_swarmd_node_cordon() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*:node:_swarmd_nodes'
}
_swarmd_node_inspect() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*:node:_swarmd_nodes'
}
_swarmd_node_ls() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*:argument:_files'
}
_swarmd_help() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*:argument:_files'
}
_swarmd_version() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*:argument:_files'
}
_swarmd_node() {
  local context state state_descr line
  _arguments -C \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*-H[where the manager listens, \[tcp\://\]ADDRESS\:PORT or unix\://PATH (SWARM_HOST; default tcp\://127.0.0.1\:2375)]:value: ' \
    '*--host[where the manager listens, \[tcp\://\]ADDRESS\:PORT or unix\://PATH (SWARM_HOST; default tcp\://127.0.0.1\:2375)]:value: ' \
    '*--tls[use TLS]' \
    '*--tlsverify[use TLS and verify the manager]' \
    '*--tlscacert[the CA'\''s certificate (PEM)]:value:_files' \
    '*--tlscert[our certificate (PEM)]:value:_files' \
    '*--tlskey[its key (PEM)]:value:_files' \
    '*--timeout[how long to wait for the manager]:value: ' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a words_of=(
        'ls:one line a node'
        'inspect:all that is known of a node, in JSON'
        'cordon:the node gets no new containers'
        'uncordon:it gets new containers again'
        'drain:cordon the node, and stop what runs there'
      )
      _describe command words_of ;;
    argument)
      case $words[1] in
        ls) _swarmd_node_ls ;;
        inspect) _swarmd_node_inspect ;;
        cordon) _swarmd_node_cordon ;;
        uncordon) _swarmd_node_uncordon ;;
        drain) _swarmd_node_drain ;;
      esac ;;
  esac
}
_swarmd_explain() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*--discovery[the same as a flag (the spelling of early 2015)]:value: ' \
    '*--discovery-opt[KEY=VALUE for the discovery service]:value: ' \
    '*--heartbeat[how often a source is read again at the latest]:value: ' \
    '*--hb[how often a source is read again at the latest]:value: ' \
    '*--strategy[spread, binpack or random]:value:(spread binpack random)' \
    '*-f[use only these filters, in this order (repeat)]:value:(health port containerslots dependency affinity constraint whitelist platform)' \
    '*--filter[use only these filters, in this order (repeat)]:value:(health port containerslots dependency affinity constraint whitelist platform)' \
    '*-c[swarm]:value:(swarm)' \
    '*--cluster-driver[swarm]:value:(swarm)' \
    '*--cluster-opt[swarm.overcommit=0.05, swarm.createretry=0]:value:(swarm.overcommit= swarm.createretry=)' \
    '*--overcommit[share of memory and processors given beyond what is there]:value: ' \
    '*--oc[share of memory and processors given beyond what is there]:value: ' \
    '*--cpu-shares-as-cores[read -c N as N processors, as Docker Swarm did]' \
    '*--pull-on-create[create pulls an image that no node has, as Docker Swarm did]' \
    '*--tls[use TLS]' \
    '*--tlsverify[use TLS and verify clients and engines]' \
    '*--tlscacert[the CA'\''s certificate (PEM)]:value:_files' \
    '*--tlscert[our certificate (PEM)]:value:_files' \
    '*--tlskey[its key (PEM)]:value:_files' \
    '*--engine-refresh-min-interval[least time between two looks at an engine]:value: ' \
    '*--engine-refresh-max-interval[most time between two looks at an engine]:value: ' \
    '*--engine-failure-retry[failures in a row until an engine is unhealthy]:value: ' \
    '*--engine-refresh-retry[deprecated; only 3 is accepted]:value: ' \
    '*--engine-timeout[an engine that takes longer to answer has failed]:value: ' \
    '*--timeout[how long to wait for the engines]:value: ' \
    '*:argument:_files'
}
_swarmd_list() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*--discovery[the same as a flag (the spelling of early 2015)]:value: ' \
    '*--discovery-opt[KEY=VALUE for the discovery service]:value: ' \
    '*--heartbeat[how often a source is read again at the latest]:value: ' \
    '*--hb[how often a source is read again at the latest]:value: ' \
    '*--timeout[how long to wait for the first answer]:value: ' \
    '*:argument:_files'
}
_swarmd_manage() {
  _arguments \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*--discovery[the same as a flag (the spelling of early 2015)]:value: ' \
    '*--discovery-opt[KEY=VALUE for the discovery service]:value: ' \
    '*--heartbeat[how often a source is read again at the latest]:value: ' \
    '*--hb[how often a source is read again at the latest]:value: ' \
    '*--strategy[spread, binpack or random]:value:(spread binpack random)' \
    '*-f[use only these filters, in this order (repeat)]:value:(health port containerslots dependency affinity constraint whitelist platform)' \
    '*--filter[use only these filters, in this order (repeat)]:value:(health port containerslots dependency affinity constraint whitelist platform)' \
    '*-c[swarm]:value:(swarm)' \
    '*--cluster-driver[swarm]:value:(swarm)' \
    '*--cluster-opt[swarm.overcommit=0.05, swarm.createretry=0]:value:(swarm.overcommit= swarm.createretry=)' \
    '*--overcommit[share of memory and processors given beyond what is there]:value: ' \
    '*--oc[share of memory and processors given beyond what is there]:value: ' \
    '*--cpu-shares-as-cores[read -c N as N processors, as Docker Swarm did]' \
    '*--pull-on-create[create pulls an image that no node has, as Docker Swarm did]' \
    '*--tls[use TLS]' \
    '*--tlsverify[use TLS and verify clients and engines]' \
    '*--tlscacert[the CA'\''s certificate (PEM)]:value:_files' \
    '*--tlscert[our certificate (PEM)]:value:_files' \
    '*--tlskey[its key (PEM)]:value:_files' \
    '*--engine-refresh-min-interval[least time between two looks at an engine]:value: ' \
    '*--engine-refresh-max-interval[most time between two looks at an engine]:value: ' \
    '*--engine-failure-retry[failures in a row until an engine is unhealthy]:value: ' \
    '*--engine-refresh-retry[deprecated; only 3 is accepted]:value: ' \
    '*--engine-timeout[an engine that takes longer to answer has failed]:value: ' \
    '*-H[\[tcp\://\]ADDRESS\:PORT or unix\://PATH to listen on (repeat; SWARM_HOST)]:value: ' \
    '*--host[\[tcp\://\]ADDRESS\:PORT or unix\://PATH to listen on (repeat; SWARM_HOST)]:value: ' \
    '*--names[container names as /name and /node/name, or only one of them]:value:(both node plain)' \
    '*--relay-ports[listen on published TCP ports here too, and carry them to their nodes\: of containers with the label com.docker.swarm.relay=true, or of all]:value:(off label all)' \
    '*--insecure[listen beyond loopback without --tlsverify all the same]' \
    '*--api-enable-cors[answer browsers of every origin]' \
    '*--cors[answer browsers of every origin]' \
    '*--threads[event loops; 0 = one a processor]:value: ' \
    '*--max-connections[clients'\'' connections at once; 0 = half of what the limit of descriptors allows]:value: ' \
    '*--max-connections-per-client[those of one address; 0 = half of --max-connections]:value: ' \
    '*--client-memory[most memory for request bodies and for answers that clients have not read]:value: ' \
    '*--event-memory[most memory for the event history]:value: ' \
    '*--event-listeners[most clients that follow events]:value: ' \
    '*--refresh-on-node-filter[accepted for old command lines]' \
    '*--container-name-refresh-filter[accepted for old command lines]:value: ' \
    '*--replication[refused\: needs a discovery with a store, which this version has not]' \
    '*--replication-ttl[changes nothing without --replication]:value: ' \
    '*--advertise[HOST\:PORT; changes nothing without --replication (SWARM_ADVERTISE)]:value: ' \
    '*--addr[HOST\:PORT; changes nothing without --replication (SWARM_ADVERTISE)]:value: ' \
    '*--rootdir[accepted for old command lines\: nothing is stored]:value:_files -/' \
    '*:argument:_files'
}
_swarmd() {
  local context state state_descr line
  _arguments -C \
    '*-h[Print this help message and exit]' \
    '*--help[Print this help message and exit]' \
    '*-v[Display program version information and exit]' \
    '*--version[Display program version information and exit]' \
    '*--debug[log everything, unless --log-level is given (also DEBUG=1)]' \
    '*-l[debug, info, warn, error, fatal or panic (default info)]:value:(debug info warn warning error fatal panic)' \
    '*--log-level[debug, info, warn, error, fatal or panic (default info)]:value:(debug info warn warning error fatal panic)' \
    '*--log-format[text or json]:value:(text json)' \
    '*--experimental[told by /info and /version; changes nothing else]' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a words_of=(
        'manage:serve the Docker API over the engines'
        'list:print the engines'\'' addresses'
        'explain:print where a `docker run` line would go and why: explain DISCOVERY -- docker run ... IMAGE'
        'node:look at and steer the nodes of a running manager'
        'version:print the version'
        'help:print this, or the flags of a command'
      )
      _describe command words_of ;;
    argument)
      case $words[1] in
        manage|m) _swarmd_manage ;;
        list|l) _swarmd_list ;;
        explain) _swarmd_explain ;;
        node) _swarmd_node ;;
        version) _swarmd_version ;;
        help|h) _swarmd_help ;;
      esac ;;
  esac
}
_swarmd "$@"
