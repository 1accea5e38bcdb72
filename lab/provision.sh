#!/usr/bin/env bash
# Runs once inside the first lab, as root: turns the tars on the shared directory into images and
# gives them to both engines. What it leaves is the template of every later lab.
set -euo pipefail
# The user's storage: images are made by rootless Podman itself.
as_dev() {
  setpriv --reuid 1000 --regid 1000 --init-groups env -i HOME=/home/dev USER=dev PATH="$PATH" \
    XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "$@"
}
cd /mnt/share
chmod -R a+rX .
systemctl start docker.service
for image in busybox debian nginx postgres; do
  mapfile -t names <"$image/names"
  tags=()
  for name in "${names[@]}"; do tags+=(--tag "$name"); done
  as_dev podman build --quiet --format docker --squash-all "${tags[@]}" "$image"
  for name in "${names[@]}"; do as_dev podman save "$name" | docker load; done
done
as_dev podman image prune --force
as_dev podman images
docker images
systemctl stop docker.socket docker.service containerd.service || true
sync
