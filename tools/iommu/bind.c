// SPDX-License-Identifier: GPL-2.0
/*
 * "iommuctl bind" and "unbind": give PCI devices to vfio-pci and back, by driver_override,
 * which says for one device which driver may have it and leaves all others alone.
 *
 * Everything that can be refused is refused before the first device is touched.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "group.h"
#include "iommuctl.h"
#include "needed.h"
#include "progress.h"
#include "report.h"
#include "users.h"

#define BUS "/sys/bus/pci"
#define CLASS_BRIDGE 0x06

/**
 * struct job - What is to be done, and with which devices
 * @options: The command line
 * @devices: All devices there are
 * @dev: Those to be bound or unbound
 * @n: How many
 * @binding: Bind, not unbind
 */
struct job {
	const struct options *options;
	struct devices devices;
	struct device **dev;
	size_t n;
	bool binding;
};

static void add_to_job(struct job *job, struct device *dev)
{
	size_t i;

	for (i = 0; i < job->n; i++)
		if (job->dev[i] == dev)
			return;
	job->dev[job->n++] = dev;
}

/* Host bridges and the like have no driver, and are in nobody's way. */
static void add_group(struct job *job, int group)
{
	struct device *dev;

	group_for_each(&job->devices, group, dev)
		if (device_can_move(dev) && (dev->driver[0] || dev->class >> 16 != CLASS_BRIDGE))
			add_to_job(job, dev);
}

static int choose_devices(struct job *job)
{
	char name[NAME_LEN];
	struct device *dev;
	int i;

	job->dev = calloc(job->devices.n + 1, sizeof(*job->dev));
	if (!job->dev)
		return complain(EXIT_TROUBLE, "out of memory");
	for (i = 0; i < job->options->n; i++) {
		if (!full_address(job->options->args[i], name))
			return complain(EXIT_USAGE, "'%s' is no PCI address like 0000:01:00.0",
					job->options->args[i]);
		dev = device_find(&job->devices, name);
		if (!dev)
			return complain(EXIT_NO_DEVICE, "there is no device %s", name);
		if (job->options->group && dev->group != NO_GROUP)
			add_group(job, dev->group);
		else
			add_to_job(job, dev);
	}
	return EXIT_FINE;
}

/* Nothing to be done for this one? */
static bool is_done(const struct job *job, const struct device *dev)
{
	if (job->binding)
		return !strcmp(dev->driver, job->options->driver);
	return !dev->override[0] && !strstr(dev->driver, "vfio");
}

static int refuse_bridge(const struct device *dev)
{
	complain(EXIT_USAGE, "%s is a bridge; bridges stay with the kernel", dev->name);
	mend("name the devices behind it");
	return EXIT_USAGE;
}

/* Does the machine, or a process, need the device, which is called @name here? */
static int check_needs(const struct device *dev, const char *name)
{
	struct open_file by;
	char why[PATH_LEN];

	if (dev->driver[0] && machine_needs(dev, why, sizeof(why))) {
		complain(EXIT_REFUSED, "%s stays on %s: %s", name, dev->driver, why);
		mend("--force does it nevertheless");
		return EXIT_REFUSED;
	}
	if (device_in_use(dev, &by)) {
		complain_about_user(name, &by);
		mend("end it first; --force waits until it ends");
		return EXIT_REFUSED;
	}
	return EXIT_FINE;
}

/* Virtual functions go with the driver that made them. */
static int check_functions(const struct job *job, const struct device *dev)
{
	const struct device *function;
	char name[2 * NAME_LEN + 32];
	int code = EXIT_FINE;
	size_t i;

	for (i = 0; i < job->devices.n && !code; i++) {
		function = &job->devices.dev[i];
		if (strcmp(function->physfn, dev->name))
			continue;
		snprintf(name, sizeof(name), "%s, a virtual function of %s,", function->name,
			 dev->name);
		code = check_needs(function, name);
	}
	return code;
}

static int check_device(const struct job *job, const struct device *dev)
{
	int code = EXIT_FINE;

	if (is_done(job, dev))
		return EXIT_FINE;
	if (device_is_bridge(dev))
		return refuse_bridge(dev);
	if (job->binding && dev->group == NO_GROUP)
		return complain_about_group(&job->devices, dev->group);
	if (!job->options->force)
		code = check_needs(dev, dev->name);
	if (!code && !job->options->force)
		code = check_functions(job, dev);
	if (code || job->options->dry_run || !geteuid())
		return code;
	complain(EXIT_DENIED, "only root may change the driver of %s", dev->name);
	mend("run it with sudo, or see what it would do with --dry-run");
	return EXIT_DENIED;
}

static void run_modprobe(const char *module)
{
	pid_t child = fork();

	if (!child) {
		execlp("modprobe", "modprobe", "-q", module, NULL);
		execl("/sbin/modprobe", "modprobe", "-q", module, NULL);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static int check_driver(const struct options *options)
{
	if (file_exists(BUS "/drivers/%s", options->driver))
		return EXIT_FINE;
	if (options->dry_run) {
		say_command("modprobe %s", options->driver);
		return EXIT_FINE;
	}
	run_modprobe(options->driver);
	if (file_exists(BUS "/drivers/%s", options->driver))
		return EXIT_FINE;
	complain(EXIT_MISSING, "the driver %s is not loaded, and modprobe cannot load it",
		 options->driver);
	mend("see what 'iommuctl check' says about modules");
	return EXIT_MISSING;
}

/* Waits for whoever has the device open. */
static int leave_driver(const struct device *dev)
{
	int ret;

	if (!dev->driver[0])
		return 0;
	progress_begin("waiting for %s to be let go", dev->name);
	ret = file_write(dev->name, BUS "/drivers/%s/unbind", dev->driver);
	progress_end();
	return ret;
}

static int set_override(const struct device *dev, const char *driver)
{
	return file_write(driver[0] ? driver : "\n", "%s/driver_override", dev->path);
}

/* Let only @driver have the device, or whichever fits if that is empty, and see who takes it. */
static int move_device(struct device *dev, const char *driver)
{
	int ret;

	ret = set_override(dev, driver);
	if (!ret)
		ret = leave_driver(dev);
	if (!ret)
		ret = file_write(dev->name, BUS "/drivers_probe");
	device_refresh(dev);
	return ret;
}

/*
 * Put the device back where it was. However it once got its driver, by id or by hand, the
 * override gets it there again.
 */
static void move_back(struct device *dev, const struct device *before)
{
	if (!before->driver[0])
		leave_driver(dev);
	else if (strcmp(dev->driver, before->driver))
		move_device(dev, before->driver);
	set_override(dev, before->override);
	device_refresh(dev);
}

/* To @driver or back again: nothing but SIGKILL finds the device halfway. */
static int move_or_stay(struct device *dev, const struct device *before, const char *driver)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	ret = move_device(dev, driver);
	if (!ret && driver[0] && strcmp(dev->driver, driver))
		ret = -ENODEV;
	if (ret)
		move_back(dev, before);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

static void report_move(const struct device *dev, const struct device *before)
{
	struct json_object *object = append_object(add_array(report_root(), "devices"));

	say("%s: %s -> %s%s%s", dev->name, before->driver[0] ? before->driver : "no driver",
	    dev->driver[0] ? dev->driver : "no driver", dev->cdev[0] ? ", " : "", dev->cdev);
	add_string(object, "device", dev->name);
	add_string(object, "before", before->driver);
	add_string(object, "driver", dev->driver);
	add_string(object, "cdev", dev->cdev);
}

static void dry_run(const struct device *dev, const char *driver)
{
	struct json_object *object = append_object(add_array(report_root(), "devices"));

	say_command("echo %s > %s/%s/driver_override", driver, BUS "/devices", dev->name);
	if (dev->driver[0])
		say_command("echo %s > " BUS "/drivers/%s/unbind", dev->name, dev->driver);
	say_command("echo %s > " BUS "/drivers_probe", dev->name);
	add_string(object, "device", dev->name);
	add_string(object, "before", dev->driver);
	add_string(object, "driver_override", driver);
	add_bool(object, "dry_run", true);
}

static int bind_device(struct job *job, struct device *dev)
{
	const char *driver = job->binding ? job->options->driver : "";
	const struct device before = *dev;
	int ret;

	if (is_done(job, dev)) {
		report_move(dev, &before);
		return EXIT_FINE;
	}
	if (job->options->dry_run) {
		dry_run(dev, driver);
		return EXIT_FINE;
	}
	ret = move_or_stay(dev, &before, driver);
	if (ret) {
		complain(EXIT_TROUBLE, "%s did not go to %s: %s; it is on %s %s", dev->name,
			 job->binding ? driver : "its driver", strerror(-ret),
			 dev->driver[0] ? dev->driver : "no driver",
			 strcmp(dev->driver, before.driver) ? "now" : "again");
		mend("dmesg says why");
		return EXIT_TROUBLE;
	}
	report_move(dev, &before);
	return EXIT_FINE;
}

/* The devices are with vfio-pci now, but are all of their neighbours? */
static void say_who_is_left(const struct job *job)
{
	char text[PATH_LEN];
	size_t i;

	for (i = 0; i < job->n; i++) {
		obstacle_text(&job->devices, job->dev[i]->group, text, sizeof(text));
		if (text[0])
			note("group %d of %s is still not viable: %s", job->dev[i]->group,
			     job->dev[i]->name, text);
	}
}

static int run_job(struct job *job)
{
	int code = choose_devices(job);
	size_t i;

	for (i = 0; i < job->n && !code; i++)
		code = check_device(job, job->dev[i]);
	if (!code && job->binding)
		code = check_driver(job->options);
	for (i = 0; i < job->n && !code; i++)
		code = bind_device(job, job->dev[i]);
	if (!code && job->binding && !job->options->dry_run)
		say_who_is_left(job);
	return code;
}

static int start_job(const struct options *options, bool binding)
{
	struct job job = { .options = options, .binding = binding };
	int ret, code;

	ret = devices_load(&job.devices);
	if (ret)
		code = complain(EXIT_TROUBLE, "cannot read sysfs: %s", strerror(-ret));
	else
		code = run_job(&job);
	free(job.dev);
	devices_free(&job.devices);
	return code;
}

int bind_command(const struct options *options)
{
	return start_job(options, true);
}

int unbind_command(const struct options *options)
{
	return start_job(options, false);
}
