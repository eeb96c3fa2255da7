/* SPDX-License-Identifier: Apache-2.0 */
#include "pbxlike.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static FILE *log_file;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

int log_open(const char *path)
{
	log_file = fopen(path, "we");
	if (!log_file)
		return -1;
	setvbuf(log_file, NULL, _IOLBF, 0);	/* whole when we crash */
	return 0;
}

void log_line(const char *level, const char *fmt, ...)
{
	char date[32];
	time_t now = time(NULL);
	struct tm tm;
	va_list ap;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", gmtime_r(&now, &tm));
	pthread_mutex_lock(&log_lock);
	fprintf(log_file, "[%s] %s: ", date, level);
	va_start(ap, fmt);
	vfprintf(log_file, fmt, ap);
	va_end(ap);
	fputc('\n', log_file);
	pthread_mutex_unlock(&log_lock);
}
