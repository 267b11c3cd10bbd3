package slipstream

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"slipstream/internal/native"
)

// Code says what kind of failure an Error is.
type Code int

// The kinds of failure.
const (
	CodeBadArgument     Code = 1  // a value outside its range; the message says which
	CodeBadTorrent      Code = 2  // not a torrent file or resume data, or one that cannot be used
	CodeBadMagnet       Code = 3  // not a magnet link
	CodeTooLarge        Code = 4  // more than a stated limit
	CodeNoSuchTorrent   Code = 5  // never added, or removed
	CodeNoSuchFile      Code = 6  // the torrent has no file of that index
	CodeNoSuchPiece     Code = 7  // an index outside the torrent
	CodeNotInMemory     Code = 8  // the bytes are not here: never written, or gone
	CodeNotVerified     Code = 9  // the bytes are here, and their hash was not checked yet
	CodeOutOfRange      Code = 10 // an offset or a length outside the piece or file
	CodeDuplicate       Code = 11 // the torrent is there already
	CodeNoMetadata      Code = 12 // the torrent's metadata has not arrived
	CodeMetadataTimeout Code = 13 // no peer sent the metadata in time
	CodeReadTimeout     Code = 14 // the wanted bytes did not arrive in time
	CodeNoSpace         Code = 15 // the memory's capacity is reached
	CodeCancelled       Code = 16 // the wait was cancelled
	CodeTorrentFailed   Code = 17 // libtorrent stopped the torrent; the message says why
	CodeClosed          Code = 100
	CodeUnknownSetting  Code = 101 // libtorrent has no setting of that name and type
	CodeLibtorrent      Code = 102 // an error code of libtorrent or the system: Category and Value
	CodeInternal        Code = 103 // anything else; the message is what was thrown
)

// Error is every error of this package, but for those of contexts and io.EOF.
type Error struct {
	Op       string // the call that failed
	Code     Code
	Category string // of the C++ error code, where there was one: "libtorrent", "system", ...
	Value    int    // its number in that category
	Message  string // what was wrong, where, and what would be right
}

func (e *Error) Error() string {
	if e.Op == "" {
		return "slipstream: " + e.Message
	}
	return "slipstream: " + e.Op + ": " + e.Message
}

// Is compares codes; ErrClosed is fs.ErrClosed too, and ErrReadTimeout is os.ErrDeadlineExceeded.
func (e *Error) Is(target error) bool {
	if t, ok := target.(*Error); ok {
		return t.Code == e.Code
	}
	switch e.Code {
	case CodeClosed:
		return target == fs.ErrClosed
	case CodeReadTimeout, CodeMetadataTimeout:
		return target == os.ErrDeadlineExceeded
	}
	return false
}

// To be compared with errors.Is.
var (
	ErrBadArgument     = sentinel(CodeBadArgument, "bad argument")
	ErrBadTorrent      = sentinel(CodeBadTorrent, "not a torrent that can be used")
	ErrBadMagnet       = sentinel(CodeBadMagnet, "not a magnet link")
	ErrTooLarge        = sentinel(CodeTooLarge, "too large")
	ErrNoSuchTorrent   = sentinel(CodeNoSuchTorrent, "no such torrent")
	ErrNoSuchFile      = sentinel(CodeNoSuchFile, "no such file")
	ErrNoSuchPiece     = sentinel(CodeNoSuchPiece, "no such piece")
	ErrNotInMemory     = sentinel(CodeNotInMemory, "not in memory")
	ErrNotVerified     = sentinel(CodeNotVerified, "not verified yet")
	ErrOutOfRange      = sentinel(CodeOutOfRange, "out of range")
	ErrDuplicate       = sentinel(CodeDuplicate, "the torrent is there already")
	ErrNoMetadata      = sentinel(CodeNoMetadata, "the metadata has not arrived")
	ErrMetadataTimeout = sentinel(CodeMetadataTimeout, "the metadata did not arrive in time")
	ErrReadTimeout     = sentinel(CodeReadTimeout, "the bytes did not arrive in time")
	ErrNoSpace         = sentinel(CodeNoSpace, "no space in memory")
	ErrCancelled       = sentinel(CodeCancelled, "cancelled")
	ErrTorrentFailed   = sentinel(CodeTorrentFailed, "libtorrent stopped the torrent")
	ErrClosed          = sentinel(CodeClosed, "closed")
	ErrUnknownSetting  = sentinel(CodeUnknownSetting, "libtorrent has no such setting")
	ErrLibtorrent      = sentinel(CodeLibtorrent, "libtorrent's error")
	ErrInternal        = sentinel(CodeInternal, "internal error")
)

func sentinel(code Code, message string) *Error { return &Error{Code: code, Message: message} }

func failure(op string, code Code, format string, args ...interface{}) *Error {
	return &Error{Op: op, Code: code, Message: fmt.Sprintf(format, args...)}
}

func closedError(op string) *Error { return failure(op, CodeClosed, "closed") }

// call makes one call of the C++ side. The shim answers failures through the outcome; what SWIG's own wrappers throw
// (no memory for a string, say) arrives as a panic, and ends as an error too.
func call(op string, f func(out native.Outcome)) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error: // a mistake of this package's, or no memory: not to be hidden
			panic(p)
		default:
			err = failure(op, CodeInternal, "%v", p)
		}
	}()
	out := native.NewOutcome()
	defer native.DeleteOutcome(out)
	f(out)
	if out.Ok() {
		return nil
	}
	return &Error{Op: op, Code: Code(out.Kind()), Category: out.Category(), Value: out.Value(), Message: out.Message()}
}
