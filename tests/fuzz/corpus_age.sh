#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the corpus of fuzz_age anew: files for the specification's example key, armored and not, and keys
# of every kind. Keys and salts are random, so the bytes differ from run to run.
set -eu
cd "$(dirname "$0")/../.."
to=tests/fuzz/corpus/age
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$to" && mkdir -p "$to"
recipient=age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj

ssh-keygen -q -t ed25519 -N '' -C test -f "$to/identity-ed25519"
ssh-keygen -q -t rsa -b 2048 -N '' -C test -f "$to/identity-rsa"
ssh-keygen -q -t ed25519 -N locked -C test -f "$to/identity-locked"
rm "$to/identity-locked.pub"
age-keygen -o "$to/identity-x25519" 2>/dev/null
chmod 644 "$to"/identity-*
{
	echo "# comment"
	echo "$recipient"
	cat "$to/identity-ed25519.pub" "$to/identity-rsa.pub"
} >"$to/recipients"
: | age -r "$recipient" >"$to/empty.age"
echo text | age -r "$recipient" >"$to/text.age"
echo text | age -a -r "$recipient" >"$to/armored.age"
echo text | age -R "$to/recipients" >"$to/several.age"
echo text | age -a -R "$to/recipients" | sed 's/$/\r/' >"$to/armored-crlf.age"
printf -- 'age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n%s\n--- %s\n' \
	hjabGXwSLQ9c3S6Lw2i+S2Tu2fiwQHHslbBN6B41FLE \
	WyJp9F/9FOZh7gJdheq2WIJcwHgYc8NIVh3ddwhrcNg >"$to/passphrase.age"
