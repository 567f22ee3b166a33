"""scenario.py - one server under one policy: what is expected bare and under trustgraft."""
import dataclasses
import datetime

from lab import clients, ways

ACCEPT, REFUSE = "accept", "refuse"


def moment(days):
    """The RFC 3339 time that is DAYS from now."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days)
    return when.strftime("%Y-%m-%dT00:00:00Z")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """
    POLICY is a whole policy, or the keys of the rule for the host; {port} is the server's, and
    {past} and {future} are times at which `expired` and `not-yet-valid` are valid, {yesterday}
    and {tomorrow} what they say, the latter its end: no midnight comes between.
    """
    title: str
    server: str                 # a leaf of the test PKI, or another running server
    policy: str
    bare: str                   # what an application without trustgraft does
    under: str                  # what it does under the policy
    finding: str = ""           # what the log has to name
    app: str | None = "root"    # what the application itself trusts
    insecure: bool = False      # curl -k, CERT_NONE, rejectUnauthorized: false, no -verify_*
    host: str = "api.example.test"
    address: str = "127.0.0.1"
    x509: int | None = None     # the X509_V_ERR_* that a program which shows it must show

    def policy_file(self, lab):
        text = self.policy
        if not text.startswith("["):
            text = f"[host {self.host}]\n{text}\n"
        return lab.policy(text, port=lab.servers.ports[self.server], past=moment(-100),
                          future=moment(500), yesterday=moment(-1), tomorrow=moment(2))

    def play(self, lab, program, way):
        """(the expected word, the Outcome)."""
        target = lab.target(self.server, self.host, self.app, self.insecure, self.address)
        outcome = lab.get(program, way, target, self.policy_file(lab))
        return self.expected(lab, program, way), outcome

    def expected(self, lab, program, way):
        if way == ways.BARE:
            return self.bare
        if not ways.reaches(lab.build, way, clients.PROGRAMS[program].executable):
            return "unreachable"
        if program == "node" and not self.insecure and not clients.node_knows(self.host):
            return REFUSE
        return self.under

    def complaint(self, way, wanted, outcome):
        """What is wrong with OUTCOME, or None."""
        if outcome.verdict != wanted:
            return f"{way}: wanted {wanted}: {outcome.said}"
        if way == ways.BARE or wanted == "unreachable":
            return None
        if self.finding and not any(self.finding in line for line in outcome.log):
            return f"{way}: the log does not name {self.finding}: {outcome.said}"
        if self.x509 and wanted == REFUSE and outcome.x509 not in (None, self.x509):
            return f"{way}: the program shows X.509 error {outcome.x509}, wanted {self.x509}"
        return None
