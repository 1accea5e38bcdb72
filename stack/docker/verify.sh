#!/usr/bin/env bash
# Is everything there that should be?
set -euo pipefail
base=${BASE_URL:-http://localhost:80}

curl -fsS "$base/healthz" >/dev/null
curl -fsS "http://localhost:8000/readyz" >/dev/null
curl -fsS "$base/series"
echo
docker compose -f "$(dirname "$0")/compose.yaml" ps
