#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sarif.py LOG LINES FILE [SCHEMA]: the SARIF log has what the JSON Lines of the same run have, at the same places of
FILE, in the form that the standard asks for; SCHEMA: the published one, if it is at hand."""
import json
import sys
from urllib.parse import unquote

import jsonschema

TEXT = {"type": "object", "required": ["text"], "additionalProperties": False,
        "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
COUNT = {"type": "integer", "minimum": 1}


def closed(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def some(items):
    return {"type": "array", "items": items}


# What we write of SARIF 2.1.0, and nothing else: 3.13 log, 3.14 run, 3.18 tool, 3.27 result, 3.49 rule.
OURS = closed(
    ["$schema", "version", "runs"], version={"const": "2.1.0"}, runs=some(closed(
        ["tool", "results", "columnKind"],
        columnKind={"const": "unicodeCodePoints"},
        tool=closed(["driver"], driver=closed(
            ["name", "version", "rules"], name={"const": "corescrub"}, version={"type": "string"},
            rules=some(closed(["id", "shortDescription", "defaultConfiguration"], id={"type": "string"},
                              shortDescription=TEXT, defaultConfiguration=closed(["level"], level=LEVEL),
                              properties={"type": "object"})))),
        results=some(closed(
            ["ruleId", "level", "message", "locations"], ruleId={"type": "string"}, level=LEVEL, message=TEXT,
            properties={"type": "object"},
            locations={"type": "array", "minItems": 1, "items": closed(
                ["physicalLocation"],
                logicalLocations=some(closed(["fullyQualifiedName"], fullyQualifiedName={"type": "string"})),
                physicalLocation=closed(
                    ["artifactLocation", "region"],
                    artifactLocation=closed(["uri"], uri={"type": "string", "pattern": "^[!-~]+$"}),
                    region=closed(["startLine", "startColumn", "byteOffset", "byteLength"], startLine=COUNT,
                                  startColumn=COUNT, byteOffset={"type": "integer", "minimum": 0},
                                  byteLength={"type": "integer", "minimum": 0})))})))))
OURS["properties"]["$schema"] = {"type": "string", "format": "uri"}

with open(sys.argv[1]) as f:
    log = json.load(f)
with open(sys.argv[2]) as f:
    lines = [json.loads(line) for line in f]
jsonschema.validate(log, OURS)
if len(sys.argv) > 4 and sys.argv[4]:
    with open(sys.argv[4]) as f:
        jsonschema.validate(log, json.load(f))
run = log["runs"][0]
ids = [r["id"] for r in run["tool"]["driver"]["rules"]]
assert len(ids) == len(set(ids)) and set(ids) == {r["ruleId"] for r in run["results"]}, "the list of rules"
assert len(lines) == len(run["results"]), "a finding too many or too few"
with open(sys.argv[3], "rb") as f:
    text = f.read()
for finding, result in zip(lines, run["results"]):
    place = result["locations"][0]["physicalLocation"]
    region = place["region"]
    assert (finding["rule"], finding["kind"]) == (result["ruleId"], result["properties"]["kind"])
    assert unquote(place["artifactLocation"]["uri"]).split("/")[-1] == finding["file"].split("/")[-1], finding["file"]
    assert region["startLine"] == finding["line"]
    start = text.rfind(b"\n", 0, region["byteOffset"]) + 1
    before = text[start:region["byteOffset"]]
    assert text.count(b"\n", 0, region["byteOffset"]) + 1 == finding["line"], finding
    assert len(before) + 1 == finding["column"], finding
    assert len(before.decode("utf-8")) + 1 == region["startColumn"], finding
