package slipstream

import "sync"

// life is the life of something outside Go's heap: it is freed when it has ended and the last call that uses it has left. The
// zero value has ended.
type life struct {
	mu    sync.Mutex
	open  bool
	users int
	free  func()
}

func (l *life) begin(free func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.users, l.free = true, 1, free
}

// enter says whether it may be used; leave is to follow then.
func (l *life) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open {
		return false
	}
	l.users++
	return true
}

func (l *life) leave() {
	l.mu.Lock()
	l.users--
	free := l.free
	last := l.users == 0
	l.mu.Unlock()
	if last {
		free()
	}
}

// end says whether this call ended it; leave is to follow then, when nothing more needs it.
func (l *life) end() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ended := l.open
	l.open = false
	return ended
}

func (l *life) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.open
}
