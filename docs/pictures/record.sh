#!/usr/bin/env bash
# The picture of the README, from a real run in a lab that is up:
#   docs/pictures/record.sh [LAB] | cargo xtask picture docs/pictures/move.svg
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
name=${1:-default}
share=$(lab/lab status | awk -v n="$name" -F'\t' '$1 == n {sub("shared directory ", "", $4); print $4}')
rm -rf "$share/picture"
mkdir -p "$share/picture" "$share/bin"
cp -a stack/docker/. "$share/picture"
install -m 755 target/release/phoenix "$share/bin/phoenix"
chown -R 1000:1000 "$share/picture"
lab/lab exec -n "$name" -w /mnt/share/picture -- bash -c '
  export CLICOLOR_FORCE=1 PATH=/mnt/share/bin:$PATH
  prompt() { printf "\033[32;1m$\033[0m \033[1m%s\033[0m\n" "$*"; }
  prompt phoenix migrate
  { phoenix migrate || true; } | sed "s|$PWD/||" | tail -n 26
  echo
  prompt phoenix migrate --apply
  phoenix migrate --apply 2>&1
  echo
  prompt phoenix up -d --wait
  phoenix up -d --wait 2>&1 | grep -aE "ready|using"
  echo
  prompt "phoenix ps  # four of its columns"
  phoenix ps 2>/dev/null | awk -F "   +" "{printf \"%-37s %-21s %-24s %s\\n\", \$1, \$4, \$6, \$7}"
  phoenix down >/dev/null 2>&1
  podman volume rm -f phoenix-hydra_db_data >/dev/null 2>&1
  podman unshare rm -rf /home/dev/.local/share/phoenix-hydra
'
