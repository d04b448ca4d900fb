#!/usr/bin/env bash
# Runs fuzz targets, one after the other, with the stable compiler.
# Usage: fuzz/run.sh [--minutes N] [TARGET]...      (10 minutes each; all of them)
set -euo pipefail
cd "$(dirname "$0")"
minutes=10
if [ "${1:-}" = --minutes ]; then
  minutes=$2
  shift 2
fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(realtime_frame pgoutput jwt_verify rest_query rest_request)
build=${CARGO_TARGET_DIR:-$PWD/target}
RUSTC_WRAPPER="$PWD/coverage-rustc" CARGO_TARGET_DIR="$build" cargo build "${targets[@]/#/--bin=}"
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target"
  "$build/debug/$target" "corpus/$target" "seeds/$target" \
    -max_total_time=$((minutes * 60)) -max_len=4096 -timeout=20 \
    -artifact_prefix="artifacts/$target/" -print_final_stats=1
done
