"""revocation.py - CRLs (RFC 5280 section 5) and OCSP answers (RFC 6960) by recipe.

Encoded here for the reason that certificates are: most of them are wrong.
"""
import configparser
import hashlib
import types

import der
import recipe

LIST_SETTINGS = {"issuer", "signed-by", "from", "until", "lists", "lists-of", "number", "delta",
                 "scope", "more", "flip", "entries"}
ANSWER_SETTINGS = {"certificate", "status", "says", "from", "until", "signed-by", "as", "carries",
                   "flip", "keep", "id-digest", "more"}
LIST_ODDITIES = {"unknown-critical", "unknown-critical-entry", "freshest"}
SCOPES = {"user": 0x81, "ca": 0x82, "indirect": 0x84, "attribute": 0x85}
STATUSES = {"good": 0, "revoked": 1, "unknown": 2}
RESPONSES = {"successful": 0, "try-later": 3, "unauthorized": 6}
NULL = der.tlv(0x05)


def serial(one):
    """The serial number of the certificate of a recipe."""
    return int.from_bytes(hashlib.sha256(one.name.encode()).digest()[:8], "big") | 1 << 62


def check(name, section, settings):
    unknown = set(section) - settings
    if unknown:
        raise recipe.RecipeError(f"[{name}]: {', '.join(sorted(unknown))}?")


def dates(section, today, begin, end):
    """The two dates; the end may be `none`."""
    until = section.get("until", end)
    return (recipe.date(section.get("from", begin), today),
            None if until == "none" else recipe.date(until, today))


def list_recipe(name, section, today):
    check(name, section, LIST_SETTINGS)
    more = recipe.words(section.get("more", ""))
    if set(more) - LIST_ODDITIES:
        raise recipe.RecipeError(f"[{name}]: {more}?")
    begin, end = dates(section, today, "-1", "300")
    return types.SimpleNamespace(
        name=name, issuer=section["issuer"], signer=section.get("signed-by", section["issuer"]),
        begin=begin, end=end, lists=recipe.words(section.get("lists", "")),
        lists_of=section.get("lists-of"), number=int(section.get("number", 1)),
        delta=int(section["delta"]) if "delta" in section else None, scope=section.get("scope"), more=more,
        entries=int(section.get("entries", 0)), flipped="flip" in section)


def answer_recipe(name, section, today):
    check(name, section, ANSWER_SETTINGS)
    begin, end = dates(section, today, "-1", "300")
    return types.SimpleNamespace(
        name=name, certificate=section.get("certificate", "api"),
        status=section.get("status", "successful"), says=section.get("says", "good"),
        begin=begin, end=end, signer=section.get("signed-by"), poses=section.get("as"),
        carries=recipe.words(section.get("carries", "")), flipped="flip" in section,
        keep=section.getint("keep"), digest=section.get("id-digest", "sha1"),
        trailing="trailing" in recipe.words(section.get("more", "")),
        unknown_kind="unknown-kind" in recipe.words(section.get("more", "")))


def load(path, today):
    """The recipes of CRLs and of answers. Raises RecipeError."""
    config = configparser.ConfigParser(interpolation=None)
    with open(path, encoding="utf-8") as file:
        config.read_file(file)
    made = {"crl": [], "ocsp": []}
    cooks = {"crl": list_recipe, "ocsp": answer_recipe}
    for title in config.sections():
        kind, _, name = title.partition(" ")
        made[kind].append(cooks[kind](name, config[title], today))
    return made["crl"], made["ocsp"]


def scope_extension(scope):
    """issuingDistributionPoint (RFC 5280 section 5.2.5): for whom a list is."""
    if scope.startswith("http:"):
        body = der.explicit(0, der.explicit(0, der.tlv(0x86, scope.encode())))
    else:
        body = der.tlv(SCOPES[scope], b"\xff")
    return der.extension("issuingDistributionPoint", der.sequence(body), critical=True)


class Authority:
    """Signs lists and answers in the name of any CA of the PKI, with any key of it."""

    def __init__(self, recipes, spki, certificates, signing):
        """SIGNING(recipe, digest) gives the AlgorithmIdentifier, and what signs bytes."""
        self.recipes, self.spki, self.certificates = recipes, spki, certificates
        self.signing = signing

    def name(self, name):
        return der.name(self.recipes[name].subject)

    def key_identifier(self, name):
        return der.key_identifier(self.spki[self.recipes[name].key])

    def signed(self, make_body, signer, flipped, *more):
        """SEQUENCE of a body that is told its algorithm, that, the signature, and MORE."""
        key = self.recipes[self.recipes[signer].key]
        algorithm, sign = self.signing(key, "sha256")
        body = make_body(algorithm)
        return der.sequence(body, algorithm, der.bit_string(sign(body, flipped=flipped)), *more)

    def entry(self, number, one, first):
        """One revoked certificate; `lists-of` names its issuer once, on the FIRST."""
        extras = []
        if one.lists_of and first:
            names = der.sequence(der.tlv(0xA4, self.name(one.lists_of)))
            extras.append(der.extension("certificateIssuer", names, critical=True))
        if "unknown-critical-entry" in one.more:
            extras.append(der.extension("unknown", der.octet_string(b"?"), critical=True))
        return der.sequence(der.integer(number), der.moment(one.begin),
                            der.sequence(*extras) if extras else b"")

    def list_extensions(self, one):
        out = [der.extension("authorityKeyIdentifier",
                             der.authority_key_identifier(self.key_identifier(one.issuer))),
               der.extension("crlNumber", der.integer(one.number))]
        if one.delta is not None:
            out.append(der.extension("deltaCRLIndicator", der.integer(one.delta), critical=True))
        if one.scope:
            out.append(scope_extension(one.scope))
        if "freshest" in one.more:
            point = der.explicit(0, der.explicit(0, der.tlv(0x86, b"http://crl.example.test/d")))
            out.append(der.extension("freshestCRL", der.sequence(der.sequence(point))))
        if "unknown-critical" in one.more:
            out.append(der.extension("unknown", der.octet_string(b"?"), critical=True))
        return der.explicit(0, der.sequence(*out))

    def make_list(self, one):
        """The DER of a CertificateList; `entries` adds that many serial numbers of nobody."""
        numbers = [serial(self.recipes[name]) for name in one.lists]
        numbers += range(1 << 64, (1 << 64) + one.entries)
        revoked = der.sequence(*(self.entry(number, one, at == 0)
                                 for at, number in enumerate(numbers)))
        return self.signed(lambda algorithm: der.sequence(
            der.integer(1), algorithm, self.name(one.issuer), der.moment(one.begin),
            der.moment(one.end) if one.end else b"", revoked if numbers else b"",
            self.list_extensions(one)), one.signer, one.flipped)

    def certificate_id(self, one):
        certificate = self.recipes[one.certificate]
        key = der.read(self.spki[self.recipes[certificate.issuer].key])[1]
        _, bits, _ = der.read(key, der.read(key)[2])
        digest = lambda data: der.octet_string(  # noqa: E731
            hashlib.new(one.digest, data).digest())
        return der.sequence(der.sequence(der.oid(one.digest), NULL),
                            digest(self.name(certificate.issuer)), digest(bits[1:]),
                            der.integer(serial(certificate)))

    def answer_body(self, one, signer):
        says = der.tlv(0x80 | STATUSES[one.says])
        if one.says == "revoked":
            says = der.tlv(0xA1, der.generalized(one.begin))
        single = der.sequence(
            self.certificate_id(one), says, der.generalized(one.begin),
            der.explicit(0, der.generalized(one.end)) if one.end else b"")
        return der.sequence(der.explicit(1, self.name(one.poses or signer)),
                            der.generalized(one.begin), der.sequence(single))

    def make_answer(self, one):
        """The DER of an OCSPResponse, of which `keep` leaves that many bytes."""
        status = der.tlv(0x0A, bytes([RESPONSES[one.status]]))
        if one.status != "successful":
            return der.sequence(status)
        signer = one.signer or self.recipes[one.certificate].issuer
        carried = [self.certificates[name] for name in one.carries]
        basic = self.signed(lambda _: self.answer_body(one, signer), signer, one.flipped,
                            der.explicit(0, der.sequence(*carried)) if carried else b"")
        kind = der.oid("unknown" if one.unknown_kind else "ocsp-basic")
        whole = der.sequence(status, der.explicit(0, der.sequence(kind, der.octet_string(basic))))
        return whole[:one.keep] + (b"\0" if one.trailing else b"")
