#!/bin/sh
# Installs, by name, the Debian packages that Slipstream is built and tested with.
# Does nothing, and asks for no rights, when all of them are there already.
#
# usage: scripts/setup.sh [--check] [package ...]      --check only says what is missing (exit 1 if anything is);
#                                                      packages named are wanted as well
set -eu

build="g++ cmake ninja-build make pkg-config ccache
  libtorrent-rasterbar-dev libboost-dev libboost-system-dev libssl-dev
  nlohmann-json3-dev libcli11-dev libspdlog-dev libfmt-dev swig python3-dev"
tests="libgtest-dev libgmock-dev python3 python3-libtorrent python3-yaml python3-jsonschema
  curl ffmpeg mktorrent transmission-cli transmission-daemon mpv vlc-bin vlc-plugin-base chromium openssl"

# Node from elsewhere brings its npm, and cannot stand beside Debian's.
command -v npm >/dev/null || tests="$tests nodejs npm"

# Any Go from 1.19 on will do; Debian's where there is none.
command -v go >/dev/null || [ -x /usr/local/go/bin/go ] || tests="$tests golang-go"

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

only_check=
if [ "${1-}" = --check ]; then
  only_check=yes
  shift
fi
missing=
for package in $build $tests "$@"; do
  installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ -n "$only_check" ]; then
  echo "setup: missing:$missing" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null; then
  echo "setup: this script knows Debian's apt-get only; install by hand:$missing" >&2
  exit 1
fi

as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup: run as root (or install sudo) to install:$missing" >&2
    exit 1
  }
  as_root=sudo
fi
echo "setup: installing$missing"
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086  # a list of names
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
