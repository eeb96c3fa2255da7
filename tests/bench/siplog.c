/* SPDX-License-Identifier: Apache-2.0 */
/* siplog MEGABYTES: a SIP log as a busy exchange writes it, the same bytes every time. Addresses
   are of the documentation ranges, numbers of those reserved for fiction. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define USERS 20000

static uint64_t state = 0x9e3779b97f4a7c15;
static uint64_t written;

static uint32_t pick(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

#define PUT(...) (written += printf(__VA_ARGS__))

struct user {
	unsigned id, host, port;
};

static struct user some_user(void)
{
	unsigned id = pick(USERS);

	return (struct user){ id, id * 7919 % 254 + 1, 5060 + id % 7 };
}

static const char *net(unsigned id)
{
	static const char *const nets[] = { "192.0.2", "198.51.100", "203.0.113" };

	return nets[id % 3];
}

static void number(char ret[24], unsigned id)
{
	snprintf(ret, 24, "+1%03u55501%02u", 201 + id / 100 % 780, id % 100);
}

static void put_sdp(struct user u)
{
	unsigned port = 10000 + 2 * pick(5000);

	PUT("v=0\r\no=- %u %u IN IP4 %s.%u\r\ns=session\r\nc=IN IP4 %s.%u\r\nt=0 0\r\n", 3900000000u + u.id,
	    3900000001u + u.id, net(u.id), u.host, net(u.id), u.host);
	PUT("m=audio %u RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
	    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n",
	    port);
}

static void put_message(unsigned clock)
{
	static const char *const first[] = {
		"Ann", "Bert", "Carla", "Dmitri", "Elif", "Frank", "Grete", "Hugo", "Ines", "Jan",
		"Kirsten", "Luis",
	};
	static const char *const last[] = {
		"Archer", "Bergmann", "Castillo", "Dvorak", "Eriksen", "Fontaine", "Grimaldi", "Hopper",
		"Ivanova", "Jansen", "Kowalski", "Lindqvist", "Moreau", "Novak", "Okafor",
	};
	static const char *const methods[] = { "INVITE", "REGISTER", "OPTIONS", "BYE" };
	struct user a = some_user(), b = some_user();
	const char *method = methods[pick(4)];
	char from[24], to[24];

	number(from, a.id);
	number(to, b.id);
	PUT("[2026-11-23 %02u:%02u:%02u] VERBOSE[%u] res_pjsip_logger.c: <--- Received SIP request (%u "
	    "bytes) from UDP:%s.%u:%u --->\r\n",
	    clock / 3600 % 24, clock / 60 % 60, clock % 60, 2000 + pick(60), 600 + pick(900), net(a.id),
	    a.host, a.port);
	PUT("%s sip:%s@pbx.example.com:5060 SIP/2.0\r\n", method, to);
	PUT("Via: SIP/2.0/UDP %s.%u:%u;branch=z9hG4bK%08x%08x;rport\r\nMax-Forwards: 70\r\n", net(a.id),
	    a.host, a.port, pick(~0u), pick(~0u));
	PUT("From: \"%s %s\" <sip:%s@%s.%u>;tag=%08x\r\nTo: <sip:%s@pbx.example.com>\r\n",
	    first[a.id % 12], last[a.id / 12 % 15], from,
	    net(a.id), a.host, pick(~0u), to);
	PUT("Contact: <sip:%s@%s.%u:%u;transport=udp>\r\nCall-ID: %08x%08x@%s.%u\r\nCSeq: %u %s\r\n", from,
	    net(a.id), a.host, a.port, pick(~0u), pick(~0u), net(a.id), a.host, 1 + pick(90), method);
	if (pick(3) == 0)
		PUT("Authorization: Digest username=\"user%u\", realm=\"asterisk\", nonce=\"%u/%08x%08x\", "
		    "uri=\"sip:pbx.example.com\", response=\"%08x%08x%08x%08x\", algorithm=MD5, qop=auth, "
		    "cnonce=\"%08x\", nc=00000001\r\n",
		    a.id, 1795390000 + clock, pick(~0u), pick(~0u), pick(~0u), pick(~0u), pick(~0u),
		    pick(~0u), pick(~0u));
	PUT("User-Agent: Phone 7.%u.%u\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY\r\n"
	    "Supported: replaces, 100rel, timer\r\nContent-Type: application/sdp\r\nContent-Length: %u"
	    "\r\n\r\n",
	    pick(9), pick(30), 200 + pick(99));
	if (method[0] == 'I')
		put_sdp(a);
	PUT("\r\n");
}

static void put_dialplan(unsigned clock)
{
	struct user a = some_user();
	char to[24];
	unsigned call = pick(100000);

	number(to, a.id);
	for (unsigned i = 1; i <= 4; i++)
		PUT("[2026-11-23 %02u:%02u:%02u] VERBOSE[%u][C-%08x] pbx.c: Executing [%s@from-internal:%u] "
		    "%s(\"PJSIP/user%u-%08x\", \"%s\") in new stack\n",
		    clock / 3600 % 24, clock / 60 % 60, clock % 60, 2000 + pick(60), call, to + 1, i,
		    i == 4 ? "Dial" : "NoOp", a.id, call, i == 4 ? "PJSIP/trunk,30" : "step");
	PUT("[2026-11-23 %02u:%02u:%02u] DEBUG[%u] channel.c: Channel PJSIP/user%u-%08x setting read "
	    "format path: ulaw -> ulaw\n",
	    clock / 3600 % 24, clock / 60 % 60, clock % 60, 2000 + pick(60), a.id, call);
}

int main(int argc, char **argv)
{
	uint64_t want = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1) * 1000 * 1000;

	for (unsigned clock = 0; written < want; clock++) {
		put_message(clock / 20);
		if (pick(3) == 0)
			put_dialplan(clock / 20);
	}
	return 0;
}
