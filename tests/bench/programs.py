"""programs.py - whole processes of real programs: start, one request, a server's start."""
import os
import shutil
import subprocess
from collections import namedtuple

from goals import target
from measure import Failed, Missing, Run, cheapest_run, counted, instructions, take_turns

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "h0.bench.test"
PYTHON = "/usr/bin/python3"
LOCATIONS, COUNTED_LOCATIONS = 100, 10
NGINX = """error_log {dir}/nginx.log; pid {dir}/nginx.pid; events {{ }}
http {{ access_log off; {temporary}
server {{ listen unix:{dir}/nginx.sock;
{locations}}} }}
"""
LOCATION = ("location /{n} {{ proxy_pass https://127.0.0.1:9; proxy_ssl_verify on; "
            "proxy_ssl_trusted_certificate {bundle}; }}\n")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

# How often: processes whose cheapest counts, and rounds.
Often = namedtuple("Often", "runs rounds")
PAIRED_QUICK, PAIRED = Often(1, 50), Often(2, 150)

# argv(place, port, bundle) and environment(bundle) of one request; how often, quickly and fully.
Client = namedtuple("Client", "title program argv environment quick full")


def bench_processes(report, bench, runs, often):
    """Time and CPU of RUNS, against the first of them."""
    values = take_turns({run.name: lambda run=run: cheapest_run(run, often.runs) for run in runs},
                        often.rounds)
    base = values[runs[0].name]
    for run in runs:
        for index, metric in enumerate(("cpu", "wall")):
            report.add(bench, run.name, metric, [v[index] for v in values[run.name]],
                       [b[index] for b in base], "us", target(bench, run.name, metric))


def bench_instructions(report, bench, runs):
    try:
        counts = counted(instructions, runs)
    except Missing as why:
        report.lacks(bench, [run.name for run in runs], ["insn"], str(why))
        return
    for run, number in zip(runs, counts):
        report.add(bench, run.name, "insn", [number], [counts[0]], "",
                   target(bench, run.name, "insn"))


def bench_start(report, place, quick):
    report.title("Start of a program without TLS (/bin/true), to an empty preloaded library")
    cases = [("empty preloaded library", place.preloading(place.empty)),
             ("empty again", place.preloading(place.empty)),
             ("no preloaded library", place.bare()),
             ("trustgraft preloaded", place.preload()),
             ("trustgraft preloaded, under a policy", place.preload("rule"))]
    runs = [Run(name, ["/bin/true"], env) for name, env in cases]
    bench_processes(report, "start", runs, Often(5, 20 if quick else 120))
    bench_instructions(report, "start", runs)


def ways(place):
    """[(name, environment)] of what each program is run in."""
    return [("bare", place.bare()), ("bare again", place.bare()),
            ("preload, no policy", place.preload()),
            ("preload, policy for other hosts", place.preload("other")),
            ("preload, anchors and pins", place.preload("rule")),
            ("provider, no policy", place.provider()),
            ("provider, policy for other hosts", place.provider("other")),
            ("provider, anchors and pins", place.provider("rule"))]


def curl_argv(place, port, bundle):
    return [place.curl, "-sS", "-o", "/dev/null", "--cacert", bundle, "--resolve",
            f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/"]


def php_argv(script):
    return lambda _, port, bundle: [shutil.which("php"), f"{HERE}/{script}", str(port), bundle]


def no_environment(_):
    return {}


CLIENTS = {
    "curl": Client("One request of curl", "curl", curl_argv, no_environment, Often(3, 5), Often(3, 25)),
    "python": Client("One request of Python's requests", PYTHON,
                     lambda _, port, bundle: [PYTHON, f"{HERE}/request.py", f"https://{HOST}:{port}/"],
                     lambda bundle: {"REQUESTS_CA_BUNDLE": bundle}, Often(1, 4), Often(2, 15)),
    "php": Client("One request of PHP's https:// stream", "php", php_argv("streams.php"),
                  no_environment, Often(2, 4), Often(3, 15)),
    "php-curl": Client("One request of PHP's curl", "php", php_argv("curl.php"), no_environment,
                       Often(2, 3), Often(3, 15)),
}
LIKE = {  # what a client's program needs besides itself: a command that fails without it
    "python": [PYTHON, "-c", "import requests"],
    "php-curl": ["php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"],
}


def must_have(name, program):
    """Raises Missing where PROGRAM, or what it needs for the bench NAME, isn't here."""
    if not shutil.which(program):
        raise Missing(f"there is no {program}")
    check = LIKE.get(name)
    if check and subprocess.run(check, capture_output=True, check=False).returncode:
        raise Missing(f"it fails here: {' '.join(check)}")


def bench_client(name):
    """The bench of CLIENTS[NAME]."""
    client = CLIENTS[name]

    def bench(report, place, quick):
        must_have(name, client.program)
        report.title(f"{client.title} on loopback, with the system's bundle of CAs and one more")
        with place.server() as port:
            bundle = client.argv(place, port, place.bundle)
            more = client.environment(place.bundle)
            place.must_refuse(bundle, more=more)
            runs = [Run(case, bundle, {**env, **more}) for case, env in ways(place)]
            runs += alone(client, place, port)
            bench_processes(report, name, runs, client.quick if quick else client.full)
            if quick and name != "curl":
                report.lacks(name, [run.name for run in runs], ["insn"], "too long for --quick")
            else:
                bench_instructions(report, name, runs)
            if name == "curl":
                against_one(report, runs, PAIRED_QUICK if quick else PAIRED)
    return bench


def alone(client, place, port):
    """The same with one CA instead of the bundle: the least that any way could take."""
    argv, env = client.argv(place, port, place.root), {**place.bare(), **client.environment(place.root)}
    yield Run("bare, one CA instead of the bundle", argv, env)
    if client is CLIENTS["curl"]:
        yield Run("bare, one CA and --pinnedpubkey",
                  [*argv[:-1], "--pinnedpubkey", place.pin("leaf").replace("/", "//", 1), argv[-1]], env)


def against_one(report, runs, often):
    """Near 1 the machine's noise counts: many short rounds of few cases."""
    named = {run.name: run for run in runs}
    report.title("The same, to curl with one CA and --pinnedpubkey")
    paired = [named[case] for case in ("bare, one CA and --pinnedpubkey", "bare, one CA instead of the bundle",
                                       "preload, anchors and pins", "provider, anchors and pins")]
    bench_processes(report, "curl-pinned", paired, often)
    bench_instructions(report, "curl-pinned", paired)


def nginx_argv(place, name, locations, bundle):
    """A command that reads a configuration with so many LOCATIONS, each with its BUNDLE."""
    path = f"{place.scratch}/nginx-{name}.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(NGINX.format(
            dir=place.scratch,
            temporary=" ".join(f"{part}_temp_path {place.scratch}/{part};" for part in TEMPORARY),
            locations="".join(LOCATION.format(n=n, bundle=bundle) for n in range(locations))))
    return [shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), "-t", "-q", "-c", path]


def must_load(argv, place):
    """No verdict tells that trustgraft is at work in nginx; the linker does."""
    for env in (place.preload("rule"), place.provider("rule")):
        done = subprocess.run(argv, env={**env, "LD_DEBUG": "files"}, capture_output=True, text=True,
                              errors="replace", check=False)
        if done.returncode or "libtrustgraft.so" not in done.stderr:
            raise Failed(f"nginx doesn't load trustgraft: {done.stderr[-300:]}")


def bench_nginx(report, place, quick):
    must_have("nginx", shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx")

    def runs(name, locations):
        argv = nginx_argv(place, name, locations, place.bundle)
        one = nginx_argv(place, f"{name}-one", locations, place.root)
        cases = [(case, env) for case, env in ways(place)
                 if not quick or case == "bare" or case.startswith("preload")]
        return ([Run(case, argv, env) for case, env in cases] +
                [Run("bare, one CA instead of the bundle", one, place.bare())])
    must_load(nginx_argv(place, "few", 1, place.root), place)
    report.title(f"nginx -t with {LOCATIONS} locations that name the system's bundle of CAs")
    bench_processes(report, "nginx", runs("all", LOCATIONS), Often(1, 1 if quick else 3))
    if quick:
        return
    report.title(f"nginx -t with {COUNTED_LOCATIONS} such locations: callgrind takes minutes for {LOCATIONS}")
    bench_instructions(report, "nginx-few",
                       [run for run in runs("counted", COUNTED_LOCATIONS)
                        if "policy" not in run.name and "again" not in run.name])
