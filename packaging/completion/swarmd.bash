# Completion of bash for swarmd. Made by tools/make_completion.py from the program's help; do not edit.
_swarmd_nodes() { swarmd node --timeout 1s ls 2>/dev/null | sed -n '2,$s/ .*//p'; }
_swarmd() {
  local current=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} command='' words='' word i
  # --names=node comes as three words.
  if [[ $current == '=' ]]; then current=''; elif [[ $flag == '=' ]]; then flag=${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == '--' ]]; then return; fi
    case "${command:+$command }$word" in
      'm' | 'manage') command='manage' ;;
      'l' | 'list') command='list' ;;
      'explain') command='explain' ;;
      'node') command='node' ;;
      'version') command='version' ;;
      'h' | 'help') command='help' ;;
      'node ls') command='node ls' ;;
      'node inspect') command='node inspect' ;;
      'node cordon') command='node cordon' ;;
      'node uncordon') command='node uncordon' ;;
      'node drain') command='node drain' ;;
    esac
  done
  case "$command:$flag" in
    ':-l' | ':--log-level') mapfile -t COMPREPLY < <(compgen -W 'debug info warn warning error fatal panic' -- "$current"); return ;;
    ':--log-format') mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$current"); return ;;
    'manage:--discovery') return ;;
    'manage:--discovery-opt') return ;;
    'manage:--heartbeat' | 'manage:--hb') return ;;
    'manage:--strategy') mapfile -t COMPREPLY < <(compgen -W 'spread binpack random' -- "$current"); return ;;
    'manage:-f' | 'manage:--filter') mapfile -t COMPREPLY < <(compgen -W 'health port containerslots dependency affinity constraint whitelist platform' -- "$current"); return ;;
    'manage:-c' | 'manage:--cluster-driver') mapfile -t COMPREPLY < <(compgen -W 'swarm' -- "$current"); return ;;
    'manage:--cluster-opt') compopt -o nospace; mapfile -t COMPREPLY < <(compgen -W 'swarm.overcommit= swarm.createretry=' -- "$current"); return ;;
    'manage:--overcommit' | 'manage:--oc') return ;;
    'manage:--tlscacert') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'manage:--tlscert') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'manage:--tlskey') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'manage:--engine-refresh-min-interval') return ;;
    'manage:--engine-refresh-max-interval') return ;;
    'manage:--engine-failure-retry') return ;;
    'manage:--engine-refresh-retry') return ;;
    'manage:--engine-timeout') return ;;
    'manage:-H' | 'manage:--host') return ;;
    'manage:--names') mapfile -t COMPREPLY < <(compgen -W 'both node plain' -- "$current"); return ;;
    'manage:--relay-ports') mapfile -t COMPREPLY < <(compgen -W 'off label all' -- "$current"); return ;;
    'manage:--threads') return ;;
    'manage:--max-connections') return ;;
    'manage:--max-connections-per-client') return ;;
    'manage:--client-memory') return ;;
    'manage:--event-memory') return ;;
    'manage:--event-listeners') return ;;
    'manage:--container-name-refresh-filter') return ;;
    'manage:--replication-ttl') return ;;
    'manage:--advertise' | 'manage:--addr') return ;;
    'manage:--rootdir') mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    'list:--discovery') return ;;
    'list:--discovery-opt') return ;;
    'list:--heartbeat' | 'list:--hb') return ;;
    'list:--timeout') return ;;
    'explain:--discovery') return ;;
    'explain:--discovery-opt') return ;;
    'explain:--heartbeat' | 'explain:--hb') return ;;
    'explain:--strategy') mapfile -t COMPREPLY < <(compgen -W 'spread binpack random' -- "$current"); return ;;
    'explain:-f' | 'explain:--filter') mapfile -t COMPREPLY < <(compgen -W 'health port containerslots dependency affinity constraint whitelist platform' -- "$current"); return ;;
    'explain:-c' | 'explain:--cluster-driver') mapfile -t COMPREPLY < <(compgen -W 'swarm' -- "$current"); return ;;
    'explain:--cluster-opt') compopt -o nospace; mapfile -t COMPREPLY < <(compgen -W 'swarm.overcommit= swarm.createretry=' -- "$current"); return ;;
    'explain:--overcommit' | 'explain:--oc') return ;;
    'explain:--tlscacert') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'explain:--tlscert') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'explain:--tlskey') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'explain:--engine-refresh-min-interval') return ;;
    'explain:--engine-refresh-max-interval') return ;;
    'explain:--engine-failure-retry') return ;;
    'explain:--engine-refresh-retry') return ;;
    'explain:--engine-timeout') return ;;
    'explain:--timeout') return ;;
    'node:-H' | 'node:--host') return ;;
    'node:--tlscacert') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'node:--tlscert') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'node:--tlskey') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    'node:--timeout') return ;;
    'node drain:--policy') mapfile -t COMPREPLY < <(compgen -W 'stop move leave' -- "$current"); return ;;
    'node drain:-t' | 'node drain:--time') return ;;
  esac
  case $command in
    '') words="manage list explain node version help -h --help -v --version --debug -l --log-level --log-format --experimental" ;;
    'manage') words="-h --help --discovery --discovery-opt --heartbeat --hb --strategy -f --filter -c --cluster-driver --cluster-opt --overcommit --oc --cpu-shares-as-cores --pull-on-create --tls --tlsverify --tlscacert --tlscert --tlskey --engine-refresh-min-interval --engine-refresh-max-interval --engine-failure-retry --engine-refresh-retry --engine-timeout -H --host --names --relay-ports --insecure --api-enable-cors --cors --threads --max-connections --max-connections-per-client --client-memory --event-memory --event-listeners --refresh-on-node-filter --container-name-refresh-filter --replication --replication-ttl --advertise --addr --rootdir" ;;
    'list') words="-h --help --discovery --discovery-opt --heartbeat --hb --timeout" ;;
    'explain') words="-h --help --discovery --discovery-opt --heartbeat --hb --strategy -f --filter -c --cluster-driver --cluster-opt --overcommit --oc --cpu-shares-as-cores --pull-on-create --tls --tlsverify --tlscacert --tlscert --tlskey --engine-refresh-min-interval --engine-refresh-max-interval --engine-failure-retry --engine-refresh-retry --engine-timeout --timeout" ;;
    'node') words="ls inspect cordon uncordon drain -h --help -H --host --tls --tlsverify --tlscacert --tlscert --tlskey --timeout" ;;
    'version') words="-h --help" ;;
    'help') words="manage list explain node version help -h --help" ;;
    'node ls') words="-h --help" ;;
    'node inspect') words="-h --help $([[ $current == -* ]] || _swarmd_nodes)" ;;
    'node cordon') words="-h --help $([[ $current == -* ]] || _swarmd_nodes)" ;;
    'node uncordon') words="-h --help $([[ $current == -* ]] || _swarmd_nodes)" ;;
    'node drain') words="-h --help --policy --plan -t --time $([[ $current == -* ]] || _swarmd_nodes)" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _swarmd swarmd swarm
