# shellcheck shell=bash
# A private apt for another suite of the Debian mirror that this machine uses: own sources, lists, cache and an empty
# package state. The system's apt and dpkg are only read. Sourced by parts.sh; needs SWARM_PARTS.

suite_folder() { echo "$SWARM_PARTS/apt/$1"; }

# mirror_uri: the Debian mirror in the system's sources, in the new (debian.sources) or the classic (sources.list) form.
mirror_uri() {
  local uri
  uri=$(
    {
      cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '
        BEGIN { RS = ""; FS = "\n" }
        {
          uri = ""; enabled = 1
          for (i = 1; i <= NF; i++) {
            if ($i ~ /^Enabled: *no/) enabled = 0
            if ($i ~ /^URIs:/) { split($i, words, /[ \t]+/); uri = words[2] }
          }
          if (enabled && uri != "") print uri
        }'
      cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -nE 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p'
    } | grep -E 'debian/?$|debian\.list$' | head -1
  ) || true
  echo "${uri:-http://deb.debian.org/debian}"
}

# suite_apt SUITE TOOL ARGS...: apt-get or apt-cache with the suite's own state.
suite_apt() {
  local suite=$1 tool=$2 folder
  folder=$(suite_folder "$suite")
  shift 2
  "$tool" -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$folder/lists" \
    -o Dir::State::status="$folder/status" -o Dir::Cache="$folder/cache" -o Acquire::Languages=none \
    -o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root "$@"
}

# suite_update SUITE [now]: reads the suite's package lists; those younger than a day are kept unless `now` is given.
suite_update() {
  local suite=$1 folder keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=''
  folder=$(suite_folder "$suite")
  mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
  [[ -e $folder/status ]] || : >"$folder/status"
  [[ ! -r $keyring ]] || signed="[signed-by=$keyring] "
  echo "deb ${signed}$(mirror_uri) $suite main" >"$folder/sources.list"
  if [[ ${2:-} != now && -n $(find "$folder/updated" -mmin -1440 2>/dev/null) ]]; then return; fi
  say "parts: reading the package lists of $suite"
  suite_apt "$suite" apt-get -o APT::Update::Error-Mode=any update >/dev/null || return
  touch "$folder/updated"
}

# suite_versions SUITE PACKAGE: the versions on offer, newest first, on one line.
suite_versions() {
  suite_apt "$1" apt-cache madison "$2" | awk -F'|' '{ gsub(/ /, "", $2); print $2 }' | sort -Vru | paste -sd' '
}

# suite_newest SUITE PACKAGE GLOB: the newest version on offer that matches.
suite_newest() {
  local version
  for version in $(suite_versions "$1" "$2"); do
    # shellcheck disable=SC2053 # the right side is a glob
    if [[ $version == $3 ]]; then
      echo "$version"
      return
    fi
  done
  return 1
}

# suite_unpack SUITE ROOT PACKAGE[=VERSION]...: downloads and unpacks into ROOT, which appears only when complete. A
# mirror that moved on since its lists were read is asked again once.
suite_unpack() {
  local suite=$1 root=$2 archives archive
  shift 2
  archives=$(suite_folder "$suite")/archives
  rm -rf "$archives" "$root" "$root.new"
  mkdir -p "$archives" "$root.new"
  if ! (cd "$archives" && suite_apt "$suite" apt-get download "$@" >/dev/null); then
    suite_update "$suite" now || return
    (cd "$archives" && suite_apt "$suite" apt-get download "${@%%=*}" >/dev/null) || return
  fi
  for archive in "$archives"/*.deb; do dpkg -x "$archive" "$root.new" || return; done
  rm -rf "$archives"
  mv "$root.new" "$root"
}
