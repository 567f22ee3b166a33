# common.sh - what the examples share. Each begins with: . "$(dirname "$0")/../common.sh"
#
# It leaves an empty folder as the working directory, with copies of the example's files and of the
# test PKI, as pki/, in it, and build/trustgraft in PATH. What was started is stopped at the end, and
# the folder is removed.
set -eu
umask 022
example=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$example/../.." && pwd)
build=$checkout/build
export PATH="$build:$PATH" LC_ALL=C.UTF-8 NO_COLOR=1
unset LD_PRELOAD OPENSSL_CONF TRUSTGRAFT_POLICY SSL_CERT_FILE CURL_CA_BUNDLE

[ -x "$build/trustgraft" ] || make -s -C "$checkout"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/trustgraft-example-XXXXXX")
running=
end_of_example() { :; } # an example has its own, for what else it leaves
end() {
    [ -z "$running" ] || kill $running 2>/dev/null || true
    end_of_example
    rm -rf "$scratch"
}
trap end EXIT
trap 'exit 130' INT TERM
"$checkout/certs/make-pki" "$build/pki" >/dev/null
cp -R "$example/." "$scratch"
cp -R "$build/pki" "$scratch/pki"
export HOME="$scratch"
cd "$scratch"

# skip REASON: for what this machine lacks.
skip() {
    echo "skipped: $1"
    exit 77
}

need() {
    command -v "$1" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
        skip "there is no $1 (Debian: apt-get install $2)"
}

# make_as_is GOAL...: by the Makefile, without what PATH has of build/; as little is said as can be.
make_as_is() {
    PATH=${PATH#"$build:"} make -s -C "$(dirname "$(readlink -f "$checkout/Makefile")")" \
        BUILD="$(dirname "$(readlink -f "$build/trustgraft")")" "$@"
}

# the_package FILE: copies there what `make deb` makes, which is made unless it is newer than the build.
the_package() {
    folder=$(dirname "$(readlink -f "$build/trustgraft")")
    package=$(find "$folder" -maxdepth 1 -name "trustgraft_*_$(dpkg --print-architecture).deb" -newer "$folder/trustgraft")
    if [ -z "$package" ]; then
        make_as_is deb >/dev/null
        package=$(find "$folder" -maxdepth 1 -name "trustgraft_*_$(dpkg --print-architecture).deb")
    fi
    cp "$package" "$1"
}

# npm_packages NAME...: they are in the folder $modules, fetched once into build/npm; empty where npm
# can't get them.
npm_packages() {
    modules=$build/npm/node_modules
    for package; do
        [ -d "$modules/$package" ] && continue
        command -v npm >/dev/null &&
            timeout 120 npm install --prefix "$build/npm" --no-audit --no-fund "$@" >npm.log 2>&1 || modules=
        break
    done
}

# free_port: a port that nobody else is given before the end of this example, as $free.
free_port() {
    : >free_port
    /usr/bin/python3 -B -c 'import signal, sys
sys.path.insert(0, sys.argv[1])
from lab.servers import free_port
print(free_port(), flush=True)
signal.pause()' "$checkout/tests" >free_port &
    running="$running $!"
    await $! [ -s free_port ]
    free=$(cat free_port)
}

# await PID COMMAND...: until COMMAND succeeds, which PID sees to.
await() {
    who=$1
    shift
    until "$@" 2>/dev/null; do
        kill -0 "$who" || exit 1
        sleep 0.1
    done
}

# wait_for PORT: until what was started last listens there.
wait_for() {
    await $! /usr/bin/python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 1)"
}

# serve LEAF [PORT]: a server with that certificate of the test PKI (certs/leaves.conf), on port $port.
serve() {
    : >served
    openssl s_server -www -accept "127.0.0.1:${2:-0}" -key "pki/$1.key" -cert "pki/$1.pem" \
        -cert_chain "pki/$1.chain.pem" >served 2>&1 &
    running="$running $!"
    server=$!
    await $server grep -q ^ACCEPT served
    port=${2:-$(sed -n 's/^ACCEPT .*://p' served)}
}

# stop_server: the one that was started last.
stop_server() {
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
}

# bare HOST [OPTION...]: curl fetches a page of HOST, which the server on $port stands for.
bare() {
    host=$1
    shift
    curl -sS -o page.html --max-time 60 --resolve "$host:$port:127.0.0.1" "$@" "https://$host:$port/"
}

# under POLICY HOST [OPTION...]: the same under a policy; way=--provider takes the other way in.
under() {
    policy=$1
    host=$2
    shift 2
    trustgraft run ${way:-} -p "$policy" -- curl -sS -o page.html --max-time 60 \
        --resolve "$host:$port:127.0.0.1" "$@" "https://$host:$port/"
}

# try WHAT COMMAND...: runs it, and says how it went; what trustgraft logged of it stands below.
try() {
    what=$1
    shift
    if "$@" >output 2>&1; then
        echo "$what: accepted"
    else
        echo "$what: refused"
    fi
    sed -n 's/^trustgraft: [^:]*: \(reject\|report\)/  \1/p' output
}
