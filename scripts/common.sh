# What ./quickstart and ./check share: steps with a log, packages, processes that do not stay behind. Sourced by bash.

set -u
CANDOR_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CANDOR_LOG_DIR=$CANDOR_ROOT/build/logs
mkdir -p "$CANDOR_LOG_DIR"

say() { printf '%s\n' "$*"; }
stop_with() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# step NAME COMMAND...: runs the command with its output in a log; on failure says which step, why, and where the log is.
step() {
  local name=$1 log started
  shift
  log=$CANDOR_LOG_DIR/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9\n' '-').log
  started=$SECONDS
  printf '%s ... ' "$name"
  # In a group of its own, so that an interruption ends all of it.
  setsid "$@" >"$log" 2>&1 </dev/null &
  CANDOR_STEP=$!
  wait "$CANDOR_STEP"
  local status=$?
  CANDOR_STEP=
  if [ $status -eq 0 ]; then
    say "$((SECONDS - started)) s"
    return
  fi
  say "failed"
  tail -n 15 "$log" >&2
  stop_with "step \"$name\" failed (exit $status); the last lines are above, all of it is in $log"
}

# The packages of the given groups (build, test, long) that are not installed.
missing_packages() {
  local group package command
  while read -r group package command; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    [ -n "$command" ] && command -v "$command" >/dev/null && continue
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || say "$package"
  done < <(grep -v '^#' "$CANDOR_ROOT/deploy/packages.txt" | grep .)
}

# install_packages GROUP...: says what it is about to install, and installs what is missing; removes nothing.
install_packages() {
  if ! command -v dpkg-query >/dev/null || ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    say "This is no Debian 12, so nothing is installed here. Candor needs what these packages hold there:"
    grep -E "^($(IFS='|'; echo "$*")) " "$CANDOR_ROOT/deploy/packages.txt" | awk '{print "  " $2}'
    return
  fi
  local missing as_root=()
  missing=$(missing_packages "$@")
  [ -z "$missing" ] && return
  if dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'libboost1.74*-dev' 2>/dev/null | grep -q ' installed$'; then
    stop_with "the -dev packages of Boost 1.74 are installed, and those of Boost 1.81, which Candor needs, exclude them. Nothing was changed. Remove them yourself (apt-get remove 'libboost1.74*-dev'), or build in a container or chroot"
  fi
  say "Debian packages to install:"
  printf '%s\n' $missing | fold -s -w 110 | paste -sd ' ' | fold -s -w 110 | sed 's/^/  /'
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || stop_with "installing needs root, and there is no sudo: run as root: apt-get install --no-remove --no-install-recommends $(echo $missing)"
    sudo true || stop_with "installing needs root; sudo refused"
    as_root=(sudo)
  fi
  # $missing is a list of words.
  step "update the package lists" "${as_root[@]}" apt-get update
  step "install the packages" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove \
    --no-install-recommends $missing
}

# build PRESET TARGET...: configures and builds.
build() {
  local preset=$1
  shift
  cd "$CANDOR_ROOT" || exit 1
  step "configure ($preset)" cmake --preset "$preset"
  step "build ($preset)" cmake --build --preset "$preset" --target "$@"
}

CANDOR_STEP=
CANDOR_PIDS=()

# start NAME READY-FILE COMMAND...: starts a server and waits until it serves.
start() {
  local name=$1 ready=$2
  shift 2
  rm -f "$ready"
  "$@" >"$CANDOR_LOG_DIR/$name.log" 2>&1 </dev/null &
  local pid=$!
  CANDOR_PIDS+=("$pid")
  local tries=0
  until [ -s "$ready" ]; do
    kill -0 "$pid" 2>/dev/null || { tail -n 5 "$CANDOR_LOG_DIR/$name.log" >&2; stop_with "$name ended before it served; its log is $CANDOR_LOG_DIR/$name.log"; }
    tries=$((tries + 1))
    [ $tries -lt 600 ] || stop_with "$name does not serve after 60 s; its log is $CANDOR_LOG_DIR/$name.log"
    sleep 0.1
  done
}

# Ends what was started, the last first, and waits for it: first in good order, then not.
stop_all() {
  trap - INT TERM EXIT
  if [ -n "$CANDOR_STEP" ]; then
    kill -TERM -- "-$CANDOR_STEP" 2>/dev/null
    wait "$CANDOR_STEP" 2>/dev/null
  fi
  local i pid
  for ((i = ${#CANDOR_PIDS[@]} - 1; i >= 0; i--)); do
    pid=${CANDOR_PIDS[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  CANDOR_PIDS=()
}

trap stop_all EXIT
trap 'echo; exit 130' INT
trap 'exit 143' TERM
