package slipstream

import (
	"context"
	"runtime"

	"slipstream/internal/native"
)

// Session is a libtorrent session whose torrents live on a memory disk.
type Session struct {
	life    life
	native  native.Session
	disk    *MemoryDisk
	ownDisk bool
	ended   chan struct{} // closed when Close is done
}

// NewSession starts a session with these settings (nil: libtorrent's defaults) and flags, on a memory of DefaultCapacity.
func NewSession(settings *SettingsPack, flags SessionFlags) (*Session, error) {
	p := NewSessionParams()
	p.SetSettings(settings)
	p.SetFlags(flags)
	return CreateSessionWithParams(p)
}

// CreateSessionWithParams starts a session. Errors: ErrBadArgument (a capacity outside its range), ErrClosed (the memory disk),
// ErrUnknownSetting, ErrLibtorrent. An address that cannot be listened on is an alert (ListenFailedAlert), not an error.
func CreateSessionWithParams(params *SessionParams) (*Session, error) {
	if params == nil {
		params = NewSessionParams()
	}
	s := &Session{disk: params.disk, ended: make(chan struct{})}
	if s.disk == nil {
		disk, err := NewMemoryDisk(params.memory)
		if err != nil {
			return nil, err
		}
		s.disk, s.ownDisk = disk, true
	}
	err := s.disk.call("CreateSessionWithParams", func(m native.Memory, out native.Outcome) {
		p := native.NewSession_params()
		defer native.DeleteSession_params(p)
		if params.state != nil {
			if p.Restore(string(params.state), out); !out.Ok() {
				return
			}
		}
		pack := native.NewSettings()
		defer native.DeleteSettings(pack)
		if params.settings.into(pack, out); !out.Ok() {
			return
		}
		p.Set_settings(pack)
		made := native.NewSession(p, m, int(params.flags), out)
		if !out.Ok() {
			native.DeleteSession(made)
			return
		}
		s.native = made
	})
	if err != nil {
		if s.ownDisk {
			s.disk.Close()
		}
		return nil, err
	}
	made := s.native
	s.life.begin(func() { native.DeleteSession(made) })
	// Ending a session takes its time, which others' finalizers should not wait for.
	runtime.SetFinalizer(s, func(s *Session) { go s.Close() })
	return s, nil
}

// DeleteSession is session.Close, as libtorrent-go has it.
func DeleteSession(session *Session) { _ = session.Close() }

// Close ends the session, and gives its memory back (unless the memory is the caller's, see SetMemoryDisk). It returns when
// libtorrent has ended; everything that waits on the session ends with ErrClosed before. Idempotent, never an error.
func (s *Session) Close() error {
	if s == nil || s.ended == nil {
		return nil
	}
	if !s.life.end() {
		<-s.ended
		return nil
	}
	s.native.Close()
	s.life.leave()
	if s.ownDisk {
		s.disk.Close()
	}
	runtime.SetFinalizer(s, nil)
	close(s.ended)
	return nil
}

// Closed says whether Close was called.
func (s *Session) Closed() bool { return s == nil || s.life.ended() }

func (s *Session) call(op string, f func(n native.Session, out native.Outcome)) error {
	if s == nil || !s.life.enter() {
		return closedError(op)
	}
	defer s.life.leave()
	return call(op, func(out native.Outcome) { f(s.native, out) })
}

// MemoryDisk is the session's memory. That of SetMemoryDiskIO closes with the session.
func (s *Session) MemoryDisk() *MemoryDisk {
	if s == nil {
		return nil // whose calls are ErrClosed
	}
	return s.disk
}

// AddTorrent adds a torrent. Errors: ErrDuplicate, ErrBadTorrent, ErrBadMagnet, ErrTooLarge, ErrBadArgument, ErrLibtorrent.
func (s *Session) AddTorrent(params *AddTorrentParams) (*TorrentHandle, error) {
	if params == nil {
		return nil, failure("AddTorrent", CodeBadArgument, "no params")
	}
	return s.add("AddTorrent", params)
}

func (s *Session) add(op string, params *AddTorrentParams) (*TorrentHandle, error) {
	if err := params.checkSource(op); err != nil {
		return nil, err
	}
	var number int64
	err := s.call(op, func(n native.Session, out native.Outcome) {
		p := native.NewAdd_params()
		defer native.DeleteAdd_params(p)
		if params.into(p, out); out.Ok() {
			number = n.Add_torrent(p, out)
		}
	})
	if err != nil {
		return nil, err
	}
	return &TorrentHandle{session: s, number: number}, nil
}

// AddMagnet adds a magnet link.
func (s *Session) AddMagnet(uri string) (*TorrentHandle, error) {
	p := NewAddTorrentParams()
	p.MagnetURI = uri
	return s.add("AddMagnet", p)
}

// AddTorrentFile adds the content of a torrent file.
func (s *Session) AddTorrentFile(content []byte) (*TorrentHandle, error) {
	p := NewAddTorrentParams()
	p.TorrentFile = content
	return s.add("AddTorrentFile", p)
}

// RemoveTorrent removes a torrent, and gives its memory back. Readers of it that wait end with ErrNoSuchTorrent. Errors:
// ErrNoSuchTorrent.
func (s *Session) RemoveTorrent(torrent *TorrentHandle) error {
	if torrent == nil || torrent.session != s {
		return failure("RemoveTorrent", CodeNoSuchTorrent, "the torrent is not one of this session")
	}
	return s.call("RemoveTorrent", func(n native.Session, out native.Outcome) { n.Remove_torrent(torrent.number, out) })
}

// FindTorrent is the torrent with any of these hashes. Errors: ErrNoSuchTorrent.
func (s *Session) FindTorrent(hash InfoHash) (*TorrentHandle, error) {
	v1, v2 := hash.raw()
	var number int64
	err := s.call("FindTorrent", func(n native.Session, out native.Outcome) { number = n.Find_torrent(v1, v2, out) })
	if err != nil {
		return nil, err
	}
	return &TorrentHandle{session: s, number: number}, nil
}

// GetTorrents is all torrents of the session.
func (s *Session) GetTorrents() ([]*TorrentHandle, error) {
	var torrents []*TorrentHandle
	err := s.call("GetTorrents", func(n native.Session, out native.Outcome) {
		list := n.Torrents(out)
		defer native.DeleteInt64_list(list)
		for _, number := range int64sOf(list) {
			torrents = append(torrents, &TorrentHandle{session: s, number: number})
		}
	})
	return torrents, err
}

// ListenPort is the port for peers, 0 where there is none. It asks libtorrent, and answers after the sockets were opened.
func (s *Session) ListenPort() (port int, err error) {
	err = s.call("ListenPort", func(n native.Session, out native.Outcome) { port = n.Listen_port(out) })
	return port, err
}

// IsListening says whether there is a port for peers.
func (s *Session) IsListening() (listening bool, err error) {
	err = s.call("IsListening", func(n native.Session, out native.Outcome) { listening = n.Is_listening(out) })
	return listening, err
}

// ApplySettings changes the settings that are set in the pack. Errors: ErrUnknownSetting.
func (s *Session) ApplySettings(settings *SettingsPack) error {
	return s.call("ApplySettings", func(n native.Session, out native.Outcome) {
		pack := native.NewSettings()
		defer native.DeleteSettings(pack)
		if settings.into(pack, out); out.Ok() {
			n.Apply_settings(pack, out)
		}
	})
}

// GetSettings is every setting.
func (s *Session) GetSettings() (settings *SettingsPack, err error) {
	err = s.call("GetSettings", func(n native.Session, out native.Outcome) {
		pack := n.Get_settings(out)
		defer native.DeleteSettings(pack)
		if out.Ok() {
			settings = settingsFrom(pack, out)
		}
	})
	return settings, err
}

// Pause stops all torrents; Resume lets them run.
func (s *Session) Pause() error {
	return s.call("Pause", func(n native.Session, out native.Outcome) { n.Pause(out) })
}

// Resume undoes Pause.
func (s *Session) Resume() error {
	return s.call("Resume", func(n native.Session, out native.Outcome) { n.Resume(out) })
}

// IsPaused says whether Pause was called.
func (s *Session) IsPaused() (paused bool, err error) {
	err = s.call("IsPaused", func(n native.Session, out native.Outcome) { paused = n.Is_paused(out) })
	return paused, err
}

// AddDHTNode names a node of the DHT.
func (s *Session) AddDHTNode(host string, port int) error {
	return s.call("AddDHTNode", func(n native.Session, out native.Outcome) { n.Add_dht_node(host, clamp32(port), out) })
}

// SaveSessionState is the session's settings and DHT, for RestoreSessionState.
func (s *Session) SaveSessionState() (state []byte, err error) {
	err = s.call("SaveSessionState", func(n native.Session, out native.Outcome) { state = []byte(n.State(out)) })
	return state, err
}

// PostTorrentUpdates asks for a StateUpdateAlert with the torrents that changed.
func (s *Session) PostTorrentUpdates() error {
	return s.call("PostTorrentUpdates", func(n native.Session, out native.Outcome) { n.Post_torrent_updates(out) })
}

// PostSessionStats asks for a SessionStatsAlert.
func (s *Session) PostSessionStats() error {
	return s.call("PostSessionStats", func(n native.Session, out native.Outcome) { n.Post_session_stats(out) })
}

// PostDHTStats asks for an alert about the DHT.
func (s *Session) PostDHTStats() error {
	return s.call("PostDHTStats", func(n native.Session, out native.Outcome) { n.Post_dht_stats(out) })
}

// PopAlerts is what libtorrent has to say since the last call, in order; nil when it is nothing. Each alert goes to one caller.
// The setting alert_mask says which there are.
func (s *Session) PopAlerts() (alerts []Alert, err error) {
	err = s.call("PopAlerts", func(n native.Session, out native.Outcome) {
		batch := n.Pop_alerts(out)
		defer native.DeleteAlert_batch(batch)
		alerts = s.alertsOf(batch)
	})
	return alerts, err
}

// WaitAlerts waits until there are alerts, and pops them. Errors: the context's, ErrClosed.
func (s *Session) WaitAlerts(ctx context.Context) ([]Alert, error) {
	for {
		err := s.wait(ctx, "WaitAlerts", func(n native.Session, until native.Stopper, out native.Outcome) {
			n.Wait_for_alerts(until, -1, out)
		})
		if err != nil {
			return nil, err
		}
		// Another caller may have been faster.
		if alerts, err := s.PopAlerts(); err != nil || len(alerts) > 0 {
			return alerts, err
		}
	}
}

// wait makes a call that waits, and ends it when the context is done. What came before that is no error.
func (s *Session) wait(ctx context.Context, op string, f func(native.Session, native.Stopper, native.Outcome)) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.call(op, func(n native.Session, out native.Outcome) {
		until := n.Make_stopper()
		returned, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			select {
			case <-ctx.Done():
				until.Stop()
			case <-returned:
			}
		}()
		defer native.DeleteStopper(until)
		defer func() { <-stopped }()
		defer close(returned)
		f(n, until, out)
	})
	if ctxErr := ctx.Err(); err != nil && ctxErr != nil {
		return ctxErr
	}
	return err
}
