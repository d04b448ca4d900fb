# shellcheck shell=bash
# Sourced by the scripts at the root: messages, settings of the env file, paths of what was built.

say() { printf '%s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# from FOLDER PATH: the path as it was meant in that folder.
from() {
  case $2 in
    /*) printf '%s' "$2" ;;
    *) printf '%s/%s' "$1" "$2" ;;
  esac
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# setting FILE NAME [DEFAULT]: the value of NAME in an env file, without quotes.
setting() {
  local value=''
  if [ -f "$1" ]; then
    value=$(sed -n "s/^[[:space:]]*\(export \)\{0,1\}$2[[:space:]]*=[[:space:]]*//p" "$1" | tail -n 1)
    value=${value%$'\r'}
    case $value in
      \"*\") value=${value#\"} value=${value%\"} ;;
      \'*\') value=${value#\'} value=${value%\'} ;;
    esac
  fi
  printf '%s' "${value:-${3-}}"
}

# Where tools of a pinned version are kept: readable by the users that Postgres and functions run
# as, which root's home is not.
tool_cache() {
  if [ -n "${SELFDB_CACHE_DIR-}" ]; then
    printf '%s' "$SELFDB_CACHE_DIR"
  elif is_root; then
    printf '/var/cache/selfdb'
  else
    printf '%s/selfdb' "${XDG_CACHE_HOME:-$HOME/.cache}"
  fi
}

# release, unless the tests ask for the profile they built already.
build_profile() { printf '%s' "${SELFDB_BUILD_PROFILE:-release}"; }

binary() {
  local folder
  folder=$(build_profile)
  [ "$folder" = dev ] && folder=debug
  printf '%s/%s/selfdb' "${CARGO_TARGET_DIR:-target}" "$folder"
}

# build ENV_FILE: the command, and each service's own program where the instance runs them apart.
build() {
  local packages=(-p selfdb)
  if [ "$(setting "$1" SELFDB_MODE single)" = processes ]; then
    packages+=(-p gateway -p auth -p rest -p realtime -p storage -p functions)
  fi
  # The tests have built all of it: of fewer packages Cargo takes fewer features, and builds anew.
  [ "$(build_profile)" = dev ] && packages=(--workspace --all-targets)
  say "Building SelfDB ($(build_profile))…"
  cargo build --locked --profile "$(build_profile)" "${packages[@]}"
}

data_dir() {
  local default=./data
  is_root && default=/var/lib/selfdb
  setting "$1" DATA_DIR "$default"
}

pid_file() { printf '%s/selfdb.pid' "$(data_dir "$1")"; }

# running_pid ENV_FILE: the process of that instance, where it runs.
running_pid() {
  local pid file
  file=$(pid_file "$1")
  [ -f "$file" ] || return 1
  pid=$(cat "$file")
  [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'selfdb serve' || return 1
  printf '%s' "$pid"
}

# stop_instance ENV_FILE: asks it to stop, and ends it after 40 seconds.
stop_instance() {
  local pid waited=0
  if ! pid=$(running_pid "$1"); then
    say "SelfDB is not running."
    return 0
  fi
  say "Stopping SelfDB (process $pid)…"
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$waited" -ge 400 ]; then
      say "It did not stop within 40 seconds: ending it."
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
  rm -f "$(pid_file "$1")"
  say "Stopped."
}
