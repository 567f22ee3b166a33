"""world.py - the authorities that the bundles are made of, and the certificates put to them."""
import subprocess

import der
from der import (BMP, CN, COUNTRY, EMAIL, IA5, ORGANIZATION, PRINTABLE, T61, UNIT, UNIVERSAL, UTF8,
                 VISIBLE, bits, certificate, extension, integer, name, oid, pem, root, sequence, tlv)

SMALL = [name(f"Small Root {number}") for number in range(12)]


def unknown_keys(key):
    """Subject public keys that are no keys to OpenSSL, or of a kind seldom seen, by name."""
    rsa = oid("1.2.840.113549.1.1.1")
    ec = oid("1.2.840.10045.2.1")
    return {
        "unknown-algorithm": sequence(sequence(oid("1.2.3.4.5")), bits(b"\x01\x02")),
        "rsa-no-key": sequence(sequence(rsa, der.NULL), bits(b"\x30\x03\x02\x01\x05")),
        "rsa-no-null": sequence(sequence(rsa), bits(sequence(integer(key.modulus), integer(key.public)))),
        "rsa-empty": sequence(sequence(rsa, der.NULL), bits(b"")),
        "ec-unknown-curve": sequence(sequence(ec, oid("1.2.3.4.6")), bits(b"\x04" + bytes(64))),
        "ec-off-curve": sequence(sequence(ec, oid("1.2.840.10045.3.1.7")), bits(b"\x04" + bytes(64))),
        "ed25519": sequence(sequence(oid("1.3.101.112")), bits(bytes(range(32)))),
        "ed25519-short": sequence(sequence(oid("1.3.101.112")), bits(bytes(31))),
        "pss": sequence(sequence(oid("1.2.840.113549.1.1.10")),
                        bits(sequence(integer(key.modulus), integer(key.public)))),
        "dsa": sequence(sequence(oid("1.2.840.10040.4.1"), sequence(integer(23), integer(11), integer(2))),
                        bits(integer(5))),
    }


def alike():
    """Names that OpenSSL takes for the same or doesn't, in groups: all of one group look alike."""
    def of(text, kind=UTF8):
        return name((COUNTRY, "CH", PRINTABLE), (CN, text, kind))
    yield "case", [of("Alike Root"), of("ALIKE root"), of("alike root", PRINTABLE), of("alikeroot")]
    yield "spaces", [of("Many Words Root"), of("  Many   Words  Root "), of("Many\tWords Root"),
                     of("ManyWords Root"), of("Many\u00a0Words Root")]
    yield "types", [of("Typed Root", kind) for kind in (UTF8, PRINTABLE, T61, IA5, BMP, UNIVERSAL, VISIBLE)]
    yield "letters", [of("Z\u00fcrich Root", kind) for kind in (UTF8, T61, BMP, UNIVERSAL)] + [
        of("Z\u00dcRICH Root"), of("Zu\u0308rich Root"), of("Zurich Root")]
    yield "wide", [of("\u6771\u4eac", UTF8), of("\u6771\u4eac", BMP), of("\u6771\u4eac", UNIVERSAL),
                   of("\u6771", UTF8), of("", UTF8), of("", PRINTABLE)]
    yield "shape", [name([(CN, "Shaped", UTF8), (UNIT, "Unit", UTF8)]), name("Shaped", (UNIT, "Unit", UTF8)),
                    name((UNIT, "Unit", UTF8), "Shaped"), name([(CN, "SHAPED", UTF8), (UNIT, " unit ", PRINTABLE)]),
                    name()]
    yield "odd", [name((EMAIL, "Root@Example.test", IA5)), name((EMAIL, "root@example.test", UTF8)),
                  sequence(tlv(0x31, sequence(oid(CN), tlv(0x04, b"Octets")))),
                  sequence(tlv(0x31, sequence(oid(CN), tlv(0x0c, b"\xff\xfe")))),
                  sequence(tlv(0x31, sequence(oid(CN), tlv(0x1e, b"odd")))),
                  sequence(tlv(0x31, sequence(oid(CN), integer(7)))),
                  sequence(tlv(0x31, sequence(oid(CN), tlv(0x03, b"\x00Bits")))),
                  sequence(tlv(0x31, sequence(oid(CN), sequence(integer(1))))),
                  sequence(tlv(0x31)), sequence(tlv(0x31, sequence(oid(ORGANIZATION), tlv(0x0c, b"N\x00l"))))]


class World:
    """Keys, in KEYS, authorities in `der`, and in FOLDER what is put to the stores, by name in `leaf`."""

    def __init__(self, folder, keys):
        self.folder, self.der, self.leaf, self.crl = folder, {}, {}, {}
        self.one, self.two, self.middle, self.end = (der.Key(keys / f"{each}.key")
                                                     for each in ("one", "two", "middle", "end"))
        self.a, self.b, self.inter = name("Root A"), name((ORGANIZATION, "Other", PRINTABLE), "Root B"), name("Middle")
        self.authorities()
        self.groups = {kind: self.group(kind, names) for kind, names in alike()}
        self.leaves()
        self.revocations()
        self.small = [root(subject, self.one, signer=None) for subject in SMALL]
        self.ends_of_small = [self.put(f"small-{at}", self.ending(subject, self.one))
                              for at, subject in enumerate(SMALL)]

    def authorities(self):
        made, one, two = self.der, self.one, self.two
        made["a"] = root(self.a, one)
        made["a-other-key"] = root(self.a, two)
        made["a-expired"] = root(self.a, one, valid=der.validity(end="210101000000Z"))
        made["a-again"] = root(self.a, one, serial=integer(2))
        made["a-no-extensions"] = certificate(self.a, self.a, one, one, version=b"")
        made["b"] = root(self.b, two)
        made["b-by-a"] = certificate(self.b, self.a, two, one, (der.authority(), der.identifier(two), der.by_key(one)),
                                     serial=integer(9))
        made["a-by-b"] = certificate(self.a, self.b, one, two, (der.authority(), der.identifier(one)), serial=integer(8))
        made["middle"] = certificate(self.inter, self.a, self.middle, one,
                                     (der.authority(0), der.identifier(self.middle), der.by_key(one)), serial=integer(5))
        for kind, spki in unknown_keys(one).items():
            made[f"key-{kind}"] = root(name(f"Key {kind}"), one, spki=spki, signer=None)

    def group(self, kind, names):
        """Roots with these names, by turns of two keys; an end for each that OpenSSL reads."""
        keys = (self.one, self.two)
        for at, subject in enumerate(names):
            path = self.put(f"{kind}-{at}", self.ending(subject, keys[at % 2]))
            if subprocess.run(["openssl", "x509", "-noout", "-in", path], capture_output=True, check=False).returncode != 0:
                del self.leaf[f"{kind}-{at}"]
        return [root(subject, keys[at % 2], serial=integer(at + 1)) for at, subject in enumerate(names)]

    def ending(self, issuer, signer, *more, serial=integer(77)):
        return certificate(name("www.example.test"), issuer, self.end, signer,
                           (der.hosts("www.example.test"), *more), serial=serial)

    def put(self, word, *ders):
        path = self.folder / f"{word}.leaf"
        path.write_bytes(b"".join(map(pem, ders)))
        self.leaf[word] = path
        return path

    def leaves(self):
        one, two, middle = self.one, self.two, self.middle
        self.put("of-a", self.ending(self.a, one))
        self.put("of-a-by-key", self.ending(self.a, one, der.by_key(one)))
        self.put("of-a-other", self.ending(self.a, two))
        self.put("of-a-other-by-key", self.ending(self.a, two, der.by_key(two)))
        self.put("of-b", self.ending(self.b, two))
        self.put("of-middle", self.ending(self.inter, middle, der.by_key(middle)), self.der["middle"])
        self.put("revoked", self.ending(self.a, one, serial=integer(66)))
        self.put("of-nobody", self.ending(name("Nobody"), one))
        self.put("without-names", certificate(name(), name(), self.end, one))
        for kind in ("a", "a-other-key", "a-expired", "b", "b-by-a", "middle"):
            self.put(kind, self.der[kind])
        for kind in unknown_keys(one):
            self.put(f"of-{kind}", self.ending(name(f"Key {kind}"), one))

    def revocations(self):
        self.crl = {"a": der.crl(self.a, self.one, [integer(66)]), "empty": der.crl(self.a, self.one),
                    "b": der.crl(self.b, self.two, [integer(5)]),
                    "late": der.crl(self.a, self.one, valid=("200101000000Z", "210101000000Z")),
                    "forged": der.crl(self.a, self.two)}
        for kind, body in self.crl.items():
            (self.folder / f"{kind}.crl").write_bytes(pem(body, "X509 CRL"))

    def messages(self):
        """Signed messages and an OCSP response, by the command that everybody has."""
        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)
        (self.folder / "text").write_bytes(b"hello\n")
        signer = ("-signer", "of-middle.leaf", "-inkey", self.end.path, "-certfile", "middle.leaf", "-in", "text",
                  "-outform", "PEM", "-nodetach")
        openssl("cms", "-sign", "-out", "message.cms", *signer)
        openssl("smime", "-sign", "-out", "message.p7", *signer)
        (self.folder / "index").write_text("V\t400101000000Z\t\t4D\tunknown\t/CN=www.example.test\n")
        (self.folder / "index.attr").write_text("unique_subject = no\n")
        openssl("ocsp", "-issuer", "a.leaf", "-cert", "of-a.leaf", "-reqout", "request")
        openssl("ocsp", "-index", "index", "-rsigner", "a.leaf", "-rkey", self.one.path, "-CA", "a.leaf", "-reqin",
                "request", "-respout", "response", "-noverify")

    def kit(self):
        """A small bundle of the usual kind."""
        return [self.der[kind] for kind in ("a", "b", "middle")] + self.small[:3]
