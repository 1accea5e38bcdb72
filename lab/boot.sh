#!/usr/bin/env bash
# Runs as process 1 of the lab's new namespaces: mounts what a machine has, moves the root and
# becomes systemd. Usage: boot.sh MERGED_ROOT REPOSITORY SHARE
set -euo pipefail
root=$1 repository=$2 share=$3

mount --make-rprivate /
# An overlay mounted by our starter lives in its mount namespace; pivot_root wants a mount point.
mountpoint -q "$root" || mount --bind "$root" "$root"
cd "$root"

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,size=64k,nosuid tmpfs dev
for node in null zero full random urandom tty; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
# fuse and tun are mode 600 on some hosts, and a bind mount keeps that: nodes of our own.
mknod -m 666 dev/fuse c 10 229
mkdir -p dev/net dev/pts dev/shm dev/mqueue
mknod -m 666 dev/net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mkdir -p mnt/phoenix mnt/share run/lock
mount --bind "$repository" mnt/phoenix
mount -o remount,bind,ro mnt/phoenix
mount --bind "$share" mnt/share

hostname lab
sysctl -qw net.ipv4.ip_forward=1 || true
ip link set lo up
# pasta wants a default route as soon as docker0 exists; a pair with both ends here gives one.
ip link add up0 type veth peer name up1
ip addr add 192.0.2.2/24 dev up0
ip link set up0 up
ip link set up1 up
ip route add default via 192.0.2.1 dev up0

mkdir -p .old
pivot_root . .old
umount -l /.old
rmdir /.old
# Binds go missing in rootless Podman when the root is private.
mount --make-rshared /
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
