#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ast_debug_tools.conf is read and never run: what is not an assignment is named with its line, a file that
# can't be trusted is not read, and says why.
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
export ASTERISK_BIN=pbxlike
conf=ast_debug_tools.conf
mkdir "$work/in" && cd "$work/in" || exit 1
cp "$core" core.1
script() { "$CORESCRUB" ast_coredumper --dry-run "$@"; }

# refused NAME WORDS: the config on stdin names a value that we don't understand: nothing is done
refused() {
	cat >$conf
	rm -f x
	expect "$1: refused" 2 script core.1
	check "$1: says where and why" grep -q -e "$2" "$work/.err"
	check "$1: nothing ran" test ! -e x
}
refused "a command for a value" "$conf:2:.*only .(hostname)" <<'END'
# a comment
OUTPUTDIR=$(touch x)
END
refused "a command in double quotes" "$conf:1:" <<'END'
OUTPUTDIR="/tmp/$(touch x)"
END
refused "backquotes" "$conf:1:.*commands are not run" <<'END'
DATEOPTS=`touch x`
END
refused "backquotes in quotes" "$conf:1:.*commands are not run" <<'END'
DATEOPTS="`touch x`"
END
refused "a command behind a semicolon" "$conf:1:.*commands are not run" <<'END'
OUTPUTDIR=/tmp; touch x
END
refused "a command behind an assignment" "$conf:1:.*commands are not run" <<'END'
OUTPUTDIR=/tmp touch x
END
refused "a command in a list" "$conf:3:.*commands are not run" <<'END'
COREDUMPS=(
	/tmp/core*	# a comment
	$(hostname)`touch x`
)
END
refused "a command behind a list" "$conf:1:.*commands are not run" <<'END'
COREDUMPS=(/tmp/core*) && touch x
END
refused "a variable" "$conf:1:" <<'END'
OUTPUTDIR=$HOME/x
END
refused "a quote without an end" "$conf:1:.*not closed" <<'END'
OUTPUTDIR='/tmp
touch x
END
refused "a list without an end" "not closed" <<'END'
COREDUMPS=(/tmp/core* touch x
END
refused "a switch that is neither" "true or false" <<'END'
LATEST=yes
END

# named NAME WORDS: the rest of the config counts
named() {
	cat >$conf
	rm -f x
	expect "$1: goes on" 0 script core.1
	check "$1: says where and why" grep -q -e "$2" "$work/.err"
	check "$1: nothing ran" test ! -e x
}
named "a bare command" "$conf:1:.*no assignment" <<'END'
touch x
RENAME=false
END
check "the next line counts" sh -c "! grep -q Renaming '$work/.out'"
named "an if" "$conf:1:.*no assignment" <<'END'
if true; then touch x; fi
END
named "a function" "$conf:1:.*no assignment" <<'END'
f() { touch x; }
END
named "what would run" "$conf:1:.*what runs" <<'END'
GDB=./evil
END
named "an unknown variable" "$conf:1:.*nobody knows" <<'END'
PATH=.
END
printf 'RENAME=false\n#%01048576d\nRENAME=true\n' 0 | named "a line of 1 MB" "$conf:2:.*too long"
printf 'RENAME=false\nA=\000\n' | named "a NUL" "$conf:2:.*NUL"
head -c 3000000 /dev/zero | tr '\0' '\n' | named "a large file" "too large"

# not_read NAME WORDS: a config that is not to be believed
not_read() {
	expect "$1: goes on without it" 0 script core.1
	check "$1: says why" grep -q -e "$2" "$work/.err"
	check "$1: is not read" grep -q Renaming "$work/.out"
}
echo 'RENAME=false' >$conf
expect "it would count" 0 script core.1
check "indeed" sh -c "! grep -q Renaming '$work/.out'"
chmod 666 $conf
not_read "others can write to it" "others can write"
chmod 600 $conf
chmod 777 .
not_read "others can write to its folder" "others can write to the folder"
chmod 700 .
mv $conf real && ln -s real $conf
not_read "a link" "is a link"
rm $conf && mkfifo $conf
not_read "a fifo" "not a regular file"
rm $conf && cp real $conf
if [ "$(id -u)" = 0 ]; then
	chown 4321 $conf
	not_read "another user's file" "belongs to another user"
fi

# the old sample's shape, and the new one's
rm -f $conf x
mkdir out "with blank" && cp "$core" "with blank/core-pbxlike-1" && cp "$core" "core-$(uname -n)-1"
cp "$core" core-skipped.txt
cat >$conf <<END
# Unlike other config files
COREDUMPS=($work/in/core[-._]pbxlike!(*.txt) $work/in/core[-._]\$(hostname)!(*.txt) \\
	"$work/in/with blank"/core-?(no)@(pbxlike|other)+(-|1))
OUTPUTDIR="$work/in/out"	# a comment
DATEFORMAT='date -u +%FT%H-%M-%S%z'
export RENAME=false
LOGFILES=(/var/log/asterisk/messages* \\
	/var/log/asterisk/debug*)
LOG_DATEFORMAT="%m/%d-%H:%M:%S.%f"
TARBALL_RESULTS=true
END
expect "the sample" 0 "$CORESCRUB" ast_coredumper
check "without a word" test ! -s "$work/.err"
check "finds by its patterns" sh -c "test \$(grep -c ^Processing '$work/.out') = 2"
check "a blank in a folder's name" test -s out/core-pbxlike-1-full.txt
check "the host's name" test -s out/core-host-1.tar.gz
expect "the command line comes first" 0 "$CORESCRUB" ast_coredumper --no-tarball-results --latest --dry-run
check "one core" sh -c "test \$(grep -c ^Processing '$work/.out') = 1"
expect "--append-coredumps" 0 script --append-coredumps core.1
check "three cores" sh -c "test \$(grep -c ^Processing '$work/.out') = 3"
expect "--no-default-search" 1 script --no-default-search
finish
