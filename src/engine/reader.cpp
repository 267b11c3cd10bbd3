#include "engine/reader_impl.hpp"

#include "engine/torrent_entry.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <utility>

namespace slipstream {

namespace {

lease join(std::vector<lease> parts)
{
	if (parts.size() == 1) return std::move(parts.front());
	std::vector<lease::view> views;
	for (lease const& part : parts) views.insert(views.end(), part.views().begin(), part.views().end());
	return {std::move(views), std::make_shared<std::vector<lease>>(std::move(parts))};
}

// Whether the bytes may still come.
bool worth_waiting(error const& e)
{
	// The store has no torrent yet while libtorrent is setting it up.
	return e.is(errc::not_in_memory) || e.is(errc::not_verified) || e.is(errc::no_such_torrent);
}

} // namespace

reader::impl::impl(std::shared_ptr<engine_loop> loop, std::weak_ptr<torrent_entry> torrent
	, stream::file_geometry const file, std::uint64_t const number
	, std::chrono::milliseconds const timeout)
	: m_loop(std::move(loop))
	, m_torrent(std::move(torrent))
	, m_file(file)
	, m_number(number)
	, m_timeout(timeout)
	, m_timer(m_loop->context())
{}

void reader::impl::begin(std::size_t const max_bytes, handler done)
{
	if (max_bytes == 0 || m_waiting) return complete(done, error(errc::bad_argument));
	if (m_gone) return complete(done, error(*m_gone));
	m_last_read = clock::now();
	if (auto const torrent = m_torrent.lock(); torrent && std::exchange(m_idle, false)) torrent->demand_changed();
	if (position_bytes() == m_file.size_bytes) return done({}, {});
	if (try_complete(max_bytes, done)) return;
	wait(max_bytes, std::move(done));
}

bool reader::impl::try_complete(std::size_t const max_bytes, handler const& done)
{
	auto const torrent = m_torrent.lock();
	if (!torrent)
	{
		complete(done, error(errc::no_such_torrent));
		return true;
	}
	auto bytes = gather(*torrent, max_bytes);
	if (!bytes)
	{
		if (worth_waiting(bytes.error())) return false;
		spdlog::error("torrent {}: the memory disk cannot serve a reader: {}", torrent->id()
			, bytes.error().detail);
		complete(done, error(errc::torrent_failed, bytes.error().detail));
		return true;
	}
	m_last_read = clock::now();
	m_consumed.took(m_last_read, static_cast<std::int64_t>(bytes->size_bytes()));
	move_to(position_bytes() + static_cast<std::int64_t>(bytes->size_bytes()));
	done({}, std::move(*bytes));
	return true;
}

void reader::impl::complete(handler const& done, error const& why)
{
	m_failure = why.detail;
	done(why.code, {});
}

expected<lease> reader::impl::gather(torrent_entry& torrent, std::size_t const max_bytes) const
{
	std::vector<lease> parts;
	std::size_t left = std::min(max_bytes, torrent.max_lease_bytes());
	std::int64_t position = position_bytes();
	while (left > 0 && position < m_file.size_bytes)
	{
		stream::place const at = stream::locate(m_file, position);
		int const length = static_cast<int>(std::min(left, static_cast<std::size_t>(at.left_bytes)));
		auto part = torrent.view(at, length);
		if (!part && parts.empty()) return part.error();
		if (!part) break;
		std::size_t const got = part->size_bytes();
		parts.push_back(std::move(*part));
		left -= got;
		position += static_cast<std::int64_t>(got);
		if (got < static_cast<std::size_t>(length)) break;
	}
	return join(std::move(parts));
}

void reader::impl::wait(std::size_t const max_bytes, handler done)
{
	auto const torrent = m_torrent.lock();
	m_active = true;
	if (auto const in_vain = torrent->prepare_to_wait())
		return complete(done, *in_vain);
	m_waiting.emplace(waiting{max_bytes, std::move(done)});
	m_timer.expires_after(m_timeout);
	m_timer.async_wait([self = weak_from_this()](boost::system::error_code const ec) {
		auto const r = self.lock();
		// A timer that ran out while it was set anew belongs to an earlier wait.
		if (r && !ec && r->m_timer.expiry() <= std::chrono::steady_clock::now()) r->fail(error(errc::read_timeout));
	});
	torrent->demand_changed();
}

reader::impl::waiting reader::impl::stop_waiting()
{
	m_timer.cancel();
	waiting w = std::move(*m_waiting);
	m_waiting.reset();
	return w;
}

void reader::impl::piece_changed(lt::piece_index_t const piece)
{
	if (!m_waiting || stream::locate(m_file, position_bytes()).piece != piece) return;
	if (try_complete(m_waiting->max_bytes, m_waiting->done)) (void)stop_waiting();
}

void reader::impl::fail(error const& why)
{
	if (m_waiting) complete(stop_waiting().done, why);
}

std::optional<reader::impl::clock::time_point> reader::impl::unread_for(clock::duration const time) const
{
	if (m_waiting) return std::nullopt;
	return m_last_read + time;
}

void reader::impl::torrent_gone(errc const why)
{
	m_gone = why;
	fail(error(why));
}

void reader::impl::cancel() { fail(error(errc::cancelled)); }

expected<std::int64_t> reader::impl::seek(std::int64_t const position)
{
	if (position < 0 || position > m_file.size_bytes)
		return error(errc::out_of_range, fmt::format("position {} is outside the file of {} bytes"
			, position, m_file.size_bytes));
	cancel();
	if (m_gone) return error(*m_gone);
	if (position != position_bytes())
	{
		end_run();
		m_run_began_bytes = position;
	}
	m_active = true;
	m_last_read = clock::now();
	move_to(position);
	if (auto const torrent = m_torrent.lock()) torrent->demand_changed();
	return position;
}

void reader::impl::move_to(std::int64_t const position)
{
	stream::window const before = window();
	m_position_bytes.store(position);
	m_active = true;
	if (before == window()) return;
	if (auto const torrent = m_torrent.lock()) torrent->demand_changed();
}

stream::window reader::impl::window() const
{
	if (!m_active) return {};
	return stream::window_at(m_file, position_bytes(), m_portion.read_ahead_bytes);
}

void reader::impl::end_run()
{
	if (auto const torrent = m_torrent.lock()) torrent->left(m_file, m_run_began_bytes, position_bytes());
}

void reader::impl::close()
{
	cancel();
	end_run();
	if (auto const torrent = m_torrent.lock()) torrent->detach(*this);
}

// The public reader.

reader::reader(std::shared_ptr<impl> i) : m_impl(std::move(i)) {}

reader::~reader()
{
	m_impl->loop().post([i = m_impl] { i->close(); });
}

std::int64_t reader::size_bytes() const { return m_impl->size_bytes(); }

std::int64_t reader::position_bytes() const { return m_impl->position_bytes(); }

expected<std::int64_t> reader::seek(std::int64_t const position)
{
	auto answer = m_impl->loop().call([&] { return m_impl->seek(position); });
	return answer ? std::move(*answer) : error(errc::cancelled);
}

void reader::start_lease(std::size_t const max_bytes
	, std::function<void(boost::system::error_code, lease)> done)
{
	// Shared: when the gate is closed the posted copy is dropped, and this one answers.
	auto const shared = std::make_shared<impl::handler>(std::move(done));
	bool const passed = m_impl->loop().post([i = m_impl, max_bytes, shared]
		{ i->begin(max_bytes, *shared); });
	if (!passed) (*shared)(make_error_code(errc::cancelled), {});
}

expected<std::size_t> reader::read(std::span<char> const buffer)
{
	struct outcome
	{
		boost::system::error_code ec;
		lease bytes;
	};
	auto const answer = std::make_shared<std::promise<outcome>>();
	start_lease(buffer.size(), [answer](boost::system::error_code const ec, lease bytes)
		{ answer->set_value({ec, std::move(bytes)}); });
	outcome const got = answer->get_future().get();
	if (got.ec) return error(static_cast<errc>(got.ec.value()));
	char* to = buffer.data();
	for (lease::view const v : got.bytes.views())
	{
		std::memcpy(to, v.data(), v.size());
		to += v.size();
	}
	return got.bytes.size_bytes();
}

std::string reader::failure() const
{
	auto answer = m_impl->loop().call([&] { return m_impl->failure(); });
	return answer ? std::move(*answer) : std::string();
}

void reader::cancel()
{
	m_impl->loop().post([i = m_impl] { i->cancel(); });
}

} // namespace slipstream
