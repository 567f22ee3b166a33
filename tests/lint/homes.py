"""Where functions are declared: what X.c defines, X.h declares."""
import os
import re

import tree


def interface(path):
    """Whether the header PATH is what a library shows to others: all that it declares is seen from outside.
    Which file defines it is no concern of theirs."""
    declared = tree.prototypes(path).values()
    return len(declared) > 0 and all(prototype.visible for prototype in declared)


def exported(path):
    """What PATH may export under names that others' headers declare: what the map of its library lists,
    and what its own __asm__ gives such a name."""
    names = set()
    for version_script in tree.files([path.split("/")[0]], ".map"):
        names |= set(re.findall(r"(\w+);", tree.read(version_script)))
    names = {name for name in names if not name.startswith("tg_")}
    labels = re.findall(r'(\w+)\s*(?:\([^()]*\)\s*)?__asm__\("(\w+)"\)', tree.without_comments(path))
    return names | {name for name, label in labels if label in names}


def declaring():
    """{FUNCTION: [HEADER...]} of the whole product."""
    found = {}
    for path in tree.files(tree.ROOTS, ".h"):
        for name in tree.prototypes(path):
            found.setdefault(name, []).append(path)
    return found


def families(path):
    """How the functions begin that PATH declares by a macro of its own, as DECLARE(name) of tg_x_##name."""
    return tuple(re.findall(r"\b(tg_\w+_)##\w+ +parameters;", tree.read(path)))


def strays(path, where):
    """Functions that PATH, a .c, defines for others without declaring them in its own header."""
    home = path[:-1] + "h"
    foreign = exported(path) | {"main"}
    for function in tree.functions(path):
        headers = where.get(function.name, [])
        if function.static or function.name in foreign or home in headers \
                or function.name.startswith(families(home)):
            continue
        if not any(map(interface, headers)):
            yield (f"{path}:{function.line}: {function.name}: declared in {', '.join(headers) or 'no header'}, "
                   f"not in {os.path.basename(home)}")


def homes():
    where, defined = declaring(), set()
    for path in tree.files(tree.ROOTS, ".c"):
        defined |= {function.name for function in tree.functions(path) if not function.static}
        yield from strays(path, where)
    for path in tree.files(tree.ROOTS, ".h"):
        alone = path[:-1] + "c" not in tree.everything() and not interface(path)
        for name, prototype in tree.prototypes(path).items():
            if name not in defined:
                yield f"{path}:{prototype.line}: {name}: declared, but nothing defines it"
            elif alone:
                yield f"{path}:{prototype.line}: {name}: declared by a header that has no .c of its name"
