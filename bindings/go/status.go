package slipstream

import (
	"time"

	"slipstream/internal/native"
)

// TorrentState is libtorrent's state of a torrent.
type TorrentState int

// libtorrent's states.
const (
	StateCheckingFiles       TorrentState = 1
	StateDownloadingMetadata TorrentState = 2
	StateDownloading         TorrentState = 3
	StateFinished            TorrentState = 4
	StateSeeding             TorrentState = 5
	StateCheckingResumeData  TorrentState = 7
)

func (s TorrentState) String() string {
	switch s {
	case StateCheckingFiles:
		return "checking"
	case StateDownloadingMetadata:
		return "downloading metadata"
	case StateDownloading:
		return "downloading"
	case StateFinished:
		return "finished"
	case StateSeeding:
		return "seeding"
	case StateCheckingResumeData:
		return "checking resume data"
	}
	return "unknown"
}

// TorrentStatus is a copy of libtorrent's torrent_status: bytes, bytes a second, counts.
type TorrentStatus struct {
	Torrent  *TorrentHandle
	InfoHash InfoHash
	State    TorrentState
	Flags    TorrentFlags
	Error    string // why libtorrent stopped it; "": it did not
	Name     string
	SavePath string

	HasMetadata, IsSeeding, IsFinished, NeedSaveResume              bool
	AnnouncingToTrackers, AnnouncingToDHT, AnnouncingToLSD          bool
	CurrentTracker                                                  string
	NextAnnounce, ActiveDuration, SeedingDuration, FinishedDuration time.Duration
	AddedTime, CompletedTime, LastSeenComplete                      time.Time // zero: never

	Progress                                           float64 // 0..1, of what is wanted
	TotalDone, Total, TotalWantedDone, TotalWanted     int64
	TotalDownload, TotalUpload                         int64 // this session, with protocol
	TotalPayloadDownload, TotalPayloadUpload           int64
	TotalFailedBytes, TotalRedundantBytes              int64
	AllTimeDownload, AllTimeUpload                     int64
	DownloadRate, UploadRate                           int
	DownloadPayloadRate, UploadPayloadRate             int
	NumPeers, NumSeeds, NumConnections, NumUploads     int
	NumComplete, NumIncomplete                         int // as the tracker says; -1: it did not
	ListPeers, ListSeeds, ConnectCandidates, NumPieces int
	BlockSize, QueuePosition                           int
	DistributedCopies                                  float64 // -1: unknown
	Pieces                                             []bool  // of StatusWithPieces
}

// IsPaused says whether the torrent is paused.
func (s *TorrentStatus) IsPaused() bool { return s.Flags&FlagPaused != 0 }

func (s *Session) statusOf(r native.Torrent_record) *TorrentStatus {
	status := &TorrentStatus{
		Torrent: &TorrentHandle{session: s, number: r.GetTorrent()}, InfoHash: hashFrom(r.GetV1(), r.GetV2()),
		State: TorrentState(r.GetState()), Flags: TorrentFlags(r.GetFlags()), Error: r.GetError(), Name: r.GetName(),
		SavePath: r.GetSave_path(), HasMetadata: r.GetHas_metadata(), IsSeeding: r.GetIs_seeding(), IsFinished: r.GetIs_finished(),
		NeedSaveResume: r.GetNeed_save_resume(), AnnouncingToTrackers: r.GetAnnouncing_to_trackers(),
		AnnouncingToDHT: r.GetAnnouncing_to_dht(), AnnouncingToLSD: r.GetAnnouncing_to_lsd(), CurrentTracker: r.GetCurrent_tracker(),
		NextAnnounce: seconds(r.GetNext_announce_seconds()), ActiveDuration: seconds(r.GetActive_seconds()),
		SeedingDuration: seconds(r.GetSeeding_seconds()), FinishedDuration: seconds(r.GetFinished_seconds()),
		AddedTime: unix(r.GetAdded_time()), CompletedTime: unix(r.GetCompleted_time()), LastSeenComplete: unix(r.GetLast_seen_complete()),
		Progress: float64(r.GetProgress_ppm()) / 1e6, TotalDone: r.GetTotal_done(), Total: r.GetTotal(),
		TotalWantedDone: r.GetTotal_wanted_done(), TotalWanted: r.GetTotal_wanted(), TotalDownload: r.GetTotal_download(),
		TotalUpload: r.GetTotal_upload(), TotalPayloadDownload: r.GetTotal_payload_download(),
		TotalPayloadUpload: r.GetTotal_payload_upload(), TotalFailedBytes: r.GetTotal_failed(), TotalRedundantBytes: r.GetTotal_redundant(),
		AllTimeDownload: r.GetAll_time_download(), AllTimeUpload: r.GetAll_time_upload(), DownloadRate: r.GetDownload_rate(),
		UploadRate: r.GetUpload_rate(), DownloadPayloadRate: r.GetDownload_payload_rate(), UploadPayloadRate: r.GetUpload_payload_rate(),
		NumPeers: r.GetNum_peers(), NumSeeds: r.GetNum_seeds(), NumConnections: r.GetNum_connections(), NumUploads: r.GetNum_uploads(),
		NumComplete: r.GetNum_complete(), NumIncomplete: r.GetNum_incomplete(), ListPeers: r.GetList_peers(), ListSeeds: r.GetList_seeds(),
		ConnectCandidates: r.GetConnect_candidates(), NumPieces: r.GetNum_pieces(), BlockSize: r.GetBlock_size(),
		QueuePosition: r.GetQueue_position(), DistributedCopies: -1,
	}
	if ppm := r.GetDistributed_copies_ppm(); ppm >= 0 {
		status.DistributedCopies = float64(ppm) / 1e6
	}
	if pieces := r.GetPieces(); pieces != "" {
		status.Pieces = make([]bool, len(pieces))
		for i := range status.Pieces {
			status.Pieces[i] = pieces[i] != 0
		}
	}
	return status
}

func seconds(s int64) time.Duration { return time.Duration(s) * time.Second }

func unix(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0)
}

// File is a file of a torrent.
type File struct {
	Index      int    // what NewReader and SetFilePriority take
	Path       string // inside the torrent, '/' between parts; as the torrent says: not for opening files
	Name       string // the last part
	Size       int64
	Offset     int64 // in the torrent
	Done       int64 // bytes of it in pieces that libtorrent has
	Priority   int   // 0 (not wanted) to 7
	FirstPiece int   // the pieces with bytes of it are [FirstPiece, EndPiece)
	EndPiece   int
	Pad        bool // a pad file (BEP 47): not to be shown
}

func filesOf(list native.File_list) []File {
	files := make([]File, list.Size())
	for i := range files {
		r := list.Get(i)
		files[i] = File{Index: r.GetIndex(), Path: r.GetPath(), Name: r.GetName(), Size: r.GetSize(), Offset: r.GetOffset(),
			Done: r.GetDone(), Priority: r.GetPriority(), FirstPiece: r.GetFirst_piece(), EndPiece: r.GetEnd_piece(), Pad: r.GetPad()}
	}
	return files
}

// Peer is a peer that a torrent is connected to. Flags and Source are libtorrent's peer_info's.
type Peer struct {
	Endpoint                         string
	ID                               [20]byte
	Client                           string // as it calls itself: any bytes
	Flags, Source                    uint32
	TotalDownload, TotalUpload       int64
	DownSpeed, UpSpeed               int
	PayloadDownSpeed, PayloadUpSpeed int
	Progress                         float64 // 0..1
	NumPieces                        int
	DownloadQueueLength              int
	UploadQueueLength                int
	NumHashFails, FailCount          int
	RTT                              time.Duration
}

// IsSeed says whether it has everything.
func (p Peer) IsSeed() bool { return p.Flags&(1<<10) != 0 }

// IsOutgoing says whether we connected to it.
func (p Peer) IsOutgoing() bool { return p.Flags&(1<<5) != 0 }

func peersOf(list native.Peer_list) []Peer {
	peers := make([]Peer, list.Size())
	for i := range peers {
		r := list.Get(i)
		peers[i] = Peer{Endpoint: r.GetEndpoint(), Client: r.GetClient(), Flags: uint32(r.GetFlags()), Source: uint32(r.GetSource()),
			TotalDownload: r.GetTotal_download(), TotalUpload: r.GetTotal_upload(), DownSpeed: r.GetDown_speed(), UpSpeed: r.GetUp_speed(),
			PayloadDownSpeed: r.GetPayload_down_speed(), PayloadUpSpeed: r.GetPayload_up_speed(),
			Progress: float64(r.GetProgress_ppm()) / 1e6, NumPieces: r.GetNum_pieces(), DownloadQueueLength: r.GetDownload_queue_length(),
			UploadQueueLength: r.GetUpload_queue_length(), NumHashFails: r.GetNum_hashfails(), FailCount: r.GetFailcount(),
			RTT: time.Duration(r.GetRtt_ms()) * time.Millisecond}
		copy(peers[i].ID[:], r.GetPeer_id())
	}
	return peers
}

// Tracker is a tracker of a torrent.
type Tracker struct {
	URL, Message, Error              string
	Tier, Fails                      int
	ScrapeComplete, ScrapeIncomplete int // -1: unknown
	Verified, Updating               bool
}

func trackersOf(list native.Tracker_list) []Tracker {
	trackers := make([]Tracker, list.Size())
	for i := range trackers {
		r := list.Get(i)
		trackers[i] = Tracker{URL: r.GetUrl(), Message: r.GetMessage(), Error: r.GetError(), Tier: r.GetTier(), Fails: r.GetFails(),
			ScrapeComplete: r.GetScrape_complete(), ScrapeIncomplete: r.GetScrape_incomplete(), Verified: r.GetVerified(),
			Updating: r.GetUpdating()}
	}
	return trackers
}
