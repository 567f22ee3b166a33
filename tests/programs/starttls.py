"""starttls.py - `explain --connect --starttls` of each protocol, against real servers."""
import functools

from programs import services
from programs.program import HOST

REAL = {                                    # protocol: (server, the program that it needs)
    "postgres": (services.postgres, "postgres"),
    "mysql": (services.mariadb, "mariadbd"),
    **{one: (functools.partial(services.dovecot, one), "dovecot")
       for one in ("imap", "pop3", "lmtp", "sieve")},
    "xmpp": (functools.partial(services.prosody, "c2s"), "prosody"),
    "xmpp-server": (functools.partial(services.prosody, "s2s"), "prosody"),
}
LEAVES = {"localhost": 0, "localhost-other": 1}    # and the exit status for each


def missing(protocol):
    program = REAL[protocol][1]
    return "" if services.find(program) != program else program


def wrong(trial, protocol):
    """What `explain` says amiss of PROTOCOL's server, or ''."""
    policy = trial.lab.policy(f"[host {HOST}]\nanchors = {{root}}\n")
    for leaf, wanted in LEAVES.items():
        port = trial.port(REAL[protocol][0], leaf)
        status, out, err = trial.lab.run(
            [str(trial.lab.build.command), "explain", "--connect", "--starttls", protocol, "-p",
             str(policy), f"{HOST}:{port}"])
        if status != wanted or f"{HOST}:{port}" not in out:
            return f"{leaf}: exit {status}, wanted {wanted}: {out}{err}"
    return ""
