#!/usr/bin/env bash
# arrange.sh UNPACKED TAR: a busybox image's tree (every applet a link) from the unpacked package.
set -euo pipefail
unpacked=$1 tar=$2
tree=$(mktemp -d)
mkdir -p "$tree"/{bin,dev,etc,home,proc,root,sys,tmp,usr,var/www}
chmod 755 "$tree"
chmod 1777 "$tree/tmp"
cp "$(find "$unpacked" -name busybox -type f -perm -u+x | head -n1)" "$tree/bin/busybox"
"$tree/bin/busybox" --list | grep -vx busybox | while read -r applet; do
  ln -s busybox "$tree/bin/$applet"
done
ln -s bin "$tree/sbin"
ln -s ../bin "$tree/usr/bin"
ln -s ../bin "$tree/usr/sbin"
cat >"$tree/etc/passwd" <<'PASSWD'
root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
PASSWD
printf 'root:x:0:\nwww-data:x:33:\nnobody:x:65534:\n' >"$tree/etc/group"
tar --create --file "$tar" --numeric-owner --owner 0 --group 0 --directory "$tree" .
rm -rf "$tree"
