package slipstream

import (
	"os"
	"strings"

	"slipstream/internal/native"
)

// SessionParams is what a session starts with: settings, a memory, and what an earlier session saved. A Go value; used by one
// goroutine at a time. On nil params the setters do nothing.
type SessionParams struct {
	settings *SettingsPack
	state    []byte
	disk     *MemoryDisk
	memory   MemoryDiskOptions
	flags    SessionFlags
}

// SessionFlags are libtorrent's, of a session's start.
type SessionFlags int

// What a session starts with.
const (
	AddDefaultPlugins    SessionFlags = 1 // metadata and peer exchange with peers, smart banning
	StartDefaultFeatures SessionFlags = 2 // DHT, local discovery, UPnP, NAT-PMP, as the settings say; without it: none
	StartPaused          SessionFlags = 4
)

// DefaultSessionFlags are the first two.
const DefaultSessionFlags = AddDefaultPlugins | StartDefaultFeatures

// NewSessionParams is libtorrent's defaults, and a memory of DefaultCapacity.
func NewSessionParams() *SessionParams { return &SessionParams{flags: DefaultSessionFlags} }

// RestoreSessionState is the params of a session that continues one that was saved (Session.SaveSessionState): its settings and its
// DHT. Not its memory, nor its torrents. Errors: ErrLibtorrent (not a state).
func RestoreSessionState(state []byte) (*SessionParams, error) {
	var settings *SettingsPack
	err := call("RestoreSessionState", func(out native.Outcome) {
		p := native.NewSession_params()
		defer native.DeleteSession_params(p)
		if p.Restore(string(state), out); !out.Ok() {
			return
		}
		s := p.Get_settings()
		defer native.DeleteSettings(s)
		settings = settingsFrom(s, out)
	})
	if err != nil {
		return nil, err
	}
	p := NewSessionParams()
	p.settings = settings
	p.state = append([]byte(nil), state...)
	return p, nil
}

// SetSettings copies the settings; those that are not in the pack keep libtorrent's defaults.
func (p *SessionParams) SetSettings(settings *SettingsPack) {
	if p != nil {
		p.settings = settings.clone()
	}
}

// Settings is a copy of the settings.
func (p *SessionParams) Settings() *SettingsPack {
	if p == nil {
		return NewSettingsPack()
	}
	return p.settings.clone()
}

// SetMemoryDiskIO gives the session a memory of its own, of so many bytes, which goes with it. A bad size is an error of the
// session's start.
func (p *SessionParams) SetMemoryDiskIO(bytes int64) {
	if bytes == 0 {
		bytes = -1 // not the default: an error
	}
	p.SetMemoryDiskOptions(MemoryDiskOptions{CapacityBytes: bytes})
}

// SetMemoryDiskOptions is SetMemoryDiskIO with all there is to say.
func (p *SessionParams) SetMemoryDiskOptions(options MemoryDiskOptions) {
	if p != nil {
		p.memory, p.disk = options, nil
	}
}

// SetMemoryDisk has the session use a memory that others may use, too, and that the caller closes.
func (p *SessionParams) SetMemoryDisk(disk *MemoryDisk) {
	if p != nil {
		p.disk = disk
	}
}

// SetFlags is DefaultSessionFlags unless called.
func (p *SessionParams) SetFlags(flags SessionFlags) {
	if p != nil {
		p.flags = flags
	}
}

// TorrentFlags are libtorrent's torrent_flags.
type TorrentFlags uint64

// See libtorrent's reference of torrent_flags.
const (
	FlagSeedMode            TorrentFlags = 1 << 0
	FlagUploadMode          TorrentFlags = 1 << 1
	FlagShareMode           TorrentFlags = 1 << 2
	FlagApplyIPFilter       TorrentFlags = 1 << 3
	FlagPaused              TorrentFlags = 1 << 4
	FlagAutoManaged         TorrentFlags = 1 << 5
	FlagDuplicateIsError    TorrentFlags = 1 << 6
	FlagUpdateSubscribe     TorrentFlags = 1 << 7
	FlagSuperSeeding        TorrentFlags = 1 << 8
	FlagSequentialDownload  TorrentFlags = 1 << 9
	FlagStopWhenReady       TorrentFlags = 1 << 10
	FlagOverrideTrackers    TorrentFlags = 1 << 11
	FlagOverrideWebSeeds    TorrentFlags = 1 << 12
	FlagNeedSaveResume      TorrentFlags = 1 << 13
	FlagDisableDHT          TorrentFlags = 1 << 19
	FlagDisableLSD          TorrentFlags = 1 << 20
	FlagDisablePEX          TorrentFlags = 1 << 21
	FlagNoVerifyFiles       TorrentFlags = 1 << 22
	FlagDefaultDontDownload TorrentFlags = 1 << 23
)

// DefaultTorrentFlags are those of AddTorrentParams: running (not queued), duplicates are errors.
const DefaultTorrentFlags = FlagApplyIPFilter | FlagDuplicateIsError | FlagUpdateSubscribe | FlagNeedSaveResume

// Limits of a torrent: bytes a second and counts; 0 and below: none.
type Limits struct {
	UploadRate, DownloadRate, Uploads, Connections int
}

// AddTorrentParams is a torrent to add: one of MagnetURI, TorrentFile, ResumeData and InfoHash, and what is to be said
// besides. ResumeData with TorrentFile: the metadata comes from the file, which is to be the same torrent's.
type AddTorrentParams struct {
	MagnetURI   string
	TorrentFile []byte // its content
	ResumeData  []byte // of TorrentHandle.ResumeData or SaveResumeDataAlert; its flags and priorities are used as well
	InfoHash    InfoHash

	Name            string // shown until the metadata is known
	SavePath        string // nothing is written there
	Trackers        []string
	Peers           []string // ADDR:PORT, IPv6 in brackets
	URLSeeds        []string
	FilePriorities  []int // 0 (not wanted) to 7; files beyond have 4
	PiecePriorities []int
	Limits          Limits
	// Flags; with ResumeData those in it, unless SetFlags is true.
	Flags    TorrentFlags
	SetFlags bool
}

// NewAddTorrentParams has DefaultTorrentFlags, and names no torrent yet.
func NewAddTorrentParams() *AddTorrentParams { return &AddTorrentParams{Flags: DefaultTorrentFlags} }

// ParseMagnetURI is a magnet link to add. Errors: ErrBadMagnet.
func ParseMagnetURI(uri string) (*AddTorrentParams, error) {
	p := NewAddTorrentParams()
	p.MagnetURI = uri
	return completed("ParseMagnetURI", p)
}

// ParseTorrentFile is a torrent file's content to add. Errors: ErrBadTorrent, ErrTooLarge.
func ParseTorrentFile(content []byte) (*AddTorrentParams, error) {
	p := NewAddTorrentParams()
	p.TorrentFile = content
	return completed("ParseTorrentFile", p)
}

// LoadTorrent is a magnet link, or the path of a torrent file, to add. Errors: ErrBadMagnet, ErrBadTorrent, ErrTooLarge, the
// system's.
func LoadTorrent(uriOrPath string) (*AddTorrentParams, error) {
	if strings.HasPrefix(uriOrPath, "magnet:") {
		return ParseMagnetURI(uriOrPath)
	}
	content, err := os.ReadFile(uriOrPath)
	if err != nil {
		return nil, err
	}
	return ParseTorrentFile(content)
}

// ReadResumeData is a torrent to continue. Errors: ErrBadTorrent.
func ReadResumeData(data []byte) (*AddTorrentParams, error) {
	p := NewAddTorrentParams()
	p.ResumeData = data
	return completed("ReadResumeData", p)
}

// completed has what the source says of hash and name.
func completed(op string, p *AddTorrentParams) (*AddTorrentParams, error) {
	if err := p.checkSource(op); err != nil {
		return nil, err
	}
	err := call(op, func(out native.Outcome) {
		n := native.NewAdd_params()
		defer native.DeleteAdd_params(n)
		if p.into(n, out); !out.Ok() {
			return
		}
		p.InfoHash = hashFrom(n.V1_hash(), n.V2_hash())
		p.Name = n.Name()
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// checkSource says what is wrong where there is nothing that names a torrent.
func (p *AddTorrentParams) checkSource(op string) error {
	if len(p.ResumeData) > 0 || len(p.TorrentFile) > 0 || p.MagnetURI != "" || !p.InfoHash.IsZero() {
		return nil
	}
	switch op {
	case "ParseMagnetURI", "AddMagnet":
		return failure(op, CodeBadMagnet, "the link is empty")
	case "ParseTorrentFile", "AddTorrentFile", "ReadResumeData":
		return failure(op, CodeBadTorrent, "there are no bytes")
	}
	return failure(op, CodeBadArgument, "the params name no torrent: one of MagnetURI, TorrentFile, ResumeData and InfoHash")
}

// into makes n of p. To be called inside call.
func (p *AddTorrentParams) into(n native.Add_params, out native.Outcome) {
	resumed := len(p.ResumeData) > 0
	switch {
	case resumed:
		n.From_resume_data(string(p.ResumeData), out)
	case len(p.TorrentFile) > 0:
		n.From_torrent_file(string(p.TorrentFile), out)
	case p.MagnetURI != "":
		n.From_magnet(p.MagnetURI, out)
	default:
		v1, v2 := p.InfoHash.raw()
		n.From_info_hash(v1, v2, out)
	}
	if out.Ok() && resumed && len(p.TorrentFile) > 0 {
		n.Add_metadata(string(p.TorrentFile), out)
	}
	for _, peer := range p.Peers {
		if !out.Ok() {
			return
		}
		n.Add_peer(peer, out)
	}
	if out.Ok() && p.FilePriorities != nil {
		n.Set_file_priorities(int32sOf(p.FilePriorities), out)
	}
	if out.Ok() && p.PiecePriorities != nil {
		n.Set_piece_priorities(int32sOf(p.PiecePriorities), out)
	}
	if !out.Ok() {
		return
	}
	for tier, url := range p.Trackers {
		n.Add_tracker(url, tier)
	}
	for _, url := range p.URLSeeds {
		n.Add_url_seed(url)
	}
	if !resumed || p.SetFlags {
		n.Set_flags(uint64(p.Flags))
	}
	if p.Name != "" {
		n.Set_name(p.Name)
	}
	if p.SavePath != "" {
		n.Set_save_path(p.SavePath)
	}
	if p.Limits != (Limits{}) {
		up, down, uploads, connections := p.Limits.native()
		n.Set_limits(up, down, uploads, connections)
	}
}

func (l Limits) native() (up, down, uploads, connections int) {
	limit := func(v int) int {
		if v <= 0 {
			return -1
		}
		return clamp32(v)
	}
	return limit(l.UploadRate), limit(l.DownloadRate), limit(l.Uploads), limit(l.Connections)
}
