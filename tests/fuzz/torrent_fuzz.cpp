// What people add, as it is taken: a magnet link, else a torrent file's bytes.
#include "fuzz/fuzz.hpp"

#include "engine/torrent_source.hpp"

#include <libtorrent/torrent_info.hpp>

namespace slipstream::fuzz {
namespace {

constexpr std::size_t max_bytes = 32 << 20;

void refused(error const& e, bool const link)
{
	expect(!e.detail.empty(), "a refusal says why");
	expect(e.is(link ? errc::bad_magnet : errc::bad_torrent) || e.is(errc::too_large), "and is of its kind");
}

void torrent(lt::torrent_info const& info)
{
	expect(info.total_size() > 0 && info.num_pieces() > 0, "a torrent has bytes");
	std::int64_t sum = 0;
	for (lt::piece_index_t i(0); i < info.end_piece() && i < lt::piece_index_t(10'000); ++i)
	{
		int const length = info.piece_size(i);
		expect(length > 0 && length <= info.piece_length(), "a piece has a length");
		sum += length;
	}
	expect(sum <= info.total_size(), "pieces are no more than the torrent");
	for (auto const file : info.files().file_range())
		expect(info.files().file_size(file) >= 0 && info.files().file_offset(file) >= 0, "a file is somewhere");
}

} // namespace
} // namespace slipstream::fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* const bytes, std::size_t const size)
{
	using namespace slipstream;
	std::string_view const text(reinterpret_cast<char const*>(bytes), size);
	bool const link = text.starts_with("magnet:") || text.starts_with("MAGNET:");
	auto const params = link ? parse_magnet(text) : parse_torrent({text.data(), text.size()}, fuzz::max_bytes, "the body");
	if (!params) fuzz::refused(params.error(), link);
	else if (link) fuzz::expect(params->info_hashes.has_v1() || params->info_hashes.has_v2(), "a link names a torrent");
	else fuzz::torrent(*params->ti);
	return 0;
}
