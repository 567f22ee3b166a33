"""sources.py - where the policy comes from, and where it never comes from."""
import shutil

from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import clients, ways
from lab.files import put

SERVERS = ("api",)
REJECT = "[host api.example.test]\naction = reject\n"
ALLOW = "[host api.example.test]\nstrict = no\n"


def start(_):
    """Nothing but the leaves' servers is needed."""


def home_with(lab, way, name, **files):
    """A fresh directory with FILES, each a policy's text under a path with / for __."""
    home = lab.scratch / f"{name}-{way}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o755)
    for path, text in files.items():
        put(home / path.replace("__", "/").replace("_conf", ".conf"), text)
    return home


def curl(lab, way, environment, **options):
    program = clients.PROGRAMS["curl"]
    extra = ways.by_environment(lab.build, way) | environment
    return lab.judge(program, *lab.run(program.command(lab.target("api", app="root")),
                                       environment=extra, **options)).verdict


def environment_first(lab, way):
    home = home_with(lab, way, "first", xdg__trustgraft__policy_conf=REJECT, named_conf=ALLOW)
    there = {"XDG_CONFIG_HOME": str(home / "xdg")}
    require(curl(lab, way, there) == "refuse", "the user's policy did not apply")
    named = there | {"TRUSTGRAFT_POLICY": str(home / "named.conf")}
    require(curl(lab, way, named) == "accept", "TRUSTGRAFT_POLICY did not come first")


def dot_config(lab, way):
    home = home_with(lab, way, "dot", _config__trustgraft__policy_conf=REJECT)
    require(curl(lab, way, {"HOME": str(home)}) == "refuse", "~/.config did not apply")
    require(curl(lab, way, {"HOME": str(home / "empty")}) == "accept", "a policy out of nowhere")


def never_the_working_directory(lab, way):
    home = home_with(lab, way, "cwd", policy_conf=REJECT, trustgraft__policy_conf=REJECT,
                     trustgraft_conf=REJECT)
    require(curl(lab, way, {}, cwd=home) == "accept", "a policy of the working directory applied")


def users_policy_that_is_broken(lab, way):
    """Present but invalid is not absent."""
    home = home_with(lab, way, "broken", xdg__trustgraft__policy_conf="[host\n")
    require(curl(lab, way, {"XDG_CONFIG_HOME": str(home / "xdg")}) == "refuse", "was ignored")


def provider_setting(lab, _):
    """The provider's own `policy` comes before the user's, after the environment."""
    home = home_with(lab, "provider", "setting", xdg__trustgraft__policy_conf=ALLOW,
                     set_conf=REJECT, named_conf=ALLOW)
    text = lab.build.openssl_cnf.read_text()
    module = f"module = {lab.build.module}"
    if module not in text:
        raise Skip("build/openssl.cnf does not name the module as `module = PATH`")
    (home / "openssl.cnf").write_text(text.replace(module, f"{module}\npolicy = {home}/set.conf"))
    there = {"OPENSSL_CONF": str(home / "openssl.cnf")}
    require(curl(lab, ways.PROVIDER, there) == "refuse", "the setting did not apply")
    user = there | {"XDG_CONFIG_HOME": str(home / "xdg")}
    require(curl(lab, ways.PROVIDER, user) == "refuse", "the user's policy came before it")
    named = there | {"TRUSTGRAFT_POLICY": str(home / "named.conf")}
    require(curl(lab, ways.PROVIDER, named) == "accept", "the environment did not come before it")


def both_ways_at_once(lab, _):
    """Preloaded and by the provider: one evaluation, one log line."""
    good = lab.policy("[host api.example.test]\nanchors = {root}")
    bad = lab.policy("[host api.example.test]\nanchors = {other-root}")
    program = clients.PROGRAMS["curl"]
    both = ways.by_environment(lab.build, ways.PRELOAD) | ways.by_environment(lab.build,
                                                                             ways.PROVIDER)
    for policy, wanted in ((good, "accept"), (bad, "refuse")):
        got = lab.judge(program, *lab.run(program.command(lab.target("api")), environment=both | {
            "TRUSTGRAFT_POLICY": str(policy)}))
        require(got.verdict == wanted, got.said)
        require(len(got.log) == (wanted == "refuse"), f"{len(got.log)} log lines: {got.stderr}")


def tests():
    yield from in_both_ways("source: the environment first", environment_first)
    yield from in_both_ways("source: ~/.config", dot_config)
    yield from in_both_ways("source: never the working directory", never_the_working_directory)
    yield from in_both_ways("source: the user's, broken", users_policy_that_is_broken)
    yield "source: the provider's setting [provider]", lambda lab: provider_setting(lab, None)
    yield "source: both ways in at once", lambda lab: both_ways_at_once(lab, None)
