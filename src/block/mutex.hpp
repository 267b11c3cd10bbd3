// A std::mutex that Clang's thread-safety analysis understands, and the words to say what it guards.
// Under other compilers the words vanish. Not recursive, not timed.
//
// Where locks are watched (sanitizers' builds) a thread that takes a second one ends the program, unless the first is of those
// that go around others (docs/threads.md, "Locks").
#pragma once

#ifdef SLIPSTREAM_WATCH_LOCKS
#include "block/check.hpp"
#endif

#include <mutex>

#if defined(__clang__)
#define SLIPSTREAM_ANNOTATE(x) __attribute__((x))
#else
#define SLIPSTREAM_ANNOTATE(x)
#endif
#define GUARDED_BY(m) SLIPSTREAM_ANNOTATE(guarded_by(m))
#define REQUIRES(...) SLIPSTREAM_ANNOTATE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) SLIPSTREAM_ANNOTATE(locks_excluded(__VA_ARGS__))

namespace slipstream {

class SLIPSTREAM_ANNOTATE(capability("mutex")) mutex
{
public:
	enum class place { alone, around_others };

	explicit mutex([[maybe_unused]] place const p = place::alone)
#ifdef SLIPSTREAM_WATCH_LOCKS
		: m_place(p)
#endif
	{}
	void lock() SLIPSTREAM_ANNOTATE(acquire_capability())
	{
		watch(1);
		m_mutex.lock();
	}
	void unlock() SLIPSTREAM_ANNOTATE(release_capability())
	{
		m_mutex.unlock();
		watch(-1);
	}

private:
#ifdef SLIPSTREAM_WATCH_LOCKS
	// This thread's: taken before it waits, so that what could be a deadlock is seen also when it is none.
	void watch(int const more)
	{
		thread_local int alone = 0;
		thread_local int around = 0;
		if (more > 0) check(alone == 0 && (around == 0 || m_place == place::alone), "no lock is taken while another is held");
		(m_place == place::alone ? alone : around) += more;
	}
	place const m_place;
#else
	static void watch(int) {}
#endif
	std::mutex m_mutex;
};

// Holds a mutex for a scope.
class SLIPSTREAM_ANNOTATE(scoped_lockable) mutex_lock
{
public:
	explicit mutex_lock(mutex& m) SLIPSTREAM_ANNOTATE(acquire_capability(m)) : m_mutex(m) { m_mutex.lock(); }
	~mutex_lock() SLIPSTREAM_ANNOTATE(release_capability()) { m_mutex.unlock(); }
	mutex_lock(mutex_lock const&) = delete;
	mutex_lock& operator=(mutex_lock const&) = delete;

private:
	mutex& m_mutex;
};

} // namespace slipstream
