#!/bin/sh
# guest.sh WORDS... - inside.sh with WORDS, for a system of arm64: qemu-user runs its programs, which
# the kernel starts by itself (binfmt_misc). Where it doesn't, it is told to, for this user namespace
# alone (namespace.py, Linux 6.7).
set -eu
mount --make-rprivate /
known=/proc/sys/fs/binfmt_misc
[ -e $known/qemu-aarch64 ] || {
    mount -t binfmt_misc none $known
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >$known/register
}
exec "$(dirname "$0")/../compat/inside.sh" "$@"
