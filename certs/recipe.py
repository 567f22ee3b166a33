"""recipe.py - reads the recipe files into Recipes, with generations spelled out and defaults set."""
import configparser
import datetime
import re
import types

SETTINGS = {"subject", "issuer", "signed-by", "key", "key-type", "digest", "from", "until", "ca",
            "pathlen", "names", "usage", "key-usage", "permitted", "excluded", "akid", "more",
            "version", "flip", "sends", "same-as", "twin-of", "generations"}
ODDITIES = {"unknown-critical", "second-san", "garbage-san", "loose-constraints",
            "must-staple", "must-staple-v2", "garbage-features"}
DAY = datetime.timedelta(days=1)


class RecipeError(Exception):
    """A recipe that can't be cooked; the text says which and why."""


def unescape(text):
    """UTF-8 of TEXT, with \\xHH for any byte."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda hit: bytes([int(hit[1], 16)]), text.encode())


def words(text):
    return [word.strip() for word in text.split(",") if word.strip()]


def general_names(text):
    """'DNS:a, DNS:n{n}.b*3, IP:::1' as (kind, bytes) pairs."""
    pairs = []
    for word in words(text):
        kind, value = word.split(":", 1)
        times = 1
        if "{n}" in value:
            value, times = value.rsplit("*", 1)
        pairs += [(kind, unescape(value.replace("{n}", str(n)))) for n in range(int(times))]
    return pairs


def subject(text, names):
    """'CN=..., O=...' as (type, bytes) pairs; without one, the CN is the first DNS name."""
    if text == "none":
        return []
    if text is None:
        return [("CN", value) for kind, value in names if kind == "DNS"][:1]
    return [(kind, unescape(value)) for kind, value in
            (word.split("=", 1) for word in words(text))]


def date(text, today):
    if re.fullmatch(r"-?\d+", text):
        return today + int(text) * DAY
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


def recipe(name, section, today):
    """The Recipe of one section; settings that name other recipes are still names."""
    unknown = set(section) - SETTINGS
    more = words(section.get("more", ""))
    if unknown or set(more) - ODDITIES:
        raise RecipeError(f"[{name}]: {', '.join(sorted(unknown | set(more) - ODDITIES))}?")
    authority = section.get("ca") == "yes"
    names = general_names(section.get("names", ""))
    issuer = section.get("issuer", name)
    listed = {key: words(section.get(key, default)) for key, default in
              (("usage", "none" if authority else "server"),
               ("key-usage", "cert-sign, crl-sign" if authority else "digital-signature"))}
    return types.SimpleNamespace(
        name=name, issuer=issuer, names=names, more=more,
        subject=subject(section.get("subject"), names),
        signer=section.get("signed-by", issuer), key=section.get("key", name),
        key_type=section.get("key-type", "ec"), digest=section.get("digest", "sha256"),
        begin=date(section.get("from", "-400" if authority else "-30"), today),
        end=date(section.get("until", "3650" if authority else "700"), today),
        ca=section.get("ca", "no"), path_length=section.getint("pathlen"),
        usage=[use for use in listed["usage"] if use != "none"],
        key_usage=[use for use in listed["key-usage"] if use != "none"],
        permitted=general_names(section.get("permitted", "")),
        excluded=general_names(section.get("excluded", "")),
        akid=section.get("akid", "yes"), version=section.getint("version", 3),
        flipped=section.get("flip") == "signature",
        sends=words(section["sends"]) if "sends" in section else None, twin_of=None)


def twin(name, section, recipes):
    """The Recipe of a section that is the twin of another, which stands before it."""
    if section["twin-of"] not in recipes:
        raise RecipeError(f"[{name}]: there is no recipe [{section['twin-of']}] before it")
    return types.SimpleNamespace(**{**vars(recipes[section["twin-of"]]), "name": name,
                                    "twin_of": section["twin-of"]})


def spell_out_generations(config):
    """Turns `generations = N` into N sections, each the issuer of the next."""
    for name in config.sections():
        issuer = config[name].get("issuer")
        for number in range(1, config[name].getint("generations", 0) + 1):
            link = f"{name}-ca-{number:02}"
            config[link] = {"subject": f"CN=Link {number:02} of {name}", "issuer": issuer,
                            "ca": "yes"}
            config[name]["issuer"] = issuer = link


def default_sends(recipes, leaf):
    """The issuers of LEAF, without the root; a circle is walked once."""
    sends, at = [], recipes[leaf.issuer]
    while at.issuer != at.name and at.name not in sends:
        sends.append(at.name)
        at = recipes[at.issuer]
    return sends


def load(paths, today):
    """{name: Recipe} and, for `same-as`, {name: (recipe, sends)}. Raises RecipeError."""
    config = configparser.ConfigParser(interpolation=None)
    for path in paths:
        with open(path, encoding="utf-8") as file:
            config.read_file(file)
    spell_out_generations(config)
    recipes, aliases = {}, {}
    for name in config.sections():
        if "same-as" in config[name]:
            aliases[name] = (config[name]["same-as"],
                             [word for word in words(config[name]["sends"]) if word != "none"])
        elif "twin-of" in config[name]:
            recipes[name] = twin(name, config[name], recipes)
        else:
            recipes[name] = recipe(name, config[name], today)
    for one in recipes.values():
        for wanted in (one.issuer, one.signer, one.key, *(one.sends or ())):
            if wanted not in recipes:
                raise RecipeError(f"[{one.name}]: there is no recipe [{wanted}]")
    for one in recipes.values():
        if one.sends is None:
            one.sends = default_sends(recipes, one)
    return recipes, aliases
