#!/usr/bin/env bash
# Builds the release that test/upgrade/previous names from the history of this
# repository, app included, and prints where the program is. Once built it is kept,
# by commit, in a folder outside the tree. Where there is no history it prints
# nothing and says what is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(grep -v '^#' test/upgrade/previous)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/parley/releases
program=$cache/$commit/parley
if [ -x "$program" ]; then
  echo "$program"
  exit 0
fi
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
  echo "LEFT OUT: client and server of the release before, for want of commit $commit (git fetch --unshallow gets the history)" >&2
  exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
git archive "$commit" | tar -x -C "$work/source"
(
  cd "$work/source/web"
  npm ci --no-audit --no-fund --prefer-offline
  npm run build
  cd ..
  CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=previous' -o "$work/parley" ./cmd/parley
) >&2
rm -rf "$work/source"
mkdir -p "$cache/$commit"
mv "$work/parley" "$program" # whole or not at all, whoever else builds it
echo "$program"
