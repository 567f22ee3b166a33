"""embedded.py - executables with an OpenSSL inside that they don't export: known by their .symtab, or
not taken, with a sentence; the command says beforehand what comes of it."""
import json
import pathlib
import shutil
import subprocess

from e2e.harness import Skip, require
from lab import ways
from lab.files import put_program

HOST = "api.example.test"
ASKED = ("sni=" + HOST, "name=" + HOST)
ROOT = "[policy]\nlog = stderr\n[host api.example.test]\nanchors = {root}"
OTHER = ROOT.replace("{root}", "{other-root}")
ELSEWHERE = "[policy]\nlog = stderr\n[host other.test]\naction = reject"
UNDER = "that library's TLS connections are not under the policy"


def made(lab, library, name, *command):
    """A copy of LIBRARY's client, on which COMMAND was run with its path at its end."""
    path = lab.clients / f"{library}-{name}"
    if command:
        subprocess.run([*command, lab.clients / library, path], check=True, timeout=120)
    else:
        put_program(path, lab.clients / library)
    return path


def told(lab, path):
    """What `trustgraft doctor` says of the program PATH: {name: (state, text)}; the last of each."""
    out = subprocess.run([lab.build.command, "doctor", "--json", path], timeout=120, text=True,
                         stdout=subprocess.PIPE, check=False).stdout
    objects = [json.loads(line) for line in out.splitlines()]
    return {one["name"]: (one["state"], one["text"]) for one in objects if one["section"] == "program"}


def refused_to_run(lab, path, policy):
    """What `trustgraft run` says instead of starting PATH, or ''."""
    done = subprocess.run([lab.build.command, "run", "-p", lab.policy(policy), path, "1"], timeout=120,
                          text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
    return done.stderr if done.returncode == 126 else ""


def as_bare(lab, visit, path, line):
    """PATH isn't taken: its connections are as bare under a rule that would decide otherwise, and one
    LINE says so; none does without a policy."""
    for server, words in (("api", ("ca={root}", *ASKED)), ("api-other", ("unverified", *ASKED)),
                          ("api", ASKED)):
        bare, _ = visit(lab, path.name, server, None, *words, way=ways.BARE)
        for policy in (None, OTHER):
            seen, err = visit(lab, path.name, server, policy, *words)
            require(seen[0] == bare[0], f"{server}: {words}: {policy}: {seen} {err}, not {bare}")
            wanted = line if policy else ""
            require(wanted in err and err.count("\n") == bool(wanted), f"{policy}: {err}")
    require(told(lab, path)["reached"][0] == "bad", f"doctor: {told(lab, path)}")


def taken(lab, visit, library):
    found = told(lab, lab.clients / library)
    require(found["reached"] == ("good", "yes"), f"{found}")
    three = library != "static-1.1"
    require(("OpenSSL 3 inside" if three else "OpenSSL 1.1.1 inside") in found["TLS library"][1],
            f"{found}")
    require((found["provider"][0] == "good") == (library == "static-3"), f"{found}")
    require(not refused_to_run(lab, lab.clients / library, ROOT), "run refuses")
    seen, err = visit(lab, library, "api", ROOT, *ASKED)
    require(seen[0]["word"] == "connected" and not err, f"{seen} {err}")
    for policy, server, word in ((ROOT, "api-other", "refused"), (OTHER, "api", "refused"),
                                 (ELSEWHERE, "api-other", "connected")):
        seen, err = visit(lab, library, server, policy, *ASKED, "unverified")
        require(seen[0]["word"] == word and ("reject" in err) == (word == "refused"), f"{seen} {err}")


def engine_told(lab, visit, library):
    """`doctor` names the engine that the process takes."""
    name = told(lab, lab.clients / library)["engine"][1].split(" takes ")[1].split(",")[0]
    env = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(ROOT)) | {"LD_DEBUG": "files"}
    _, _, err = lab.run([str(lab.clients / library), "1"], environment=env)
    other = {"libtrustgraft.so.0": "libtrustgraft-inside.so.0"}.get(name, "libtrustgraft.so.0")
    require(f"/{name}" in err and f"/{other} " not in err and f"/{other};" not in err,
            f"it isn't {name}: {err[-3000:]}")


def without_tls(lab, visit, library, says):
    """By the provider LIBRARY has no TLS, with the line SAYS; `doctor` tells before."""
    for policy in (ROOT, ELSEWHERE):
        for words in (("ca={root}", *ASKED), ("unverified",)):
            seen, err = visit(lab, library, "api", policy, *words, way=ways.PROVIDER)
            require(seen[0]["word"] == "no" and says in err, f"{policy}: {words}: {seen} {err}")
    require("no TLS then" in told(lab, lab.clients / library)["provider"][1] or
            "without TLS" in told(lab, lab.clients / library)["provider"][1], f"{told(lab, lab.clients / library)}")


def part_by_provider(lab, visit, library):
    without_tls(lab, visit, library, "comes from another libcrypto than the rest")


def stripped(lab, visit, library):
    path = made(lab, library, "stripped", "objcopy", "--strip-all")
    as_bare(lab, visit, path, "")
    if library == "static-3":
        without_tls(lab, visit, path.name, "this program's OpenSSL has no X509_verify_cert")
    require("its .symtab is stripped" in told(lab, path)["TLS library"][1], f"{told(lab, path)}")
    require("its .symtab is stripped" in refused_to_run(lab, path, ROOT), "run starts it")


# Of each, what a link may drop: a function of libssl, of libcrypto, and what the hook begins with.
NEEDED = ("SSL_get_client_random", "X509_VERIFY_PARAM_set1_host", "SSL_CTX_new",
          "CRYPTO_get_ex_new_index")


def lacking(lab, visit, library):
    """Without one function there is no TLS at all, and the sentence names it; without a policy
    nothing is done."""
    for function in NEEDED:
        for name, how in (("renamed", f"--redefine-sym={function}=gone_{function}"),
                          ("local", f"--localize-symbol={function}")):
            path = made(lab, library, name, "objcopy", how)
            bare, _ = visit(lab, path.name, "api", None, *ASKED, "ca={root}", way=ways.BARE)
            seen, err = visit(lab, path.name, "api", None, *ASKED, "ca={root}")
            require(seen[0] == bare[0] and bare[0]["word"] == "connected" and not err, f"{how}: {seen} {err}")
            for policy in (ROOT, ELSEWHERE):
                env = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(policy))
                for words in (ASKED, ("unverified",)):
                    status, out, err = lab.run([str(path), str(lab.servers.ports["api"]), *words],
                                               environment=env)
                    require(status == 1 and "connected" not in out and f"it has no {function}" in err,
                            f"{how}: {policy}: {status} {out} {err}")
            found = told(lab, path)
            require(found["reached"][0] == "bad" and found["TLS library"][0] == "bad" and
                    f"without {function}:" in found["TLS library"][1], f"{how}: {found}")
            require(f"without {function}, which trustgraft needs" in refused_to_run(lab, path, ROOT),
                    f"{how}: run starts it")
            path.unlink()


def not_needed(lab, visit, library):
    """A local function isn't taken, but what isn't needed isn't missed either."""
    path = made(lab, library, "unneeded", "objcopy", "--localize-symbol=SSL_new")
    require(told(lab, path)["reached"] == ("good", "yes"), f"{told(lab, path)}")
    for policy, word in ((ROOT, "connected"), (OTHER, "refused")):
        seen, err = visit(lab, path.name, "api", policy, *ASKED)
        require(seen[0]["word"] == word, f"{seen} {err}")


def no_way_to_refuse(lab, visit, library):
    """Where not even that is there by which TLS is refused, the process ends when it makes a context."""
    path = made(lab, library, "wayless", "objcopy", "--localize-symbol=SSL_get_client_random",
                "--localize-symbol=SSL_CTX_set_options")
    for policy, good in ((None, True), (ROOT, False), (ELSEWHERE, False)):
        env = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(policy) if policy else None)
        status, out, err = lab.run([str(path), str(lab.servers.ports["api"]), *ASKED, "unverified"],
                                   environment=env)
        require((status, "connected" in out, "than by its end" in err) == (0 if good else 1, good, not good) and
                (good or out == ""), f"{policy}: {status} {out} {err}")


def local_symbols(lab, visit, library):
    """As a link with --exclude-libs leaves them."""
    path = made(lab, library, "locals", "objcopy", "--localize-symbol=SSL_new",
                "--localize-symbol=SSL_CTX_new")
    as_bare(lab, visit, path, f"has an OpenSSL inside, but its functions as local symbols alone: {UNDER}\n")
    require("its functions are local symbols" in refused_to_run(lab, path, ROOT), "run starts it")


def no_build_id(lab, visit, library):
    path = made(lab, library, "no-id", "objcopy", "--remove-section=.note.gnu.build-id")
    as_bare(lab, visit, path, f"has an OpenSSL inside, but no build-id to know its functions by: {UNDER}\n")
    require("no build-id" in refused_to_run(lab, path, ROOT), "run starts it")


def another_library(lab, visit, library):
    """BoringSSL, or none that is known, by functions that it alone has, or lacks."""
    gone = "--redefine-sym=ossl_statem_client_construct_message=gone"
    for name, line, how in (("boring", "BoringSSL",
                             "--redefine-sym=SSL_CTX_set_quiet_shutdown=SSL_CTX_set_custom_verify"),
                            ("relative", "a relative of OpenSSL's that isn't known", gone)):
        path = made(lab, library, name, "objcopy", how)
        as_bare(lab, visit, path, f"has inside {line}: {UNDER}\n")
        require("seems to have OpenSSL" in refused_to_run(lab, path, ROOT), "run starts it")


def damaged(lab, visit, library):
    """The file is shorter than its section headers say."""
    path = made(lab, library, "damaged")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)
    as_bare(lab, visit, path, "has ELF headers that contradict its size or each other, and may have a TLS "
            f"library inside: {UNDER}\n")
    require("its ELF headers contradict" in refused_to_run(lab, path, ROOT), "run starts it")


def by_the_linker(lab, visit, library):
    """The dynamic linker is what was started, and has the program as an argument."""
    path = lab.clients / library
    loader = subprocess.run(["readelf", "-p", ".interp", path], stdout=subprocess.PIPE, text=True,
                            check=True).stdout.split()[-1]
    for policy, word in ((ROOT, "connected"), (OTHER, "refused")):
        env = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(policy))
        _, out, err = lab.run([loader, str(path), str(lab.servers.ports["api"]), *ASKED], environment=env)
        require(out.startswith(word), f"{policy}: {out} {err}")


def no_engine(lab, visit, library):
    """Where the engine is gone nothing can be told of its functions: the process ends, and says why."""
    folder = lab.scratch / f"alone-{library}"
    folder.mkdir()
    shutil.copy(lab.build.preload, folder)
    preload = {"LD_PRELOAD": str(folder / pathlib.Path(lab.build.preload).name)}
    for policy, good in ((None, True), (ROOT, False)):
        env = preload | ({"TRUSTGRAFT_POLICY": str(lab.policy(policy))} if policy else {})
        status, out, err = lab.run([str(lab.clients / library), str(lab.servers.ports["api"]), *ASKED,
                                    "ca={root}".replace("{root}", str(lab.pki.pem("root")))],
                                   environment=env)
        require(("connected" in out) == good and (status == 0) == good and
                ("its engine can't be loaded" in err) != good, f"{policy}: {status} {out} {err}")


def tests(lacking_libraries, visit):
    """(name, function) pairs; VISIT is run.py's."""
    def check(test, library):
        def run(lab):
            if library in lacking_libraries:
                raise Skip(lacking_libraries[library])
            test(lab, visit, library)
        return f"embedded, {test.__name__.replace('_', ' ')} [{library}]", run

    for library in ("static-3", "static-1.1"):
        for test in (taken, engine_told, stripped, lacking, no_way_to_refuse, not_needed, local_symbols,
                     no_build_id, another_library, damaged, by_the_linker, no_engine):
            yield check(test, library)
    for test in (taken, engine_told, part_by_provider):
        yield check(test, "static-3-part")
