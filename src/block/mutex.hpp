// A std::mutex that Clang's thread-safety analysis understands, and the words to say what it guards.
// Under other compilers the words vanish. Not recursive, not timed.
#pragma once

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
	void lock() SLIPSTREAM_ANNOTATE(acquire_capability()) { m_mutex.lock(); }
	void unlock() SLIPSTREAM_ANNOTATE(release_capability()) { m_mutex.unlock(); }

private:
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
