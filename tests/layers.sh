#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Holds every file under src/ and include/ to tests/layers.
set -eu
cd "$(dirname "$0")/.."
find src include -name '*.[ch]' | sort | xargs awk '
BEGIN {
	while ((getline line < "tests/layers") > 0) {
		if (line ~ /^#/ || line == "") continue
		split(line, half, ":")
		n = split(half[2], names, " ")
		may[half[1], half[1]] = 1
		for (i = 1; i <= n; i++) may[half[1], names[i]] = 1
		known[half[1]] = 1
	}
	# headers that are part of a module under another name
	owner["archive"] = "artifact"; owner["tarball"] = "artifact"
	owner["manifest"] = owner["sarif"] = "report"; owner["map"] = "redact"
	owner["verify"] = owner["restore"] = owner["run_core"] = owner["run_open"] = "run"
	owner["elfcore_symbols"] = owner["elfcore_parts"] = "elfcore"
	owner["artifact_sealed"] = "artifact"
	owner["artifact_seal"] = "seal"
	owner["artifact_unseal"] = "unseal"
	may["artifact", "seal"] = may["artifact", "unseal"] = 1
	library["hs.h"] = "rule learn"; library["pcre2.h"] = "rule"; library["yaml.h"] = "conf"
	library["archive.h"] = "artifact bundle"; library["jansson.h"] = "report"
	library["seccomp.h"] = "base"; library["zlib.h"] = "artifact"
	library["elf.h"] = library["gelf.h"] = library["libelf.h"] = "elfcore"
	library["elfutils/libdw.h"] = library["elfutils/libdwfl.h"] = "elfcore"
}
function module_of(path,   part) {
	split(path, part, "/")
	if (part[1] == "src") return part[2]
	sub(/\.h$/, "", part[3])
	return part[3] in owner ? owner[part[3]] : part[3]
}
FNR == 1 { me = module_of(FILENAME); if (me !~ /^(un)?seal$/ && !(me in known)) fail("no such module: " me) }
/^#include <corescrub\// {
	it = $2
	gsub(/<corescrub\/|\/.*|\.h>.*|>/, "", it)
	if (it in owner) it = owner[it]
	if (me ~ /^(un)?seal$/ && it == "artifact") next
	if (!((me, it) in may)) fail("module " me " may not include " it)
}
/^#include </ {
	name = $2
	gsub(/[<>]/, "", name)
	if (name in library && index(" " library[name] " ", " " me " ") == 0)
		fail("library " name " is not for module " me)
}
function fail(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }
END { exit bad }
'
