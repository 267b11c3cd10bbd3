package slipstream

import "slipstream/internal/native"

// StorageIndex is a torrent's storage in a memory disk. It has a generation inside: one that was used for a torrent is never
// used again, so an old one is an error (ErrNoSuchTorrent) and never another torrent's bytes. The zero value is no storage.
type StorageIndex int64

// PieceState says what of a piece is in memory.
type PieceState int

// What of a piece is in memory.
const (
	PieceAbsent   PieceState = iota // no block of it
	PiecePartial                    // some blocks
	PieceComplete                   // all, and whether the hash is right is not known yet
	PieceVerified                   // all, and the hash is right
)

// Granted says what of a wish to protect pieces was granted: the first Pieces of those asked for.
type Granted struct {
	Pieces int
	Bytes  int64
}

// LookbehindStats says what lookbehind holds.
type LookbehindStats struct {
	ProtectedPieces int
	AvailablePieces int // of these, verified and in memory now
	ProtectedBytes  int64
	AvailableBytes  int64
}

// Storage is one torrent's storage: a StorageIndex and its disk, in one. Nothing to close.
type Storage struct {
	disk  *MemoryDisk
	index StorageIndex
}

// Index is its index.
func (s *Storage) Index() StorageIndex {
	if s == nil {
		return 0
	}
	return s.index
}

// memory is nil where there is none; its calls are ErrClosed then.
func (s *Storage) memory() *MemoryDisk {
	if s == nil {
		return nil
	}
	return s.disk
}

// Alive says whether the torrent is still in its session.
func (s *Storage) Alive() bool { return s.memory().IsStorageAlive(s.Index()) }

// NumPieces is how many pieces the torrent has.
func (s *Storage) NumPieces() (int, error) { return s.memory().NumPieces(s.Index()) }

// NumVerifiedPieces is how many of them are verified and in memory.
func (s *Storage) NumVerifiedPieces() (int, error) { return s.memory().NumVerifiedPieces(s.Index()) }

// PieceState is what of the piece is in memory.
func (s *Storage) PieceState(piece int) (PieceState, error) {
	return s.memory().PieceState(s.Index(), piece)
}

// HasPiece says whether the whole piece is in memory.
func (s *Storage) HasPiece(piece int) bool { return s.memory().HasPiece(s.Index(), piece) }

// Read is MemoryDisk.Read.
func (s *Storage) Read(buf []byte, piece, offset int) (int, error) {
	return s.memory().Read(s.Index(), buf, piece, offset)
}

// SetReaderPieces is MemoryDisk.SetReaderPieces.
func (s *Storage) SetReaderPieces(nearestFirst []int) (Granted, error) {
	return s.memory().SetReaderPieces(s.Index(), nearestFirst)
}

// SetReservedPieces is MemoryDisk.SetReservedPieces.
func (s *Storage) SetReservedPieces(pieces []int) (Granted, error) {
	return s.memory().SetReservedPieces(s.Index(), pieces)
}

// SetLookbehindPieces is MemoryDisk.SetLookbehindPieces.
func (s *Storage) SetLookbehindPieces(nearestFirst []int) (Granted, error) {
	return s.memory().SetLookbehindPieces(s.Index(), nearestFirst)
}

// ClearLookbehind is MemoryDisk.ClearLookbehind.
func (s *Storage) ClearLookbehind() error { return s.memory().ClearLookbehind(s.Index()) }

// IsLookbehindAvailable is MemoryDisk.IsLookbehindAvailable.
func (s *Storage) IsLookbehindAvailable(piece int) bool {
	return s.memory().IsLookbehindAvailable(s.Index(), piece)
}

// GetLookbehindStats is MemoryDisk.GetLookbehindStats.
func (s *Storage) GetLookbehindStats() (LookbehindStats, error) {
	return s.memory().GetLookbehindStats(s.Index())
}

// IsStorageAlive says whether the storage's torrent is still in its session.
func (d *MemoryDisk) IsStorageAlive(storage StorageIndex) (alive bool) {
	_ = d.call("IsStorageAlive", func(m native.Memory, _ native.Outcome) { alive = m.Alive(int64(storage)) })
	return alive
}

// NumPieces is how many pieces the storage's torrent has. Errors: ErrNoSuchTorrent.
func (d *MemoryDisk) NumPieces(storage StorageIndex) (n int, err error) {
	err = d.call("NumPieces", func(m native.Memory, out native.Outcome) { n = m.Num_pieces(int64(storage), out) })
	return n, err
}

// NumVerifiedPieces is how many of them are verified and in memory. Errors: ErrNoSuchTorrent.
func (d *MemoryDisk) NumVerifiedPieces(storage StorageIndex) (n int, err error) {
	err = d.call("NumVerifiedPieces", func(m native.Memory, out native.Outcome) { n = m.Num_verified_pieces(int64(storage), out) })
	return n, err
}

// PieceState is what of the piece is in memory. Errors: ErrNoSuchTorrent, ErrNoSuchPiece.
func (d *MemoryDisk) PieceState(storage StorageIndex, piece int) (state PieceState, err error) {
	err = d.call("PieceState", func(m native.Memory, out native.Outcome) {
		state = PieceState(m.Piece_state(int64(storage), clamp32(piece), out))
	})
	return state, err
}

// HasPiece says whether the whole piece is in memory. False for what does not exist.
func (d *MemoryDisk) HasPiece(storage StorageIndex, piece int) (has bool) {
	_ = d.call("HasPiece", func(m native.Memory, _ native.Outcome) { has = m.Has_piece(int64(storage), clamp32(piece)) })
	return has
}

// Read copies verified bytes of a piece, from offset on, and says how many: fewer than len(buf) where the piece ends. It waits
// for nothing. Errors: ErrNoSuchTorrent, ErrNoSuchPiece, ErrOutOfRange, ErrNotInMemory, ErrNotVerified.
func (d *MemoryDisk) Read(storage StorageIndex, buf []byte, piece, offset int) (n int, err error) {
	if len(buf) == 0 {
		return 0, nil
	}
	err = d.call("Read", func(m native.Memory, out native.Outcome) {
		n = int(m.Read(int64(storage), buf, clamp32(piece), clamp32(offset), true, out))
	})
	return n, err
}

type protect func(storage int64, pieces []int32, out native.Outcome) native.Granted_record

func (d *MemoryDisk) protect(op string, storage StorageIndex, pieces []int, which func(native.Memory) protect) (g Granted, err error) {
	err = d.call(op, func(m native.Memory, out native.Outcome) {
		r := which(m)(int64(storage), int32sOf(pieces), out)
		defer native.DeleteGranted_record(r)
		g = Granted{Pieces: r.GetPieces(), Bytes: r.GetBytes()}
	})
	return g, err
}

// SetReaderPieces says what is being read, nearest first, and replaces what it said before: the first two are never evicted, the
// rest only when nothing unprotected is left. In a memory that does not hold everything these are also what is wanted. Open Readers
// of the torrent say it themselves. Errors: ErrNoSuchTorrent, ErrNoSuchPiece (nothing changes), ErrNoSpace.
func (d *MemoryDisk) SetReaderPieces(storage StorageIndex, nearestFirst []int) (Granted, error) {
	return d.protect("SetReaderPieces", storage, nearestFirst, func(m native.Memory) protect { return m.Set_reader_pieces })
}

// SetReservedPieces protects pieces (a container's index, say) from eviction, in order of importance, and replaces those that
// were. Errors: as SetReaderPieces.
func (d *MemoryDisk) SetReservedPieces(storage StorageIndex, pieces []int) (Granted, error) {
	return d.protect("SetReservedPieces", storage, pieces, func(m native.Memory) protect { return m.Set_reserved_pieces })
}

// SetLookbehindPieces protects what was played, nearest first, and replaces what was protected. On a storage that does not exist
// it does nothing and says ErrNoSuchTorrent; a piece that does not exist is ErrNoSuchPiece, and nothing changes.
func (d *MemoryDisk) SetLookbehindPieces(storage StorageIndex, nearestFirst []int) (Granted, error) {
	return d.protect("SetLookbehindPieces", storage, nearestFirst, func(m native.Memory) protect { return m.Set_lookbehind_pieces })
}

// ClearLookbehind protects no lookbehind any more. Errors: ErrNoSuchTorrent.
func (d *MemoryDisk) ClearLookbehind(storage StorageIndex) error {
	return d.call("ClearLookbehind", func(m native.Memory, out native.Outcome) { m.Clear_lookbehind(int64(storage), out) })
}

// IsLookbehindAvailable says whether the piece is protected lookbehind, verified and in memory: seeking there costs no download.
func (d *MemoryDisk) IsLookbehindAvailable(storage StorageIndex, piece int) (is bool) {
	_ = d.call("IsLookbehindAvailable", func(m native.Memory, _ native.Outcome) {
		is = m.Is_lookbehind_available(int64(storage), clamp32(piece))
	})
	return is
}

// GetLookbehindStats says what lookbehind holds. Errors: ErrNoSuchTorrent.
func (d *MemoryDisk) GetLookbehindStats(storage StorageIndex) (s LookbehindStats, err error) {
	err = d.call("GetLookbehindStats", func(m native.Memory, out native.Outcome) {
		r := m.Lookbehind(int64(storage), out)
		defer native.DeleteLookbehind_record(r)
		s = LookbehindStats{ProtectedPieces: r.GetProtected_pieces(), AvailablePieces: r.GetAvailable_pieces(),
			ProtectedBytes: r.GetProtected_bytes(), AvailableBytes: r.GetAvailable_bytes()}
	})
	return s, err
}
