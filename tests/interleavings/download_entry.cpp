#include "interleavings/download_entry.hpp"

#include <algorithm>

namespace slipstream::test {

// The name is set whatever the block's state is.
void download_entry::writing(int const block, std::shared_ptr<fake_peer> const& by)
{
	m_open = true;
	auto& b = m_blocks[std::size_t(block)];
	b.by = by;
	if (b.state == block_state::none) b.state = block_state::writing;
}

// One that was being written gets its name back from the peer, if that is still here.
bool download_entry::finished(int const block, std::shared_ptr<fake_peer> const& by)
{
	m_open = true;
	auto& b = m_blocks[std::size_t(block)];
	if (b.state == block_state::finished) return false;
	if (b.state != block_state::writing || by) b.by = by;
	b.state = block_state::finished;
	return true;
}

bool download_entry::cancelled(int const block)
{
	auto& b = m_blocks[std::size_t(block)];
	if (!m_open || b.state != block_state::writing) return false;
	b = {};
	return true;
}

void download_entry::disconnected(std::shared_ptr<fake_peer> const& peer)
{ for (auto& b : m_blocks) if (b.by.lock() == peer) b.by.reset(); }

void download_entry::close()
{
	m_open = m_hashing = m_passed = m_locked = false;
	m_blocks.assign(m_blocks.size(), {});
}

void download_entry::fails()
{
	m_passed = false;
	m_locked = true;
}

bool download_entry::is_begun() const
{ return std::ranges::any_of(m_blocks, [](part const& b) { return b.state != block_state::none; }); }

bool download_entry::is_finished() const
{ return m_open && std::ranges::all_of(m_blocks, [](part const& b) { return b.state != block_state::none; }); }

bool download_entry::is_flushed() const
{
	return m_passed && !m_hashing
		&& std::ranges::all_of(m_blocks, [](part const& b) { return b.state == block_state::finished; });
}

bool download_entry::is_begun(int const block) const { return m_blocks[std::size_t(block)].state != block_state::none; }

bool download_entry::is_written(int const block) const { return m_blocks[std::size_t(block)].state == block_state::finished; }

bool download_entry::names_anybody() const
{ return std::ranges::any_of(m_blocks, [](part const& b) { return !b.by.expired(); }); }

} // namespace slipstream::test
