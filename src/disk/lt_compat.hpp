// Everything that differs between libtorrent 2.0.8 and 2.1: the only place that looks at the version.
//
// The rest of the disk layer is written against the names here. What each says is in libtorrent's
// own headers; differences are named at the line.
#pragma once

#include <libtorrent/disk_buffer_holder.hpp>
#include <libtorrent/disk_interface.hpp>
#include <libtorrent/storage_defs.hpp>
#include <libtorrent/version.hpp>

#include <functional>
#include <string>

#if LIBTORRENT_VERSION_NUM < 20008
#error "Slipstream needs libtorrent 2.0.8 or newer"
#endif

namespace slipstream::lt_compat {

// Lends a buffer to libtorrent; 2.1 dropped the size.
inline lt::disk_buffer_holder make_buffer(lt::buffer_allocator_interface& owner, char* const bytes
	, [[maybe_unused]] int const length)
{
#if LIBTORRENT_VERSION_NUM >= 20100
	return {owner, bytes};
#else
	return {owner, bytes, length};
#endif
}

// 2.1 made status_t a set of flags.
#if LIBTORRENT_VERSION_NUM >= 20100
inline lt::status_t no_error() { return {}; }
inline lt::status_t need_full_check() { return lt::disk_status::need_full_check; }
inline lt::status_t fatal_error() { return lt::disk_status::fatal_disk_error; }
#else
inline lt::status_t no_error() { return lt::status_t::no_error; }
inline lt::status_t need_full_check() { return lt::status_t::need_full_check; }
inline lt::status_t fatal_error() { return lt::status_t::fatal_disk_error; }
#endif

// 2.1 returns buffers in batches as well.
class buffer_owner : public lt::buffer_allocator_interface
{
#if LIBTORRENT_VERSION_NUM >= 20100
public:
	void free_multiple_buffers(lt::span<char*> buffers) override
	{
		for (char* const b : buffers) free_disk_buffer(b);
	}
#endif
protected:
	~buffer_owner() = default;
};

} // namespace slipstream::lt_compat
