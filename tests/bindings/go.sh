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
# Go remembers what pkg-config said, and asks again for other flags: else a library of another build folder may be linked.
export CGO_LDFLAGS="-O2 -g -L$build"
export SLIPSTREAM_TEST_SEEDER="$build/binding_seeder"
unformatted=$(gofmt -l ./*.go examples)
[ -z "$unformatted" ] || { echo "go.sh: gofmt would change: $unformatted" >&2; exit 1; }
go vet ./...
[ $# -gt 0 ] || set -- -race -timeout 560s ./...
# A pass from the cache is of another library.
exec go test -count=1 "$@"
