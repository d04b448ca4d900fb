#!/usr/bin/env bash
# Builds SelfDB again and restarts it; the data stays.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/common.sh
. scripts/install.sh

env_file=.env
while [ $# -gt 0 ]; do
  case $1 in
    --env-file)
      [ $# -ge 2 ] || die "--env-file needs a file"
      env_file=$2
      shift
      ;;
    --env-file=*) env_file=${1#*=} ;;
    *) die "unknown argument: $1 (usage: ./rebuild.sh [--env-file FILE])" ;;
  esac
  shift
done

# The old instance serves until the new one is built.
install_build_tools
cargo build --locked --profile "$(build_profile)" -p selfdb -p gateway -p auth -p rest -p realtime -p storage -p functions
stop_instance "$env_file"
exec ./start.sh --env-file "$env_file"
