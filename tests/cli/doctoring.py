"""trustgraft doctor."""
import fcntl
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import termios

from cli import reaching
from e2e.harness import Skip, open_terminal, require
from lab.files import put_program

POLICY = "[host *]\naction = pass\n"
INSIDE = "libtrustgraft-inside.so.0"
PARTS = ("trustgraft", "libtrustgraft.so.0", INSIDE, "libtrustgraft-preload.so", "openssl.cnf",
         "ossl-modules/trustgraft.so")
NAMED = {"libtrustgraft-preload.so": "preload", "openssl.cnf": "provider", "libtrustgraft.so.0": "engine",
         INSIDE: "inside", "ossl-modules/trustgraft.so": "provider"}


def doctor(command, *words, policy=POLICY, **options):
    given = ("-p", command.policy(policy)) if policy is not None else ()
    return command("doctor", *given, *words, **options)


def notes(result):
    """{(section, name): [(state, text)...]}"""
    found = {}
    for one in result.objects():
        require(list(one) == ["section", "name", "state", "text"], one)
        found.setdefault((one["section"], one["name"]), []).append((one["state"], one["text"]))
    return found


def program(command, *words, policy=POLICY, **options):
    """(exit status, notes about a program, by their names)"""
    result = doctor(command, "--json", *words, policy=policy, **options).quiet()
    return result.status, {name: value for (section, name), value in notes(result).items()
                           if section == "program"}


# ---- the installation -------------------------------------------------------------------------


def has_inside(command):
    """Not where there was no libcrypto.a."""
    return (command.build / INSIDE).exists()


def copy(command, *without):
    """A copy of what was built, its settings naming the copied provider; gives the command."""
    folder = command.folder()
    for name in PARTS:
        if name not in without and (name != INSIDE or has_inside(command)):
            folder.write(name, (command.build / name).read_bytes(), (command.build / name).stat().st_mode & 0o777)
    settings = folder / "openssl.cnf"
    if settings.exists():
        settings.write_text(settings.read_text().replace(str(command.build), str(folder.path)))
    return folder.path


def test_all_is_well(command):
    doctor(command).ended(0).quiet().printed(
        "installation\n", f"{command.build}/libtrustgraft-preload.so loads\n", "\npolicy\n",
        ": valid, 1 rule\n", "OpenSSL 3.")
    found = notes(doctor(command, "--json").ended(0).quiet())
    for name in ("engine", "preload", "provider"):
        require(found["installation", name][0][0] == "good", found)
    state, text = found["installation", "inside"][0]
    require((state, " loads, with OpenSSL 3." in text) == ("good", True) if has_inside(command) else
            (state, "built without it" in text) == ("note", True), found)


def test_copy_is_well(command):
    doctor(command, program=copy(command) / "trustgraft").ended(0)


def named(command):
    return [(part, name) for part, name in NAMED.items() if part != INSIDE or has_inside(command)]


def test_missing_part(command):
    for part, name in named(command):
        result = doctor(command, "--json", program=copy(command, part) / "trustgraft").ended(1)
        state, text = notes(result)["installation", name][0]
        require(state == "bad" and ("is missing" in text or "doesn't load: " in text), result)


def test_broken_part(command):
    """OpenSSL passes over such a provider in silence, and ld.so preloads nothing."""
    for part, name in named(command):
        for content in (b"", b"no library\n", (command.build / part).read_bytes()[:500]):
            folder = copy(command)
            (folder / part).write_bytes(content)
            result = doctor(command, "--json", program=folder / "trustgraft").ended(1)
            state, text = notes(result)["installation", name][0]
            require(state == "bad" and "doesn't load: " in text, result)


def test_foreign_library_in_a_part_s_place(command):
    for part, name in named(command):
        if name == "preload" or part == "openssl.cnf":
            continue
        folder = copy(command)
        shutil.copy(command.build / "libtrustgraft-preload.so", folder / part)
        result = doctor(command, "--json", program=folder / "trustgraft").ended(1)
        require(notes(result)["installation", name][0][0] == "bad", result)


def test_settings_in_the_environment(command):
    own = doctor(command, "--json", env={"OPENSSL_CONF": command.build / "openssl.cnf"}).ended(0)
    require("trustgraft's own" in notes(own)["installation", "OPENSSL_CONF"][0][1], own)
    other = command.folder().write("other.cnf", "# nothing\n")
    other = doctor(command, "--json", env={"OPENSSL_CONF": other}).ended(0)
    require("doesn't activate" in notes(other)["installation", "OPENSSL_CONF"][0][1], other)


# ---- its log ----------------------------------------------------------------------------------


def logging(command, log, **options):
    """{name: [(state, text)...]} of the log"""
    policy = f"[policy]\nlog = {log}\n{POLICY}" if log else POLICY
    found = notes(doctor(command, "--json", policy=policy, **options))
    return {name: told for (section, name), told in found.items() if section == "log"}


def test_log_that_can_be_written(command):
    folder = command.folder().path
    folder.chmod(0o1777)
    pathlib.Path(command.root).chmod(0o755)
    file = folder / "verdicts"
    told = logging(command, f"file:{file}")["file"]
    require(told[0][0] == "good" and str(file) in told[0][1], told)
    require(not file.exists(), "nothing is made")
    if os.geteuid() == 0:
        require(told[1][0] == "note" and "isn't there yet" in told[1][1], told)
    file.touch()
    file.chmod(0o666)
    told = logging(command, f"file:{file}")["file"]
    require([state for state, _ in told] == ["good"] and file.stat().st_size == 0, told)


def test_log_that_cannot_be_written(command):
    folder = command.folder().path
    for path, why in ((folder / "none" / "verdicts", "No such file or directory"),
                      (folder, "Is a directory"), ("/dev/null", "Not a regular file")):
        told = logging(command, f"file:{path}")["file"]
        require(told[0][0] in ("bad", "note") and f"{path} can't be written" in told[0][1] and
                why in told[0][1], told)
        lost = "are lost" in told[0][1]
        require(lost == (told[0][0] == "bad") and lost != ("go to syslog" in told[0][1]), told)


def test_log_that_not_every_user_can_write(command):
    """The users are those who log, whatever root can do."""
    if os.geteuid() != 0:
        raise Skip("only root can try as other users")
    folder = command.folder().path
    pathlib.Path(command.root).chmod(0o755)
    folder.chmod(0o755)
    told = logging(command, f"file:{folder / 'verdicts'}")["file"]
    require(told[0][0] in ("bad", "note") and "daemon" in told[0][1] and
            "Permission denied" in told[0][1], told)


def test_other_sinks(command):
    there = os.path.exists("/dev/log")
    state, text = logging(command, "syslog")["syslog"][0]
    require((state == "good") if there else (state == "bad" and "are lost" in text), text)
    require(logging(command, "none")["none"][0][0] == "note", "none")
    for log in ("stderr", None):
        require(list(logging(command, log)) == ["stderr"], log)


# ---- the policy -------------------------------------------------------------------------------


def in_force(result):
    return notes(result)["policy", "in force"][0]


def test_no_policy(command):
    result = doctor(command, "--json", policy=None).ended(1)
    if in_force(result)[1].startswith("/etc/"):
        raise Skip("this machine has a policy")
    require(in_force(result)[0] == "bad" and "none" in in_force(result)[1], result)
    require(len(notes(result)["policy", "looked at"]) == 3, result)


def test_policy_that_is_missing(command):
    result = doctor(command, "--json", "-p", "/nonexistent/policy.conf", policy=None).ended(1)
    require(notes(result)["policy", "error"] ==
            [("bad", "/nonexistent/policy.conf: No such file or directory")], result)


def test_policy_of_the_environment(command):
    good, bad = command.policy(POLICY), command.policy("[host *]\nactoin = pass\n")
    result = doctor(command, "--json", policy=None, env={"TRUSTGRAFT_POLICY": good}).ended(0)
    require(in_force(result) == ("good", f"{good}, named by the environment: valid, 1 rule"), result)
    result = doctor(command, "--json", policy=None, env={"TRUSTGRAFT_POLICY": bad}).ended(1)
    require(in_force(result)[0] == "bad" and f"{bad}:2:1: " in str(notes(result)), result)
    result = doctor(command, "--json", policy=None, env={"TRUSTGRAFT_POLICY": "policy.conf"}).ended(1)
    require("absolute path" in in_force(result)[1], result)


def test_policy_of_the_user(command):
    folder = command.folder()
    path = folder.write("trustgraft/policy.conf", POLICY)
    result = doctor(command, "--json", policy=None, env={"XDG_CONFIG_HOME": folder.path})
    if in_force(result)[1].startswith("/etc/"):
        raise Skip("this machine has a locked policy")
    require(in_force(result.ended(0))[1] == f"{path}, the user's: valid, 1 rule", result)
    require("is there" in str(notes(result)["policy", "looked at"]), result)


# ---- programs ---------------------------------------------------------------------------------


def linked(command, *needs, name="libother.so.1", folder=None):
    """A library that needs others, in a folder of its own."""
    folder = folder or command.folder()
    subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-x", "none", "-o", folder / name,
                    f"-Wl,-soname,{name}", "-Wl,--no-as-needed", *needs], check=True, timeout=120)
    return folder / name


def test_program_that_links_openssl(command):
    for name in ("curl", "openssl"):
        status, found = program(command, shutil.which(name))
        require(status == 0 and found["reached"][0][0] == "good", found)
        require(any("OpenSSL 3: " in text for _, text in found["TLS library"]), found)
        for way in ("preload", "provider"):
            require("gets into it" in found[way][0][1], found)


def test_program_is_found_in_the_path(command):
    require(program(command, "openssl")[1]["file"][0][1] == shutil.which("openssl"), "another")
    doctor(command, "no-such-program").ended(2).silent().said("not found in PATH")
    doctor(command, "/nowhere/tool").ended(2).silent().said("No such file")


def test_openssl_inside_the_executable(command):
    node = shutil.which("node")
    if not node:
        raise Skip("no node")
    _, found = program(command, node)
    require(found["reached"][0][0] == "good", found)


def test_program_without_tls(command):
    status, found = program(command, reaching.built(command, ""))
    require(status == 1 and "no TLS library is to be seen" in found["reached"][0][1], found)


def not_reached(found, why="its TLS is none of OpenSSL's, GnuTLS's and NSS's"):
    """Neither way is said to get into it, though the process could be got into."""
    require(f"no: {why}" in found["reached"][0][1], found)
    for way in ("preload", "provider"):
        require(found[way] == [("note", "has nothing in it to act upon")], found)


def test_program_with_another_tls_library(command):
    for library, name in (("libmbedtls.so.14", "Mbed TLS"), ("libwolfssl.so.42", "wolfSSL")):
        status, found = program(command, reaching.built(command, "", library))
        require(status == 1 and name in found["TLS library"][0][1], found)
        not_reached(found)


def test_gnutls_and_nss_are_reached_by_the_preload_alone(command):
    for name, library in (("GnuTLS", "libgnutls.so.30"), ("NSS", "libssl3.so")):
        status, found = program(command, reaching.built(command, "", library))
        require(status == 0 and name in found["TLS library"][0][1], found)
        require("gets into it" in found["preload"][0][1], found)
        require("loads no providers" in found["provider"][0][1], found)


def test_program_that_verifies_by_itself(command):
    """Firefox, as far as it is told from others."""
    folder = command.folder()
    path = folder.write("fox", pathlib.Path(reaching.built(command, "")).read_bytes(), 0o755)
    for wanted in (False, True):
        _, found = program(command, path)
        said = command("run", "-p", command.policy(POLICY), path).ended(0).err
        for text in (str(found["preload"]), said):
            require(("no rule opens" in text) == wanted, text)
        folder.write("libxul.so", "")


def test_older_openssl_is_reached_by_the_preload_alone(command):
    status, found = program(command, reaching.built(command, "", "libssl.so.1.1"))
    require(status == 0 and "older than 3" in found["TLS library"][0][1], found)
    require("gets into it" in found["preload"][0][1], found)
    require("run --preload" in found["provider"][0][1], found)


def test_newer_openssl_is_reached_by_both(command):
    for library, name, engine in (("libssl.so.4", "OpenSSL 4: ", "libtrustgraft-inside.so.0"),
                                  ("libssl.so.1.1", "an OpenSSL older", "libtrustgraft-inside.so.0")):
        status, found = program(command, reaching.built(command, "", library))
        require(status == 0 and found["TLS library"][0][1].startswith(name), found)
        require(engine in found["engine"][0][1], found)
        require(("run --preload" in found["provider"][0][1]) == (library == "libssl.so.1.1"), found)


def tool(command, folder, *options):
    source = folder.write("tool.c", "int main(void) { return 0; }\n")
    subprocess.run(["cc", source, "-o", folder / "tool", "-Wl,--no-as-needed", *options], check=True,
                   timeout=120)
    return folder / "tool"


def test_library_of_a_library(command):
    """Found through $ORIGIN, RPATH and LD_LIBRARY_PATH; and not found."""
    ssl = next(pathlib.Path(line.split()[2]) for line in subprocess.run(
        ["ldd", shutil.which("openssl")], capture_output=True, text=True,
        check=True).stdout.splitlines() if "libssl.so" in line)
    for option in ("-Wl,-rpath,$ORIGIN", "-Wl,-rpath,${ORIGIN}/.,--disable-new-dtags", ""):
        folder = command.folder()
        library = linked(command, ssl, folder=folder)
        path = tool(command, folder, *filter(None, [option]), library)
        env = {} if option else {"LD_LIBRARY_PATH": folder.path}
        status, found = program(command, path, env=env)
        require(status == 0 and "linked by libother.so.1" in found["TLS library"][0][1], found)
        if not option:
            status, found = program(command, path)
            require(status == 1 and "can't be found" in found["library"][0][1], found)


def test_libraries_in_a_circle(command):
    folder = command.folder()
    one = linked(command, name="libone.so", folder=folder)
    two = linked(command, one, "-Wl,-rpath,$ORIGIN", name="libtwo.so", folder=folder)
    linked(command, two, "-Wl,-rpath,$ORIGIN", name="libone.so", folder=folder)
    status, _ = program(command, tool(command, folder, "-Wl,-rpath,$ORIGIN", two))
    require(status == 1, "no TLS")


def test_program_that_loads_libraries(command):
    path = reaching.built(command, "#include <dlfcn.h>\nvoid *f(void) { return dlopen(\"x\", 1); }\n")
    status, found = program(command, path)
    require(status == 0 and found["reached"][0][0] == "note" and "dlopen" in str(found), found)


def test_tls_library_linked_into_it(command):
    for text, name in (("OpenSSL 1.1.1w  11 Sep 2023", "OpenSSL 1.1.1"),
                       ("vendor/boringssl/ssl/ssl_lib.cc", "BoringSSL"),
                       ("OpenSSL 1.1.1 (compatible; BoringSSL) ssl/ssl_lib.cc", "BoringSSL"),
                       ("x/registry/src/rustls-0.21.7/src/conn.rs", "rustls")):
        path = reaching.built(command, f'const char text[] = "{text}";\n')
        status, found = program(command, path)
        require(status == 1 and f"{name} seems to be inside" in str(found), found)
        not_reached(found, "the TLS library inside is out of reach;")
    status, found = program(command, reaching.built(command, 'const char t[] = "OpenSSL is good";\n'))
    require("seems" not in str(found), found)


def strip(path):
    subprocess.run(["strip", path], check=True, timeout=120)


def test_openssl_inside_beside_one_that_is_reached(command):
    """The nearer to the program decides, and symbols make all the difference."""
    printing = reaching.compiled(command, "", "libprint.so", "-shared", "-fPIC", "-lgnutls")
    for library, verdict, way in (
            (printing, "no: the TLS library inside is out of reach, unlike the one that its libraries bring;", "no"),
            ("-lgnutls", "yes, but not what it does with the other TLS library", "preload")):
        path = reaching.inside(command, library)
        status, found = program(command, path)
        require(status == 0 and found["reached"] == [("good", "yes")], found)
        strip(path)
        status, found = program(command, path)
        require(status == (way == "no") and found["reached"][0][1].startswith(verdict), found)
        require("OpenSSL seems to be inside the executable, out of reach (its .symtab is stripped)" in str(found), found)
        require("GnuTLS, which loads no providers" in found["provider"][0][1] and
                ("run --preload" in found["provider"][0][1]) == (way == "preload"), found)
        text = command("doctor", "--all", env={"PATH": str(path.parent)}).ended(0).out
        require(re.search(rf"^  {way} +{path.name}  ", text, re.MULTILINE), text)


def test_openssl_inside_that_exports_a_part(command):
    """What libcurl would take of it is exported; the provider's engine takes that, too."""
    path = reaching.inside(command, "-lcurl")
    status, found = program(command, path)
    require(status == 0 and found["reached"] == [("good", "yes")], found)
    require("exports a part of the OpenSSL inside" in found["provider"][0][1], found)
    strip(path)
    status, found = program(command, path)
    require(status == 1 and "a part of one inside" in str(found["TLS library"]), found)
    for way in ("preload", "provider"):
        require("exports too little for either way" in found[way][0][1], found)
    require(found["reached"] == [("bad", "no: neither way gets into it")], found)


def test_provider_and_an_openssl_inside(command):
    path = reaching.inside(command)
    strip(path)
    status, found = program(command, path)
    require(status == 1 and "without TLS where that loads it" in found["provider"][0][1], found)
    require(found["preload"] == [("note", "has nothing in it to act upon")], found)


def test_openssl_inside_a_library(command):
    for hidden in (True, False):
        status, found = program(command, reaching.by_a_library(command, hidden))
        require(("OpenSSL seems to be inside /" in str(found)) == hidden, found)
        require("can't be found" not in str(found), found)
        if hidden:
            require(status == 1 and "no: the TLS library inside is out of reach;" in found["reached"][0][1], found)


def test_program_in_go(command):
    note = ('__asm__(".pushsection .note.go.buildid,\\"a\\",%note\\n"\n'
            '        ".long 4, 4, 4\\n.ascii \\"Go\\\\0\\\\0\\"\\n.long 0\\n.popsection");\n')
    status, found = program(command, reaching.built(command, note))
    require(status == 1 and "Go" in found["TLS library"][0][1], found)
    not_reached(found)


def test_static_program(command):
    status, found = program(command, reaching.static(command))
    require(status == 1 and "statically" in found["linked"][0][1], found)
    require("no: neither way" in found["reached"][0][1], found)


def test_raised_privileges(command):
    path = put_program(command.folder() / "tool", pathlib.Path(shutil.which("openssl")))
    require("privileges" not in program(command, path)[1], "none are raised")
    if os.geteuid() != 0:
        raise Skip("only root can raise any")
    os.chown(path, 65534, 65534)
    for mode, text in ((0o4755, "set-uid, to the user number 65534"),
                       (0o2755, "set-gid, to the group number 65534")):
        path.chmod(mode)
        status, found = program(command, path)
        require(status == 1 and text in found["privileges"][0][1], found)
        require("the system's openssl.cnf" in found["preload"][0][1], found)
    path.chmod(0o755)
    os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
    status, found = program(command, path)
    require(status == 1 and "file capabilities" in found["privileges"][0][1], found)


def test_script(command):
    path = reaching.script(command, f"#!{shutil.which('openssl')}\n")
    status, found = program(command, path)
    require(status == 0 and f"run by {shutil.which('openssl')}" in found["file"][0][1], found)
    status, found = program(command, reaching.script(command, "#!/nowhere\n"))
    require(status == 1 and "interpreter" in found["file"][0][1], found)


def test_nothing_of_it_is_run(command):
    folder = command.folder()
    path = reaching.built(command, "#include <stdio.h>\n__attribute__((constructor)) static void f"
                          f"(void) {{ fclose(fopen(\"{folder / 'trace'}\", \"w\")); }}\n")
    doctor(command, path)
    require(not (folder / "trace").exists(), "the program ran")
    subprocess.run([path], check=True, timeout=120)
    require((folder / "trace").exists(), "the test itself is wrong")


def test_damaged_program(command):
    whole = pathlib.Path(shutil.which("openssl")).read_bytes()
    for content in (whole[:100], whole[:5000], b"\x7fELF"):
        path = command.folder().write("tool", content, 0o755)
        require(program(command, path)[0] in (0, 1), "neither well nor wrong")


# ---- looks ------------------------------------------------------------------------------------


def test_hostile_names_are_escaped(command):
    path = put_program(command.folder() / "a\x1b[31m\nb", pathlib.Path(shutil.which("openssl")))
    result = doctor(command, path).ended(0)
    require("\x1b" not in result.out and "\\x1B[31m\\x0Ab" in result.out, result)


def on_terminal(command, columns, **env):
    """What doctor writes to a terminal of that width."""
    leader, follower = open_terminal(pty.openpty)
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("4H", 50, columns, 0, 0))
    command("doctor", "-p", command.policy(POLICY), stdout=follower,
            env={"TERM": "xterm", **env}).ended(0)
    os.close(follower)
    data = b""
    while True:
        try:
            more = os.read(leader, 65536)
        except OSError:
            break
        if not more:
            break
        data += more
    os.close(leader)
    return data.decode().replace("\r\n", "\n")


def test_colour_and_width_of_a_terminal(command):
    text = on_terminal(command, 70)
    require("\x1b[32mok\x1b[0m" in text and "\x1b[33mnote\x1b[0m" in text, repr(text))
    plain = re.sub(r"\x1b\[\d+m", "", text)
    long = [line for line in plain.splitlines() if len(line) > 70 and " " in line[20:]]
    require(not long, long)
    require("\n" + " " * 20 in plain, plain)
    require("\x1b" not in on_terminal(command, 200, NO_COLOR="1"), "colour")
    require("\x1b" not in doctor(command).out, "colour in a pipe")


def test_columns_are_aligned(command):
    lines = [line for line in doctor(command, "openssl").out.splitlines() if line.startswith("  ")]
    require(lines and all(re.match(r"  (ok|note|bad) +", line).end() == 8 and line[19] == " "
                          and line[20] != " " for line in lines), lines)


def test_all_programs_of_the_path(command):
    """Each by the way that `doctor CMD` says, once, with its package; scripts and others aren't programs."""
    folder = command.folder()
    put_program(folder / "embedded", pathlib.Path(reaching.built(command, "", "libmbedtls.so.14")))
    folder.write("script", "#!/bin/sh\ncurl\n", 0o755)
    (folder.path / "twice").symlink_to("embedded")
    real = {name: path for name, path in (("curl", shutil.which("curl")), ("wget", shutil.which("wget"))) if path}
    for name, path in real.items():
        (folder.path / name).symlink_to(path)
    env = {"PATH": f"{folder.path}::relative:/nowhere"}
    objects = command("doctor", "--all", "--json", env=env).ended(0).quiet().objects()
    by_name = {pathlib.Path(one["program"]).name: one for one in objects}
    require(len(objects) == len(by_name) == 1 + len(real), objects)
    embedded = by_name.get("embedded") or by_name["twice"]
    require(not embedded["preload"] and not embedded["provider"] and embedded["package"] is None, embedded)
    for name in real:
        said = program(command, real[name])[1]["provider"][0][1]
        one = by_name[name]
        require(one["preload"] and one["provider"] == ("gets into it" in said), one)
    text = command("doctor", "--all", env=env).ended(0).quiet().out
    for name in real:
        require(re.search(rf"^  (both|preload) +{name}  \(", text, re.MULTILINE), text)
    require(re.search(r"^  no +(embedded|twice)  \(", text, re.MULTILINE) and "1 do TLS out of reach" in text, text)
    command("doctor", "--all", "curl").ended(2).silent().said("--all is about every program")
    command("doctor", "--all", env={"PATH": ""}).ended(0).printed("0 are reached by both")
