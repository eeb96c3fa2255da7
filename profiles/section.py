# SPDX-License-Identifier: Apache-2.0
# What every profile's script builds on: parts that fail alone, rows that read like gdb's own values (so
# that the rules know them), and walks through a core's lists that end whatever the core says.
import time

import gdb

ROWS_MAX = 20000
SECONDS_MAX = 20
TEXT_MAX = 512


class Ended(Exception):
    """A walk that goes on and on."""


def section(title):
    """@section("Calls") runs the function below it at once; what is missing costs that part alone."""
    def run(function):
        print("\n%s:\n" % title)
        try:
            function()
        except Ended as e:
            print("(cut: %s)" % e)
        except Exception as e:
            print("(not here: %s)" % (str(e) or type(e).__name__))
        return function
    return run


def limited(items):
    """The items, until there are too many or it takes too long."""
    end = time.monotonic() + SECONDS_MAX
    for n, item in enumerate(items):
        if n >= ROWS_MAX:
            raise Ended("more than %d entries" % ROWS_MAX)
        if time.monotonic() > end:
            raise Ended("it took over %d seconds" % SECONDS_MAX)
        yield item


def attempt(get, otherwise=None):
    """get(), or otherwise where something is missing."""
    try:
        return get()
    except Exception:
        return otherwise


def chain(first, follow):
    """A linked list: follow(node) gives the next; ends at NULL and at a node that was there before."""
    seen = set()
    node = first
    while int(node) != 0 and int(node) not in seen:
        seen.add(int(node))
        yield node
        node = follow(node)


def variable(name, file=None):
    """A global or static variable's value, whatever the selected frame has of that name."""
    symbol = gdb.lookup_global_symbol(name)
    # not "is_variable": an extern declaration that gdb meets first is none, but has its value
    if symbol is None or symbol.type is None or symbol.type.code == gdb.TYPE_CODE_FUNC:
        found = [s for s in gdb.lookup_static_symbols(name) if s.is_variable]
        if file:
            found = [s for s in found if s.symtab and s.symtab.filename.endswith(file)] or found
        if not found:
            raise Exception("no variable %s" % name)
        symbol = found[0]
    return symbol.value()


def variable_in(function, name):
    """A static variable of a function."""
    place = gdb.lookup_global_symbol(function) or gdb.lookup_static_symbol(function)
    if place is None:
        raise Exception("no function %s" % function)
    for symbol in gdb.block_for_pc(int(place.value().address)):
        if symbol.name == name:
            return symbol.value()
    raise Exception("no variable %s in %s" % (name, function))


def pointer(value, type_name):
    return value.cast(gdb.lookup_type(type_name).pointer())


def fetch(value):
    """The bytes of a C string: of an array up to its end, of a pointer up to a limit; None for NULL."""
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_ARRAY:
        low, high = value.type.strip_typedefs().range()
        size = high - low + 1
        # a flexible array, and one of an older style, tell no length
        address, room = int(value.address), size if size > 1 else TEXT_MAX
    else:
        address, room = int(value), TEXT_MAX
    if address == 0:
        return None
    memory, got = gdb.selected_inferior(), b""
    while len(got) < room and b"\0" not in got:
        # never over the edge of a page: the next may not be there
        step = min(room - len(got), 4096 - (address + len(got)) % 4096)
        got += bytes(memory.read_memory(address + len(got), step))
    return got.split(b"\0", 1)[0]


def quoted(raw):
    """As gdb writes a string."""
    names = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 27: "\\033",
             34: '\\"', 92: "\\\\"}
    out = []
    for c in raw.decode("utf-8", "surrogateescape"):
        n = ord(c)
        if n in names:
            out.append(names[n])
        elif 0xdc80 <= n <= 0xdcff:
            out.append("\\%03o" % (n - 0xdc00))
        elif n < 32 or n == 127:
            out.append("\\%03o" % n)
        else:
            out.append(c)
    return '"%s"' % "".join(out)


def text(value):
    raw = fetch(value)
    return "0x0" if raw is None else quoted(raw)


def number(value):
    return str(int(value))


def name(value):
    """An enumerator's name."""
    return value.format_string()


def moment(value):
    """A struct timeval, in UTC."""
    at = time.gmtime(int(value["tv_sec"]))
    return "%s.%06d" % (time.strftime("%Y-%m-%d %H:%M:%S", at), int(value["tv_usec"]))


def duration(seconds):
    return "%d days %02d:%02d:%02d" % (seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60,
                                       seconds % 60)


def nested(**fields):
    """A struct in a row's value; its values are functions too."""
    return "{%s}" % fields_of(fields)


def fields_of(fields):
    shown = []
    for key, get in fields.items():
        try:
            shown.append("%s = %s" % (key, get()))
        except Exception:
            shown.append("%s = <not here>" % key)
    return ", ".join(shown)


def row(what, **fields):
    """One line "what = {key = value, …}"; each value is a function, as any may be missing."""
    print("%s = {%s}" % (what, fields_of(fields)))


def show(key, get):
    """One line "key = value"."""
    print("%s = %s" % (key, get()))
