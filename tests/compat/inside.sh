#!/bin/sh
# inside.sh ROOT DIR... -- COMMAND... - runs COMMAND in the system unpacked in ROOT, which sees
# each DIR at its own place. All mounts end with the mount namespace (unshare -m).
set -eu
root=$1
shift

mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs none "$root/tmp"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    shift
done
shift
exec chroot "$root" "$@"
