// Package slipstream keeps torrents in bounded memory: libtorrent 2 sessions on Slipstream's memory disk, and readers that
// turn a torrent's file into an io.ReadSeekCloser.
//
//	params := slipstream.NewSessionParams()
//	params.SetMemoryDiskIO(256 << 20)
//	session, err := slipstream.CreateSessionWithParams(params)
//	...
//	defer session.Close()
//	torrent, err := session.AddMagnet("magnet:?xt=urn:btih:...")
//	...
//	reader := slipstream.NewReader(torrent, 0)
//	defer reader.Close()
//	http.ServeContent(w, r, "film.mkv", time.Time{}, reader)
//
// # Ownership
//
// Session, MemoryDisk, Reader and LookbehindManager hold something outside Go's heap: Close gives it back, at once and in any
// order; it may be called many times, and while other calls are under way. What is forgotten is closed by a finalizer, some
// time (but for a LookbehindManager, of which nothing is left but what it said). A session's Close waits until libtorrent has ended. All other types (TorrentHandle, Storage, InfoHash, alerts, statuses,
// params, settings) are plain Go values: nothing to close, safe to keep for ever.
//
// # Errors
//
// Every failure is an error of type *Error, with a Code to compare by errors.Is(err, slipstream.ErrNoSuchTorrent) and so on. Use
// after Close is ErrClosed, a torrent that was removed is ErrNoSuchTorrent. Nothing panics, nil and zero values included, and no
// C++ exception gets into Go. A nil context is context.Background().
//
// # Goroutines
//
// Every method may be called from any goroutine at any time, but for Reader.Read, of which there is one at a time, and
// SettingsPack, SessionParams and AddTorrentParams, which are filled by one goroutine. A goroutine that waits in Read,
// WaitAlerts, WaitReady or ResumeData holds a thread of the system while it does; Go ends a program that has more than 10,000 of
// them (debug.SetMaxThreads), so a server bounds how many of its clients wait at once.
package slipstream
