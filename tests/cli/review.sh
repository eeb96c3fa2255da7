#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The walk through a report's findings in a terminal of 80×24: accept, keep, add, undo, quit, resume; the
# report made again shows the decisions and nothing else, and tells nobody a value. Approvals of both.
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
cd "$work" || exit 1
export XDG_STATE_HOME=$work/state SOURCE_DATE_EPOCH=1795400000
decisions=state/corescrub/first.decisions
"$CORESCRUB" keygen --token-key -o key
report() { "$CORESCRUB" report -q "$core" --key-file key "$@"; }

in_tmux() { tmux -S "$work/tmux" -f /dev/null "$@"; }
# terminal COMMAND: runs it in a terminal; what it writes goes to .raw
terminal() {
	in_tmux kill-server 2>/dev/null
	: >.raw
	in_tmux new-session -d -x 80 -y 24 "sleep 0.3; $1; echo \"ended \$?\"; sleep 60" &&
		in_tmux pipe-pane -o "cat >>'$work/.raw'"
}
# answered TEXT: waits until it stands in one of the screen's last lines
answered() {
	for _ in $(seq 200); do
		in_tmux capture-pane -p >.screen
		grep -v '^$' .screen | tail -n 4 | grep -qF -e "$1" && return 0
		sleep 0.05
	done
	echo "not seen: $1"
	cat .screen
	return 1
}
# answer LINE TEXT: types it, and waits for the answer
answer() {
	in_tmux send-keys -l -- "$1" && in_tmux send-keys Enter && sleep 0.1 && answered "$2"
}
# The token that is asked about.
shown() { grep -o '^[a-z0-9-]*, [a-z.-]*[^:]*: \[[^]]*\]' .screen | tail -n 1 | sed 's/.*: //'; }
trap 'in_tmux kill-server 2>/dev/null; rm -rf "$work"' EXIT

expect "a report" 0 report --case first -o one
walk="'$CORESCRUB' review one"
terminal "$walk"
check "the walk begins" answered '(1/'
check "and shows where a token stands" grep -q '^core-pbxlike-null-.*.txt:[0-9]* (place 1 of ' .screen
kept=$(shown)
value=$(sed -n "s/^stood for: //p" .screen | tail -n 1)
check "the original is shown, from the private map" grep -qF "token $kept phone \"$value\"" \
	state/corescrub/first.map
check "keep asks why" answer k 'keep, why?'
check "keep" answer 'our own test line' 'accept this token'
accepted=$(shown)
check "another one is asked about" [ "$accepted" != "$kept" ]
check "accept" answer a 'accept this token'
check "add asks what" answer r 'a text'
check "add asks its kind" answer PJSIP/carrier 'what is it'
check "add" answer host 'accept this token'
check "add a pattern that is none" answer r 'a text'
check "is refused" answer '/(/' 'accept this token'
check "with a reason" grep -q parenthes .screen
check "add a pattern" answer r 'a text'
check "of a kind" answer '/SIP.2[.][0-9]/' 'what is it'
check "added" answer account 'accept this token'
check "undo it" answer u 'accept this token'
undone=$(shown)
check "accept one more" answer a 'accept this token'
check "undo that" answer u 'accept this token'
check "back to where it was" [ "$(shown)" = "$undone" ]
check "one step fills the screen at most" sh -c "grep -q '^phone, ' .screen && grep -q '^(' .screen"
in_tmux kill-server
check "after a kill the decisions are there" [ "$(stat -c %a "$decisions")" = 600 ]
printf '%s\n' "keep: \"$kept\"" "accept: \"$accepted\"" 'redact: "PJSIP/carrier"' >wanted
check "just those" sh -c "sed -n 's/^  - \(keep\|accept\|redact[a-z-]*\):/\1:/p' $decisions | cmp - wanted"
terminal "TERM=dumb $walk"
check "resumed" answered 'accept this token'
check "where it stopped" [ "$(shown)" = "$undone" ]
check "stop" answer s 'ended 3'
check "a dumb terminal gets plain lines" sh -c "! grep -q \"\$(printf '\\033')\" .raw"
in_tmux kill-server

expect "made again" 0 report --decisions "$decisions" -o two
report --decisions "$decisions" -o three
check "the same bytes each time" cmp two/*.tar.gz three/*.tar.gz
added=$(grep -aho '\[host~[a-z0-9]*\]' two/*-full.txt | head -n 1)
digits=$(echo "$value" | tr -d +)
quoted() { echo "$1" | sed 's/[][]/\\&/g'; }
same() {
	for text in thread1 brief full locks info; do
		sed "s/$(quoted "$kept")/VALUE/g; s|PJSIP/carrier|ADDED|g" one/*-$text.txt >a
		sed "s/+\{0,1\}$digits/VALUE/g; s/$(quoted "$added")/ADDED/g" two/*-$text.txt >b
		diff a b | head -n 10
		cmp a b || return 1
	done
}
check "it shows the decisions and nothing else" same
check "the kept value stands there" grep -qF "$value" two/*-full.txt
check "the added text does not" sh -c '! grep -rqaF PJSIP/carrier two'
grep -vF "$digits" "$top/examples/pbxlike/planted.txt" >planted
check "no other value does" "$top/tests/cli/plants.py" planted two
check "the manifest counts them" sh -c "cat two/*-manifest.json | tr -d ' \n' | grep -q '\"accept\":1,\"keep\":1,\"redact\":1'"
check "and names their digest" grep -q "$(sha256sum <"$decisions" | cut -c 1-64)" two/core-pbxlike-null-manifest.json
check "but no reason" sh -c "! grep -rq 'our own test line' two"
check "the package holds what it says" "$top/tests/cli/package.py" two/*.tar.gz
echo "call from $value to 203.0.113.9" >log
expect "scrub does the same" 0 "$CORESCRUB" scrub --decisions "$decisions" --key-file key log
check "with the value kept" grep -qF "from $value to [ip4" .out
expect "decisions need the key" 2 "$CORESCRUB" report "$core" --decisions "$decisions" -o none
"$CORESCRUB" keygen --token-key -o other
expect "and no other" 2 "$CORESCRUB" report "$core" --key-file other --decisions "$decisions" -o none
expect "nor another case" 2 report --case second --decisions "$decisions" -o none
chmod 640 "$decisions"
expect "nor eyes of others" 2 report --decisions "$decisions" -o none
chmod 600 "$decisions"
expect "a package can be walked too, without a terminal" 0 sh -c \
	"yes A | '$CORESCRUB' review --decisions all two/*.tar.gz"
check "that is all of it" grep -q ' 0 of [0-9]* findings left' .out
"$CORESCRUB" report -q "$core" -o random
expect "a key that is gone keeps nothing" 3 sh -c "printf 'A\nk\ns\n' | '$CORESCRUB' review random"
check "and says so" grep -q "key is gone" .out

# approvals: credentials stay only with one
for name in alice bob mallory; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$name"; done
for name in alice bob; do echo "$name@example.com $(cat $name.pub)"; done >signers
chmod 600 signers
secret=$(grep -aho '\[secret~[a-z0-9]*\]' two/*-full.txt | head -n 1)
{ cat "$decisions" && printf '  - keep: "%s"\n    reason: "a test password"\n' "$secret"; } >secret
chmod 600 secret
approve() { "$CORESCRUB" review one --approve "$1" --sign-key "$1" --decisions secret -o "$2" --purpose test; }
with() { report --decisions secret --allowed-signers signers --approval "$1" -o "$2"; }
expect "a credential is not kept without an approval" 2 report --decisions secret -o none
expect "alice approves" 0 approve alice good.json
expect "then it is" 0 with good.json approved
check "it stands there" sh -c "! grep -rqaF '$secret' approved"
final=$(ls approved/*.tar.gz)
"$CORESCRUB" review "$final" --approve bob --sign-key bob >/dev/null
expect "verify lets it be, with both approvals" 0 "$CORESCRUB" verify "$final" --decisions secret \
	--key-file key --require-approval signers --approval good.json --approval "$final.bob.approval.json"
expect "and not without" 2 "$CORESCRUB" verify "$final" --decisions secret --key-file key
expect "mallory is not listed" 0 approve mallory bad.json
expect "so it is not kept" 2 with bad.json none
sed 's/"purpose": "test"/"purpose": "more"/' good.json >changed.json
cp good.json.sig changed.json.sig
expect "a changed approval is none" 2 with changed.json none
sed 's/"not_after": "[0-9]*/"not_after": "2001/' good.json >old.json
ssh-keygen -q -Y sign -n corescrub-approval -f alice old.json 2>/dev/null
expect "an expired one is none" 2 with old.json none
cp good.json space.json
ssh-keygen -q -Y sign -n file -f alice space.json 2>/dev/null
expect "nor one of another namespace" 2 with space.json none
echo '# one more line' >>secret
expect "nor one of other decisions" 2 with good.json none
check "ssh-keygen itself can check one" sh -c "ssh-keygen -Y verify -n corescrub-approval -f signers \
	-I alice@example.com -s good.json.sig <good.json"
check "nothing was written for what was refused" [ ! -e none ]

# sign-off: the package as it goes out, by distinct keys of the verifier's list
package=$(ls two/*.tar.gz)
sign() { "$CORESCRUB" review "$package" --approve "$1" --sign-key "$1" --purpose 'a tracker'; }
signed() { "$CORESCRUB" verify "$package" --decisions "$decisions" --key-file key --require-approval signers "$@"; }
expect "unsigned: refused" 3 signed
sign alice >/dev/null
sign mallory >/dev/null
expect "signed by alice" 0 signed
expect "mallory does not count" 3 signed --min-approvals 2
check "and it is said why" grep -q 'no listed key' .err
mv "$package.alice.approval.json" "$package.again.approval.json"
mv "$package.alice.approval.json.sig" "$package.again.approval.json.sig"
sign alice >/dev/null
expect "alice twice is one" 3 signed --min-approvals 2
sign bob >/dev/null
expect "alice and bob are two" 0 signed --min-approvals 2
expect "the folder's manifest is the same" 0 "$CORESCRUB" verify two --decisions "$decisions" --key-file key --require-approval signers \
	--approval "$package.bob.approval.json"
expect "not of another manifest" 3 "$CORESCRUB" verify approved/*.tar.gz --require-approval signers \
	--approval "$package.bob.approval.json"
check "and it is said which" grep -q 'another manifest' .err
mkdir both && cp one/*manifest.json both/1-manifest.json && cp two/*manifest.json both/2-manifest.json
expect "one approval is of one report" 2 "$CORESCRUB" review both --approve bob --sign-key bob
expect "not for a file without one" 3 "$CORESCRUB" verify log --require-approval signers \
	--approval "$package.bob.approval.json"
chmod 666 signers
expect "a list that others can write is refused" 2 signed
chmod 600 signers

# open items hold the package back until a person lets them pass
cat >limit.c <<'END'
#include <stdlib.h>
int main(void)
{
	char line[] = "abababababababababababababababababababababababab";

	abort();
	return line[0];
}
END
${CC:-cc} -g -o limit limit.c
gdb -nx -batch -ex run -ex 'generate-core-file core.limit' -ex kill ./limit >/dev/null 2>&1
cat >limit.yaml <<'END'
pack: limit
rules:
  - id: steps
    kind: name
    match:
      regex: '([ab]+[ab]+)+[yz]'
    where: [string, text]
END
limit() { "$CORESCRUB" report -q core.limit --rules limit.yaml --key-file key --case limit "$@"; }
expect "an open item: a person is needed" 3 limit -o open
check "and there is no package" sh -c '! ls open/*.tar.gz'
expect "a walk that leaves one" 3 sh -c "printf 'a\ns\n' | '$CORESCRUB' review open"
check "says that it is open" grep -q '^OPEN ITEM: ' .out
expect "does not release it" 3 limit --decisions state/corescrub/limit.decisions -o still
expect "a whole walk" 0 sh -c "yes A | '$CORESCRUB' review open"
expect "releases it" 0 limit --decisions state/corescrub/limit.decisions -o released
check "with a package" sh -c 'ls released/*.tar.gz'
check "that says how" grep -q '"open_accepted": "review"' released/core.limit-manifest.json
expect "--accept-open releases all" 0 limit --accept-open -o accepted
check "and says so" grep -q '"open_accepted": "option"' accepted/core.limit-manifest.json
finish
