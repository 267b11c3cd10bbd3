// Slipstream for other languages. Go: bindings/go, which wraps what this gives (package internal/native); Python: the
// module `slipstream`. Everything here is of the shim layer (cpp/slipstream_binding), which stands on the public headers
// (include/slipstream) and throws nothing. See README.md.
#ifdef SWIGPYTHON
// What waits does so without Python's lock.
%module(threads="1", docstring="Torrents in bounded memory: a libtorrent session on Slipstream's memory disk.") slipstream
#else
%module native
#endif

// SWIG's parser does not know them.
#define noexcept

%include "outcome.i"
%include "alerts.i"
%include "disk_interface.i"
%include "session.i"
%include "reader.i"

#ifdef SWIGPYTHON
%pythoncode "python/slipstream_part.py"
#endif
