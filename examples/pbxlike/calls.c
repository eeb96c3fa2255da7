/* SPDX-License-Identifier: Apache-2.0 */
#include "pbxlike.h"

#include <stdio.h>
#include <string.h>

/* Frames should be there to see in a backtrace, as they are in a large program. */
#define FRAME __attribute__((noinline))

static const struct codec ulaw = { "ulaw", 20 };

void call_init(struct pbx *pbx, struct call *call, unsigned id)
{
	const struct config *c = &pbx->config;
	const struct user *from = &c->users[id % c->n_users],
			  *to = &c->users[(id + 1) % c->n_users];

	call->id = id;
	call->user = from;
	pthread_mutex_init(&call->lock, NULL);
	snprintf(call->caller.number, sizeof(call->caller.number), "%s", from->callerid_number);
	snprintf(call->caller.name, sizeof(call->caller.name), "%s", from->callerid_name);
	snprintf(call->caller.uri, sizeof(call->caller.uri), "%s", from->contact);
	call->caller.remote = from->peer;
	call->caller.codec = &ulaw;
	snprintf(call->callee.number, sizeof(call->callee.number), "%s", to->callerid_number);
	snprintf(call->callee.name, sizeof(call->callee.name), "%s", to->callerid_name);
	snprintf(call->callee.uri, sizeof(call->callee.uri), "%s", to->contact);
	memcpy(&call->callee.remote, &c->trunk.peer, sizeof(c->trunk.peer));
	if (id % 2 == 0)
		snprintf(call->digits, sizeof(call->digits), "4012888888881881#");
}

void pbx_wait_parked(struct pbx *pbx, unsigned until)
{
	pthread_mutex_lock(&pbx->park_lock);
	while (pbx->n_parked < until)
		pthread_cond_wait(&pbx->parked, &pbx->park_lock);
	pthread_mutex_unlock(&pbx->park_lock);
}

void pbx_park(struct pbx *pbx, unsigned until)
{
	pthread_mutex_lock(&pbx->park_lock);
	pbx->n_parked++;
	pthread_cond_broadcast(&pbx->parked);
	pthread_mutex_unlock(&pbx->park_lock);
	pbx_wait_parked(pbx, until);
}

/* The crash of mode null: the callee's codec was never agreed on. */
static FRAME unsigned codec_frame_ms(const struct codec *codec)
{
	return codec->frame_ms;
}

static FRAME unsigned leg_bridge(struct leg *caller, struct leg *callee)
{
	char description[256];
	unsigned ms;

	snprintf(description, sizeof(description), "\"%s\" <%s> to %s", caller->name,
		 caller->number, callee->number);
	ms = codec_frame_ms(caller->codec) + codec_frame_ms(callee->codec);
	log_line("VERBOSE", "Bridged %s", description);
	return ms;
}

/* Waits for media; a lock cycle of mode deadlock goes from here to the list of calls. */
static FRAME void leg_wait(struct pbx *pbx, struct call *call, const char *callerid,
			   const char *sdp)
{
	pbx_park(pbx, 0);
	pthread_mutex_lock(&pbx->park_lock);
	while (!call->go_on)
		pthread_cond_wait(&pbx->wake, &pbx->park_lock);
	pthread_mutex_unlock(&pbx->park_lock);
	log_line("DEBUG", "Media of %s: %zu bytes of SDP", callerid, strlen(sdp));
	if (pbx->crash == CRASH_DEADLOCK) {
		pthread_mutex_lock(&call->lock);
		pbx_park(pbx, pbx->n_calls + 3);
		pthread_mutex_lock(&pbx->calls_lock);
	}
}

static FRAME int app_dial(struct pbx *pbx, struct call *call, const char *args,
			  const char *callerid)
{
	char dialed[128], *comma;

	snprintf(dialed, sizeof(dialed), "%s", args);
	comma = strchr(dialed, ',');
	if (comma)
		*comma = '\0';
	log_line("VERBOSE", "Called %s for %s", dialed, callerid);
	leg_wait(pbx, call, callerid, sip_sdp(call));
	return (int)leg_bridge(&call->caller, &call->callee);
}

static FRAME int dialplan_exec(struct pbx *pbx, struct call *call, const char *context,
			       const char *exten, const char *digits)
{
	char data[192], callerid[128], peer[80];
	struct sockaddr_storage trunk = { 0 };

	snprintf(callerid, sizeof(callerid), "\"%s\" <%s>", call->caller.name, call->caller.number);
	memcpy(&trunk, &pbx->config.trunk.peer, sizeof(pbx->config.trunk.peer));
	sockaddr_text(&trunk, peer, sizeof(peer));
	snprintf(data, sizeof(data), "PJSIP/%s/sip:%s@%s,30,b(%s)", pbx->config.trunk.name, exten,
		 peer, pbx->config.trunk.callerid);
	log_line("VERBOSE", "Executing [%s@%s:1] Dial(\"PJSIP/%s-%08x\", \"%s\")", exten, context,
		 call->user->name, call->id, data);
	return app_dial(pbx, call, data, callerid) + (int)strlen(digits);
}

void *call_thread(void *arg)
{
	struct call_arg *a = arg;
	struct pbx *pbx = a->pbx;
	struct call *call = a->call;
	char digit_log[64];

	sip_invite(pbx, call);
	if (call->id % 3 == 1)
		sip_bye(call);
	snprintf(digit_log, sizeof(digit_log), "%s", call->digits);
	for (const char *d = digit_log; *d; d++)
		log_line("DTMF", "DTMF end '%c' received on PJSIP/%s-%08x", *d, call->user->name,
			 call->id);
	dialplan_exec(pbx, call, "from-internal", call->callee.number, digit_log);
	return NULL;
}
