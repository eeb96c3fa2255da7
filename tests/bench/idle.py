#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""idle.py: a pack of a hundred rules of the shapes vendors give their tokens, none of which is ever met."""
import random

SHAPES = [
    # a prefix that says it all, a prefix and the vendor's name before it, the name alone
    ("(?<![A-Za-z0-9]){p}_[A-Za-z0-9]{{36}}(?![A-Za-z0-9])", "{p}_{t36}"),
    ("\\b{p}-(?:live|test)-[0-9a-f]{{40}}\\b", "{p}-live-{h40}"),
    ("{p}\\.[A-Za-z0-9_-]{{22}}\\.[A-Za-z0-9_-]{{43}}(?![\\w-])", "{p}.{t22}.{t43}"),
    ("(?i)\\b{p}[_-]?(?:api|secret|access)[_-]?(?:key|token)[\"'\\s]{{0,3}}[:=][\"'\\s]{{0,3}}([a-z0-9]{{32}})\\b",
     "{p}_api_key = {h32}"),
    ("https://hooks\\.{p}\\.example/services/[A-Z0-9]{{9}}/[A-Za-z0-9]{{24}}",
     "https://hooks.{p}.example/services/T01234567/{t24}"),
]
CONSONANTS, VOWELS = "bcdfghjklmnprstvwz", "aeiou"


def text(rng, alphabet, n):
    return "".join(rng.choice(alphabet) for _ in range(n))


def main():
    rng = random.Random(7)
    print("# SPDX-License-Identifier: Apache-2.0\npack: idle\nrules:")
    for i in range(100):
        shape, example = SHAPES[i % len(SHAPES)]
        name = "zq" + text(rng, CONSONANTS, 1) + text(rng, VOWELS, 1) + text(rng, CONSONANTS, 2)
        letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        filled = example.format(p=name, h32=text(rng, "0123456789abcdef", 32), h40=text(rng, "0123456789abcdef", 40),
                                **{"t%d" % n: text(rng, letters, n) for n in (22, 24, 36, 43)})
        hit = filled.split(" = ")[-1]
        print("  - id: vendor-%02d\n    kind: token\n    summary: token of a vendor that nobody has" % i)
        print("    severity: critical\n    match:\n      regex: '%s'" % shape.format(p=name).replace("'", "''"))
        if "(" in shape and "([a-z0-9]" in shape:
            print("      group: 1")
        print("    examples:\n      - in: '%s'\n        hits: ['%s']" % (filled, hit))
        print("    negative_examples: ['%s']" % name)


main()
