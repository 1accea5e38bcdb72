#!/usr/bin/env bash
# ./dev bench: ours and the peers side by side in a lab of their own; medians and ratios.
#   --rounds N        rounds of each measurement (5)
#   --slow-rounds N   rounds of the chain for the tools that wait for the interval (1; a round is
#                     four minutes)
#   --only wide|chain|memory
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

peers=$(lab/lab peers)
cargo build --quiet --locked --release --package phoenix-xtask
name=bench-$$
lab/lab up "$name"
# shellcheck disable=SC2064 # the name as it is now
trap "lab/lab down $name" EXIT
share=$(lab/lab status | awk -v n="$name" -F'\t' '$1 == n {sub("shared directory ", "", $4); print $4}')
as_root mkdir -p "$share/bin" "$share/bench"
as_root install -m 755 target/release/phoenix target/release/xtask "$peers/podup" "$share/bin/"
as_root chown 1000:1000 "$share/bench"
# docker-compose and podup need the socket; ours takes it where it is.
lab/lab exec -n "$name" -- systemctl --user start podman.socket
lab/lab exec -n "$name" -- bash -c \
  'export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock PATH=/mnt/share/bin:$PATH; exec xtask bench /mnt/share/bench "$@"' bench "$@"
mkdir -p "${PHOENIX_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/phoenix-hydra}"
cp "$share/bench/bench.json" "$PHOENIX_CACHE/bench.json"
echo "every value: $PHOENIX_CACHE/bench.json"
