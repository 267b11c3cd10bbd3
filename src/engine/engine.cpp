#include <slipstream/engine.hpp>

#include "engine/core.hpp"
#include "engine/engine_loop.hpp"
#include "engine/reader_impl.hpp"
#include "engine/session_settings.hpp"
#include "engine/torrent_source.hpp"

#include <libtorrent/torrent_flags.hpp>

#include <mutex>

namespace slipstream {

namespace {

memory_disk_options evicting(memory_disk_options options)
{
	options.evict = true;
	options.hold_always = true;
	return options;
}

} // namespace

// The public calls: each is carried to the loop, and answers `cancelled` once the engine has stopped.
class engine::impl
{
public:
	explicit impl(engine_options options)
		: m_disk((check(options), evicting(options.memory)))
		, m_loop(std::make_shared<engine_loop>())
		, m_core(std::make_shared<core>(m_loop, m_disk, std::move(options)))
	{
		try { m_loop->call([this] { m_core->start(); return true; }); }
		catch (...)
		{
			stop();
			throw;
		}
	}

	~impl() { stop(); }

	void stop()
	{
		std::call_once(m_stopped, [this] {
			auto rest = m_loop->call([this] { return m_core->shut_down(); });
			m_loop->close();
			// `rest` dies here, and waits for libtorrent; nothing it still calls waits for us.
		});
	}

	// `f` answers an expected.
	template <typename F>
	auto ask(F f) const -> std::invoke_result_t<F, core&>
	{
		using answer = std::invoke_result_t<F, core&>;
		auto got = m_loop->call([&]() -> answer {
			if (!m_core->running()) return errc::cancelled;
			return f(*m_core);
		});
		if (!got) return errc::cancelled;
		return std::move(*got);
	}

	expected<std::string> set_paused(std::string_view const id, bool const paused) const
	{
		return ask([&](core& c) -> expected<std::string> {
			auto const torrent = c.find(id);
			if (!torrent) return torrent.error();
			(*torrent)->set_paused(paused);
			return (*torrent)->id();
		});
	}

	memory_disk const m_disk;
	std::shared_ptr<engine_loop> const m_loop;
	std::shared_ptr<core> const m_core;

private:
	std::once_flag m_stopped;
};

engine::engine(engine_options options) : m_impl(std::make_unique<impl>(std::move(options))) {}

engine::~engine() = default;

void engine::stop() { m_impl->stop(); }

expected<std::string> engine::add(std::string_view const uri)
{
	// Files are read in the calling thread: the engine's must not wait for a disk.
	auto params = parse_uri(uri, max_torrent_bytes);
	if (!params) return params.error();
	return m_impl->ask([&](core& c) { return c.add(std::move(*params)); });
}

expected<std::string> engine::add_magnet(std::string_view const uri)
{
	auto params = parse_magnet(uri);
	if (!params) return params.error();
	return m_impl->ask([&](core& c) { return c.add(std::move(*params)); });
}

expected<std::string> engine::add_torrent_file(std::span<char const> const bytes)
{
	auto params = parse_torrent(bytes, max_torrent_bytes, "the torrent file");
	if (!params) return params.error();
	return m_impl->ask([&](core& c) { return c.add(std::move(*params)); });
}

expected<std::string> engine::add_resume_data(std::span<char const> const bytes)
{
	auto params = parse_resume_data(bytes, 2 * max_torrent_bytes);
	if (!params) return params.error();
	bool const paused = bool(params->flags & lt::torrent_flags::paused);
	return m_impl->ask([&](core& c) { return c.add(std::move(*params), paused); });
}

expected<std::string> engine::remove(std::string_view const id)
{
	return m_impl->ask([&](core& c) { return c.remove(id); });
}

expected<torrent_summary> engine::find(std::string_view const id) const
{
	return m_impl->ask([&](core& c) -> expected<torrent_summary> {
		auto const torrent = c.find(id);
		if (!torrent) return torrent.error();
		return (*torrent)->summary();
	});
}

std::vector<torrent_summary> engine::torrents() const
{
	auto answer = m_impl->m_loop->call([this] { return m_impl->m_core->torrents(); });
	return answer ? std::move(*answer) : std::vector<torrent_summary>{};
}

expected<std::shared_ptr<torrent_files const>> engine::files(std::string_view const id) const
{
	if (auto const torrent = m_impl->m_core->readable(id)) return torrent->files;
	return m_impl->ask([&](core& c) -> expected<std::shared_ptr<torrent_files const>> {
		auto const torrent = c.find(id);
		if (!torrent) return torrent.error();
		return (*torrent)->files();
	});
}

expected<torrent_details> engine::details(std::string_view const id) const
{
	return m_impl->ask([&](core& c) -> expected<torrent_details> {
		auto const torrent = c.find(id);
		if (!torrent) return torrent.error();
		return (*torrent)->details();
	});
}

std::vector<reader_entry> engine::readers() const
{
	auto answer = m_impl->m_loop->call([this] {
		std::vector<reader_entry> all;
		for (auto const& torrent : m_impl->m_core->entries())
			for (auto& r : torrent->reader_entries()) all.push_back(std::move(r));
		return all;
	});
	return answer ? std::move(*answer) : std::vector<reader_entry>{};
}

expected<std::string> engine::pause(std::string_view const id) { return m_impl->set_paused(id, true); }

expected<std::string> engine::resume(std::string_view const id) { return m_impl->set_paused(id, false); }

void engine::start_wait_ready(std::string id, std::function<void(boost::system::error_code)> done)
{
	auto const tell = std::make_shared<decltype(done)>(std::move(done));
	bool const passed = m_impl->m_loop->post([c = std::weak_ptr(m_impl->m_core), id = std::move(id), tell] {
		auto const alive = c.lock();
		if (!alive || !alive->running()) return (*tell)(make_error_code(errc::cancelled));
		auto const torrent = alive->find(id);
		if (!torrent) return (*tell)(torrent.error().code);
		(*torrent)->wait_ready(std::move(*tell));
	});
	if (!passed) (*tell)(make_error_code(errc::cancelled));
}

void engine::start_resume_data(std::string id
	, std::function<void(boost::system::error_code, std::vector<char>)> done)
{
	auto const tell = std::make_shared<decltype(done)>(std::move(done));
	bool const passed = m_impl->m_loop->post([c = std::weak_ptr(m_impl->m_core), id = std::move(id), tell] {
		auto const alive = c.lock();
		if (!alive || !alive->running()) return (*tell)(make_error_code(errc::cancelled), {});
		auto const torrent = alive->find(id);
		if (!torrent) return (*tell)(torrent.error().code, {});
		(*torrent)->save_resume_data(std::move(*tell));
	});
	if (!passed) (*tell)(make_error_code(errc::cancelled), {});
}

std::vector<char> engine::session_state() const
{
	auto answer = m_impl->m_loop->call([this] { return m_impl->m_core->session_state(); });
	return answer ? std::move(*answer) : std::vector<char>{};
}

expected<std::unique_ptr<reader>> engine::open(std::string_view const id, int const file_index)
{
	auto const torrent = m_impl->m_core->readable(id);
	if (auto const file = torrent ? torrent->file(file_index) : std::nullopt)
	{
		auto r = m_impl->m_core->open(*torrent, *file);
		if (!r) return errc::cancelled;
		return std::make_unique<reader>(std::move(r));
	}
	return m_impl->ask([&](core& c) -> expected<std::unique_ptr<reader>> {
		auto r = c.open(id, file_index);
		if (!r) return r.error();
		return std::make_unique<reader>(std::move(*r));
	});
}

expected<std::string> engine::connect(std::string_view const id, boost::asio::ip::tcp::endpoint const peer)
{
	return m_impl->ask([&](core& c) -> expected<std::string> {
		auto const torrent = c.find(id);
		if (!torrent) return torrent.error();
		(*torrent)->connect(peer);
		return (*torrent)->id();
	});
}

std::vector<boost::asio::ip::tcp::endpoint> engine::peer_endpoints() const
{
	auto answer = m_impl->m_loop->call([this] { return m_impl->m_core->endpoints(); });
	return answer ? std::move(*answer) : std::vector<boost::asio::ip::tcp::endpoint>{};
}

payload_totals engine::payload() const
{
	auto answer = m_impl->m_loop->call([this] { return m_impl->m_core->payload(); });
	return answer ? *answer : payload_totals{};
}

early_totals engine::early() const
{
	auto answer = m_impl->m_loop->call([this] { return m_impl->m_core->early(); });
	return answer ? *answer : early_totals{};
}

window_extents engine::windows() const
{
	auto answer = m_impl->m_loop->call([this] { return m_impl->m_core->windows(); });
	return answer ? *answer : window_extents{};
}

expected<window_extents> engine::set_windows(window_extents const& extents)
{
	return m_impl->ask([&](core& c) -> expected<window_extents> {
		if (!extents.read_ahead.is_valid() || !extents.lookbehind.is_valid())
			return error(errc::bad_argument, "an extent must be automatic, 0..2^50 bytes, 0..1000000 millionths of the"
				" capacity, or a time of 0..24 hours");
		c.set_windows(extents);
		return extents;
	});
}

memory_disk const& engine::memory() const { return m_impl->m_disk; }

} // namespace slipstream
