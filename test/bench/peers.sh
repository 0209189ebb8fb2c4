#!/usr/bin/env bash
# Measures ejabberd, Prosody and Parley by the same scenarios of bin/parley-load,
# one after the other, and prints one table.
#
#   test/bench/peers.sh [parley] [ejabberd] [ejabberd-archive] [prosody] [prosody-archive]
#
# Each peer runs as a plain process on a loopback port, with all its data in one
# folder that is removed in the end. It is installed if it is missing (as root on
# Debian); no service of the system is started. What is chosen is in the peers'
# favour: no TLS, passwords stored as they are, no limits, logs of errors only, and
# nothing stored but in the archives:
#
#   ejabberd-archive  every message in PostgreSQL, synced before it is passed on
#   prosody-archive   every message in SQLite (write-ahead log), synced likewise
#
# BENCHTIME is the length of each measurement (10s).
set -euo pipefail
cd "$(dirname "$0")/../.."

all=(parley ejabberd ejabberd-archive prosody prosody-archive)
[ $# -gt 0 ] && all=("$@")
time=${BENCHTIME:-10s}
people=1944
port=25222
sql_port=25223
work=$(mktemp -d)
results=$work/results
pids=()

# stop ends the processes that this script has started, the newest first.
stop() {
  local i pid
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    pid=${pids[i]}
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  pids=()
}
trap 'stop; rm -rf "$work"' EXIT

# install PACKAGE...: installs what is missing, and keeps Debian from starting it.
install() {
  local missing=() package policy=/usr/sbin/policy-rc.d made=
  for package; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "Installing: ${missing[*]}" >&2
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    made=1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1
  [ -z "$made" ] || rm $policy
}

# listens PORT: waits until somebody listens there.
listens() {
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  echo "nothing listens on port $1" >&2
  return 1
}

# measure LABEL SCENARIO FLAG...: runs a scenario on the server that listens.
measure() {
  local label=$1 scenario=$2
  shift 2
  echo "$(date +%T) $label: $scenario" >&2
  bin/parley-load "$scenario" --json --label "$label" --xmpp "127.0.0.1:$port" --pid "${pids[-1]}" --duration "$time" "$@" >>"$results" ||
    echo "$label: $scenario failed" >&2
}

# suite LABEL START...: everything that is measured of a server that stores nothing.
# A fresh server for memory: what another scenario left would count.
suite() {
  local label=$1
  shift
  "$@"
  measure "$label" messages
  measure "$label" fanout --within 10m
  stop
  "$@"
  measure "$label" reconnect --rounds 0 --within 10m
  stop
  "$@"
  measure "$label" idle --people $people --within 10m
  stop
  "$@"
  measure "$label" storm --rounds 1 --within 10m
  stop
}

# --- ejabberd ----------------------------------------------------------------

# erlang FOLDER ARGUMENT...: an Erlang machine that runs ejabberd over a folder. Its
# schedulers do not spin: they share the processors with the load.
erlang() {
  local folder=$1
  shift
  EJABBERD_CONFIG_PATH=$work/ejabberd.yml EJABBERD_LOG_PATH=$work/ejabberd.log ERL_LIBS=/usr/lib/x86_64-linux-gnu ERL_CRASH_DUMP_BYTES=0 HOME=$work \
    exec erl +K true +P 250000 +Q 65536 +sbwt none -noinput -mnesia dir "\"$folder\"" -s ejabberd "$@" >>"$work/erlang.log" 2>&1
}

# ejabberd_config [LINE...]: writes the configuration, with further lines.
ejabberd_config() {
  {
    cat <<CONFIG
hosts: [localhost]
loglevel: critical
auth_method: [internal]
auth_password_format: plain
max_fsm_queue: 1000000
listen:
  - {port: $port, ip: "127.0.0.1", module: ejabberd_c2s, access: all, shaper: none, max_stanza_size: 262144, backlog: 4096, starttls: false}
CONFIG
    printf '%s\n' "$@"
  } >"$work/ejabberd.yml"
}

# ejabberd_people: imports the accounts once; every run begins with a copy.
ejabberd_people() {
  [ ! -e "$work/ejabberd-seed" ] || return 0
  bin/parley-load accounts --json --provision "$work/accounts.xml" --people $people >/dev/null
  ejabberd_config "modules:" "  mod_roster: {}"
  (erlang "$work/ejabberd-seed" -eval "ok = ejabberd_piefxis:import_file(<<\"$work/accounts.xml\">>), mnesia:dump_log(), init:stop().")
}

# start_ejabberd [LINE...]
start_ejabberd() {
  ejabberd_people
  rm -rf "$work/ejabberd"
  cp -r "$work/ejabberd-seed" "$work/ejabberd"
  ejabberd_config "$@"
  (erlang "$work/ejabberd") &
  pids+=($!)
  listens $port
  sleep 2
}

# start_postgres starts PostgreSQL with its own rules of durability, and ejabberd's
# tables in it.
start_postgres() {
  local bin folder=$work/postgres as="setpriv --reuid=postgres --regid=postgres --clear-groups"
  bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
  mkdir "$folder"
  chmod 711 "$work"
  chown postgres "$folder"
  (cd "$folder" && $as "$bin/initdb" -D "$folder/data" -A trust -E UTF8 >/dev/null)
  (
    cd "$folder"
    exec $as "$bin/postgres" -D "$folder/data" -p $sql_port -c listen_addresses=127.0.0.1 -c unix_socket_directories="$folder" \
      -c shared_buffers=512MB -c max_wal_size=4GB >"$folder/log" 2>&1
  ) &
  pids+=($!)
  for _ in $(seq 100); do
    psql -q -h 127.0.0.1 -p $sql_port -U postgres -c 'select 1' >/dev/null 2>&1 && break
    sleep 0.1
  done
  psql -q -h 127.0.0.1 -p $sql_port -U postgres -c "create role ejabberd login" -c "create database ejabberd owner ejabberd"
  psql -q -h 127.0.0.1 -p $sql_port -U ejabberd -f /usr/share/ejabberd/sql/pg.sql ejabberd >/dev/null 2>&1
}

# --- Prosody -----------------------------------------------------------------

# start_prosody [LINE...]: Prosody with further lines of configuration.
start_prosody() {
  rm -rf "$work/prosody"
  mkdir "$work/prosody"
  bin/parley-load accounts --json --form prosody --provision "$work/prosody/data" --people $people >/dev/null
  {
    cat <<CONFIG
daemonize = false
run_as_root = true
pidfile = "$work/prosody/pid"
data_path = "$work/prosody/data"
certificates = "$work/prosody"
log = { error = "$work/prosody/log" }
network_backend = "epoll"
network_settings = { tcp_backlog = 4096 }
interfaces = { "127.0.0.1" }
c2s_ports = { $port }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
modules_disabled = { "s2s", "s2s_auth_certs" }
CONFIG
    if [ $# -gt 0 ]; then
      printf '%s\n' "$@"
    else
      echo 'modules_enabled = { "roster", "saslauth", "disco" }'
    fi
    echo 'VirtualHost "localhost"'
  } >"$work/prosody.cfg.lua"
  prosody -F --config "$work/prosody.cfg.lua" >"$work/prosody/out" 2>&1 &
  pids+=($!)
  listens $port
  sleep 1
}

# -----------------------------------------------------------------------------

for server in "${all[@]}"; do
  case $server in
  parley)
    for scenario in messages fanout reconnect idle storm; do
      echo "$(date +%T) Parley: $scenario" >&2
      bin/parley-load $scenario --json --label Parley --duration "$time" >>"$results"
    done
    ;;
  ejabberd)
    install ejabberd
    suite ejabberd start_ejabberd "modules:" "  mod_roster: {}"
    ;;
  ejabberd-archive)
    install ejabberd erlang-p1-pgsql postgresql
    start_postgres
    start_ejabberd "sql_type: pgsql" "sql_server: 127.0.0.1" "sql_port: $sql_port" "sql_database: ejabberd" \
      "sql_username: ejabberd" "sql_password: ejabberd" "sql_pool_size: 32" \
      "modules:" "  mod_roster: {}" "  mod_mam: {default: always, db_type: sql}"
    measure "ejabberd, archiving" messages
    stop
    ;;
  prosody)
    install prosody
    suite Prosody start_prosody
    ;;
  prosody-archive)
    install prosody lua-dbi-sqlite3 sqlite3
    sqlite3 "$work/mam.sqlite" 'pragma journal_mode=wal; vacuum' >/dev/null
    start_prosody 'modules_enabled = { "roster", "saslauth", "disco", "mam" }' 'default_archive_policy = true' 'archive_expires_after = "never"' \
      'storage = { archive = "sql" }' "sql = { driver = \"SQLite3\", database = \"$work/mam.sqlite\" }"
    measure "Prosody, archiving" messages
    stop
    ;;
  *)
    echo "there is no $server" >&2
    exit 2
    ;;
  esac
done

echo
echo "$(date -u '+%d %B %Y, %H:%M UTC'), $(nproc) processors, each measurement $time. Parley stores every message and syncs it before it is passed on."
bin/parley-load compare <"$results"
