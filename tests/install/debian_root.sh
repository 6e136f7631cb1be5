# shellcheck shell=bash
# A minimal Debian 12 in a folder of its own, removed when the script ends. Sourced by clean_root.sh and
# packages_root.sh after scripts/lib/common.sh and scripts/lib/suite_apt.sh.
#
# Environment: SWARM_CLEAN_ROOT  the folder to make the root in (/var/tmp)

readonly suite=bookworm skip_code=77
clean='' mounted=() purpose=''

skip() {
  say "SKIPPED $purpose: $*"
  exit "$skip_code"
}

clean_up() {
  local point
  for point in "${mounted[@]}"; do umount -R -l "$point" || true; done
  if ((${#mounted[@]} == 0)) || ! grep -q " $clean/" /proc/mounts; then rm -rf --one-file-system "$clean"; fi
}

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

# make_root PURPOSE: sets `clean` to the new root; exits with 77 when it cannot be made here.
make_root() {
  purpose=$1
  command -v debootstrap >/dev/null || skip "debootstrap is not installed"
  clean=$(mktemp -d "${SWARM_CLEAN_ROOT:-/var/tmp}/swarm-clean-root.XXXXXX")
  chmod 755 "$clean"
  trap clean_up EXIT
  say "$purpose: debootstrap $suite into $clean"
  debootstrap --variant=minbase "$suite" "$clean" "$(mirror_uri)" >"$clean.log" 2>&1 || {
    tail -n 5 "$clean.log" >&2
    rm -f "$clean.log"
    skip "debootstrap could not fetch $suite from $(mirror_uri)"
  }
  rm -f "$clean.log"
  copy_apt_access
  mount_into proc proc -t proc
  mount_into /dev dev --rbind --make-rslave
}
