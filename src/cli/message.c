/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* How messages look in this run; set once, from the options. */
static struct {
	bool quiet, verbose, color, progress;
	bool line_open;			/* a progress line stands on the terminal */
	struct timespec start;
} how;

bool message_color_known(const char *when)
{
	return strcmp(when, "auto") == 0 || strcmp(when, "always") == 0 || strcmp(when, "never") == 0;
}

static bool wants_color(const char *when)
{
	if (when && strcmp(when, "always") == 0)
		return true;
	if (when && strcmp(when, "never") == 0)
		return false;
	return isatty(STDERR_FILENO) && !getenv("NO_COLOR");
}

void message_init(const struct common_options *o)
{
	how.quiet = o->quiet;
	how.verbose = o->verbose;
	how.color = wants_color(o->color);
	how.progress = !o->quiet && !o->no_progress && isatty(STDERR_FILENO);
	clock_gettime(CLOCK_MONOTONIC, &how.start);
}

/* Names may hold anything: control bytes are shown, not sent to the terminal. */
static void put_shown(const char *s)
{
	for (; *s; s++) {
		unsigned char c = *s;

		if (c < 0x20 || c == 0x7f)
			fprintf(stderr, "\\%03o", c);
		else
			putc(c, stderr);
	}
}

static void put_line(const char *word, const char *color, const char *text)
{
	message_progress_end();
	fprintf(stderr, "corescrub: %s%s:%s ", how.color ? color : "", word, how.color ? "\033[0m" : "");
	put_shown(text);
	putc('\n', stderr);
}

void message_error(const struct err *err)
{
	char place[400] = "";

	if (err->file[0] && err->line)
		snprintf(place, sizeof(place), "%s:%u:%u: ", err->file, err->line, err->col);
	else if (err->file[0])
		snprintf(place, sizeof(place), "%s: ", err->file);
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", place, err->msg);
	put_line("error", "\033[31m", text);
	if (err->hint[0])
		put_line("hint", "\033[36m", err->hint);
}

void message_warn(const char *text)
{
	put_line("warning", "\033[33m", text);
}

void message_note(const char *text)
{
	if (how.verbose)
		put_line("note", "", text);
}

void message_progress_end(void)
{
	if (how.line_open)
		fputs("\r\033[K", stderr);
	how.line_open = false;
}

static bool half_a_second_passed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - how.start.tv_sec) * 1000 + (now.tv_nsec - how.start.tv_nsec) / 1000000 >
	       500;
}

static void listener_progress(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
	(void)ctx;
	if (!how.progress || !half_a_second_passed())
		return;
	fprintf(stderr, "\r\033[Kcorescrub: %s", phase);
	if (total)
		fprintf(stderr, " %llu%%", (unsigned long long)(done * 100 / total));
	fflush(stderr);
	how.line_open = true;
}

static void listener_note(void *ctx, const char *text)
{
	(void)ctx;
	message_note(text);
}

static void listener_warn(void *ctx, const char *text)
{
	(void)ctx;
	message_warn(text);
}

struct run_listener message_listener(const struct common_options *o)
{
	(void)o;
	return (struct run_listener){
		.progress = listener_progress, .note = listener_note, .warn = listener_warn
	};
}

int message_exit(const struct err *err)
{
	switch (err->code) {
	case RC_USAGE:
	case RC_SYNTAX:
	case RC_REFUSED:
	case RC_EXISTS:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

/* Whoever read what we print has gone: head(1) has what it wanted. */
static bool reader_is_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

int print_end(int code)
{
	static bool said;
	struct err err = ERR_INIT;

	errno = 0;	/* what was lost before this call has none any more */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (!said && !reader_is_gone()) {
		if (errno)
			err_errno(&err, RC_IO, "can't write standard output");
		else
			err_set(&err, RC_IO, "can't write standard output");
		message_error(&err);
	}
	said = true;
	return EXIT_FAILED;
}

int print_buf(const struct buf *b)
{
	if (b->len)
		fwrite(b->p, 1, b->len, stdout);
	return print_end(EXIT_DONE);
}
