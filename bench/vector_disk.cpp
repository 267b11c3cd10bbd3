#include "vector_disk.hpp"

#include <libtorrent/disk_buffer_holder.hpp>
#include <libtorrent/disk_observer.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/storage_defs.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

namespace slipstream::bench {

namespace {

constexpr int v2_block_bytes = 16 * 1024;

struct torrent
{
	lt::file_storage const* files = nullptr;
	std::unordered_map<int, std::vector<char>> pieces;
};

lt::storage_error not_here()
{ return {boost::asio::error::eof, lt::operation_t::file_read}; }

class vector_disk final : public lt::disk_interface, lt::buffer_allocator_interface
{
public:
	explicit vector_disk(lt::io_context& ios) : m_ios(ios) {}

	lt::storage_holder new_torrent(lt::storage_params const& p, std::shared_ptr<void> const&) override
	{
		auto const free = std::find_if(m_torrents.begin(), m_torrents.end(), [](torrent const& t) { return t.files == nullptr; });
		auto const index = static_cast<std::uint32_t>(free - m_torrents.begin());
		if (free == m_torrents.end()) m_torrents.emplace_back();
		m_torrents[index].files = &p.files;
		return {lt::storage_index_t(index), *this};
	}

	void remove_torrent(lt::storage_index_t const i) override { at(i) = {}; }

	void async_read(lt::storage_index_t const i, lt::peer_request const& r
		, std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler, lt::disk_job_flags_t) override
	{
		char* const bytes = find(i, r.piece);
		boost::asio::post(m_ios, [this, h = std::move(handler), bytes, r] {
			if (bytes == nullptr) h({}, not_here());
			else h(lt::disk_buffer_holder(*this, bytes + r.start, r.length), {});
		});
	}

	bool async_write(lt::storage_index_t const i, lt::peer_request const& r, char const* const bytes
		, std::shared_ptr<lt::disk_observer>, std::function<void(lt::storage_error const&)> handler
		, lt::disk_job_flags_t) override
	{
		auto& piece = at(i).pieces[static_cast<int>(r.piece)];
		if (piece.empty()) piece.resize(static_cast<std::size_t>(at(i).files->piece_size(r.piece)));
		std::memcpy(&piece[static_cast<std::size_t>(r.start)], bytes, static_cast<std::size_t>(r.length));
		boost::asio::post(m_ios, [h = std::move(handler)] { h({}); });
		return false;
	}

	void async_hash(lt::storage_index_t const i, lt::piece_index_t const piece, lt::span<lt::sha256_hash> const v2
		, lt::disk_job_flags_t const flags
		, std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)> handler) override
	{
		char const* const bytes = find(i, piece);
		int const size = at(i).files->piece_size(piece);
		lt::sha1_hash v1;
		if (bytes != nullptr)
		{
			if (flags & lt::disk_interface::v1_hash) v1 = lt::hasher(bytes, size).final();
			for (int b = 0; b < int(v2.size()); ++b) v2[b] = block_hash(bytes, b * v2_block_bytes, size);
		}
		boost::asio::post(m_ios, [h = std::move(handler), piece, v1, e = bytes ? lt::storage_error() : not_here()]
			{ h(piece, v1, e); });
	}

	void async_hash2(lt::storage_index_t const i, lt::piece_index_t const piece, int const offset, lt::disk_job_flags_t
		, std::function<void(lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&)> handler) override
	{
		char const* const bytes = find(i, piece);
		lt::sha256_hash hash;
		if (bytes != nullptr) hash = block_hash(bytes, offset, at(i).files->piece_size(piece));
		boost::asio::post(m_ios, [h = std::move(handler), piece, hash, e = bytes ? lt::storage_error() : not_here()]
			{ h(piece, hash, e); });
	}

	void async_clear_piece(lt::storage_index_t const i, lt::piece_index_t const piece
		, std::function<void(lt::piece_index_t)> handler) override
	{
		at(i).pieces.erase(static_cast<int>(piece));
		boost::asio::post(m_ios, [h = std::move(handler), piece] { h(piece); });
	}

	void async_stop_torrent(lt::storage_index_t, std::function<void()> handler) override { done(std::move(handler)); }
	void async_release_files(lt::storage_index_t, std::function<void()> handler) override { done(std::move(handler)); }

	void async_delete_files(lt::storage_index_t const i, lt::remove_flags_t
		, std::function<void(lt::storage_error const&)> handler) override
	{
		at(i).pieces.clear();
		boost::asio::post(m_ios, [h = std::move(handler)] { h({}); });
	}

	void async_check_files(lt::storage_index_t, lt::add_torrent_params const*
		, lt::aux::vector<std::string, lt::file_index_t>
		, std::function<void(lt::status_t, lt::storage_error const&)> handler) override
	{ boost::asio::post(m_ios, [h = std::move(handler)] { h(lt::status_t::no_error, {}); }); }

	void async_move_storage(lt::storage_index_t, std::string path, lt::move_flags_t
		, std::function<void(lt::status_t, std::string const&, lt::storage_error const&)> handler) override
	{ boost::asio::post(m_ios, [h = std::move(handler), path = std::move(path)] { h(lt::status_t::no_error, path, {}); }); }

	void async_rename_file(lt::storage_index_t, lt::file_index_t const file, std::string name
		, std::function<void(std::string const&, lt::file_index_t, lt::storage_error const&)> handler) override
	{ boost::asio::post(m_ios, [h = std::move(handler), file, name = std::move(name)] { h(name, file, {}); }); }

	void async_set_file_priority(lt::storage_index_t, lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities
		, std::function<void(lt::storage_error const&, lt::aux::vector<lt::download_priority_t, lt::file_index_t>)> handler)
		override
	{ boost::asio::post(m_ios, [h = std::move(handler), p = std::move(priorities)] { h({}, p); }); }

	void update_stats_counters(lt::counters&) const override {}
	std::vector<lt::open_file_state> get_status(lt::storage_index_t) const override { return {}; }
	void abort(bool) override {}
	void submit_jobs() override {}
	void settings_updated() override {}

private:
	void free_disk_buffer(char*) override {}

	[[nodiscard]] torrent& at(lt::storage_index_t const i) { return m_torrents[static_cast<std::uint32_t>(i)]; }

	[[nodiscard]] char* find(lt::storage_index_t const i, lt::piece_index_t const piece)
	{
		auto const found = at(i).pieces.find(static_cast<int>(piece));
		return found == at(i).pieces.end() ? nullptr : found->second.data();
	}

	static lt::sha256_hash block_hash(char const* const piece, int const offset, int const size)
	{ return lt::hasher256(piece + offset, std::min(v2_block_bytes, size - offset)).final(); }

	void done(std::function<void()> handler)
	{
		if (handler) boost::asio::post(m_ios, std::move(handler));
	}

	lt::io_context& m_ios;
	std::vector<torrent> m_torrents;
};

} // namespace

std::unique_ptr<lt::disk_interface> make_vector_disk(lt::io_context& ios, lt::settings_interface const&, lt::counters&)
{ return std::make_unique<vector_disk>(ios); }

} // namespace slipstream::bench
