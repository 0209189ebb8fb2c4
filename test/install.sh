#!/usr/bin/env bash
# Sees to what the build and the tests need.
#
#   test/install.sh              installs what is missing (as root on Debian or
#                                Ubuntu), or says what is left out without it
#   test/install.sh --toolchain  only looks whether Go and Node are there and new
#                                enough
set -euo pipefail

go_needed=1.26
node_needed=20.19

# at_least HAVE NEED: whether version HAVE is NEED or newer.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

toolchain() {
  local have
  have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//') || true
  if [ -z "$have" ] || ! at_least "$have" "$go_needed"; then
    echo "Go $go_needed or newer is needed, found: ${have:-none}. See https://go.dev/dl/." >&2
    exit 1
  fi
  have=$(node --version 2>/dev/null | sed 's/^v//') || true
  if [ -z "$have" ] || ! at_least "$have" "$node_needed"; then
    echo "Node.js $node_needed or newer is needed, found: ${have:-none}. See https://nodejs.org/." >&2
    exit 1
  fi
  if ! command -v npm >/dev/null; then
    echo "npm is needed; it comes with Node.js." >&2
    exit 1
  fi
}

# What the tests run, and the Debian package that it comes in.
programs="radicale:radicale gcc:gcc chromium:chromium WebKitWebDriver:webkit2gtk-driver Xvfb:xvfb"

# Debian keeps the server's programs out of PATH.
has_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; }

# What the tests of the corporate directory run. Of Samba the parts that make a
# domain controller are packages of their own.
directories="slapd ldap-utils samba samba-dsdb-modules samba-ad-provision samba-vfs-modules ldb-tools"

missing_packages() {
  local entry
  has_postgres || echo postgresql
  if command -v dpkg >/dev/null; then
    for entry in $directories; do
      dpkg -s "$entry" >/dev/null 2>&1 || echo "$entry"
    done
  fi
  for entry in $programs; do
    command -v "${entry%%:*}" >/dev/null || echo "${entry#*:}"
  done
  if command -v dpkg >/dev/null; then # without them gcc links nothing and pages show no text
    dpkg -s libc6-dev >/dev/null 2>&1 || echo libc6-dev
    dpkg -s fonts-dejavu-core >/dev/null 2>&1 || echo fonts-dejavu-core
  fi
}

toolchain
[ "${1:-}" = --toolchain ] && exit 0

missing=$(missing_packages)
if [ -z "$missing" ]; then
  exit 0
fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing for the tests:" $missing
  export DEBIAN_FRONTEND=noninteractive
  # The tests start a PostgreSQL of their own; the package shall not run another.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  # Nor shall it or the directories start by themselves: the tests start their own.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -q
  # shellcheck disable=SC2086 # one word a package
  apt-get install -q -y --no-install-recommends $missing
  exit 0
fi
echo "The tests lack:" $missing
command -v gcc >/dev/null || { echo "Without a C compiler the race detector does not work, so the Go tests cannot run." >&2; exit 1; }
echo "The tests that need them are left out. On Debian run as root: apt-get install" $missing
