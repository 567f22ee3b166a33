#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - what is installed, packed and switched on for a system.

Nothing of this machine changes: `make install` goes to a folder, what `enable` changes is in a mount
namespace, and the Debian package is installed in a folder that debootstrap fills, once, under
DIR/package.
"""
import argparse
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import Skip, require, run                                 # noqa: E402
from lab.lab import Lab                                                    # noqa: E402
from package import release                                                # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
NAMESPACE = ["unshare", "-m", "--propagation", "private"]
PLACES = ["PREFIX=/opt/trustgraft", "MODULESDIR=/opt/trustgraft/lib/ossl-modules"]
COMMAND = "/opt/trustgraft/bin/trustgraft"
RUNTIME = ("bin/trustgraft", "lib/libtrustgraft.so.0", "lib/libtrustgraft-preload.so",
           "lib/trustgraft/openssl.cnf", "lib/trustgraft/openssl-cnf", "include/trustgraft.h",
           "lib/pkgconfig/libtrustgraft.pc", "share/man/man1/trustgraft.1")
POLICY = "[host api.example.test]\nanchors = /root.pem\n"


def call(words, status=0, **options):
    """What WORDS write; a failure unless they end with STATUS."""
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **options)
    require(done.returncode == status,
            f"{' '.join(map(str, words))}: status {done.returncode}, not {status}\n{done.stdout}")
    return done.stdout


def make(lab, *words):
    """make, as a user calls it: without what an outer make hands down."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
    return call(["make", "-C", SOURCE, f"BUILD={lab.build.directory}", *words], env=kept)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*")
                  if path.is_symlink() or not path.is_dir())


def scratch(lab):
    return pathlib.Path(tempfile.mkdtemp(dir=lab.scratch))


def test_install_and_uninstall(lab):
    root = scratch(lab)
    make(lab, "install", f"DESTDIR={root}", *PLACES)
    installed = files(root / "opt/trustgraft")
    for name in (*RUNTIME, "lib/ossl-modules/trustgraft.so"):
        require(name in installed, f"{name} isn't installed: {installed}")
    require(("lib/libtrustgraft-inside.so.0" in installed) ==
            (lab.build.directory / "libtrustgraft-inside.so.0").exists(), installed)
    require(call([root / "opt/trustgraft/bin/trustgraft", "--version"]).startswith("trustgraft "),
            "the installed command doesn't run")
    make(lab, "uninstall", f"DESTDIR={root}", *PLACES)
    require(files(root) == [], f"left behind: {files(root)}")
    require(not (root / "etc/trustgraft").exists(), "the policies' empty folder is left behind")


def test_source_in_a_folder_with_a_space(lab):
    tree = scratch(lab) / "with space"
    tree.mkdir()
    shutil.copy(SOURCE / "Makefile", tree)
    call(["cp", "-r", SOURCE / "provider", tree])
    call(["make", "-C", tree, "build/openssl.cnf"])
    text = (tree / "build/openssl.cnf").read_text()
    require(text.count(f" = {tree}/build/ossl-modules/trustgraft.so\n") == 2, text)


def test_help(lab):
    require("`make install` installs" in make(lab, "help"), "it doesn't tell what there is")


def test_module_goes_where_openssl_looks(lab):
    root = scratch(lab)
    where = call(["openssl", "version", "-m"]).split('"')[1]
    make(lab, "install", f"DESTDIR={root}", "PREFIX=/opt/trustgraft")
    module = root / where.lstrip("/") / "trustgraft.so"
    require(module.exists(), f"no {module}")
    headers = call(["readelf", "-d", module])
    require("[/opt/trustgraft/lib]" in headers, f"it doesn't find its library:\n{headers}")


def test_program_links_the_library(lab):
    if not shutil.which("pkg-config"):
        raise Skip("no pkg-config")
    root = scratch(lab)
    make(lab, "install", f"DESTDIR={root}", *PLACES)
    lib = root / "opt/trustgraft/lib"
    env = dict(os.environ, PKG_CONFIG_PATH=str(lib / "pkgconfig"), PKG_CONFIG_SYSROOT_DIR=str(root))
    flags = call(["pkg-config", "--cflags", "--libs", "libtrustgraft", "libcrypto"], env=env).split()
    (root / "ask.c").write_text("""
        #include <trustgraft.h>
        #include <stdio.h>
        int main(int argc, char **argv)
        {
            char *errors = NULL;
            tg_policy *policy = tg_policy_load(argv[argc - 1], &errors);
            puts(policy != NULL ? "valid" : errors);
            tg_policy_free(policy);
            return policy == NULL;
        }""")
    (root / "good.conf").write_text("[host a.test]\naction = reject\n")
    (root / "bad.conf").write_text("[host a.test]\naction = perhaps\n")
    call([os.environ.get("CC", "gcc"), "-o", root / "ask", root / "ask.c", *flags])
    needed = call(["readelf", "-d", root / "ask"])
    require("[libtrustgraft.so.0]" in needed, f"not by its versioned name:\n{needed}")
    env["LD_LIBRARY_PATH"] = str(lib)
    require(call([root / "ask", root / "good.conf"], env=env) == "valid\n", "a good policy")
    require("perhaps" in call([root / "ask", root / "bad.conf"], 1, env=env), "a bad policy")


def test_dist_is_the_same_each_time(lab):
    if not (SOURCE / ".git").exists():
        raise Skip("no git checkout")
    first = pathlib.Path(make(lab, "-s", "dist").splitlines()[-1])
    bytes_before = first.read_bytes()
    make(lab, "-s", "dist")
    require(first.read_bytes() == bytes_before, f"{first} differs from one time to the next")
    listed = call(["tar", "-tzf", first]).splitlines()
    name = first.name[:-len(".tar.gz")]
    for wanted in ("Makefile", "README.md", "policy/trustgraft.h", "tests/setup"):
        require(f"{name}/{wanted}" in listed, f"{wanted} isn't in {first}")


def test_two_at_once_take_turns(lab):
    """Who packs in a folder waits for another that does, and leaves its files alone meanwhile."""
    for script, lock in (("deb", "deb-amd64.lock"), ("portable", "portable/lock"), ("musl", "musl/lock")):
        build = scratch(lab)
        (build / lock).parent.mkdir(exist_ok=True)
        there = build / "deb-amd64" / "tree"
        there.mkdir(parents=True)
        with open(build / lock, "w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with subprocess.Popen([SOURCE / "policy/package" / script, build, "1.0", "amd64"], cwd=SOURCE,
                                  stderr=subprocess.PIPE, text=True, start_new_session=True) as second:
                line = second.stderr.readline()
                os.killpg(second.pid, signal.SIGKILL)
        if "needs " in line:
            raise Skip(line.strip())
        require("WAIT    for another make " + script in line and there.exists(), f"{script}: {line}")


def test_release_refuses(lab):
    release.refusal_test(lab)


# ---- beside other installations ---------------------------------------------------------------

# OpenSSL's folder of modules may be changed; M is ours in it.
MODULES = """
    D=$(OPENSSL_CONF=/dev/null openssl version -m | cut -d'"' -f2)
    mkdir /opt/upper /opt/work
    mount -t overlay -o lowerdir=$D,upperdir=/opt/upper,workdir=/opt/work none $D
    M=$D/trustgraft.so
    alive() { openssl list -providers >/opt/list && echo alive || echo dead; }
"""


def beside(lab, script, *wanted):
    """Like said(), with `make install` and `make uninstall` as i and u, each with a PREFIX."""
    need_namespace()
    make_ = f"make -s -C {SOURCE} BUILD={lab.build.directory}"
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    whole = (f"{MODULES} i() {{ {make_} install PREFIX=$1 >/dev/null; }}; "
             f"u() {{ {make_} uninstall PREFIX=$1; }}; "
             f"r() {{ setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; }}; {script}")
    told = call([*NAMESPACE, HERE / "inside.sh", scratch(lab), "bash", "-euc", whole], env=env, cwd=SOURCE)
    for text in wanted:
        require(text in told, f"not said: {text!r}:\n{told}")
    return told


def test_uninstall_while_enabled(lab):
    for way in ("--provider", "--preload"):
        told = beside(lab, f"i /opt/a; /opt/a/bin/trustgraft enable {way} --yes; alive; u /opt/a; alive; "
                           "grep -c trustgraft /etc/ssl/openssl.cnf || true; cat /etc/ld.so.preload "
                           "|| echo none; find /opt/a ! -type d; echo end", "\n0\n", "\nend")
        require(told.count("alive") == 2 and "dead" not in told and "none\nend" in told, told)


def test_uninstall_that_cannot_disable(lab):
    told = beside(lab, "i /opt/a; /opt/a/bin/trustgraft enable --yes; sed -i '/# end trustgraft/d' "
                       "/etc/ssl/openssl.cnf; u /opt/a || echo refused; test -e $M && alive",
                  "refused\nalive", "it is enabled for this machine")
    require("dead" not in told, told)


def test_one_prefix_of_two(lab):
    told = beside(lab, "i /opt/a; i /opt/b; /opt/a/bin/trustgraft enable --yes >/opt/said; alive; "
                       "ls $M /opt/b/lib/ossl-modules/trustgraft.so; u /opt/b; "
                       "grep -c '^# begin trustgraft' /etc/ssl/openssl.cnf; alive; u /opt/a; alive; "
                       "grep -c '^# begin trustgraft' /etc/ssl/openssl.cnf || true; test -e $M || echo gone",
                  "alive\n0\ngone")
    require(told.count("alive") == 3 and "dead" not in told, told)


def test_uninstall_leaves_what_another_enabled(lab):
    told = beside(lab, "i /opt/a; i /opt/b; /opt/a/bin/trustgraft enable --yes >/opt/said; "
                       "/opt/b/bin/trustgraft enable --preload --yes >/opt/said; u /opt/a >/opt/said; alive; "
                       "cat /etc/ld.so.preload; grep -c trustgraft.so /etc/ssl/openssl.cnf || true; "
                       "u /opt/b >/opt/said; alive; test -e /etc/ld.so.preload || echo none",
                  "alive\n/opt/b/lib/libtrustgraft-preload.so\n0\nalive\nnone")
    require("dead" not in told, told)
    told = beside(lab, "i /opt/a; i /opt/b; /opt/a/bin/trustgraft enable --yes >/opt/said; "
                       "rm -r /opt/b/lib/trustgraft /opt/b/lib/ossl-modules; u /opt/b >/opt/said; alive; "
                       "grep -c trustgraft.so /etc/ssl/openssl.cnf", "alive\n2\n")


def test_uninstall_without_all_of_its_files(lab):
    for gone in ("/opt/a/lib/trustgraft/openssl.cnf", "/opt/a/bin"):
        told = beside(lab, f"i /opt/a; /opt/a/bin/trustgraft enable --yes >/opt/said; rm -r {gone}; "
                           "u /opt/a >/opt/said; alive; grep -c trustgraft.so /etc/ssl/openssl.cnf || true",
                      "alive\n0\n")
        require("dead" not in told, told)


def test_uninstall_from_a_root(lab):
    """DESTDIR may be the machine's own root; in another one nothing can be disabled from here."""
    told = beside(lab, "i /opt/a; /opt/a/bin/trustgraft enable --yes >/opt/said; "
                       f"make -s -C {SOURCE} BUILD={lab.build.directory} uninstall PREFIX=/opt/a DESTDIR=// "
                       ">/opt/said; alive; find /opt/a ! -type d; echo end", "alive\nend")
    require("dead" not in told, told)
    c = f"make -s -C {SOURCE} BUILD={lab.build.directory} PREFIX=/usr MODULESDIR=/usr/lib/m DESTDIR=/opt/c"
    beside(lab, f"{c} install >/opt/said; mkdir -p /opt/c/etc/ssl; "
                "echo 'module = /usr/lib/m/trustgraft.so' >/opt/c/etc/ssl/openssl.cnf; "
                f"{c} uninstall || echo refused; ls /opt/c/usr/lib/m; rm /opt/c/etc/ssl/openssl.cnf; "
                f"{c} uninstall; find /opt/c ! -type d; echo end",
           "it is enabled for /opt/c", "refused\ntrustgraft.so\nend")


def test_interrupted_install_leaves_nothing(lab):
    told = beside(lab, "printf '#!/bin/sh\n: >/opt/begun; until [ -e /opt/told ]; do sleep .05; done\n' >/opt/b; chmod 755 /opt/b; "
                       "mkdir /opt/build; cp -a {0}/*.so {0}/ossl-modules /opt/build/; cp /opt/b /opt/build/trustgraft; "
                       "BUILD=/opt/build DESTDIR= PREFIX=/opt/a LIBDIR=/opt/a/lib MODULESDIR= SYSCONFDIR=/etc "
                       "VERSION=0 SOVERSION=0 policy/package/install preload/*.7 & "
                       "while [ ! -e /opt/begun ]; do sleep .05; done; kill -TERM $!; : >/opt/told; wait $! || echo stopped; "
                       "test -e /opt/a || echo nothing".format(lab.build.directory), "stopped\nnothing")
    require("as it was" in told, told)


def test_module_of_a_package(lab):
    beside(lab, "mkdir /opt/dpkg /opt/dpkgwork; mount -t overlay -o lowerdir=/var/lib/dpkg,"
                "upperdir=/opt/dpkg,workdir=/opt/dpkgwork none /var/lib/dpkg; echo theirs >$M; "
                "for list in /var/lib/dpkg/info/libssl3*.list; do echo $M >>$list; done; "
                "dpkg-query -S $M; i /opt/a; cat $M; ls /opt/a/lib/ossl-modules; u /opt/a; cat $M; "
                f"make -s -C {SOURCE} BUILD={lab.build.directory} install PREFIX=/opt/a MODULESDIR=$D "
                "|| echo refused; cat $M; find /opt/a ! -type d; echo end",
           "\ntheirs\ntrustgraft.so\ntheirs\n", "another installation's", "refused\ntheirs\nend")


def test_install_where_settings_are_broken(lab):
    told = beside(lab, "i /opt/a; /opt/a/bin/trustgraft enable --yes >/opt/said; rm $M; alive; "
                       "i /opt/a; alive; rm $M; alive; u /opt/a; alive; i /opt/a; "
                       "/opt/a/bin/trustgraft enable --yes >/opt/said; rm $M; "
                       "/opt/a/bin/trustgraft disable --yes >/opt/said; alive; "
                       "OPENSSL_CONF=/etc/hostname i /opt/a; ls $M")
    got = [line for line in told.splitlines() if line in ("alive", "dead")]
    require(got == ["dead", "alive", "dead", "alive", "alive"], told)


def test_install_without_root(lab):
    beside(lab, "mkdir -m 755 /opt/home; chown 65534 /opt/home; umask 077; "
                f"r env -i PATH=$PATH BUILD={lab.build.directory} DESTDIR= PREFIX=/opt/home LIBDIR=/opt/home/lib "
                "MODULESDIR=$D SYSCONFDIR=/etc VERSION=0 SOVERSION=0 policy/package/install; "
                "ls -l /opt/home/lib/ossl-modules/trustgraft.so; test -e $M || echo untouched; "
                "r /opt/home/bin/trustgraft doctor | grep 'ok *provider'; "
                "find /opt/home -mindepth 1 -perm /022 ! -type l; "
                f"r env -i PATH=$PATH BUILD={lab.build.directory} DESTDIR= PREFIX=/opt/home LIBDIR=/opt/home/lib "
                "MODULESDIR=$D SYSCONFDIR=/etc VERSION=0 SOVERSION=0 policy/package/install --undo; "
                "find /opt/home ! -type d; echo end",
           "untouched\n  ok    provider    /opt/home/lib/trustgraft/openssl.cnf makes", "load it, and keeps "
           "`default`\nend")


def test_failed_install_leaves_nothing(lab):
    beside(lab, "mkdir -p /opt/a/share/man; touch /opt/a/share/man/man7; i /opt/a || echo failed; "
                "find /opt/a | sort; test -e $M || echo untouched",
           "failed\n/opt/a\n/opt/a/share\n/opt/a/share/man\n/opt/a/share/man/man7\nuntouched")


# ---- enable and disable ------------------------------------------------------------------------

def need_namespace():
    probe = subprocess.run([*NAMESPACE, "true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False)
    if probe.returncode != 0:
        raise Skip(f"no mount namespace here: {probe.stdout.strip()}")


def inside(lab, script):
    """What the shell SCRIPT writes, with trustgraft in an /opt and an /etc of its own."""
    need_namespace()
    install = " ".join(["make", "-s", "-C", str(SOURCE), f"BUILD={lab.build.directory}", "install",
                        *PLACES])
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "T": COMMAND,
           "ROOT": str(lab.pki.pem("root"))}
    return call([*NAMESPACE, HERE / "inside.sh", scratch(lab),
                 "sh", "-euc", f"{install} >/dev/null; mkdir -p /etc/trustgraft; {script}"], env=env)


def said(lab, script, *wanted):
    told = inside(lab, script)
    for text in wanted:
        require(text in told, f"not said: {text!r}:\n{told}")
    return told


def fetch(lab):
    """The words for curl to the server, with what it trusts by itself: nothing."""
    port = lab.servers.ports["api"]
    return (f"curl -sS -o /dev/null --resolve api.example.test:{port}:127.0.0.1 "
            f"https://api.example.test:{port}/hello && echo fetched || echo refused")


def with_policy(script):
    return f"printf '[host api.example.test]\\nanchors = %s\\n' $ROOT >/etc/trustgraft/policy.conf; {script}"


def test_enable_and_disable_the_provider(lab):
    cnf = "$(readlink -f \"$(openssl version -d | cut -d'\"' -f2)/openssl.cnf\")"
    told = said(lab, with_policy(
        f"cp {cnf} /opt/before; {fetch(lab)}; $T enable --yes; {fetch(lab)}; "
        f"openssl list -providers; $T enable --yes; $T disable --yes; {fetch(lab)}; "
        f"cmp {cnf} /opt/before && echo as before"),
        "refused\n", "fetched\n", "+ # begin trustgraft", "  trustgraft\n", "  default\n",
        "nothing to change, it is on", "- # begin trustgraft", "as before")
    require([line for line in told.splitlines() if line in ("refused", "fetched")] ==
            ["refused", "fetched", "refused"], told)


def test_enable_and_disable_the_preload(lab):
    told = said(lab, with_policy(
        f"{fetch(lab)}; $T enable --preload --yes; cat /etc/ld.so.preload; {fetch(lab)}; "
        f"$T disable --yes; {fetch(lab)}; test ! -e /etc/ld.so.preload && echo as before"),
        "\n/opt/trustgraft/lib/libtrustgraft-preload.so\n", "root shell", "as before")
    require([line for line in told.splitlines() if line in ("refused", "fetched")] ==
            ["refused", "fetched", "refused"], told)


def test_other_lines_of_ld_so_preload_stay(lab):
    said(lab, "printf '# mine\\n/usr/lib/x86_64-linux-gnu/libm.so.6' >/etc/ld.so.preload; "
              "$T enable --preload --yes; cat /etc/ld.so.preload; $T disable --preload --yes; "
              "echo; cat /etc/ld.so.preload; echo end",
         "\n# mine\n/usr/lib/x86_64-linux-gnu/libm.so.6\n/opt/trustgraft/lib/libtrustgraft-preload.so\n",
         "\n# mine\n/usr/lib/x86_64-linux-gnu/libm.so.6\nend")


def test_disable_where_neither_way_loads(lab):
    """ld.so tells each process of a library that it can't preload: that says nothing of openssl.cnf."""
    said(lab, "$T enable --yes >/dev/null; $T enable --preload --yes >/dev/null; rm -r /opt/trustgraft/lib; "
              "openssl version >/dev/null 2>&1 || echo dead; $T disable --yes; openssl version; "
              "grep -c trustgraft.so /etc/ssl/openssl.cnf || true; test -e /etc/ld.so.preload || echo none",
         "dead\n", "\nOpenSSL ", "\n0\nnone")


def test_lines_of_others_that_lead_nowhere_are_in_nobody_s_way(lab):
    """ld.so complains of each in every process: ours is put in and taken out all the same."""
    told = said(lab, "echo /opt/gone.so >/etc/ld.so.preload; $T enable --preload --yes; "
                     "$T doctor | grep 'all programs'; touch /opt/p; $T run -p /opt/p true && echo runs; "
                     "$T disable --preload --yes; cat /etc/ld.so.preload; echo end",
                "names /opt/gone.so, which isn't there", "names /opt/trustgraft/lib/libtrustgraft-preload.so: every",
                "runs\n", "\n/opt/gone.so\nend")
    require("stays as it was" not in told, told)


def test_doctor_tells_of_ld_so_preload(lab):
    """That it is on, that it names another one's library, one that isn't there, and that others can write it."""
    doctor = "{ $T doctor 2>&1 | grep 'all programs' || echo nothing; }"
    said(lab, f"{doctor}; $T enable --preload --yes >/dev/null; {doctor}; "
              f"cp -r /opt/trustgraft /opt/other; echo /opt/other/lib/libtrustgraft-preload.so >/etc/ld.so.preload; {doctor}; "
              f"rm -r /opt/other; {doctor}; echo libtrustgraft-preload.so >/etc/ld.so.preload; {doctor}; "
              f"echo '# /opt/other/lib/libtrustgraft-preload.so' >/etc/ld.so.preload; {doctor}; "
              f"chmod o+w /etc/ld.so.preload; {doctor}; $T doctor >/dev/null || echo status $?",
         "nothing\n  ok    all programs", "every program that starts is under the policy, set-uid ones too",
         "  note  all programs", "which is another trustgraft's", "  bad   all programs", "which isn't there",
         "which ld.so searches for", "nothing\n  bad   all programs", "others than root can write", "status 1")


def test_ld_so_preload_reaches_what_is_set_uid(lab):
    """doctor says so, and so it is; without the line neither. What is linked statically stays out of reach."""
    tell = "{ $T doctor /opt/curl | grep -e ' preload .*/opt/curl' -e ' preload .*ld.so' -e reached || :; }"
    curl = fetch(lab).replace("curl", "/opt/curl")
    told = said(lab, with_policy(
        f"cp $(which curl) /opt/curl; chown 65534 /opt/curl; chmod u+s /opt/curl; chmod 644 /etc/trustgraft/policy.conf; "
        f"{tell}; {curl}; $T enable --preload --yes >/dev/null; {tell}; {curl}; "
        "printf 'int main(void) { return 0; }' | gcc -static -x c -o /opt/static -; $T doctor /opt/static | grep reached"),
        "is set-uid: in a process", "gets into it by /etc/ld.so.preload", "no: neither way gets into it")
    require([line for line in told.splitlines() if line in ("refused", "fetched")] == ["refused", "fetched"], told)
    require(told.count("reached     yes") == 1, told)


def test_uninstall_of_what_is_named_otherwise(lab):
    """ld.so.preload may name the library by a link, or by its name alone: no such line stays behind."""
    for line in ("/opt/link/libtrustgraft-preload.so", "libtrustgraft-preload.so", "/opt/a/$LIB/libtrustgraft-preload.so",
                 "/usr/lib/x86_64-linux-gnu/libm.so.6 /opt/a/lib/libtrustgraft-preload.so # both"):
        told = beside(lab, f"i /opt/a; ln -s a/lib /opt/link; echo '{line}' >/etc/ld.so.preload; u /opt/a >/opt/said; "
                           "echo after; cat /etc/ld.so.preload || echo none; /bin/true; echo end", "\nend")
        require("libtrustgraft" not in told.rpartition("after\n")[2], told)


def test_enable_shows_and_asks_first(lab):
    said(lab, "before=$(cat /etc/ssl/openssl.cnf | sha256sum); $T enable --dry-run; "
              "$T enable </dev/null || echo status $?; "
              "[ \"$before\" = \"$(cat /etc/ssl/openssl.cnf | sha256sum)\" ] && echo unchanged",
         "+ # begin trustgraft", "nothing is changed without --yes", "status 2", "unchanged")


def test_enable_takes_back_what_breaks_programs(lab):
    """A module that doesn't load must not stay in openssl.cnf, nor a library in ld.so.preload."""
    said(lab, "echo junk >/opt/trustgraft/lib/ossl-modules/trustgraft.so; "
              "echo junk >/opt/trustgraft/lib/libtrustgraft-preload.so; "
              "$T enable --yes || echo provider $?; $T enable --preload --yes || echo preload $?; "
              "grep -c trustgraft /etc/ssl/openssl.cnf || true; "
              "test -e /etc/ld.so.preload || echo none; openssl version",
         "stays as it was", "provider 1", "preload 1", "\n0\n", "none", "OpenSSL ")


def test_enable_refuses_an_invalid_policy(lab):
    said(lab, "echo '[host' >/etc/trustgraft/policy.conf; $T enable --yes || echo status $?; "
              "grep -c trustgraft /etc/ssl/openssl.cnf || true",
         "/etc/trustgraft/policy.conf:1", "has errors", "status 1", "\n0\n")


def test_enable_refuses_a_library_that_others_can_write(lab):
    said(lab, "chmod o+w /opt/trustgraft/lib; $T enable --yes || echo provider $?; "
              "$T enable --preload --yes || echo preload $?; "
              "setpriv --reuid=65534 --regid=65534 --clear-groups $T disable --yes; "
              "chmod o-w /opt/trustgraft/lib; $T enable --yes >/dev/null; "
              "setpriv --reuid=65534 --regid=65534 --clear-groups $T disable --yes || echo user $?",
         "others than root can write /opt/trustgraft/lib;", "provider 2", "preload 2", "user 1",
         "its folder can't be written: Permission denied")


def test_enable_refuses_parts_that_others_can_write(lab):
    for part in ("lib/libtrustgraft.so.0", "lib/trustgraft/openssl-cnf", "lib/trustgraft"):
        for break_ in ("chmod o+w", "chmod g+w", "chown 65534"):
            told = said(lab, f"{break_} /opt/trustgraft/{part}; $T enable --yes || echo provider $?; "
                             "grep -c trustgraft /etc/ssl/openssl.cnf || true",
                        f"others than root can write /opt/trustgraft/{part};", "provider 2", "\n0\n")
            require("begin" not in told, told)


# ---- the Debian package ------------------------------------------------------------------------

def debian(lab):
    """A Debian that debootstrap made, once, under the build directory."""
    lacking = [name for name in ("debootstrap", "dpkg-deb", "dpkg-shlibdeps") if not shutil.which(name)]
    need_namespace()
    if lacking:
        raise Skip(f"needs {' '.join(lacking)}")
    root = lab.build.directory / "package" / "debian"
    if not (root / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        release = next((line.split("=")[1].strip() for line in open("/etc/os-release")
                        if line.startswith("VERSION_CODENAME=")), "stable")
        (lab.build.directory / "log").mkdir(exist_ok=True)
        with open(lab.build.directory / "log" / "debootstrap", "w", encoding="utf-8") as log:
            done = subprocess.run(["debootstrap", "--variant=minbase", "--include=curl,ca-certificates,openssl", release,
                                   str(root)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  check=False)
        if done.returncode:
            raise Skip(f"debootstrap can't get Debian {release}: {log.name}")
        (root / "complete").touch()
    return root


def test_debian_package(lab):
    root = debian(lab)
    package = pathlib.Path(make(lab, "-s", "deb").splitlines()[-1])
    if not package.is_absolute():
        package = SOURCE / package
    steps = with_policy("true").replace("$ROOT", "/root.pem") + f"""
        {fetch(lab)}
        trustgraft run -- {fetch(lab)}
        trustgraft run --provider -- {fetch(lab)}
        trustgraft doctor curl
        trustgraft enable --yes
        {fetch(lab)}
        dpkg -i /trustgraft.deb
        {fetch(lab)}
        trustgraft enable --preload --yes
        rm /etc/trustgraft/policy.conf
        dpkg --remove trustgraft
        cat /etc/ld.so.preload 2>&1 || true
        library=$(dpkg -c /trustgraft.deb | sed -n 's/.* \\.\\(.*preload.so\\)$/\\1/p')
        printf '%s\n# mine\n' "$library" >/etc/ld.so.preload
        dpkg --purge trustgraft 2>&1 || true
        sed 's/^/left: /' /etc/ld.so.preload
        dpkg -i /trustgraft.deb
        ln -s "$library" /libtrustgraft-preload.so
        echo /libtrustgraft-preload.so >/etc/ld.so.preload
        dpkg --purge trustgraft
        cat /etc/ld.so.preload 2>&1 || true
        dpkg -s trustgraft 2>&1 || true
        curl --version
        dpkg -i /trustgraft.deb
        trustgraft enable --yes
        printf '/lib/other.so:%s /opt%s
# %s
' "$library" "$library" "$library" >/etc/ld.so.preload
        rm /var/lib/dpkg/info/trustgraft.prerm
        dpkg --remove trustgraft 2>&1
        grep -c trustgraft /etc/ssl/openssl.cnf || true
        sed 's/^/kept: /' /etc/ld.so.preload
        rm /etc/ld.so.preload
        echo "{'1' * 9}" | openssl dgst -sha256
        rm -f /usr/lib/trustgraft/openssl.cnf
        dpkg -i /trustgraft.deb
        cp /usr/lib/trustgraft/openssl.cnf /before
        cp /usr/lib/trustgraft/openssl-cnf /cnf
        printf '#!/bin/sh\necho half\nexit 1\n' >/usr/lib/trustgraft/openssl-cnf
        /var/lib/dpkg/info/trustgraft.postinst configure || echo postinst fails
        cmp /before /usr/lib/trustgraft/openssl.cnf && echo settings stay
        cp /cnf /usr/lib/trustgraft/openssl-cnf
        rm /before /cnf
        dpkg --purge trustgraft"""
    script = f"""set -eu
        mount -t overlay -o lowerdir={root},upperdir=$1/upper,workdir=$1/work none $1/root
        cp {package} $1/root/trustgraft.deb
        cp {lab.pki.pem("root")} $1/root/root.pem
        mount -t proc none $1/root/proc
        cd $1/root
        find etc usr opt var/lib/dpkg/info -xdev ! -type d ! -name ld.so.cache | sort >$1/before
        chroot . dpkg -i /trustgraft.deb
        chroot . sh -euc "$2"
        find etc usr opt var/lib/dpkg/info -xdev ! -type d ! -name ld.so.cache | sort >$1/after
        diff $1/before $1/after && echo nothing left"""
    work = scratch(lab)
    call(["mount", "-t", "tmpfs", "none", work])
    try:
        for name in ("upper", "work", "root"):
            (work / name).mkdir()
        told = call([*NAMESPACE, "sh", "-c", script, "sh", work, steps])
    finally:
        call(["umount", work])
    got = [line for line in told.splitlines() if line in ("refused", "fetched")]
    require(got == ["refused", "fetched", "fetched", "fetched", "fetched"], told)
    require("libtrustgraft-preload.so' from" not in told.rpartition("left: ")[2].partition("curl 7")[0], told)
    for text in ("makes OpenSSL", "ld.so.preload: No such file", "left: # mine", "nothing left", "is not installed", "curl 7",
                 "kept: /lib/other.so:/opt/usr/lib/", "kept: # /usr/lib/", "(stdin)= ", "postinst fails",
                 "settings stay"):
        require(text in told, f"not said: {text!r}:\n{told}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    chosen = [(name[5:].replace("_", " "), function) for name, function in globals().items()
              if name.startswith("test_") and asked.filter in name.replace("_", " ")]
    with Lab(asked.build, asked.pki) as lab:
        lab.servers.python(["api"])
        return 0 if run(lab, chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
