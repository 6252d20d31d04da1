#!/bin/sh
# The rules of deploy/prometheus are good, alert of what they should, and name only metrics that there are.
set -eu
cd "$(dirname "$0")"
if ! command -v promtool >/dev/null; then
	echo "promtool is not installed (package prometheus)"
	exit 0
fi
promtool check rules ../../deploy/prometheus/plprobe.rules.yaml
promtool test rules prometheus.yaml
for name in $(grep -o 'plprobe_[a-z_]*' ../../deploy/prometheus/plprobe.rules.yaml | sort -u); do
	grep -q "\"$name\"" ../../collector/metrics*.c || { echo "no such metric: $name"; exit 1; }
done
