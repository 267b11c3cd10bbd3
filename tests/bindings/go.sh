#!/bin/sh
# Runs the Go suite of bindings/go: vetted, with the race detector, against the library of a build folder.
# usage: go.sh BUILD_FOLDER [go test's arguments]
set -eu
build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/../../bindings/go"
# No other toolchain than the one that is here, and nothing from outside.
export GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off
export PKG_CONFIG_PATH="$build/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export SLIPSTREAM_TEST_SEEDER="$build/binding_seeder"
go vet ./...
[ $# -gt 0 ] || set -- -race -timeout 560s ./...
# A pass from the cache is of another library.
exec go test -count=1 "$@"
