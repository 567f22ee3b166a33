#!/bin/sh
# inside.sh SCRATCH COMMAND... - runs COMMAND where /opt is empty and /etc may be changed: both are
# this mount namespace's own, over SCRATCH, and end with it (unshare -m).
set -eu
scratch=$1
shift
mount -t tmpfs -o mode=755 none /opt
mount -t tmpfs -o mode=755 none "$scratch"
mkdir "$scratch/upper" "$scratch/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$scratch/upper,workdir=$scratch/work" none /etc
rm -rf /etc/trustgraft
exec "$@"
