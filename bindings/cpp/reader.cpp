#include <slipstream_binding/reader.hpp>

#include "hashes.hpp"
#include "session_core.hpp"
#include "torrent_demand.hpp"

#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <utility>

namespace slipstream::binding {

namespace {

// Where the file lies, once the metadata is known.
struct place
{
	lt::info_hash_t hashes;
	std::int64_t begin = 0;
	std::int64_t size = 0;
	int piece_length = 1;
};

bool may_still_come(error const& e)
{
	// The store has no torrent yet while libtorrent is setting it up.
	return e.is(errc::not_in_memory) || e.is(errc::not_verified) || e.is(errc::no_such_torrent);
}

} // namespace

class file_reader::impl
{
public:
	impl(session const& owner, std::int64_t const torrent, int const file, reader_options const options)
		: m_core(owner.core()), m_torrent(torrent), m_file(file), m_options(options) {}

	std::int64_t read(char* buffer, std::size_t size, std::int64_t timeout_ms);
	void seek(std::int64_t position);
	std::int64_t size(std::int64_t const timeout_ms) { return where(deadline_in(timeout_ms), generation()).size; }
	void interrupt();
	void close() noexcept;

	[[nodiscard]] std::int64_t position() const
	{
		std::scoped_lock const l(m_mutex);
		return m_position;
	}

private:
	[[nodiscard]] session_core& core() const
	{
		if (!m_core) fail(fault_closed, "the session was never started");
		return *m_core;
	}
	[[nodiscard]] std::int64_t shown() const
	{
		std::scoped_lock const l(m_mutex);
		return m_shown;
	}
	[[nodiscard]] std::uint64_t generation() const
	{
		std::scoped_lock const l(m_mutex);
		return m_seeks;
	}
	void fail_if_ended(std::uint64_t seeks) const;
	[[nodiscard]] place where(wait_point::deadline const& until, std::uint64_t seeks);
	[[nodiscard]] place look_up(torrent_entry const& entry, bool& known) const;
	void want(torrent_entry& entry, place const& file, std::int64_t position, bool waiting);
	void fail_if_stopped(torrent_entry const& entry) const;
	void wake();

	std::shared_ptr<session_core> const m_core;
	std::int64_t const m_torrent;
	int const m_file;
	reader_options const m_options;

	mutable std::mutex m_mutex;
	std::optional<place> m_place;
	std::int64_t m_position = 0;
	std::uint64_t m_seeks = 0;       // a read that waits ends when this changes
	std::int64_t m_shown = -1;       // the piece at which its window begins, as it was told
	bool m_reading = false;
	bool m_interrupted = false;
	bool m_closed = false;
	std::shared_ptr<torrent_entry> m_wants_of;  // where its window was shown
};

void file_reader::impl::fail_if_ended(std::uint64_t const seeks) const
{
	std::scoped_lock const l(m_mutex);
	if (m_closed) fail(fault_closed, "the reader is closed");
	if (m_interrupted || m_seeks != seeks) fail(fault_cancelled, "the read was cancelled");
}

place file_reader::impl::look_up(torrent_entry const& entry, bool& known) const
{
	session_core::use const s(core());
	auto const metadata = entry.handle.torrent_file();
	known = metadata != nullptr;
	if (!known) return {};
	auto const& files = metadata->files();
	if (m_file < 0 || m_file >= files.num_files())
		fail(fault_no_such_file, "the torrent has files 0 to " + std::to_string(files.num_files() - 1) + ", not " + std::to_string(m_file));
	lt::file_index_t const i(m_file);
	if (files.pad_file_at(i)) fail(fault_no_such_file, "file " + std::to_string(m_file) + " is padding");
	return {metadata->info_hashes(), files.file_offset(i), files.file_size(i), metadata->piece_length()};
}

place file_reader::impl::where(wait_point::deadline const& until, std::uint64_t const seeks)
{
	for (;;)
	{
		fail_if_ended(seeks);
		{
			std::scoped_lock const l(m_mutex);
			if (m_place) return *m_place;
		}
		auto const entry = core().entry(m_torrent);
		auto const seen = entry->changed.seen();
		bool known = false;
		auto const found = look_up(*entry, known);
		if (known)
		{
			std::scoped_lock const l(m_mutex);
			m_place = found;
			return found;
		}
		fail_if_ended(seeks);
		if (!entry->changed.wait(seen, until)) fail(fault_metadata_timeout, "no peer sent the metadata in time");
	}
}

void file_reader::impl::want(torrent_entry& entry, place const& file, std::int64_t const position, bool const waiting)
{
	auto const capacity = core().disk().capacity_bytes();
	read_window w;
	w.file_begin = file.begin;
	w.position = file.begin + position;
	w.end = file.begin + file.size;
	w.piece_length = file.piece_length;
	// No more than the file, however much was asked for.
	w.read_ahead_bytes = std::min(file.size, m_options.read_ahead_bytes > 0 ? m_options.read_ahead_bytes
		: std::clamp<std::int64_t>(capacity / 8, 1 << 20, 64 << 20));
	w.lookbehind_bytes = std::min(file.size, m_options.lookbehind_bytes >= 0 ? m_options.lookbehind_bytes : capacity / 4);
	{
		std::scoped_lock const l(m_mutex);
		if (m_closed) fail(fault_closed, "the reader is closed");
		m_wants_of = m_core->entry(m_torrent);
		m_shown = w.position / w.piece_length;
	}
	entry.demand->set(core(), this, file.hashes, w, waiting);
	{
		std::scoped_lock const l(m_mutex);
		if (!m_closed) return;
	}
	// It was closed meanwhile, perhaps before the window was shown.
	entry.demand->remove(core(), this);
}

// Reasons for which waiting would be in vain.
void file_reader::impl::fail_if_stopped(torrent_entry const& entry) const
{
	session_core::use const s(core());
	auto const status = entry.handle.status({});
	if (status.errc) fail(fault_torrent_failed, "libtorrent stopped the torrent: " + status.errc.message());
	if (status.flags & lt::torrent_flags::upload_mode) fail(fault_no_space
		, "the torrent is in upload mode: the memory was full and nothing in it may go, or the application set the flag");
}

std::int64_t file_reader::impl::read(char* const buffer, std::size_t const size, std::int64_t const timeout_ms)
{
	struct reading
	{
		explicit reading(impl& i) : of(i)
		{
			std::scoped_lock const l(of.m_mutex);
			if (std::exchange(of.m_reading, true)) fail(fault_bad_argument, "another read of this reader is under way");
		}
		~reading()
		{
			std::scoped_lock const l(of.m_mutex);
			of.m_reading = false;
		}
		impl& of;
	};
	reading const one_at_a_time(*this);
	auto const until = deadline_in(timeout_ms);
	auto const seeks = generation();
	auto const file = where(until, seeks);
	std::int64_t const position = this->position();
	if (size == 0 || position >= file.size) return 0;
	std::int64_t const at = file.begin + position;
	lt::piece_index_t const piece(static_cast<int>(at / file.piece_length));
	auto const wanted = static_cast<std::size_t>(std::min<std::int64_t>(static_cast<std::int64_t>(size), file.size - position));
	auto const entry = core().entry(m_torrent);
	for (bool first = true;; first = false)
	{
		auto const seen = entry->changed.seen();
		fail_if_ended(seeks);
		static_cast<void>(core().entry(m_torrent));
		auto const got = core().storage(*entry).read(piece, static_cast<int>(at % file.piece_length), {buffer, wanted});
		if (got)
		{
			auto const next = position + static_cast<std::int64_t>(*got);
			{
				std::scoped_lock const l(m_mutex);
				if (m_seeks != seeks) fail(fault_cancelled, "the read was cancelled");
				m_position = next;
			}
			// The window moves a piece at a time.
			if (shown() != (file.begin + next) / file.piece_length) want(*entry, file, next, false);
			return next - position;
		}
		if (!may_still_come(got.error())) fail(got.error());
		want(*entry, file, position, first);
		fail_if_stopped(*entry);
		if (!entry->changed.wait(seen, until))
			fail(fault_read_timeout, "piece " + std::to_string(static_cast<int>(piece)) + " did not come in time");
	}
}

void file_reader::impl::seek(std::int64_t const position)
{
	if (position < 0) fail(fault_out_of_range, "a position is 0 or more, not " + std::to_string(position));
	{
		std::scoped_lock const l(m_mutex);
		if (m_closed) fail(fault_closed, "the reader is closed");
		if (m_position == position) return;
		m_position = position;
		++m_seeks;
	}
	wake();
}

void file_reader::impl::wake()
{
	guarded_or(0, [&] { if (m_core) m_core->entry(m_torrent)->changed.wake(); return 0; });
}

void file_reader::impl::interrupt()
{
	{
		std::scoped_lock const l(m_mutex);
		m_interrupted = true;
	}
	wake();
}

void file_reader::impl::close() noexcept
{
	std::shared_ptr<torrent_entry> wants_of;
	{
		std::scoped_lock const l(m_mutex);
		if (std::exchange(m_closed, true)) return;
		wants_of = std::exchange(m_wants_of, nullptr);
	}
	wake();
	if (wants_of) wants_of->demand->remove(*m_core, this);
}

file_reader::file_reader(session const& owner, std::int64_t const torrent, int const file, reader_options const& options)
	: m_impl(std::make_shared<impl>(owner, torrent, file, options)) {}

file_reader::~file_reader() { m_impl->close(); }

std::int64_t file_reader::read(char* const buffer, std::size_t const size, std::int64_t const timeout_ms, outcome& out)
{ return guarded(out, [&, i = m_impl] { return i->read(buffer, size, timeout_ms); }); }

void file_reader::seek(std::int64_t const position, outcome& out) { guarded(out, [&] { m_impl->seek(position); }); }

std::int64_t file_reader::position() const { return m_impl->position(); }

std::int64_t file_reader::size(std::int64_t const timeout_ms, outcome& out)
{ return guarded(out, [&, i = m_impl] { return i->size(timeout_ms); }); }

void file_reader::interrupt() { m_impl->interrupt(); }

void file_reader::close() { m_impl->close(); }

} // namespace slipstream::binding
