# SPDX-License-Identifier: Apache-2.0
#
# bash completion for dstack-vmm-prep. What can be completed is asked from the program's own --help.

_dstack_vmm_prep_commands() {
	"$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'
}

_dstack_vmm_prep_options() {
	"$@" --help 2>/dev/null | sed -nE 's/^  (    |-[a-zA-Z], )(--[a-z0-9-]+).*/\1\2/p' | tr -d ' ' | tr ',' '\n'
}

# only names without characters that the shell would act on
_dstack_vmm_prep_images() {
	"$1" --json images 2>/dev/null | sed -n 's/^ *"name": "\([A-Za-z0-9._-]*\)",*$/\1/p'
}

# the words an option takes, where they are few
_dstack_vmm_prep_values() {
	case $1 in
	--color) echo auto always never ;;
	--tee) echo tdx snp ;;
	--variant) echo lite auto legacy ;;
	--measure-acpi-tables) echo yes no ;;
	--pic | --single-pass-add-pages) echo on off ;;
	--host-share) echo 9p vvfat vhd ;;
	--check | --level) echo material full ;;
	--material-version) echo 3 4 ;;
	--acpi) echo log predict ;;
	--attach) echo gcp aws ;;
	--allow) echo debug migratable sept-ve service-td vmpl= simulator ;;
	esac
}

_dstack_vmm_prep() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} command='' words i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--config | --image-dir | --color) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	words=$(_dstack_vmm_prep_values "$previous")
	if [ -n "$words" ]; then
		:
	elif [ -z "$command" ] || [ "$command" = help ]; then
		case $current in
		-*) words=$(_dstack_vmm_prep_options "$program") ;;
		*) words=$(_dstack_vmm_prep_commands "$program") ;;
		esac
	else
		case $current,$previous,$command in
		-*) words=$(_dstack_vmm_prep_options "$program" "$command") ;;
		*,measure,measure) words='tdx snp gcp aws' ;;
		*,collateral,collateral) words=fetch ;;
		*,--*,*) ;;
		*,images | *,check | *,inspect | *,prepare | *,expect) words=$(_dstack_vmm_prep_images "$program") ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

# files where nothing else fits
complete -o default -F _dstack_vmm_prep dstack-vmm-prep
