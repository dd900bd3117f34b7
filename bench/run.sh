#!/usr/bin/env bash
# Measures Pulse beside its limits and beside the original, the stack that it replaces (bench/original), and prints a table: the cost of
# each phase, its ratio to the limit, and the original's ratio to Pulse.
#
#   bench/run.sh                                everything, 3 rounds
#   ROUNDS=5 PHASES='http ws' bench/run.sh      of: http ws hold sync fanout external cold (only Pulse has the last three)
#   SERVERS='limits pulse' bench/run.sh         of: limits pulse original; the first begins round 1, the second round 2, and so on
#   QUICK=1 bench/run.sh                        small sizes, to check that everything works. The figures are meaningless
#
# It builds the measured programs and starts a PostgreSQL and a Redis of its own on free loopback ports, which end with it. Needs the .NET
# SDK, Node.js (for the original 20 or later, npm and its registry), postgresql, redis-server (Debian), Linux x64, and `ulimit -Hn` above
# 11,000. Every round is kept in artifacts/bench/rounds.jsonl. See docs/performance.md.
set -euo pipefail
repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
out=$repo/artifacts/bench
work=$(mktemp -d "${TMPDIR:-/tmp}/pulse-bench.XXXXXX")
rounds=${ROUNDS:-3} phases=${PHASES:-http ws hold sync fanout external cold}
read -ra measured <<<"${SERVERS:-limits pulse original}"
connect=5000 users=2000 hold=10000 seconds=10 warm=12 hold_seconds=60 changes=20 turns=5
if [[ -n ${QUICK:-} ]]; then connect=300 users=200 hold=300 seconds=2 warm=2 hold_seconds=5 changes=3 turns=1 rounds=${ROUNDS:-1}; fi

BENCH_SECRET=$(node -p 'require("crypto").randomBytes(36).toString("base64")')
export BENCH_SECRET
export DOTNET_NOLOGO=1
postgres_pid='' redis_pid='' servers=() counted=''

die() { printf 'bench: %s\n' "$*" >&2; exit 1; }
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); });'; }
as_postgres() { if ((EUID == 0)); then setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; else "$@"; fi; }

stop_servers() {
  local pid
  for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${servers[@]}"; do wait "$pid" 2>/dev/null || true; done
  servers=()
}

finish() {
  stop_servers
  [[ -z $redis_pid ]] || kill "$redis_pid" 2>/dev/null || true
  [[ -z $postgres_pid ]] || kill -INT "$postgres_pid" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# --- the measured programs and their needs ---

build() {
  dotnet publish "$repo/src/Pulse.Web" -c Release -o "$out/web" -v quiet
  dotnet publish "$repo/src/Pulse.Silo" -c Release -o "$out/silo" -v quiet
  dotnet publish "$repo/bench/Pulse.Limits" -c Release -o "$out/limits" -v quiet
  dotnet publish "$repo/bench/Pulse.Load" -c Release -o "$out/load" -v quiet
  [[ " ${measured[*]} " != *' original '* ]] || build_original
}

# In a copy, because the tree must stay as it is. Install scripts are off: Prisma's would download an unused engine, and bufferutil contains
# its binary.
build_original() {
  rm -rf "$out/original/src" "$out/original/dist"
  mkdir -p "$out/original"
  cp -r "$repo"/bench/original/{package.json,package-lock.json,tsconfig.json,prisma.config.ts,prisma,src} "$out/original"
  (cd "$out/original" && npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error && npm run --silent build) >&2
}

start_stores() {
  local bins=(/usr/lib/postgresql/*/bin)
  bin=${bins[-1]}
  [[ -x $bin/initdb ]] || die 'needs PostgreSQL: apt-get install postgresql'
  command -v redis-server >/dev/null || die 'needs Redis: apt-get install redis-server'
  chmod 711 "$work"
  mkdir "$work/postgres" "$work/redis"
  ((EUID != 0)) || chown postgres "$work/postgres"
  postgres_port=$(free_port) redis_port=$(free_port)
  (cd "$work/postgres" && as_postgres "$bin/initdb" -D "$work/postgres/data" -A trust -U bench --no-instructions >/dev/null)
  (cd "$work/postgres" && as_postgres "$bin/postgres" -D "$work/postgres/data" -h 127.0.0.1 -p "$postgres_port" -k "$work/postgres" \
    -c shared_buffers=256MB -c max_connections=300 >"$work/postgres.log" 2>&1) &
  redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$work/redis" --save '' --appendonly no >"$work/redis.log" &
  redis_pid=$!
  until sql -d postgres -c 'SELECT 1' >/dev/null 2>&1 && redis ping >/dev/null 2>&1; do sleep 0.1; done
  postgres_pid=$(head -1 "$work/postgres/data/postmaster.pid")
  database="Host=127.0.0.1;Port=$postgres_port;Username=bench;Database=pulse"
}

sql() { psql -q -h 127.0.0.1 -p "$postgres_port" -U bench "$@"; }
redis() { redis-cli -p "$redis_port" "$@"; }

fresh_stores() {
  redis flushall >/dev/null
  sql -d postgres -c 'DROP DATABASE IF EXISTS pulse WITH (FORCE)' -c 'CREATE DATABASE pulse' 2>/dev/null
}

# The users that the load generator's tokens name. Pulse's have proven addresses, because it would move others to another column meanwhile.
add_users() { # [proven]
  sql -d pulse -c "INSERT INTO users (id, email, name, avatar, created_at)
    SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'user' || i || '@bench.test', 'User ' || i, 'https://bench.test/avatars/' || i || '.png', now()
    FROM generate_series(0, 19999) i" ${1:+-c 'UPDATE users SET email_verified = true'} -c 'VACUUM ANALYZE users'
}

# start PORT COMMAND…: a process that listens there. It is added to the servers that are already running.
start() {
  local port=$1
  shift
  "$@" >>"$work/servers.log" 2>&1 &
  servers+=($!)
  until (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "${servers[-1]}" 2>/dev/null || { cat "$work/servers.log" >&2; die 'a server has ended'; }
    sleep 0.1
  done
}

limits() { # http | hub
  port=$(free_port)
  start "$port" "$out/limits/Pulse.Limits" "$1" --urls "http://127.0.0.1:$port"
}

# Run it in the background: `exec` makes the measured and stopped pid that of Pulse itself instead of a shell around it.
pulse_environment() { # PORT
  exec env ASPNETCORE_URLS="http://127.0.0.1:$1" ASPNETCORE_ENVIRONMENT=Production ConnectionStrings__Postgres="$database" ConnectionStrings__Redis="127.0.0.1:$redis_port" \
    Pulse__Cluster__SiloPort=0 Pulse__Cluster__GatewayPort=0 Pulse__Cluster__AdvertisedAddress=127.0.0.1 \
    Pulse__Auth__Issuer=bench Pulse__Auth__Audience=bench Pulse__Auth__SigningKey="$BENCH_SECRET" "${@:2}"
}

pulse() { # [FRONT_ENDS]: in-process
  local i
  fresh_stores
  port=''
  for ((i = 0; i < ${1:-1}; i++)); do front_end; done
  add_users proven
}

front_end() { # [NAME=VALUE…]
  local own
  own=$(free_port)
  port=${port:+$port,}$own
  start "$own" pulse_environment "$own" "$@" dotnet "$out/web/Pulse.Web.dll"
  until curl -s -f -o /dev/null "http://127.0.0.1:$own/health/ready"; do sleep 0.1; done
}

external() { # SILOS: a cluster of its own, and one front end
  local i own cluster="Pulse__Cluster__ClusterId=of-$1"
  for ((i = 0; i < $1; i++)); do
    own=$(free_port)
    start "$own" pulse_environment "$own" "$cluster" dotnet "$out/silo/Pulse.Silo.dll"
    until curl -s -f -o /dev/null "http://127.0.0.1:$own/health/ready"; do sleep 0.1; done
  done
  port=''
  front_end "$cluster" Pulse__Silo=External
}

original() {
  fresh_stores
  sql -d pulse -f "$repo/bench/original/prisma/schema.sql"
  add_users
  port=$(free_port)
  start "$port" original_environment node "$out/original/dist/main.js"
}

original_environment() { # run like pulse_environment
  exec env NODE_ENV=production PORT="$port" DATABASE_URL="postgresql://bench@127.0.0.1:$postgres_port/pulse" REDIS_URL="redis://127.0.0.1:$redis_port" \
    JWT_SECRET="$BENCH_SECRET" JWT_ISSUER=bench JWT_AUDIENCE=bench "$@"
}

# --- measuring ---

load() {
  local IFS=,
  timeout 600 "$out/load/Pulse.Load" "$1" --proto "$protocol" --secret "$BENCH_SECRET" --port "$port" --server "${counted:-${servers[*]}}" --redis "$redis_pid" --postgres "$postgres_pid" "${@:2}"
}

record() { # LABEL MODE…
  local line
  line=$(load "${@:2}" --label "$1")
  printf '%s\n' "$line" >>"$out/rounds.jsonl"
  printf '%(%T)T %s %s\n' -1 "$1" "$(grep -oE '"(cpu_us_per_op|errors|other_cpu_pct_of_machine)":[0-9.-]+' <<<"$line" | tr -d '"' | tr '\n' ' ')"
}

# Also opens first connects of users that later phases do not use, because the phase measures an activation's cost without the compiler's.
warm_sockets() {
  load connect --n $connect --first 10000 >/dev/null
  load churn --n 500 --c 50 --t $warm >/dev/null
  load heartbeat --n 500 --w 64 --t $((warm / 2)) >/dev/null
}

phase_http() {
  if [[ $1 == limits ]]; then limits http; else "$1"; fi
  record "$1/me" me --n $users --c 32 --t $seconds --warm $warm
}

phase_ws() {
  if [[ $1 == limits ]]; then limits hub; else "$1"; fi
  warm_sockets
  record "$1/connect" connect --n $connect --first 5000
  record "$1/connect again" connect --n $connect --first 5000
  record "$1/heartbeat" heartbeat --n $users --w 64 --t $seconds
  record "$1/churn" churn --n $users --t $seconds
  record "$1/storm" storm --n $connect
  if [[ $1 == pulse ]]; then record "$1/storm by ticket" storm --n $connect --tickets 1; fi
}

phase_hold() {
  if [[ $1 == limits ]]; then limits hub; else "$1"; fi
  load connect --n 200 --c 20 >/dev/null
  record "$1/hold" hold --n $hold --t $hold_seconds
}

phase_sync() {
  local first
  if [[ $1 == limits ]]; then
    pulse # makes the table
    stop_servers
    record_insert
  else
    "$1"
    # As long as the other phases, because one run takes only two or three seconds. After four runs two fifths of the CPU were still the
    # compiler's.
    for ((first = 100000; first < 200000; first += 10000)); do load sync --first $first --n $connect --c 64 >/dev/null; done
    record "$1/sync" sync --first 200000 --n $connect --c 64
  fi
}

# The load generator itself is the process that inserts. `exec` keeps the pid that it measures.
record_insert() {
  local line
  line=$(exec bash -c 'exec "$0" "$@" --server $$' "$out/load/Pulse.Load" insert --first 200000 --n $connect --c 64 --database "$database" --postgres "$postgres_pid" --label limits/sync)
  printf '%s\n' "$line" >>"$out/rounds.jsonl"
}

phase_fanout() {
  [[ $1 == pulse ]] || return 0
  pulse 2
  load connect --n 500 >/dev/null
  record "$1/fanout" fanout --n $((connect + 1)) --rounds $changes
}

# The two clusters run at the same time and are measured in turn, because within a minute a shared machine can become slower by more than the
# searched difference.
phase_external() {
  local silos turn first
  local -A pids ports
  [[ $1 == pulse ]] || return 0
  fresh_stores
  for silos in 1 3; do
    first=${#servers[@]}
    external $silos
    ports[$silos]=$port
    pids[$silos]=$(IFS=,; echo "${servers[*]:first}")
  done
  add_users proven
  for ((turn = 0; turn <= turns; turn++)); do
    for silos in 1 3; do
      port=${ports[$silos]} counted=${pids[$silos]}
      # Users of its own, because the Redis is the same.
      if ((turn == 0)); then warm_external "$silos"; else measure_external "$silos"; fi
    done
  done
  counted=''
}

# Gives each silo as many calls as the single one.
warm_external() { # SILOS
  local first=$(($1 * 5000))
  load churn --first $first --n 500 --c 50 --t $(($1 * warm)) >/dev/null
  load connect --first $first --n $connect >/dev/null
  load me --first $first --n $users --c 32 --t 1 --warm $(($1 * warm)) >/dev/null
}

measure_external() { # SILOS
  local first=$(($1 * 5000))
  record "$1 silos/connect again" connect --first $first --n $connect
  record "$1 silos/churn" churn --first $first --n $users --t $((seconds / 2))
  record "$1 silos/me" me --first $first --n $users --c 32 --t $((seconds / 2))
}

phase_cold() {
  [[ $1 == pulse ]] || return 0
  fresh_stores
  cold 'cold embedded' ConnectionStrings__Postgres= ConnectionStrings__Redis= Pulse__DataDirectory="$work/data"
  cold 'cold on PostgreSQL and Redis'
}

cold() { # LABEL [NAME=VALUE…]: the first start makes the schema, the second is measured
  local i from own
  for i in 1 2; do
    own=$(free_port) from=$(date +%s%N)
    pulse_environment "$own" "${@:2}" dotnet "$out/web/Pulse.Web.dll" >>"$work/servers.log" 2>&1 &
    servers+=($!)
    until curl -s -f -o /dev/null "http://127.0.0.1:$own/health/ready"; do sleep 0.02; done
    printf '{"label":"pulse/%s","ready_ms":%d}\n' "$1" $((($(date +%s%N) - from) / 1000000)) >"$work/cold"
    stop_servers
  done
  tee -a "$out/rounds.jsonl" <"$work/cold"
}

ulimit -n "$(ulimit -Hn)"
(($(ulimit -n) > hold + 1000)) || die "ulimit -n is too low for $hold connections"
for server in "${measured[@]}"; do
  [[ $server == @(limits|pulse|original) ]] || die "SERVERS: there is no $server"
done
build
: >"$out/rounds.jsonl"
start_stores
for ((round = 1; round <= rounds; round++)); do
  first=$(((round - 1) % ${#measured[@]}))
  order=("${measured[@]:first}" "${measured[@]:0:first}")
  for phase in $phases; do
    for server in "${order[@]}"; do
      protocol=signalr
      [[ $server != original ]] || protocol=socketio
      "phase_$phase" "$server"
      stop_servers
    done
  done
done
node "$repo/bench/report.mjs" "$out/rounds.jsonl"
