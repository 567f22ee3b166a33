"""goals.py - what trustgraft may cost, and whether what was measured keeps to it."""
from collections import namedtuple

PRELOAD = ("preload, no policy", "preload, policy for other hosts", "preload, anchors and pins")
PROVIDER = tuple(case.replace("preload", "provider") for case in PRELOAD)
RULE = (PRELOAD[2], PROVIDER[2])
IN_FORCE = PRELOAD[1:]  # without a policy nothing is done for the program, either
INERT = (*PRELOAD[:2], *PROVIDER[:2])
MILLION = "1,000,000 rules, compiled"
MILLION_HOSTS = "1,000,000 known hosts, compiled"


def both_ways(what):
    return (f"preload, {what}", f"provider, {what}")


# The dearest of the CASES of the BENCHES counts: FIELD of their METRIC has to be at most LIMIT.
# README: how README.md tells of it, where it does.
Goal = namedtuple("Goal", "title limit benches cases metric field readme",
                  defaults=["ratio", ""])

GOALS = (
    Goal("curl, one request, preload: instructions of bare", 0.17, ("curl",), IN_FORCE, "insn"),
    Goal("curl, one request, preload: time of bare", 0.33, ("curl",), IN_FORCE, "wall",
         readme="one request of curl with Debian's bundle of CAs, preload"),
    Goal("curl, one request, preload: time of --cacert ONE --pinnedpubkey", 1.10,
         ("curl-pinned",), PRELOAD[2:], "wall",
         readme="the same, to curl with one CA and `--pinnedpubkey`"),
    Goal("curl, one request, provider: instructions of bare", 1.01, ("curl",), PROVIDER, "insn"),
    Goal("nginx -t, 100 locations with a bundle, preload: time of bare", 0.10, ("nginx",), IN_FORCE, "wall",
         readme="`nginx -t` where 100 locations name the bundle, preload"),
    Goal("1,000,000 rules, to the first verdict: time of one rule", 1.05, ("rules",), (MILLION,), "wall",
         readme="start and first verdict with 1,000,000 rules, compiled, to one rule"),
    Goal("1,000,000 rules: MiB of a process's own, over one rule", 1.5, ("shared",), (MILLION,),
         "memory", "own_mib",
         readme="MiB of memory of its own that each process needs for them"),
    Goal("1,000,000 known hosts, to the first verdict: time of one", 1.05, ("known-hosts",),
         (MILLION_HOSTS,), "wall",
         readme="start and first verdict with 1,000,000 known hosts, compiled, to one"),
    Goal("handshake, certificate never met before: CPU of bare", 1.02, ("handshake-fresh",), RULE, "cpu",
         readme="a client's handshake, certificate never met before, with a rule"),
    Goal("handshake, server met before: CPU of bare", 0.80, ("handshake-again",), RULE, "cpu",
         readme="a client's handshake, server met before, with a rule"),
    Goal("handshake, no policy or no rule: CPU of bare", 1.01, ("handshake-again",), INERT, "cpu",
         readme="a client's handshake, with no rule for the host"),
    Goal("GnuTLS, handshake, server met before: CPU of bare", 1.00, ("gnutls",), PRELOAD[2:], "cpu"),
    Goal("GnuTLS, handshake, no policy or no rule: CPU of bare", 1.01, ("gnutls",), PRELOAD[:2], "cpu"),
    Goal("wget, one request: time of bare", 1.05, ("wget",), PRELOAD, "wall"),
    Goal("JSON line of every verdict: CPU of the same rule", 1.03, ("log-again", "log-fresh"),
         both_ways("a line of JSON in a file"), "cpu"),
    Goal("CRL of 100,000 entries: CPU of the same rule", 1.05, ("crl-again", "crl-fresh"),
         both_ways("a CRL of 100,000 entries"), "cpu"),
    Goal("4,000 descriptors beside: CPU of the same rule", 1.02, ("descriptors",),
         tuple(case for title in ("anchors and pins", "policy for other hosts")
               for case in both_ways(f"{title}, 4000 descriptors")), "cpu"),
    Goal("start of /bin/true, preload: CPU of an empty library's", 1.15, ("start",),
         ("trustgraft preloaded", "trustgraft preloaded, under a policy"), "cpu"),
)


def target(bench, case, metric):
    """The limit that this figure is to keep to, or None."""
    for goal in GOALS:
        if bench in goal.benches and case in goal.cases and metric == goal.metric:
            return goal.limit
    return None


def measured(goal, rows):
    """(the figure that counts, '') or (None, why there is none), from ROWS of bench.json."""
    seen = {(row["bench"], row["case"]): row for row in rows
            if row["bench"] in goal.benches and row.get("metric") == goal.metric}
    failed = [row["why"] for row in rows if row["bench"] in ("failed", "lacking") and
              goal.benches[0].startswith(row["case"])]
    figures = []
    for name in ((bench, case) for bench in goal.benches for case in goal.cases):
        row = seen.get(name, {})
        if row.get(goal.field) is None:
            why = row.get("why") or (failed[0] if failed else f"{name[0]} was left out")
            return None, why
        figures.append(row[goal.field])
    return max(figures), ""


def judge(rows):
    """A row of bench.json for each goal: what was wanted, what was measured, and how it compares."""
    for goal in GOALS:
        figure, why = measured(goal, rows)
        state = "not measured" if figure is None else "met" if figure <= goal.limit else "missed"
        yield {"bench": "goal", "case": goal.title, "metric": goal.metric, "goal": goal.limit,
               "measured": figure, "state": state, "why": why}


def conclude(report):
    """The table at the end."""
    report.title("Goals: at most so much of what stands behind the colon")
    print(f"  {'':66} {'goal':>6} {'measured':>9}")
    for row in list(judge(report.rows)):
        figure = "-" if row["measured"] is None else f"{row['measured']:.3f}"
        said = f": {row['why']}" if row["why"] else ""
        print(f"  {row['case']:66} {row['goal']:6.2f} {figure:>9}  {row['state']}{said}", flush=True)
        report.write(**row)
