#!/usr/bin/env bash
# Makes the lab's root file system: Debian 13 with systemd, rootless Podman, Docker and the
# tools the tests call. Runs as root. Usage: rootfs.sh OUT_DIR
#
# The archive mirror and the keyring are those the host's own apt uses, so a machine behind a
# mirror needs no setting of ours.
set -euo pipefail
out=$1

mirror=$("$(dirname "$0")/mirror.sh")

packages=(
  # init and a user manager
  systemd systemd-sysv dbus dbus-user-session libpam-systemd
  # rootless Podman and what a minimal install lacks (without catatonit, `init: true` fails)
  podman uidmap passt catatonit netavark aardvark-dns crun nftables fuse-overlayfs
  # the engine to move away from
  docker.io docker-cli docker-compose docker-buildx iptables
  # podman-compose's own needs, and what tests use
  python3-yaml python3-dotenv python3-pip
  ca-certificates curl jq git iproute2 procps less util-linux acl attr
)

# apt and pip inside the new root must trust what the host trusts.
bundle=/etc/ssl/certs/ca-certificates.crt

mmdebstrap --variant=minbase --mode=root \
  --include="$(IFS=,; echo "${packages[*]}")" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --customize-hook='cp /etc/resolv.conf "$1/etc/resolv.conf"' \
  --customize-hook="[ ! -e $bundle ] || cat $bundle >> \"\$1$bundle\"" \
  --customize-hook='env ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} chroot "$1" pip install --quiet --break-system-packages --no-deps podman-compose==1.6.0' \
  --customize-hook='chroot "$1" sh -e' \
  trixie "$out" "$mirror" <<'CHROOT'
useradd --create-home --uid 1000 --shell /bin/bash dev
usermod --add-subuids 100000-165535 --add-subgids 100000-165535 dev
usermod --append --groups docker dev
mkdir -p /var/lib/systemd/linger && touch /var/lib/systemd/linger/dev
# No pids controller in the lab's cgroup tree: every start would ask for one.
mkdir -p /etc/containers
printf '[containers]\npids_limit = 0\nlog_driver = "journald"\n' > /etc/containers/containers.conf
printf '[storage]\ndriver = "overlay"\n' > /etc/containers/storage.conf
printf 'lab\n' > /etc/hostname
printf '127.0.0.1 localhost lab\n::1 localhost\n' > /etc/hosts
printf 'nameserver 127.0.0.1\n' > /etc/resolv.conf
# A journal on disk (only then may users read their own), no consoles, nothing that waits for hardware or a network.
mkdir -p /etc/systemd/journald.conf.d /var/log/journal
printf '[Journal]\nStorage=persistent\nSystemMaxUse=64M\nForwardToConsole=no\nRateLimitIntervalSec=0\n' > /etc/systemd/journald.conf.d/lab.conf
systemctl mask --quiet getty.target console-getty.service systemd-logind-varlink.socket \
  systemd-networkd.service systemd-resolved.service systemd-timesyncd.service systemd-udevd.service \
  systemd-udev-trigger.service systemd-modules-load.service systemd-sysctl.service \
  systemd-remount-fs.service dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer 2>/dev/null || true
systemctl set-default --quiet multi-user.target
systemctl enable --quiet docker.socket
systemctl disable --quiet docker.service podman.service podman.socket podman-auto-update.timer 2>/dev/null || true
systemctl --global disable --quiet podman.socket podman-auto-update.timer 2>/dev/null || true
CHROOT
