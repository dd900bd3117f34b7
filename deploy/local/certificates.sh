#!/usr/bin/env bash
# Certificates for trying TLS within the cluster (Pulse:Cluster:Tls): an authority, and a certificate for each name.
#
#   deploy/local/certificates.sh DIR [NAME…]    makes DIR/ca.pem and, for each NAME (pulse), DIR/NAME.pem and DIR/NAME.key
#
# A second run with the same DIR renews the certificates and keeps the authority. It is for trying: in production the authority's key
# (DIR/ca.key) must be kept apart from the certificates, and a tool such as cert-manager renews them.
set -euo pipefail

dir=${1:-}
if [[ -z $dir ]]; then
  printf 'certificates.sh: a directory is missing; see the head of %s\n' "$0" >&2
  exit 1
fi
shift
(($#)) || set -- pulse

# The keys are readable by the owner only.
umask 077
mkdir -p "$dir"

if [[ ! -f $dir/ca.key ]]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Pulse cluster CA' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
fi

for name; do
  # The two files are complete before they replace the former ones.
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$dir/$name.key.new" -out "$dir/$name.csr" 2>/dev/null
  openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -days 90 -out "$dir/$name.pem.new" 2>/dev/null -extfile <(printf '%s\n' \
    'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth,clientAuth' "subjectAltName=DNS:$name")
  rm "$dir/$name.csr"
  mv "$dir/$name.key.new" "$dir/$name.key"
  mv "$dir/$name.pem.new" "$dir/$name.pem"
done
