#!/bin/sh
# tests/inject/run.sh BUILD PKI - each mechanism of the two injectors, on small programs.
#
# One line a test: what was done, what was expected. Ends with `N passed, N failed`; exit 0 only
# if none failed. CC can be set.
set -u
unset LD_PRELOAD OPENSSL_CONF TRUSTGRAFT_POLICY XDG_CONFIG_HOME SSL_CERT_FILE SSL_CERT_DIR
export LC_ALL=C
[ $# -eq 2 ] || {
    echo "usage: tests/inject/run.sh BUILD PKI" >&2
    exit 2
}
build=$(cd "$1" && pwd) && pki=$(cd "$2" && pwd) || exit 2
cd "$(dirname "$0")" || exit 2
CC=${CC:-cc}
out=$build/tests/inject
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
HOME=$work # no policy of the user's own
export HOME
passed=0
failed=0
skipped=0

# result NAME EXPECTED GOT
result() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "ok     $1: $2"
    else
        failed=$((failed + 1))
        echo "FAILED $1: expected '$2', got '$3'"
        sed 's/^/           /' "$work/stderr" 2>/dev/null | head -n 5
    fi
}

# ---- programs ------------------------------------------------------------------------------

compile() {
    target=$1
    shift
    "$CC" -std=gnu11 -D_GNU_SOURCE -I../../policy -I../../policy/hook -I../../policy/hook/process -I../../policy/hook/lib -I../../policy/hook/connection -I../../policy/base -O2 -g -fPIC \
        -fvisibility=hidden -pthread -o "$out/$target" "$@" || exit 2
}

mkdir -p "$out/second" "$out/other" || exit 2
compile early.so -shared -fvisibility=default early.c -lssl
compile app app.c callbacks.c pair.c "$out/early.so" -lssl -lcrypto -Wl,-rpath,"$out"
compile module.so -shared module.c pair.c -lssl -lcrypto
compile host host.c
compile forks forks.c
compile faults faults.c -lssl
for table in names hellos; do
    compile $table $table.c ../../preload/names.c ../../preload/ends.c ../../preload/hellos.c ../../preload/readable.c ../../preload/pending.c ../../preload/begun.c ../../preload/slot.c
done
# OpenSSL inside the executable, exported, as Node.js has it.
compile exported app.c callbacks.c pair.c early.c -Wl,--whole-archive -l:libssl.a -l:libcrypto.a \
    -Wl,--no-whole-archive -rdynamic -ldl
compile allocator.so -shared -fvisibility=default allocator.c
compile shim.so -shared -fvisibility=default shim.c
compile foreign.so -shared -fvisibility=default foreign.c

# Copies of OpenSSL under other names, which can stand in a process beside the system's: a
# second libssl on the same libcrypto, and another libssl on a libcrypto of its own.
ssl=$(ldd "$out/app" | sed -n 's/.*libssl\.so\.3 => \([^ ]*\).*/\1/p')
crypto=$(ldd "$out/app" | sed -n 's/.*libcrypto\.so\.3 => \([^ ]*\).*/\1/p')
sed 's/libssl\.so\.3/libssl.so.8/g' "$ssl" >"$out/second/libssl.so.8" || exit 2
sed 's/libssl\.so\.3/libssl.so.9/g; s/libcrypto\.so\.3/libcrypto.so.9/g' "$ssl" >"$out/other/libssl.so.9"
sed 's/libcrypto\.so\.3/libcrypto.so.9/g' "$crypto" >"$out/other/libcrypto.so.9"
compile module-second.so -shared module.c pair.c "$out/second/libssl.so.8" -lcrypto -Wl,-rpath,"$out/second"
compile module-other.so -shared module.c pair.c "$out/other/libssl.so.9" "$out/other/libcrypto.so.9" \
    -Wl,-rpath,"$out/other"

# A libssl that lacks a function.
mkdir -p "$out/lacking" || exit 2
sed 's/SSL_SESSION_set1_ticket_appdata/SSL_SESSION_set1_ticket_appdatX/g' "$ssl" >"$out/lacking/libssl.so.3"

# Debian 11's OpenSSL 1.1 and BoringSSL, where this machine can get them.
others=
old=$out/openssl-1.1
if ../compat/fetch.py libssl1.1 bullseye "$old"; then
    old=$(dirname "$(find "$old" -name libssl.so.1.1)")
    compile module-old.so -shared module.c pair.c "$old/libssl.so.1.1" "$old/libcrypto.so.1.1" \
        -Wl,-rpath,"$old"
    others="$others module-old"
else
    skipped=$((skipped + 1))
    echo "skipped OpenSSL 1.1: it can't be fetched"
fi
android=/usr/lib/$("$CC" -print-multiarch)/android
if [ -e "$android/libssl.so" ]; then
    compile module-boring.so -I/usr/include/android -shared module.c pair.c "$android/libssl.so" \
        "$android/libcrypto.so" -Wl,-rpath,"$android"
    others="$others module-boring"
else
    skipped=$((skipped + 1))
    echo "skipped BoringSSL: needs android-libboringssl-dev"
fi

# Those that the engine with a libcrypto inside serves.
inside=$others
[ -e "$build/libtrustgraft-inside.so.0" ] || {
    inside=
    skipped=$((skipped + 1))
    echo "skipped the engine with a libcrypto inside: there was no libcrypto.a"
}

# ---- policies ------------------------------------------------------------------------------

policy() {
    cat >"$work/$1.conf"
    chmod 644 "$work/$1.conf"
}
policy accept <<END
[host api.example.test]
anchors = $pki/root.pem
END
policy its-anchors <<END
[host api.example.test]
strict = yes
END
policy reject <<END
[host api.example.test]
action = reject
END
policy elsewhere <<END
[host elsewhere.example]
action = reject
END
policy broken <<END
[host api.example.test]
anchor = $pki/root.pem
END
policy name-rejected <<END
[host localhost]
action = reject
[host *]
anchors = $pki/root.pem
hostname = api.example.test
END
policy both-accepted <<END
[host localhost 127.0.0.1]
anchors = $pki/root.pem
hostname = api.example.test
[host *]
action = reject
END
policy name-accepted <<END
[host localhost]
anchors = $pki/root.pem
hostname = api.example.test
[host *]
action = reject
END
policy store <<END
[host api.example.test]
anchors = $pki/root.pem, $pki/stranger-root.pem
[host api.example.test:8443]
anchors = $pki/root.pem
[host distrusting.example]
anchors = $pki/root.pem, $pki/other-root.pem
[host system.example]
anchors = system
[host rejected.example]
action = reject
[host passed.example]
action = pass
[host bare.example]
strict = yes
[distrust]
certificate = $pki/other-root.pem
END

printf 'openssl_conf = a\n[a]\nproviders = b\n[b]\nbase = c\n[c]\nactivate = 1\n' >"$work/bare.cnf"

# ---- running -------------------------------------------------------------------------------

preload=$build/libtrustgraft-preload.so
conf=$build/openssl.cnf

# run WAY POLICY COMMAND... - the command's standard output, its errors in $work/stderr.
run() {
    way=$1
    rule=$2
    shift 2
    set -- "$@"
    [ "$rule" = none ] || set -- "TRUSTGRAFT_POLICY=$work/$rule.conf" "$@"
    case $way in preload | both) set -- "LD_PRELOAD=$preload" "$@" ;; esac
    case $way in provider | both) set -- "OPENSSL_CONF=$conf" "$@" ;; esac
    timeout 600 env "$@" 2>"$work/stderr"
    status=$?
    [ $status -le 1 ] || echo "status $status"
}

# app SCENARIO TRUSTING EXPECTED WAY POLICY [VARIABLE=VALUE]
app() {
    result "$1, $2, $4, policy $5${6:+, $6}" "$3" "$(run "$4" "$5" ${6:+"$6"} "$out/app" "$1" "$pki" "$2")"
}

# host SCENARIO TRUSTING EXPECTED WAY POLICY MODULE...
host() {
    scenario=$1 trusting=$2 expected=$3 with=$4 under=$5
    shift 5
    names=$*
    set --
    for name in $names; do
        set -- "$@" "$out/$name.so"
    done
    result "$scenario $names, $trusting, $with, policy $under" "$expected" \
        "$(run "$with" "$under" "$out/host" "$scenario" "$pki" "$trusting" "$@")"
}

# Each scenario trusts what it refused, and refuses what it trusted, in every way in.
for scenario in plain constructor forked busy-fork threads info context-info cleanup elsewhere; do
    app $scenario trusting accepted bare none
    app $scenario trustless refused bare none
    for way in preload provider both; do
        app $scenario trusting accepted $way none
        app $scenario trustless accepted $way accept
        app $scenario trusting refused $way reject
    done
done
# Only the preload library can show an application the info callback that it set itself.
app info trusting accepted bare none EXACT=1
app info trusting accepted preload elsewhere EXACT=1
app info trustless accepted preload accept EXACT=1
app info trusting refused preload reject EXACT=1
for way in preload provider both; do
    app plain trusting accepted $way elsewhere
    app plain trusting refused $way broken
    app unverifying trustless accepted $way none
    app unverifying trustless refused $way reject
done

# An application's own callback: under a rule ours takes its place, seen set or found set;
# without a rule it decides, called once.
for own in own-accepting own-accepting-late own-both own-both-late; do
    app $own trustless accepted bare none ASKED=1
    for way in preload provider both; do
        app $own trustless accepted $way none ASKED=1
        app $own trustless accepted $way elsewhere ASKED=1
        app $own trusting refused $way reject
        app $own trustless accepted $way accept
    done
done
app own-refusing trusting refused bare none ASKED=1
for way in preload provider both; do
    app own-refusing trusting refused $way elsewhere ASKED=1
done
for way in preload provider both; do
    app own-refusing trustless accepted $way accept ASKED=0
    app own-revoking trusting accepted $way accept ASKED=0
    # What goes by its anchors goes by what it knows of revocation too.
    app own-refusing trusting accepted $way its-anchors ASKED=1
    app own-refusing trustless refused $way its-anchors ASKED=0
    app own-revoking trusting refused $way its-anchors ASKED=1
done
app own-revoking trusting refused bare none ASKED=1

# BIOs that are taken away while they are watched.
app replaced trusting accepted bare none
for way in preload provider; do
    app replaced trusting accepted $way reject
done

# A name that was only looked up.
app nameless trusting accepted bare none
app nameless trusting refused preload name-rejected
app nameless trustless refused preload name-accepted
app nameless trustless accepted preload both-accepted
app nameless trusting accepted provider name-rejected
app nameless trustless refused provider name-accepted

# Modules that bring libssl along.
for scenario in local passed-on; do
    host $scenario trusting accepted bare none module
    for way in preload provider both; do
        host $scenario trusting accepted $way none module
        host $scenario trustless accepted $way accept module
        host $scenario trusting refused $way reject module
    done
done
for way in preload provider both; do
    host reopened trustless "accepted accepted accepted" $way accept module
    host reopened trusting "refused refused refused" $way reject module
    host swapped trusting "refused refused refused" $way reject module module-second
    host together trustless "accepted accepted accepted" $way accept module module-second
    host together trustless "accepted accepted accepted" $way accept module-second module
    host together trusting "refused refused refused" $way reject module module-second
done
# Another libcrypto is put under the policy beside ours.
host together trusting "accepted accepted accepted" bare none module module-other
host together trusting "accepted accepted accepted" preload none module module-other
host together trustless "accepted accepted accepted" preload accept module module-other
host together trusting "refused refused refused" preload reject module module-other
host swapped trusting "accepted accepted accepted" bare none module module-other
host swapped trusting "accepted accepted accepted" preload none module module-other
host swapped trustless "accepted accepted accepted" preload accept module module-other
# Threads that all make the first context of the process share what is found out about a libssl.
for other in module-other $others; do
    host crowd trusting accepted bare none module $other
    host crowd trustless accepted preload accept module $other
    host crowd trusting refused preload reject module $other
done
for other in $others; do
    for case in "bare none trusting accepted" "preload none trusting accepted" \
        "preload accept trustless accepted" "preload reject trusting refused" \
        "preload elsewhere trusting accepted" "preload broken trusting refused"; do
        set -- $case
        host local "$3" "$4" "$1" "$2" $other
        host together "$3" "$4 $4 $4" "$1" "$2" module $other
        host together "$3" "$4 $4 $4" "$1" "$2" $other module
        host together "$3" "$4 $4 $4" "$1" "$2" module-other $other
    done
done

# The engine with a libcrypto inside serves where OpenSSL 3 comes later, or not at all; the one that
# is linked to it where it came first. Then that goes on, also for what the provider reaches.
engines() {
    result "engines, $with: ${*##*/}" "$expected" "$(
        rm -f "$work"/files.*
        run "$with" accept LD_DEBUG=files "LD_DEBUG_OUTPUT=$work/files" "$out/host" "$@" >/dev/null
        sed -n 's/.*calling init: .*\/\(libtrustgraft\.so\.0\|libtrustgraft-inside\.so\.0\|libcrypto\.so\.3\|trustgraft\.so\)$/\1/p' \
            "$work"/files.* | sort | tr '\n' ' ')"
}
three=$out/module.so
for other in $inside; do
    with=preload
    expected="libtrustgraft-inside.so.0 " engines local "$pki" trusting "$out/$other.so"
    expected="libcrypto.so.3 libtrustgraft-inside.so.0 " engines together "$pki" trusting "$out/$other.so" "$three"
    expected="libcrypto.so.3 libtrustgraft.so.0 " engines together "$pki" trusting "$three" "$out/$other.so"
    with=both
    expected="libtrustgraft-inside.so.0 " engines local "$pki" trusting "$out/$other.so"
    expected="libcrypto.so.3 libtrustgraft-inside.so.0 libtrustgraft.so.0 trustgraft.so " \
        engines together "$pki" trusting "$out/$other.so" "$three"
    host deep trusting "accepted accepted accepted" bare none $other module
    host deep trusting "refused accepted refused" preload reject $other module
    for case in "trusting accepted none" "trusting accepted elsewhere" "trustless accepted accept" \
        "trusting refused reject" "trusting refused broken"; do
        set -- $case
        host together "$1" "$2 $2 $2" both "$3" $other module
        host together "$1" "$2 $2 $2" both "$3" module $other
        host deep "$1" "$2 $2 $2" both "$3" $other module
        host rush "$1" "$2" both "$3" $other module
        result "overtaken, $other, $1, policy $3" "$2 $2 $2" "$(run both "$3" "$out/host" overtaken "$pki" "$1" \
            "$three" "$out/$other.so" "$out/module-second.so" "$build/libtrustgraft-inside.so.0")"
    done
    # It reads no openssl.cnf: this one leaves OpenSSL without a digest, and no file says less.
    for settings in "$work/bare.cnf" "$pki/root.pem" /nonexistent; do
        for case in "trustless accepted accept" "trusting refused reject"; do
            set -- $case
            result "$other, OPENSSL_CONF=${settings##*/}, policy $3" "$2" \
                "$(run preload "$3" "OPENSSL_CONF=$settings" "$out/host" local "$pki" "$1" "$out/$other.so")"
        done
    done
done
[ "$(echo "$others" | wc -w)" -lt 2 ] || host together trustless "accepted accepted accepted" preload accept $others
host local trustless accepted preload accept module-other
host local trusting refused provider reject module-other
# Bound to the system's libcrypto by the global scope, while its own is there too: nothing is made.
result "a libssl that is bound to another libcrypto than its own" refused \
    "$(run bare accept "LD_PRELOAD=$build/libtrustgraft-preload.so:$crypto" "$out/host" local "$pki" trustless "$out/module-other.so")"
result "it says so" 1 "$(grep -c 'another libcrypto than it is linked to' "$work/stderr" | sed 's/^[1-9].*/1/')"

# Nothing is half hooked.
for case in "bare none accepted 0" "preload none accepted 0" "preload reject refused 1" \
    "preload accept refused 1" "provider none accepted 1" "provider reject refused 1" "provider accept refused 1"; do
    set -- $case
    result "a libssl that lacks a function, $1, policy $2" "$3" \
        "$(run $1 $2 "LD_LIBRARY_PATH=$out/lacking" "$out/app" plain "$pki" trusting)"
    result "it says which: $4" "$4" \
        "$(grep -c "can't be put under a policy: it has no SSL_SESSION_set1_ticket_appdata$" "$work/stderr" | sed 's/^[1-9].*/1/')"
done

# OpenSSL in the executable calls its own SSL_CTX_new, which nothing can interpose.
for way in preload provider both; do
    for case in "trusting none accepted" "trustless accept accepted" "trusting reject refused"; do
        set -- $case
        result "exported by the program, $1, $way, policy $2" "$3" \
            "$(run $way "$2" "$out/exported" plain "$pki" "$1")"
    done
    # A callback that it sets itself is found in its place.
    for case in "own-refusing trustless accept accepted 0" "own-refusing trusting its-anchors accepted 1" \
        "own-revoking trusting its-anchors refused 1" "own-refusing trusting elsewhere refused 1" \
        "own-accepting trusting reject refused 0" "own-accepting-late trusting reject refused 0"; do
        set -- $case
        result "exported by the program, $1, $2, $way, policy $3" "$4" \
            "$(run $way "$3" "ASKED=$5" "$out/exported" "$1" "$pki" "$2")"
    done
done

# ---- the preloaded library itself ----------------------------------------------------------

# Beside other preloaded libraries, before and behind them.
for order in "$out/allocator.so:$preload" "$preload:$out/allocator.so"; do
    result "with an allocator, ${order##*/} last" refused \
        "$(run bare reject "LD_PRELOAD=$order" "$out/app" plain "$pki" trusting)"
done
for order in "$out/shim.so:$preload" "$preload:$out/shim.so"; do
    result "with another shim, ${order##*/} last" refused \
        "$(run bare reject "LD_PRELOAD=$order" "$out/app" plain "$pki" trusting)"
    result "with another shim, ${order##*/} last" accepted \
        "$(run bare accept "LD_PRELOAD=$order" "$out/app" plain "$pki" trustless)"
done
# Another OpenSSL's functions come first for all others, but not for the engine.
result "behind another OpenSSL's functions" accepted \
    "$(run bare accept "LD_PRELOAD=$out/foreign.so:$preload" "$out/app" plain "$pki" trustless)"
result "named by a relative path, from another folder" refused \
    "$(cd "$build" && run bare reject LD_PRELOAD=./libtrustgraft-preload.so "$out/app" elsewhere "$pki" trusting)"

# Without its engine, or with one of another version, there is no TLS where there is a policy.
mkdir -p "$work/alone" && cp "$preload" "$work/alone/"
result "without libtrustgraft.so" refused \
    "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/app" plain "$pki" trusting)"
result "it says so once" 1 "$(grep -c '^trustgraft: .*libtrustgraft.so.*no TLS' "$work/stderr")"
result "without libtrustgraft.so, OpenSSL in the executable" refused \
    "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/exported" plain "$pki" trusting)"
result "without libtrustgraft.so, and without a policy" accepted \
    "$(run bare none "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/app" plain "$pki" trusting)"
for other in $inside; do
    result "without an engine, $other" refused \
        "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/host" local "$pki" trusting "$out/$other.so")"
    cp "$build/libtrustgraft.so.0" "$work/alone/"
    result "without libtrustgraft-inside.so.0, $other" refused \
        "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/host" local "$pki" trusting "$out/$other.so")"
    result "it says so once" 1 "$(grep -c '^trustgraft: .*libtrustgraft-inside.so.0: .*No such file.*no TLS' "$work/stderr")"
    rm "$work/alone/libtrustgraft.so.0"
    cp "$build/libtrustgraft-inside.so.0" "$work/alone/"
    result "with libtrustgraft-inside.so.0 alone, $other" accepted \
        "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/host" local "$pki" trustless "$out/$other.so")"
    result "with libtrustgraft-inside.so.0 alone, OpenSSL 3" refused \
        "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/app" plain "$pki" trusting)"
    cp "$out/early.so" "$work/alone/libtrustgraft-inside.so.0"
    result "with a library that isn't libtrustgraft-inside.so.0, $other" refused \
        "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/host" local "$pki" trusting "$out/$other.so")"
    rm "$work/alone/libtrustgraft-inside.so.0"
done
cp "$out/early.so" "$work/alone/libtrustgraft.so.0"
result "with a library that isn't libtrustgraft.so" refused \
    "$(run bare accept "LD_PRELOAD=$work/alone/libtrustgraft-preload.so" "$out/app" plain "$pki" trusting)"
result "a program without TLS doesn't load the engine" 0 \
    "$(run preload reject LD_DEBUG=files /bin/true 2>&1 >/dev/null; grep -c 'libtrustgraft\.so\|libcrypto' "$work/stderr")"
result "needs nothing but libc" "libc.so.6" \
    "$(readelf -d "$preload" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-linux' | tr '\n' ' ' | sed 's/ $//')"
result "a child of threads that walk the libraries" "5 of 5 ended" \
    "$(run preload reject "$out/forks")"
"$out/faults" >"$work/faults"
for case in "none plain" "none tls" "reject plain" "reject tls"; do
    set -- $case
    result "what the kernel refuses to read, policy $1, $2" "as without the library" \
        "$(run preload "$1" "$out/faults" "$2" | cmp - "$work/faults" && echo as without the library)"
done
for table in "names 43" "hellos 24"; do
    set -- $table
    "$out/$1" >"$work/table"
    status=$?
    grep '^FAILED' "$work/table"
    result "the table of $1" "status 0, $2 right" "status $status, $(grep -c '^ok' "$work/table") right"
done

# ---- the provider --------------------------------------------------------------------------

# Its settings: what is wrong with them refuses every connection, in these words.
sed "s|^# policy = .*|policy = $work/reject.conf|" "$conf" >"$work/setting.cnf"
sed "s|^# policy = .*|policy = reject.conf|" "$conf" >"$work/relative.cnf"
sed "s|^# policy = .*|policy = $work/absent.conf|" "$conf" >"$work/absent.cnf"
sed "s|ossl-modules/trustgraft.so|ossl-modules/absent.so|" "$conf" >"$work/missing.cnf"
for case in setting relative absent; do
    result "openssl.cnf with a policy that rejects, is relative, is absent: $case" refused \
        "$(run bare none "OPENSSL_CONF=$work/$case.cnf" "$out/app" plain "$pki" trusting)"
done
result "openssl.cnf with a module that is missing" refused \
    "$(run bare none "OPENSSL_CONF=$work/missing.cnf" "$out/host" local "$pki" trusting "$out/module.so")"
result "a program that ignores that its settings have an error" refused \
    "$(run bare none "OPENSSL_CONF=$work/missing.cnf" "$out/app" plain "$pki" trusting)"
result "the environment comes before the setting" accepted \
    "$(run bare accept "OPENSSL_CONF=$work/setting.cnf" "$out/app" plain "$pki" trustless)"

providers() {
    run bare none "OPENSSL_CONF=$1" openssl list -providers | awk 'NF == 1 { printf "%s ", $1 }'
}
result "the providers that are on" "Providers: default trustgraft " "$(providers "$conf")"

# The system's own settings: each of these files with the provider added to it.
module=$build/ossl-modules/trustgraft.so
system() {
    cat >"$work/system.cnf"
    ../../provider/openssl-cnf "$module" "$work/system.cnf" >"$work/made.cnf"
}
system </dev/null
result "an empty system file" "Providers: default trustgraft " "$(providers "$work/made.cnf")"
../../provider/openssl-cnf "$module" "$work/no-such.cnf" >"$work/made.cnf"
result "no system file" "Providers: default trustgraft " "$(providers "$work/made.cnf")"
echo ".include $work/again.cnf" | tee "$work/again.cnf" >"$work/system.cnf"
result "a system file that would include itself" "status 1" \
    "$(../../provider/openssl-cnf "$module" "$work/system.cnf" 2>"$work/stderr"; echo "status $?")"
system <<'END'
openssl_conf = start
[start]
providers = list # the default one goes on implicitly
ssl_conf = tls
[list]
default = one
[one]
[tls]
system_default = strict
[strict]
Ciphersuites = TLS_AES_128_GCM_SHA256
END
result "a system file that switches no provider on" "Providers: default trustgraft " "$(providers "$work/made.cnf")"
result "its TLS settings stay" TLS_AES_128_GCM_SHA256 \
    "$(run bare none "OPENSSL_CONF=$work/made.cnf" openssl ciphers -s -v | awk '$2 == "TLSv1.3" { print $1 }')"
system <<'END'
openssl_conf = start
[start]
providers = list
[list]
1.base = "one"
[one]
activate = 1
END
result "a system file without the default provider" "Providers: base trustgraft " "$(providers "$work/made.cnf")"
../../provider/openssl-cnf "$module" "$work/made.cnf" >"$work/again.cnf"
result "a system file that has the provider on already" "Providers: base trustgraft " "$(providers "$work/again.cnf")"
mkdir -p "$work/d" && cat >"$work/d/extra.cnf" <<'END'
[list]
legacy = two
[two]
activate = 1
END
system <<END
openssl_conf = \\
    start
start::providers = list
[list]
default = one
[one]
activate = 1
.include $work/d
END
result "a system file with an included folder" "Providers: default legacy trustgraft " "$(providers "$work/made.cnf")"

# A TLS library that nothing gets into is warned of once: a stand-in, linked by a program, loaded by
# one that then looks a name up, and beside an OpenSSL.
compile libmbedtls.so -shared -Wl,-soname,libmbedtls.so -x c /dev/null
echo 'int main(void) { return 0; }' >"$work/none.c"
compile beside "$work/none.c" -Wl,--no-as-needed "$out/libmbedtls.so" -Wl,-rpath,"$out"
compile beside-openssl "$work/none.c" -Wl,--no-as-needed "$out/libmbedtls.so" -lssl -Wl,-rpath,"$out"
cat >"$work/later.c" <<'END'
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct addrinfo *list;
    if (argc > 2) { /* a descriptor 2 of the program's own */
        dup2(1, 2);
    }
    if (dlopen(argv[1], RTLD_NOW) == NULL)
        return 2;
    for (int i = 0; i < 2; i++)
        if (getaddrinfo("127.0.0.1", "1", NULL, &list) == 0)
            freeaddrinfo(list);
    return 0;
}
END
compile later "$work/later.c" -ldl
warned() { # POLICY COMMAND... - how many lines warn, on stderr and elsewhere
    run preload "$@" >"$work/stdout"
    echo "$(grep -c "not under the policy" "$work/stderr") $(grep -c . "$work/stdout")"
}
policy log-none <<END
# log = stderr
[policy]
log-level = all
log = none
END
policy log-syslog <<END
[policy]
log = syslog, file:nowhere
END
policy log-both <<END
[ policy ]
log=syslog , stderr
END
result "a TLS library that isn't reached, linked" "1 0" "$(warned accept "$out/beside")"
result "what it is called" 1 "$(grep -c "^trustgraft: $out/beside\[[0-9]*\] links Mbed TLS" "$work/stderr")"
result "without a policy" "0 0" "$(warned none "$out/beside")"
result "under an invalid policy" "1 0" "$(warned broken "$out/beside")"
result "beside an OpenSSL" "0 0" "$(warned accept "$out/beside-openssl")"
result "none" "0 0" "$(warned accept "$out/later" libc.so.6)"
result "loaded" "1 0" "$(warned accept "$out/later" "$out/libmbedtls.so")"
result "loaded without a policy" "0 0" "$(warned none "$out/later" "$out/libmbedtls.so")"
result "not into a descriptor of the program's own" "0 0" \
    "$(warned accept "$out/later" "$out/libmbedtls.so" own)"
result "log = none" "0 0" "$(warned log-none "$out/beside")"
result "log = syslog" "0 0" "$(warned log-syslog "$out/beside")"
result "log = syslog, stderr" "1 0" "$(warned log-both "$out/beside")"
result "the child of a shell" "1 0" "$(warned accept sh -c "$out/beside; true")"

# The store loader.
store() {
    run bare "$1" "OPENSSL_CONF=$conf" openssl verify -no-CAfile -no-CApath -CAstore "$2" \
        -untrusted "$pki/intermediate.pem" "$pki/$3.pem" | sed "s|$pki/||"
}
result "verify with a host's anchors" "api.pem: OK" "$(store accept trustgraft:api.example.test api)"
result "verify, another authority's certificate" "status 2" "$(store accept trustgraft:api.example.test api-other)"
result "with authority slashes and a port" "api.pem: OK" "$(store accept trustgraft://api.example.test:443 api)"

list() {
    run bare "$1" "OPENSSL_CONF=$conf" openssl storeutl -noout -certs "$2" | sed -n 's/^Total found: //p'
    grep -o 'trustgraft:[a-z][a-z ,:]*' "$work/stderr" | head -n 1
}
result "all of a rule's anchors" 2 "$(list store trustgraft:api.example.test:443)"
result "the rule for the port" 1 "$(list store trustgraft:api.example.test:8443)"
result "distrusted anchors are left out" 1 "$(list store trustgraft:distrusting.example)"
result "the system's anchors" "$(SSL_CERT_FILE=$pki/root.pem list store trustgraft:system.example)" 1
for case in "nobody.example no rule" "rejected.example the rule for the host evaluates nothing" \
    "passed.example the rule for the host evaluates nothing" "bare.example the rule for the host names no anchors" \
    "api.example.test which rule applies depends on the port" \
    "api.example.test:0 not of the form" "a..b not of the form"; do
    result "store trustgraft:${case%% *} fails" yes \
        "$(run bare store "OPENSSL_CONF=$conf" openssl storeutl -noout -certs "trustgraft:${case%% *}" >"$work/list"
           grep -q "${case#* }" "$work/stderr" && echo yes)"
done
result "store with an invalid policy fails" yes \
    "$(run bare broken "OPENSSL_CONF=$conf" openssl storeutl -certs trustgraft:api.example.test >"$work/list"
       grep -q 'the policy is invalid.*broken.conf:2' "$work/stderr" && echo yes)"
result "store without a policy fails" yes \
    "$(run bare none "OPENSSL_CONF=$conf" openssl storeutl -certs trustgraft:api.example.test >"$work/list"
       grep -q 'there is no policy' "$work/stderr" && echo yes)"

echo "$passed passed, $failed failed$([ $skipped -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ]
