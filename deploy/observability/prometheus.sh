#!/usr/bin/env bash
# Starts Prometheus as the receiver of Pulse's metrics on this machine, with the alert rules, and stays in the foreground.
#
#   deploy/observability/prometheus.sh [DIR]    http://127.0.0.1:9090; its data is in DIR (artifacts/prometheus)
#
# It prints the variables with which Pulse sends its metrics there. Needs Prometheus 2.47 or later (Debian 13: apt-get install prometheus). On
# other machines take a release of Prometheus, or compose.yaml. PULSE_PROMETHEUS_BIND changes the address.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
data=$(realpath -m -- "${1:-$here/../../artifacts/prometheus}")
bind=${PULSE_PROMETHEUS_BIND:-127.0.0.1:9090}

die() {
  printf 'prometheus.sh: %s\n' "$*" >&2
  exit 1
}

command -v prometheus >/dev/null || die 'needs prometheus: apt-get install prometheus'
version=$(prometheus --version 2>&1 | sed -nE 's/^prometheus, version ([0-9]+)\.([0-9]+).*/\1 \2/p')
read -r major minor <<<"$version"
if ((major >= 3)); then
  receiver=--web.enable-otlp-receiver
elif ((major == 2 && minor >= 47)); then
  receiver=--enable-feature=otlp-write-receiver
else
  die "Prometheus ${version/ /.} cannot receive OTLP. Install 2.47 or later, or use deploy/observability/compose.yaml."
fi

cat <<END
Start Pulse with:
export OTEL_EXPORTER_OTLP_ENDPOINT=http://$bind/api/v1/otlp OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_TRACES_SAMPLER=always_off
END
exec prometheus --config.file="$here/prometheus.yml" --storage.tsdb.path="$data" --web.listen-address="$bind" "$receiver"
