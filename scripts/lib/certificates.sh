# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of hosts_state.sh
# Certificates for TLS between clients, the manager and the engines of a set. Sourced by hosts.sh after hosts_state.sh.

# make_certificates FOLDER: one folder a holder in it, each with ca.pem, cert.pem and key.pem, so that it can be named
# in DOCKER_CERT_PATH:
#   swarm           the manager: client and server, for its name, its address and loopback
#   client          a user: client only
#   dockerhostNN    an engine: server only, for its name and address
#   rogue           a client of another authority, which everybody must refuse
make_certificates() {
  local folder=$1 number
  (
    umask 077
    mkdir -p "$folder"
    cd "$folder"
    make_authority ca "libswarm test CA"
    make_authority rogue-ca "another CA"
    issue ca swarm "$manager_name" clientAuth,serverAuth \
      "DNS:$manager_name,DNS:localhost,IP:$(address_of 0),IP:127.0.0.1"
    issue ca client client clientAuth
    issue rogue-ca rogue client clientAuth
    cp ca.pem rogue/ca.pem # it trusts our servers; they must not trust it
    for ((number = 1; number <= count; number++)); do
      issue ca "$(host_name "$number")" "$(host_name "$number")" serverAuth \
        "DNS:$(host_name "$number"),IP:$(address_of "$number")"
    done
  ) || fail "openssl could not make the certificates in $folder"
}

# make_authority NAME TITLE
make_authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 365 -subj "/CN=$2" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$1-key.pem" -out "$1.pem" 2>/dev/null
}

# issue AUTHORITY HOLDER COMMON_NAME USAGE [ALTERNATIVE_NAMES]
issue() {
  local authority=$1 holder=$2 name=$3 usage=$4 alternative=${5:-}
  mkdir -p "$holder"
  {
    echo "basicConstraints=CA:FALSE"
    echo "keyUsage=digitalSignature"
    echo "extendedKeyUsage=$usage"
    [[ -z $alternative ]] || echo "subjectAltName=$alternative"
  } >"$holder/extensions"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$holder/key.pem" \
    -out "$holder/request" 2>/dev/null
  openssl x509 -req -sha256 -days 365 -in "$holder/request" -CA "$authority.pem" -CAkey "$authority-key.pem" \
    -CAcreateserial -extfile "$holder/extensions" -out "$holder/cert.pem" 2>/dev/null
  cp "$authority.pem" "$holder/ca.pem"
  rm -f "$holder/request" "$holder/extensions"
}
