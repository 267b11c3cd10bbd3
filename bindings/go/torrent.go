package slipstream

import (
	"context"
	"math"
	"time"

	"slipstream/internal/native"
)

// TorrentHandle names a torrent of a session. A Go value, nothing to close; when the torrent was removed its calls are
// ErrNoSuchTorrent, when the session was closed ErrClosed. Every method may fail with these.
type TorrentHandle struct {
	session *Session
	number  int64
}

func (t *TorrentHandle) call(op string, f func(n native.Session, torrent int64, out native.Outcome)) error {
	if t == nil || t.session == nil {
		return failure(op, CodeNoSuchTorrent, "no torrent")
	}
	return t.session.call(op, func(n native.Session, out native.Outcome) { f(n, t.number, out) })
}

// Session is the session whose torrent it is.
func (t *TorrentHandle) Session() *Session {
	if t == nil {
		return nil
	}
	return t.session
}

// Equal says whether both name the same torrent of the same session. A torrent that was removed and added again is another.
func (t *TorrentHandle) Equal(other *TorrentHandle) bool {
	return t != nil && other != nil && t.session == other.session && t.number == other.number
}

// IsValid says whether the torrent is in its session.
func (t *TorrentHandle) IsValid() (valid bool) {
	_ = t.call("IsValid", func(n native.Session, torrent int64, _ native.Outcome) { valid = n.Is_valid(torrent) })
	return valid
}

// InfoHash is the torrent's hashes; of a hybrid torrent that came as a link both are known with the metadata.
func (t *TorrentHandle) InfoHash() (hash InfoHash, err error) {
	err = t.call("InfoHash", func(n native.Session, torrent int64, out native.Outcome) {
		v1 := n.V1_hash(torrent, out)
		if out.Ok() {
			hash = hashFrom(v1, n.V2_hash(torrent, out))
		}
	})
	return hash, err
}

// Status is everything that a streamer shows.
func (t *TorrentHandle) Status() (*TorrentStatus, error) { return t.status(false) }

// StatusWithPieces is Status with Pieces filled in.
func (t *TorrentHandle) StatusWithPieces() (*TorrentStatus, error) { return t.status(true) }

func (t *TorrentHandle) status(withPieces bool) (status *TorrentStatus, err error) {
	err = t.call("Status", func(n native.Session, torrent int64, out native.Outcome) {
		r := n.Status(torrent, withPieces, out)
		defer native.DeleteTorrent_record(r)
		status = t.session.statusOf(r)
	})
	if err != nil {
		return nil, err
	}
	return status, nil
}

// Files is the torrent's files, with their priorities and what of them is there. Errors: ErrNoMetadata.
func (t *TorrentHandle) Files() (files []File, err error) {
	err = t.call("Files", func(n native.Session, torrent int64, out native.Outcome) {
		list := n.Files(torrent, out)
		defer native.DeleteFile_list(list)
		files = filesOf(list)
	})
	return files, err
}

// PieceLength is the length of every piece but the last, bytes. Errors: ErrNoMetadata.
func (t *TorrentHandle) PieceLength() (bytes int, err error) {
	err = t.call("PieceLength", func(n native.Session, torrent int64, out native.Outcome) { bytes = n.Piece_length(torrent, out) })
	return bytes, err
}

// TorrentFile is a torrent file of the torrent. Errors: ErrNoMetadata; of a v2 torrent that came as a link also while the hashes
// of its pieces are still to come.
func (t *TorrentHandle) TorrentFile() (content []byte, err error) {
	err = t.call("TorrentFile", func(n native.Session, torrent int64, out native.Outcome) {
		content = []byte(n.Torrent_file(torrent, out))
	})
	return content, err
}

// SetFilePriority: 0 (not wanted) to 7. Errors: ErrNoMetadata, ErrNoSuchFile, ErrBadArgument.
func (t *TorrentHandle) SetFilePriority(file, priority int) error {
	return t.call("SetFilePriority", func(n native.Session, torrent int64, out native.Outcome) {
		n.Set_file_priority(torrent, clamp32(file), clamp32(priority), out)
	})
}

// PrioritizeFiles is SetFilePriority for the first len(priorities) files.
func (t *TorrentHandle) PrioritizeFiles(priorities []int) error {
	return t.call("PrioritizeFiles", func(n native.Session, torrent int64, out native.Outcome) {
		n.Set_file_priorities(torrent, int32sOf(priorities), out)
	})
}

// PiecePriorities is every piece's priority. Errors: ErrNoMetadata.
func (t *TorrentHandle) PiecePriorities() (priorities []int, err error) {
	err = t.call("PiecePriorities", func(n native.Session, torrent int64, out native.Outcome) {
		list := n.Piece_priorities(torrent, out)
		defer native.DeleteInt_list(list)
		priorities = intsOf(list)
	})
	return priorities, err
}

// SetPiecePriority: 0 (not wanted) to 7. Errors: ErrNoMetadata, ErrNoSuchPiece, ErrBadArgument.
func (t *TorrentHandle) SetPiecePriority(piece, priority int) error {
	return t.call("SetPiecePriority", func(n native.Session, torrent int64, out native.Outcome) {
		n.Set_piece_priority(torrent, clamp32(piece), clamp32(priority), out)
	})
}

// PrioritizePieces sets every piece's priority. Errors: ErrNoMetadata, ErrBadArgument (another number of pieces).
func (t *TorrentHandle) PrioritizePieces(priorities []int) error {
	return t.call("PrioritizePieces", func(n native.Session, torrent int64, out native.Outcome) {
		n.Set_piece_priorities(torrent, int32sOf(priorities), out)
	})
}

// SetPieceDeadline wants a piece within a time from now. Errors: ErrNoMetadata, ErrNoSuchPiece, ErrBadArgument.
func (t *TorrentHandle) SetPieceDeadline(piece int, deadline time.Duration) error {
	return t.call("SetPieceDeadline", func(n native.Session, torrent int64, out native.Outcome) {
		n.Set_piece_deadline(torrent, clamp32(piece), clamp32(int(deadline/time.Millisecond)), out)
	})
}

// ResetPieceDeadline takes one piece's deadline away; libtorrent then gives the piece the default priority.
func (t *TorrentHandle) ResetPieceDeadline(piece int) error {
	return t.call("ResetPieceDeadline", func(n native.Session, torrent int64, out native.Outcome) {
		n.Reset_piece_deadline(torrent, clamp32(piece), out)
	})
}

// ClearPieceDeadlines takes all deadlines away.
func (t *TorrentHandle) ClearPieceDeadlines() error {
	return t.call("ClearPieceDeadlines", func(n native.Session, torrent int64, out native.Outcome) {
		n.Clear_piece_deadlines(torrent, out)
	})
}

// HavePiece says whether libtorrent has the piece. Errors: ErrNoMetadata, ErrNoSuchPiece.
func (t *TorrentHandle) HavePiece(piece int) (have bool, err error) {
	err = t.call("HavePiece", func(n native.Session, torrent int64, out native.Outcome) {
		have = n.Have_piece(torrent, clamp32(piece), out)
	})
	return have, err
}

// Trackers is the torrent's trackers.
func (t *TorrentHandle) Trackers() (trackers []Tracker, err error) {
	err = t.call("Trackers", func(n native.Session, torrent int64, out native.Outcome) {
		list := n.Trackers(torrent, out)
		defer native.DeleteTracker_list(list)
		trackers = trackersOf(list)
	})
	return trackers, err
}

// AddTracker adds one, in a tier of 0 to 255.
func (t *TorrentHandle) AddTracker(url string, tier int) error {
	return t.call("AddTracker", func(n native.Session, torrent int64, out native.Outcome) {
		n.Add_tracker(torrent, url, clamp32(tier), out)
	})
}

// Peers is the peers that the torrent is connected to, or connecting.
func (t *TorrentHandle) Peers() (peers []Peer, err error) {
	err = t.call("Peers", func(n native.Session, torrent int64, out native.Outcome) {
		list := n.Peers(torrent, out)
		defer native.DeletePeer_list(list)
		peers = peersOf(list)
	})
	return peers, err
}

// ConnectPeer connects to a peer: ADDR:PORT, IPv6 in brackets. Errors: ErrBadArgument.
func (t *TorrentHandle) ConnectPeer(endpoint string) error {
	return t.call("ConnectPeer", func(n native.Session, torrent int64, out native.Outcome) {
		n.Connect_peer(torrent, endpoint, out)
	})
}

// Flags is the torrent's flags.
func (t *TorrentHandle) Flags() (flags TorrentFlags, err error) {
	err = t.call("Flags", func(n native.Session, torrent int64, out native.Outcome) { flags = TorrentFlags(n.Flags(torrent, out)) })
	return flags, err
}

// SetFlags sets flags.
func (t *TorrentHandle) SetFlags(flags TorrentFlags) error {
	return t.setFlags("SetFlags", flags, flags)
}

// UnsetFlags takes flags away.
func (t *TorrentHandle) UnsetFlags(flags TorrentFlags) error {
	return t.setFlags("UnsetFlags", 0, flags)
}

func (t *TorrentHandle) setFlags(op string, flags, mask TorrentFlags) error {
	return t.call(op, func(n native.Session, torrent int64, out native.Outcome) {
		n.Set_flags(torrent, uint64(flags), uint64(mask), out)
	})
}

// Pause leaves the peers.
func (t *TorrentHandle) Pause() error { return t.pause(false) }

// PauseGracefully lets what is under way arrive first.
func (t *TorrentHandle) PauseGracefully() error { return t.pause(true) }

func (t *TorrentHandle) pause(graceful bool) error {
	return t.call("Pause", func(n native.Session, torrent int64, out native.Outcome) { n.Pause_torrent(torrent, graceful, out) })
}

// Resume finds peers again.
func (t *TorrentHandle) Resume() error {
	return t.call("Resume", func(n native.Session, torrent int64, out native.Outcome) { n.Resume_torrent(torrent, out) })
}

// ForceReannounce announces to the trackers now.
func (t *TorrentHandle) ForceReannounce() error {
	return t.call("ForceReannounce", func(n native.Session, torrent int64, out native.Outcome) { n.Force_reannounce(torrent, out) })
}

// ForceDHTAnnounce announces to the DHT now.
func (t *TorrentHandle) ForceDHTAnnounce() error {
	return t.call("ForceDHTAnnounce", func(n native.Session, torrent int64, out native.Outcome) {
		n.Force_dht_announce(torrent, out)
	})
}

// ForceRecheck hashes what is in memory again.
func (t *TorrentHandle) ForceRecheck() error {
	return t.call("ForceRecheck", func(n native.Session, torrent int64, out native.Outcome) { n.Force_recheck(torrent, out) })
}

// SetLimits sets all limits of the torrent.
func (t *TorrentHandle) SetLimits(limits Limits) error {
	return t.call("SetLimits", func(n native.Session, torrent int64, out native.Outcome) {
		up, down, uploads, connections := limits.native()
		n.Set_limits(torrent, up, down, uploads, connections, out)
	})
}

// SaveResumeData asks for a SaveResumeDataAlert. It takes nothing away from what is in memory, however often it is asked for.
func (t *TorrentHandle) SaveResumeData() error {
	return t.call("SaveResumeData", func(n native.Session, torrent int64, out native.Outcome) { n.Save_resume_data(torrent, out) })
}

// ResumeData is resume data as bytes, with the metadata and the application's own priorities in it. Whoever pops alerts sees a
// SaveResumeDataAlert as well. Errors: the context's.
func (t *TorrentHandle) ResumeData(ctx context.Context) (data []byte, err error) {
	err = t.wait(ctx, "ResumeData", func(n native.Session, torrent int64, until native.Stopper, out native.Outcome) {
		data = []byte(n.Resume_data(torrent, until, -1, out))
	})
	return data, err
}

// WaitReady waits until the metadata is there and the files can be read. Errors: the context's, ErrTorrentFailed.
func (t *TorrentHandle) WaitReady(ctx context.Context) error {
	return t.wait(ctx, "WaitReady", func(n native.Session, torrent int64, until native.Stopper, out native.Outcome) {
		n.Wait_ready(torrent, until, -1, out)
	})
}

func (t *TorrentHandle) wait(ctx context.Context, op string, f func(native.Session, int64, native.Stopper, native.Outcome)) error {
	if t == nil || t.session == nil {
		return failure(op, CodeNoSuchTorrent, "no torrent")
	}
	return t.session.wait(ctx, op, func(n native.Session, until native.Stopper, out native.Outcome) { f(n, t.number, until, out) })
}

// Storage is the torrent's storage in the session's memory. Errors: ErrNoSuchTorrent, also before the metadata is there.
func (t *TorrentHandle) Storage() (*Storage, error) {
	var index StorageIndex
	err := t.call("Storage", func(n native.Session, torrent int64, out native.Outcome) {
		index = StorageIndex(n.Storage(torrent, out))
	})
	if err != nil {
		return nil, err
	}
	return &Storage{disk: t.session.disk, index: index}, nil
}

// milliseconds for the C++ side: -1 is for ever.
func milliseconds(d time.Duration) int64 {
	if d <= 0 || d == math.MaxInt64 {
		return -1
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
