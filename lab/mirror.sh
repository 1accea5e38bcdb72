#!/usr/bin/env bash
# Prints the Debian archive mirror that this host's apt uses.
set -euo pipefail
# shellcheck disable=SC2016 # apt expands these
uris=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
  awk '$1 == "Debian" && $2 !~ /security/ {print $2}' | sort -u)
mirror=${PHOENIX_DEBIAN_MIRROR:-$(head -n1 <<<"$uris")}
if [ -z "$mirror" ]; then
  echo "lab: apt knows no Debian archive here; run 'apt-get update' first, or set PHOENIX_DEBIAN_MIRROR" >&2
  exit 1
fi
printf '%s\n' "$mirror"
