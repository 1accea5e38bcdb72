#!/usr/bin/env bash
# The demo: Phoenix Hydra on Docker, moved to rootless Podman. Runs as an ordinary user, in a lab or
# on a machine with rootless Podman: demo.sh DIRECTORY (a copy of stack/docker with its bin/).
set -euo pipefail
cd "$1"

times=()
began=0
step() { printf '\n\033[1m== %s\033[0m\n' "$1"; title=$1; began=$(date +%s.%N); }
took() {
  local seconds
  seconds=$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN {printf "%.1f", b - a}')
  times+=("$(printf '%7s s  %s' "$seconds" "$title")")
}

# Two weeks of days and nights on a rising level, with a hole of five hours.
samples() {
  seq 1767225600 3600 $((1767225600 + 335 * 3600)) | sed 's/^/@/' | date -u -f - +%Y-%m-%dT%H:%M:%SZ | awk '
    BEGIN {srand(7); printf "{\"series\":\"load\",\"samples\":["}
    NR <= 120 || NR > 125 {
      value = 10 + 0.02 * NR + 3 * sin(NR * 6.2831853 / 24) + 0.3 * rand()
      printf "%s{\"at\":\"%s\",\"value\":%.3f}", (NR > 1 ? "," : ""), $1, value
    }
    END {printf "]}"}'
}
samples >/tmp/phoenix-samples.json

post() { curl -fs --retry 20 --retry-delay 1 --retry-all-errors -X POST -H 'content-type: application/json' "$@"; }

if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  step "Phoenix Hydra on Docker, as its owners have it"
  ./deploy.sh 2>&1 | grep -vE '^#|^time=|^ *$' | tail -n 4
  post http://localhost/samples --data-binary @/tmp/phoenix-samples.json
  echo
  verified=$(./verify.sh 2>/dev/null)
  printf '%s\n' "${verified%%$'\n'*}"
  took
  step "Docker stops: its ports are needed"
  ./teardown.sh 2>&1 | grep -c Removed | sed 's/$/ containers and networks removed; the data stays in its volume/'
  took
else
  echo "No Docker here: the original is not started, the rest goes on."
fi

# Every file with its mode and content, as one number.
tree() { find . -path ./bin -prune -o -printf '%P %m %y %l\n' -type f -exec sha256sum {} + | sort | sha256sum; }

step "phoenix migrate: what will not work, the change, and the way back"
report=$(phoenix migrate 2>&1) || true # exit code 3: there are findings
printf '%s\n' "$report" | tail -n 2
before=$(tree)
phoenix migrate --apply
phoenix rollback
[ "$(tree)" = "$before" ] || { echo "the tree is not as before" >&2; exit 1; }
echo "the tree is byte for byte as before; and again:"
phoenix migrate --apply 2>/dev/null
took

step "phoenix up -d --wait"
phoenix up -d --wait 2>&1 | grep -vE '^    '
took

step "requests through nginx"
post http://localhost:8080/samples --data-binary @/tmp/phoenix-samples.json
echo
printf 'gaps:      '
curl -fsS 'http://localhost:8080/gaps?series=load'
printf '\nforecast:  '
post 'http://localhost:8080/train?series=load'
printf '\n           '
curl -fsS 'http://localhost:8080/forecasts?series=load' | cut -c1-200
printf 'cube:      '
phoenix exec -T db psql -qtA -U windmill_user windmill -c \
  "INSERT INTO cube_jobs (facelets) VALUES ('DUUBULDBFRBFRRULLLBRDFFFBLURDBFDFDRFRULBLUFDURRBLBDUDL')" 2>/dev/null
for _ in $(seq 30); do
  solution=$(phoenix exec -T db psql -qtA -U windmill_user windmill -c \
    "SELECT state || ': ' || coalesce(solution, error) FROM cube_jobs WHERE state IN ('done', 'failed') LIMIT 1" 2>/dev/null)
  [ -z "$solution" ] || break
  sleep 0.5
done
echo "$solution"
case $solution in done:*) ;; *) echo "the cube was not solved" >&2; exit 1 ;; esac
took

step "what was changed, and why (infra/podman/MIGRATION.md)"
sed -n '/^## Who runs/,/^## What was changed/p' infra/podman/MIGRATION.md | grep '^|'
printf '%s changes; each with its rule and place in MIGRATION.md\n' "$(sed -n '/^## What was changed/,/^## What a person/p' infra/podman/MIGRATION.md | grep -c '^- ')"

step "phoenix ps"
phoenix ps 2>/dev/null
unhealthy=$(podman ps --filter label=com.docker.compose.project=phoenix-hydra --format '{{.Names}} {{.Status}}' | grep -v '(healthy)' || true)
[ -z "$unhealthy" ] || { echo "not healthy: $unhealthy" >&2; exit 1; }

printf '\n\033[1m== how long it took\033[0m\n'
printf '%s\n' "${times[@]}"
printf '\nEvery service is healthy on rootless Podman.\n'
