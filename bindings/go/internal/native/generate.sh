#!/bin/sh
# Has SWIG write native.go and native_wrap.cxx from bindings/slipstream.i, here. `go generate` and CMake run it.
# usage: generate.sh [SWIG]
set -eu
cd "$(dirname "$0")"
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
(cd ../../.. && "${1:-swig}" -go -cgo -intgosize 64 -DSWIGWORDSIZE64 -c++ -Wall -Icpp -o "$new/native_wrap.cxx" -outdir "$new" slipstream.i)
# SWIG 4.1 holds a C pointer in a uintptr for a moment, which `go vet` rightly dislikes.
sed -i -e 's/^type swig_gostring struct { p uintptr; n int }/type swig_gostring struct { p unsafe.Pointer; n int }/' \
  -e 's/r := string((\*\[0x7fffffff\]byte)(unsafe.Pointer(p.p))\[:p.n\])/r := string(unsafe.Slice((*byte)(p.p), p.n))/' \
  -e 's/^  Swig_free(p.p)$/  Swig_free(uintptr(p.p))/' "$new/native.go"
# What did not change keeps its time, and Go's cache its use.
for file in native.go native_wrap.cxx; do
  cmp -s "$new/$file" "$file" || cp "$new/$file" "$file.new"
  [ ! -e "$file.new" ] || mv "$file.new" "$file"
done
