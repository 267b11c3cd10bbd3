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

// While it reads on in one piece: a rate is worked out of what was taken (stream/consumption.hpp),
// and idleness.
constexpr std::chrono::milliseconds tell_after{100};

// What one lease may pin at most: little beside the capacity, enough for throughput. (The server
// asks for less, by what its streams hold together: http/traffic.hpp.) Any thread.
std::size_t lease_bound_bytes(memory_disk const& disk)
{
	return static_cast<std::size_t>(std::clamp<std::int64_t>(disk.capacity_bytes() / 64, 4 * block_size_bytes, 1 << 20));
}

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

reader::impl::impl(std::shared_ptr<engine_loop> loop, std::weak_ptr<torrent_entry> torrent, memory_disk disk
	, lt::info_hash_t const& hashes, stream::file_geometry const file, std::uint64_t const number
	, std::chrono::milliseconds const timeout)
	: m_loop(std::move(loop))
	, m_torrent(std::move(torrent))
	, m_disk(std::move(disk))
	, m_hashes(hashes)
	, m_file(file)
	, m_number(number)
	, m_timeout(timeout)
	, m_timer(m_loop->context())
{}

template <typename View>
expected<lease> reader::impl::gather(View const view, std::size_t const max_bytes) const
{
	std::vector<lease> parts;
	std::size_t left = std::min(max_bytes, lease_bound_bytes(m_disk));
	std::int64_t position = position_bytes();
	while (left > 0 && position < m_file.size_bytes)
	{
		stream::place const at = stream::locate(m_file, position);
		int const length = static_cast<int>(std::min(left, static_cast<std::size_t>(at.left_bytes)));
		auto part = view(at, length);
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

// -- the caller's thread

void reader::impl::start(std::size_t const max_bytes, handler done)
{
	++m_pending;
	// Shared: when the gate is closed the posted copy is dropped, and this one answers.
	auto const ended = std::make_shared<handler>([self = shared_from_this(), done = std::move(done)]
		(boost::system::error_code const ec, lease bytes) {
			--self->m_pending;
			done(ec, std::move(bytes));
		});
	bool const passed = m_loop->post([self = shared_from_this(), max_bytes, ended] { self->begin(max_bytes, *ended); });
	if (!passed) (*ended)(make_error_code(errc::cancelled), {});
}

lease reader::impl::take(std::size_t const max_bytes)
{
	if (m_pending > 0 || m_gone.load()) return {};
	auto const from = position_bytes();
	if (from == m_file.size_bytes) return {};
	if (!m_memory.alive()) m_memory = m_disk.torrent(m_hashes);
	auto bytes = gather([this](stream::place const& at, int const length)
		{ return m_memory.view(at.piece, at.offset_bytes, length); }, max_bytes);
	if (!bytes) return {};
	auto const now = clock::now();
	auto const to = from + static_cast<std::int64_t>(bytes->size_bytes());
	m_position_bytes.store(to);
	m_untold_bytes += to - from;
	m_last_read.store(now.time_since_epoch().count());
	bool const far = !m_told || now - *m_told >= tell_after || to == m_file.size_bytes
		|| stream::locate(m_file, from).piece != stream::locate(m_file, to).piece;
	if (far || m_idle)
	{
		m_told = now;
		tell();
	}
	return std::move(*bytes);
}

std::optional<expected<std::int64_t>> reader::impl::seek_here(std::int64_t const position)
{
	if (auto const wrong = check(position)) return *wrong;
	if (m_pending > 0) return std::nullopt;
	if (auto const why = m_gone.load()) return error(*why);
	auto const from = position_bytes();
	m_position_bytes.store(position);
	auto const now = clock::now();
	m_told = now;
	m_last_read.store(now.time_since_epoch().count());
	m_loop->post([self = shared_from_this(), from, position] { self->jumped(from, position); });
	return position;
}

void reader::impl::tell()
{
	m_loop->post([self = shared_from_this()] {
		self->account();
		self->follow();
	});
}

std::optional<error> reader::impl::check(std::int64_t const position) const
{
	if (position >= 0 && position <= m_file.size_bytes) return std::nullopt;
	return error(errc::out_of_range, fmt::format("position {} is outside the file of {} bytes", position, m_file.size_bytes));
}

// -- the engine's thread

void reader::impl::begin(std::size_t const max_bytes, handler done)
{
	if (max_bytes == 0 || m_waiting) return complete(done, error(errc::bad_argument));
	if (auto const why = m_gone.load()) return complete(done, error(*why));
	m_last_read.store(clock::now().time_since_epoch().count());
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
	auto bytes = gather([&](stream::place const& at, int const length) { return torrent->view(at, length); }, max_bytes);
	if (!bytes)
	{
		if (worth_waiting(bytes.error())) return false;
		spdlog::error("torrent {}: the memory disk cannot serve a reader: {}", torrent->id()
			, bytes.error().detail);
		complete(done, error(errc::torrent_failed, bytes.error().detail));
		return true;
	}
	auto const size = static_cast<std::int64_t>(bytes->size_bytes());
	m_last_read.store(clock::now().time_since_epoch().count());
	m_untold_bytes += size;
	account();
	move_to(position_bytes() + size);
	done({}, std::move(*bytes));
	return true;
}

void reader::impl::complete(handler const& done, error const& why)
{
	m_failure = why.detail;
	done(why.code, {});
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
	m_followed_bytes = position_bytes();
	m_window = window();
	torrent->demand_is_urgent();
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
	return clock::time_point(clock::duration(m_last_read.load())) + time;
}

void reader::impl::torrent_gone(errc const why)
{
	m_gone = why;
	fail(error(why));
}

void reader::impl::cancel() { fail(error(errc::cancelled)); }

expected<std::int64_t> reader::impl::seek(std::int64_t const position)
{
	if (auto const wrong = check(position)) return *wrong;
	cancel();
	if (auto const why = m_gone.load()) return error(*why);
	auto const from = position_bytes();
	m_position_bytes.store(position);
	m_last_read.store(clock::now().time_since_epoch().count());
	jumped(from, position);
	return position;
}

// The position may have moved on since.
void reader::impl::jumped(std::int64_t const from, std::int64_t const to)
{
	account();
	if (from != to)
	{
		end_run(from);
		m_run_began_bytes = to;
	}
	follow();
}

void reader::impl::move_to(std::int64_t const position)
{
	m_position_bytes.store(position);
	follow();
}

void reader::impl::account()
{
	if (auto const bytes = m_untold_bytes.exchange(0); bytes > 0)
		m_consumed.took(clock::time_point(clock::duration(m_last_read.load())), bytes);
}

// Its torrent is told when it looks elsewhere, or looks again.
void reader::impl::follow()
{
	m_active = true;
	m_followed_bytes = position_bytes();
	bool const was_idle = m_idle.exchange(false);
	auto const now = window();
	auto const torrent = m_torrent.lock();
	if (torrent && (std::exchange(m_window, now) != now || was_idle)) torrent->demand_changed();
}

stream::window reader::impl::window() const
{
	if (!m_active) return {};
	return stream::window_at(m_file, m_followed_bytes, m_portion.read_ahead_bytes);
}

void reader::impl::end_run(std::int64_t const at_bytes)
{
	if (auto const torrent = m_torrent.lock()) torrent->left(m_file, m_run_began_bytes, at_bytes);
}

void reader::impl::close()
{
	cancel();
	account();
	end_run(position_bytes());
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
	if (auto moved = m_impl->seek_here(position)) return std::move(*moved);
	auto answer = m_impl->loop().call([&] { return m_impl->seek(position); });
	return answer ? std::move(*answer) : error(errc::cancelled);
}

lease reader::take(std::size_t const max_bytes) { return m_impl->take(max_bytes); }

void reader::start_lease(std::size_t const max_bytes
	, std::function<void(boost::system::error_code, lease)> done)
{
	m_impl->start(max_bytes, std::move(done));
}

namespace {

std::size_t copy(lease const& from, char* to)
{
	for (lease::view const v : from.views())
	{
		std::memcpy(to, v.data(), v.size());
		to += v.size();
	}
	return from.size_bytes();
}

} // namespace

expected<std::size_t> reader::read(std::span<char> const buffer)
{
	if (lease const here = take(buffer.size()); !here.empty()) return copy(here, buffer.data());
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
	return copy(got.bytes, buffer.data());
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
