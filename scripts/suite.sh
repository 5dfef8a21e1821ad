# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after common.sh: packages from a suite of Debian that this machine is not
# configured for, through package lists of our own, so that its apt stays as it is.

# Name of the release that this machine runs
machine_release()
{
	# shellcheck source=/dev/null
	. /etc/os-release && echo "${VERSION_CODENAME:-}"
}

# add_suite SUITE: read its lists. suite_options is afterwards what apt needs to use them
# beside those of the machine.
add_suite()
{
	# shellcheck disable=SC2154
	local suite=$1 uri apt=$cache/apt
	local key=/usr/share/keyrings/debian-archive-keyring.gpg

	uri=$(archive_of "$(machine_release)")
	[ -n "$uri" ] || die "apt has no entry for Debian's main archive" \
		"add it to /etc/apt/sources.list.d"

	drop_suite
	mkdir -p "$apt/parts" "$apt/lists/partial"
	find /etc/apt/sources.list.d -maxdepth 1 \( -name '*.list' -o -name '*.sources' \) \
		-exec cp {} "$apt/parts/" \;
	find /var/lib/apt/lists -maxdepth 1 -type f ! -name lock -exec cp -p {} "$apt/lists/" \;
	{
		printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$suite"
		[ ! -e "$key" ] || printf 'Signed-By: %s\n' "$key"
	} > "$apt/parts/iommufd-$suite.sources"

	suite_options=(-o Dir::Etc::SourceParts="$apt/parts" -o Dir::State::Lists="$apt/lists"
		       -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
		       -o APT::Sandbox::User=root)
	apt_get "${suite_options[@]}" update ||
		die "cannot read $suite from the mirror this machine uses" "check the network"
}

drop_suite()
{
	[ ! -e "$cache/apt" ] || as_root rm -rf "$cache/apt"
}
