# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the other scripts: where things are, and how to talk to the user.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/iommufd

say()
{
	printf '%s\n' "$*" >&2
}

# die WHAT [MEND]: what went wrong, and what to do about it.
die()
{
	say "error: $1"
	[ $# -lt 2 ] || say "  mend: $2"
	exit 1
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root, and sudo is not installed: $*" \
		    "run it as root once, then run the make command again"
	fi
}

# with_own_mounts ARGUMENT...: start the script again with them, as root and in a mount
# namespace of its own. What it mounts nobody else sees, and it is gone with the script,
# however that ends.
with_own_mounts()
{
	[ -z "${OWN_MOUNTS:-}" ] || return 0
	as_root env OWN_MOUNTS=1 XDG_CACHE_HOME="${cache%/iommufd}" unshare --mount "$0" "$@"
	exit
}

# apt_get ARGS...: apt-get without questions, waiting for a running one.
apt_get()
{
	as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
}

apt_update()
{
	say "    updating the package lists (about 10 s)"
	apt_get update || die "apt-get update failed" \
		"check the network and /etc/apt/sources.list*, then try again"
}

# archive_of SUITE: where this machine gets it from, by its own configuration, in
# whatever format that is written.
archive_of()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Identifier: Packages' 'Component: main' |
		awk -v suite="$1" '$2 == suite { print $1; exit }'
}

package_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# elapsed_since START: seconds since a value of $SECONDS, for messages.
elapsed_since()
{
	printf '%d s' $((SECONDS - $1))
}

# Where this checkout's object files are: outside of it, and its own.
objects_of_checkout()
{
	printf '%s/build/%s\n' "$cache" "$(printf '%s' "$top" | cksum | cut -d' ' -f1)"
}
