#!/bin/sh
# Runs the Go suite against a library that was built with sanitizers. Go's program has none in it, so they are preloaded.
# usage: go-asan.sh BUILD_FOLDER [go test's arguments]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
tests=$(mktemp -d)
trap 'rm -rf "$tests"' EXIT
export GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off
export PKG_CONFIG_PATH="$build/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
# Go remembers what pkg-config said, and asks again for other flags: others would be linked with this library.
export CGO_LDFLAGS="-O2 -g -L$build"
cd "$here/../../bindings/go"
go test -c -o "$tests/suite" .
# Not while building: the compiler and go itself are no concern of ours. Leaks are not looked for: a Go program ends without
# giving the checker its turn (TestAHundredSessionsLeaveUnderTenMegabytes looks at what is left).
export SLIPSTREAM_TEST_SEEDER="$build/binding_seeder" SLIPSTREAM_TEST_SANITIZED=1
export ASAN_OPTIONS="handle_segv=0:detect_leaks=0:${ASAN_OPTIONS-}" UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS-}"
LD_PRELOAD=$(${CXX:-g++} -print-file-name=libasan.so) "$tests/suite" -test.timeout 500s "$@"
