#!/usr/bin/env bash
# `cmake --install` puts every file where a system looks for it.
#
#   tests/deploy/install.sh BUILD-FOLDER
set -u
build=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
failed=0

# A prefix of its own, so that no file can be there but by this install.
DESTDIR=$root cmake --install "$build" --prefix /opt/plprobe >"$root/log" 2>&1 || { cat "$root/log"; exit 1; }

while read -r mode file; do
	if [ ! -f "$root/opt/plprobe/$file" ]; then
		echo "FAILED  not installed: $file"
		failed=1
	elif [ "$(stat -c %a "$root/opt/plprobe/$file")" != "$mode" ]; then
		echo "FAILED  $file: mode $(stat -c %a "$root/opt/plprobe/$file"), wanted $mode"
		failed=1
	fi
done <<-'LIST'
	755 bin/plprobe
	755 bin/plprobe-collector
	644 share/man/man1/plprobe.1
	644 share/man/man8/plprobe-agent.8
	644 share/man/man8/plprobe-collector.8
	644 share/bash-completion/completions/plprobe
	644 share/bash-completion/completions/plprobe-collector
	644 lib/systemd/system/plprobe-agent.service
	644 lib/systemd/system/plprobe-collector.service
	644 share/doc/plprobe/examples/agent.yaml
	644 share/doc/plprobe/examples/collector.yaml
	644 share/doc/plprobe/examples/nginx.conf
	644 share/doc/plprobe/examples/plprobe-agent.nft
	644 share/doc/plprobe/examples/plprobe.rules.yaml
	644 share/doc/plprobe/examples/policy.yaml
	644 share/doc/plprobe/examples/prometheus.yaml
LIST

grep -q '^ExecStart=/opt/plprobe/bin/plprobe agent' "$root/opt/plprobe/lib/systemd/system/plprobe-agent.service" ||
	{ echo 'FAILED  the unit does not start the installed program'; failed=1; }

# Nothing of deploy/ is forgotten when a file is added.
for file in "$(dirname "$0")"/../../deploy/{man,completion,systemd}/* "$(dirname "$0")"/../../deploy/{*,prometheus/*}.{yaml,nft,conf}; do
	[ -e "$file" ] || continue
	find "$root/opt/plprobe" -name "$(basename "$file")" -type f | grep -q . ||
		{ echo "FAILED  not installed: $file"; failed=1; }
done
exit $failed
