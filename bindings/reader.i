// A file of a torrent as a stream.
%{
#include <slipstream_binding/reader.hpp>
%}
#ifdef SWIGGO
// `go vet` has its own idea of a method Seek.
%rename(Move_to) slipstream::binding::file_reader::seek;
#endif
%include <slipstream_binding/reader.hpp>
