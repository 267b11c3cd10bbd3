#include "disk_driver.hpp"

#include "vector_disk.hpp"

#include <slipstream/memory_disk.hpp>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/mmap_disk_io.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/storage_defs.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <thread>

namespace slipstream::bench {

namespace {

constexpr std::size_t num_templates = 64;
constexpr int stamp_bytes = 16;

struct stamp { std::uint64_t seed, index; };

// Of all torrents: a thousand with their own would not fit the processor's cache.
std::vector<char>& templates()
{
	static std::vector<char> all = [] {
		std::vector<char> made(num_templates * block_bytes);
		std::mt19937_64 random(1);
		for (std::size_t i = 0; i < made.size(); i += 8)
		{
			auto const word = random();
			std::memcpy(&made[i], &word, 8);
		}
		return made;
	}();
	return all;
}

} // namespace

content::content(std::string name, std::int64_t const num_blocks, int const piece_blocks, protocol const kind
	, std::uint64_t const seed)
	: m_num_blocks(num_blocks)
	, m_piece_blocks(piece_blocks)
	, m_kind(kind)
	, m_seed(seed)
{
	lt::file_storage files;
	files.add_file(std::move(name), num_blocks * block_bytes);
	lt::create_torrent const made(files, piece_blocks * block_bytes
		, kind == protocol::v1 ? lt::create_torrent::v1_only : lt::create_torrent::v2_only);
	m_files = std::make_shared<lt::file_storage const>(made.files());
}

lt::sha1_hash content::info_hash() const
{ return lt::hasher(reinterpret_cast<char const*>(&m_seed), sizeof m_seed).final(); }

lt::peer_request content::request(std::int64_t const block) const
{
	auto const piece = static_cast<int>(block / m_piece_blocks);
	return {lt::piece_index_t(piece), static_cast<int>(block % m_piece_blocks) * block_bytes, block_bytes};
}

char const* content::block(std::int64_t const index)
{
	char* const bytes = &templates()[static_cast<std::size_t>(index) % num_templates * block_bytes];
	stamp const s{m_seed, static_cast<std::uint64_t>(index)};
	std::memcpy(bytes, &s, sizeof s);
	return bytes;
}

bool content::equals(std::int64_t const index, int const offset, char const* const bytes, int const length)
{ return std::memcmp(block(index) + offset, bytes, std::size_t(length)) == 0; }

bool content::stamped(std::int64_t const index, char const* const bytes) const
{
	stamp const s{m_seed, static_cast<std::uint64_t>(index)};
	static_assert(sizeof s == stamp_bytes);
	return std::memcmp(bytes, &s, sizeof s) == 0;
}

void content::compute_hashes()
{
	for (std::int64_t b = 0; b < m_num_blocks;)
	{
		lt::hasher v1;
		for (int i = 0; i < m_piece_blocks && b < m_num_blocks; ++i, ++b)
		{
			lt::span<char const> const bytes(block(b), block_bytes);
			if (m_kind == protocol::v1) v1.update(bytes);
			else m_v2.push_back(lt::hasher256(bytes).final());
		}
		if (m_kind == protocol::v1) m_v1.push_back(v1.final());
	}
}

bool content::is_right(int const piece, std::vector<lt::sha256_hash> const& v2) const
{
	return std::equal(v2.begin(), v2.end(), m_v2.begin() + std::ptrdiff_t(piece) * m_piece_blocks);
}

std::vector<std::string> const& all_disks()
{
	static std::vector<std::string> const names{"ours", "mmap", "posix", "vectors"};
	return names;
}

disk_driver::disk_driver(std::string const& disk, std::int64_t const capacity_bytes, int const hashing_threads)
{
	m_settings = lt::default_settings();
	m_settings.set_int(lt::settings_pack::hashing_threads, hashing_threads);
	m_directory = "/dev/shm/slipstream-bench-XXXXXX";
	if (mkdtemp(m_directory.data()) == nullptr) throw std::runtime_error("no directory in /dev/shm");
	lt::disk_io_constructor_type make;
	if (disk == "ours") make = memory_disk({.capacity_bytes = capacity_bytes}).constructor();
	else if (disk == "mmap") make = &lt::mmap_disk_io_constructor;
	else if (disk == "posix") make = &lt::posix_disk_io_constructor;
	else if (disk == "vectors") make = make_vector_disk;
	else throw std::invalid_argument("no disk is called " + disk);
	m_disk = make(m_ios, m_settings, m_counters);
}

disk_driver::~disk_driver()
{
	m_disk->abort(true);
	m_ios.restart();
	m_ios.run();
	m_disk.reset();
	std::error_code ignored;
	std::filesystem::remove_all(m_directory, ignored);
}

moment disk_driver::measure(std::function<void()> work)
{
	moment took;
	std::exception_ptr failed;
	m_done = false;
	m_ios.restart();
	std::thread network([&] {
		try
		{
			auto const guard = boost::asio::make_work_guard(m_ios);
			moment start;
			boost::asio::post(m_ios, [&] { start = moment::now(); work(); });
			while (!m_done) m_ios.run_one();
			took = m_end - start;
		}
		catch (...) { failed = std::current_exception(); }
	});
	network.join();
	if (failed) std::rethrow_exception(failed);
	return took;
}

void disk_driver::done()
{
	m_end = moment::now();
	m_done = true;
}

lt::storage_holder disk_driver::add(content const& c)
{
	auto const files = std::const_pointer_cast<lt::file_storage>(c.files());
	lt::aux::vector<lt::download_priority_t, lt::file_index_t> const priorities;
	lt::storage_params const params(*files, nullptr, m_directory, lt::storage_mode_sparse, priorities, c.info_hash());
	return m_disk->new_torrent(params, files);
}

} // namespace slipstream::bench
