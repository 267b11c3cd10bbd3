#include <slipstream/error.hpp>

namespace slipstream {

namespace {

class slipstream_category final : public boost::system::error_category
{
public:
	char const* name() const noexcept override { return "slipstream"; }

	std::string message(int const value) const override
	{
		switch (static_cast<errc>(value))
		{
		case errc::bad_argument: return "an argument is outside its range";
		case errc::bad_torrent: return "not a usable torrent file";
		case errc::bad_magnet: return "not a magnet link";
		case errc::too_large: return "too large";
		case errc::no_such_torrent: return "no such torrent";
		case errc::no_such_file: return "the torrent has no such file";
		case errc::no_such_piece: return "the torrent has no such piece";
		case errc::not_in_memory: return "not in memory";
		case errc::not_verified: return "in memory, not verified yet";
		case errc::out_of_range: return "outside the piece or file";
		case errc::duplicate: return "the torrent is there already";
		case errc::no_metadata: return "the torrent's metadata has not arrived yet";
		case errc::metadata_timeout: return "no peer sent the torrent's metadata in time";
		case errc::read_timeout: return "the bytes did not arrive in time";
		case errc::no_space: return "the memory's capacity is reached";
		case errc::cancelled: return "cancelled";
		case errc::torrent_failed: return "the torrent failed";
		}
		return "unknown error";
	}
};

} // namespace

boost::system::error_category const& category() noexcept
{
	static slipstream_category const instance;
	return instance;
}

boost::system::error_code make_error_code(errc const e) noexcept { return {static_cast<int>(e), category()}; }

} // namespace slipstream
