# Shared by the scripts next to it: sourced, never run.  POSIX sh, since a minimal Debian has dash.
#
#   say WORDS...            what is going on, to stderr
#   die WORDS...            the same, and the end
#   as_root COMMAND...      by ourselves, else through sudo
#   need_packages NAME...   installs what is not there yet, by apt
#   build PRESET [TARGET..] configures and builds into build/PRESET

# What the programs and their tests are built from, and what the lab runs.
BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config libevent-dev libssl-dev libyaml-dev
	libjansson-dev libsmartcols-dev libmsgpack-dev libldns-dev libcurl4-openssl-dev
	libnghttp2-dev libsqlite3-dev libcmocka-dev"
LAB_PACKAGES="nsd unbound nftables iproute2 openssl python3 ca-certificates"

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

say()
{
	echo "== $*" >&2
}

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		die "this needs root, and there is no sudo: run as root: $*"
	fi
}

missing_packages()
{
	for package in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) echo "$package" ;;
		esac
	done
}

# nsd, unbound and prometheus are wanted as programs: their packages would start them as services of this
# machine, now and at each boot.
install_quietly()
{
	policy=/usr/sbin/policy-rc.d
	ours=no
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && ours=yes
	fi
	status=0
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y \
	    --no-install-recommends "$@" </dev/null >"$log" 2>&1 || status=$?
	[ $ours = no ] || rm -f $policy
	for service in nsd unbound prometheus; do
		case " $* " in
		*" $service "*)
			if [ -d /run/systemd/system ]; then
				systemctl --quiet disable $service >>"$log" 2>&1 || status=$?
			fi
			;;
		esac
	done
	return $status
}

# Runs as root: "apt-get update", then the packages; what was said is only shown when it fails.
install_packages()
{
	log=$(mktemp)
	if apt-get -qq update >"$log" 2>&1 && install_quietly "$@"; then
		rm -f "$log"
		return 0
	fi
	cat "$log" >&2
	rm -f "$log"
	return 1
}

need_packages()
{
	if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
		say "not a Debian: packages are not looked at; wanted are what Debian calls: $*"
		return 0
	fi
	missing=$(missing_packages "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	say "installing: $missing"
	if [ "$(id -u)" -eq 0 ]; then
		# shellcheck disable=SC2086  # a list of names
		install_packages $missing || die "the packages could not be installed"
	else
		# shellcheck disable=SC2086
		as_root sh "$top/scripts/install-packages" $missing ||
		    die "the packages could not be installed"
	fi
}

# Its words are only shown when it fails: a newcomer wants to know that, and how long, it builds.
build()
{
	preset=$1
	shift
	say "building ${*:-everything} ($preset)"
	output=$(mktemp)
	if (cd "$top" && cmake --preset "$preset" && cmake --build "build/$preset" \
	    ${*:+--target} "$@") >"$output" 2>&1; then
		rm -f "$output"
		return 0
	fi
	tail -n 60 "$output" >&2
	rm -f "$output"
	die "the build of preset $preset failed"
}
