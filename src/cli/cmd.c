/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <fcntl.h>
#include <stdio.h>

int cmd_begin(const struct cmd *cmd, int argc, char **argv, void *to, struct strings *ret_args,
	      struct err *err)
{
	const struct common_options *common = to;
	int rc = opt_parse(cmd, argc, argv, to, ret_args, err);

	message_init(common);
	if (rc < 0)
		return rc;
	if (common->help) {
		opt_help(cmd);
		return CMD_HELP;
	}
	if (common->version) {
		printf("corescrub %s\n", CORESCRUB_VERSION);
		return CMD_HELP;
	}
	rc = opt_settings(cmd, to, err);
	message_init(common);
	if (rc == RC_OK && common->color && !message_color_known(common->color))
		return err_set(err, RC_USAGE, "--color takes auto, always or never");
	return rc;
}

int cmd_end(const struct cmd *cmd, void *o, struct strings *args, int rc, const struct err *err)
{
	message_progress_end();
	if (rc < 0)
		message_error(err);
	opt_done(cmd, o);
	strings_done(args);
	if (rc == CMD_HELP)
		return print_end(EXIT_DONE);
	return print_end(rc < 0 ? message_exit(err) : rc);
}

int check_folder(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	return path && fd < 0 ? err_errno(err, RC_NOTFOUND, "can't open folder %s", path) : RC_OK;
}

struct run_options common_run_options(const struct common_options *o)
{
	return (struct run_options){
		.rules = strings_list(&o->rules), .policy = o->policy, .key_file = o->key_file,
		.map_recipients = strings_list(&o->map_recipients),
	};
}
