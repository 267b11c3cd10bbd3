package slipstream

import (
	"context"
	"io"
	"runtime"
	"time"

	"slipstream/internal/native"
)

// DefaultReadTimeout is how long a Read waits for its first byte unless told otherwise.
const DefaultReadTimeout = 2 * time.Minute

// ReaderOptions says how a Reader reads.
type ReaderOptions struct {
	// ReadAheadBytes is wanted beyond the position. 0 and below: an eighth of the memory, 1 to 64 MiB.
	ReadAheadBytes int64
	// LookbehindBytes is kept behind the position. 0: a quarter of the memory; below 0: lookbehind is yours to set
	// (LookbehindManager, SetLookbehindPieces).
	LookbehindBytes int64
	// Timeout is how long a Read waits for its first byte. 0: DefaultReadTimeout; below 0: for ever.
	Timeout time.Duration
}

// Reader is a file of a torrent: an io.ReadSeekCloser that waits for what is still to
// come. It gives verified bytes alone. While it is open it says what is read and what is lookbehind, and raises the priorities of
// what it wants next; several readers of one torrent share. One Read at a time; Seek, Close and the rest any time, from any
// goroutine.
type Reader struct {
	life    life
	native  native.File_reader
	session *Session
	ctx     context.Context
	timeout int64

	stopWatch chan struct{} // ends the watch over ctx
	watched   chan struct{}
}

var _ io.ReadSeekCloser = (*Reader)(nil)

// NewReader is a reader at the start of the torrent's file of that index. It never fails: a torrent that is gone, a file that it
// does not have, are told by Read and Seek; metadata that is still to come is waited for by them.
func NewReader(torrent *TorrentHandle, file int) *Reader {
	return NewReaderWithOptions(context.Background(), torrent, file, ReaderOptions{})
}

// NewReaderContext is NewReader with a context, which ends what waits, and all later reads, when it is done: an HTTP request's, say.
func NewReaderContext(ctx context.Context, torrent *TorrentHandle, file int) *Reader {
	return NewReaderWithOptions(ctx, torrent, file, ReaderOptions{})
}

// NewReaderWithOptions is NewReaderContext with all there is to say.
func NewReaderWithOptions(ctx context.Context, torrent *TorrentHandle, file int, options ReaderOptions) *Reader {
	if ctx == nil {
		ctx = context.Background()
	}
	r := &Reader{ctx: ctx, timeout: -1}
	if options.Timeout >= 0 {
		if options.Timeout == 0 {
			options.Timeout = DefaultReadTimeout
		}
		r.timeout = milliseconds(options.Timeout)
	}
	if torrent == nil || torrent.session == nil {
		return r // as if closed
	}
	r.session = torrent.session
	err := r.session.call("NewReader", func(n native.Session, _ native.Outcome) {
		o := native.NewReader_options()
		defer native.DeleteReader_options(o)
		o.SetRead_ahead_bytes(options.ReadAheadBytes)
		switch {
		case options.LookbehindBytes == 0:
			o.SetLookbehind_bytes(-1)
		case options.LookbehindBytes > 0:
			o.SetLookbehind_bytes(options.LookbehindBytes)
		default:
			o.SetLookbehind_bytes(0)
		}
		r.native = native.NewFile_reader(n, torrent.number, clamp32(file), o)
	})
	if err != nil {
		return r // the session is closed, and so is this
	}
	made := r.native
	r.life.begin(func() { native.DeleteFile_reader(made) })
	r.stopWatch, r.watched = make(chan struct{}), make(chan struct{})
	go watch(ctx, made, r.stopWatch, r.watched)
	runtime.SetFinalizer(r, func(r *Reader) { go r.Close() })
	return r
}

// watch knows nothing of the Reader, which may thus be finalized.
func watch(ctx context.Context, n native.File_reader, stop, done chan struct{}) {
	defer close(done)
	select {
	case <-ctx.Done():
		n.Interrupt()
	case <-stop:
	}
}

// Close ends a Read that waits (ErrClosed), and gives up what it wanted; what is behind it stays protected until others need
// the room. Idempotent, never an error.
func (r *Reader) Close() error {
	if r == nil || !r.life.end() {
		return nil
	}
	close(r.stopWatch)
	<-r.watched
	r.native.Close()
	r.life.leave()
	runtime.SetFinalizer(r, nil)
	return nil
}

func (r *Reader) call(op string, f func(n native.File_reader, out native.Outcome)) error {
	if r == nil || !r.life.enter() {
		return closedError(op)
	}
	defer r.life.leave()
	if err := r.ctx.Err(); err != nil {
		return err
	}
	err := call(op, func(out native.Outcome) { f(r.native, out) })
	if err != nil && r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	return err
}

// Read copies between 1 and len(buf) bytes from the position on, and moves it; io.EOF at the end of the file. It waits for the
// first byte. Errors: ErrReadTimeout, ErrMetadataTimeout, ErrCancelled (a Seek in the middle), ErrClosed, ErrNoSuchTorrent,
// ErrNoSuchFile, ErrNoSpace, ErrTorrentFailed, ErrBadArgument (another Read is under way), the context's.
func (r *Reader) Read(buf []byte) (n int, err error) {
	err = r.call("Read", func(raw native.File_reader, out native.Outcome) { n = int(raw.Read(buf, r.timeout, out)) })
	if err == nil && n == 0 && len(buf) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// Seek is io.Seeker's. From the end it waits for the metadata. A Read that waits ends with ErrCancelled when the position
// changes. Errors: ErrOutOfRange (before the start), and those of Read.
func (r *Reader) Seek(offset int64, whence int) (position int64, err error) {
	err = r.call("Seek", func(raw native.File_reader, out native.Outcome) {
		switch whence {
		case io.SeekStart:
			position = offset
		case io.SeekCurrent:
			position = raw.Position() + offset
		case io.SeekEnd:
			position = raw.Size(r.timeout, out) + offset
		}
		if out.Ok() && whence >= io.SeekStart && whence <= io.SeekEnd {
			raw.Move_to(position, out)
		}
	})
	if err == nil && (whence < io.SeekStart || whence > io.SeekEnd) {
		return 0, failure("Seek", CodeBadArgument, "whence is %d, it must be io.SeekStart, SeekCurrent or SeekEnd", whence)
	}
	if err != nil {
		return 0, err
	}
	return position, nil
}

// Size is the file's size; it waits for the metadata.
func (r *Reader) Size() (bytes int64, err error) {
	err = r.call("Size", func(raw native.File_reader, out native.Outcome) { bytes = raw.Size(r.timeout, out) })
	return bytes, err
}
