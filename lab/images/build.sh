#!/usr/bin/env bash
# Makes the root file systems of the lab's images from Debian's packages, one tar and one
# Containerfile a directory: build.sh OUT_DIR. Runs as root; nothing is fetched from a registry.
#
# They carry the names that projects use (docker.io/library/postgres:17, …) and keep the contract
# that projects rely on: entrypoints, users, ports, variables, directories. The Debian packages are
# the same programs; sizes and package lists differ from the official images.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1
mirror=$("$here/../mirror.sh")
slim=(
  --mode=root
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*'
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*'
)
export SOURCE_DATE_EPOCH=1790000000

for image in busybox debian nginx postgres; do
  mkdir -p "$out/$image"
  cp -a "$here/$image/." "$out/$image/"
done

# Only the one static binary is wanted; the rest of the image is made around it.
mmdebstrap --variant=extract "${slim[@]}" --include=busybox-static trixie "$out/busybox/unpacked" "$mirror"
"$here/busybox/arrange.sh" "$out/busybox/unpacked" "$out/busybox/rootfs.tar"
rm -rf "$out/busybox/unpacked"

mmdebstrap --variant=minbase "${slim[@]}" bookworm "$out/debian/rootfs.tar" "$mirror"

mmdebstrap --variant=minbase "${slim[@]}" --include=nginx-light,gettext-base,curl,ca-certificates \
  --essential-hook='echo "nginx:x:101:101:nginx user:/nonexistent:/bin/false" >>"$1/etc/passwd"' \
  --essential-hook='echo "nginx:x:101:" >>"$1/etc/group"' \
  --customize-hook='rm -rf "$1/etc/nginx/sites-enabled" "$1/etc/nginx/sites-available" "$1/etc/nginx/snippets" "$1/var/lib/nginx"' \
  trixie "$out/nginx/rootfs.tar" "$mirror"

# The package's own uid is 100 and it bakes a cluster and a private key into the image: neither may be.
mmdebstrap --variant=minbase "${slim[@]}" --include=postgresql-17,gzip,xz-utils,zstd \
  --dpkgopt='path-exclude=/usr/lib/x86_64-linux-gnu/libLLVM*' --dpkgopt='path-exclude=/usr/lib/x86_64-linux-gnu/libz3*' \
  --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/llvmjit*' \
  --dpkgopt='path-exclude=/usr/share/i18n/*' \
  --essential-hook='echo "postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash" >>"$1/etc/passwd"' \
  --essential-hook='echo "postgres:x:999:" >>"$1/etc/group"; echo "postgres:*:19000:0:99999:7:::" >>"$1/etc/shadow"' \
  --essential-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
  --customize-hook='chroot "$1" sh -c "rm -rf /usr/share/perl/5* /usr/lib/x86_64-linux-gnu/perl /etc/ssl/private/*"' \
  --customize-hook='install -d -o 999 -g 999 "$1/var/lib/postgresql"' \
  trixie "$out/postgres/rootfs.tar" "$mirror"
