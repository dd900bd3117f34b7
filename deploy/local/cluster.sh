#!/usr/bin/env bash
# A whole Pulse cluster on this machine, without containers: PostgreSQL, Redis, HAProxy, silos and front ends on free loopback ports.
#
#   deploy/local/cluster.sh up [--silos 3] [--front-ends 2]    starts all, waits until ready, prints the address and how to sign in
#   deploy/local/cluster.sh status                             each process: name, port, pid
#   deploy/local/cluster.sh kill NAME [SIGNAL]                 sends a signal to one of them: KILL by default
#   deploy/local/cluster.sh cut SILO                           drops all packets between it and the front ends (root; nftables)
#   deploy/local/cluster.sh mend SILO                          lets them pass again
#   deploy/local/cluster.sh stop NAME                          sends SIGTERM, and waits until the process has exited
#   deploy/local/cluster.sh start NAME                         starts it again, on the same port
#   deploy/local/cluster.sh down                               stops all and removes their data
#
# It is for trying and for tests: it runs in Development, where sign-in needs no proof. ASPNETCORE_ENVIRONMENT=Production makes it strict.
# NAME is postgres, redis, haproxy, silo-1, front-end-1, … State is in PULSE_CLUSTER_DIR (artifacts/cluster). PULSE_BUILD_silo_2 and the
# like name another build for one process: a directory with Pulse.Silo.dll or Pulse.Web.dll. Pulse__* of the environment reach all
# processes. PULSE_CLUSTER_TLS=1 makes certificates and turns on TLS between silos and front ends.
set -euo pipefail

repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$(realpath -m -- "${PULSE_CLUSTER_DIR:-$repo/artifacts/cluster}")
configuration=${PULSE_CONFIGURATION:-Debug}
environment=${ASPNETCORE_ENVIRONMENT:-Development}
# Debian has haproxy there, outside of an ordinary user's PATH.
PATH=$PATH:/usr/sbin

die() {
  printf 'cluster.sh: %s\n' "$*" >&2
  exit 1
}

need() { command -v "$1" >/dev/null || die "needs $1: apt-get install $2"; }

postgres_bin() {
  local bins=(/usr/lib/postgresql/*/bin)
  [[ -n ${PULSE_TEST_PG_BIN:-} ]] && bins=("$PULSE_TEST_PG_BIN")
  [[ -x ${bins[-1]}/initdb ]] || die 'needs PostgreSQL: apt-get install postgresql'
  printf '%s' "${bins[-1]}"
}

# Below the range from which the kernel takes the ports of outgoing connections, because a stopped process must find its port free when it
# restarts.
free_port() {
  local port
  while port=$((10000 + RANDOM % 20000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# A process keeps its port for the life of the cluster: a silo that restarts on its port replaces its dead predecessor at once.
port() {
  local taken
  if [[ ! -f $dir/$1.port ]]; then
    taken=$(cat "$dir"/*.port 2>/dev/null || true)
    until free_port >"$dir/$1.port" && ! grep -qxF "$(cat "$dir/$1.port")" <<<"$taken"; do :; done
  fi
  cat "$dir/$1.port"
}

pid() { cat "$dir/$1.pid" 2>/dev/null || true; }
# An ended process may stay as a zombie where orphans are not reaped, as in some containers.
alive() { [[ -n $(pid "$1") ]] && grep -qsE '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$(pid "$1")/status"; }
names() { for file in "$dir"/*.port; do [[ $file == *gateway* || $file == *orleans* ]] || basename -- "$file" .port; done; }

# launch NAME COMMAND…: in a session of its own, so that Ctrl+C in this terminal does not reach it.
launch() {
  local name=$1
  shift
  setsid "$@" >>"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

as_postgres() {
  if ((EUID == 0)); then setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; else "$@"; fi
}

pulse() {
  local name=$1 project=$2 build=PULSE_BUILD_${1//-/_}
  shift 2
  build=${!build:-$repo/src/$project/bin/$configuration/net10.0}
  [[ -z ${PULSE_CLUSTER_TLS:-} ]] || set -- Pulse__Cluster__Tls__CertificateFile="$dir/tls/pulse.pem" Pulse__Cluster__Tls__KeyFile="$dir/tls/pulse.key" \
    Pulse__Cluster__Tls__CaFile="$dir/tls/ca.pem" Pulse__Cluster__Tls__AllowedNames__0=pulse "$@"
  [[ -f $build/$project.dll ]] || die "$build/$project.dll is missing: dotnet build first."
  launch "$name" env \
    ASPNETCORE_ENVIRONMENT="$environment" \
    ASPNETCORE_URLS="http://127.0.0.1:$(port "$name")" \
    ConnectionStrings__Postgres="Host=127.0.0.1;Port=$(port postgres);Username=pulse;Database=pulse;${PULSE_CLUSTER_POSTGRES_OPTIONS:-}" \
    ConnectionStrings__Redis="127.0.0.1:$(port redis)" \
    Pulse__Cluster__AdvertisedAddress=127.0.0.1 \
    Pulse__Auth__SigningKey="$(cat "$dir/signing-key")" \
    "$@" dotnet "$build/$project.dll"
}

start() {
  local name=$1
  alive "$name" && return
  case $name in
    postgres)
      if [[ ! -d $dir/postgres/data ]]; then
        mkdir -p "$dir/postgres"
        ((EUID != 0)) || chown postgres "$dir/postgres"
        (cd "$dir/postgres" && as_postgres "$(postgres_bin)/initdb" -D "$dir/postgres/data" -U pulse --auth=trust --encoding=UTF8 --locale=C.UTF-8) >"$dir/initdb.log"
      fi
      (cd "$dir/postgres" && launch postgres ${SETPRIV[@]+"${SETPRIV[@]}"} "$(postgres_bin)/postgres" \
        -D "$dir/postgres/data" -p "$(port postgres)" -h 127.0.0.1 -k "$dir/postgres" -c max_connections=300)
      until "$(postgres_bin)/psql" -Xqh 127.0.0.1 -p "$(port postgres)" -U pulse -d postgres -c 'select 1' >/dev/null 2>&1; do expect_alive postgres; done
      "$(postgres_bin)/createdb" -h 127.0.0.1 -p "$(port postgres)" -U pulse pulse 2>/dev/null || true
      ;;
    redis)
      mkdir -p "$dir/redis"
      launch redis redis-server --port "$(port redis)" --bind 127.0.0.1 --dir "$dir/redis" --appendonly yes --save '' --maxmemory-policy noeviction
      until [[ $(redis-cli -p "$(port redis)" ping 2>/dev/null) == PONG ]]; do expect_alive redis; done
      ;;
    haproxy)
      {
        printf 'global\n  stats socket %s mode 600 level admin\nbackend front_ends\n' "$dir/haproxy.sock"
        for front_end in $(names | grep '^front-end'); do printf '  server %s 127.0.0.1:%s check\n' "$front_end" "$(port "$front_end")"; done
      } >"$dir/servers.cfg"
      PULSE_BIND=127.0.0.1:$(port haproxy) launch haproxy haproxy -db -f "$repo/deploy/haproxy/haproxy.cfg" -f "$dir/servers.cfg"
      ;;
    silo-*)
      pulse "$name" Pulse.Silo Pulse__Cluster__SiloPort="$(port "$name-orleans")" Pulse__Cluster__GatewayPort="$(port "$name-gateway")"
      ;;
    front-end-*)
      pulse "$name" Pulse.Web Pulse__Silo=External Pulse__Http__TrustedProxies__0=127.0.0.1
      ;;
    *) die "unknown process $name. The names are: $(names | paste -sd' ')" ;;
  esac
}

expect_alive() {
  alive "$1" || die "$1 did not start: $(tail -5 "$dir/$1.log")"
  sleep 0.1
}

ready() { curl -sf -o /dev/null --max-time 2 -H 'Host: localhost' "http://127.0.0.1:$(port "$1")/health/ready"; }

# stop NAME: sends SIGTERM, and SIGKILL if the process still runs after a minute.
stop() {
  local name=$1 signal=TERM
  [[ $name != postgres ]] || signal=INT
  alive "$name" || return 0
  kill "-$signal" "$(pid "$name")"
  for _ in {1..600}; do
    alive "$name" || return 0
    sleep 0.1
  done
  kill -KILL "$(pid "$name")"
  die "$name did not exit within a minute and was killed."
}

# The two ends see a network that loses everything. A closed port would be reported at once.
cut() {
  local gateway table
  [[ -f $dir/$1-gateway.port ]] || die "$1 is not a silo of this cluster."
  need nft nftables
  gateway=$(port "$1-gateway") table=pulse_cut_$(port "$1-gateway")
  nft -f - <<RULES
table inet $table {
  chain output {
    type filter hook output priority 0;
    tcp dport $gateway drop
    tcp sport $gateway drop
  }
}
RULES
}

mend() { nft delete table inet "pulse_cut_$(port "$1-gateway")"; }

up() {
  local silos=3 front_ends=2 i
  while (($#)); do
    case $1 in
      --silos) silos=$2 ;;
      --front-ends) front_ends=$2 ;;
      *) die "unknown option $1" ;;
    esac
    shift 2
  done
  need redis-server redis-server
  need haproxy haproxy
  need curl curl
  mkdir -p "$dir"
  # PostgreSQL runs as another user, which must be able to pass through.
  chmod 711 "$dir"
  [[ -f $dir/signing-key ]] || head -c 32 /dev/urandom | base64 >"$dir/signing-key"
  [[ -z ${PULSE_CLUSTER_TLS:-} ]] || "$repo/deploy/local/certificates.sh" "$dir/tls"
  for ((i = 1; i <= front_ends; i++)); do port "front-end-$i" >/dev/null; done
  for name in postgres redis; do start "$name"; done
  for ((i = 1; i <= silos; i++)); do start "silo-$i"; done
  for ((i = 1; i <= front_ends; i++)); do start "front-end-$i"; done
  start haproxy
  for name in $(names | grep -E '^(silo|front-end)-') haproxy; do
    until ready "$name"; do expect_alive "$name"; done
  done
  # Standard output has only the address, for scripts.
  if [[ $environment == Development ]]; then
    printf 'Open it and choose Sign in: as in Development, you can continue as any user. The log files are in %s.\n' "$dir" >&2
  fi
  printf 'http://127.0.0.1:%s\n' "$(port haproxy)"
}

down() {
  [[ -d $dir ]] || return 0
  # Stops by SIGKILL, because clients of a discarded cluster need no redirection.
  for name in $(names); do
    ! alive "$name" || kill -KILL "$(pid "$name")"
    [[ $name != silo-* ]] || mend "$name" 2>/dev/null || true
  done
  rm -rf -- "$dir"
}

SETPRIV=()
((EUID != 0)) || SETPRIV=(setpriv --reuid=postgres --regid=postgres --init-groups --)

command=${1:-}
[[ -n $command ]] || die "a command is missing; see the head of $0"
shift
case $command in
  up) up "$@" ;;
  down) down ;;
  start) start "${1:?the process to start}" ;;
  stop) stop "${1:?the process to stop}" ;;
  cut) cut "${1:?the silo to cut off}" ;;
  mend) mend "${1:?the silo to join again}" ;;
  kill) kill "-${2:-KILL}" "$(pid "${1:?the process to signal}")" ;;
  status) for name in $(names); do printf '%-14s %6s %8s\n' "$name" "$(port "$name")" "$(alive "$name" && pid "$name" || echo -)"; done ;;
  *) die "unknown command $command; see the head of $0" ;;
esac
