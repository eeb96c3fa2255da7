/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* Passphrases come from the terminal, whatever stdin is: never from an argument or the
   environment. */

#define PASSPHRASE_MAX 1024
#define CTRL_C 3

/* A line without its end. Signals are typed as bytes meanwhile, so that none leaves the terminal
   mute. */
static int read_line(int tty, char *line, size_t *ret_n, struct err *err)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t got = read(tty, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, RC_IO, "can't read from the terminal");
		if (got == 0 || c == CTRL_C)
			return err_set(err, RC_REFUSED, "no passphrase was given");
		if (c == '\n' || c == '\r')
			break;
		if (n == PASSPHRASE_MAX)
			return err_set(err, RC_REFUSED, "a passphrase has at most %d bytes", PASSPHRASE_MAX);
		line[n++] = c;
	}
	*ret_n = n;
	return RC_OK;
}

static int ask(int tty, const char *prompt, struct secret **ret, struct err *err)
{
	struct termios shown, mute;
	char line[PASSPHRASE_MAX];
	size_t n = 0;
	int rc;

	if (tcgetattr(tty, &shown) < 0)
		return err_errno(err, RC_IO, "can't ask at the terminal");
	mute = shown;
	mute.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	mute.c_lflag |= ICANON;
	if (tcsetattr(tty, TCSAFLUSH, &mute) < 0)
		return err_errno(err, RC_IO, "can't ask at the terminal");
	rc = file_write_all(tty, span_str(prompt), "the terminal", err);
	if (rc == RC_OK)
		rc = read_line(tty, line, &n, err);
	tcsetattr(tty, TCSADRAIN, &shown);
	(void)!write(tty, "\n", 1);
	if (rc == RC_OK && n == 0)
		rc = err_set(err, RC_REFUSED, "the passphrase is empty");
	if (rc == RC_OK)
		*ret = secret_new(line, n);
	secret_wipe(line, sizeof(line));
	return rc;
}

static int open_terminal(int *ret_fd, struct err *err)
{
	*ret_fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (*ret_fd >= 0)
		return RC_OK;
	err_set(err, RC_REFUSED, "there is no terminal to ask for a passphrase at");
	err_hint(err, "recipients need none: --encrypt-to to pack, -i to open");
	return RC_REFUSED;
}

int passphrase_ask(struct secret **ret, struct err *err)
{
	AUTO_CLOSE int tty = -1;
	int rc = open_terminal(&tty, err);

	message_progress_end();
	return rc < 0 ? rc : ask(tty, "Passphrase: ", ret, err);
}

int passphrase_ask_twice(struct secret **ret, struct err *err)
{
	AUTO_CLOSE int tty = -1;
	AUTO(secret) first = NULL;
	AUTO(secret) again = NULL;
	int rc = open_terminal(&tty, err);

	if (rc == RC_OK)
		rc = ask(tty, "Passphrase for the hand-off: ", &first, err);
	if (rc == RC_OK)
		rc = ask(tty, "The same passphrase again: ", &again, err);
	if (rc < 0)
		return rc;
	if (!secret_eq(first, again))
		return err_set(err, RC_REFUSED, "the two passphrases differ");
	*ret = STEAL(first);
	return RC_OK;
}
