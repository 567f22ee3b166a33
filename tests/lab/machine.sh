#!/bin/sh
# machine.sh DIR COMMAND... - runs COMMAND where /etc/trustgraft/policy.conf, /etc/ssl/openssl.cnf
# and /dev/log are DIR/policy.conf, DIR/openssl.cnf and DIR/log, if there. The machine's own files
# stay as they are: all happens in a mount namespace that ends with COMMAND (unshare -m).
set -eu
dir=$1
shift

mkdir "$dir/mnt"
mount -t tmpfs -o mode=755 none "$dir/mnt"
mkdir "$dir/mnt/upper" "$dir/mnt/work" "$dir/mnt/dev"
mount -t overlay -o "lowerdir=/etc,upperdir=$dir/mnt/upper,workdir=$dir/mnt/work" none /etc
rm -rf /etc/trustgraft
mkdir /etc/trustgraft

if [ -e "$dir/policy.conf" ]; then
    cp -p "$dir/policy.conf" /etc/trustgraft/policy.conf
fi
if [ -e "$dir/openssl.cnf" ]; then
    cp "$dir/openssl.cnf" /etc/ssl/openssl.cnf
fi
if [ -e "$dir/log" ]; then
    for device in null zero full random urandom; do
        touch "$dir/mnt/dev/$device"
        mount --bind "/dev/$device" "$dir/mnt/dev/$device"
    done
    touch "$dir/mnt/dev/log"
    mount --bind "$dir/log" "$dir/mnt/dev/log"
    mount --rbind "$dir/mnt/dev" /dev
fi
exec "$@"
