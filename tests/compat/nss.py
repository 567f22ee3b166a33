"""nss.py - other systems' tstclnt, NSS's own client, which trusts what a database of its own holds."""
import dataclasses
import re

from compat import gnutls, place
from lab import clients

REFUSAL = re.compile(r"SEC_ERROR_(?!READ_ONLY)|SSL_ERROR_|SSL peer certificate")
# FOLDER CAFILE WORD...: FOLDER has NSS's programs.
SCRIPT = """folder=$(mktemp -d) database=sql:$folder
printf 'GET /hello HTTP/1.0\\r\\n\\r\\n' >"$folder/request"
"$0/certutil" -N -d "$database" --empty-password
test -z "$1" || "$0/certutil" -A -d "$database" -n ca -t C,, -i "$1"
shift
exec "$0/tstclnt" -d "$database" -A "$folder/request" "$@"
"""


def command(folder):
    def words(target):
        return ["sh", "-ec", SCRIPT, str(folder), target.cafile or "", "-4", "-b", "-h", target.host,
                "-p", str(target.port), *gnutls.flag(target.insecure, "-o")]
    return words


def judge(_, out, err):
    if "hello from" in out:
        return "accept", None
    return ("refuse" if REFUSAL.search(out + err) else "error"), None


PROGRAM = clients.Program("tstclnt", "tstclnt", command("/usr/bin"), judge)


def inside(suite):
    return lambda lab, store: place.inside(lab, store.debian(suite), PROGRAM)


def beside(suite):
    def there(lab, store):
        root = store.debian(suite)
        found = gnutls.with_hosts(root, place.beside(root, PROGRAM))
        program = dataclasses.replace(found.program, command=command(root / "usr/bin"))
        return dataclasses.replace(found, program=program)
    return there
