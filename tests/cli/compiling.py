"""trustgraft compile."""
import os
import re
import subprocess

from cli.checking import GOOD
from e2e.harness import require

PIN = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def is_used(command, policy):
    return command("explain", "--json", "-p", policy, "api.test").object()["compiled"]


def test_image_beside_the_policy(command):
    policy = command.policy(GOOD)
    command("compile", policy).ended(0).quiet().printed(f"{policy}.compiled: 1 rule, 1 exception, ")
    require(is_used(command, policy), "it is not used")
    command("explain", "-p", policy, "api.test").ended(0).printed("policy.conf.compiled, which is fresh")
    one = command("compile", "--json", "-p", policy).ended(0).quiet().object()
    require((one["file"], one["image"], one["rules"], one["exceptions"], one["hosts"])
            == (str(policy), f"{policy}.compiled", 1, 1, 0), one)
    require(one["size"] == os.stat(one["image"]).st_size, one)


def test_rules_are_named_as_the_text_names_them(command):
    folder = command.folder()
    folder.write("rules/more.conf", f"[host b.test]\nanchors = {command.pki}/root.pem\n")
    folder.write("policy.conf", "[policy]\ninclude = rules/*.conf\n" + GOOD.replace("{pki}", str(command.pki)))
    for path in ("policy.conf", folder / "policy.conf"):
        for host, place in (("api.test", f"{path}:"), ("b.test", f"{path}".replace("policy.conf", "rules/more.conf:1"))):
            told = {}
            for compiled in (False, True):
                (folder / "policy.conf.compiled").unlink(missing_ok=True)
                if compiled:
                    command("compile", "policy.conf", cwd=folder.path).ended(0)
                told[compiled] = command("explain", "-p", path, host, cwd=folder.path).ended(0).printed(place).out
            require("which is fresh" in told[True], told[True])
            same = re.sub(r"\n[^\n]*, which is fresh[^\n]*", "", told[True])
            require(same == told[False], f"{told[True]}\n{told[False]}")


def test_image_of_known_hosts(command):
    folder = command.folder()
    known = folder.write("known", f"a.test {PIN}\nb.test {PIN}\n")
    policy = folder.write("policy.conf", f"[host a.test]\nknown-hosts = {known}\n")
    result = command("compile", policy).ended(0).quiet()
    result.printed(f"{known}.compiled: 2 known hosts, ")
    folder.write("known", "a.test nonsense\n")
    command("compile", policy).ended(1).said(f"{known}:1:8")


def test_policy_with_errors_has_no_image(command):
    two = "[host a.test]\naction = reject\n[host b.test]\n[host a.test]\nstrict = yes\n"
    twice = "[exception a]\nhost = a.test\ncertificate = sha256:%s\nfindings = certificate-expired\n" % ("00" * 32)
    for text, place in (("[host a.test]\nnonsense = 1\n", ":2:1"), (two, ":4:"), (twice + twice, ":5:"),
                        ("[host a.test]\nprofile = p\n", ":2:11"), ("a = b\n", ":1:1"),
                        ("[hots a.test]\n", ":1:2")):
        policy = command.policy(text)
        command("compile", policy).ended(1).said(f"{policy}{place}", "error")
        require(not os.path.exists(f"{policy}.compiled"), "there is an image")
    command("compile", f"{policy}.missing").ended(2)


def test_check_tells_whether_it_is_fresh(command):
    policy = command.policy(GOOD)
    command("compile", policy).ended(0)
    command("check", policy).ended(0).printed(f"{policy}.compiled is fresh")
    last = command("check", "--json", policy).ended(0).objects()[-1]
    require((last["severity"], last["fresh"]) == ("note", True), last)
    with open(policy, "a", encoding="utf-8") as file:
        file.write("# changed\n")
    command("check", policy).ended(0).printed("isn't used: it is stale: ", "policy.conf: its size")
    last = command("check", "--json", policy).ended(0).objects()[-1]
    require((last["severity"], last["fresh"]) == ("warning", False), last)
    command("explain", "-p", policy, "api.test").ended(0).said("is stale")
    require(not is_used(command, policy), "it is used")
    command("doctor", "-p", policy).printed("is stale", "trustgraft compile")


def test_folder_that_it_would_change_itself(command):
    folder = command.folder()
    folder.write("more.rules", "[host a.test]\n")
    policy = folder.write("policy.conf", "[policy]\ninclude = *.rules\n")
    command("compile", policy).ended(2).said("stale as soon as it was there")


def test_image_that_has_no_room(command):
    """What was there stays, and nothing is left beside it."""
    folder = command.folder()
    hosts = [f"h{number}.test" for number in range(9000)]
    known = folder.write("known", "".join(f"{host} {PIN}\n" for host in hosts))
    policy = folder.write("policy.conf", "[host a.test]\n")
    command("compile", policy).ended(0).quiet()
    for text, image in (("".join(f"[host {host}]\naction = reject\n" for host in hosts), policy),
                        (f"[host a.test]\nknown-hosts = {known}\n", known)):
        folder.write("policy.conf", text)
        script = f"ulimit -f 200; exec '{command.program}' compile '{policy}'"
        done = subprocess.run(["/bin/sh", "-c", script], env=command.environment(), capture_output=True, text=True,
                              timeout=60, check=False)
        require(done.returncode == 2 and f"{image}.compiled: can't be written: File too large" in done.stderr, done)
        require(sorted(os.listdir(folder.path)) == ["known", "policy.conf", "policy.conf.compiled"], os.listdir(folder.path))


def test_image_of_all_known_hosts_or_none(command):
    """A line that there is no memory for, of a file with a hole in it, doesn't end the file."""
    folder = command.folder()
    known = folder.write("known", f"a.test {PIN}\n")
    policy = folder.write("policy.conf", f"[host a.test]\nknown-hosts = {known}\n")
    os.truncate(known, 1 << 30)
    script = f"ulimit -v 400000; exec '{command.program}' compile '{policy}'"
    command("-c", script, program="/bin/sh").ended(2).said(f"{known}.compiled: memory ran out")
    require(not (folder / "known.compiled").exists(), "an image of a part")
