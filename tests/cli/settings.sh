#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# corescrub.yaml: from /etc and the user's own folder, never from where we stand; only if nobody else could
# have written it; the command line comes first.
. "$(dirname "$0")/functions.sh"
mkdir -p "$work/xdg/corescrub" "$work/stand" && cd "$work/stand" || exit 1
export XDG_CONFIG_HOME="$work/xdg"
own=$work/xdg/corescrub/corescrub.yaml
echo 'from 203.0.113.9' >text
# uses NAME FILE: the settings in FILE take effect, by a policy that there is not
expect "without settings" 0 "$CORESCRUB" scrub text

echo 'policy: nowhere' >corescrub.yaml
expect "where we stand is not looked at" 0 "$CORESCRUB" scrub text
cp corescrub.yaml "$own"
if [ "$(id -u)" = 0 ]; then
	expect "root has no settings of its own" 0 "$CORESCRUB" scrub text
else
	expect "the user's own" 2 "$CORESCRUB" scrub text
	expect "the command line comes first" 0 "$CORESCRUB" scrub --policy public text
fi
expect "--config" 2 "$CORESCRUB" scrub --config "$own" text
expect "--config, the command line first" 0 "$CORESCRUB" scrub --config "$own" --policy public text

chmod 666 "$own"
expect "a file that others can write" 2 "$CORESCRUB" scrub --policy public --config "$own" text
check "says why" grep -q 'others can write' "$work/.err"
chmod 600 "$own"
chmod 777 "$work/xdg"
expect "a folder above it that others can write" 2 "$CORESCRUB" scrub --policy public --config "$own" text
check "says which" grep -q 'others can write to the folder' "$work/.err"
chmod 700 "$work/xdg"
ln -s "$own" link
expect "a link to a good one" 0 "$CORESCRUB" scrub --policy public --config link text
mkdir -m 777 loose && cp "$own" loose/real && ln -s "$PWD/loose/real" link2
expect "a link to where others can write" 2 "$CORESCRUB" scrub --policy public --config link2 text
if [ "$(id -u)" = 0 ]; then
	chown 4321 "$own"
	expect "another user's file" 2 "$CORESCRUB" scrub --policy public --config "$own" text
	check "says so" grep -q 'belongs to another user' "$work/.err"
fi
printf 'policy: public\nnonsense: 1\n' >odd.yaml
expect "an unknown key" 2 "$CORESCRUB" scrub --config odd.yaml text
check "is named with its place" grep -q 'odd.yaml:2:1' "$work/.err"
printf 'ast_coredumper:\n  rename: true\n  tarball-results: true\n  asterisk-bin: pbxlike\n' >dropin.yaml
expect "a verb's own" 1 "$CORESCRUB" ast_coredumper --config dropin.yaml --no-default-search
finish
