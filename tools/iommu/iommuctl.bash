# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion for iommuctl.

_iommuctl_devices()
{
	ls /sys/bus/pci/devices 2> /dev/null
}

_iommuctl_options()
{
	case $1 in
	bind)   echo --dry-run --group --force --driver --json --help ;;
	unbind) echo --dry-run --group --force --json --help ;;
	check)  echo --size --json --help ;;
	probe)  echo --size --json --help ;;
	*)      echo --json --help ;;
	esac
}

_iommuctl_words()
{
	local command=$1 current=$2 previous=$3

	case $previous in
	--driver) ls /sys/bus/pci/drivers 2> /dev/null; return ;;
	--size)   return ;;
	esac
	if [[ $current = -* ]]; then
		_iommuctl_options "$command"
		return
	fi
	case $command in
	list|bind|unbind|probe) _iommuctl_devices ;;
	vdpa) [ "$previous" != vdpa ] || echo list add del ;;
	esac
}

_iommuctl()
{
	local current previous words

	# An address contains colons, at which readline would end the word.
	_get_comp_words_by_ref -n : cur prev 2> /dev/null
	current=${cur-${COMP_WORDS[COMP_CWORD]}}
	previous=${prev-${COMP_WORDS[COMP_CWORD - 1]}}
	if [ "$COMP_CWORD" = 1 ]; then
		words="list bind unbind check probe status vdpa --help --version"
	else
		words=$(_iommuctl_words "${COMP_WORDS[1]}" "$current" "$previous")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	! declare -F __ltrim_colon_completions > /dev/null || __ltrim_colon_completions "$current"
}

complete -F _iommuctl iommuctl
