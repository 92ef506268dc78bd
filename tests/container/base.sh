#!/usr/bin/env bash
# A small Debian that stands in for Gradescope's base image:  base.sh IMAGE [RELEASE]   (as root; needs debootstrap; ENGINE imports it, or podman)
set -euo pipefail
image="$1"
. /etc/os-release
release="${2:-$VERSION_CODENAME}"
mirror="$(apt-cache policy | grep -oE "https?://[^ ]+ $VERSION_CODENAME/main" | head -n 1 | cut -d ' ' -f 1)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv "$release" "$folder/root" "$mirror" > "$folder/log" 2>&1 ||
    { tail -n 3 "$folder/log" >&2; exit 1; }
rm -rf "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/lib/apt/lists/*
tar -C "$folder/root" -c . | ${ENGINE:-podman} import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$image" > /dev/null
