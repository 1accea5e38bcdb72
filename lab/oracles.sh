#!/usr/bin/env bash
# Fetches the programs that tests compare with, unpacks them in the cache and prints the directory:
#   docker-compose   2.40 (Debian sid's package), for loading; needs no daemon
# Nothing is installed on the host.
set -euo pipefail
cache=${PHOENIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/phoenix-hydra}/oracles
[ ! -x "$cache/docker-compose" ] || { echo "$cache"; exit 0; }
mirror=$("$(dirname "$0")/mirror.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache" "$work/lists" "$work/cache/archives/partial"
touch "$work/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache"
  -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root)
echo "oracles: fetching docker-compose from Debian sid (once)" >&2
"${apt[@]}" update >&2
(cd "$work" && "${apt[@]}" download docker-compose >&2 && dpkg -x docker-compose_*.deb unpacked)
install -m 755 "$(find "$work/unpacked" -name docker-compose -type f -perm -u+x | head -n1)" "$cache/docker-compose.new"
mv "$cache/docker-compose.new" "$cache/docker-compose"
echo "$cache"
