#!/usr/bin/env bash
# Stops the stack; with --volumes its data goes too.
set -euo pipefail
cd "$(dirname "$0")"
docker compose down "$@"
