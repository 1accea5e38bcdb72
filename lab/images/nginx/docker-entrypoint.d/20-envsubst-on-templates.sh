#!/bin/sh
# Templates are rendered with the variables that are set, and only those: `$host` stays nginx's.
set -e
templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
target=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d "$templates" ] || exit 0
if [ ! -w "$target" ]; then
    echo "envsubst: $target is not writable; templates are left alone" >&2
    exit 0
fi
names=$(awk 'END { for (n in ENVIRON) printf "${%s} ", n }' </dev/null)
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
    name=${template#"$templates"/}
    mkdir -p "$target/$(dirname "$name")"
    envsubst "$names" <"$template" >"$target/${name%"$suffix"}"
done
