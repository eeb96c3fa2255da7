#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Damaged cores: an error or a scrubbed core, in bounded memory. MUTATIONS says how many of each (8).
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
count=${MUTATIONS:-8}
cp "$(example_core null)" core.pbx || exit 1
"$CORESCRUB" keygen --token-key -o key
# the sanitizer's own tables are larger than any limit
[ -n "$SANITIZE" ] || ulimit -v 4194304
for keep in "" "--keep=stacks"; do
	check "$count damaged cores $keep" "$top/tests/cli/mutate.py" "$count" core.pbx out \
		"$CORESCRUB" core -q --key-file key --case c $keep -o out core.pbx.damaged
	tail -n 1 .check
done
finish
