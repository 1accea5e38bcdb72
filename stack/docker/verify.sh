#!/usr/bin/env bash
# Is everything there that should be?
set -euo pipefail
base=${BASE_URL:-http://localhost:80}

try() { curl -fsS --retry 30 --retry-delay 1 --retry-all-errors "$@"; }

try "$base/healthz" >/dev/null
try "http://localhost:8000/readyz" >/dev/null
try "$base/series"
echo
docker compose -f "$(dirname "$0")/compose.yaml" ps
