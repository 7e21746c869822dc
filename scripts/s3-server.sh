#!/usr/bin/env bash
# A real S3 server for tests, drills and demos: Ceph's radosgw over one monitor and one object storage daemon, all on
# 127.0.0.1, as plain processes (no service manager), from the packages of the distribution.
#
#   scripts/s3-server.sh install    install what is missing (Debian or Ubuntu, as root)
#   scripts/s3-server.sh start      start, or find it running; waits until it answers, prints how to reach it;
#                                   exit 3 when it is not installed
#   scripts/s3-server.sh installed  exit 0 when it is installed, 3 when it is not
#   scripts/s3-server.sh stop       end it in good order; the data stays
#   scripts/s3-server.sh kill       end it at once with SIGKILL, as a crash would; the data stays
#   scripts/s3-server.sh restart    stop, then start on the same data
#   scripts/s3-server.sh purge      kill, and remove the data
#   scripts/s3-server.sh status     exit 0 when it answers, 1 when it does not
#
# Every command may be repeated. `start` prints shell assignments, so this is enough to use it:
#   eval "$(scripts/s3-server.sh start)"
#
# Environment:
#   S3_SERVER_DIR    its data and process ids      (default: effect-slatedb-s3-<user id> in the temporary directory)
#   S3_SERVER_PORT   its port; the monitor takes the next one                                          (default 9160)
#   S3_SERVER_ACCESS_KEY, S3_SERVER_SECRET_KEY     its one user                (default slatedb, slatedb-secret)
#   S3_SERVER_OWNER  a process id: when every owner that asked `start` for the server has ended, the server is purged.
#                    A `start` without owner keeps it until somebody stops it.
#
# Ceph 16 limits that tests must know: it ignores conditions on multipart uploads and deletes, and mistakes a quoted
# etag in If-Match. Create-if-absent (If-None-Match: *) is exact.
set -euo pipefail

DIR=${S3_SERVER_DIR:-${TMPDIR:-/tmp}/effect-slatedb-s3-$(id -u)}
PORT=${S3_SERVER_PORT:-9160}
ACCESS_KEY=${S3_SERVER_ACCESS_KEY:-slatedb}
SECRET_KEY=${S3_SERVER_SECRET_KEY:-slatedb-secret}
PACKAGES=(radosgw ceph-mon ceph-osd)
DAEMONS=(rgw osd mon) # in the order in which they are ended
PATH=$PATH:/usr/sbin:/sbin

fail() {
  echo "s3-server: $*" >&2
  exit 1
}

installed() {
  command -v radosgw >/dev/null && command -v ceph-mon >/dev/null && command -v ceph-osd >/dev/null
}

require_installed() {
  if installed; then return; fi
  echo "s3-server: radosgw is not installed: run 'scripts/s3-server.sh install' as root" >&2
  exit 3
}

install_packages() {
  if installed; then return; fi
  local wanted="the packages ${PACKAGES[*]} (Ceph 16 or later)"
  command -v apt-get >/dev/null ||
    fail "radosgw is not installed and there is no apt-get here: install $wanted with this system's package manager"
  [ "$(id -u)" = 0 ] ||
    fail "radosgw is not installed and installing it needs root: run 'sudo scripts/s3-server.sh install'"
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get update -q && apt-get install -y -q --no-install-recommends "${PACKAGES[@]}"
  } >&2 || fail "apt-get could not install $wanted: see its messages above"
}

# The options that follow `mon_data` are what one daemon with one copy needs to serve at all; cephx stays on, because
# radosgw never starts to serve without it. Without tcp_nodelay every small GET takes 40 ms longer.
write_configuration() {
  cat <<CONF
[global]
fsid = $1
mon_initial_members = a
mon_host = [v2:127.0.0.1:$((PORT + 1))]
ms_bind_msgr1 = false
ms_bind_ipv4 = true
ms_bind_ipv6 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_allow_insecure_global_id_reclaim = false
keyring = $DIR/keyring
run_dir = $DIR/run
admin_socket = $DIR/run/\$name.asok
log_file = $DIR/log/\$name.log
crash_dir = $DIR/log
mon_data = $DIR/mon
osd_data = $DIR/osd
rgw_data = $DIR/rgw
rgw_frontends = beast endpoint=127.0.0.1:$PORT tcp_nodelay=1
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 1
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 2
osd_pool_default_pgp_num = 2
osd_pool_default_pg_autoscale_mode = off
rgw_rados_pool_pg_num_min = 2
osd_crush_chooseleaf_type = 0
osd_max_object_name_len = 2048
osd_objectstore = bluestore
osd_op_queue = wpq
osd_mclock_skip_benchmark = true
osd_memory_target = 1073741824
bluestore_block_size = 8589934592
bluestore_block_create = true
debug_ms = 0/0
debug_osd = 0/0
debug_bluestore = 0/0
debug_bdev = 0/0
debug_bluefs = 0/0
debug_rocksdb = 0/0
debug_rgw = 0/0
debug_mon = 0/0
debug_paxos = 0/0
CONF
}

ceph_() { ceph --conf "$DIR/ceph.conf" --connect-timeout 30 "$@"; }

key_for() { # name capability...
  local name=$1
  shift
  ceph-authtool "$DIR/keyring" --gen-key -n "$name" "$@"
}

# The folder of a new cluster, its keys, and the monitor's first map. Nobody else's folder is ever emptied.
create_cluster() {
  if [ -e "$DIR/ceph.conf" ]; then rm -rf "$DIR"; fi
  if [ -n "$(ls -A "$DIR" 2>/dev/null)" ]; then fail "$DIR holds other files: set S3_SERVER_DIR to a new folder"; fi
  local fsid
  fsid=$(cat /proc/sys/kernel/random/uuid)
  mkdir -p "$DIR"
  chmod 700 "$DIR"
  write_configuration "$fsid" >"$DIR/ceph.conf"
  mkdir -p "$DIR"/{mon,osd,rgw,log,run,owners}
  {
    ceph-authtool --create-keyring "$DIR/keyring" --gen-key -n mon. --cap mon 'allow *'
    key_for client.admin --cap mon 'allow *' --cap osd 'allow *'
    key_for osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
    key_for client.rgw.a --cap mon 'allow rw' --cap osd 'allow rwx'
    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$((PORT + 1))]" "$DIR/monmap"
    ceph-mon --conf "$DIR/ceph.conf" --mkfs -i a --monmap "$DIR/monmap" --keyring "$DIR/keyring"
  } >"$DIR/log/create.out" 2>&1 || fail "could not create the cluster: see $DIR/log/create.out"
}

# Registers the storage daemon and makes its disk, which needs the monitor.
create_storage() {
  local uuid
  uuid=$(cat /proc/sys/kernel/random/uuid)
  {
    ceph_ osd new "$uuid" && ceph_ auth import -i "$DIR/keyring" &&
      ceph-osd --conf "$DIR/ceph.conf" -i 0 --mkfs --osd-uuid "$uuid"
  } >"$DIR/log/create-storage.out" 2>&1 || fail "could not create the storage: see $DIR/log/create-storage.out"
}

create_user() {
  radosgw-admin --conf "$DIR/ceph.conf" -n client.admin user create --uid=slatedb --display-name=slatedb \
    --access-key="$ACCESS_KEY" --secret="$SECRET_KEY" >"$DIR/log/create-user.out" 2>&1 ||
    fail "could not create the user: see $DIR/log/create-user.out"
}

# Whether a daemon of this folder is running; an id that a stranger got after a crash does not count.
running() {
  local pid
  pid=$(cat "$DIR/run/$1.pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$DIR/ceph.conf"
}

# Starts a daemon outside this shell's session, so that it outlives the terminal, and without the lock (file 9).
spawn() { # name command...
  local name=$1
  shift
  running "$name" && return
  setsid nohup "$@" --conf "$DIR/ceph.conf" -f >>"$DIR/log/$name.out" 2>&1 </dev/null 9>&- &
  echo $! >"$DIR/run/$name.pid"
}

# Waits until the storage daemon is known to the monitor. A radosgw that starts before asks one that died instead, and
# loses seven seconds. It would still serve, so this gives up without failing.
await_storage() {
  local tries=0
  until ceph --admin-daemon "$DIR/run/osd.0.asok" status 2>/dev/null | grep -q '"state": "active"'; do
    [ $((tries += 1)) -lt 100 ] && running osd || return 0
    sleep 0.1
  done
}

answers() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$PORT"
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    read -r -t 5 line <&3
    [[ $line == "HTTP/1."?" 200"* ]]
  ) 2>/dev/null
}

start() {
  require_installed
  # What a start that was cut short left behind is not used.
  if [ ! -e "$DIR/complete" ]; then
    end KILL
    create_cluster
  fi
  grep -q "endpoint=127.0.0.1:$PORT " "$DIR/ceph.conf" ||
    fail "the server in $DIR has another port than S3_SERVER_PORT=$PORT: purge it, or set S3_SERVER_DIR"
  if [ -n "${S3_SERVER_OWNER:-}" ]; then touch "$DIR/owners/$S3_SERVER_OWNER"; else touch "$DIR/owners/nobody"; fi
  if ! running rgw && answers; then fail "port $PORT is taken by another server: set S3_SERVER_PORT to a free one"; fi
  spawn mon ceph-mon -i a
  [ -e "$DIR/complete" ] || create_storage
  spawn osd ceph-osd -i 0
  await_storage
  spawn rgw radosgw -n client.rgw.a
  local tries=0
  until answers; do
    running rgw && running osd && running mon || fail "a daemon ended while starting: see $DIR/log"
    [ $((tries += 1)) -lt 1200 ] || fail "radosgw does not answer on port $PORT after two minutes: see $DIR/log"
    sleep 0.1
  done
  if [ ! -e "$DIR/complete" ]; then
    create_user
    touch "$DIR/complete"
  fi
  running watch || spawn_watch
}

spawn_watch() {
  [ ! -e "$DIR/owners/nobody" ] || return 0
  S3_SERVER_DIR=$DIR setsid nohup "$BASH" "$0" watch "$DIR/ceph.conf" >/dev/null 2>&1 </dev/null 9>&- &
  echo $! >"$DIR/run/watch.pid"
}

abandoned() {
  local owner
  for owner in "$DIR"/owners/*; do
    case ${owner##*/} in
      nobody) return 1 ;;
      *) if [ -d "/proc/${owner##*/}" ]; then return 1; fi ;;
    esac
  done
}

# Runs beside a server that has owners, and removes it when the last of them is gone, however it ended.
watch() {
  while sleep 1; do
    [ -e "$DIR/ceph.conf" ] || exit 0
    if abandoned; then
      exec 9>"$DIR.lock"
      flock 9
      if abandoned; then
        purge
        exit 0
      fi
      exec 9>&-
    fi
  done
}

end() { # signal
  local name pid tries
  for name in "${DAEMONS[@]}"; do
    running "$name" || continue
    pid=$(cat "$DIR/run/$name.pid")
    kill -"$1" "$pid" 2>/dev/null || true
    tries=0
    while running "$name"; do
      if [ $((tries += 1)) -ge 600 ]; then kill -KILL "$pid" 2>/dev/null || true; fi
      sleep 0.05
    done
    rm -f "$DIR/run/$name.pid"
  done
}

# Removes nothing but a folder that this script made.
purge() {
  end KILL
  if [ -e "$DIR/ceph.conf" ]; then rm -rf "$DIR"; fi
}

describe() {
  echo "export SLATEDB_TEST_S3_ENDPOINT=http://127.0.0.1:$PORT"
  echo "export SLATEDB_TEST_S3_ACCESS_KEY_ID=$ACCESS_KEY"
  echo "export SLATEDB_TEST_S3_SECRET_ACCESS_KEY=$SECRET_KEY"
}

locked() {
  mkdir -p "$(dirname "$DIR")"
  exec 9>"$DIR.lock"
  flock 9
  "$@"
}

case ${1:-} in
  install) locked install_packages ;;
  installed) require_installed ;;
  start)
    locked start
    describe
    ;;
  stop) locked end TERM ;;
  kill) locked end KILL ;;
  restart)
    locked end TERM
    start
    describe
    ;;
  purge) locked purge ;;
  status) if answers; then describe; else fail "no S3 server answers on port $PORT"; fi ;;
  watch) watch ;;
  *) fail "usage: scripts/s3-server.sh install|installed|start|stop|kill|restart|purge|status" ;;
esac
