#!/usr/bin/env bash
# Starts SelfDB: installs what is missing, writes the env file, builds, runs, waits until ready.
set -euo pipefail
caller=$PWD
cd "$(dirname "$0")"
. scripts/common.sh
. scripts/install.sh

usage() {
  cat <<'TEXT'
Usage: ./start.sh [--env-file FILE] [--foreground | --docker | --stop | --status]

Without an action: builds SelfDB, starts it in the background and waits until it is ready.

  --env-file FILE  the configuration; made with random secrets where it is missing (default .env)
  --foreground     stay attached; Ctrl-C stops it
  --docker         run the containers of docker-compose.yml instead
  --stop           stop the instance of the env file
  --status         say whether it runs and answers
TEXT
}

env_file=.env
action=start
while [ $# -gt 0 ]; do
  case $1 in
    --env-file)
      [ $# -ge 2 ] || die "--env-file needs a file"
      env_file=$(from "$caller" "$2")
      shift
      ;;
    --env-file=*) env_file=$(from "$caller" "${1#*=}") ;;
    --foreground | --docker | --stop | --status) action=${1#--} ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      die "unknown argument: $1"
      ;;
  esac
  shift
done

admin_password=

write_env_file() {
  local answer
  answer=$("$(binary)" env --env-file "$env_file" --example .env.example) || exit $?
  admin_password=$(sed -n 's/^admin password: //p' <<<"$answer")
  case $answer in
    wrote*) say "Wrote $env_file with new secrets." ;;
  esac
}

print_ready() {
  local host port base
  host=$(setting "$env_file" API_HOST 127.0.0.1)
  case $host in 127.0.0.1 | 0.0.0.0 | ::) host=localhost ;; esac
  port=$(setting "$env_file" API_PORT 8000)
  base=$(setting "$env_file" API_EXTERNAL_URL "http://$host:$port")
  cat <<TEXT

SelfDB is ready.

  API               $base
  Console           http://$host:$(setting "$env_file" FRONTEND_PORT 3000)
  Postgres          postgres://postgres@127.0.0.1:$(setting "$env_file" POSTGRES_PORT 54322)/postgres
                    (the password is POSTGRES_PASSWORD in $env_file)
  Functions health  http://127.0.0.1:$(setting "$env_file" FUNCTIONS_PORT 8090)/health

  anon key          $(setting "$env_file" ANON_KEY)
  publishable key   $(setting "$env_file" PUBLISHABLE_KEY)
  service role key  $(setting "$env_file" SERVICE_ROLE_KEY)
  secret key        $(setting "$env_file" SECRET_KEY)

  admin             $(setting "$env_file" DEFAULT_ADMIN_EMAIL)
                    (the first password is DEFAULT_ADMIN_PASSWORD in $env_file)
TEXT
  if [ -n "$admin_password" ]; then
    say "  admin password    $admin_password   (shown this once)"
  fi
}

# Shows what the instance said since it was started, from the end of the log that was there before.
show_log_since() { tail -c "+$(($1 + 1))" "$2" >&2; }

start_in_background() {
  local data log size pid code
  data=$(data_dir "$env_file")
  if ! mkdir -p "$data/log" 2>/dev/null; then
    die "DATA_DIR: the folder $data cannot be written by $(id -un): set another one in $env_file"
  fi
  chmod 711 "$data"
  log="$data/log/selfdb.log"
  touch "$log"
  chmod 600 "$log"
  size=$(stat -c %s "$log")
  rm -f "$data/selfdb.ready"
  say "Starting SelfDB…"
  setsid nohup "$(binary)" serve --env-file "$env_file" >>"$log" 2>&1 </dev/null &
  pid=$!
  printf '%s\n' "$pid" >"$(pid_file "$env_file")"
  local waited=0
  until [ "$(cat "$data/selfdb.ready" 2>/dev/null)" = "$pid" ]; do
    if ! kill -0 "$pid" 2>/dev/null; then
      code=0
      wait "$pid" || code=$?
      rm -f "$(pid_file "$env_file")"
      show_log_since "$size" "$log"
      [ "$code" -eq 0 ] && code=1
      exit "$code"
    fi
    if [ "$waited" -ge 1200 ]; then
      show_log_since "$size" "$log"
      stop_instance "$env_file"
      die "SelfDB was not ready within two minutes; its log is above and in $log"
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
}

compose() {
  if docker compose version >/dev/null 2>&1; then
    docker compose "$@"
  elif have docker-compose; then
    docker-compose "$@"
  else
    die "docker compose is missing: install Docker, or run ./start.sh without --docker"
  fi
}

case $action in
  stop)
    stop_instance "$env_file"
    ;;
  status)
    if ! pid=$(running_pid "$env_file"); then
      say "SelfDB is not running."
      exit 3
    fi
    say "SelfDB runs as process $pid."
    exec "$(binary)" status --env-file "$env_file"
    ;;
  docker)
    install_build_tools
    build "$env_file"
    write_env_file
    compose --env-file "$env_file" up -d --build
    print_ready
    ;;
  start | foreground)
    if running_pid "$env_file" >/dev/null; then
      say "SelfDB is running already."
      "$(binary)" status --env-file "$env_file" --wait 60
      print_ready
      exit 0
    fi
    install_build_tools
    install_postgres "$env_file"
    install_deno "$env_file"
    build "$env_file"
    write_env_file
    if [ "$action" = foreground ]; then
      [ -n "$admin_password" ] && say "admin password: $admin_password (shown this once; it is in $env_file)"
      exec "$(binary)" serve --env-file "$env_file"
    fi
    start_in_background
    print_ready
    ;;
esac
