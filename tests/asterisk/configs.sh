#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# configs.sh FOLDER: an Asterisk with the planted secrets in its configs, on the loopback.
set -eu
cd "$1"
cat >pjsip.conf <<'END'
[loopback]
type=transport
protocol=udp
bind=127.0.0.1:5071

[sipp]
type=identify
endpoint=caller
match=127.0.0.1

[caller]
type=endpoint
context=calls
disallow=all
allow=ulaw
auth=
aors=caller
trust_id_inbound=yes

[caller]
type=aor
max_contacts=50

[desk]
type=endpoint
context=calls
disallow=all
allow=ulaw
auth=desk-auth
aors=desk
callerid="Henrike Quandt" <+4930555014277>

[desk-auth]
type=auth
auth_type=userpass
username=desk
password=Gannet-Quarry-7719

[desk]
type=aor
max_contacts=1

[carrier]
type=registration
transport=loopback
outbound_auth=carrier-auth
server_uri=sip:127.0.0.1:5099
client_uri=sip:desk@127.0.0.1:5099

[carrier-auth]
type=auth
auth_type=userpass
username=desk
password=Sedge-0417-lantern
END
cat >extensions.conf <<'END'
[globals]
DBPASS=Tern!Basalt-3301

[calls]
exten => _X.,1,Answer()
 same => n,Set(__PEERPASS=Sedge-0417-lantern)
 same => n,Set(CDR(userfield)=${CALLERID(name)} from 203.0.113.88)
 same => n,Gosub(held,s,1(${CALLERID(num)},${DBPASS}))
 same => n,Hangup()

[held]
exten => s,1,NoOp(${ARG1} with ${ARG2})
 same => n,Wait(120)
 same => n,Return()
END
cat >manager.conf <<'END'
[general]
enabled = yes
bindaddr = 127.0.0.1
port = 5041

[operator]
secret = Marlin-55-slate-oak
read = all
write = all
END
cat >voicemail.conf <<'END'
[general]
format=wav
[default]
4277 => 7719,Henrike Quandt,h.quandt@example.org
END
cat >logger.conf <<'END'
[general]
[logfiles]
messages => notice,warning,error
END
