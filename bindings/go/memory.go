package slipstream

import (
	"runtime"

	"slipstream/internal/native"
)

// DefaultCapacity is the capacity of a session's memory when none was asked for: 256 MiB.
const DefaultCapacity int64 = 256 << 20

// MinCapacity is the least capacity of a memory disk: 1 MiB. A torrent's pieces may need more (MemoryDisk.RoomFor).
const MinCapacity int64 = 1 << 20

// MemoryDiskOptions says how a memory disk is.
type MemoryDiskOptions struct {
	CapacityBytes int64 // of torrent data, over all torrents of all sessions. 0: DefaultCapacity
	HashThreads   int   // 1..64. 0: as libtorrent's setting hashing_threads says
	// KeepAll refuses writes when the capacity is reached. Otherwise verified pieces that nobody protects make room, and
	// libtorrent is made to forget them.
	KeepAll bool
	// HoldAlways keeps every piece ready to be forgotten, also while everything fits.
	HoldAlways bool
}

// MemoryDisk is the memory in which sessions keep their torrents. It may serve many sessions, and outlives them.
type MemoryDisk struct {
	life   life
	native native.Memory
}

// NewMemoryDisk makes one, to be given to sessions with SessionParams.SetMemoryDisk. Errors: ErrBadArgument, with the range.
func NewMemoryDisk(options MemoryDiskOptions) (*MemoryDisk, error) {
	var disk *MemoryDisk
	err := call("NewMemoryDisk", func(out native.Outcome) {
		o := native.NewMemory_options()
		defer native.DeleteMemory_options(o)
		if options.CapacityBytes == 0 {
			options.CapacityBytes = DefaultCapacity
		}
		o.SetCapacity_bytes(options.CapacityBytes)
		o.SetHash_threads(clamp32(options.HashThreads))
		o.SetEvict(!options.KeepAll)
		o.SetHold_always(options.HoldAlways)
		made := native.NewMemory(o, out)
		if !out.Ok() {
			native.DeleteMemory(made)
			return
		}
		disk = &MemoryDisk{native: made}
	})
	if err != nil {
		return nil, err
	}
	made := disk.native
	disk.life.begin(func() { native.DeleteMemory(made) })
	runtime.SetFinalizer(disk, func(d *MemoryDisk) { d.Close() })
	return disk, nil
}

// Close gives up this handle; the memory itself goes with the last session that uses it. Idempotent, never an error.
func (d *MemoryDisk) Close() error {
	if d != nil && d.life.end() {
		d.life.leave()
	}
	return nil
}

func (d *MemoryDisk) call(op string, f func(m native.Memory, out native.Outcome)) error {
	if d == nil || !d.life.enter() {
		return closedError(op)
	}
	defer d.life.leave()
	return call(op, func(out native.Outcome) { f(d.native, out) })
}

// Capacity is the bytes of torrent data kept at most.
func (d *MemoryDisk) Capacity() (bytes int64, err error) {
	err = d.call("Capacity", func(m native.Memory, _ native.Outcome) { bytes = m.Capacity_bytes() })
	return bytes, err
}

// SetCapacity takes effect at once, and memory is given back to the system. Errors: ErrBadArgument, with the sum of what is
// needed, when it is too small.
func (d *MemoryDisk) SetCapacity(bytes int64) error {
	return d.call("SetCapacity", func(m native.Memory, out native.Outcome) { m.Set_capacity_bytes(bytes, out) })
}

// RoomFor says whether a torrent of this size can be streamed through the capacity. Errors: ErrNoSpace, with the sum.
func (d *MemoryDisk) RoomFor(sizeBytes int64, pieceLengthBytes int) error {
	return d.call("RoomFor", func(m native.Memory, out native.Outcome) { m.Room_for(sizeBytes, clamp32(pieceLengthBytes), out) })
}

// MemoryStats is a snapshot of a memory disk; bytes, or counts since it was made.
type MemoryStats struct {
	CapacityBytes            int64
	WritableBytes            int64 // of the capacity; the rest is for putting reads together
	UsedBytes                int64 // every block in use
	PeakBytes                int64 // the most that UsedBytes ever was
	MappedBytes              int64 // taken from the system
	Torrents                 int64 // storages alive now
	HashJobs                 int64 // queued or running now
	BlocksWritten            int64
	BlocksRead               int64
	ReadsMissed              int64 // for what was not in memory
	ReadsCopied              int64 // that straddled two blocks
	WritesRefused            int64 // for want of capacity
	PiecesHashed             int64
	PiecesVerified           int64
	PiecesEvicted            int64 // gave up their memory for others
	PiecesForgotten          int64 // libtorrent was made to give up
	ProtectableBytes         int64 // what protections may add up to now
	LookbehindBytes          int64 // protected now, over all torrents
	LookbehindAvailableBytes int64 // of these, verified and in memory
}

// Stats is a snapshot.
func (d *MemoryDisk) Stats() (s MemoryStats, err error) {
	err = d.call("Stats", func(m native.Memory, _ native.Outcome) {
		r := m.Stats()
		defer native.DeleteMemory_record(r)
		s = MemoryStats{CapacityBytes: r.GetCapacity_bytes(), WritableBytes: r.GetWritable_bytes(), UsedBytes: r.GetUsed_bytes(),
			PeakBytes: r.GetPeak_bytes(), MappedBytes: r.GetMapped_bytes(), Torrents: r.GetTorrents(), HashJobs: r.GetHash_jobs(),
			BlocksWritten: r.GetBlocks_written(), BlocksRead: r.GetBlocks_read(), ReadsMissed: r.GetReads_missed(),
			ReadsCopied: r.GetReads_copied(), WritesRefused: r.GetWrites_refused(), PiecesHashed: r.GetPieces_hashed(),
			PiecesVerified: r.GetPieces_verified(), PiecesEvicted: r.GetPieces_evicted(), PiecesForgotten: r.GetPieces_forgotten(),
			ProtectableBytes: r.GetProtectable_bytes(), LookbehindBytes: r.GetLookbehind_bytes(),
			LookbehindAvailableBytes: r.GetLookbehind_available_bytes()}
	})
	return s, err
}

// Storage is the storage of a torrent, by any of its hashes; where several sessions have the torrent, that of the one that added
// it last. Errors: ErrNoSuchTorrent.
func (d *MemoryDisk) Storage(hash InfoHash) (*Storage, error) {
	index, err := d.StorageIndex(hash)
	if err != nil {
		return nil, err
	}
	return &Storage{disk: d, index: index}, nil
}

// StorageIndex is the same, for those who think in indices. Errors: ErrNoSuchTorrent.
func (d *MemoryDisk) StorageIndex(hash InfoHash) (index StorageIndex, err error) {
	v1, v2 := hash.raw()
	err = d.call("StorageIndex", func(m native.Memory, out native.Outcome) { index = StorageIndex(m.Storage(v1, v2, out)) })
	return index, err
}
