#!/usr/bin/env bash
# Proves the package list: an empty Debian 12 with nothing but what scripts/setup.sh installs there builds swarmd.
#
# usage: tests/install/clean_root.sh
#
# Makes a minimal root with debootstrap from the mirror in this machine's apt sources, copies the tracked files into
# it, and runs setup.sh build, the release build of swarmd and `swarmd version` inside; then setup.sh all. Nothing of
# this machine's packages is seen there. Needs root, about 4 GB of disk and a quarter of an hour.
#
# Exit codes: 0 it builds and runs, 1 it does not, 77 skipped: the root could not be made here.
# Environment: SWARM_CLEAN_ROOT  the folder to make the root in (/var/tmp)
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../scripts/lib/common.sh
source "$repository/scripts/lib/common.sh"
# shellcheck source=../../scripts/lib/suite_apt.sh
source "$repository/scripts/lib/suite_apt.sh"

readonly suite=bookworm skip_code=77
skip() {
  say "SKIPPED clean root: $*"
  exit "$skip_code"
}

become_root "$repository/tests/install/clean_root.sh"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
clean=$(mktemp -d "${SWARM_CLEAN_ROOT:-/var/tmp}/swarm-clean-root.XXXXXX")
chmod 755 "$clean"

mounted=()
clean_up() {
  local point
  for point in "${mounted[@]}"; do umount -R -l "$point" || true; done
  if ((${#mounted[@]} == 0)) || ! grep -q " $clean/" /proc/mounts; then rm -rf --one-file-system "$clean"; fi
}
trap clean_up EXIT

# How this machine's apt reaches its mirror (a proxy, certificates) is what the new root's apt needs too.
copy_apt_access() {
  local file
  for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
    if [[ -f $file ]] && grep -qi '^ *Acquire' "$file"; then
      cp "$file" "$clean/etc/apt/apt.conf.d/"
    fi
  done
  mkdir -p "$clean/usr/local/share/ca-certificates" "$clean/etc/ssl/certs"
  if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
    cp /etc/ssl/certs/ca-certificates.crt "$clean/etc/ssl/certs/ca-certificates.crt"
  fi
  cp -L /etc/resolv.conf "$clean/etc/resolv.conf"
  cp /etc/hosts "$clean/etc/hosts"
}

mount_into() {
  mount "${@:3}" "$1" "$clean/$2"
  mounted=("$clean/$2" "${mounted[@]}")
}

inside() { chroot "$clean" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"; }

say "clean root: debootstrap $suite into $clean"
debootstrap --variant=minbase "$suite" "$clean" "$(mirror_uri)" >"$clean.log" 2>&1 || {
  tail -n 5 "$clean.log" >&2
  rm -f "$clean.log"
  skip "debootstrap could not fetch $suite from $(mirror_uri)"
}
rm -f "$clean.log"
copy_apt_access
mount_into proc proc -t proc
mount_into /dev dev --rbind --make-rslave

say "clean root: copying the tracked files"
mkdir -p "$clean/src/libswarm"
git -C "$repository" -c safe.directory="$repository" ls-files -z |
  tar -C "$repository" --null --ignore-failed-read -T - -c | tar -C "$clean/src/libswarm" -x

say "clean root: scripts/setup.sh build"
inside /src/libswarm/scripts/setup.sh build
inside /src/libswarm/scripts/setup.sh build 2>&1 | grep -q 'are installed' || fail "a second setup.sh found work to do"
say "clean root: release build of swarmd"
inside bash -c 'cd /src/libswarm && cmake --preset release'
inside bash -c "cd /src/libswarm && cmake --build --preset release --target swarmd -j $(nproc)"
inside /src/libswarm/build/release/examples/swarmd/swarmd version
say "clean root: scripts/setup.sh all"
inside /src/libswarm/scripts/setup.sh all
inside /src/libswarm/scripts/parts.sh path engine-20.10 >/dev/null
[[ ! -e $clean/usr/sbin/policy-rc.d ]] || fail "setup.sh left its policy-rc.d behind"
say "clean root: it builds and runs"
