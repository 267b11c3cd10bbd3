#include "disk/forgetting.hpp"

#include "block/check.hpp"

#include <boost/asio/error.hpp>

#include <memory>
#include <utility>

#include <sys/mman.h>

namespace slipstream {

namespace {

lt::storage_error aborted() { return {boost::asio::error::operation_aborted, lt::operation_t::file_write}; }

// Bytes that stand for a piece in add_piece. Nobody reads them (writes to a piece that is being forgotten
// are dropped), so they are address space that was never touched.
class untouched_bytes
{
public:
	explicit untouched_bytes(int const size) : m_size(static_cast<std::size_t>(size))
		, m_bytes(::mmap(nullptr, m_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
	~untouched_bytes() { if (m_bytes != MAP_FAILED) ::munmap(m_bytes, m_size); }
	untouched_bytes(untouched_bytes const&) = delete;
	untouched_bytes& operator=(untouched_bytes const&) = delete;
	[[nodiscard]] char const* get() const noexcept
	{ return m_bytes == MAP_FAILED ? nullptr : static_cast<char const*>(m_bytes); }

private:
	std::size_t const m_size;
	void* const m_bytes;
};

} // namespace

void forgetting::attach(lt::torrent_handle torrent, std::weak_ptr<forgetting_host> host)
{
	m_torrent = std::move(torrent);
	m_host = std::move(host);
}

void forgetting::complete(write_done& done)
{
	m_completions.kept();
	done();
}

bool forgetting::hold(lt::piece_index_t const piece, write_done& done)
{
	if (!attached() || holds(piece) || is_forgetting(piece)) return false;
	done.was_held = true;
	m_held.emplace(piece, std::move(done));
	return true;
}

// add_piece dispatches to the network thread, and this is the network thread: each takes effect before it
// returns, and no other event comes in between.
bool forgetting::forget(lt::piece_index_t const piece, int const piece_bytes, bool const has_passed)
{
	check(attached() && !is_forgetting(piece), "a piece is forgotten once at a time");
	untouched_bytes const any(piece_bytes);
	auto const i = m_forgetting.emplace(piece, false).first;
	auto held = m_held.extract(piece);
	// One that has not passed would be hashed, and fail, with the write that is kept back and once
	// more without it.
	if (has_passed) m_torrent.add_piece(piece, any.get(), lt::torrent_handle::overwrite_existing);
	if (held)
	{
		held.mapped().error = aborted();
		complete(held.mapped());
	}
	if (held || !has_passed) m_torrent.add_piece(piece, any.get(), lt::torrent_handle::overwrite_existing);
	if (i->second) return true;
	m_forgetting.erase(i);
	return false;
}

void forgetting::take_names_off(lt::piece_index_t const piece, int const piece_bytes)
{
	if (!attached() || !m_forgetting.emplace(piece, true).second) return;
	// A block that is being written keeps its name.
	if (auto held = m_held.extract(piece)) complete(held.mapped());
	untouched_bytes const any(piece_bytes);
	m_torrent.add_piece(piece, any.get(), lt::torrent_handle::overwrite_existing);
}

void forgetting::hash_asked(lt::piece_index_t const piece)
{
	if (auto const i = m_forgetting.find(piece); i != m_forgetting.end()) i->second = true;
}

std::optional<write_done> forgetting::release(lt::piece_index_t const piece)
{
	auto held = let_go(piece);
	if (held) held->error = aborted();
	return held;
}

std::optional<write_done> forgetting::let_go(lt::piece_index_t const piece)
{
	auto held = m_held.extract(piece);
	if (!held) return std::nullopt;
	return std::move(held.mapped());
}

std::vector<write_done> forgetting::release_all()
{
	std::vector<write_done> released;
	released.reserve(m_held.size());
	for (auto& [piece, done] : m_held) released.push_back(std::move(done));
	m_held.clear();
	return released;
}

forgetting::abandoned forgetting::abandon()
{
	abandoned a{release_all(), {}};
	for (auto& done : a.held) done.error = aborted();
	for (auto const& [piece, asked] : m_forgetting) a.forgetting.push_back(piece);
	m_forgetting.clear();
	return a;
}

bool forgetting::cleared(lt::piece_index_t const piece, bool const was_verified)
{
	if (m_forgetting.erase(piece) == 0) return false;
	auto const host = m_host.lock();
	if (!host || !was_verified) return true;
	host->withhold(piece);
	host->tell_peers(piece);
	return true;
}

} // namespace slipstream
