#!/usr/bin/env bash
# Builds Pulse and runs every test, on a PostgreSQL and a Redis of its own, which end with it.
#
#   ./test.sh                                  everything
#   ./test.sh 'FullyQualifiedName~Presence'    the .NET tests that match a `dotnet test --filter`, and no Node tests
#
# The last line is the count: "N passed, N failed" and, if any, ", N skipped". Needs the .NET SDK and Node.js. PostgreSQL, Redis, Chromium
# and HAProxy are installed from Debian packages when missing. Two copies may run at once, also in one checkout.

# Job control gives each background job a process group of its own, so that a job can be stopped together with all its children.
set -Eeuo pipefail -m
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
repo=$PWD
filter="$*"

# Variables that a shell has exported to run Pulse, as the README says, do not apply to the tests: each test has its own settings, and the
# defaults otherwise.
# shellcheck disable=SC2046  # names have no spaces
unset -v DOTNET_ENVIRONMENT $(compgen -e | grep -iE '^(ConnectionStrings__|Pulse__|ASPNETCORE_|OTEL_|Logging__|AllowedHosts$)' || true)

passed=0 failed=0 skipped=0
work='' results='' postgres_pid='' redis_pid=''
declare -A running_steps=() # The keys are their process ids.

say() { printf '\n==> %s\n' "$*"; }
die() {
  printf '\ntest.sh: %s\n' "$*" >&2
  # A reader of the last line must see a failure if the run ended before its tests.
  failed=$((failed + 1))
  exit 1
}

# --- the end, in all cases ---

# stop PID [SIGNAL]: the process group of one of our jobs, by SIGKILL if it takes more than 10 s.
stop() {
  local pid=$1 signal=${2:-TERM}
  [[ -n $pid ]] || return 0
  kill "-$signal" -- "-$pid" 2>/dev/null || return 0
  for _ in {1..100}; do
    kill -0 -- "-$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# Processes that a test left behind in a group of their own still carry the environment of this run.
stop_strays() {
  local environment pid
  for environment in /proc/[0-9]*/environ; do
    pid=${environment//[!0-9]/}
    [[ $pid != "$$" && $pid != "$BASHPID" ]] || continue
    if grep -qzxF "PULSE_TEST_RUN=$work" "$environment" 2>/dev/null; then
      printf 'test.sh: stopping what a test left running: %s\n' "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" >&2
      kill -KILL "$pid" 2>/dev/null || true
    fi
  done
}

finish() {
  local code=$?
  trap '' INT TERM
  trap - EXIT ERR
  set +e
  local pid
  for pid in "${!running_steps[@]}"; do stop "$pid"; done
  [[ -z $work ]] || stop_strays
  # SIGINT asks PostgreSQL for a fast shutdown. SIGTERM would wait for clients to disconnect.
  stop "$postgres_pid" INT
  stop "$redis_pid"
  [[ -z $work ]] || rm -rf -- "$work"
  ((failed == 0)) || code=$((code == 0 ? 1 : code))
  if [[ -d $results ]]; then
    if ((code == 0)) && [[ ! -f $results/repeated.txt ]]; then rm -rf -- "$results"; else printf '\nResults and logs: %s\n' "$results"; fi
  fi
  local line="$passed passed, $failed failed"
  ((skipped == 0)) || line+=", $skipped skipped"
  printf '\n%s\n' "$line"
  exit "$code"
}
trap finish EXIT
trap 'failed=$((failed + 1)); exit 130' INT
trap 'failed=$((failed + 1)); exit 143' TERM
trap 'failed=$((failed + 1)); printf "test.sh: line %s failed\n" "$LINENO" >&2' ERR

# --- tools ---

postgres_bin() {
  local bin best=''
  # The newest one. `postgres` itself is on no Debian PATH.
  for bin in /usr/lib/postgresql/*/bin; do
    [[ -x $bin/initdb && -x $bin/postgres ]] || continue
    if [[ -z $best ]] || dpkg --compare-versions "$(cut -d/ -f5 <<<"$bin")" gt "$(cut -d/ -f5 <<<"$best")"; then best=$bin; fi
  done
  if [[ -z $best ]] && command -v initdb >/dev/null; then best=$(dirname -- "$(command -v initdb)"); fi
  printf '%s' "$best"
}

chromium_path() { command -v chromium || command -v chromium-browser || command -v google-chrome || true; }

missing_packages() {
  [[ -n $(postgres_bin) ]] || echo postgresql
  { command -v redis-server && command -v redis-cli; } >/dev/null || echo redis-server
  [[ -n $(chromium_path) ]] || echo chromium
  # For deploy/local/cluster.sh. Debian keeps haproxy in /usr/sbin, which may be missing in PATH.
  [[ -x /usr/sbin/haproxy ]] || command -v haproxy >/dev/null || echo haproxy
  command -v curl >/dev/null || echo curl
}

install_missing() {
  local packages policy=/usr/sbin/policy-rc.d sudo=()
  mapfile -t packages < <(missing_packages)
  ((${#packages[@]})) || return 0
  command -v apt-get >/dev/null || die "needs ${packages[*]}, and there is no apt-get to install them with. Install them and run again."
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "needs ${packages[*]}. Run as root (or install sudo), or install them: apt-get install ${packages[*]}"
    sudo -n true 2>/dev/null || die "needs ${packages[*]}, and sudo asks for a password here. Install them: sudo apt-get install ${packages[*]}"
    sudo=(sudo -n)
  fi

  say "Installing ${packages[*]}"
  # In one root shell, so that the policy file is removed in all cases. The lock is for a second copy of this script: it then finds the
  # packages installed, and asking apt for them again has no effect.
  # shellcheck disable=SC2016  # expanded by the inner shell
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive flock /run/lock/pulse-test-install bash -euc '
    policy=$1; shift
    fresh=()
    for package; do dpkg -s "$package" >/dev/null 2>&1 || fresh+=("$package"); done
    # A policy that forbids starting services keeps the packages from leaving servers running. An existing policy is the machine'"'"'s own.
    if [ ! -e "$policy" ]; then
      trap "rm -f $policy" EXIT
      printf "#!/bin/sh\nexit 101\n" >"$policy"
      chmod +x "$policy"
    fi
    apt-get -q -o DPkg::Lock::Timeout=600 update || true
    apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@"
    # Where that policy allows it, the packages have started their servers, which are still unused.
    for package in "${fresh[@]}"; do
      [ "$package" = chromium ] || service "$package" stop >/dev/null 2>&1 || true
    done
  ' install "$policy" "${packages[@]}" </dev/null || die "could not install ${packages[*]} (see above)."
  [[ -z $(missing_packages) ]] || die "still missing after installing: $(missing_packages | paste -sd' ')"
}

check_tools() {
  command -v dotnet >/dev/null || die 'the .NET SDK is not on the PATH. Pulse needs the version in global.json: https://dotnet.microsoft.com/download'
  dotnet --version >/dev/null 2>&1 || die "no installed .NET SDK fits global.json: $(dotnet --version 2>&1 | head -3)"
  { command -v node && command -v npm; } >/dev/null || die 'Node.js (with npm) is not on the PATH. Pulse needs version 20 or later: https://nodejs.org'
  local node_version
  node_version=$(node --version)
  [[ $node_version =~ ^v([0-9]+) && ${BASH_REMATCH[1]} -ge 20 ]] ||
    die "Node.js is $node_version; Pulse needs version 20 or later: https://nodejs.org"
}

# --- servers ---

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); });'; }

# as_postgres COMMAND…: PostgreSQL refuses to run as root. setpriv instead of su, because it becomes the command, so the pid is the
# server's.
as_postgres() {
  if ((EUID == 0)); then
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
  else
    exec "$@"
  fi
}

start_postgres() {
  local bin=$1 dir=$work/pg port user
  mkdir "$dir"
  user=$(id -un)
  if ((EUID == 0)); then
    user=postgres
    chown postgres "$dir"
    # The directory above is readable by root only. Its owner must be able to reach this one in it.
    chmod 711 "$work"
  fi
  (cd "$dir" && as_postgres "$bin/initdb" --pgdata="$dir/data" --username="$user" --auth=trust --encoding=UTF8 --locale=C.UTF-8) \
    >"$results/initdb.log" 2>&1 || die "initdb failed: $(tail -5 "$results/initdb.log")"

  # Another process may take the free port before it is bound. Then the server ends at once, and another port is tried.
  # fsync stays on, because tests kill processes and count the surviving data.
  for _ in {1..5}; do
    port=$(free_port)
    (cd "$dir" && as_postgres "$bin/postgres" -D "$dir/data" -p "$port" -h 127.0.0.1 -k "$dir" -c max_connections=200) \
      >"$results/postgres.log" 2>&1 </dev/null &
    postgres_pid=$!
    for _ in {1..300}; do
      # Asks over the socket in our own directory, which proves that it is our server.
      if "$bin/psql" -X -q -h "$dir" -p "$port" -U "$user" -d postgres -c 'select 1' >/dev/null 2>&1; then
        export PULSE_TEST_POSTGRES="Host=127.0.0.1;Port=$port;Username=$user;Database=postgres"
        export PULSE_TEST_PG_BIN=$bin
        return 0
      fi
      kill -0 "$postgres_pid" 2>/dev/null || break
      sleep 0.1
    done
    stop "$postgres_pid" INT
  done
  die "PostgreSQL did not start: $(tail -5 "$results/postgres.log")"
}

start_redis() {
  local port
  mkdir "$work/redis"
  for _ in {1..5}; do
    port=$(free_port)
    redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work/redis" >"$results/redis.log" 2>&1 </dev/null &
    redis_pid=$!
    for _ in {1..150}; do
      if redis-cli -h 127.0.0.1 -p "$port" info server 2>/dev/null | tr -d '\r' | grep -qx "process_id:$redis_pid"; then
        export PULSE_TEST_REDIS="127.0.0.1:$port"
        return 0
      fi
      kill -0 "$redis_pid" 2>/dev/null || break
      sleep 0.1
    done
    stop "$redis_pid"
  done
  die "Redis did not start: $(tail -5 "$results/redis.log")"
}

# --- build and tests ---

# step COMMAND…: in the background and waited for, because bash runs a trap only once a foreground command has ended.
step() {
  "$@" </dev/null &
  running_steps[$!]=yes
  end_step "$!"
}

# end_step PID: waits for it; its exit code.
end_step() {
  local code=0
  wait "$1" || code=$?
  # A test host that outlives its runner would hold files that the next step writes.
  stop "$1"
  unset -v "running_steps[$1]"
  return "$code"
}

# Builds take turns in one checkout, because two copies of this script may share bin, obj and node_modules.
build() {
  exec 9>"$repo/artifacts/.test-lock"
  flock 9
  # "|| return", because errexit is off in a function whose result the caller tests.
  dotnet build Pulse.sln --disable-build-servers -nologo -v:minimal 9>&- || return
  local package
  for package in tests/*/package.json clients/*/package.json; do
    package=$(dirname -- "$package")
    cmp -s "$package/package-lock.json" "$package/node_modules/.installed-lock" && continue
    (cd "$package" && npm ci --loglevel=error && cp package-lock.json node_modules/.installed-lock) 9>&- || return
  done
}

# count PASSED FAILED SKIPPED EXIT_CODE NAME: a step that failed and counted no failure (a crash, a time-out) is one.
count() {
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
  if (($4 != 0 && $2 == 0)); then
    printf 'test.sh: %s ended with code %s without a failed test\n' "$5" "$4" >&2
    failed=$((failed + 1))
  fi
}

# The projects run one after the other, because they would share the machine and each other's time-outs.
run_dotnet_tests() {
  local project name code trx total executed good again
  while IFS= read -r project; do
    name=$(basename -- "$project" .csproj) trx=$results/$name.trx
    say "$name"
    code=0
    dotnet_test "$project" "$trx" "$filter" || code=$?
    total=0 executed=0 good=0
    # If the file is missing, no test matched the filter.
    if [[ -f $trx ]]; then
      total=$(counter total "$trx") executed=$(counter executed "$trx") good=$(counter passed "$trx")
    fi
    mapfile -t again < <(failed_tests "$trx")
    if ((${#again[@]} > 0 && ${#again[@]} <= repeatable)) && ! grep -q 'test run was aborted' "$trx" && repeat_tests "$project" "$results/$name.again.trx" "${again[@]}"; then
      good=$executed code=0
    fi
    count "$good" $((executed - good)) $((total - executed)) "$code" "$name"
  done < <(sed -nE 's#.*"(tests[^"]+\.csproj)".*#\1#p' Pulse.sln | sed 's#\\#/#g' | sort)
}

dotnet_test() { # PROJECT TRX FILTER
  local arguments=("$1" --no-build --nologo --results-directory "$results" --logger "trx;LogFileName=$(basename -- "$2")" --logger 'console;verbosity=minimal')
  arguments+=(--filter "${3:-Category!=OnDemand}")
  step dotnet test "${arguments[@]}"
}

# A few failed tests run once more, alone, because browsers and processes share the machine with the other tests. The output names them.
repeatable=3
repeat_tests() { # PROJECT TRX TEST…
  local project=$1 trx=$2 filter
  shift 2
  say "Once more: $*"
  printf -v filter '|FullyQualifiedName=%s' "$@"
  dotnet_test "$project" "$trx" "${filter:1}" || return
  printf 'test.sh: passed only when repeated: %s\n' "$@" | tee -a "$results/repeated.txt"
}

# The methods of the failed tests, without the arguments of theories: Namespace.Class.Method.
failed_tests() { # TRX
  [[ -f $1 ]] || return 0
  grep -oE '<UnitTestResult [^>]*outcome="Failed"[^>]*>' "$1" | grep -oE ' testName="[^"(]+' | cut -d'"' -f2 | sort -u || true
}

counter() { grep -oE '<Counters [^>]*>' "$2" | grep -oE "\b$1=\"[0-9]+\"" | grep -oE '[0-9]+'; }

# All packages run at once, because their tests mostly wait for servers and times. The output of a package is shown once it has ended.
run_node_tests() {
  local package name code log i packages=(tests/*/package.json clients/*/package.json) pids=()
  say "Node tests: ${packages[*]%/package.json}"
  for package in "${packages[@]}"; do
    package=${package%/package.json} log=$results/${package##*/}.log
    npm --prefix "$package" test --silent >"$log" 2>&1 </dev/null &
    pids+=($!)
    running_steps[$!]=yes
  done

  for i in "${!packages[@]}"; do
    package=${packages[i]%/package.json} name=${package##*/}
    log=$results/$name.log
    code=0
    end_step "${pids[i]}" || code=$?
    say "$name"
    cat -- "$log"
    count "$(node_count pass "$log")" $(($(node_count fail "$log") + $(node_count cancelled "$log"))) \
      $(($(node_count skipped "$log") + $(node_count todo "$log"))) "$code" "$name"
  done
}

# Node's summary is "# pass 3" or, from its spec reporter, "ℹ pass 3". Packages with another runner end their output in that form too. The
# last line counts, because a test may print such a line as well.
node_count() { grep -oE "^(#|ℹ) $1 [0-9]+\$" "$2" | tail -1 | grep -oE '[0-9]+' || echo 0; }

main() {
  check_tools
  install_missing

  work=$(mktemp -d "${TMPDIR:-/tmp}/pulse-test.XXXXXX")
  mkdir -p artifacts
  results=$(mktemp -d "$repo/artifacts/test-XXXXXX")
  # Build servers would outlive this script.
  export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
  # Profiles cost more than they gain in the many processes that live for seconds.
  export DOTNET_TieredPGO=0
  # In English, because run_dotnet_tests looks for a text of the test runner.
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_UI_LANGUAGE=en NO_COLOR=1

  say 'Building'
  step build || die 'the build failed.'

  say 'Starting PostgreSQL and Redis'
  start_postgres "$(postgres_bin)"
  start_redis
  PULSE_TEST_CHROMIUM=$(chromium_path)
  export PULSE_TEST_CHROMIUM PULSE_TEST_RUN=$work
  printf 'PostgreSQL: %s\nRedis:      %s\nChromium:   %s\n' "$PULSE_TEST_POSTGRES" "$PULSE_TEST_REDIS" "$PULSE_TEST_CHROMIUM"

  run_dotnet_tests
  [[ -n $filter ]] || run_node_tests
  ((passed + failed > 0)) || die 'no test ran.'
}

main
