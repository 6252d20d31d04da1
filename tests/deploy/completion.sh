#!/usr/bin/env bash
# What bash completes of each command is what its --help names, no more and no less.
#
#   tests/deploy/completion.sh FOLDER-OF-PROGRAMS
set -u
programs=$1
failed=0
cd "$(dirname "$0")/../../deploy/completion" || exit 1

# The long options of a command's --help, sorted.
told() {
	"$programs/$1" "${@:2}" --help | grep -oE '^ +(-[a-zA-Z],)? *--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort -u
}

# What is completed behind the words, sorted.
completed() {
	local function=_${1//-/_}
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	"$function"
	printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

same() {
	if [ "$1" != "$2" ]; then
		printf 'FAILED  %s\n  wanted: %s\n  got:    %s\n' "$3" "$(echo $1)" "$(echo $2)"
		failed=1
	fi
}

for file in plprobe plprobe-collector; do
	bash -n "$file" || exit 1
	. "./$file"
done

# bundle takes what check does, but for how it is shown.
same "$({ told plprobe check | grep -vxE -e '--(tree|output|watch|no-color|exit-zero)'; told plprobe bundle; } | sort -u)" \
	"$(completed plprobe bundle --)" 'plprobe bundle'
for command in check agent enroll status explain support config; do
	same "$(told plprobe $command)" "$(completed plprobe $command --)" "plprobe $command"
done
for command in run report history 'token create' 'token list' 'token revoke' 'agents list' 'agents revoke' 'accounts list' 'accounts sync' \
	'accounts history' 'config check' 'config dump' \
	'store check'; do
	# shellcheck disable=SC2086  # one or two words
	same "$(told plprobe-collector $command)" "$(completed plprobe-collector $command --)" "plprobe-collector $command"
done

# The commands themselves, by what the programs say of themselves.
same "$("$programs/plprobe" help | grep -oE '^  [a-z]+' | tr -d ' ' | sort -u)" \
	"$(completed plprobe '' | grep -v -e --)" 'commands of plprobe'
same "$("$programs/plprobe-collector" --help | grep -oE '^  [a-z]+' | tr -d ' ' | sort -u)" \
	"$(completed plprobe-collector '' | grep -v -e --)" 'commands of plprobe-collector'

# Values.
same "$(printf 'json\nnagios\ntable')" "$(completed plprobe check -o '')" 'formats of check'
same "$(printf 'json\ntable')" "$(completed plprobe support -o '')" 'formats of support'
same "$(printf 'json\ntable')" "$(completed plprobe status -o '')" 'formats of status'
# Every word that is completed is one that the program takes.
for word in $(completed plprobe support --cloud ''); do
	"$programs/plprobe" support --cloud "$word" >/dev/null || same "$word" '' 'clouds of support'
done
for word in $(completed plprobe support --api ''); do
	"$programs/plprobe" support --api "$word" >/dev/null || same "$word" '' 'APIs of support'
done
same "$(completed plprobe check --api '')" "$(completed plprobe bundle --api '')" 'APIs of bundle'
same json "$(completed plprobe check --output = j)" 'a format behind ='
same "$(printf 'csv\njson\ntable')" "$(completed plprobe-collector report --output =)" 'formats of report'
same "$(printf 'plprobe\nplprobe-collector')" "$(completed plprobe check --expect plp)" 'files'
PATH=$programs:$PATH
same PLP-101-REGION-NAME-MISSING "$(completed plprobe explain PLP-101)" 'codes'
exit $failed
