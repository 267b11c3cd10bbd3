// Package native is what SWIG makes of bindings/slipstream.i: the C++ calls, one by one, with none of Go's safety. It is for
// package slipstream alone.
package native

//go:generate ./generate.sh

// #cgo pkg-config: slipstream
// #cgo CXXFLAGS: -std=c++20 -O1 -Wno-unused-function -Wno-deprecated-declarations
import "C"
