#!/usr/bin/env bash
# Stops SelfDB and deletes all its data, after saying what that is.
set -euo pipefail
caller=$PWD
cd "$(dirname "$0")"
. scripts/common.sh

env_file=.env
yes=
while [ $# -gt 0 ]; do
  case $1 in
    --env-file)
      [ $# -ge 2 ] || die "--env-file needs a file"
      env_file=$(from "$caller" "$2")
      shift
      ;;
    --env-file=*) env_file=$(from "$caller" "${1#*=}") ;;
    --yes | -y) yes=yes ;;
    *) die "unknown argument: $1 (usage: ./cleanup.sh [--env-file FILE] [--yes])" ;;
  esac
  shift
done

[ -f "$env_file" ] || die "$env_file is not there: nothing says where the data is"
data=$(realpath -m "$(data_dir "$env_file")")
case $data in
  / | /bin | /boot | /dev | /etc | /home | /lib | /opt | /proc | /root | /srv | /sys | /tmp | /usr | /var | /var/lib | "$HOME" | "$PWD")
    die "DATA_DIR is $data: that is no folder of SelfDB's alone; delete its data by hand"
    ;;
esac

parts=()
for part in postgres postgres.lock storage functions realtime log run selfdb.pid selfdb.ready; do
  [ -e "$data/$part" ] && parts+=("$data/$part")
done

# Postgres' files lie elsewhere where its account cannot enter DATA_DIR.
if [ -L "$data/postgres" ]; then
  parts+=("$(dirname "$(readlink "$data/postgres")")")
fi

say "This stops SelfDB and deletes for good:"
say "  $env_file, with every key and password in it"
for part in "${parts[@]}"; do
  say "  $part ($(du -sh "$part" | cut -f 1))"
done
if [ -z "$yes" ]; then
  printf 'Type "delete" to go on: '
  read -r answer || answer=
  [ "$answer" = delete ] || die "nothing was deleted"
fi

stop_instance "$env_file"
for part in "${parts[@]}"; do
  rm -rf -- "$part"
done
rmdir -- "$data" 2>/dev/null || true
rm -f -- "$env_file"
say "Deleted."
