package slipstream

import (
	"math"
	"sync"
	"time"
)

// LookbehindManager keeps what was played: it turns a position and a size into SetLookbehindPieces. Both may change at any time,
// and take effect at once. For readers of which lookbehind is the application's (ReaderOptions.LookbehindBytes below 0), and for
// programs that read pieces themselves. Close gives up what it protects; there is no finalizer, so that a manager that is
// forgotten changes nothing: what it said last stays until the torrent goes or somebody says otherwise.
type LookbehindManager struct {
	mu          sync.Mutex
	closed      bool
	storage     *Storage
	numPieces   int
	pieceLength int64
	fileOffset  int64
	first, end  int // the pieces that may be lookbehind
	position    int // the piece that is played now
	size        lookbehindSize
	bytesPerSec int64
}

type lookbehindSize struct {
	pieces   int
	bytes    int64
	duration time.Duration
}

// NewLookbehindManager is for one file of a torrent (its pieces alone are lookbehind). Nothing is protected until a position and
// a size are set. Errors: ErrNoMetadata, ErrNoSuchFile, ErrNoSuchTorrent, ErrClosed.
func NewLookbehindManager(torrent *TorrentHandle, file int) (*LookbehindManager, error) {
	files, err := torrent.Files()
	if err != nil {
		return nil, err
	}
	if file < 0 || file >= len(files) {
		return nil, failure("NewLookbehindManager", CodeNoSuchFile, "the torrent has files 0 to %d, not %d", len(files)-1, file)
	}
	length, err := torrent.PieceLength()
	if err != nil {
		return nil, err
	}
	storage, err := torrent.Storage()
	if err != nil {
		return nil, err
	}
	n, err := storage.NumPieces()
	if err != nil {
		return nil, err
	}
	f := files[file]
	return &LookbehindManager{storage: storage, numPieces: n, pieceLength: int64(length), fileOffset: f.Offset, first: f.FirstPiece,
		end: f.EndPiece, position: f.FirstPiece}, nil
}

// SetPosition says which piece of the torrent is played now; the pieces before it are lookbehind. Positions outside the file are
// taken for its start or its end.
func (m *LookbehindManager) SetPosition(piece int) error {
	return m.change("SetPosition", func() error {
		m.position = piece
		return nil
	})
}

// SetPositionBytes is SetPosition by a byte of the file.
func (m *LookbehindManager) SetPositionBytes(offset int64) error {
	return m.change("SetPositionBytes", func() error {
		if offset < 0 {
			offset = 0
		}
		if offset > math.MaxInt64-m.fileOffset {
			offset = math.MaxInt64 - m.fileOffset
		}
		m.position = clampPiece((m.fileOffset + offset) / m.pieceLength)
		return nil
	})
}

// SetSizePieces says how many pieces are kept. 0: none. Errors: ErrBadArgument (below 0; nothing changes).
func (m *LookbehindManager) SetSizePieces(pieces int) error {
	return m.setSize("SetSizePieces", pieces >= 0, lookbehindSize{pieces: pieces})
}

// SetSizeBytes says how many bytes are kept, in whole pieces, one at least unless it is 0. Errors: ErrBadArgument.
func (m *LookbehindManager) SetSizeBytes(bytes int64) error {
	return m.setSize("SetSizeBytes", bytes >= 0, lookbehindSize{bytes: bytes})
}

// SetSizeDuration says how much playing time is kept, at SetBitrate's bytes a second. Errors: ErrBadArgument.
func (m *LookbehindManager) SetSizeDuration(d time.Duration) error {
	return m.setSize("SetSizeDuration", d >= 0, lookbehindSize{duration: d})
}

// SetSizeSeconds is SetSizeDuration in seconds.
func (m *LookbehindManager) SetSizeSeconds(seconds int) error {
	const most = int(math.MaxInt64 / time.Second) // 292 years
	if seconds > most {
		seconds = most
	}
	if seconds < 0 {
		seconds = -1
	}
	return m.SetSizeDuration(time.Duration(seconds) * time.Second)
}

// SetBitrate says how many bytes a second of the film has; SetSizeDuration means nothing before. Errors: ErrBadArgument.
func (m *LookbehindManager) SetBitrate(bytesPerSecond int64) error {
	return m.change("SetBitrate", func() error {
		if bytesPerSecond < 0 {
			return failure("SetBitrate", CodeBadArgument, "a bitrate is 0 or more, not %d", bytesPerSecond)
		}
		m.bytesPerSec = bytesPerSecond
		return nil
	})
}

// SizePieces is how many pieces are asked to be kept, as set.
func (m *LookbehindManager) SizePieces() int {
	if m == nil || m.storage == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sizePieces()
}

// Stats says what is kept. Errors: ErrNoSuchTorrent, ErrClosed.
func (m *LookbehindManager) Stats() (LookbehindStats, error) {
	if m == nil {
		return LookbehindStats{}, closedError("Stats")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.storage == nil {
		return LookbehindStats{}, closedError("Stats")
	}
	return m.storage.GetLookbehindStats()
}

// IsAvailable says whether seeking to the piece costs no download.
func (m *LookbehindManager) IsAvailable(piece int) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.closed && m.storage != nil && m.storage.IsLookbehindAvailable(piece)
}

// Close protects nothing any more. Idempotent, never an error.
func (m *LookbehindManager) Close() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.storage == nil {
		return nil
	}
	m.closed = true
	_ = m.storage.ClearLookbehind() // what is gone protects nothing
	return nil
}

func (m *LookbehindManager) setSize(op string, valid bool, size lookbehindSize) error {
	return m.change(op, func() error {
		if !valid {
			return failure(op, CodeBadArgument, "a size is 0 or more")
		}
		m.size = size
		return nil
	})
}

func (m *LookbehindManager) change(op string, f func() error) error {
	if m == nil {
		return closedError(op)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.storage == nil {
		return closedError(op)
	}
	if err := f(); err != nil {
		return err
	}
	_, err := m.storage.SetLookbehindPieces(m.pieces())
	return err
}

func (m *LookbehindManager) sizePieces() int {
	bytes := m.size.bytes
	if m.size.duration > 0 {
		bytes = math.MaxInt64
		if b := m.size.duration.Seconds() * float64(m.bytesPerSec); b < math.MaxInt64 {
			bytes = int64(b)
		}
	}
	if bytes > 0 {
		return clampPiece((bytes-1)/m.pieceLength + 1)
	}
	return m.size.pieces
}

// pieces is what lies behind the position, nearest first.
func (m *LookbehindManager) pieces() []int {
	at := m.position
	if at > m.end {
		at = m.end
	}
	n := m.sizePieces()
	if n > at-m.first {
		n = at - m.first
	}
	var pieces []int
	for i := 1; i <= n; i++ {
		pieces = append(pieces, at-i)
	}
	return pieces
}

func clampPiece(piece int64) int {
	if piece > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(piece)
}
