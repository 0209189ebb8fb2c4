#!/usr/bin/env bash
# Runs staticcheck over everything, in a fixed version, if the module proxy has it
# within a minute; go vet has run in any case.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=honnef.co/go/tools/cmd/staticcheck@v0.8.2
program=$(mktemp -d)
trap 'rm -rf "$program"' EXIT
if ! GOBIN=$program timeout 120 go install "$tool" 2>/dev/null; then
  echo "LEFT OUT: staticcheck, which could not be fetched"
  exit 0
fi
"$program/staticcheck" ./...
