#!/usr/bin/env bash
# Runs the browser tests against bin/parley, where there are browsers.
set -euo pipefail
cd "$(dirname "$0")/browser"

for program in chromium WebKitWebDriver Xvfb; do
  if ! command -v "$program" >/dev/null; then
    echo "LEFT OUT: the browser tests, for want of $program (see test/install.sh)"
    exit 0
  fi
done
if [ ! -e node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
  npm ci --no-audit --no-fund
  touch node_modules/.installed
fi
PARLEY_PREVIOUS=$(bash ../previous.sh)
export PARLEY_PREVIOUS
npm test
