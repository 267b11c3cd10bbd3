package slipstream

import (
	"fmt"
	"time"

	"slipstream/internal/native"
)

// AlertCategory is libtorrent's alert_category: bits of the setting alert_mask.
type AlertCategory uint32

// The categories that a streamer needs; see libtorrent's reference of alert_category.
const (
	AlertCategoryError         AlertCategory = 1 << 0
	AlertCategoryPeer          AlertCategory = 1 << 1
	AlertCategoryPortMapping   AlertCategory = 1 << 2
	AlertCategoryStorage       AlertCategory = 1 << 3
	AlertCategoryTracker       AlertCategory = 1 << 4
	AlertCategoryConnect       AlertCategory = 1 << 5
	AlertCategoryStatus        AlertCategory = 1 << 6
	AlertCategoryDHT           AlertCategory = 1 << 10
	AlertCategoryPieceProgress AlertCategory = 1 << 22
	AlertCategoryFileProgress  AlertCategory = 1 << 21
	AlertCategoryBlockProgress AlertCategory = 1 << 24
)

// Alert is something that libtorrent had to say. It is a copy: safe to keep for ever, from any goroutine. What kind it is, a type
// switch tells; kinds without a type of their own are *OtherAlert or *OtherTorrentAlert.
type Alert interface {
	Type() int               // libtorrent's number
	What() string            // libtorrent's name, like "state_changed"
	Message() string         // a sentence
	Category() AlertCategory // what in alert_mask brought it
	Timestamp() time.Time
	String() string // What and Message
}

// TorrentAlert is an alert about a torrent.
type TorrentAlert interface {
	Alert
	// Torrent is its handle, nil where there is none (an add that failed); its calls fail when it was removed since.
	Torrent() *TorrentHandle
	// InfoHash is as it was when the alert was popped; empty when the torrent was gone and the alert does not name it.
	InfoHash() InfoHash
	// TorrentName is its name when the alert was made.
	TorrentName() string
}

// AlertInfo is what all alerts have.
type AlertInfo struct {
	number        int
	what, message string
	category      AlertCategory
	timestamp     time.Time
}

// Type is libtorrent's number.
func (a *AlertInfo) Type() int { return a.number }

// What is libtorrent's name.
func (a *AlertInfo) What() string { return a.what }

// Message is a sentence.
func (a *AlertInfo) Message() string { return a.message }

// Category is what in alert_mask brought it.
func (a *AlertInfo) Category() AlertCategory { return a.category }

// Timestamp is when it was posted.
func (a *AlertInfo) Timestamp() time.Time { return a.timestamp }

func (a *AlertInfo) String() string { return fmt.Sprintf("%s: %s", a.what, a.message) }

// TorrentAlertInfo is what all alerts about torrents have.
type TorrentAlertInfo struct {
	AlertInfo
	torrent  *TorrentHandle
	infoHash InfoHash
	name     string
}

// Torrent is the torrent's handle.
func (a *TorrentAlertInfo) Torrent() *TorrentHandle { return a.torrent }

// InfoHash is the torrent's hashes.
func (a *TorrentAlertInfo) InfoHash() InfoHash { return a.infoHash }

// TorrentName is the torrent's name.
func (a *TorrentAlertInfo) TorrentName() string { return a.name }

// PeerAlertInfo is what all alerts about peers have.
type PeerAlertInfo struct {
	TorrentAlertInfo
	Endpoint string // ADDR:PORT
	PeerID   [20]byte
}

// TrackerAlertInfo is what all alerts about trackers have.
type TrackerAlertInfo struct {
	TorrentAlertInfo
	URL string
}

// The alerts, each named after libtorrent's. Err is nil, or what libtorrent says.
type (
	// StateChangedAlert: a torrent's state changed.
	StateChangedAlert struct {
		TorrentAlertInfo
		State, PreviousState TorrentState
	}
	// AddTorrentAlert: a torrent was added, or could not be.
	AddTorrentAlert struct {
		TorrentAlertInfo
		Err error
	}
	// TorrentRemovedAlert: a torrent was removed.
	TorrentRemovedAlert struct{ TorrentAlertInfo }
	// TorrentFinishedAlert: all that is wanted of a torrent is there.
	TorrentFinishedAlert struct{ TorrentAlertInfo }
	// TorrentCheckedAlert: a torrent's check is done.
	TorrentCheckedAlert struct{ TorrentAlertInfo }
	// TorrentPausedAlert: a torrent was paused.
	TorrentPausedAlert struct{ TorrentAlertInfo }
	// TorrentResumedAlert: a torrent was resumed.
	TorrentResumedAlert struct{ TorrentAlertInfo }
	// TorrentErrorAlert: libtorrent stopped a torrent. ("v1 and v2 hashes do not describe the same
	// data" it may say of one that goes on: its status has no error then.)
	TorrentErrorAlert struct {
		TorrentAlertInfo
		Err  error
		File string
	}
	// FileErrorAlert: the memory refused something.
	FileErrorAlert struct {
		TorrentAlertInfo
		Err       error
		File      string
		Operation int
	}
	// FileCompletedAlert: a file is there.
	FileCompletedAlert struct {
		TorrentAlertInfo
		File int
	}
	// MetadataReceivedAlert: a magnet link's metadata came.
	MetadataReceivedAlert struct{ TorrentAlertInfo }
	// MetadataFailedAlert: what came was not it.
	MetadataFailedAlert struct {
		TorrentAlertInfo
		Err error
	}
	// PieceFinishedAlert: a piece passed its hash.
	PieceFinishedAlert struct {
		TorrentAlertInfo
		Piece int
	}
	// HashFailedAlert: a piece did not.
	HashFailedAlert struct {
		TorrentAlertInfo
		Piece int
	}
	// BlockFinishedAlert: a block came.
	BlockFinishedAlert struct {
		PeerAlertInfo
		Piece, Block int
	}
	// BlockDownloadingAlert: a block was asked for.
	BlockDownloadingAlert struct {
		PeerAlertInfo
		Piece, Block int
	}
	// BlockTimeoutAlert: a block did not come in time.
	BlockTimeoutAlert struct {
		PeerAlertInfo
		Piece, Block int
	}
	// SaveResumeDataAlert: what SaveResumeData asked for; the priorities in it are the application's.
	SaveResumeDataAlert struct {
		TorrentAlertInfo
		Data []byte
	}
	// SaveResumeDataFailedAlert: there is none.
	SaveResumeDataFailedAlert struct {
		TorrentAlertInfo
		Err error
	}
	// StateUpdateAlert: what PostTorrentUpdates asked for.
	StateUpdateAlert struct {
		AlertInfo
		Torrents []*TorrentStatus
	}
	// TrackerAnnounceAlert: a tracker is being asked.
	TrackerAnnounceAlert struct {
		TrackerAlertInfo
		Event int
	}
	// TrackerReplyAlert: it answered.
	TrackerReplyAlert struct {
		TrackerAlertInfo
		NumPeers int
	}
	// TrackerWarningAlert: it answered with a warning.
	TrackerWarningAlert struct {
		TrackerAlertInfo
		Warning string
	}
	// TrackerErrorAlert: it did not, or with an error.
	TrackerErrorAlert struct {
		TrackerAlertInfo
		Err         error
		Reason      string
		TimesInARow int
	}
	// PeerConnectAlert: a connection to a peer.
	PeerConnectAlert struct {
		PeerAlertInfo
		Outgoing bool
	}
	// PeerDisconnectedAlert: it is gone.
	PeerDisconnectedAlert struct {
		PeerAlertInfo
		Err       error
		Operation int
		Reason    int
	}
	// PeerErrorAlert: it sent what it should not.
	PeerErrorAlert struct {
		PeerAlertInfo
		Err       error
		Operation int
	}
	// PeerBanAlert: it was banned.
	PeerBanAlert struct{ PeerAlertInfo }
	// ListenSucceededAlert: peers can connect to an address. SocketType is libtorrent's: 0 TCP, 4 uTP.
	ListenSucceededAlert struct {
		AlertInfo
		Endpoint   string
		SocketType int
	}
	// ListenFailedAlert: they cannot.
	ListenFailedAlert struct {
		AlertInfo
		Endpoint   string
		Interface  string
		SocketType int
		Err        error
	}
	// SessionStatsAlert: what PostSessionStats asked for, in the order of SessionStatsMetrics.
	SessionStatsAlert struct {
		AlertInfo
		Counters []int64
	}
	// OtherTorrentAlert is an alert about a torrent that has no type of its own here.
	OtherTorrentAlert struct{ TorrentAlertInfo }
	// OtherAlert is any other alert.
	OtherAlert struct{ AlertInfo }
)

// SessionStatsMetrics is the names of a SessionStatsAlert's counters.
func SessionStatsMetrics() []string {
	list := native.SessionStats_metrics()
	defer native.DeleteString_list(list)
	return stringsOf(list)
}

func (s *Session) alertsOf(batch native.Alert_batch) []Alert {
	size := batch.Size()
	if size == 0 {
		return nil
	}
	now := time.Now()
	alerts := make([]Alert, size)
	for i := range alerts {
		alerts[i] = s.alertOf(batch.At(i), now)
	}
	return alerts
}

func alertError(r native.Alert_record) error {
	if r.GetError() == "" {
		return nil
	}
	return &Error{Op: r.GetWhat(), Code: CodeLibtorrent, Category: r.GetError_category(), Value: r.GetError_value(), Message: r.GetError()}
}

func (s *Session) alertOf(r native.Alert_record, now time.Time) Alert {
	info := AlertInfo{number: r.GetAlert_type(), what: r.GetWhat(), message: r.GetMessage(), category: AlertCategory(r.GetCategory()),
		timestamp: now.Add(-time.Duration(r.GetAge_us()) * time.Microsecond)}
	switch info.what {
	case "listen_succeeded":
		return &ListenSucceededAlert{info, r.GetEndpoint(), r.GetSocket_type()}
	case "listen_failed":
		return &ListenFailedAlert{info, r.GetEndpoint(), r.GetText(), r.GetSocket_type(), alertError(r)}
	case "session_stats":
		return &SessionStatsAlert{info, int64sOf(r.GetCounters())}
	case "state_update":
		list := r.GetTorrents()
		a := &StateUpdateAlert{AlertInfo: info, Torrents: make([]*TorrentStatus, list.Size())}
		for i := range a.Torrents {
			a.Torrents[i] = s.statusOf(list.Get(i))
		}
		return a
	}
	t := TorrentAlertInfo{AlertInfo: info, infoHash: hashFrom(r.GetV1(), r.GetV2()), name: r.GetTorrent_name()}
	if number := r.GetTorrent(); number != 0 {
		t.torrent = &TorrentHandle{session: s, number: number}
	}
	if a := torrentAlert(t, r); a != nil {
		return a
	}
	if a := trackerAlert(TrackerAlertInfo{t, r.GetUrl()}, r); a != nil {
		return a
	}
	p := PeerAlertInfo{TorrentAlertInfo: t, Endpoint: r.GetEndpoint()}
	copy(p.PeerID[:], r.GetPeer_id())
	if a := peerAlert(p, r); a != nil {
		return a
	}
	if t.torrent != nil {
		return &OtherTorrentAlert{t}
	}
	return &OtherAlert{info}
}

func torrentAlert(t TorrentAlertInfo, r native.Alert_record) Alert {
	switch t.what {
	case "state_changed":
		return &StateChangedAlert{t, TorrentState(r.GetState()), TorrentState(r.GetPrevious_state())}
	case "add_torrent":
		return &AddTorrentAlert{t, alertError(r)}
	case "torrent_removed":
		return &TorrentRemovedAlert{t}
	case "torrent_finished":
		return &TorrentFinishedAlert{t}
	case "torrent_checked":
		return &TorrentCheckedAlert{t}
	case "torrent_paused":
		return &TorrentPausedAlert{t}
	case "torrent_resumed":
		return &TorrentResumedAlert{t}
	case "torrent_error":
		return &TorrentErrorAlert{t, alertError(r), r.GetText()}
	case "file_error":
		return &FileErrorAlert{t, alertError(r), r.GetText(), r.GetOperation()}
	case "file_completed":
		return &FileCompletedAlert{t, r.GetFile()}
	case "metadata_received":
		return &MetadataReceivedAlert{t}
	case "metadata_failed":
		return &MetadataFailedAlert{t, alertError(r)}
	case "piece_finished":
		return &PieceFinishedAlert{t, r.GetPiece()}
	case "hash_failed":
		return &HashFailedAlert{t, r.GetPiece()}
	case "save_resume_data":
		return &SaveResumeDataAlert{t, []byte(r.GetData())}
	case "save_resume_data_failed":
		return &SaveResumeDataFailedAlert{t, alertError(r)}
	}
	return nil
}

func trackerAlert(t TrackerAlertInfo, r native.Alert_record) Alert {
	switch t.what {
	case "tracker_announce":
		return &TrackerAnnounceAlert{t, r.GetEvent()}
	case "tracker_reply":
		return &TrackerReplyAlert{t, r.GetCount()}
	case "tracker_warning":
		return &TrackerWarningAlert{t, r.GetText()}
	case "tracker_error":
		return &TrackerErrorAlert{t, alertError(r), r.GetText(), r.GetCount()}
	}
	return nil
}

func peerAlert(p PeerAlertInfo, r native.Alert_record) Alert {
	switch p.what {
	case "block_finished":
		return &BlockFinishedAlert{p, r.GetPiece(), r.GetBlock()}
	case "block_downloading":
		return &BlockDownloadingAlert{p, r.GetPiece(), r.GetBlock()}
	case "block_timeout":
		return &BlockTimeoutAlert{p, r.GetPiece(), r.GetBlock()}
	case "peer_connect":
		return &PeerConnectAlert{p, r.GetDirection() == 1}
	case "peer_disconnected":
		return &PeerDisconnectedAlert{p, alertError(r), r.GetOperation(), r.GetReason()}
	case "peer_error":
		return &PeerErrorAlert{p, alertError(r), r.GetOperation()}
	case "peer_ban":
		return &PeerBanAlert{p}
	}
	return nil
}
