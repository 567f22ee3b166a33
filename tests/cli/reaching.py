"""Which programs trustgraft run refuses because they can't be reached, and what it says."""
import os
import pathlib
import re
import shutil
import struct
import subprocess

from e2e.harness import Skip, require

TRUE = os.path.realpath(shutil.which("true") or "/bin/true")
POLICY = "[host *]\naction = pass\n"
PT_NULL, PT_INTERP = 0, 3
SOURCE = pathlib.Path(__file__).resolve().parents[2] / "policy/hook/lib"


def image():
    with open(TRUE, "rb") as file:
        data = bytearray(file.read())
    if data[4] != 2 or data[5] != 1:
        raise Skip("the images here are made from a 64-bit little-endian one")
    return data


def headers(data):
    """(offset of the program header, its type, offset and size of what it means)."""
    start, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for at in range(start, start + size * count, size):
        kind, = struct.unpack_from("<I", data, at)
        offset, = struct.unpack_from("<Q", data, at + 8)
        length, = struct.unpack_from("<Q", data, at + 32)
        yield at, kind, offset, length


def without_interpreter():
    data = image()
    for at, kind, _, _ in headers(data):
        if kind == PT_INTERP:
            struct.pack_into("<I", data, at, PT_NULL)
    return bytes(data)


def with_interpreter(name):
    data = image()
    for _, kind, offset, length in headers(data):
        if kind == PT_INTERP:
            data[offset:offset + length] = name.ljust(length, b"\0")[:length]
    return bytes(data)


def run(command, path, *way):
    return command("run", "-p", command.policy(POLICY), *way, path)


def refused(command, data, *texts, way=()):
    path = command.folder().write("program", bytes(data), 0o755)
    run(command, path, *way).ended(126).silent().said(f"trustgraft: {path} ", *texts)


def test_static_program(command):
    refused(command, without_interpreter(), "is linked statically", "dynamically linked build")
    refused(command, without_interpreter(), "is linked statically", way=["--provider"])


def test_program_for_musl(command):
    for way in ((), ("--provider",)):
        refused(command, with_interpreter(b"/lib/ld-musl-x86.so.1"), "is built for musl", way=way)


def test_program_of_another_linker(command):
    refused(command, with_interpreter(b"/lib/ld-other.so.9"), "is run by /lib/ld-other.so.9")


def test_program_for_another_architecture(command):
    for at, value in ((18, 0xF3), (4, 1), (5, 2)):  # e_machine, 32 bits, big-endian
        data = image()
        data[at] = value
        refused(command, data, "another architecture or word size")


def test_damaged_program(command):
    data = image()
    cases = {"cut": data[:80], "headers at the end": data[:]}
    struct.pack_into("<Q", cases["headers at the end"], 32, len(data) - 8)
    cases["no headers"] = data[:]
    struct.pack_into("<H", cases["no headers"], 56, 0)
    cases["odd header size"] = data[:]
    struct.pack_into("<H", cases["odd header size"], 54, 1)
    for case in cases.values():
        refused(command, case, "is damaged")


def copy(command, mode, owner=-1, group=-1):
    path = command.folder().write("program", bytes(image()), 0o755)
    os.chown(path, owner, group)
    path.chmod(mode)
    return path


def test_set_uid_program(command):
    if os.geteuid() == 0:
        path = copy(command, 0o4755, owner=65534)
    else:
        path = shutil.which("su") or shutil.which("passwd")
    if not path or not os.stat(path).st_mode & 0o4000:
        raise Skip("there is no set-uid program")
    for way in ((), ("--provider",)):
        run(command, path, *way).ended(126).silent().said(
            "is set-uid", "LD_PRELOAD", "OPENSSL_CONF", "the system's openssl.cnf",
            "trustgraft-run(1), PROGRAMS OUT OF REACH")


def test_set_gid_program(command):
    if os.geteuid() != 0:
        raise Skip("only root can make one for another group")
    run(command, copy(command, 0o2755, group=65534)).ended(126).silent().said("is set-gid")


def test_set_uid_to_the_caller(command):
    for mode, text in ((0o4755, "is set-uid"), (0o2755, "is set-gid")):
        run(command, copy(command, mode)).ended(126).silent().said(text)
    said = run(command, copy(command, 0o2745)).err
    require("set-gid" not in said, f"the bit means another thing there (inode(7)): {said}")


def test_file_capabilities(command):
    path = copy(command, 0o755)
    try:  # VFS_CAP_REVISION_2 with cap_net_raw permitted and effective
        os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
    except OSError as error:
        raise Skip(f"no file capability can be set: {error}") from error
    run(command, path).ended(126).silent().said("has file capabilities")


def script(command, line):
    return command.folder().write("script", line, 0o755)


def static(command):
    return command.folder().write("static-tool", without_interpreter(), 0o755)


def test_script_is_judged_by_its_interpreter(command):
    tool = static(command)
    for line in (f"#!{tool}\n", f"#! \t{tool} -x\n", f"#!/usr/bin/env {tool}\n",
                 f"#!/usr/bin/env -S {tool} -x\n", f"#!/usr/bin/env -S A=b {tool}\n"):
        path = script(command, line)
        run(command, path).ended(126).silent().said(f"{path} is run by {tool}, which is linked")


def test_script_through_the_path(command):
    tool = static(command)
    path = script(command, f"#!/usr/bin/env {tool.name}\n")
    command("run", "-p", command.policy(POLICY), path,
            env={"PATH": f"{tool.parent}:{os.environ['PATH']}"}).ended(126).said(
                f"is run by {tool}, which is linked statically")


def test_script_of_a_script(command):
    inner = script(command, f"#!{static(command)}\n")
    run(command, script(command, f"#!{inner}\n")).ended(126).said("is linked statically")


def test_script_of_itself(command):
    folder = command.folder()
    path = folder.write("script", f"#!{folder / 'script'}\n", 0o755)
    run(command, path).ended(126).silent().said("too deep")


def test_script_without_its_interpreter(command):
    for line in ("#!/nowhere/tool\n", "#!\n", "#! \t\n", "#!/usr/bin/env no-such-tool\n",
                 "#!/bin/sh\r\n"):
        run(command, script(command, line)).ended(126).silent().said("is a script w")


def test_set_uid_script_is_no_set_uid_program(command):
    path = script(command, "#!/bin/sh\nexit 7\n")
    path.chmod(0o4755)
    require("set-uid" not in run(command, path).err, "the kernel ignores that bit of a script")


def built(command, source, *libraries):
    """A program of C SOURCE that exports its functions and needs LIBRARIES, made up for it; each
    is the name of one, and those of others before it that it needs in the program's stead."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise Skip("no C compiler")
    folder = command.folder()
    options = ["-rdynamic", "-Wl,--no-as-needed,-rpath," + str(folder.path)]
    for name, *needed in map(str.split, libraries):
        subprocess.run([*compiler.split(), "-shared", "-o", folder / name, f"-Wl,-soname,{name}",
                        options[1], *(folder / one for one in needed),
                        "-x", "c", "/dev/null"], check=True, timeout=120)
        options += [] if any(name in one.split()[1:] for one in libraries) else [folder / name]
    source = folder.write("program.c", source + "int main(void) { return 0; }\n")
    subprocess.run([*compiler.split(), source, "-o", folder / "program", *options], check=True,
                   timeout=120)
    return folder / "program"


def functions(*names):
    return "".join(f"void {name}(void) {{}}\n" for name in names)


# All functions that the hook needs of whichever OpenSSL.
NEEDED = {"SSL_CTX_new", "SSL_CTX_set_ciphersuites", "CRYPTO_get_ex_new_index", "OpenSSL_version_num"}.union(
    *(re.findall(r"X\(\(?TG_KIND_[^;]*?(\w+),[\s\\]*\(", (SOURCE / f"lib{part}.h").read_text("utf-8"))
      for part in ("ssl", "crypto"))) - {"SSL_CTX_set_custom_verify"}


def test_openssl_in_the_executable(command):
    for gone in (None, "CRYPTO_get_ex_new_index", "OpenSSL_version_num", "SSL_get_client_random",
                 "X509_VERIFY_PARAM_set1_host"):
        path = built(command, functions(*(name for name in NEEDED if name != gone), "OSSL_PROVIDER_load",
                                        "OCSP_id_get0_info"))
        for way in ((), ("--provider",)) if gone else ():
            run(command, path, *way).ended(126).silent().said("exports too little for either way")
        if not gone:    # started, what is in it would be called
            command("doctor", path).printed("gets into it: 'trustgraft run'", "'trustgraft run --provider'")


def test_other_tls_library_in_the_executable(command):
    whole = ("SSL_CTX_new", "OpenSSL_version_num", "CRYPTO_get_ex_new_index")
    for names, text in ((["SSL_CTX_set_custom_verify", "SSL_CTX_set_ciphersuites"], "has BoringSSL inside"),
                        ([], "has an OpenSSL older than 1.1.1 inside")):
        path = built(command, functions(*whole, *names))
        for way in ((), ("--provider",)):
            run(command, path, *way).ended(126).silent().said(text, "neither way reaches")
    path = built(command, functions(*NEEDED))
    command("doctor", path).printed("gets into it: 'trustgraft run'")
    run(command, path, "--provider").ended(126).silent().said("has an OpenSSL older than 3 inside", "run --preload")


def test_older_openssl_under_the_provider(command):
    path = built(command, "", "libssl.so.1.1")
    run(command, path, "--provider").ended(126).silent().said("libssl.so.1.1", "run --preload")
    run(command, path).ended(0).quiet()
    path = built(command, "", "libssl.so.0")
    run(command, path, "--provider").ended(126).silent().said("BoringSSL", "run --preload")
    for library in ("libssl.so.1.0.2", "libssl.so.10"):
        path = built(command, "", library)
        for way in ((), ("--provider",)):
            run(command, path, *way).ended(126).silent().said(library[:13], "older than 1.1.1",
                                                              "neither way reaches")


def test_newer_openssl_beside_gnutls(command):
    for ways in ((), ("--provider",)):
        run(command, built(command, "", "libssl.so.4", "libgnutls.so.30"), *ways).ended(0).quiet()
    run(command, built(command, "", "libgnutls.so.30"), "--provider").ended(126).said("GnuTLS")


def test_older_openssl_behind_a_library(command):
    path = built(command, "", "libssl.so.1.1", "libcurl.so.4 libssl.so.1.1")
    run(command, path, "--provider").ended(126).silent().said("libssl.so.1.1", "run --preload")
    run(command, path).ended(0).quiet()


OUTSIDE = "not under the policy"


def test_other_tls_libraries(command):
    for library, name in (("libmbedtls.so.14", "Mbed TLS"), ("libwolfssl.so.42", "wolfSSL"),
                          ("libs2n.so.1", "s2n-tls"), ("librustls.so", "rustls"),
                          ("libjli.so", "Java's JSSE")):
        path = built(command, "", library)
        for way in ((), ("--provider",)):
            run(command, path, *way).ended(126).silent().said(
                f"trustgraft: {path} links {name}", OUTSIDE, "--allow-unreached")
    for reached in ("libssl.so.3", "libgnutls.so.30", "libssl3.so"):
        run(command, built(command, "", "libmbedtls.so.14", reached)).ended(0).quiet()


def test_set_uid_program_that_no_provider_reaches(command):
    path = built(command, "", "libgnutls.so.30")
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    path.chmod(0o4755)
    for way in ((), ("--provider",)):
        said = run(command, path, *way).ended(126).silent().said("is set-uid", "GnuTLS, which loads no providers").err
        require("openssl.cnf" not in said, f"that is no way: {said}")


def test_gnutls_and_nss_are_reached_by_the_preload_alone(command):
    for name, library in (("GnuTLS", "libgnutls.so.30"), ("NSS", "libssl3.so")):
        for path in (built(command, "", library), built(command, "", library, f"libcurl-x.so.4 {library}")):
            run(command, path).ended(0).quiet()
            run(command, path, "--provider").ended(126).silent().said(
                f"{name}, which loads no providers", "run --preload")
    run(command, built(command, "", "libnss3.so")).ended(0).quiet()


def test_other_tls_library_behind_another(command):
    path = built(command, "", "libmbedtls.so.14", "libcurl-mbedtls.so.4 libmbedtls.so.14")
    run(command, path).ended(126).silent().said("links Mbed TLS")


GO = ('__asm__(".pushsection .note.go.buildid,\\"a\\",%note\\n"\n'
      '        ".long 4, 4, 4\\n.ascii \\"Go\\\\0\\\\0\\"\\n.long 0\\n.popsection");\n')


def test_go(command):
    run(command, built(command, GO)).ended(126).silent().said("is written in Go", OUTSIDE)
    run(command, built(command, "")).ended(0).quiet()


def test_tls_library_inside(command):
    for text, name in (("/rustls-0.21.5/src/lib.rs", "rustls"), ("OpenSSL 3.0.15 3 Sep 2024",
                                                                 "OpenSSL 3.0.15")):
        source = f'const char *volatile text = "{text}";\n'
        run(command, built(command, source)).ended(126).silent().said(f"{name} inside", OUTSIDE)
        run(command, built(command, source, "libssl.so.3")).ended(0).quiet()
    run(command, built(command, source, "libcrypto.so.3")).ended(0).quiet()


SERVED = "SSL_CTX_new(TLS_client_method()) == NULL"


def compiled(command, text, name, *options):
    folder, compiler = command.folder(), os.environ.get("CC") or "cc"
    source = folder.write("program.c", "#include <openssl/ssl.h>\n" + text)
    subprocess.run([*compiler.split(), source, "-o", folder / name, "-Wl,--no-as-needed", *options, "-ldl", "-pthread"],
                   check=True, timeout=300)
    return folder / name


def inside(command, *options, calls=""):
    """A program with OpenSSL's static libraries in it, linked with OPTIONS too."""
    return compiled(command, f"int main(void) {{ return {calls}{SERVED}; }}\n", "inside", "-l:libssl.a",
                    "-l:libcrypto.a", *options)


def by_a_library(command, hidden):
    """A program that links a library with OpenSSL in it, HIDDEN or exported, by a path from itself."""
    library = compiled(command, f"int serve(void) {{ return {SERVED}; }}\n", "libserve.so", "-shared", "-fPIC",
                       "-Wl,-soname,$ORIGIN/libserve.so", *(("-Wl,--exclude-libs,ALL",) if hidden else ()),
                       "-l:libssl.a", "-l:libcrypto.a")
    path = compiled(command, "int serve(void);\nint main(void) { return serve(); }\n", "program", library)
    shutil.copy(library, path.parent)
    return path


def test_openssl_inside_that_leaves_its_version_out(command):
    run(command, compiled(command, f"int main(void) {{ return {SERVED}; }}\n", "shared", "-lssl",
                          "-lcrypto")).ended(0).quiet()
    path = inside(command)
    require(b"OpenSSL 3." not in path.read_bytes(), "it has its version")
    for way in ((), ("--provider",)):
        run(command, path, *way).ended(0).quiet()
    subprocess.run(["strip", path], check=True, timeout=120)
    run(command, path).ended(126).silent().said("OpenSSL inside (its .symtab is stripped)", OUTSIDE)
    run(command, path, "--allow-unreached").ended(0).said(OUTSIDE)


def test_openssl_inside_beside_one_that_is_reached(command):
    printing = compiled(command, "", "libprint.so", "-shared", "-fPIC", "-lgnutls")
    for library, refused in ((printing, True), ("-lgnutls", False)):
        path = inside(command, library)
        run(command, path).ended(0).quiet()
        subprocess.run(["strip", path], check=True, timeout=120)
        if refused:
            run(command, path).ended(126).silent().said("OpenSSL inside (its .symtab is stripped)", OUTSIDE)
        else:
            run(command, path).ended(0).quiet()


def test_openssl_inside_that_exports_a_part(command):
    path = inside(command, "-lcurl")
    run(command, path).ended(0).quiet()
    run(command, path, "--provider").ended(126).silent().said("exports a part of the OpenSSL inside", "run --preload")
    subprocess.run(["strip", path], check=True, timeout=120)
    for way in ((), ("--provider",)):
        run(command, path, *way).ended(126).silent().said("exports too little for either way")
    path = inside(command, "-lcurl", calls="OpenSSL_version(0) == 0 || ")   # so libcurl has its number exported, too
    subprocess.run(["strip", path], check=True, timeout=120)
    run(command, path).ended(0).quiet()
    run(command, path, "--provider").ended(126).silent().said("exports a part of the OpenSSL inside", "run --preload")


def test_openssl_inside_a_library(command):
    run(command, by_a_library(command, True)).ended(126).silent().said(
        "libserve.so, which seems to have OpenSSL inside", OUTSIDE)
    run(command, by_a_library(command, False)).ended(1).said("it has no OpenSSL_version_num")


def test_unreached_is_allowed(command):
    for path in (built(command, "", "libmbedtls.so.14"), built(command, GO)):
        for way in ((), ("--provider",)):
            run(command, path, "--allow-unreached", *way).ended(0).said(OUTSIDE)
    run(command, built(command, ""), "--allow-unreached").ended(0).quiet()


def test_helper_of_git_is_judged(command):
    tool, harmless = built(command, "", "libmbedtls.so.14"), built(command, "", "libssl.so.3")
    for helper, status in ((tool, 126), (harmless, 0)):
        folder = command.folder()
        git = folder.write("bin/git", bytes(image()), 0o755)
        folder.path.joinpath("lib/git-core").mkdir(parents=True)
        folder.path.joinpath("lib/git-core/git-remote-https").symlink_to(helper)
        run(command, git).ended(status)
        found = command("doctor", "-p", command.policy(POLICY), git).out
        require(("links Mbed TLS" in found) == (status == 126), found)
        folder.path.joinpath("lib/git-core/git-remote-https").unlink()
        run(command, git).ended(0).quiet()
    run(command, git).ended(0).quiet()
    command("run", "-p", command.policy(POLICY), git,
            env={"GIT_EXEC_PATH": folder.write("elsewhere/x", "").parent}).ended(0).quiet()


def test_launched_command_is_judged(command):
    tool = built(command, "", "libmbedtls.so.14")
    harmless = built(command, "")
    for words in (("env", "A=b", "{}"), ("timeout", "-k", "5", "5", "{}"), ("nice", "-n", "1", "{}"),
                  ("sh", "-c", "{}"), ("sh", "-ec", "A=1; cd / && exec \"{}\" -x"),
                  ("bash", "-c", "if true; then {}; fi"), ("env", "sh", "-c", "false || {} $x"),
                  ("sh", "-c", "timeout 5 {}"), ("sh", "-c", "sh -c '{}; true'"), ("env", "-S", "A=b {} -x"),
                  ("bash", "-o", "pipefail", "-c", "{}"), ("bash", "-eo", "pipefail", "-c", "{}"),
                  ("sh", "-c", "--", "{}"), ("sh", "-c", ">/dev/null 2> /dev/null {}"),
                  ("bash", "-c", "exec -a x {}"), ("flock", "/dev/null", "{}")):
        for program, status in ((tool, 126), (harmless, 0)):
            command("run", "-p", command.policy(POLICY), "--",
                    *(word.format(program) for word in words)).ended(status)
    command("run", "-p", command.policy(POLICY), "env", tool).said(
        f"starts {tool}, which links Mbed TLS")
    # what is no command, or none that can be told
    for text in ("echo {}", "echo 'a; {}'", "true # {}", "sh -c 'echo {}'", "echo x >/dev/null {}",
                 "true sh -c {}"):
        command("run", "-p", command.policy(POLICY), "sh", "-c", text.format(tool)).ended(0).quiet()
    # nor can this one: but it is told when it runs
    command("run", "-p", command.policy(POLICY), "sh", "-c", f"x=$(echo {tool}); $x").ended(0).said(
        f"{tool}[", "links Mbed TLS", OUTSIDE)


def test_busybox_is_judged_by_its_command(command):
    tool, folder = built(command, "", "libmbedtls.so.14"), command.folder()
    busybox = folder.write("busybox", pathlib.Path(built(command, "")).read_bytes(), 0o755)
    for name in ("wget", "ls", "env"):
        folder.path.joinpath(name).symlink_to(busybox)
    for words, status in (((busybox, "wget"), 126), ((folder.path / "wget",), 126), ((busybox, "ls"), 0),
                          ((folder.path / "ls", "wget"), 0), ((busybox, "sh", "-c", tool), 126),
                          ((busybox, "env", tool), 126), (("env", busybox, "ssl_client"), 126), ((busybox,), 0)):
        command("run", "-p", command.policy(POLICY), "--", *words).ended(status)
    command("run", "-p", command.policy(POLICY), busybox, "wget").said("BusyBox's", OUTSIDE)


def test_wrapper_of_the_shell_is_judged(command):
    tool = built(command, "", "libmbedtls.so.14")
    for text, status in ((f"#!/bin/sh\nexec {tool} \"$@\"\n", 126),
                         (f"#!/bin/sh\nexec timeout 5 {tool} \"$@\"\n", 126),
                         (f"#!/bin/sh\nD={tool.parent}\nP=\"$D/\"program\nexec ${{P}} $UNKNOWN \"$@\"\n", 126),
                         (f"#!/bin/sh\nD={tool.parent}\nexec $D/program $UNKNOWN\n", 126),
                         (f"#!/bin/sh\nD={tool.parent}\nif true; then D=/usr; fi\nexec $D/bin/true\n", 0),
                         (f"#!/bin/sh\nD=/usr/bin\nif false; then D={tool.parent}; fi\nexec $D/true\n", 0),
                         (f"#!/bin/sh\nP={tool}\nP=$(echo true)\nexec $P\n", 0),
                         (f"#!/bin/sh\nP={tool}\nexec true '$P' ${{P:-x}}\n", 0),
                         (f"#!/bin/sh\nif false; then {tool}; fi\n", 0)):
        path = script(command, text)
        run(command, path).ended(status)
        command("run", "-p", command.policy(POLICY), "sh", path).ended(status)


def test_program_that_cannot_be_read(command):
    if os.geteuid() == 0:
        raise Skip("root can read all")
    path = command.folder().write("program", bytes(image()), 0o111)
    run(command, path).ended(0).said("can't be read")
