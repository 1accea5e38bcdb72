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

# A day and a night, a hole of five hours, and a level that rises.
samples() {
  awk 'BEGIN {
    srand(7); start = 1767225600
    printf "{\"series\":\"load\",\"samples\":["
    for (i = 0; i < 336; i++) {
      if (i >= 120 && i < 125) continue
      value = 10 + 3 * sin(i * 6.2831853 / 24) + 0.3 * rand()
      if (i) printf ","
      printf "{\"at\":\"%s\",\"value\":%.3f}", strftime("%Y-%m-%dT%H:%M:%SZ", start + i * 3600, 1), value
    }
    printf "]}"
  }'
}
# mawk has no strftime; what is there decides.
if ! awk 'BEGIN {strftime("%Y", 0, 1)}' 2>/dev/null; then
  samples() {
    local i value first=1
    printf '{"series":"load","samples":['
    for i in $(seq 0 335); do
      [ "$i" -lt 120 ] || [ "$i" -ge 125 ] || continue
      value=$(awk -v i="$i" 'BEGIN {srand(i); printf "%.3f", 10 + 3 * sin(i * 6.2831853 / 24) + 0.3 * rand()}')
      [ $first = 1 ] || printf ','
      first=0
      printf '{"at":"%s","value":%s}' "$(date -u -d "@$((1767225600 + i * 3600))" +%Y-%m-%dT%H:%M:%SZ)" "$value"
    done
    printf ']}'
  }
fi
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

step "phoenix migrate"
report=$(phoenix migrate 2>&1) || true # exit code 3: there are findings
printf '%s\n' "$report" | tail -n 2
phoenix migrate --apply
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

step "phoenix ps"
phoenix ps 2>/dev/null
unhealthy=$(podman ps --filter label=com.docker.compose.project=phoenix-hydra --format '{{.Names}} {{.Status}}' | grep -v '(healthy)' || true)
[ -z "$unhealthy" ] || { echo "not healthy: $unhealthy" >&2; exit 1; }

step "what was changed, and why (infra/podman/MIGRATION.md)"
sed -n '/^## Who runs/,/^## What was changed/p' infra/podman/MIGRATION.md | grep '^|'
printf '%s changes; each with its rule and place in MIGRATION.md\n' "$(sed -n '/^## What was changed/,/^## What a person/p' infra/podman/MIGRATION.md | grep -c '^- ')"

step "down, and back"
phoenix down 2>&1 | tail -n 2
phoenix rollback 2>&1
took

printf '\n\033[1m== how long it took\033[0m\n'
printf '%s\n' "${times[@]}"
