// The memory disk, and each torrent's storage in it.
%{
#include <slipstream_binding/memory.hpp>
%}
%include <slipstream_binding/memory.hpp>
