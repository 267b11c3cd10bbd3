#include "disk/completion_queue.hpp"

#include <boost/asio/post.hpp>

#include <iterator>

namespace slipstream {

bool completion_queue::push(completion c) { return queue(std::move(c), false); }

bool completion_queue::push_early(hash_done h)
{
	h.is_early = true;
	return queue(std::move(h), true);
}

bool completion_queue::queue(completion c, bool const at_front)
{
	mutex_lock const lock(m_mutex);
	if (m_closed) return false;
	m_waiting.insert(at_front ? m_waiting.begin() : m_waiting.end(), std::move(c));
	m_size.fetch_add(1, std::memory_order_relaxed);
	m_pushed.fetch_add(at_front ? 0 : 1, std::memory_order_relaxed);
	if (!std::exchange(m_posted, true)) post_delivery();
	return true;
}

void completion_queue::close()
{
	std::vector<completion> dropped; // dies outside the lock: destroying a handler may do anything
	mutex_lock const lock(m_mutex);
	m_closed = true;
	dropped.swap(m_waiting);
	m_size.store(0, std::memory_order_relaxed);
}

// Under the lock, because after close() there may be no io_context to post to.
void completion_queue::post_delivery()
{
	boost::asio::post(m_ioc, [self = shared_from_this()] { self->deliver(); });
}

// What handlers push goes into the next batch: a handler that reads on and on must not keep the network
// thread from its sockets.
void completion_queue::deliver()
{
	std::vector<completion> batch;
	{
		mutex_lock const lock(m_mutex);
		m_posted = false;
		batch.swap(m_waiting);
	}
	std::size_t next = 0;
	try
	{
		while (next < batch.size())
		{
			m_size.fetch_sub(1, std::memory_order_relaxed);
			completion done = std::move(batch[next++]);
			auto const* const hash = std::get_if<hash_done>(&done);
			m_delivered.fetch_add(hash && hash->is_early ? 0 : 1, std::memory_order_relaxed);
			std::visit([](auto& d) { d(); }, done);
		}
	}
	catch (...)
	{
		// The handler's fault; the others must not lose theirs for it.
		mutex_lock const lock(m_mutex);
		m_waiting.insert(m_waiting.begin(), std::move_iterator(batch.begin() + std::ptrdiff_t(next))
			, std::move_iterator(batch.end()));
		if (!m_waiting.empty() && !m_closed && !std::exchange(m_posted, true)) post_delivery();
		throw;
	}
}

} // namespace slipstream
