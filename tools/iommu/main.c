// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl: what can be given to user space through /dev/iommu, who has it, and why not.
 * Here are the commands and the command line.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommuctl.h"
#include "report.h"
#include "sysfs.h"

#define MANY 1000

#ifndef VERSION
#define VERSION "unknown"
#endif

enum {
	OPTION_JSON = 1 << 0,
	OPTION_DRY_RUN = 1 << 1,
	OPTION_FORCE = 1 << 2,
	OPTION_GROUP = 1 << 3,
	OPTION_DRIVER = 1 << 4,
	OPTION_SIZE = 1 << 5,
	OPTION_HELP = 1 << 6,
};

/**
 * struct command - One of the commands
 * @name: What the user types
 * @args: What comes after it, for the help
 * @help: What it does
 * @options: OPTION_… it takes
 * @min_args: How many arguments it needs
 * @max_args: How many it takes
 * @run: Does it, returns an exit code
 */
struct command {
	const char *name, *args, *help;
	unsigned int options;
	int min_args, max_args;
	int (*run)(const struct options *options);
};

static const struct command commands[] = {
	{ "list", "[BDF...]", "IOMMUs, groups, devices, and what keeps a group from being used",
	  OPTION_JSON, 0, MANY, list_command },
	{ "bind", "BDF...", "give devices to vfio-pci",
	  OPTION_JSON | OPTION_DRY_RUN | OPTION_FORCE | OPTION_GROUP | OPTION_DRIVER, 1, MANY,
	  bind_command },
	{ "unbind", "BDF...", "give them back to the kernel's drivers",
	  OPTION_JSON | OPTION_DRY_RUN | OPTION_FORCE | OPTION_GROUP, 1, MANY,
	  unbind_command },
	{ "check", "", "is this machine ready, for the user who asks, and what to mend",
	  OPTION_JSON | OPTION_SIZE, 0, 0, check_command },
	{ "probe", "BDF", "bind, attach, map and undo it all through /dev/iommu, with timings",
	  OPTION_JSON | OPTION_SIZE, 1, 1, probe_command },
	{ "vdpa", "list|add|del [NAME...]", "vDPA devices; add takes NAME MANAGER [MAC]",
	  OPTION_JSON, 1, 4, vdpa_command },
	{ "status", "", "who has /dev/iommu or a device open, and what for",
	  OPTION_JSON, 0, 0, status_command },
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "group", no_argument, NULL, OPTION_GROUP },
	{ "driver", required_argument, NULL, OPTION_DRIVER },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{}
};

static void help(FILE *to)
{
	size_t i;

	fprintf(to, "usage: iommuctl COMMAND [OPTION...] [ARGUMENT...]\n\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-7s %-24s %s\n", commands[i].name, commands[i].args,
			commands[i].help);
	fprintf(to,
		"\n  --json          output for programs (every command)\n"
		"  --dry-run       say what would be done (bind, unbind)\n"
		"  --force         even if the device is needed or in use (bind, unbind)\n"
		"  --group         all devices of the group (bind, unbind)\n"
		"  --driver NAME   instead of vfio-pci (bind)\n"
		"  --size SIZE     memory of the guest (check), memory to map (probe): 512M, 4G\n\n"
		"Exit status: 0 yes or done, 1 no, 2 wrong arguments, 3 permission missing,\n"
		"4 module or device file missing, 5 no such device, 6 refused: needed or in use,\n"
		"7 other trouble. More in iommuctl(8).\n");
}

/* "512M" and the like; 0 if it is no such thing. */
static unsigned long long parse_size(const char *text)
{
	static const char units[] = "KMGT";
	unsigned long long value;
	const char *unit;
	char *end;

	if (!isdigit(text[0]))
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1] || value >> (53 - 10 * (unit - units)))
			return 0;
		value <<= 10 * (unit - units + 1);
	}
	return errno || value > LLONG_MAX ? 0 : value;
}

/**
 * struct line - The command line
 * @seen: OPTION_… that are there
 * @wrong: What is wrong with it, or empty
 */
struct line {
	unsigned int seen;
	char wrong[PATH_LEN];
};

static void parse_option(const struct command *command, int which, struct line *line,
			 struct options *options)
{
	if (which == ':') {
		snprintf(line->wrong, PATH_LEN, "an option lacks its value");
	} else if (which == '?' || !((command->options | OPTION_HELP) & which)) {
		snprintf(line->wrong, PATH_LEN, "%s has no such option", command->name);
	} else if (which == OPTION_DRIVER) {
		options->driver = optarg;
	} else if (which == OPTION_SIZE) {
		options->size = parse_size(optarg);
		if (!options->size)
			snprintf(line->wrong, PATH_LEN, "'%.100s' is no size", optarg);
	}
}

/* To the end even if something is wrong, for --json may follow. */
static void parse_line(const struct command *command, int argc, char **argv, struct line *line,
		       struct options *options)
{
	int which;

	opterr = 0;
	while ((which = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		parse_option(command, which, line, options);
		if (which != ':' && which != '?')
			line->seen |= which;
	}
	options->dry_run = line->seen & OPTION_DRY_RUN;
	options->force = line->seen & OPTION_FORCE;
	options->group = line->seen & OPTION_GROUP;
	options->args = argv + optind;
	options->n = argc - optind;
	if (line->wrong[0] || line->seen & OPTION_HELP)
		return;
	if (options->n < command->min_args)
		snprintf(line->wrong, PATH_LEN, "%s needs an argument", command->name);
	else if (options->n > command->max_args)
		snprintf(line->wrong, PATH_LEN, "too many arguments for %s", command->name);
}

static int wrong_usage(const struct command *command, const struct line *line)
{
	complain(EXIT_USAGE, "%s", line->wrong);
	mend("usage: iommuctl %s %s", command->name, command->args);
	return EXIT_USAGE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct options options = { .driver = "vfio-pci" };
	struct line line = {};
	int code;

	parse_line(command, argc, argv, &line, &options);
	if (!line.wrong[0] && line.seen & OPTION_HELP) {
		printf("usage: iommuctl %s %s\n%s\n", command->name, command->args,
		       command->help);
		return EXIT_FINE;
	}
	report_begin(line.seen & OPTION_JSON);
	code = line.wrong[0] ? wrong_usage(command, &line) : command->run(&options);
	report_end();
	return code;
}

static int no_command(int argc, char **argv)
{
	bool json = false;
	int i;

	for (i = 1; i < argc; i++)
		json |= !strcmp(argv[i], "--json");
	report_begin(json);
	if (argc > 1)
		complain(EXIT_USAGE, "there is no command '%s'", argv[1]);
	else
		complain(EXIT_USAGE, "a command is missing");
	report_end();
	if (!json)
		help(stderr);
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (!strcmp(name, "--help") || !strcmp(name, "help")) {
		help(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(name, "--version")) {
		printf("iommuctl %s\n", VERSION);
		return EXIT_FINE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return run_command(&commands[i], argc - 1, argv + 1);
	return no_command(argc, argv);
}

/* Output that is lost, on a full disk perhaps, must not look like success. */
int main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (!fflush(stdout) && !ferror(stdout))
		return code;
	fprintf(stderr, "iommuctl: the output cannot be written\n");
	return EXIT_TROUBLE;
}
