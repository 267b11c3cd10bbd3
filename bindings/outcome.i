// Errors, and what every other part needs: strings of bytes, lists, buffers.
//
// The shim layer throws nothing; what the wrappers themselves could throw (no memory for a string, say) ends in the
// language's own way: a panic in Go, which the Go package turns into an error, an exception in Python.
%{
#include <slipstream_binding/outcome.hpp>
%}

%include <exception.i>
%include <stdint.i>
%include <std_string.i>
%include <std_vector.i>

%exception {
	try { $action }
	catch (std::exception const& e) { SWIG_exception(SWIG_RuntimeError, e.what()); }
	catch (...) { SWIG_exception(SWIG_UnknownError, "an unknown exception"); }
}

#ifdef SWIGGO
// Strings in. As SWIG's own, but what it throws when there is no memory does not leave the wrapper: %exception is around the call
// alone, not around this.
%typemap(in) std::string const & (std::string temporary)
{
	try { temporary.assign($input.p, static_cast<std::size_t>($input.n)); }
	catch (std::exception const& e) { SWIG_exception(SWIG_MemoryError, e.what()); }
	$1 = &temporary;
}
// A buffer that is filled: a []byte. It is Go's, and is used during the call alone.
%typemap(gotype) (char *buffer, std::size_t size) "[]byte"
%typemap(in) (char *buffer, std::size_t size)
{ $1 = static_cast<char *>($input.array); $2 = static_cast<std::size_t>($input.len); }
// Lists of pieces and priorities: []int32 in, vectors out.
%typemap(gotype) std::vector<int> const & "[]int32"
%typemap(in) std::vector<int> const & (std::vector<int> temporary)
{
	int const *const first = static_cast<int const *>($input.array);
	try { temporary.assign(first, first + $input.len); }
	catch (std::exception const& e) { SWIG_exception(SWIG_MemoryError, e.what()); }
	$1 = &temporary;
}
#endif

#ifdef SWIGPYTHON
%include <pybuffer.i>
%pybuffer_mutable_binary(char *buffer, std::size_t size);
%typemap(out) slipstream::binding::bytes
{ $result = PyBytes_FromStringAndSize($1.data(), static_cast<Py_ssize_t>($1.size())); }
%typemap(varout) slipstream::binding::bytes
{ $result = PyBytes_FromStringAndSize($1.data(), static_cast<Py_ssize_t>($1.size())); }
%typemap(out) slipstream::binding::bytes *
{ $result = PyBytes_FromStringAndSize($1->data(), static_cast<Py_ssize_t>($1->size())); }
%typemap(in) slipstream::binding::bytes const & (std::string temporary)
{
	char *data = nullptr;
	Py_ssize_t size = 0;
	if (PyBytes_AsStringAndSize($input, &data, &size) != 0) SWIG_fail;
	temporary.assign(data, static_cast<std::size_t>(size));
	$1 = &temporary;
}
%typemap(freearg) slipstream::binding::bytes const & ""
%typemap(typecheck, precedence=SWIG_TYPECHECK_STRING) slipstream::binding::bytes const & { $1 = PyBytes_Check($input) ? 1 : 0; }
// An outcome is no argument in Python: a failure is an exception, slipstream.Error.
%typemap(in, numinputs=0) slipstream::binding::outcome & (slipstream::binding::outcome temporary) { $1 = &temporary; }
%typemap(argout) slipstream::binding::outcome &
{
	if (!$1->ok())
	{
		slipstream_raise($1->kind(), $1->message());
		SWIG_fail;
	}
}
%ignore slipstream::binding::outcome;
%{
#include <Python.h>
// slipstream.Error(kind, message), defined in slipstream.i.
static void slipstream_raise(int const kind, std::string const &message)
{
	PyObject *const module = PyImport_ImportModule("slipstream");
	PyObject *const type = module ? PyObject_GetAttrString(module, "Error") : nullptr;
	PyObject *const args = Py_BuildValue("(is#)", kind, message.data(), static_cast<Py_ssize_t>(message.size()));
	if (type && args) PyErr_SetObject(type, args);
	Py_XDECREF(args);
	Py_XDECREF(type);
	Py_XDECREF(module);
}
%}
#endif

%include <slipstream_binding/outcome.hpp>

%template(string_list) std::vector<std::string>;
%template(int_list) std::vector<int>;
%template(int64_list) std::vector<std::int64_t>;
