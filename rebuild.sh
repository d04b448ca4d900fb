#!/usr/bin/env bash
# Builds SelfDB again and restarts it; the data stays.
set -euo pipefail
caller=$PWD
cd "$(dirname "$0")"
. scripts/common.sh
. scripts/install.sh

env_file=.env
while [ $# -gt 0 ]; do
  case $1 in
    --env-file)
      [ $# -ge 2 ] || die "--env-file needs a file"
      env_file=$(from "$caller" "$2")
      shift
      ;;
    --env-file=*) env_file=$(from "$caller" "${1#*=}") ;;
    *) die "unknown argument: $1 (usage: ./rebuild.sh [--env-file FILE])" ;;
  esac
  shift
done

# The old instance serves until the new one is built.
install_build_tools
build "$env_file"
stop_instance "$env_file"
exec ./start.sh --env-file "$env_file"
