#!/bin/sh
# The contract of the official image: before nginx starts, /docker-entrypoint.d/*.envsh are
# sourced and executable *.sh run, in the order of their names.
set -e
case ${1:-} in
nginx | nginx-debug)
    for hook in /docker-entrypoint.d/*; do
        case $hook in
        *.envsh) [ ! -x "$hook" ] || . "$hook" ;;
        *.sh) [ ! -x "$hook" ] || "$hook" ;;
        esac
    done
    ;;
esac
exec "$@"
