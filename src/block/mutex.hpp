// A std::mutex that Clang's thread-safety analysis understands, and the words to say what it guards.
// Under other compilers the words vanish. Not recursive, not timed.
//
// Where SLIPSTREAM_WATCH_LOCKS is defined (sanitizers' builds) a thread that takes a second lock
// ends the program, unless it is an inner one taken inside an outer one (docs/threads.md, "Locks").
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
	enum class rank { inner, outer };

	explicit mutex([[maybe_unused]] rank const r = rank::inner)
#ifdef SLIPSTREAM_WATCH_LOCKS
		: m_rank(r)
#endif
	{}
	void lock() SLIPSTREAM_ANNOTATE(acquire_capability())
	{
		watch(1);
		m_mutex.lock();
	}
	void unlock() SLIPSTREAM_ANNOTATE(release_capability())
	{
		watch(-1); // before: who locks next may end it
		m_mutex.unlock();
	}

private:
#ifdef SLIPSTREAM_WATCH_LOCKS
	// Counts this thread's locks. They are counted before waiting: an order that could deadlock
	// ends the program also when it does not deadlock this time.
	void watch(int const more)
	{
		thread_local int inner = 0;
		thread_local int outer = 0;
		if (more > 0) check(inner == 0 && (outer == 0 || m_rank == rank::inner), "no lock is taken while another is held");
		(m_rank == rank::inner ? inner : outer) += more;
	}
	rank const m_rank;
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
