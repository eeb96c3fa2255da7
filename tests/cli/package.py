#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""package.py PACKAGE: the manifest is by its schema, its files are the package's, sizes and digests too; metadata is
fixed."""
import hashlib
import json
import os
import sys
import tarfile

import jsonschema

with tarfile.open(sys.argv[1]) as tar:
    members = tar.getmembers()
    assert [m.name for m in members] == sorted(m.name for m in members), "not sorted"
    assert len({m.mtime for m in members}) == 1, "several times"
    assert all((m.uid, m.gid) == (0, 0) for m in members), "an owner"
    files = {m.name.split("/", 1)[1]: tar.extractfile(m).read() for m in members if m.isfile()}
manifest = json.loads(files.pop("manifest.json"))
with open(os.path.join(os.path.dirname(__file__), "../../doc/manifest.schema.json")) as schema:
    jsonschema.validate(manifest, json.load(schema), cls=jsonschema.Draft202012Validator)
listed = {f["path"]: f for f in manifest["files"]}
assert set(listed) == set(files), set(listed) ^ set(files)
for name, data in files.items():
    assert listed[name]["size"] == len(data), name
    assert listed[name]["sha256"] == hashlib.sha256(data).hexdigest(), name
for key in ("schema", "case", "tool", "ruleset", "policy", "created", "fingerprint", "redactions",
            "open", "confinement", "core"):
    assert key in manifest, key
