#include "disk/completion_queue.hpp"

#include <boost/asio/post.hpp>

#include <new>

namespace slipstream {

// Where libtorrent's io_context keeps the post. It frees that before the handler runs, so the next
// one finds it free.
template <typename T>
struct completion_queue::post_memory
{
	using value_type = T;
	completion_queue* queue;

	explicit post_memory(completion_queue* q) noexcept : queue(q) {}
	template <typename U>
	post_memory(post_memory<U> const& other) noexcept : queue(other.queue) {}

	[[nodiscard]] T* own() const noexcept { return reinterpret_cast<T*>(queue->m_post_memory); }
	[[nodiscard]] T* allocate(std::size_t const n) const
	{
		if (n * sizeof(T) <= sizeof queue->m_post_memory) return own();
		return static_cast<T*>(::operator new(n * sizeof(T)));
	}
	void deallocate(T* const p, std::size_t) const noexcept { if (p != own()) ::operator delete(p); }

	template <typename U>
	bool operator==(post_memory<U> const& other) const noexcept { return queue == other.queue; }
};

struct completion_queue::post
{
	using allocator_type = post_memory<void*>;
	std::shared_ptr<completion_queue> queue;

	[[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(queue.get()); }
	void operator()() const { queue->deliver(); }
};

bool completion_queue::push(completion c)
{
	{
		mutex_lock const lock(m_mutex);
		if (!m_closed && !m_spare.empty())
		{
			m_spare.front() = std::move(c);
			m_waiting.splice(m_waiting.end(), m_spare, m_spare.begin());
			count_and_post(false);
			return true;
		}
	}
	return push(make_ready(std::move(c)));
}

bool completion_queue::push_early(hash_done h)
{
	h.is_early = true;
	return queue(make_ready(std::move(h)), true);
}

bool completion_queue::queue(ready r, bool const at_front) noexcept
{
	mutex_lock const lock(m_mutex);
	if (m_closed) return false;
	m_waiting.splice(at_front ? m_waiting.begin() : m_waiting.end(), r);
	count_and_post(at_front);
	return true;
}

void completion_queue::count_and_post(bool const at_front)
{
	m_size.fetch_add(1, std::memory_order_relaxed);
	m_pushed.fetch_add(at_front ? 0 : 1, std::memory_order_relaxed);
	if (!std::exchange(m_posted, true)) post_delivery();
}

void completion_queue::close()
{
	std::list<completion> dropped; // dies outside the lock: destroying a handler may do anything
	mutex_lock const lock(m_mutex);
	m_closed = true;
	dropped.swap(m_waiting);
	m_size.store(0, std::memory_order_relaxed);
}

// Under the lock, because after close() there may be no io_context to post to.
void completion_queue::post_delivery()
{
	boost::asio::post(m_ioc, post{shared_from_this()});
}

// What handlers push goes into the next batch: a handler that reads on and on must not keep the network
// thread from its sockets.
void completion_queue::deliver()
{
	std::list<completion> batch;
	{
		mutex_lock const lock(m_mutex);
		m_posted = false;
		batch.swap(m_waiting);
		if (m_spare.size() < most_spare) m_spare.splice(m_spare.end(), m_delivered_ones);
	}
	try
	{
		while (!batch.empty())
		{
			m_size.fetch_sub(1, std::memory_order_relaxed);
			ready done;
			done.splice(done.begin(), batch, batch.begin());
			auto const* const hash = std::get_if<hash_done>(&done.front());
			m_delivered.fetch_add(hash && hash->is_early ? 0 : 1, std::memory_order_relaxed);
			if (!std::holds_alternative<step_due>(done.front())) kept();
			std::visit([](auto& d) { d(); }, done.front());
			done.front() = plain_done{}; // lets go of the handler
			if (m_delivered_ones.size() < most_spare) m_delivered_ones.splice(m_delivered_ones.end(), done);
		}
	}
	catch (...)
	{
		// The handler's fault; the others must not lose theirs for it.
		mutex_lock const lock(m_mutex);
		m_waiting.splice(m_waiting.begin(), batch);
		if (!m_waiting.empty() && !m_closed && !std::exchange(m_posted, true)) post_delivery();
		throw;
	}
}

} // namespace slipstream
