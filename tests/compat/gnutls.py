"""gnutls.py - other systems' programs that use GnuTLS, and Debian 13's apt, which no longer does."""
import dataclasses
import re

from compat import place
from lab import clients

REFUSAL = re.compile(r"(?i)(certificate|server) verification failed|error in the certificate|certificate verify failed|"
                     r"certificate of .* is not trusted|certificate's owner does not match|"
                     r"does not match (target )?host ?name|certificate subject name")
APT = ("-qq", "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=0", "-o", "Dir::Etc::SourceParts=/dev/null",
       "-o", "Dir::Etc::SourceList=/tmp/sources", "-o", "Dir::State=/tmp", "-o", "Dir::State::status=/dev/null",
       "-o", "Dir::Cache=/tmp", "-o", "APT::System=Debian dpkg interface", "-o", "Acquire::https::Proxy=DIRECT")


def flag(condition, *words):
    return list(words) if condition else []


def wget(target):
    return ["wget", "--no-proxy", "--no-config", "--no-hsts", "-nv", "--tries=1", "-O-",
            *flag(target.cafile, f"--ca-certificate={target.cafile}"), *flag(target.insecure, "--no-check-certificate"),
            f"https://{target.authority}/hello"]


def git(target):
    return ["git", "-c", "http.proxy=", *flag(target.cafile, "-c", f"http.sslCAInfo={target.cafile}"),
            *flag(target.insecure, "-c", "http.sslVerify=false"), "ls-remote", f"https://{target.authority}/nothing"]


def apt_get(target):
    source = f"deb [trusted=yes] https://{target.authority}/ ./"
    settings = [*flag(target.cafile, f"Acquire::https::CAInfo={target.cafile}"),
                *flag(target.insecure, "Acquire::https::Verify-Peer=false", "Acquire::https::Verify-Host=false")]
    words = ["apt-get", *APT, *(word for one in settings for word in ("-o", one)), "update"]
    return ["sh", "-c", f'echo "{source}" >/tmp/sources; exec "$@"', "-", *words]


def judge(accepted):
    def verdict(_, out, err):
        if re.search(accepted, out + err):
            return "accept", None
        return ("refuse" if REFUSAL.search(out + err) else "error"), None
    return verdict


# What the server has is neither a repository of git's nor of apt's, and they say so.
PROGRAMS = {program.name: program for program in (
    clients.Program("wget", "wget", wget, judge("hello from")),
    clients.Program("git", "git", git, judge("' not found|not valid: is this a git")),
    clients.Program("apt-get", "apt-get", apt_get, judge("NODATA")),
)}


def inside(suite, program):
    return lambda lab, store: place.inside(lab, store.debian(suite), PROGRAMS[program])


def with_hosts(root, found):
    """FOUND with ROOT's file of hosts, which has the test's names."""
    if not place.may_mount():
        raise place.Missing(place.ROOT)
    return dataclasses.replace(found, prefix=(
        "unshare", "-m", "--propagation", "private", "sh", "-ec",
        f'mount --bind "{root}/etc/hosts" /etc/hosts; exec "$@"', "-"))


def beside(suite, program):
    def there(_, store):
        root = store.debian(suite)
        return with_hosts(root, place.beside(root, PROGRAMS[program]))
    return there
