"""malformed.py - bundles by what is odd about them: NAME and a function of a world that gives the file's bytes.

A part that is odd stands first, in the middle and last among ordinary ones: what comes before it may
have been loaded when it is met.
"""
import base64
import functools

import der
from der import certificate, extension, integer, members, octets, oid, pem, sequence, split, subject_of, tlv

BEGIN, END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
WIDTHS = (1, 2, 3, 4, 5, 7, 16, 48, 60, 63, 65, 66, 68, 72, 76, 77, 78, 79, 80, 81, 84, 96, 100, 127, 128, 200, 252,
          253, 254, 255, 256, 257, 258, 260, 300, 512, 1000, 1024, 4096)


def lines(text, change):
    """TEXT with CHANGE of its list of lines."""
    return b"\n".join(change(text.split(b"\n")))


def within(addition, at=3):
    return lambda text: lines(text, lambda rows: [*rows[:at], addition, *rows[at:]])


def replaced(old, new, count=-1):
    return lambda text: text.replace(old, new, count)


# What is done to the text of one certificate.
TEXTS = {
    "as-it-should-be": lambda text: text,
    "bad-character": lambda text: text[:100] + b"*" + text[101:],
    "high-character": lambda text: text[:100] + b"\xe4" + text[101:],
    "nul-within": lambda text: text[:100] + b"\0" + text[101:],
    "nul-between": within(b"\0"),
    "nul-behind": lambda text: text + b"\0\n",
    "missing-character": lambda text: text[:100] + text[101:],
    "missing-two": lambda text: text[:100] + text[102:],
    "missing-line": lambda text: lines(text, lambda rows: rows[:4] + rows[5:]),
    "doubled-line": lambda text: lines(text, lambda rows: rows[:5] + rows[4:]),
    "no-end": replaced(END, b""),
    "no-begin": replaced(BEGIN, b""),
    "end-of-another": replaced(END, b"-----END X509 CERTIFICATE-----"),
    "end-too-short": replaced(END, b"-----END CERTIFICATE----"),
    "end-indented": replaced(END, b" " + END),
    "end-lower": replaced(END, END.lower()),
    "end-followed": replaced(END, END + b" and more"),
    "end-spaces": replaced(END, END + b"  \t "),
    "end-on-line": replaced(b"\n" + END, END),
    "begin-indented": replaced(BEGIN, b" " + BEGIN),
    "begin-followed": replaced(BEGIN, BEGIN + b" and more"),
    "begin-spaces": replaced(BEGIN, BEGIN + b"   "),
    "begin-behind-text": replaced(BEGIN, b"text " + BEGIN),
    "begin-too-short": replaced(BEGIN, b"----BEGIN CERTIFICATE-----"),
    "begin-more-dashes": replaced(BEGIN, b"------BEGIN CERTIFICATE------"),
    "begin-lower": replaced(BEGIN, BEGIN.lower()),
    "begin-twice": replaced(BEGIN, BEGIN + b"\n" + BEGIN),
    "begin-open": replaced(BEGIN, b"-----BEGIN CERTIFICATE"),
    "begin-two-spaces": replaced(BEGIN, b"-----BEGIN  CERTIFICATE-----"),
    "begin-on-line": replaced(BEGIN + b"\n", BEGIN),
    "crlf": replaced(b"\n", b"\r\n"),
    "cr-alone": replaced(b"\n", b"\r"),
    "cr-cr-lf": replaced(b"\n", b"\r\r\n"),
    "lf-cr": replaced(b"\n", b"\n\r"),
    "form-feed": replaced(b"\n", b"\f\n"),
    "spaces-at-ends": replaced(b"\n", b"  \n"),
    "tabs-at-ends": replaced(b"\n", b"\t\n"),
    "spaces-before": replaced(b"\nM", b"\n M"),
    "indented": lambda text: lines(text, lambda rows: [b"  " + row for row in rows]),
    "body-indented": lambda text: lines(text, lambda rows: [rows[0], *(b"  " + row for row in rows[1:-2]), *rows[-2:]]),
    "space-within": lambda text: text[:120] + b" " + text[120:],
    "spaces-within": lambda text: text[:120] + b"     " + text[120:],
    "blank-line-first": within(b"", 1),
    "blank-line-within": within(b""),
    "blank-lines-within": within(b"\n\n"),
    "blank-line-last": replaced(END, b"\n" + END),
    "blank-of-spaces": within(b"   ", 1),
    "short-line-within": lambda text: lines(text, lambda rows: [*rows[:3], rows[3][:20], rows[3][20:], *rows[4:]]),
    "odd-line-within": lambda text: lines(text, lambda rows: [*rows[:3], rows[3][:21], rows[3][21:], *rows[4:]]),
    "long-line-within": lambda text: lines(text, lambda rows: [*rows[:3], rows[3] + rows[4], *rows[5:]]),
    "comment-within": within(b"# a comment"),
    "dashes-within": within(b"-----"),
    "dash-within": lambda text: text[:120] + b"-" + text[120:],
    "padding-within": lambda text: text[:100] + b"=" + text[101:],
    "padding-line": within(b"===="),
    "padding-lost": lambda text: replaced(b"=", b"")(text),
    "padding-more": replaced(b"\n" + END, b"=\n" + END),
    "padding-four": replaced(b"\n" + END, b"====\n" + END),
    "padding-behind": replaced(b"\n" + END, b"=\nAAAA\n" + END),
    "url-alphabet": replaced(b"/", b"_"),
    "nothing-in-it": lambda text: BEGIN + b"\n" + END + b"\n",
    "blank-in-it": lambda text: BEGIN + b"\n\n" + END + b"\n",
    "one-byte-in-it": lambda text: BEGIN + b"\nMA==\n" + END + b"\n",
    "proc-type": replaced(BEGIN, BEGIN + b"\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0011223344556677\n"),
    "proc-type-clear": replaced(BEGIN, BEGIN + b"\nProc-Type: 4,MIC-CLEAR\n"),
    "proc-type-broken": replaced(BEGIN, BEGIN + b"\nProc-Type: 4,ENCRYPTED\n"),
    "header": replaced(BEGIN, BEGIN + b"\nComment: whatever\n"),
    "header-no-blank": replaced(BEGIN, BEGIN + b"\nComment: whatever"),
    "header-folded": replaced(BEGIN, BEGIN + b"\nComment: whatever\n more\n"),
    "header-late": within(b"Comment: whatever"),
    "header-long": replaced(BEGIN, BEGIN + b"\nComment: " + b"x" * 500 + b"\n"),
    "text-before": lambda text: b"Subject: CN=whoever\n# comment\n\n" + text,
    "text-behind": lambda text: text + b"some text\n  more text\n",
    "text-long-line": lambda text: b"x" * 5000 + b"\n" + text,
    "text-254-line": lambda text: b"x" * 254 + b"\n" + text,
    "text-long-before": lambda text: b"x" * 253 + text,
    "text-long-before-254": lambda text: b"x" * 254 + text,
    "text-long-before-255": lambda text: b"x" * 255 + text,
    "text-nul": lambda text: b"text\0text\n" + text,
    "text-nul-begin": lambda text: b"\0" + text,
    "text-nul-begin-line": lambda text: b"a\0\n" + text,
    "text-binary": lambda text: bytes(range(256)) + b"\n" + text,
    "text-dashes": lambda text: b"-----\n-----BEGIN\n-----BEGIN -----\n-----END CERTIFICATE-----\n" + text,
    "utf-8-mark": lambda text: b"\xef\xbb\xbf" + text,
    "utf-16": lambda text: text.decode().encode("utf-16"),
    "no-newline": lambda text: text.rstrip(b"\n"),
    "control-z": lambda text: text + b"\x1a",
    "truncated": lambda text: text[:len(text) // 2],
    "truncated-line": lambda text: text[:27 + 65 * 4],
    "twice": lambda text: text + text,
    "html": lambda text: b"<pre>" + text + b"</pre>",
    "begin-x509": replaced(b"CERTIFICATE", b"X509 CERTIFICATE"),
    "begin-trusted": replaced(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
    "begin-pkcs7": replaced(b"CERTIFICATE", b"PKCS7"),
    "begin-request": replaced(b"CERTIFICATE", b"CERTIFICATE REQUEST"),
    "begin-crl": replaced(b"CERTIFICATE", b"X509 CRL"),
    "begin-unknown": replaced(b"CERTIFICATE", b"WHATEVER"),
    "begin-nothing": replaced(b"BEGIN CERTIFICATE", b"BEGIN "),
    "begin-any-key": replaced(b"CERTIFICATE", b"ANY PRIVATE KEY"),
    "begin-key": replaced(b"CERTIFICATE", b"PRIVATE KEY"),
    "begin-rsa-key": replaced(b"CERTIFICATE", b"RSA PRIVATE KEY"),
    "begin-parameters": replaced(b"CERTIFICATE", b"EC PARAMETERS"),
    "begin-attribute": replaced(b"CERTIFICATE", b"ATTRIBUTE CERTIFICATE"),
    "begin-long": replaced(b"CERTIFICATE", b"C" * 300),
}
for _width in WIDTHS:
    TEXTS[f"width-{_width}"] = lambda text, width=_width: pem(der.unpem(text), width=width)


def part(whole, at, change):
    """The sequence WHOLE with CHANGE of its member AT."""
    fields = members(whole)
    return sequence(*fields[:at], change(fields[at]), *fields[at + 1:])


def field(at, change):
    """A field of the certificate's body: 0 version, 1 serial, 2 algorithm, 3 issuer, ... 7 extensions."""
    return lambda cert: part(cert, 0, lambda body: part(body, at, change))


def to(value):
    return lambda _: value


def extensions(change):
    """CHANGE of the list of extensions."""
    return field(7, lambda it: tlv(0xa3, sequence(*change(members(split(it)[1])))))


def more(*added):
    return extensions(lambda listed: [*listed, *added])


def behind(*values):
    """VALUES behind the last field of the body."""
    return lambda cert: part(cert, 0, lambda body: sequence(*members(body), *values))


# What is done to the DER of one certificate; its signature counts for nothing.
BODIES = {
    "trailing-zero": lambda cert: cert + b"\0",
    "trailing-certificate": lambda cert: cert + cert,
    "trailing-end": lambda cert: cert + b"\0\0",
    "truncated": lambda cert: cert[:-1],
    "half": lambda cert: cert[:len(cert) // 2],
    "empty-sequence": to(b"\x30\x00"),
    "a-null": to(b"\x05\x00"),
    "a-set": lambda cert: b"\x31" + cert[1:],
    "length-form-long": lambda cert: tlv(0x30, split(cert)[1], form=2),
    "length-form-longer": lambda cert: tlv(0x30, split(cert)[1], form=4),
    "length-form-longest": lambda cert: tlv(0x30, split(cert)[1], form=9),
    "length-indefinite": lambda cert: der.endless(0x30, split(cert)[1]),
    "body-length-form": lambda cert: part(cert, 0, lambda body: tlv(0x30, split(body)[1], form=2)),
    "body-indefinite": lambda cert: part(cert, 0, lambda body: der.endless(0x30, split(body)[1])),
    "subject-length-form": field(5, lambda it: tlv(0x30, split(it)[1], form=2)),
    "subject-indefinite": field(5, lambda it: der.endless(0x30, split(it)[1])),
    "serial-length-form": field(1, lambda it: tlv(0x02, split(it)[1], form=1)),
    "too-long": lambda cert: cert[:2] + (int.from_bytes(cert[2:4], "big") + 1).to_bytes(2, "big") + cert[4:],
    "too-short": lambda cert: cert[:2] + (int.from_bytes(cert[2:4], "big") - 1).to_bytes(2, "big") + cert[4:],
    "huge-length": lambda cert: b"\x30\x84\x7f\xff\xff\xff" + cert[4:],
    "tag-long-form": lambda cert: b"\x3f\x10" + cert[1:],
    "serial-negative": field(1, to(integer(-5))),
    "serial-zero": field(1, to(integer(0))),
    "serial-padded": field(1, to(b"\x02\x03\x00\x00\x05")),
    "serial-padded-ff": field(1, to(b"\x02\x03\xff\xff\x85")),
    "serial-empty": field(1, to(b"\x02\x00")),
    "serial-long": field(1, to(integer(1 << 400))),
    "serial-octets": field(1, to(octets(b"\x01"))),
    "version-1-of-extensions": lambda cert: part(cert, 0, lambda body: sequence(*members(body)[1:])),
    "version-0-explicit": field(0, to(b"\xa0\x03\x02\x01\x00")),
    "version-4": field(0, to(b"\xa0\x03\x02\x01\x03")),
    "version-negative": field(0, to(b"\xa0\x03\x02\x01\xff")),
    "version-long": field(0, to(b"\xa0\x04\x02\x02\x00\x02")),
    "version-huge": field(0, to(tlv(0xa0, integer(1 << 80)))),
    "version-empty": field(0, to(b"\xa0\x00")),
    "version-two": field(0, to(b"\xa0\x06\x02\x01\x02\x02\x01\x02")),
    "version-implicit": field(0, to(b"\x80\x01\x02")),
    "algorithm-other": field(2, to(sequence(oid("1.2.840.113549.1.1.5"), der.NULL))),
    "algorithm-unknown": field(2, to(sequence(oid("1.2.3.4")))),
    "algorithm-empty": field(2, to(sequence())),
    "algorithm-oid-empty": field(2, to(sequence(b"\x06\x00"))),
    "algorithm-oid-open": field(2, to(sequence(b"\x06\x02\x2a\x86"))),
    "algorithm-oid-padded": field(2, to(sequence(b"\x06\x03\x2a\x80\x01"))),
    "algorithm-oid-long": field(2, to(sequence(oid("1.2." + ".".join(["99999999"] * 40))))),
    "algorithm-more": field(2, to(sequence(oid("1.2.3.4"), der.NULL, der.NULL))),
    "issuer-empty": field(3, to(sequence())),
    "issuer-missing": lambda cert: part(cert, 0, lambda body: sequence(*members(body)[:3], *members(body)[4:])),
    "validity-empty": field(4, to(sequence())),
    "validity-one": field(4, to(sequence(der.time("200101000000Z")))),
    "validity-nonsense": field(4, to(sequence(der.time("209999999999Z"), der.time("200101000000Z")))),
    "validity-text": field(4, to(sequence(tlv(0x17, b"yesterday"), tlv(0x17, b"")))),
    "validity-strings": field(4, to(sequence(tlv(0x0c, b"200101000000Z"), tlv(0x0c, b"400101000000Z")))),
    "validity-general": field(4, to(sequence(der.time("20200101000000Z"), der.time("99991231235959Z")))),
    "subject-empty": field(5, to(sequence())),
    "subject-set-empty": field(5, to(sequence(tlv(0x31)))),
    "subject-attribute-empty": field(5, to(sequence(tlv(0x31, sequence())))),
    "subject-no-value": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN)))))),
    "subject-three": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), der.NULL, der.NULL))))),
    "subject-null": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), der.NULL))))),
    "subject-odd-bmp": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), tlv(0x1e, b"abc")))))),
    "subject-odd-universal": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), tlv(0x1c, b"abcde")))))),
    "subject-bad-utf8": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), tlv(0x0c, b"\xc3(")))))),
    "subject-constructed": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), tlv(0x2c, tlv(0x0c, b"Root A"))))))),
    "subject-context-tag": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), tlv(0x80, b"Root A")))))),
    "subject-boolean": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), b"\x01\x01\x01"))))),
    "subject-boolean-long": field(5, to(sequence(tlv(0x31, sequence(oid(der.CN), b"\x01\x02\x01\x01"))))),
    "subject-trailing": field(5, lambda it: tlv(0x30, split(it)[1], b"\x00")),
    "subject-large": field(5, to(der.name("Large " * 3000))),
    "subject-many": field(5, to(der.name(*(f"Part {at}" for at in range(400))))),
    "subject-huge": field(5, to(der.name("Huge " * 250000))),
    "subject-a-set": field(5, lambda it: b"\x31" + it[1:]),
    "subject-unsorted-set": field(5, to(sequence(tlv(0x31, sequence(oid(der.UNIT), tlv(0x0c, b"zz")),
                                                     sequence(oid(der.CN), tlv(0x0c, b"a")))))),
    "key-missing": lambda cert: part(cert, 0, lambda body: sequence(*members(body)[:6], *members(body)[7:])),
    "key-empty": field(6, to(sequence())),
    "key-octets": field(6, to(sequence(sequence(oid("1.2.3")), octets(b"\x00\x01")))),
    "key-bits-empty": field(6, to(sequence(sequence(oid("1.2.3")), b"\x03\x00"))),
    "key-bits-unused": field(6, to(sequence(sequence(oid("1.2.3")), b"\x03\x02\x09\x00"))),
    "key-bits-left": field(6, to(sequence(sequence(oid("1.2.3")), b"\x03\x02\x03\xff"))),
    "key-trailing": field(6, lambda it: sequence(*members(it), der.NULL)),
    "extensions-empty": field(7, to(tlv(0xa3, sequence()))),
    "extensions-nothing": field(7, to(b"\xa3\x00")),
    "extensions-two": field(7, lambda it: tlv(0xa3, split(it)[1], split(it)[1])),
    "extensions-a-set": field(7, lambda it: tlv(0xa3, b"\x31" + split(it)[1][1:])),
    "extensions-indefinite": field(7, lambda it: der.endless(0xa3, split(it)[1])),
    "extension-unknown": more(extension("1.2.3.4.5", b"whatever")),
    "extension-unknown-critical": more(extension("1.2.3.4.5", b"whatever", critical=True)),
    "extension-empty-value": more(extension("1.2.3.4.5")),
    "extension-no-value": more(sequence(oid("1.2.3.4.5"))),
    "extension-empty": more(sequence()),
    "extension-oid-empty": more(sequence(b"\x06\x00", octets(b"x"))),
    "extension-oid-open": more(sequence(b"\x06\x01\x80", octets(b"x"))),
    "extension-oid-zero-lead": more(sequence(b"\x06\x03\x2a\x80\x01", octets(b"x"))),
    "extension-oid-huge": more(sequence(tlv(0x06, b"\x2a" + b"\xff" * 40 + b"\x7f"), octets(b"x"))),
    "extension-critical-false": more(sequence(oid("1.2.3.4.5"), b"\x01\x01\x00", octets(b"x"))),
    "extension-critical-one": more(sequence(oid("1.2.3.4.5"), b"\x01\x01\x01", octets(b"x"))),
    "extension-critical-long": more(sequence(oid("1.2.3.4.5"), b"\x01\x02\x01\x01", octets(b"x"))),
    "extension-critical-empty": more(sequence(oid("1.2.3.4.5"), b"\x01\x00", octets(b"x"))),
    "extension-trailing": more(sequence(oid("1.2.3.4.5"), octets(b"x"), der.NULL)),
    "extension-bits": more(sequence(oid("1.2.3.4.5"), der.bits(b"x"))),
    "extension-constructed": more(sequence(oid("1.2.3.4.5"), tlv(0x24, octets(b"x"), octets(b"y")))),
    "extension-indefinite": more(sequence(oid("1.2.3.4.5"), der.endless(0x04, octets(b"x")))),
    "extension-twice": more(extension("2.5.29.19", sequence())),
    "extension-garbage": extensions(lambda listed: [extension("2.5.29.19", b"garbage"), *listed[1:]]),
    "extension-trailing-inside": extensions(lambda listed: [extension("2.5.29.19", sequence() + b"\0"), *listed[1:]]),
    "extension-key-usage-empty": extensions(lambda listed: [listed[0], extension("2.5.29.15", b"\x03\x01\x00")]),
    "extension-names-bad": more(extension("2.5.29.17", sequence(tlv(0x82)))),
    "extension-constraints": more(extension("2.5.29.30", sequence(tlv(0xa0, sequence(tlv(0x82, b"example.test")))))),
    "extension-policies-bad": more(extension("2.5.29.32", sequence())),
    "extension-eku": more(extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.4")))),
    "extension-proxy": more(extension("1.3.6.1.5.5.7.1.14", sequence(sequence(oid("1.3.6.1.5.5.7.21.1"))))),
    "unique-ids": lambda cert: part(cert, 0, lambda body: sequence(*members(body)[:7], b"\x81\x02\x00\x01",
                                                                    b"\x82\x02\x00\x02", *members(body)[7:])),
    "unique-id-constructed": lambda cert: part(cert, 0, lambda body: sequence(
        *members(body)[:7], tlv(0xa1, der.bits(b"\1")), *members(body)[7:])),
    "unique-id-order": lambda cert: part(cert, 0, lambda body: sequence(
        *members(body)[:7], b"\x82\x02\x00\x02", b"\x81\x02\x00\x01", *members(body)[7:])),
    "body-more": behind(der.NULL),
    "body-more-context": behind(b"\x84\x00"),
    "body-zeros": lambda cert: part(cert, 0, lambda body: tlv(0x30, split(body)[1], b"\0\0")),
    "outer-more": lambda cert: sequence(*members(cert), der.NULL),
    "outer-algorithm-other": lambda cert: part(cert, 1, to(sequence(oid("1.2.840.113549.1.1.5"), der.NULL))),
    "signature-empty": lambda cert: part(cert, 2, to(b"\x03\x01\x00")),
    "signature-no-bits": lambda cert: part(cert, 2, to(b"\x03\x00")),
    "signature-unused": lambda cert: part(cert, 2, to(b"\x03\x03\x07\x00\xff")),
    "signature-unused-8": lambda cert: part(cert, 2, to(b"\x03\x03\x08\x00\xff")),
    "signature-octets": lambda cert: part(cert, 2, to(octets(b"\x00\x01"))),
    "signature-constructed": lambda cert: part(cert, 2, to(tlv(0x23, der.bits(b"\1"), der.bits(b"\2")))),
    "signature-missing": lambda cert: sequence(*members(cert)[:2]),
    "only-body": lambda cert: members(cert)[0],
    "wrapped": lambda cert: sequence(cert),
    "explicit": lambda cert: tlv(0xa0, cert),
}


def aux(trust=(), reject=(), alias=b"", keyid=b"", other=b""):
    return sequence(sequence(*map(oid, trust)) if trust else b"", tlv(0xa0, *map(oid, reject)) if reject else b"",
                    tlv(0x0c, alias) if alias else b"", octets(keyid) if keyid else b"", other)


SERVER, CLIENT, ANY = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"
AUXES = {
    "none": b"", "empty": aux(), "server": aux((SERVER,)), "client": aux((CLIENT,)), "rejected": aux(reject=(SERVER,)),
    "any": aux((ANY,)), "rejected-any": aux(reject=(ANY,)), "alias": aux(alias=b"its name", keyid=b"\1\2"),
    "garbage": b"garbage", "trailing": aux() + b"\0", "twice": aux() + aux(), "other": aux(other=tlv(0xa1, sequence(oid("1.2.3")))),
}


def others(world):
    """PEM blocks that are no certificates, by name."""
    key = der.unpem(world.one.path.read_bytes())
    kinds = {"RSA PRIVATE KEY": key, "PRIVATE KEY": sequence(integer(0), sequence(oid("1.2.840.113549.1.1.1"), der.NULL),
                                                             octets(key)),
             "EC PARAMETERS": oid("1.2.840.10045.3.1.7"), "PKCS7": sequence(oid("1.2.840.113549.1.7.2")),
             "DH PARAMETERS": sequence(integer(23), integer(5)), "PUBLIC KEY": world.one.spki,
             "CERTIFICATE REQUEST": sequence(sequence(integer(0), world.a, world.one.spki, b"\xa0\x00"), der.SIGNATURE,
                                             der.bits(b"\1")),
             "DSA PRIVATE KEY": key, "EC PRIVATE KEY": key, "ENCRYPTED PRIVATE KEY": key, "CMS": b"\x30\x00"}
    yield from ((kind.lower().replace(" ", "-"), pem(body, kind)) for kind, body in kinds.items())
    yield from ((f"crl-{kind}", pem(body, "X509 CRL")) for kind, body in world.crl.items())
    yield "crl-broken", pem(world.crl["a"][:-1], "X509 CRL")
    yield "crl-garbage", pem(b"garbage", "X509 CRL")
    yield "encrypted-key", pem(key, "RSA PRIVATE KEY").replace(
        b"KEY-----\n", b"KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", 1)


def placed(world, odd, at):
    """ODD at a place of three among ordinary ones."""
    kit = [pem(cert) for cert in world.kit()]
    return b"".join({"first": [odd, *kit], "middle": [*kit[:2], odd, *kit[2:]], "last": [*kit, odd]}[at])


PLACES = ("first", "middle", "last")


def odd_parts(world):
    """(name, bytes) of each odd part."""
    plain = pem(world.der["a-again"])
    for kind, change in TEXTS.items():
        yield f"text/{kind}", change(plain)
    for kind, change in BODIES.items():
        yield f"der/{kind}", pem(change(world.der["a-again"]))
    for kind, body in AUXES.items():
        yield f"aux/{kind}", pem(world.der["a-again"] + body, "TRUSTED CERTIFICATE")
    for kind, text in others(world):
        yield f"other/{kind}", text
    for kind in sorted(world.der):
        if kind.startswith("key-"):
            yield f"key/{kind}", pem(world.der[kind])


def combined(world):
    """(name, bytes) of whole files that are odd together."""
    made, join = world.der, lambda *certs: b"".join(map(pem, certs))
    yield "whole/empty", b""
    yield "whole/newline", b"\n"
    yield "whole/text", b"no certificate here\n" * 20
    yield "whole/nul", bytes(5000)
    yield "whole/der", made["a"]
    yield "whole/der-and-more", made["a"] + b"more"
    yield "whole/crl-der", world.crl["a"]
    yield "whole/key-only", world.one.path.read_bytes()
    yield "whole/one", join(made["a"])
    yield "whole/one-of-one-line", pem(made["a"], width=100000)
    yield "whole/duplicates", join(*[made["a"], made["b"]] * 4)
    yield "whole/last-duplicate", join(made["b"], made["a"], made["b"])
    yield "whole/equal-subjects", join(*(made[kind] for kind in (
        "a-expired", "a-other-key", "a", "a-again", "a-by-b", "a-no-extensions")))
    yield "whole/equal-subjects-back", join(*(made[kind] for kind in (
        "a-no-extensions", "a-by-b", "a-again", "a", "a-other-key", "a-expired")))
    yield "whole/crossed", join(*(made[kind] for kind in ("b-by-a", "a-by-b", "a", "b", "middle")))
    yield "whole/crossed-only", join(made["b-by-a"], made["a-by-b"])
    yield "whole/middle-only", join(made["middle"])
    yield "whole/ends-too", join(made["a"]) + b"".join(path.read_bytes() for path in world.leaf.values())
    yield "whole/crls-too", join(*world.kit()) + b"".join(pem(body, "X509 CRL") for body in world.crl.values())
    yield "whole/key-types", join(*(made[kind] for kind in sorted(made)))
    yield "whole/trusted", b"".join(pem(cert + aux((SERVER,)), "TRUSTED CERTIFICATE") for cert in world.kit())
    yield "whole/trusted-and-plain", b"".join(pem(cert + aux(reject=(SERVER,)), "TRUSTED CERTIFICATE") + pem(cert)
                                              for cert in world.kit())
    for kind, group in world.groups.items():
        yield f"alike/{kind}", join(*group)
        yield f"alike/{kind}-back", join(*reversed(group))
    yield "alike/all", join(*(cert for group in world.groups.values() for cert in group))


def flipped(world, rng):
    """A bundle in which a bit or byte of DER or text is another, wherever it stands."""
    certs = list(world.kit())
    at = rng.randrange(len(certs))
    body = bytearray(certs[at])
    if rng.random() < 0.75:
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            body[rng.randrange(min(len(body), 420) if rng.random() < 0.8 else len(body))] = rng.choice(
                (0, 1, 2, 3, 4, 5, 6, 0x10, 0x30, 0x31, 0x7f, 0x80, 0x81, 0xa0, 0xa3, 0xff, rng.randrange(256)))
        certs[at] = bytes(body)
        return b"".join(map(pem, certs))
    text = bytearray(b"".join(map(pem, certs)))
    for _ in range(rng.choice((1, 1, 2, 3))):
        where = rng.randrange(len(text))
        new = rng.choice((b"", b"\n", b"\r", b"\0", b"-", b"=", b" ", b"A", b"\n\n", bytes((rng.randrange(256),))))
        text[where:where + rng.choice((0, 1, 1, 2, 40))] = new
    return bytes(text)


def nested(world, rng):
    """A bundle with one value, somewhere in the tree of a certificate, lost, doubled, or of another tag."""
    certs = list(world.kit())
    at = rng.randrange(len(certs))

    def change(value, depth):
        if depth and value[0] & 0x20 and members_or_none(value) and rng.random() < 0.85:
            fields = members_or_none(value)
            chosen = rng.randrange(len(fields))
            fields[chosen] = change(fields[chosen], depth - 1)
            return tlv(value[0], *fields)
        tag, body, _ = split(value)
        return rng.choice((b"", value + value, tlv(tag ^ 0x20, body), tlv(tag, body, form=1), tlv(tag, body, b"\0"),
                           tlv(tag), tlv(rng.choice((2, 3, 4, 5, 6, 12, 19, 23, 0x30, 0x31, 0xa0, 0x80)), body),
                           der.endless(tag, body), tlv(tag, body[:-1]), tlv(tag, body[1:]), der.NULL))
    certs[at] = change(certs[at], rng.randrange(1, 8))
    return b"".join(map(pem, certs))


def members_or_none(value):
    try:
        return members(value)
    except IndexError:
        return None
