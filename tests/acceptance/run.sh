#!/usr/bin/env bash
# Acceptance: instances that the real ./start.sh starts, driven by the unmodified clients from npm
# and PyPI; once with every service in one process, once with each as a process of its own.
# Usage: tests/acceptance/run.sh [single|processes|starts]...
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$here"

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(starts single processes)

work=$(mktemp -d "${TMPDIR:-/tmp}/selfdb-acceptance.XXXXXX")
chmod 711 "$work"
stop_all() {
  local file
  # What cannot be ended has ended: that is no failure of the tests.
  [ -z "${sink-}" ] || kill "$sink" 2>/dev/null || true
  for file in "$work"/*.env; do
    [ ! -f "$file" ] || "$root/start.sh" --stop --env-file "$file" >/dev/null 2>&1 || true
  done
  rm -rf "$work"
}
trap stop_all EXIT

if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --loglevel=error --no-audit --no-fund
  cp package-lock.json node_modules/.installed
fi
venv="${XDG_CACHE_HOME:-$HOME/.cache}/selfdb/acceptance-venv"
if ! cmp -s python/requirements.txt "$venv/installed.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r python/requirements.txt
  cp python/requirements.txt "$venv/installed.txt"
fi

free_ports() {
  python3 - "$1" <<'PY'
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(" ".join(str(s.getsockname()[1]) for s in sockets))
PY
}

signing_keys() {
  node -e '
    const { privateKey } = require("node:crypto").generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = { ...privateKey.export({ format: "jwk" }), kid: "acceptance", alg: "ES256", key_ops: ["sign", "verify"] };
    console.log(JSON.stringify([key]));
  '
}

run_suite() {
  local mode=$1 file="$work/$1.env" ports
  read -r -a ports <<<"$(free_ports 11)"
  cat >"$file" <<ENV
API_PORT=${ports[0]}
FRONTEND_PORT=${ports[1]}
POSTGRES_PORT=${ports[2]}
FUNCTIONS_PORT=${ports[3]}
AUTH_PORT=${ports[4]}
REST_PORT=${ports[5]}
REALTIME_PORT=${ports[6]}
STORAGE_PORT=${ports[7]}
SELFDB_MODE=$mode
DATA_DIR=$work/$mode
FUNCTIONS_DIR=$root/functions
FUNCTIONS_ACCESS_TOKEN=sbp_0102030405060708090a0b0c0d0e0f1011121314
GOTRUE_RATE_LIMIT_SIGN_UP=10000
GOTRUE_RATE_LIMIT_ANONYMOUS_USERS=10000
GOTRUE_RATE_LIMIT_TOKEN_REFRESH=10000
GOTRUE_RATE_LIMIT_USER_UPDATE=10000
GOTRUE_RATE_LIMIT_EMAIL_SENT=10000
GOTRUE_RATE_LIMIT_SMS_SENT=10000
GOTRUE_RATE_LIMIT_OTP=10000
GOTRUE_RATE_LIMIT_VERIFY=10000
GOTRUE_RATE_LIMIT_PASSKEY=10000
GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY=10000
GOTRUE_MAILER_AUTOCONFIRM=true
GOTRUE_SMTP_HOST=127.0.0.1
GOTRUE_SMTP_PORT=${ports[8]}
GOTRUE_SMTP_TLS=off
GOTRUE_SMTP_ADMIN_EMAIL=selfdb@example.com
GOTRUE_SMTP_MAX_FREQUENCY=0
GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED=true
GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED=true
GOTRUE_EXTERNAL_OIDC_ENABLED=true
GOTRUE_EXTERNAL_OIDC_CLIENT_ID=acceptance
GOTRUE_EXTERNAL_OIDC_SECRET=what-the-provider-was-told
GOTRUE_EXTERNAL_OIDC_URL=http://127.0.0.1:${ports[9]}
GOTRUE_EXTERNAL_KEYCLOAK_ENABLED=true
GOTRUE_EXTERNAL_KEYCLOAK_CLIENT_ID=acceptance
GOTRUE_EXTERNAL_KEYCLOAK_SECRET=what-the-other-provider-was-told
GOTRUE_EXTERNAL_KEYCLOAK_URL=http://127.0.0.1:${ports[10]}
GOTRUE_SECURITY_MANUAL_LINKING_ENABLED=true
GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED=true
GOTRUE_EXTERNAL_PHONE_ENABLED=true
GOTRUE_SMS_PROVIDER=twilio
GOTRUE_SMS_TWILIO_ACCOUNT_SID=nobody
GOTRUE_SMS_TWILIO_AUTH_TOKEN=nothing
GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID=nobody
GOTRUE_SMS_TEST_OTP=4915550000001=123456,4915550000002=234567,4915550000003=345678
GOTRUE_SMS_MAX_FREQUENCY=0
GOTRUE_MFA_PHONE_ENROLL_ENABLED=true
GOTRUE_MFA_PHONE_VERIFY_ENABLED=true
AUTH_PRIVATE_HOSTS=127.0.0.1
PGRST_DB_PLAN_ENABLED=true
S3_PROTOCOL_ACCESS_KEY_ID=acceptance
S3_PROTOCOL_ACCESS_KEY_SECRET=acceptance-secret-of-forty-characters-00
ENV
  # One secret for all in one mode, a pair of keys in the other.
  [ "$mode" = single ] || printf "GOTRUE_JWT_KEYS='%s'\n" "$(signing_keys)" >>"$file"
  printf '\n== acceptance, %s ==\n' "$mode"
  "$root/start.sh" --env-file "$file"
  export SELFDB_ENV_FILE="$file" SELFDB_MAILS="$work/$mode.mails"
  "$venv/bin/python" python/smtp_sink.py "${ports[8]}" "$SELFDB_MAILS" &
  sink=$!
  if ! node --test --test-concurrency=1 --test-reporter=spec 'suite/' || ! python_suite; then
    printf '\n== the end of the log ==\n'
    tail -n 60 "$work/$mode/log/selfdb.log"
    return 1
  fi
  "$root/start.sh" --stop --env-file "$file"
  kill "$sink"
  sink=
}

python_suite() {
  local port password
  port=$(sed -n 's/^POSTGRES_PORT=//p' "$SELFDB_ENV_FILE")
  password=$(sed -n 's/^POSTGRES_PASSWORD=//p' "$SELFDB_ENV_FILE")
  export SELFDB_PYTHON_TABLE=python_rows
  node --input-type=module -e '
    import pg from "pg";
    const [port, password] = process.argv.slice(1);
    const database = new pg.Client({ host: "127.0.0.1", port: Number(port), user: "postgres", password, database: "postgres" });
    await database.connect();
    await database.query("create table public.python_rows (id int primary key, name text)");
    await database.end();
  ' "$port" "$password"
  # Each has to pass: a function that is a condition goes on after what fails in it.
  "$venv/bin/python" python/test_supabase.py &&
    "$venv/bin/python" python/test_postgrest.py &&
    "$venv/bin/python" python/test_storage.py &&
    "$venv/bin/python" python/test_functions.py &&
    # Once is enough: what it asks does not depend on how services are run.
    { [ "$mode" != single ] || "$venv/bin/python" python/test_openapi.py; }
}

for part in "${parts[@]}"; do
  case $part in
    starts)
      printf '\n== acceptance, start.sh ==\n'
      node --test --test-concurrency=1 --test-reporter=spec 'starts/'
      ;;
    single | processes) run_suite "$part" ;;
    *)
      printf 'unknown part: %s\n' "$part" >&2
      exit 2
      ;;
  esac
done
