#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The benchmark table: each row a ratio against a baseline measured in the same run, median of RUNS (5)
# pairs. MB sets the size of the SIP log (200).
set -eu
cd "$(dirname "$0")/../.."
B=$PWD/${B:-build}
program=$B/corescrub
runs=${RUNS:-5} megabytes=${MB:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state LC_ALL=C.UTF-8

# pair NAME LIMIT BASELINE A B: median of time(A) / time(B); shell commands
pair() {
	tests/bench/pair.py --runs "$runs" "$@"
}
make -s "$B/tests/bench/siplog" "$B/tests/bench/in_turn"
head -c 2000 /dev/urandom >/dev/null
"$B/tests/bench/siplog" "$megabytes" >"$work/sip.log"
echo 'NOTICE: Failed to authenticate from 203.0.113.9' >"$work/line"
printf '%-44s %8s %8s  %s\n' row ratio limit 'baseline (median seconds of each)'

tests/bench/pair.py --runs 15 --absolute 0.100 "one line through scrub" \
	"$program scrub <$work/line >/dev/null" "true"
pair --limit 1.667 "SIP log through scrub / gzip -1" \
	"$program scrub --no-learn <$work/sip.log >/dev/null" "gzip -1 <$work/sip.log >/dev/null"
